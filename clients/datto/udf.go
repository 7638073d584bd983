package datto

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/hivematrix/codex/clients/wire"
)

// UDFs are a device's user-defined fields by number, from 1 to 30, or to 300 in accounts of 2026;
// numbers and booleans as they are written, null as empty text. Nil means that the answer had no
// udf object at all: nothing was told, which is not the same as "cleared".
//
// They may hold recovery keys, so they print as *** and never reach a log.
type UDFs map[int]string

// Text is the value of one field. told is false where nothing was said about it; an empty value
// that was told is a cleared one.
func (u UDFs) Text(number int) (value string, told bool) {
	value, told = u[number]
	return value, told
}

const masked = "***"

// Format keeps every verb of fmt from telling.
func (u UDFs) Format(state fmt.State, _ rune) { _, _ = fmt.Fprint(state, masked) }

// LogValue keeps slog from telling.
func (u UDFs) LogValue() slog.Value { return slog.StringValue(masked) }

// decodeUDFs reads a device's udf object. Build 235 of the API declares none for its version 2 and
// sends it all the same; where it is missing, version 3 has the values in another form.
func decodeUDFs(device *wire.Object) UDFs {
	object := device.Object("udf")
	if object == nil {
		return nil
	}
	fields := UDFs{}
	for _, key := range object.Keys() {
		digits, found := strings.CutPrefix(strings.ToLower(key), "udf")
		number, err := strconv.Atoi(digits)
		if !found || err != nil || number < 1 {
			continue
		}
		fields[number] = object.Text(key)
	}
	return fields
}
