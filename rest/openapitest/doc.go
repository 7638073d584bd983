// Package openapitest holds answers against the description of the REST paths (rest.OpenAPI), for tests of
// the packages that give them. An answer is checked whole: status, type, headers that are promised, and
// the body by its schema, in which every object is closed. [Description.Unseen] tells what is described
// and was not answered, so that a description of what is no longer there fails too.
//
// It is no part of the program. It keeps what it has seen in memory, for the one test that made it.
package openapitest
