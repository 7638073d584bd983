package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/hivematrix/codex"
)

// runChange is one change of a run. --json writes the tags.
type runChange struct {
	Entity        string               `json:"entity"`
	Kind          string               `json:"kind"` // created, changed, removed, returned, held
	RecordID      string               `json:"record_id"`
	Label         *string              `json:"label"`
	AccountNumber *codex.AccountNumber `json:"account_number"`
	Fields        []fieldChange        `json:"fields"`
}

// fieldChange is a field whose value changes.
type fieldChange struct {
	Field string  `json:"field"`
	Old   *string `json:"old"`
	New   *string `json:"new"`
}

// Kinds that verbs look for.
const (
	kindRemoved = "removed"
	kindHeld    = "held"
	kindWillGo  = "will go" // held, and approved
)

const changeFields = `{ entity kind recordId label accountNumber fields { field old new } }`

// UnmarshalJSON reads GraphQL's keys.
func (c *runChange) UnmarshalJSON(text []byte) error {
	var got struct {
		Entity, Kind, RecordID string
		Label                  *string
		AccountNumber          *codex.AccountNumber
		Fields                 []fieldChange
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return err
	}
	*c = runChange{got.Entity, strings.ToLower(got.Kind), got.RecordID, got.Label, got.AccountNumber, got.Fields}
	return nil
}

// changesAtOnce is how many changes are asked for at once: the most that the hub gives.
const changesAtOnce = 1000

// changes are all that a run changed, or a dry one would.
func (h *hub) changes(ctx context.Context, id codex.RunID) ([]runChange, error) {
	all := []runChange{}
	var after *string
	for {
		var answer struct {
			SyncRun *struct {
				Changes struct {
					Nodes    []runChange
					PageInfo struct {
						HasNextPage bool
						EndCursor   *string
					}
				}
			}
		}
		err := h.ask(ctx, `query($id: ID!, $first: Int, $after: String) { syncRun(id: $id) {
			changes(first: $first, after: $after) { nodes `+changeFields+` pageInfo { hasNextPage endCursor } } } }`,
			map[string]any{"id": id, "first": changesAtOnce, "after": after}, &answer)
		if err != nil {
			return nil, err
		}
		if answer.SyncRun == nil {
			return nil, noRun(id)
		}
		page := answer.SyncRun.Changes
		all = append(all, page.Nodes...)
		if !page.PageInfo.HasNextPage {
			return all, nil
		}
		after = page.PageInfo.EndCursor
	}
}

// held are the removals that a run holds back.
func (h *hub) held(ctx context.Context, id codex.RunID) ([]runChange, error) {
	var answer struct{ SyncRun *struct{ Held []runChange } }
	if err := h.ask(ctx, `query($id: ID!) { syncRun(id: $id) { held `+changeFields+` } }`, map[string]any{"id": id}, &answer); err != nil {
		return nil, err
	}
	if answer.SyncRun == nil {
		return nil, noRun(id)
	}
	return answer.SyncRun.Held, nil
}

// tellChanges reads those changes of an ended run that its caller is told: of a dry run all, of a
// forced one what it removed, since no guard looked at it, of a held one what it holds.
func (h *hub) tellChanges(ctx context.Context, run *syncRun) (err error) {
	switch {
	case run.DryRun:
		run.Changes, err = h.changes(ctx, run.ID)
	case run.Forced:
		if run.Changes, err = h.changes(ctx, run.ID); err == nil {
			run.Changes = slices.DeleteFunc(run.Changes, func(c runChange) bool { return c.Kind != kindRemoved })
		}
	case run.holds():
		run.Changes, err = h.held(ctx, run.ID)
	}
	if err != nil {
		return fmt.Errorf("reading the changes of run %s: %w", run.ID, err)
	}
	return nil
}

// holds tells whether a run holds removals back: a partial one may, too.
func (r *syncRun) holds() bool {
	held := 0
	for _, c := range r.Counts {
		held += c.Held
	}
	return held > 0
}

// fewHeld is how many held removals a run that was just made is told with.
const fewHeld = 20

// told are the changes of a run, for people.
func told(run *syncRun) string {
	if len(run.Changes) == 0 {
		return ""
	}
	if run.DryRun || run.Forced {
		return listed(run.Changes)
	}
	var b strings.Builder
	few := run.Changes[:min(len(run.Changes), fewHeld)]
	b.WriteString(listed(few))
	if more := len(run.Changes) - len(few); more > 0 {
		fmt.Fprintf(&b, "  … and %d more\n", more)
	}
	fmt.Fprintf(&b, "  If they are really gone: codex sync approve %s --reason \"…\"\n", run.ID)
	return b.String()
}

// listed is a line for each change, for people.
func listed(changes []runChange) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "  %-8s %-13s %s", c.Kind, c.Entity, printable(c.RecordID))
		if c.Label != nil {
			fmt.Fprintf(&b, " %s", printable(*c.Label))
		}
		if c.AccountNumber != nil && string(*c.AccountNumber) != c.RecordID {
			fmt.Fprintf(&b, " (%s)", printable(string(*c.AccountNumber)))
		}
		for i, f := range c.Fields {
			separator := ","
			if i == 0 {
				separator = ":"
			}
			fmt.Fprintf(&b, "%s %s %s → %s", separator, f.Field, quoted(f.Old), quoted(f.New))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// quoted is a value for people, in one line, whatever an upstream put into it.
func quoted(value *string) string {
	if value == nil {
		return "none"
	}
	return strconv.Quote(*value)
}

// printable is a name in one line, without what a terminal would take for a command.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}
