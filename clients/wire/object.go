package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Object reads the fields of one record. The first field that cannot be understood decides
// [Object.Err]; reading goes on, so that a record is read as plainly as a struct literal. A nil
// Object has no fields and no error.
type Object struct {
	path   string // where this object lies in its record, with a dot at the end
	fields map[string]json.RawMessage
	err    *error // shared with the record that this object lies in
}

// Open makes raw readable. What is no object has an error from the start.
func Open(raw json.RawMessage) *Object {
	o := &Object{err: new(error)}
	if kindOf(raw) != '{' || json.Unmarshal(raw, &o.fields) != nil {
		*o.err = fmt.Errorf("the record is no object")
	}
	return o
}

// Err is why the record cannot be understood, nil if it can.
func (o *Object) Err() error {
	if o == nil {
		return nil
	}
	return *o.err
}

// Keys are the keys of the object, in no order.
func (o *Object) Keys() []string {
	if o == nil {
		return nil
	}
	keys := make([]string, 0, len(o.fields))
	for key := range o.fields {
		keys = append(keys, key)
	}
	return keys
}

// Text is the text under key, empty for null and for a missing key. A number or a boolean is taken
// as it is written: Freshservice sends account numbers and telephone numbers either way.
func (o *Object) Text(key string) string {
	if text := o.OptText(key); text != nil {
		return *text
	}
	return ""
}

// OptText is as [Object.Text], nil for null and for a missing key.
func (o *Object) OptText(key string) *string {
	raw, told := o.get(key)
	if !told {
		return nil
	}
	text, ok := textOf(raw)
	if !ok {
		o.refuse(key, "neither text nor a number")
		return nil
	}
	return &text
}

// Texts are the texts of the list under key; null members are left out, a lone text is a list of
// one. Never nil, so that a missing list and an empty one are the same.
func (o *Object) Texts(key string) []string {
	texts := []string{}
	for _, raw := range o.list(key) {
		if isNull(raw) {
			continue
		}
		text, ok := textOf(raw)
		if !ok {
			o.refuse(key, "no list of texts")
			return texts
		}
		texts = append(texts, text)
	}
	return texts
}

// ID is the whole number under key, as a number or as text (Freshservice for MSPs sends ids as
// text). It must be there: a record without id is not understood.
func (o *Object) ID(key string) int64 {
	id := o.OptID(key)
	if id == nil {
		o.refuse(key, "missing")
		return 0
	}
	return *id
}

// OptID is as [Object.ID], nil for null, a missing key and an empty text. All 64 bits survive.
func (o *Object) OptID(key string) *int64 {
	raw, told := o.get(key)
	if !told {
		return nil
	}
	text, ok := textOf(raw)
	if text = strings.TrimSpace(text); ok && text == "" {
		return nil
	}
	number, err := parseInt(text)
	if !ok || err != nil {
		o.refuse(key, "no whole number")
		return nil
	}
	return &number
}

// Int64 is as [Object.OptID], 0 for null and for a missing key.
func (o *Object) Int64(key string) int64 {
	if number := o.OptID(key); number != nil {
		return *number
	}
	return 0
}

// Name is the text under key, which must be there and not be empty: it names the record.
func (o *Object) Name(key string) string {
	name := o.Text(key)
	if name == "" {
		o.refuse(key, "missing")
	}
	return name
}

// Float is the number under key, 0 for null and for a missing key. It is for ratios, never for ids.
func (o *Object) Float(key string) float64 {
	raw, told := o.get(key)
	if !told {
		return 0
	}
	text, ok := textOf(raw)
	number, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil {
		o.refuse(key, "no number")
		return 0
	}
	return number
}

// IDs are the whole numbers of the list under key; null members are left out. Never nil.
func (o *Object) IDs(key string) []int64 {
	ids := []int64{}
	for _, raw := range o.list(key) {
		if isNull(raw) {
			continue
		}
		text, ok := textOf(raw)
		id, err := parseInt(strings.TrimSpace(text))
		if !ok || err != nil {
			o.refuse(key, "no list of whole numbers")
			return ids
		}
		ids = append(ids, id)
	}
	return ids
}

// Int is the whole number under key, 0 for null and for a missing key.
func (o *Object) Int(key string) int {
	if number := o.OptID(key); number != nil {
		return int(*number)
	}
	return 0
}

// Bool is the boolean under key, false for null and for a missing key.
func (o *Object) Bool(key string) bool {
	value := o.OptBool(key)
	return value != nil && *value
}

// OptBool is the boolean under key, nil for null and for a missing key; true and false as text and
// 1 and 0 count as well.
func (o *Object) OptBool(key string) *bool {
	raw, told := o.get(key)
	if !told {
		return nil
	}
	text, ok := textOf(raw)
	value := false
	switch strings.ToLower(text) {
	case "":
		if ok {
			return nil
		}
	case "true", "1":
		value = true
	case "false", "0":
	default:
		ok = false
	}
	if !ok {
		o.refuse(key, "neither true nor false")
		return nil
	}
	return &value
}

// Time is the instant under key in UTC, nil for null, an empty text and a missing key; the forms
// are those of [ParseTime].
func (o *Object) Time(key string) *time.Time { return o.timeBy(key, ParseTime) }

// TimeBy is as [Object.Time] for an upstream with forms of its own. A zero time from parse is nil.
func (o *Object) TimeBy(key string, parse func(text string) (time.Time, error)) *time.Time {
	return o.timeBy(key, parse)
}

func (o *Object) timeBy(key string, parse func(string) (time.Time, error)) *time.Time {
	raw, told := o.get(key)
	if !told {
		return nil
	}
	text, ok := textOf(raw)
	if text = strings.TrimSpace(text); ok && text == "" {
		return nil
	}
	at, err := parse(text)
	if !ok || err != nil {
		o.refuse(key, "no date")
		return nil
	}
	if at.IsZero() {
		return nil
	}
	return &at
}

// Object is the object under key, nil for null and for a missing key. Its errors are this record's.
func (o *Object) Object(key string) *Object {
	raw, told := o.get(key)
	if !told {
		return nil
	}
	inner := &Object{path: o.path + key + ".", err: o.err}
	if kindOf(raw) != '{' || json.Unmarshal(raw, &inner.fields) != nil {
		o.refuse(key, "no object")
		return nil
	}
	return inner
}

// Raw is the value under key as it was sent, nil for null and for a missing key.
func (o *Object) Raw(key string) json.RawMessage {
	raw, _ := o.get(key)
	return raw
}

// Refuse says that the value under key cannot be understood; reason must not quote it.
func (o *Object) Refuse(key, reason string) { o.refuse(key, reason) }

// get is the value under key; false where it is null or missing.
func (o *Object) get(key string) (json.RawMessage, bool) {
	if o == nil {
		return nil, false
	}
	raw, found := o.fields[key]
	if !found || isNull(raw) {
		return nil, false
	}
	return raw, true
}

// list is the members of the list under key. A scalar is a list of one, which Freshservice's
// address fields show now and then.
func (o *Object) list(key string) []json.RawMessage {
	raw, told := o.get(key)
	if !told {
		return nil
	}
	if kindOf(raw) != '[' {
		if text, ok := textOf(raw); ok && text == "" {
			return nil
		}
		return []json.RawMessage{raw}
	}
	var members []json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		o.refuse(key, "no list")
	}
	return members
}

func (o *Object) refuse(key, reason string) {
	if o != nil && *o.err == nil {
		*o.err = fmt.Errorf("%s%s: %s", o.path, key, reason)
	}
}

// textOf is a scalar as text: numbers and booleans as they are written.
func textOf(raw json.RawMessage) (string, bool) {
	switch kindOf(raw) {
	case '{', '[', 0:
		return "", false
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err == nil
	}
	return strings.TrimSpace(string(raw)), true
}

// parseInt takes decimal digits and, because some serialisers write whole numbers as floats, a
// fraction of zeros. No float is computed, so that ids beyond 2⁵³ survive.
func parseInt(text string) (int64, error) {
	if whole, fraction, found := strings.Cut(text, "."); found && strings.Trim(fraction, "0") == "" {
		text = whole
	}
	return strconv.ParseInt(text, 10, 64)
}
