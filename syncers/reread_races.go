package syncers

// A run and a re-read may have the same record in hands. Neither waits for the other, so each looks
// whether the other was there before it writes.
//
// A re-read begins after the announcement that caused it. So whatever a run began to read after a
// re-read began is no older than what was announced, and what it began to read before may be older: that
// the run leaves out, and the row stays as the re-read left it. Of a ticket the run has the ticket
// itself from its listing, and the time entries and conversations from later on: where the re-read
// began in between, the row's own fields stay if they are newer by Freshservice's updated_at, and the
// rest is the run's. The feed freshservice asks anew for what was re-read since it began to list
// (feed_freshservice.go): what it has then is newer than the re-read, and goes its usual way.
//
// What is re-read while a run plans is seen when it writes: all that write a record lock the revision of
// its entity, re-reads also where nothing changed, so behind those locks (FeedPlan.check) what was
// re-read of the plan's own records is what planning saw, or the plan is stale. Nothing of other records
// makes it so but what changes an entity of its base: then it holds re-reads off while it plans again
// (quietLease).
//
// The other way round: a re-read remembers the rows as they were before it asked. Where they have
// changed when it is about to write, it does not know who is newer, and begins again.
//
// Moments are of the processes' clocks, so those of replicas have to agree, as NTP makes them: a run
// beside a re-read of another replica whose clock is behind may write back what it had read before. That
// a row is newer by updated_at is no rule by itself: Freshservice's own clock may be set back, and what
// is updated after that has to be taken.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/clients/wire"
	"github.com/hivematrix/codex/ent/syncreread"
	"github.com/hivematrix/codex/store"
)

// errOvertaken says that somebody else wrote a record while it was re-read.
var errOvertaken = errors.New("it was written by a run while it was re-read")

// rereadSince are those of ids that were re-read from since on, with when that re-read began.
func rereadSince(ctx context.Context, tx *store.Tx, kind RecordKind, ids []int, since time.Time) (map[int]time.Time, error) {
	rows, err := tx.Ent().SyncReread.Query().
		Where(syncreread.Record(string(kind)), store.KeyIn(syncreread.FieldUpstreamID, ids), syncreread.ReadFromGTE(since)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking what was re-read meanwhile: %w", err)
	}
	found := make(map[int]time.Time, len(rows))
	for _, row := range rows {
		found[int(row.UpstreamID)] = row.ReadFrom.UTC()
	}
	return found, nil
}

// peopleReread are the requesters and departments that were re-read from since on, with when.
func peopleReread(ctx context.Context, tx *store.Tx, since time.Time) (map[UpstreamRecord]time.Time, error) {
	rows, err := tx.Ent().SyncReread.Query().
		Where(syncreread.RecordIn(string(RecordRequester), string(RecordDepartment)), syncreread.ReadFromGTE(since)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("looking who was re-read meanwhile: %w", err)
	}
	found := make(map[UpstreamRecord]time.Time, len(rows))
	for _, row := range rows {
		found[UpstreamRecord{RecordKind(row.Record), row.UpstreamID}] = row.ReadFrom.UTC()
	}
	return found, nil
}

// ticketsRereadAsSeen is the check of a plan about tickets that saw which of them were re-read, from
// since on.
func ticketsRereadAsSeen(ids []int, since time.Time, seen map[int]time.Time) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		now, err := rereadSince(ctx, tx, RecordTicket, ids, since)
		if err == nil && !maps.EqualFunc(now, seen, time.Time.Equal) {
			err = ErrPlanStale
		}
		return err
	}
}

// peopleRereadAsSeen is the check of a plan about people and companies that saw who was re-read, from
// since on.
func peopleRereadAsSeen(about map[UpstreamRecord]bool, since time.Time, seen map[UpstreamRecord]time.Time) func(context.Context, *store.Tx) error {
	return func(ctx context.Context, tx *store.Tx) error {
		now, err := peopleReread(ctx, tx, since)
		if err != nil {
			return err
		}
		for record, at := range now {
			if about[record] && !seen[record].Equal(at) {
				return ErrPlanStale
			}
		}
		return nil
	}
}

// about are the requesters and departments of which these plans write something: a row that comes of
// them, or an issue.
func (p *planner) about(
	companyPlan EntityPlan[CompanyRecord], officePlan EntityPlan[LocationRecord],
	contactPlan EntityPlan[ContactRecord], linkPlan EntityPlan[ContactLinkRecord],
) map[UpstreamRecord]bool {
	about := make(map[UpstreamRecord]bool)
	accounts := make(map[codex.AccountNumber]bool)
	for _, c := range companyPlan.written() {
		about[UpstreamRecord{RecordDepartment, c.FreshserviceID.V}] = true
		accounts[c.Account] = true
	}
	for _, l := range officePlan.written() {
		accounts[l.Account] = true
	}
	requesters := make(map[int]int64) // by local id
	for _, c := range p.base.contacts {
		requesters[c.ID] = c.FreshserviceID.V
	}
	for _, c := range contactPlan.written() {
		about[UpstreamRecord{RecordRequester, c.FreshserviceID.V}] = true
		requesters[c.ID] = c.FreshserviceID.V
	}
	for _, l := range linkPlan.written() {
		about[UpstreamRecord{RecordRequester, requesters[l.ContactID]}] = true
		accounts[l.Account] = true
	}
	for department, account := range p.departments.accounts {
		if accounts[account] {
			about[UpstreamRecord{RecordDepartment, department}] = true
		}
	}
	for _, issue := range p.issues {
		kind := RecordDepartment
		if issue.entity == contacts().Name {
			kind = RecordRequester
		}
		about[UpstreamRecord{kind, numericID(issue.ID)}] = true
	}
	return about
}

// askAnew replaces what a run has read of records that were re-read meanwhile. One that is gone now is
// no longer listed, and asked about like all that are absent.
func (e *Engine) askAnew(ctx context.Context, read *people, reread map[UpstreamRecord]time.Time) error {
	for _, record := range slices.SortedFunc(maps.Keys(reread), compareRecords) {
		read.again[record] = cmp.Or(read.again[record], read.from)
		if reread[record].Before(read.again[record]) {
			continue
		}
		read.again[record] = e.db.Now()
		var err error
		switch record.Kind {
		case RecordRequester:
			var r freshservice.Requester
			if r, err = e.freshservice.Requester(ctx, record.ID); err == nil {
				read.names[r.ID] = personName(r.FirstName, r.LastName, text(r.PrimaryEmail))
			}
			err = replace(&read.requesters, record.ID, r, err, func(r freshservice.Requester) int64 { return r.ID })
		case RecordDepartment:
			var d freshservice.Department
			d, err = e.freshservice.Department(ctx, record.ID)
			err = replace(&read.departments, record.ID, d, err, func(d freshservice.Department) int64 { return d.ID })
		case RecordTicket: // of another feed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// replace puts what was asked for by its id in its place in a list, or takes it out where it is gone.
func replace[T any](list *wire.Listing[T], id int64, record T, err error, idOf func(T) int64) error {
	if err != nil && !transport.IsNotFound(err) {
		return err
	}
	list.Items = slices.DeleteFunc(slices.Clone(list.Items), func(r T) bool { return idOf(r) == id })
	list.Bad = slices.DeleteFunc(slices.Clone(list.Bad), func(b wire.BadRecord) bool { return numericID(b.ID) == id })
	if err == nil {
		list.Items = append(list.Items, record)
	}
	return nil
}

// without is b without what re-reads have overtaken: reread are the tickets that were re-read since
// the run began to list, with when, and rows are the tickets as they are stored.
func (b readBatch) without(reread map[int]time.Time, rows []TicketRecord) readBatch {
	if len(reread) == 0 {
		return b
	}
	stored := make(map[int]*TicketRecord, len(rows))
	for i := range rows {
		stored[rows[i].ID] = &rows[i]
	}
	overtaken := make(map[int]bool) // in every part
	left := readBatch{ids: b.ids, reread: reread, hoursRead: make(map[int]bool), readFrom: b.readFrom, unread: b.unread}
	for id, at := range reread {
		overtaken[id] = !at.Before(b.readFrom[id])
	}
	// Of issues about what was re-read nothing is certain but that parts could not be read.
	left.issues = slices.DeleteFunc(slices.Clone(b.issues), func(i Issue) bool {
		whole, again := overtaken[numeric(i.ID)]
		return whole || again && i.Kind != IssueTicketUnread
	})
	for _, r := range b.records {
		whole, again := overtaken[r.ID]
		if whole {
			continue
		}
		if row := stored[r.ID]; again && row != nil && row.UpstreamUpdatedAt.After(r.UpstreamUpdatedAt) {
			r = row.withPartsOf(r)
		}
		left.records = append(left.records, r)
		left.hoursRead[r.ID] = b.hoursRead[r.ID]
	}
	for _, e := range b.entries {
		if left.hoursRead[e.TicketID] {
			left.entries = append(left.entries, e)
		}
	}
	return left
}

// withPartsOf is the row with the hours and conversations that were read with another state of its
// ticket.
func (row TicketRecord) withPartsOf(other TicketRecord) TicketRecord {
	if !other.hoursUnread {
		row.SpentSeconds, row.UnbillableSeconds, row.TimerRunning = other.SpentSeconds, other.UnbillableSeconds, other.TimerRunning
	}
	if !other.bodiesUnread {
		row.Conversations, row.Notes = other.Conversations, other.Notes
	}
	return row
}
