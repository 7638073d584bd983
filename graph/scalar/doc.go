// Package scalar has the texts of the schema's scalars: how a value leaves as JSON, and what is
// taken from a literal or a variable. gqlgen's generated code calls it.
package scalar
