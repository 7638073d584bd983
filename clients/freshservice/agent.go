package freshservice

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/hivematrix/codex/clients/wire"
)

// Agent is a person who works on tickets. Agents and requesters share one space of ids.
type Agent struct {
	ID                int64
	FirstName         string
	LastName          string
	JobTitle          *string
	Email             *string // agents have email where requesters have primary_email
	SecondaryEmails   []string
	WorkPhoneNumber   *string
	MobilePhoneNumber *string
	DepartmentIDs     []int64
	Active            *bool
	CustomFields      CustomFields
	CreatedAt         *time.Time
	UpdatedAt         *time.Time
}

func decodeAgent(raw json.RawMessage) (Agent, error) {
	o := wire.Open(raw)
	agent := Agent{
		ID:                o.ID("id"),
		FirstName:         o.Text("first_name"),
		LastName:          o.Text("last_name"),
		JobTitle:          o.OptText("job_title"),
		Email:             o.OptText("email"),
		SecondaryEmails:   o.Texts("secondary_emails"),
		WorkPhoneNumber:   o.OptText("work_phone_number"),
		MobilePhoneNumber: o.OptText("mobile_phone_number"),
		DepartmentIDs:     o.IDs("department_ids"),
		Active:            o.OptBool("active"),
		CustomFields:      customFields(o),
		CreatedAt:         o.Time("created_at"),
		UpdatedAt:         o.Time("updated_at"),
	}
	return agent, o.Err()
}

// Agents lists every agent. A key without the right to manage agents is refused, or sees fewer.
func (c *Client) Agents(ctx context.Context) (wire.Listing[Agent], error) {
	list, err := listAll(ctx, c, resource[Agent]{
		path: "/agents", envelope: "agents", bucket: bucketAgents,
		decode: decodeAgent, key: func(a Agent) int64 { return a.ID },
	})
	if err != nil {
		return list, fmt.Errorf("listing agents: %w", err)
	}
	return list, nil
}

// Agent reads one agent; [transport.IsNotFound] tells that there is none of that id.
func (c *Client) Agent(ctx context.Context, id int64) (Agent, error) {
	agent, err := readOne(ctx, c, one{
		path: "/agents/" + strconv.FormatInt(id, 10), endpoint: "/agents/{id}",
		envelopes: []string{"agent", "agents"},
	}, decodeAgent)
	if err != nil {
		return agent, fmt.Errorf("reading agent %d: %w", id, err)
	}
	return agent, nil
}

// Me reads the agent whose API key this is: the cheapest check of domain and key.
func (c *Client) Me(ctx context.Context) (Agent, error) {
	agent, err := readOne(ctx, c, one{
		path: "/agents/me", endpoint: "/agents/me", envelopes: []string{"agent", "agents"},
	}, decodeAgent)
	if err != nil {
		return agent, fmt.Errorf("reading the API key's own agent: %w", err)
	}
	return agent, nil
}
