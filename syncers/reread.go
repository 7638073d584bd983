package syncers

// Re-reads: a webhook of Freshservice names a record, and that record alone is read again. What it
// said is a hint of where to look and never data (docs/sync.md, "Webhooks").
//
// The queue is the table sync_rereads, one row a record. An announcement counts up and makes the row
// due; a re-read settles the count that it knew when it began. So whatever is announced before a
// re-read begins is settled by it, and whatever is announced while it reads causes exactly one more.

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/syncreread"
	"github.com/hivematrix/codex/store"
)

// RecordKind is a kind of record that Freshservice announces.
type RecordKind string

// The kinds.
const (
	RecordTicket     RecordKind = "ticket"
	RecordRequester  RecordKind = "requester"
	RecordDepartment RecordKind = "department"
)

// UpstreamRecord names a record of Freshservice.
type UpstreamRecord struct {
	Kind RecordKind
	ID   int64
}

// String is what people call it: ticket 4711.
func (r UpstreamRecord) String() string { return string(r.Kind) + " " + strconv.FormatInt(r.ID, 10) }

func compareRecords(a, b UpstreamRecord) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

const (
	// rereadLease is held by the one process of the installation that re-reads.
	rereadLease = "rereads"
	// quietLease is held by a run that planned in vain: no process writes what it re-read meanwhile.
	quietLease = "rereads:quiet"
	// rereadAttempts is how often a record is tried before it is left to the runs.
	rereadAttempts = 20
	// rereadBackoff and rereadMaxBackoff bound the wait behind a failure, which doubles with each: 20
	// attempts take some two hours.
	rereadBackoff    = 5 * time.Second
	rereadMaxBackoff = 10 * time.Minute
	// rereadMemory is how long a settled row is kept. It must be longer than any run takes: until then it
	// tells the run that what it has read of the record is old.
	rereadMemory = 30 * 24 * time.Hour
)

// Announce notes that records have changed at Freshservice: whichever process of the installation
// re-reads, reads each of them soon, and once however often it is named before that. When it returns,
// that survives a crash. Without Freshservice it is a [codex.CodeBadInput] error.
func (e *Engine) Announce(ctx context.Context, records []UpstreamRecord) error {
	if e.freshservice == nil {
		return codex.BadInput("", "the feed freshservice is off: the configuration has no section [freshservice]")
	}
	records = slices.Compact(slices.SortedFunc(slices.Values(records), compareRecords)) // in one order: none waits for another in a circle
	err := e.db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		for _, r := range records {
			if err := announce(ctx, tx, r); err != nil {
				return fmt.Errorf("noting that %s has changed: %w", r, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	select {
	case e.rereads <- struct{}{}:
	default: // one that waits to be heard is enough
	}
	return nil
}

// announce makes a record due now. One that failed and waits is tried again at once, since it is new
// that was announced; one that was given up begins anew.
func announce(ctx context.Context, tx *store.Tx, r UpstreamRecord) error {
	_, err := tx.SQL().ExecContext(ctx, `
		INSERT INTO sync_rereads (record, upstream_id, announcements, announced_at, due_at, attempts) VALUES ($1, $2, 1, $3, $3, 0)
		ON CONFLICT (record, upstream_id) DO UPDATE SET
			announcements = sync_rereads.announcements + 1,
			announced_at = excluded.announced_at,
			attempts = CASE WHEN sync_rereads.due_at IS NULL THEN 0 ELSE sync_rereads.attempts END,
			due_at = CASE WHEN sync_rereads.due_at < excluded.due_at THEN sync_rereads.due_at ELSE excluded.due_at END`,
		string(r.Kind), r.ID, tx.Now())
	return store.Translate(err)
}

// reread is a record whose turn it is.
type reread struct {
	record        UpstreamRecord
	announcements int64 // that were there when it was taken: those that reading it settles
	attempts      int
}

// dueRereads are the records to be read, those first that have waited longest. One that has not failed
// yet waits for nothing, whatever the clock of the process that announced it says.
func (e *Engine) dueRereads(ctx context.Context, limit int) ([]reread, error) {
	rows, err := e.db.Ent().SyncReread.Query().
		Where(syncreread.DueAtNotNil(), syncreread.Or(syncreread.Attempts(0), syncreread.DueAtLTE(e.db.Now()))).
		Order(syncreread.ByDueAt(), syncreread.ByID()).Limit(limit).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading what is to be re-read: %w", store.Translate(err))
	}
	due := make([]reread, len(rows))
	for i, row := range rows {
		due[i] = reread{UpstreamRecord{RecordKind(row.Record), row.UpstreamID}, row.Announcements, row.Attempts}
	}
	return due, nil
}

// readFrom notes from which moment on a record was read: what a run has read of it before is old, also
// where nothing changed, since the run may be about to change it back.
func readFrom(ctx context.Context, tx *store.Tx, task reread, from time.Time) error {
	err := tx.Ent().SyncReread.Update().Where(ofRecord(task.record)).SetReadFrom(from).Exec(ctx)
	if err != nil {
		return fmt.Errorf("noting a re-read: %w", err)
	}
	return nil
}

// settled notes that a record was read from a moment on, and that nothing waits unless it was
// announced meanwhile. One that is left to the runs has no such moment: they need heed nothing of it.
func settled(ctx context.Context, tx *store.Tx, task reread, from time.Time) error {
	if !from.IsZero() {
		if err := readFrom(ctx, tx, task, from); err != nil {
			return err
		}
	}
	err := tx.Ent().SyncReread.Update().Where(ofRecord(task.record)).SetAttempts(0).ClearError().Exec(ctx)
	if err != nil {
		return fmt.Errorf("settling a re-read: %w", err)
	}
	err = tx.Ent().SyncReread.Update().Where(ofRecord(task.record), syncreread.Announcements(task.announcements)).
		ClearDueAt().Exec(ctx)
	if err != nil {
		return fmt.Errorf("settling a re-read: %w", err)
	}
	return nil
}

// failed notes why a record could not be read, and when it is tried again: at once where it was
// announced anew meanwhile. After many failures it is left to the runs.
func failed(ctx context.Context, tx *store.Tx, task reread, reason string) (givenUp bool, err error) {
	attempts := task.attempts + 1
	err = tx.Ent().SyncReread.Update().Where(ofRecord(task.record)).
		SetAttempts(attempts).SetError(store.CleanText(reason)).Exec(ctx)
	if err != nil {
		return false, err
	}
	waits := tx.Ent().SyncReread.Update().Where(ofRecord(task.record), syncreread.Announcements(task.announcements))
	if attempts < rereadAttempts {
		return false, waits.SetDueAt(tx.Now().Add(rereadWait(attempts))).Exec(ctx)
	}
	n, err := waits.ClearDueAt().Save(ctx)
	return n > 0, err
}

// rereadWait is how long a record waits that has failed so many times.
func rereadWait(attempts int) time.Duration {
	return min(rereadBackoff<<min(attempts-1, 20), rereadMaxBackoff)
}

// forgetRereads deletes the rows of records that were settled long ago.
func forgetRereads(ctx context.Context, tx *store.Tx) error {
	long := tx.Now().Add(-rereadMemory)
	_, err := tx.Ent().SyncReread.Delete().Where(
		syncreread.DueAtIsNil(), syncreread.AnnouncedAtLT(long),
		syncreread.Or(syncreread.ReadFromIsNil(), syncreread.ReadFromLT(long)),
	).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forgetting what was re-read long ago: %w", err)
	}
	return nil
}

func ofRecord(r UpstreamRecord) predicate.SyncReread {
	return syncreread.And(syncreread.Record(string(r.Kind)), syncreread.UpstreamID(r.ID))
}
