package freshservice

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever a record holds: it is understood or refused, with a reason that quotes none of it.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{
		`{"id":21000418006,"name":"Contoso","custom_fields":{"account_number":620547},"domains":["contoso.example"]}`,
		`{"id":"7","status":5,"updated_at":"2025-01-15T10:30:00Z","stats":{"closed_at":""},"requester":{"id":null}}`,
		`{"id":1,"time_spent":"01:30","billable":"true","department_ids":[1,"2",null]}`,
		`{"id":1,"to_emails":"x@y.example","source":null,"primary_email":7}`,
		`{"id":1.0,"choices":[["Closed",5]],"name":"status"}`, `null`, `[]`, `""`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return // no list would have let it through
		}
		for _, decode := range []func(json.RawMessage) error{
			func(raw json.RawMessage) error { _, err := decodeDepartment(raw); return err },
			func(raw json.RawMessage) error { _, err := decodeRequester(raw); return err },
			func(raw json.RawMessage) error { _, err := decodeAgent(raw); return err },
			func(raw json.RawMessage) error { _, err := decodeTicket(raw); return err },
			func(raw json.RawMessage) error { _, err := decodeTimeEntry(raw); return err },
			func(raw json.RawMessage) error { _, err := decodeConversation(raw); return err },
			func(raw json.RawMessage) error { _, err := decodeTicketField(raw); return err },
		} {
			if err := decode(raw); err != nil && len(err.Error()) > 100 {
				t.Errorf("a reason of %d bytes: %v", len(err.Error()), err)
			}
		}
	})
}

func FuzzChoices(f *testing.F) {
	for _, seed := range []string{`[{"id":2,"value":"Open"}]`, `[["Open",2]]`, `{"2":["Open"]}`, `{"Open":2}`, `["Open"]`, `{"x":{}}`, `null`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for id, name := range parseChoices(raw) {
			if name == "" && !strings.Contains(string(raw), `""`) {
				t.Errorf("status %d without a name in %q", id, raw)
			}
		}
	})
}
