package freshservice

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/hivematrix/codex/clients/wire"
)

// TicketStatuses reads the names of the account's ticket statuses by number. It is empty where the
// account tells names without numbers.
func (c *Client) TicketStatuses(ctx context.Context) (map[int]string, error) {
	list, err := listAll(ctx, c, resource[ticketField]{
		path: "/ticket_form_fields", envelope: "ticket_fields",
		decode: decodeTicketField, key: func(f ticketField) int64 { return f.id },
	})
	if err != nil {
		return nil, fmt.Errorf("listing ticket fields: %w", err)
	}
	for _, field := range list.Items {
		if field.name == "status" {
			return parseChoices(field.choices), nil
		}
	}
	return map[int]string{}, nil
}

type ticketField struct {
	id      int64
	name    string
	choices json.RawMessage
}

func decodeTicketField(raw json.RawMessage) (ticketField, error) {
	o := wire.Open(raw)
	field := ticketField{id: o.ID("id"), name: o.Text("name"), choices: o.Raw("choices")}
	return field, o.Err()
}

// parseChoices takes the choices of a field in each form that was seen: [{"id":5,"value":"Closed"}],
// [["Closed",5]], and the older product's {"5":["Closed","…"]} and {"Closed":5}. What cannot be
// understood, names without numbers among it, is left out.
func parseChoices(raw json.RawMessage) map[int]string {
	names := map[int]string{}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) == nil {
		for _, choice := range list {
			if id, name, ok := parseChoice(choice); ok {
				names[id] = name
			}
		}
		return names
	}
	var byKey map[string]json.RawMessage
	if json.Unmarshal(raw, &byKey) != nil {
		return names
	}
	for key, value := range byKey {
		var id int
		var labels []string
		var label string
		switch {
		case json.Unmarshal(value, &id) == nil:
			names[id] = key
		case json.Unmarshal(value, &labels) == nil && len(labels) > 0:
			label = labels[0]
			fallthrough
		case label != "" || json.Unmarshal(value, &label) == nil:
			if id, err := strconv.Atoi(key); err == nil && label != "" {
				names[id] = label
			}
		}
	}
	return names
}

func parseChoice(raw json.RawMessage) (id int, name string, ok bool) {
	if o := wire.Open(raw); o.Err() == nil {
		id, name := o.OptID("id"), o.Text("value")
		if id == nil || name == "" || o.Err() != nil {
			return 0, "", false
		}
		return int(*id), name, true
	}
	var pair []json.RawMessage
	if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 {
		return 0, "", false
	}
	if json.Unmarshal(pair[0], &name) != nil || json.Unmarshal(pair[1], &id) != nil || name == "" {
		return 0, "", false
	}
	return id, name, true
}
