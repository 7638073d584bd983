package resolvers

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// Syncer starts syncs: the engine, or what hands on to the process that has it.
type Syncer interface {
	// Start starts a run, or joins the one of the same kind that waits or runs, and returns it at once.
	Start(ctx context.Context, r syncers.Request) (*ent.SyncRun, error)
}

// TokenAdmin keeps the local tokens.
type TokenAdmin interface {
	Create(ctx context.Context, wanted auth.NewToken) (codex.Secret, *ent.Token, error)
	List(ctx context.Context) ([]*ent.Token, error)
	Revoke(ctx context.Context, name string) (*ent.Token, error)
}

var (
	_ Syncer     = (*syncers.Engine)(nil)
	_ TokenAdmin = (*auth.Tokens)(nil)
)

// Options are what the handler works with.
type Options struct {
	DB     *store.DB
	Rules  query.Rules
	Sync   Syncer
	Tokens TokenAdmin
	Logger *slog.Logger
	Limits Limits // what is 0 has its default
}

// Limits are how much one request may ask for.
type Limits struct {
	Cost          int   // values that the answer may have: default 3,000,000; see cost.go
	Depth         int   // fields inside fields: default 12, introspection apart
	Tokens        int   // words and signs of the query: default 4,000
	BodyBytes     int64 // of a POST: default 1 MiB
	CachedQueries int   // parsed queries that are kept: default 1,000
}

func (l Limits) withDefaults() Limits {
	// 200 companies with their assets with those assets' contacts, five fields of each, cost
	// 2,561,201; Ledger's questions a few thousand.
	orDefault(&l.Cost, 3_000_000)
	orDefault(&l.Depth, 12)
	orDefault(&l.Tokens, 4_000)
	orDefault(&l.BodyBytes, 1<<20)
	orDefault(&l.CachedQueries, 1_000)
	return l
}

func orDefault[N int | int64](limit *N, value N) {
	if *limit == 0 {
		*limit = value
	}
}

// cachedQueryBytes is the longest query that is kept parsed: what people and programs ask again is
// far shorter, and a thousand of the longest must not fill the memory.
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

// NewHandler is the handler of /graphql: queries by GET and POST, mutations by POST. Who asks is
// the [codex.CallerFrom] of the request's context; without a caller nothing is answered.
func NewHandler(o Options) http.Handler {
	limits := o.Limits.withDefaults()
	reader := query.New(o.DB.Ent(), o.Rules)
	schema := exec.NewExecutableSchema(exec.Config{
		Resolvers: &resolver{reader: reader, sync: o.Sync, tokens: o.Tokens, now: o.DB.Now},
	})
	errs := presenter{logger: o.Logger}
	server := handler.New(schema)
	server.AddTransport(transport{bodyBytes: limits.BodyBytes, errors: errs})
	server.SetQueryCache(shortOnes{lru.New[*ast.QueryDocument](limits.CachedQueries)})
	server.SetParserTokenLimit(limits.Tokens)
	server.SetErrorPresenter(errs.present)
	server.SetRecoverFunc(errs.recovered)
	server.Use(extension.Introspection{})
	server.Use(costLimit{schema: schema.Schema(), cost: limits.Cost, depth: limits.Depth})
	server.AroundRootFields(checkRoles)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if err := readerRole(ctx); err != nil {
			errs.refuse(w, r, err)
			return
		}
		ctx = loaders.With(ctx, loaders.New(reader))
		ctx = withLogged(ctx)
		server.ServeHTTP(w, r.WithContext(ctx))
	})
}
