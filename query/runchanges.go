package query

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/syncchange"
	"github.com/hivematrix/codex/ent/syncrun"
)

// ChangeHeld is the kind of what a run did not do: the record is absent, or would move to another
// company, and stays, since that is beyond the removal guard. Only a [RunChange] is of it.
const ChangeHeld ChangeKind = "held"

// byPlan is the order of a plan, whose cursors have one key: the place in it.
const byPlan order = "ordinal"

// RunChange is what a run does to a record.
type RunChange struct {
	Entity   string // as in the run's counts: companies, contact_links ...
	Kind     ChangeKind
	RecordID string               // the record's key; of a link both its ends; of what a plan creates, at its upstream
	Label    *string              // what people call it; nil where it has no name
	Account  *codex.AccountNumber // the company that it belongs to; nil where that is not one
	Fields   []*FieldChange       // of what changes, returns or would move

	ordinal int // in its plan
}

// RunChanges is a page of what each run does, by the run: of a dry run the plan that it kept, in its
// order; of another one what the history says that it wrote, newest first. The number of statements does
// not depend on that of the runs. A run that is not there is absent.
func (r *Reader) RunChanges(ctx context.Context, runs []codex.RunID, page Page) (map[codex.RunID]*PageOf[*RunChange], error) {
	if _, err := page.limit(); err != nil {
		return nil, err
	}
	planned, written, err := r.dryOrNot(ctx, runs)
	if err != nil {
		return nil, err
	}
	pages := make(map[codex.RunID]*PageOf[*RunChange], len(runs))
	if len(planned) > 0 {
		if err := r.plannedChanges(ctx, planned, page, pages); err != nil {
			return nil, err
		}
	}
	if len(written) > 0 {
		if err := r.writtenChanges(ctx, written, page, pages); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// CountRunChanges is how many changes [Reader.RunChanges] has of each run in all.
func (r *Reader) CountRunChanges(ctx context.Context, runs []codex.RunID) (map[codex.RunID]int, error) {
	planned, written, err := r.dryOrNot(ctx, runs)
	if err != nil {
		return nil, err
	}
	totals := make(map[codex.RunID]int, len(runs))
	if len(planned) > 0 {
		var counted []struct {
			Run   codex.RunID `json:"run_id"`
			Count int         `json:"count"`
		}
		err := r.client.SyncChange.Query().Where(ofRuns(planned)).
			GroupBy(syncchange.FieldRunID).Aggregate(ent.Count()).Scan(ctx, &counted)
		if err != nil {
			return nil, fmt.Errorf("counting the changes of plans: %w", err)
		}
		for _, c := range counted {
			totals[c.Run] = c.Count
		}
	}
	return totals, r.countWritten(ctx, written, totals)
}

// HeldByRun are the removals, and moves to another company, that each run holds back, in the order of
// its plan. A run that holds nothing is absent.
func (r *Reader) HeldByRun(ctx context.Context, runs []codex.RunID) (map[codex.RunID][]*RunChange, error) {
	rows, err := r.client.SyncChange.Query().Where(ofRuns(runs), syncchange.Kind(string(ChangeHeld))).
		Order(syncchange.ByRunID(), syncchange.ByOrdinal()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what runs hold: %w", err)
	}
	held := make(map[codex.RunID][]*RunChange)
	for _, row := range rows {
		change, err := plannedChange(row)
		if err != nil {
			return nil, err
		}
		held[row.RunID] = append(held[row.RunID], change)
	}
	return held, nil
}

// dryOrNot tells the dry runs from those that write.
func (r *Reader) dryOrNot(ctx context.Context, ids []codex.RunID) (dry []codex.RunID, writing []*ent.SyncRun, err error) {
	runs, err := r.client.SyncRun.Query().Where(keyIn[predicate.SyncRun](syncrun.FieldID, ids)).
		Select(with(writerColumns(), syncrun.FieldID)...).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("reading which runs were dry: %w", err)
	}
	for _, run := range runs {
		if run.DryRun {
			dry = append(dry, run.ID)
		} else {
			writing = append(writing, run)
		}
	}
	return dry, writing, nil
}

func ofRuns(runs []codex.RunID) predicate.SyncChange {
	return keyIn[predicate.SyncChange](syncchange.FieldRunID, runs)
}

// plannedChanges reads a page of the plan that each of runs kept. The places in a plan are the
// numbers from 1 on, so that a page of each is one statement without a window over them.
func (r *Reader) plannedChanges(ctx context.Context, runs []codex.RunID, page Page, pages map[codex.RunID]*PageOf[*RunChange]) error {
	limit, err := page.limit()
	if err != nil {
		return err
	}
	after := 0
	if page.After != "" {
		keys, err := decodeCursor(page.After, byPlan, 1)
		if err != nil {
			return err
		}
		if after, err = strconv.Atoi(keys[0]); err != nil {
			return codex.BadInput("after", noSuchCursor)
		}
	}
	rows, err := r.client.SyncChange.Query().
		Where(ofRuns(runs), syncchange.OrdinalGT(after), syncchange.OrdinalLTE(after+limit)).
		Order(syncchange.ByRunID(), syncchange.ByOrdinal(sql.OrderAsc())).All(ctx)
	if err != nil {
		return fmt.Errorf("reading what runs planned: %w", err)
	}
	byRun := groupBy(rows, func(row *ent.SyncChange) codex.RunID { return row.RunID })
	for _, run := range runs {
		changes := make([]*RunChange, len(byRun[run]))
		for i, row := range byRun[run] {
			if changes[i], err = plannedChange(row); err != nil {
				return err
			}
		}
		pages[run] = cut(page, changes, func(c *RunChange) string { return encodeCursor(byPlan, strconv.Itoa(c.ordinal)) })
	}
	return nil
}

// plannedChange is a change as a plan kept it.
func plannedChange(row *ent.SyncChange) (*RunChange, error) {
	c := &RunChange{
		Entity: row.Entity, Kind: ChangeKind(row.Kind), RecordID: row.RecordID,
		Account: row.CompanyAccountNumber, ordinal: row.Ordinal,
	}
	if row.Label != "" {
		c.Label = &row.Label
	}
	var err error
	if c.Fields, err = plannedFields(row.Fields); err != nil {
		return nil, fmt.Errorf("reading change %d of run %s: %w", row.Ordinal, row.RunID, err)
	}
	return c, nil
}

// plannedFields reads what changes, as a plan kept it: a JSON array of field, old and new.
func plannedFields(text string) ([]*FieldChange, error) {
	var kept []struct {
		Field    string          `json:"field"`
		Old, New json.RawMessage // null, a text, a number or a truth
	}
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := decoder.Decode(&kept); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one JSON value")
	}
	fields := make([]*FieldChange, len(kept))
	for i, f := range kept {
		fields[i] = &FieldChange{Column: f.Field, Old: shownValue(f.Old), New: shownValue(f.New)}
	}
	return fields, nil
}

// shownValue is a JSON value as [FieldChange] has values: a text as it is, null as nil, the digits of
// a number, true or false.
func shownValue(value json.RawMessage) *string {
	var text *string
	if err := json.Unmarshal(value, &text); err == nil {
		return text
	}
	if len(value) == 0 { // the key was not there
		return nil
	}
	return new(string(value))
}

// changeOfRun is a change that the history tells, in the words of the run that did it.
func changeOfRun(c *Change) *RunChange {
	change := &RunChange{
		Entity: entityOfRuns(c.Entity), Kind: c.Kind, RecordID: c.RecordID, Label: c.Label, Account: c.Account, Fields: c.Fields,
	}
	if c.Entity == EntityContactLink && c.Account != nil {
		change.RecordID += "/" + string(*c.Account)
	}
	return change
}

// entityOfRuns is the name that the counts of runs have for an entity.
func entityOfRuns(e Entity) string {
	switch e {
	case EntityCompany:
		return "companies"
	case EntityLocation:
		return "locations"
	case EntityContact:
		return "contacts"
	case EntityContactLink:
		return "contact_links"
	case EntityAsset:
		return "assets"
	case EntityTicket:
		return "tickets"
	}
	return string(e)
}
