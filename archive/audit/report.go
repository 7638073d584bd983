package audit

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Kind says what is wrong with a row, or with the log.
type Kind string

// The kinds. All but [Redacted] are failures.
const (
	// Altered: a value is not the one that was logged.
	Altered Kind = "altered"
	// Missing: the log has it, and there is no row.
	Missing Kind = "missing"
	// Added: there is a row which nothing in the log accounts for.
	Added Kind = "added"
	// Redacted: a content was erased because a law said so, and a leaf says so too.
	Redacted Kind = "redacted"
	// Disordered: the log itself breaks a rule, like a revision that no reopening came before.
	Disordered Kind = "disordered"
	// Behind: the database is older than the log checkpoint that it is compared with.
	Behind Kind = "behind"
	// Diverged: the log checkpoint that it is compared with is one of another tree.
	Diverged Kind = "diverged"
	// Unprotected: the database does not refuse a change of the table.
	Unprotected Kind = "unprotected"
)

// Finding is one thing that is not as it was logged.
type Finding struct {
	Kind  Kind   `json:"kind"`
	Table string `json:"table"`
	// Row is the value of the table's primary key as it stands, or as it would be where the row is
	// missing; two of them with "to" in between are a range. Empty where it is about no one row.
	Row      string `json:"row"`
	Invoice  string `json:"invoice_number,omitempty"`
	Revision int64  `json:"revision,omitempty"`
	// Column is the column that was altered, two with a comma where one of them was.
	Column string `json:"column,omitempty"`
	// Stands is what stands in the column and Logged what was logged. Of what a leaf commits to
	// without holding it they are a length and a digest.
	Stands  string `json:"stands,omitempty"`
	Logged  string `json:"logged,omitempty"`
	Message string `json:"message"`
}

// String is the finding in a line.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(string(f.Kind) + ": " + f.Table)
	if f.Row != "" {
		b.WriteString(" " + f.Row)
	}
	if f.Invoice != "" {
		fmt.Fprintf(&b, " (bill %s, revision %d)", f.Invoice, f.Revision)
	}
	if f.Column != "" {
		b.WriteString(", " + f.Column)
	}
	b.WriteString(": " + f.Message)
	if f.Stands != "" || f.Logged != "" {
		fmt.Fprintf(&b, " (it is %s, and was %s)", orNone(f.Stands), orNone(f.Logged))
	}
	return b.String()
}

func orNone(shown string) string {
	if shown == "" {
		return "not known"
	}
	return shown
}

// Report is what a verification found.
type Report struct {
	// Size is how many leaves the log has, Root the root of its tree, Epoch the epoch that it is in.
	Size  int64  `json:"size"`
	Root  string `json:"root"`
	Epoch int    `json:"epoch"`
	// What was looked at.
	Bills       int64 `json:"bills"`
	Events      int64 `json:"events"`
	Redactions  int64 `json:"redactions"`
	Contents    int64 `json:"contents"`
	Lines       int64 `json:"lines"`
	Checkpoints int64 `json:"checkpoints"`
	// Key is the verifier key that signatures were verified with, or empty; KeyGiven whether it came
	// from the caller and not from the database.
	Key      string `json:"verifier_key"`
	KeyGiven bool   `json:"verifier_key_given"`
	// Signed is the size of the newest log checkpoint of the database that is signed and has the
	// tree's root: what came later is proven by no signature yet.
	Signed int64 `json:"signed"`
	// Against is what the comparison with a log checkpoint from elsewhere showed; nil without one.
	Against *Against `json:"against,omitempty"`
	// Untried says why it was not tried whether the database refuses changes, and is empty where it was.
	Untried string `json:"untried,omitempty"`
	// Findings are what is not as it was logged, and the redactions; Unlisted is how many more there
	// were than are listed.
	Findings []Finding `json:"findings"`
	Unlisted int64     `json:"unlisted"`

	failures int64
}

// Against is a log checkpoint from elsewhere.
type Against struct {
	Origin string `json:"origin"`
	Epoch  int    `json:"epoch"`
	Size   int64  `json:"size"`
	// Proven tells that the log begins with all that it had at that checkpoint.
	Proven bool `json:"proven"`
}

// OK tells whether all is as it was logged. Redactions are, since the log tells of them.
func (r *Report) OK() bool { return r.failures == 0 }

// Failures is how many things are not as they were logged.
func (r *Report) Failures() int64 { return r.failures }

// add keeps a finding, up to a bound: a forged database must not fill the memory.
func (v *verifier) add(f Finding) {
	if f.Kind != Redacted {
		v.report.failures++
	}
	if len(v.report.Findings) >= v.o.Most {
		v.report.Unlisted++
		return
	}
	v.report.Findings = append(v.report.Findings, f)
}

// shownRunes bounds what is shown of a value.
const shownRunes = 60

// show is a value for people: short, and in quotes where it is a text.
func (c cell) show() string {
	switch c.kind {
	case null:
		return "null"
	case number:
		return c.text
	case text:
		if utf8.RuneCountInString(c.text) > shownRunes {
			return strconv.Quote(string([]rune(c.text)[:shownRunes])) + "…"
		}
		return strconv.Quote(c.text)
	}
	return c.kind.String() + ", of " + strconv.Itoa(len(c.text)) + " bytes"
}

// hide is a value of which nothing is to be seen: what a bill commits to may be about persons.
func (c cell) hide() string {
	if c.kind != text {
		return c.show()
	}
	sum := sha256.Sum256([]byte(c.text))
	return fmt.Sprintf("%d bytes, SHA-256 %x…", len(c.text), sum[:4])
}
