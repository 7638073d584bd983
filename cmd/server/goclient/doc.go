// Package goclient is what a program in Go has of the graph: a client that genqlient generates of
// the schema and of this package's operations. It stands here as the worked example of
// docs/graphql.md, "Clients", and for the tests, which ask a whole hub with it.
//
// operations.graphql says what is asked, genqlient.yaml how types are bound, generated.go is made of
// both by `make generate`. By hand are [Bytes], since a Go int64 holds what JSON's numbers do not,
// and [Streams], since genqlient speaks subscriptions over WebSockets alone, which the gateway in
// front of a hub does not pass.
//
// The package imports nothing of the hub, as a program elsewhere could not, and the hub does not
// import it. It keeps nothing, so nothing is lost when it dies half-way; a stream that ends early
// says so on the channel that [Streams.Start] gave, and whoever wants it again begins it again.
package goclient

// The tool is of the module in tools, so that the hub's own module stays free of it.
//go:generate go tool -modfile=../../../tools/go.mod genqlient
