package freshservice

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/hivematrix/codex/clients/wire"
)

// Department is a department of Freshservice: for an MSP, a customer.
type Department struct {
	ID            int64
	Name          string
	Description   *string
	HeadUserID    *int64
	HeadName      *string // undocumented, and sent: nil where it is not
	PrimeUserID   *int64
	PrimeUserName *string // as HeadName
	Domains       []string
	CustomFields  CustomFields
	CreatedAt     *time.Time
	UpdatedAt     *time.Time
}

func decodeDepartment(raw json.RawMessage) (Department, error) {
	o := wire.Open(raw)
	department := Department{
		ID:            o.ID("id"),
		Name:          o.Text("name"),
		Description:   o.OptText("description"),
		HeadUserID:    o.OptID("head_user_id"),
		HeadName:      o.OptText("head_name"),
		PrimeUserID:   o.OptID("prime_user_id"),
		PrimeUserName: o.OptText("prime_user_name"),
		Domains:       o.Texts("domains"),
		CustomFields:  customFields(o),
		CreatedAt:     o.Time("created_at"),
		UpdatedAt:     o.Time("updated_at"),
	}
	return department, o.Err()
}

// Departments lists every department of the account, or of the configured workspaces.
func (c *Client) Departments(ctx context.Context) (wire.Listing[Department], error) {
	list, err := listAll(ctx, c, resource[Department]{
		path: "/departments", envelope: "departments", perWorkspace: true, global: true,
		decode: decodeDepartment, key: func(d Department) int64 { return d.ID },
	})
	if err != nil {
		return list, fmt.Errorf("listing departments: %w", err)
	}
	return list, nil
}

// Department reads one department; [transport.IsNotFound] tells that there is none of that id.
func (c *Client) Department(ctx context.Context, id int64) (Department, error) {
	department, err := readOne(ctx, c, one{
		path: "/departments/" + strconv.FormatInt(id, 10), endpoint: "/departments/{id}",
		envelopes: []string{"department", "departments"},
	}, decodeDepartment)
	if err != nil {
		return department, fmt.Errorf("reading department %d: %w", id, err)
	}
	return department, nil
}
