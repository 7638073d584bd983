package scalar

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// MarshalJSON writes v as the JSON value that it is. What encoding/json cannot write is null.
func MarshalJSON(v any) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(v); err != nil {
			write(w, "null")
			return
		}
		write(w, string(bytes.TrimRight(text.Bytes(), "\n")))
	})
}

// UnmarshalJSON takes any value as it was given: literals as gqlgen reads them, variables with the digits
// of their numbers.
func UnmarshalJSON(v any) (any, error) { return v, nil }
