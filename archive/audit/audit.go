package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/store"
)

// Options are what a verification goes by besides the rows.
type Options struct {
	// Key is the verifier key that the caller trusts. Without one (the zero value) signatures are
	// verified with the database's own, which proves less: who could change the bills could change
	// that as well.
	Key proof.VerifierKey
	// Against is a signed log checkpoint that was received earlier, verbatim: then it is verified
	// that nothing which existed then has changed. None: nil.
	Against []byte
	// AgainstOwn tells that Against is the hub's own, from its file: the hub writes it down there a
	// moment before its row is in the database, so a row of it need not be there yet.
	AgainstOwn bool
	// Most is how many findings are listed; 0 is a thousand.
	Most int
}

// defaultMost bounds a report: more findings tell nothing more.
const defaultMost = 1000

// batch is how many leaves are read at once. A leaf has at most 64 KiB.
const batch = 512

// Verify recomputes the archive in db from its rows and tells all that is not as it was logged. It
// changes nothing and sees the database as it was at one instant; what others write meanwhile waits
// for nothing. Contents are read one at a time; what is held is some 200 bytes for each bill.
//
// A database that cannot be read is an error, and so is an Against that is none or that another key
// signed (a [proof.Error]): then nothing was found out. Everything else is in the report.
func Verify(ctx context.Context, db *store.DB, o Options) (*Report, error) {
	if o.Most == 0 {
		o.Most = defaultMost
	}
	all, err := tables()
	if err != nil {
		return nil, err
	}
	v := &verifier{
		o: o, tables: all, report: &Report{Findings: []Finding{}},
		holes: map[int64]bool{}, bills: map[int64]*bill{}, unproven: map[int64]bool{}, states: map[string]state{},
		eventIDs: map[int64]bool{}, redactions: map[int64]map[proof.Committed]int64{}, moments: map[int64]moment{},
	}
	if err := v.tryChanges(ctx, db); err != nil {
		return nil, fmt.Errorf("verifying the archive: %w", err)
	}
	err = db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		v.tx = tx
		return v.verify(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("verifying the archive: %w", err)
	}
	return v.report, nil
}

// verifier is one verification.
type verifier struct {
	o      Options
	tx     *store.Tx
	tables map[string]*table
	report *Report

	size   int64
	tree   tree
	broken bool // from some leaf on neither it nor its hash is there: nothing more is said of the tree
	run    headRun
	// holes are the leaves that are missing, altered or no leaves. What they said is not known, so
	// nothing is said about the rows that they stand for.
	holes map[int64]bool
	// blurred: there was a hole, and the order of what came after is not judged.
	blurred bool

	bills      map[int64]*bill // by the bill's id
	unproven   map[int64]bool  // ids of the bills whose leaf is a hole
	states     map[string]state
	events     int64
	eventIDs   map[int64]bool
	epochs     []epoch
	redactions map[int64]map[proof.Committed]int64 // by the bill's leaf: by content, the leaf that says so
	unopened   []unopened

	key         proof.VerifierKey
	keys        []row // of log_keys
	checkpoints []checkpoint
	moments     map[int64]moment // by size: those that a checkpoint is about
	against     *proof.Checkpoint

	lost   []lost
	strays []stray
}

// bill is what is remembered of a bill.
type bill struct {
	leaf      int64
	committed uint8 // the contents that its leaf commits to, a bit each
	lines     int64 // how many lines it has; unknownLines where its content does not tell
}

const unknownLines = -1

// subject is the bill that a finding is about.
type subject struct {
	invoice  string
	revision int64
}

// moment is the tree at a size.
type moment struct {
	known  bool
	root   proof.Hash
	logged cell // when its last leaf was logged; null where that is not known
}

func (v *verifier) verify(ctx context.Context) error {
	if err := v.readKey(ctx); err != nil {
		return err
	}
	if err := v.readCheckpoints(ctx); err != nil {
		return err
	}
	if err := v.findSize(ctx); err != nil {
		return err
	}
	v.note(tree{}, cell{})
	for low := int64(0); low < v.size; {
		high := min(low+batch, v.size)
		next, err := v.log(ctx, low, high)
		if err != nil {
			return err
		}
		low = next
	}
	v.run.end(v)
	for _, end := range []func(context.Context) error{
		v.settleRedactions, v.findStrays, v.settleContents, v.settleRows, v.judgeCheckpoints, v.judgeKey,
	} {
		if err := end(ctx); err != nil {
			return err
		}
	}
	v.judgeAgainst()
	v.report.Size, v.report.Epoch = v.size, v.lastEpoch()
	if !v.broken {
		v.report.Root = v.tree.root().String()
	}
	return nil
}

// tryChanges finds the tables in which the database would let a row be changed.
func (v *verifier) tryChanges(ctx context.Context, db *store.DB) error {
	gaps, err := db.AppendOnlyGaps(ctx)
	if errors.Is(err, store.ErrReadOnly) {
		v.report.Untried = store.ErrReadOnly.Error() // an auditor may have no more than that
		return nil
	}
	if err != nil {
		return err
	}
	for _, gap := range gaps {
		message := "the database does not refuse " + gap.Statement + ": somebody took the triggers away that keep archived bills"
		if gap.Statement == store.ChangedTriggers {
			message = "its triggers are not those that this program makes, so they may let changes pass (codex migrate makes them anew)"
		}
		v.add(Finding{Kind: Unprotected, Table: gap.Table, Message: message})
	}
	return nil
}
