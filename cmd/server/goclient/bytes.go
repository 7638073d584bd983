package goclient

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Bytes is an exact number of bytes. JSON has it as a string of digits.
type Bytes int64

// MarshalJSON implements json.Marshaler.
func (b Bytes) MarshalJSON() ([]byte, error) {
	return []byte(`"` + strconv.FormatInt(int64(b), 10) + `"`), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *Bytes) UnmarshalJSON(text []byte) error {
	var digits string
	if err := json.Unmarshal(text, &digits); err != nil {
		return fmt.Errorf("a number of bytes is a string of digits: %w", err)
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	*b = Bytes(n)
	return err
}
