package syncers

import (
	"encoding/json"
	"fmt"

	"github.com/hivematrix/codex"
)

// Request asks for a sync run.
type Request struct {
	Feed    codex.Feed
	Mode    codex.RunMode // empty is incremental; only tickets tell it from full
	DryRun  bool          // plan, write nothing but the run
	Force   bool          // switch the removal guard off
	Trigger codex.RunTrigger
	By      string // the caller's name, kept on the run
}

// EntityCounts says what a run did to the rows of one entity. A row counts once, but for one that is
// held and has other fields that change: it is Updated and Held.
type EntityCounts struct {
	Entity    string `json:"entity"` // companies, contacts, assets ...
	Created   int    `json:"created"`
	Updated   int    `json:"updated"`
	Removed   int    `json:"removed"`
	Unchanged int    `json:"unchanged"`
	Held      int    `json:"held"`   // removals, and moves to another company, beyond the guard: not done
	Issues    int    `json:"issues"` // what could not be placed: one a kind and record
}

// ParseCounts reads the counts that a run keeps as JSON.
func ParseCounts(text string) ([]EntityCounts, error) {
	var counts []EntityCounts
	if err := json.Unmarshal([]byte(text), &counts); err != nil {
		return nil, fmt.Errorf("reading the counts of a run: %w", err)
	}
	return counts, nil
}

// Total adds up the counts of all entities.
func Total(counts []EntityCounts) EntityCounts {
	total := EntityCounts{Entity: "all"}
	for _, c := range counts {
		total.Created += c.Created
		total.Updated += c.Updated
		total.Removed += c.Removed
		total.Unchanged += c.Unchanged
		total.Held += c.Held
		total.Issues += c.Issues
	}
	return total
}
