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
