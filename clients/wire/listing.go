package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Listing is what a list of an upstream held.
type Listing[T any] struct {
	Items []T         // each record once, in the order in which they were first seen
	Bad   []BadRecord // records that are there but could not be understood
	// Complete tells that the upstream's own end of the list was reached, that no page was missing
	// and, where it tells a total, that as many records came. Absence means something in a complete
	// listing only.
	Complete bool
	Total    int // what the upstream says there are; 0 where it tells no total
	// Began is when the first page was made, by the upstream's own clock, to the second; zero where it
	// does not tell.
	Began time.Time
}

// Seen is the number of records that were there, understood or not.
func (l Listing[T]) Seen() int { return len(l.Items) + len(l.Bad) }

// BadRecord is a record that is there but could not be understood. Its content is not kept.
type BadRecord struct {
	ID     string // the record's id as text, empty where even that cannot be read
	Index  int    // its place in its page, from 0
	Reason string // the field at fault and what was expected; fit for an operator
}

// ErrNoEnvelope is the cause when an answer does not hold what was asked for: a list without its
// key, an object that is none. It is never taken for "empty".
var ErrNoEnvelope = errors.New("the answer does not hold what was asked for")

// Records gives the records of a list answer: the array under key, else the only array of the
// object (Freshservice's envelopes were seen in singular and in plural).
// A null under key is an empty list.
func Records(body []byte, key string) ([]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return nil, fmt.Errorf("%w: no object with a list %q", ErrNoEnvelope, key)
	}
	raw, found := fields[key]
	if !found || kindOf(raw) != '[' && !isNull(raw) {
		if raw, found = only(fields, '['); !found {
			return nil, fmt.Errorf("%w: no list %q", ErrNoEnvelope, key)
		}
	}
	var records []json.RawMessage
	if err := json.Unmarshal(raw, &records); err != nil {
		return nil, fmt.Errorf("%w: no list %q", ErrNoEnvelope, key)
	}
	return records, nil
}

// Record gives the record of an answer about one: the object under one of keys, else the only
// object of the answer. A list of one record is taken as that record.
func Record(body []byte, keys ...string) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return nil, fmt.Errorf("%w: no object with %s", ErrNoEnvelope, strings.Join(keys, " or "))
	}
	for _, key := range keys {
		if record, ok := single(fields[key]); ok {
			return record, nil
		}
	}
	for _, kind := range []byte{'{', '['} {
		if raw, found := only(fields, kind); found {
			if record, ok := single(raw); ok {
				return record, nil
			}
		}
	}
	return nil, fmt.Errorf("%w: no %s", ErrNoEnvelope, strings.Join(keys, " or "))
}

// IsObject makes sure that an answer is an object, as an answer about one record without envelope is.
func IsObject(body []byte) error {
	if kindOf(body) != '{' {
		return fmt.Errorf("%w: no object", ErrNoEnvelope)
	}
	return nil
}

// single takes an object, or the object of an array of one.
func single(raw json.RawMessage) (json.RawMessage, bool) {
	switch kindOf(raw) {
	case '{':
		return raw, true
	case '[':
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err == nil && len(list) == 1 && kindOf(list[0]) == '{' {
			return list[0], true
		}
	}
	return nil, false
}

// only is the one value of fields that begins with kind; false where there are none or several.
func only(fields map[string]json.RawMessage, kind byte) (json.RawMessage, bool) {
	var found json.RawMessage
	for _, raw := range fields {
		if kindOf(raw) != kind {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = raw
	}
	return found, found != nil
}

// kindOf is the first character of a JSON value: { [ " t f n or a digit; 0 for nothing at all.
func kindOf(raw json.RawMessage) byte {
	raw = bytes.TrimLeft(raw, " \t\r\n")
	if len(raw) == 0 {
		return 0
	}
	return raw[0]
}

func isNull(raw json.RawMessage) bool { return kindOf(raw) == 'n' }
