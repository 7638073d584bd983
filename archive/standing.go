package archive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/logcheckpoint"
	"github.com/hivematrix/codex/ent/logepoch"
	"github.com/hivematrix/codex/ent/loghead"
	"github.com/hivematrix/codex/store"
)

// standing is the log as the database has it in a transaction.
type standing struct {
	head   proof.Checkpoint // of the newest epoch
	at     time.Time        // when its last leaf was logged; zero where it has none
	epochs []epoch          // after the first, in the order in which they were opened
}

// epoch is an epoch after the first.
type epoch struct {
	number    int
	leafIndex int64            // of its first leaf: how many leaves the backup had that it went on from
	lost      proof.Checkpoint // the log checkpoint that it names as lost; zero where the row's is none of this log's
}

// contradicted tells whether the backup that the epoch went on from had been continued until it was no
// shorter than what was lost: then the two are different trees of the same sizes.
func (e epoch) contradicted() bool { return e.lost.Size > 0 && e.lost.Size <= e.leafIndex }

func readStanding(ctx context.Context, tx *store.Tx, key proof.VerifierKey) (standing, error) {
	s := standing{head: proof.Checkpoint{Origin: key.Origin(), Epoch: 1}}
	head, err := tx.Ent().LogHead.Query().Order(loghead.ByID(sql.OrderDesc())).First(ctx)
	switch {
	case err == nil:
		s.head.Size, s.at = head.ID, head.AppendedAt
		if s.head.Root, err = tlog.ParseHash(head.Root); err != nil {
			return standing{}, fmt.Errorf("reading the head of the log: %w", err)
		}
	case ent.IsNotFound(err):
		if s.head.Root, err = proof.Root(ctx, storedHashes{tx}, 0); err != nil {
			return standing{}, err
		}
	default:
		return standing{}, fmt.Errorf("reading the head of the log: %w", err)
	}
	rows, err := tx.Ent().LogEpoch.Query().Order(logepoch.ByID()).All(ctx)
	if err != nil {
		return standing{}, fmt.Errorf("reading the epochs of the log: %w", err)
	}
	for _, row := range rows {
		e := epoch{number: row.ID, leafIndex: row.LeafIndex}
		if lost, err := proof.OpenCheckpoint([]byte(row.LostCheckpoint), key); err == nil { // else it excuses nothing
			e.lost = lost
		}
		s.epochs = append(s.epochs, e)
		s.head.Epoch = row.ID
	}
	return s, nil
}

// shared is how many leaves of an epoch the database's tree still begins with, at most: a later epoch
// continued a backup of so many. Where none did, continued is false and they are all that there are.
func (s standing) shared(epoch int) (size int64, continued bool) {
	size = s.head.Size
	for _, later := range s.epochs {
		if later.number > epoch {
			size, continued = min(size, later.leafIndex), true
		}
	}
	return size, continued
}

// named tells whether the log says by itself that it has another tree than known: an epoch names known
// as lost, or it names a later checkpoint of the same epoch that the backup, as it was continued, already
// contradicted, and then known may be one of that lost tree, too.
func (s standing) named(known proof.Checkpoint) bool {
	for _, e := range s.epochs {
		if e.lost == known || e.contradicted() && known.Epoch == e.lost.Epoch && known.Size <= e.lost.Size {
			return true
		}
	}
	return false
}

// compare gives the [*StoppedError] of a database that has lost what known is a checkpoint of.
func (s standing) compare(ctx context.Context, tx *store.Tx, known proof.Checkpoint) error {
	var root *proof.Hash
	head, err := tx.Ent().LogHead.Get(ctx, known.Size)
	switch {
	case err == nil:
		hash, err := tlog.ParseHash(head.Root)
		if err != nil {
			return fmt.Errorf("reading a head of the log: %w", err)
		}
		root = &hash
	case !ent.IsNotFound(err):
		return fmt.Errorf("reading a head of the log: %w", err)
	}
	if stop := lost(s, known, root); stop != nil {
		return stop
	}
	return nil
}

// extends makes sure that the tree of head begins with that of known, by the hashes that are stored,
// and not by what log_heads says of them: what was signed once is never signed otherwise.
func (s standing) extends(ctx context.Context, tx *store.Tx, known, head proof.Checkpoint) error {
	if shared, continued := s.shared(known.Epoch); continued && known.Size > shared {
		return nil
	}
	hashes, err := proof.ProveConsistency(ctx, storedHashes{tx}, known.Size, head.Size)
	if err == nil {
		err = proof.CheckConsistency(known, head, hashes)
	}
	var refused *proof.Error
	if !errors.As(err, &refused) && !errors.Is(err, errAltered) {
		return err
	}
	if s.named(known) {
		return nil
	}
	stop := stopped(StopContradicts, err, "the stored hashes do not lead from the log checkpoint of %s that was signed to the tree of %d: "+
		"the database was altered; see codex archive verify, and docs/archive.md", leaves(known.Size), head.Size)
	stop.Known, stop.Have = known, head
	return stop
}

// newestStored is the newest signed checkpoint that the database keeps, or nil.
func newestStored(ctx context.Context, client *ent.Client, key proof.VerifierKey) (*SignedCheckpoint, error) {
	row, err := client.LogCheckpoint.Query().
		Order(logcheckpoint.ByEpoch(sql.OrderDesc()), logcheckpoint.BySize(sql.OrderDesc())).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the newest log checkpoint: %w", err)
	}
	opened, err := proof.OpenCheckpoint([]byte(row.Note), key)
	if err == nil && (opened.Epoch != row.Epoch || opened.Size != row.Size) {
		err = errors.New("it is another than its row says")
	}
	if err != nil {
		return nil, codex.Wrap(codex.CodeConflict, err, "the newest log checkpoint of the database is none of this log's: "+
			"the database was altered (codex archive verify tells where)")
	}
	return &SignedCheckpoint{Checkpoint: opened, Note: row.Note, SignedAt: row.SignedAt}, nil
}

// newer tells whether a is a later checkpoint of the log than b.
func newer(a, b proof.Checkpoint) bool {
	return a.Epoch > b.Epoch || a.Epoch == b.Epoch && a.Size > b.Size
}
