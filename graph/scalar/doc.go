// Package scalar has the texts of the schema's scalars and enums: how a value leaves as JSON, and
// what is taken from a literal or a variable. gqlgen's generated code calls it.
//
// It takes what the GraphQL specification says under "Input Coercion" and nothing else: no "5" for
// an Int, no 1 for a Boolean, no enum's word in another letter case, no null where a value must be.
// gqlgen's own functions make something of each of these, and an argument that was not understood
// would be as good as one that was not given: a filter dropped, a dry run run. What is no value is
// an [InputError], whose text is for the caller.
//
// It keeps nothing and does no I/O, so that nothing is left half-done when a process dies.
package scalar
