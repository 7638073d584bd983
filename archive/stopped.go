package archive

import (
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

// StopReason says why nothing is appended to the log.
type StopReason string

// The reasons.
const (
	StopKeyMissing  StopReason = "key_missing" // the log has a key, this process has not
	StopKeyOther    StopReason = "key_other"   // the key file holds another key than the log's
	StopKeyBroken   StopReason = "key_broken"  // the key file cannot be read
	StopOrigin      StopReason = "origin"      // [archive] log_origin is not what the log is called
	StopOutside     StopReason = "outside"     // the checkpoint outside the database is none of this log
	StopBehind      StopReason = "behind"      // the database is behind a checkpoint that was signed
	StopContradicts StopReason = "contradicts" // the database has another tree than one that was signed
	StopUnwritable  StopReason = "unwritable"  // the checkpoint outside the database cannot be written: nothing is signed
)

// StoppedError says that nothing is appended to the log, why, and what a person has to do; with
// [StopUnwritable] that what is appended is not signed. Bills are read and served all the same. It is a [codex.CodeUnavailable] error: who sends a bill tries again.
type StoppedError struct {
	Reason StopReason
	// Known is the log checkpoint that was signed, Have the tree of the database: with StopBehind and
	// StopContradicts.
	Known, Have proof.Checkpoint
	Message     string // for everybody, it holds no secret
	Err         error  // for the log, nor does it
}

// Error is the whole story, for logs.
func (e *StoppedError) Error() string { return e.coded().Error() }

// Unwrap gives it its code, and the cause.
func (e *StoppedError) Unwrap() error { return e.coded() }

func (e *StoppedError) coded() *codex.Error {
	return &codex.Error{Code: codex.CodeUnavailable, Message: e.Message, Err: e.Err}
}

func stopped(reason StopReason, err error, format string, args ...any) *StoppedError {
	return &StoppedError{Reason: reason, Message: "nothing is archived now: " + fmt.Sprintf(format, args...), Err: err}
}

// lost compares the database's tree with a signed checkpoint: an older backup was restored, or
// somebody changed what was logged. root is that of the database's tree when it had as many leaves as
// known, nil where it never had just as many. It is nil where nothing is lost.
//
// A checkpoint of an earlier epoch that is longer than what the next one continued was lost then, and
// the leaf of that epoch says so: it stops nothing any more. Nor does one that an epoch names although the
// database had so many leaves (a backup that was continued elsewhere), see [standing.named].
func lost(s standing, known proof.Checkpoint, root *proof.Hash) *StoppedError {
	shared, continued := s.shared(known.Epoch)
	var e *StoppedError
	switch {
	case continued && known.Size > shared:
		return nil
	case known.Epoch > s.head.Epoch:
		e = stopped(StopBehind, nil, "the database has %s in epoch %d, and a log checkpoint of %s in epoch %d was signed: it came back from an older backup",
			leaves(s.head.Size), s.head.Epoch, leaves(known.Size), known.Epoch)
	case known.Size > s.head.Size:
		e = stopped(StopBehind, nil, "the database has %s, and a log checkpoint of %s was signed: it came back from an older backup",
			leaves(s.head.Size), leaves(known.Size))
	case known.Size == 0 || root != nil && *root == known.Root || s.named(known):
		return nil
	default:
		e = stopped(StopContradicts, nil, "the first %s of the database's %d are not those of the log checkpoint that was signed: "+
			"it came back from an older backup and was continued, or it was altered", leaves(known.Size), s.head.Size)
	}
	e.Known, e.Have = known, s.head
	e.Message += "; bring the newest database back, or have an admin open a new epoch (codex archive new-epoch; docs/archive.md, \"An older backup\")"
	return e
}

func leaves(n int64) string {
	if n == 1 {
		return "1 leaf"
	}
	return fmt.Sprintf("%d leaves", n)
}
