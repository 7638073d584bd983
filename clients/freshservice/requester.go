package freshservice

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/hivematrix/codex/clients/wire"
)

// Requester is a person whom tickets are for. One turned agent leaves the requesters and is an
// [Agent] of the same id; a merged one vanishes.
type Requester struct {
	ID                int64
	FirstName         string
	LastName          string
	JobTitle          *string
	PrimaryEmail      *string // nil is possible where a telephone number is known
	SecondaryEmails   []string
	WorkPhoneNumber   *string
	MobilePhoneNumber *string
	DepartmentIDs     []int64
	Active            *bool // nil where it is not told
	CustomFields      CustomFields
	CreatedAt         *time.Time
	UpdatedAt         *time.Time
}

func decodeRequester(raw json.RawMessage) (Requester, error) {
	o := wire.Open(raw)
	requester := Requester{
		ID:                o.ID("id"),
		FirstName:         o.Text("first_name"),
		LastName:          o.Text("last_name"),
		JobTitle:          o.OptText("job_title"),
		PrimaryEmail:      o.OptText("primary_email"),
		SecondaryEmails:   o.Texts("secondary_emails"),
		WorkPhoneNumber:   o.OptText("work_phone_number"),
		MobilePhoneNumber: o.OptText("mobile_phone_number"),
		DepartmentIDs:     o.IDs("department_ids"),
		Active:            o.OptBool("active"),
		CustomFields:      customFields(o),
		CreatedAt:         o.Time("created_at"),
		UpdatedAt:         o.Time("updated_at"),
	}
	return requester, o.Err()
}

// Requesters lists every requester, inactive ones too where Freshservice lists them. Agents are
// not among them.
func (c *Client) Requesters(ctx context.Context) (wire.Listing[Requester], error) {
	list, err := listAll(ctx, c, resource[Requester]{
		path: "/requesters", envelope: "requesters", bucket: bucketRequesters, perWorkspace: true, global: true,
		decode: decodeRequester, key: func(r Requester) int64 { return r.ID },
	})
	if err != nil {
		return list, fmt.Errorf("listing requesters: %w", err)
	}
	return list, nil
}

// Requester reads one requester; [transport.IsNotFound] tells that there is none of that id: ask
// [Client.Agent] before taking the person as gone.
func (c *Client) Requester(ctx context.Context, id int64) (Requester, error) {
	requester, err := readOne(ctx, c, one{
		path: "/requesters/" + strconv.FormatInt(id, 10), endpoint: "/requesters/{id}",
		envelopes: []string{"requester", "requesters"},
	}, decodeRequester)
	if err != nil {
		return requester, fmt.Errorf("reading requester %d: %w", id, err)
	}
	return requester, nil
}
