package resolvers

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/exec"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/reconcile"
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

// LocalAdmin changes what is local.
type LocalAdmin interface {
	UpdateCompany(ctx context.Context, account codex.AccountNumber, edit syncers.CompanyEdit, by string) (company *ent.Company, changed bool, err error)
	UpdateContact(ctx context.Context, id int, edit syncers.ContactEdit, by string) (contact *ent.Contact, changed bool, err error)
	LinkContact(ctx context.Context, contactID int, account codex.AccountNumber, by string) (syncers.ContactLink, error)
	UnlinkContact(ctx context.Context, contactID int, account codex.AccountNumber, by string) (syncers.ContactLink, error)
	LinkAsset(ctx context.Context, assetID, contactID int, by string) (syncers.AssetLink, error)
	UnlinkAsset(ctx context.Context, assetID, contactID int, by string) (syncers.AssetLink, error)
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

// Log is the log of archived bills.
type Log interface {
	Prove(ctx context.Context, invoice string, revision int, enclose ...proof.Committed) (*archive.Proof, error)
	Checkpoint(ctx context.Context) (*archive.SignedCheckpoint, error)
	ProveConsistency(ctx context.Context, older int64) (*proof.Consistency, error)
	Epochs(ctx context.Context) ([]*ent.LogEpoch, error)
	VerifierKey(ctx context.Context) (proof.VerifierKey, error)
	Stopped(ctx context.Context) (*archive.StoppedError, error)
	OpenEpoch(ctx context.Context, reason string, by codex.Caller) (*ent.LogEpoch, error)
	Publish(ctx context.Context) (*archive.SignedCheckpoint, error)
}

// Bills are the archive's, as far as it is changed.
type Bills interface {
	Accept(ctx context.Context, bill *archive.Submission, by codex.Caller) (*archive.Accepted, error)
	Reopen(ctx context.Context, invoice, reason string, by codex.Caller) (*ent.Snapshot, error)
	Close(ctx context.Context, invoice, reason string, by codex.Caller) (*ent.Snapshot, error)
	// Refetch reads a bill from Ledger, and archives it where it differs from its newest revision.
	Refetch(ctx context.Context, invoice, reason string, by codex.Caller) (*archive.Refetched, error)
}

var (
	_ Syncer     = (*syncers.Engine)(nil)
	_ RunAdmin   = (*syncers.Engine)(nil)
	_ LocalAdmin = (*syncers.Engine)(nil)
	_ Progress   = (*syncers.Progress)(nil)
	_ TokenAdmin = (*auth.Tokens)(nil)
	_ Log        = (*archive.Archive)(nil)
	_ Reviewer   = (*reconcile.Reviewer)(nil)
	_ Reconciler = (*reconcile.Reconciler)(nil)
	_ Bills      = (*archive.Archive)(nil)
)

// Options are what the handler works with.
type Options struct {
	DB        *store.DB
	Rules     query.Rules
	Sync      Syncer
	Runs      RunAdmin
	Companies CompanyAdmin
	Jobs      Jobs
	Schedule  Scheduler
	Local     LocalAdmin
	Progress  Progress
	Tokens    TokenAdmin
	Log       Log
	Reviews   Reviewer
	Billed    Reconciler
	Bills     Bills
	Plans     Plans
	Notifier  Notifier
	// Verifications are the archive's (package archive/vigil).
	Verifications Verifications
	Logger        *slog.Logger
	Limits        Limits // what is 0 has its default
	// AdminsIntrospect keeps the schema from all but admins. Names that are nearly right are then hinted
	// at to nobody.
	AdminsIntrospect bool
	// Ping is how long a stream may be silent before it gives a sign of life; 0 is 15 seconds, half
	// of what the gateway waits.
	Ping time.Duration
}

const defaultPing = 15 * time.Second

// Handler is the handler of /graphql. Who asks is the [codex.CallerFrom] of the request's context;
// without a caller nothing is answered.
type Handler struct {
	server    *handler.Server
	reader    *query.Reader
	errors    presenter
	endStream context.CancelFunc // of each and all
}

// NewHandler makes the handler: queries by GET and POST, mutations by POST, and subscriptions by both
// over Server-Sent Events, which serve for queries and mutations too.
func NewHandler(o Options) *Handler {
	limits := o.Limits.withDefaults()
	orDefault(&o.Ping, defaultPing)
	reader := query.New(o.DB.Ent(), o.Rules)
	schema := exec.NewExecutableSchema(exec.Config{
		Resolvers: &resolver{
			reader: reader, sync: o.Sync, runs: o.Runs, companies: o.Companies, local: o.Local, progress: o.Progress,
			tokens: o.Tokens, log: o.Log, bills: o.Bills, plans: o.Plans, now: o.DB.Now,
			jobs: o.Jobs, schedule: o.Schedule,
			reviews: o.Reviews, billed: o.Billed, notifier: o.Notifier, verifications: o.Verifications,
		},
	})
	h := &Handler{server: handler.New(schema), reader: reader, errors: presenter{logger: o.Logger}}
	var streamsEnd context.Context
	streamsEnd, h.endStream = context.WithCancel(context.Background())
	subscribing := subscriptions{reader: reader, errors: h.errors}
	h.server.AddTransport(transport{
		bodyBytes: limits.BodyBytes, time: limits.Time, ping: o.Ping, costLimit: limits.Cost,
		operations: newSlots(limits.Operations), streams: newSlots(limits.Streams), streamsEnd: streamsEnd, errors: h.errors,
	})
	parsed := shortOnes{lru.New[*ast.QueryDocument](limits.CachedQueries)}
	h.server.SetQueryCache(parsed)
	h.server.SetParserTokenLimit(limits.Tokens)
	h.server.SetErrorPresenter(h.errors.present)
	h.server.SetRecoverFunc(h.errors.recovered)
	if o.AdminsIntrospect {
		h.server.SetValidationRulesFn(silentRules)
		h.server.SetDisableSuggestion(true)
	}
	persisted := lru.New[string](limits.CachedQueries)
	// In this order: what finds the text and looks at it, then, once it is parsed, what decides on it.
	h.server.Use(findPersisted{persisted})
	h.server.Use(documentLimits{aliases: limits.Aliases, directives: limits.Directives, tokens: limits.Tokens, known: parsed})
	h.server.Use(costLimit{
		schema: schema.Schema(), cost: limits.Cost, depth: limits.Depth, rootFields: limits.RootFields, mutations: limits.Mutations,
	})
	h.server.Use(introspection{adminsOnly: o.AdminsIntrospect})
	h.server.Use(keepPersisted{persisted})
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
func (h *Handler) EndStreams() { h.endStream() }
