package resolvers

import (
	"context"
	"log/slog"
	"net/http"
	"time"

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
	// Start starts a run, or joins the one of the same kind that waits or runs, and returns it at once;
	// joined tells which.
	Start(ctx context.Context, r syncers.Request) (run *ent.SyncRun, joined bool, err error)
}

// RunAdmin decides on runs that were started.
type RunAdmin interface {
	// Approve lets the removals go that a run holds.
	Approve(ctx context.Context, run codex.RunID, by, reason string) (*ent.SyncRun, error)
	// Cancel stops a run that waits or works.
	Cancel(ctx context.Context, run codex.RunID, by string) (*ent.SyncRun, error)
}

// CompanyAdmin decides on companies what no sync may.
type CompanyAdmin interface {
	RenameCompany(ctx context.Context, from, to codex.AccountNumber, by string) (*ent.Company, error)
	ArchiveCompany(ctx context.Context, account codex.AccountNumber, by string) (*ent.Company, error)
}

// Progress tells of runs as they go.
type Progress interface {
	// Watch gives the runs of a feed, or of all where it is empty, as they stand and whenever they
	// change, until ctx ends, which closes the channel.
	Watch(ctx context.Context, feed codex.Feed) <-chan *ent.SyncRun
}

// TokenAdmin keeps the local tokens.
type TokenAdmin interface {
	Create(ctx context.Context, wanted auth.NewToken) (codex.Secret, *ent.Token, error)
	List(ctx context.Context) ([]*ent.Token, error)
	Revoke(ctx context.Context, name string) (*ent.Token, error)
}

var (
	_ Syncer     = (*syncers.Engine)(nil)
	_ RunAdmin   = (*syncers.Engine)(nil)
	_ Progress   = (*syncers.Progress)(nil)
	_ TokenAdmin = (*auth.Tokens)(nil)
)

// Options are what the handler works with.
type Options struct {
	DB        *store.DB
	Rules     query.Rules
	Sync      Syncer
	Runs      RunAdmin
	Companies CompanyAdmin
	Progress  Progress
	Tokens    TokenAdmin
	Logger    *slog.Logger
	Limits    Limits // what is 0 has its default
	// Ping is how long a stream may be silent before it gives a sign of life; 0 is 15 seconds, half
	// of what the gateway waits.
	Ping time.Duration
}

const defaultPing = 15 * time.Second

// Limits are how much one request, or caller, may ask for.
type Limits struct {
	Cost          int   // values that the answer may have: default 3,000,000; see cost.go
	Depth         int   // fields inside fields: default 12, introspection apart
	Tokens        int   // words and signs of the query: default 4,000
	BodyBytes     int64 // of a POST: default 1 MiB
	CachedQueries int   // parsed queries that are kept: default 1,000
	// Time is how long a query or mutation may take, after which its caller hears that it took too
	// long: default 30 s, what the gateway waits for an answer. Subscriptions last.
	Time    time.Duration
	Streams int // subscriptions that a caller may have at once: default 32
}

func (l Limits) withDefaults() Limits {
	// 200 companies with their assets with those assets' contacts, five fields of each, cost
	// 2,561,201; Ledger's questions a few thousand.
	orDefault(&l.Cost, 3_000_000)
	orDefault(&l.Depth, 12)
	orDefault(&l.Tokens, 4_000)
	orDefault(&l.BodyBytes, 1<<20)
	orDefault(&l.CachedQueries, 1_000)
	orDefault(&l.Time, 30*time.Second)
	orDefault(&l.Streams, 32)
	return l
}

func orDefault[N int | int64 | time.Duration](limit *N, value N) {
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

// Handler is the handler of /graphql. Who asks is the [codex.CallerFrom] of the request's context;
// without a caller nothing is answered.
type Handler struct {
	server  *handler.Server
	reader  *query.Reader
	streams *streams
	errors  presenter
}

// NewHandler makes the handler: queries by GET and POST, mutations by POST, and subscriptions by both
// over Server-Sent Events, which serve for queries and mutations too.
func NewHandler(o Options) *Handler {
	limits := o.Limits.withDefaults()
	orDefault(&o.Ping, defaultPing)
	reader := query.New(o.DB.Ent(), o.Rules)
	schema := exec.NewExecutableSchema(exec.Config{
		Resolvers: &resolver{
			reader: reader, sync: o.Sync, runs: o.Runs, companies: o.Companies, progress: o.Progress,
			tokens: o.Tokens, now: o.DB.Now,
		},
	})
	h := &Handler{
		server: handler.New(schema), reader: reader,
		streams: newStreams(limits.Streams), errors: presenter{logger: o.Logger},
	}
	subscribing := subscriptions{reader: reader, errors: h.errors}
	h.server.AddTransport(transport{
		bodyBytes: limits.BodyBytes, time: limits.Time, ping: o.Ping, streams: h.streams, errors: h.errors,
	})
	h.server.SetQueryCache(shortOnes{lru.New[*ast.QueryDocument](limits.CachedQueries)})
	h.server.SetParserTokenLimit(limits.Tokens)
	h.server.SetErrorPresenter(h.errors.present)
	h.server.SetRecoverFunc(h.errors.recovered)
	h.server.Use(extension.Introspection{})
	h.server.Use(costLimit{schema: schema.Schema(), cost: limits.Cost, depth: limits.Depth})
	h.server.AroundRootFields(checkRoles)
	h.server.AroundOperations(subscribing.begin)
	h.server.AroundResponses(subscribing.event)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	if err := readerRole(ctx); err != nil {
		h.errors.refuse(w, r, err)
		return
	}
	ctx = loaders.With(ctx, loaders.New(h.reader))
	ctx = withLogged(ctx)
	h.server.ServeHTTP(w, r.WithContext(ctx))
}

// EndStreams breaks off all subscriptions, and those that are yet to begin: the hub is being stopped.
func (h *Handler) EndStreams() { h.streams.end() }
