package query

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"github.com/hivematrix/codex"
)

const (
	// DefaultPage is how many rows a page has when nobody says otherwise.
	DefaultPage = 50
	// MaxPage is how many rows a page may have.
	MaxPage = 1000
)

// Page asks for the First rows (1 to [MaxPage]) that follow the row whose cursor is After, or the
// first ones of all where After is empty.
type Page struct {
	First int
	After string
}

// PageOf is one page of a list.
type PageOf[T any] struct {
	Rows    []T
	Cursors []string // of each row, to go on after it
	Before  bool     // the page was asked for by a cursor: there are rows before it
	More    bool     // there are rows after it
}

// order names how a list is sorted, and thereby what a cursor into it consists of.
type order string

// The orders, and what else makes a cursor.
const (
	byNewestChange    order = "changed_at desc"     // four keys: time, entity, whether it ended, version
	byNewestEvent     order = "created_at, id desc" // two keys, of notifications
	byNewestJob       order = "started_at desc"     // two keys, of snapshot jobs: time, id
	byNewestEpoch     order = "epoch, size desc"    // two keys, of log checkpoints
	cursorVersion           = "1"                   // raised when the meaning of an order's keys changes
	cursorMaxLen            = 1024                  // far beyond any key
	cursorTimeForm          = time.RFC3339Nano      // times as keys
	cursorListVersion       = "2"                   // of lists that are filtered and sorted: see listing.go
	cursorListMaxLen        = 1 << 18               // they carry texts of any length
	noSuchCursor            = "this is no cursor of this list: take endCursor or a cursor of an edge, unchanged"
)

// encodeCursor makes the opaque text that stands for the row with keys in a list sorted by o.
func encodeCursor(o order, keys ...string) string {
	parts, err := json.Marshal(append([]string{cursorVersion, string(o)}, keys...))
	if err != nil { // strings alone: cannot happen
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(parts)
}

// decodeCursor is the reverse. A text that is no cursor, or one of a list in another order, is a
// [codex.CodeBadInput] error about the field after.
func decodeCursor(cursor string, o order, keys int) ([]string, error) {
	if len(cursor) > cursorMaxLen {
		return nil, codex.BadInput("after", noSuchCursor)
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return nil, codex.BadInput("after", noSuchCursor)
	}
	var parts []string
	if err := json.Unmarshal(text, &parts); err != nil {
		return nil, codex.BadInput("after", noSuchCursor)
	}
	if len(parts) != 2+keys || parts[0] != cursorVersion || parts[1] != string(o) || slices.Contains(parts, "") {
		return nil, codex.BadInput("after", noSuchCursor)
	}
	return parts[2:], nil
}

// timeKey reads a key that is a time.
func timeKey(text string) (time.Time, error) {
	t, err := time.Parse(cursorTimeForm, text)
	if err != nil {
		return time.Time{}, codex.BadInput("after", noSuchCursor)
	}
	return t.UTC(), nil
}

// limit is how many rows to read for p: one more than asked for, to know whether there are more.
func (p Page) limit() (int, error) {
	if p.First < 1 || p.First > MaxPage {
		return 0, codex.BadInput("first", "a page has 1 to %d rows, not %d", MaxPage, p.First)
	}
	return p.First + 1, nil
}

// cut makes the page p of rows, which were read by its limit.
func cut[T any](p Page, rows []T, cursor func(T) string) *PageOf[T] {
	page := &PageOf[T]{Rows: rows, Before: p.After != ""}
	if len(rows) > p.First {
		page.Rows, page.More = rows[:p.First], true
	}
	page.Cursors = make([]string, len(page.Rows))
	for i, row := range page.Rows {
		page.Cursors[i] = cursor(row)
	}
	return page
}
