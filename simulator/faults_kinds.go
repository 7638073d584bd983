package simulator

import "time"

// FaultKind is a way to break an answer. The constructors (Trickle, RepeatPage, …) make a Fault of
// each kind but FaultStatus, FaultDelay and FaultRewrite, which are written as they are.
type FaultKind string

// The ways to break an answer.
const (
	FaultStatus  FaultKind = "status"  // Status with Header and Body in place of the answer
	FaultRefuse  FaultKind = "refuse"  // the upstream's own error of Status, with Header besides
	FaultHTML    FaultKind = "html"    // an HTML page in place of the answer; Status 0 is 502
	FaultDelay   FaultKind = "delay"   // the real answer after Delay
	FaultRewrite FaultKind = "rewrite" // the real answer with the body that Rewrite makes of it

	FaultReset    FaultKind = "reset"     // the connection is reset without an answer
	FaultDrop     FaultKind = "drop"      // the connection is closed without an answer
	FaultCut      FaultKind = "cut"       // the real answer's headers and At bytes of its body, then the end
	FaultCutReset FaultKind = "cut_reset" // the same, then a reset
	FaultTrickle  FaultKind = "trickle"   // the real answer, Chunk bytes of the body at a time with Pause between
	FaultHuge     FaultKind = "huge"      // the real answer with a member more, which makes the body Size bytes long

	FaultTruncate    FaultKind = "truncate"         // a complete answer whose body ends after At bytes
	FaultMalformed   FaultKind = "malformed"        // the real body but for its last byte, which makes it no JSON
	FaultNoEnvelope  FaultKind = "without_envelope" // the real answer without its records' key
	FaultBareRecords FaultKind = "bare_records"     // the list alone, without anything around it

	FaultRepeatPage  FaultKind = "repeat_page"  // Page has the records of the page before it
	FaultSamePage    FaultKind = "same_page"    // the next page is said to be this one
	FaultEmptyList   FaultKind = "empty_list"   // a list without records that says there are none
	FaultLoseRecords FaultKind = "lose_records" // the last By records of the page are missing, totals are not
	FaultWrongTotal  FaultKind = "wrong_total"  // the list's total is By more (less, where negative)
	FaultForeignNext FaultKind = "foreign_next" // the next page is said to be at Origin

	FaultChange FaultKind = "change" // Change is done before the real answer is made

	// What was asked for is done, but after Pause the connection is reset, or the upstream's own error of
	// Status is answered.
	FaultAfterwards FaultKind = "afterwards"

	// Ledger's own ways, of the bill that it is asked to accept; other answers stay as they are.
	FaultAcceptsOnly FaultKind = "accepts_only" // it says 201 and neither posts nor keeps the bill
	FaultPostsTwice  FaultKind = "posts_twice"  // A and B post the bill once more
	FaultOtherTotal  FaultKind = "other_total"  // the bill is posted or kept with a total By cents higher
)

// Fault is what is done to one answer. Delay is waited first with every kind. A kind that edits a
// list leaves an answer that is none as it is.
type Fault struct {
	Kind   FaultKind         `json:"kind"`
	Status int               `json:"status,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	Delay  time.Duration     `json:"delay_ns,omitempty"`

	// Page is the page of a list that the fault touches, the first being 1 with either upstream
	// (Datto RMM's page=0); 0: every call.
	Page int `json:"page,omitempty"`

	At     int           `json:"at,omitempty"` // bytes of the body; for a cut, 0 is half of it
	Chunk  int           `json:"chunk_bytes,omitempty"`
	Pause  time.Duration `json:"pause_ns,omitempty"`
	Size   int64         `json:"size_bytes,omitempty"`
	By     int           `json:"by,omitempty"` // records; cents for FaultOtherTotal
	Origin string        `json:"origin,omitempty"`

	Rewrite func(body []byte) []byte `json:"-"`
	Change  func(*Sim)               `json:"-"`
}
