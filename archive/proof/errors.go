package proof

import "fmt"

// Part says which part of a proof an [Error] is about.
type Part string

// The parts, in the order in which they are checked. What comes later was not looked at.
const (
	PartFile        Part = "file"        // the bytes are no exported proof at all
	PartLeaf        Part = "leaf"        // the leaf is not the one that was exported, or no leaf
	PartCheckpoint  Part = "checkpoint"  // the log checkpoint is none of ours in form
	PartOrigin      Part = "origin"      // another log's checkpoint
	PartSignature   Part = "signature"   // the log checkpoint was not signed with the log's key
	PartInclusion   Part = "inclusion"   // the leaf is not at that index of that tree
	PartCommitment  Part = "commitment"  // what was shown is not what was committed to
	PartConsistency Part = "consistency" // the newer tree does not begin with the older one
)

// Error is what a reader or verifier of this package refuses, and which part of it. What a writer
// is refused is a *codex.Error instead: there the fault is an argument, not evidence.
type Error struct {
	Part      Part
	Committed Committed // with PartCommitment: what did not open
	Message   string
	Err       error
}

// Error names the part, then what is wrong with it.
func (e *Error) Error() string {
	text := string(e.Part)
	if e.Committed != "" {
		text += " " + string(e.Committed)
	}
	text += ": " + e.Message
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the cause to [errors.Is] and [errors.As].
func (e *Error) Unwrap() error { return e.Err }

func fail(part Part, format string, args ...any) *Error {
	return &Error{Part: part, Message: fmt.Sprintf(format, args...)}
}
