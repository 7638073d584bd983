package freshservice

import "github.com/hivematrix/codex/clients/wire"

// CustomFields are the fields that an account has added, by name: the text of each, numbers and
// booleans as they are written, nil where the value is null. A missing key was not told.
//
// A value that is a list or an object is left out: no text could say it.
type CustomFields map[string]*string

// Text is the text of a field, empty for null; told is false where the record does not have the
// field at all, which some answers leave out.
func (f CustomFields) Text(name string) (value string, told bool) {
	text, told := f[name]
	if text == nil {
		return "", told
	}
	return *text, true
}

func customFields(record *wire.Object) CustomFields {
	object := record.Object("custom_fields")
	fields := CustomFields{}
	for _, name := range object.Keys() {
		if raw := object.Raw(name); len(raw) > 0 && (raw[0] == '[' || raw[0] == '{') {
			continue
		}
		fields[name] = object.OptText(name)
	}
	return fields
}
