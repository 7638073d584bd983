package syncers

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// changeKind says what a plan does to a record. The words are those of package query's changes, and
// held.
type changeKind string

const (
	changeCreated  changeKind = "created"
	changeChanged  changeKind = "changed"
	changeRemoved  changeKind = "removed"
	changeReturned changeKind = "returned" // gone, and back as the same record
	changeHeld     changeKind = "held"     // it would be removed or leave its company, and stays
)

// change is one change of a plan, for people.
type change struct {
	entity  string
	kind    changeKind
	record  string // the record's key here; of one to be created, at its upstream
	label   string
	account codex.AccountNumber // empty where the record belongs to no company by itself
	fields  []fieldChange
}

// fieldChange is a column that changes. Its values are what JSON can say: text, numbers, booleans,
// null; times are text.
type fieldChange struct {
	Field string `json:"field"`
	Old   any    `json:"old"`
	New   any    `json:"new"`
}

// longestValue bounds a text among the changes, in bytes: conversations are long.
const longestValue = 500

// changes are what the step does, in its order, or only what it holds.
func (s step[R]) changes(heldOnly bool) []change {
	e := s.entity
	var list []change
	if !heldOnly {
		for i := range s.plan.Creates {
			r := &s.plan.Creates[i]
			c := s.change(changeCreated, r)
			if e.ID != nil { // its id here is given when it is written
				c.record, _ = e.Keys[0].Of(r)
			}
			list = append(list, c)
		}
		for i := range s.plan.Updates {
			u := &s.plan.Updates[i]
			kind := changeChanged
			if e.removed(&u.Old) && !e.removed(&u.New) {
				kind = changeReturned
			}
			c := s.change(kind, &u.New)
			c.fields = e.differences(&u.Old, &u.New, u.Fields)
			list = append(list, c)
		}
		for i := range s.plan.Removals {
			list = append(list, s.change(changeRemoved, &s.plan.Removals[i]))
		}
	}
	for i := range s.plan.Held {
		h := &s.plan.Held[i]
		c := s.change(changeHeld, &h.Row)
		if h.Next != nil {
			fields, _ := e.changed(&h.Row, h.Next)
			c.fields = e.differences(&h.Row, h.Next, fields)
		}
		list = append(list, c)
	}
	return list
}

func (s step[R]) change(kind changeKind, r *R) change {
	e := s.entity
	c := change{entity: e.Name, kind: kind, record: e.recordID(r)}
	if e.Label != nil {
		c.label = e.Label(r)
	}
	for _, column := range e.Columns {
		if account, ok := column.value(r).(codex.AccountNumber); ok {
			c.account = account
		}
	}
	if s.company != nil {
		c.account = s.company(r)
	}
	return c
}

// recordID is the row's key as text.
func (e *Entity[R]) recordID(r *R) string {
	var parts []string
	for _, value := range e.primaryKey(r) {
		parts = append(parts, fmt.Sprint(value))
	}
	return strings.Join(parts, "/")
}

func (e *Entity[R]) differences(old, next *R, fields []string) []fieldChange {
	var list []fieldChange
	for _, name := range fields {
		for _, c := range e.Columns {
			if c.Name == name {
				list = append(list, fieldChange{Field: name, Old: shownValue(c.value(old)), New: shownValue(c.value(next))})
			}
		}
	}
	return list
}

// shownValue is a column's value as JSON can say it, long text cut.
func shownValue(v any) any {
	if valuer, ok := v.(driver.Valuer); ok {
		inner, err := valuer.Value()
		if err != nil || inner == nil {
			return nil
		}
		v = inner
	}
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case string:
		return shortened(v)
	case bool, int, int64:
		return v
	}
	return shortened(fmt.Sprint(v)) // the string types of package codex
}

func shortened(text string) string {
	if len(text) <= longestValue {
		return text
	}
	cut := longestValue
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// changesTable is the table sync_changes, for bulk statements.
func changesTable() store.Table {
	t := store.Table{Name: "sync_changes", Key: []string{"run_id", "ordinal"}}
	for _, name := range []string{"run_id", "entity", "kind", "record_id", "label", "company_account_number", "fields"} {
		t.Columns = append(t.Columns, store.Column{Name: name, Kind: store.Text})
	}
	t.Columns = append(t.Columns, store.Column{Name: "ordinal", Kind: store.Int})
	return t
}

// saveChanges keeps changes with their run.
func saveChanges(ctx context.Context, tx *store.Tx, run codex.RunID, changes []change) error {
	rows := make([][]any, len(changes))
	for i, c := range changes {
		if c.fields == nil {
			c.fields = []fieldChange{}
		}
		var account any
		if c.account != "" {
			account = c.account
		}
		rows[i] = []any{run, c.entity, c.kind, store.CleanText(c.record), store.CleanText(c.label), account, jsonText(c.fields), i + 1}
	}
	if err := tx.Insert(ctx, changesTable(), rows); err != nil {
		return fmt.Errorf("keeping what the run would change: %w", err)
	}
	return nil
}
