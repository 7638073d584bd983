package resolvers

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// Limits are how much one request, or caller, may ask for. What is 0 has its default. The settings of
// [graphql] (docs/configuration.md) are these.
type Limits struct {
	Cost int // values that the answer may have: default 3,000,000; see cost.go
	// Depth is how many fields may stand inside one another: default 12, introspection apart, which
	// has a bound of its own.
	Depth int
	// Aliases is how many fields of a query's text may have another name, or stand where the same is
	// already: default 100. Validation compares each of these with each.
	Aliases       int
	RootFields    int   // fields of Query that one query may ask for: default 50
	Mutations     int   // fields of Mutation, each of which does something: default 10
	Directives    int   // directives of a query's text: default 50
	Tokens        int   // words and signs of a query's text: default 4,000
	BodyBytes     int64 // of a POST: default 1 MiB
	CachedQueries int   // parsed queries, and persisted ones, that are kept: default 1,000 of each
	// Time is how long a query or mutation may take, after which its caller hears that it took too
	// long: default 25 s, since the gateway gives up after 30, and its own word is then all that they
	// hear. Subscriptions last.
	Time       time.Duration
	Operations int // queries and mutations that a caller may have under way at once: default 32
	Streams    int // subscriptions that a caller may have at once: default 32
}

func (l Limits) withDefaults() Limits {
	// 200 companies with their assets with those assets' contacts, five fields of each, cost
	// 2,561,201; Ledger's questions a few thousand.
	orDefault(&l.Cost, 3_000_000)
	orDefault(&l.Depth, 12)
	orDefault(&l.Aliases, 100)
	orDefault(&l.RootFields, 50)
	orDefault(&l.Mutations, 10)
	orDefault(&l.Directives, 50)
	orDefault(&l.Tokens, 4_000)
	orDefault(&l.BodyBytes, 1<<20)
	orDefault(&l.CachedQueries, 1_000)
	orDefault(&l.Time, 25*time.Second)
	orDefault(&l.Operations, 32)
	orDefault(&l.Streams, 32)
	return l
}

func orDefault[N int | int64 | time.Duration](limit *N, value N) {
	if *limit == 0 {
		*limit = value
	}
}

// cachedQueryBytes is the longest query that is kept, parsed or by its hash: what people and programs
// ask again is far shorter, and a thousand of the longest must not fill the memory.
const cachedQueryBytes = 16 << 10

// shortOnes is a cache of queries that keeps no long ones.
type shortOnes struct {
	graphql.Cache[*ast.QueryDocument]
}

// Add implements graphql.Cache.
func (c shortOnes) Add(ctx context.Context, text string, doc *ast.QueryDocument) {
	if len(text) <= cachedQueryBytes {
		c.Cache.Add(ctx, text, doc)
	}
}
