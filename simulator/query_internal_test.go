package simulator

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestQueries(t *testing.T) {
	at := func(s string) time.Time { from, _, _ := parseDate(s); return from }
	ticket := map[string]any{
		"status": int64(5), "priority": int64(2), "agent_id": nil, "group_id": int64(7), "type": "Incident",
		"tag": []string{"project", "vip"}, "updated_at": at("2025-01-15T10:30:00Z"), "on_site": true,
	}
	for _, c := range []struct {
		name, query string
		holds       bool
	}{
		{"a number", `"status:5"`, true},
		{"another number", `"status:4"`, false},
		{"AND", `"status:5 AND priority:2"`, true},
		{"AND that fails", `"status:5 AND priority:1"`, false},
		{"OR", `"status:4 OR priority:2"`, true},
		{"AND before OR", `"status:5 OR status:4 AND priority:1"`, true},
		{"parentheses", `"(status:5 OR status:4) AND priority:1"`, false},
		{"nested parentheses", `"((status:5))"`, true},
		{"text in any case", `"type:'incident'"`, true},
		{"one of several tags", `"tag:'vip'"`, true},
		{"null", `"agent_id:null"`, true},
		{"null where there is one", `"group_id:null"`, false},
		{"a boolean", `"on_site:true"`, true},
		{"at least, with the same second", `"updated_at:>'2025-01-15T10:30:00Z'"`, true},
		{"at least, a second later", `"updated_at:>'2025-01-15T10:30:01Z'"`, false},
		{"at most, with the same second", `"updated_at:<'2025-01-15T10:30:00Z'"`, true},
		{"at most, a second earlier", `"updated_at:<'2025-01-15T10:29:59Z'"`, false},
		{"a time without a zone is UTC", `"updated_at:'2025-01-15T10:30:00'"`, true},
		{"a time of another zone", `"updated_at:'2025-01-15T11:30:00+01:00'"`, true},
		{"a day has all its hours", `"updated_at:'2025-01-15'"`, true},
		{"at least a day", `"updated_at:>'2025-01-15'"`, true},
		{"at most a day", `"updated_at:<'2025-01-15'"`, true},
		{"at most the day before", `"updated_at:<'2025-01-14'"`, false},
		{"at least a number", `"priority:>2"`, true},
		{"at least a larger number", `"priority:>3"`, false},
		{"the documented query of a sync", `"(updated_at:>'2025-01-01T00:00:00Z' AND status:5)"`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := parseQuery(c.query, ticketSearchFields(), false)
			if err != nil {
				t.Fatal(err)
			}
			if got := parsed.holds(func(field string) any { return ticket[field] }); got != c.holds {
				t.Errorf("%s holds: %v, want %v", c.query, got, c.holds)
			}
		})
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	for _, c := range []struct{ name, query, code string }{
		{"nothing", ``, "invalid_value"},
		{"one quote", `"`, "invalid_value"},
		{"no query", `""`, "invalid_value"},
		{"no quotes", `status:5`, "invalid_value"},
		{"513 characters", `"` + strings.Repeat(" ", 505) + `status:5"`, "invalid_value"},
		{"an unknown field", `"closed_at:'2025-01-01'"`, "invalid_field"},
		{"text for a number", `"status:'5'"`, "datatype_mismatch"},
		{"a number for text", `"type:5"`, "datatype_mismatch"},
		{"null for a status", `"status:null"`, "datatype_mismatch"},
		{"a bare date", `"updated_at:2025"`, "datatype_mismatch"},
		{"a date that is none", `"updated_at:'2025-13-01'"`, "invalid_date"},
		{"at least a text", `"type:>'a'"`, "invalid_value"},
		{"an open parenthesis", `"(status:5"`, "invalid_value"},
		{"a closed one", `"status:5)"`, "invalid_value"},
		{"an open quote", `"type:'a"`, "invalid_value"},
		{"two terms without an operator", `"status:5 priority:1"`, "invalid_value"},
		{"an operator at the end", `"status:5 AND"`, "invalid_value"},
		{"a field alone", `"status"`, "invalid_value"},
		{"no value", `"status:"`, "invalid_value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseQuery(c.query, ticketSearchFields(), false)
			code := "invalid_value"
			var refused queryError
			if errors.As(err, &refused) {
				code = refused.code
			}
			if err == nil || code != c.code {
				t.Errorf("got %v (%s), want %s", err, code, c.code)
			}
		})
	}
	if _, err := parseQuery(`"`+strings.Repeat(" ", 504)+`status:5"`, ticketSearchFields(), false); err != nil {
		t.Errorf("512 characters: %v", err)
	}
}

// FuzzQuery holds that no text breaks the parser, and that what it accepts can be asked.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		`"status:5"`, `"(updated_at:>'2025-01-01T00:00:00Z' AND status:5)"`, `"tag:'x' OR agent_id:null"`, `"((((`, `"status:-"`, `"é:1"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		parsed, err := parseQuery(query, ticketSearchFields(), false)
		if (parsed == nil) == (err == nil) {
			t.Fatalf("condition %v and error %v", parsed, err)
		}
		if err == nil {
			parsed.holds(func(string) any { return nil })
			parsed.names("status")
		}
	})
}
