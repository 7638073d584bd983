package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/vigil"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/clients/core"
	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/ledger"
	"github.com/hivematrix/codex/config"
	"github.com/hivematrix/codex/httpd"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/resolvers"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/scheduler"
	"github.com/hivematrix/codex/scheduler/jobs"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
	"github.com/hivematrix/codex/telemetry"
)

// app is the whole hub but its listeners: what serve serves, and what sync and token work with where
// no serve is running.
type app struct {
	config *config.Config
	db     *store.DB
	engine *syncers.Engine
	bills  *archive.Archive // every accepted bill
	// verifier looks whether they are as they were logged.
	verifier *vigil.Verifier
	// outbox takes what needs a person, notifier delivers it.
	outbox   notify.Outbox
	notifier *notify.Notifier
	// reviews are the look before the bill, and what people said of it.
	reviews *reconcile.Reviewer
	tokens  *auth.Tokens
	core    *core.Client // nil: none is configured
	ledger  *ledger.Desk // nil: none is configured
	jobs    *jobs.Jobs   // that ask it for the bills of a month
	// scheduler knows when that and the syncs are due.
	scheduler *scheduler.Scheduler
	// callers know all who call, tokens those of them that have a local token.
	callers *auth.Callers
	// The faces. Both expect the caller in the request's context.
	graphql  *resolvers.Handler
	rest     http.Handler
	webhooks http.Handler // which expects none
	logger   *slog.Logger

	endWork    func()   // ends what works by itself: looking after the log, telling what needs a person
	disconnect []func() // the upstreams' clients
	unlock     func()
}

// appOptions are what an [app] is made of.
type appOptions struct {
	config      *config.Config
	logger      *slog.Logger
	now         func() time.Time
	newUpstream bool // take data from another account than before
	serving     bool // be the one serve of a SQLite database
}

// newApp opens the database, migrates it, and wires everything. Close ends it.
func newApp(ctx context.Context, o appOptions) (_ *app, err error) {
	a := &app{config: o.config, logger: o.logger, unlock: func() {}, endWork: func() {}}
	if a.db, err = openDatabase(ctx, o.config, o.logger, o.now); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if o.serving {
		// Before the migrations: an older program may be serving this database.
		if a.unlock, err = a.db.LockServe(); err != nil {
			a.unlock = func() {}
			return nil, err
		}
	}
	if _, err = a.db.Migrate(ctx); err != nil {
		return nil, err
	}
	if o.serving {
		if err = a.db.CheckAppendOnly(ctx); err != nil {
			return nil, err
		}
	}
	a.outbox = notify.NewOutbox(o.config.Notify.Enabled())
	a.notifier, err = notify.New(notify.Options{DB: a.db, URL: o.config.Notify.URL, Secret: o.config.Notify.Secret, Logger: o.logger})
	if err != nil {
		return nil, err
	}
	if err = a.connect(o); err != nil {
		return nil, err
	}
	if err = a.authenticate(o); err != nil {
		return nil, err
	}
	if err = a.askLedger(o); err != nil {
		return nil, err
	}
	if err = a.keepBills(o); err != nil {
		return nil, err
	}
	rules := query.Rules{
		DefaultHours:    o.config.Sync.DefaultHours,
		BillNonBillable: o.config.Freshservice.BillNonBillable,
	}
	a.reviews = reconcile.NewReviewer(reconcile.ReviewOptions{
		DB: a.db, Rules: rules, Feeds: feedsOf(o.config), FreshserviceWeb: o.config.Freshservice.WebURL, Now: a.db.Now,
		ReviewRules: reconcile.ReviewRules{UnseenDays: o.config.Review.UnseenDays, MovedPercent: o.config.Review.MovedPercent},
	})
	if err = a.makeJobs(ctx, o); err != nil {
		return nil, err
	}
	if err = a.makeSchedule(o); err != nil {
		return nil, err
	}
	a.graphql = resolvers.NewHandler(resolvers.Options{
		DB: a.db, Rules: rules, Sync: a.engine, Runs: a.engine, Companies: a.engine, Local: a.engine,
		Progress: syncers.NewProgress(a.db, o.logger), Tokens: a.tokens, Log: a.bills, Bills: a.bills, Logger: o.logger,
		Plans:    plans.New(plans.Options{DB: a.db, Logger: o.logger}),
		Notifier: a.notifier, Verifications: a.verifier,
		Reviews: a.reviews, Jobs: a.jobs, Schedule: a.scheduler,
		Billed: reconcile.NewReconciler(reconcile.ReconcileOptions{DB: a.db, Rules: rules, Now: a.db.Now}),
		Limits: limitsOf(o.config.GraphQL), AdminsIntrospect: o.config.GraphQL.Introspection == "admin",
	})
	a.rest = rest.NewHandler(rest.Options{
		DB: a.db, Rules: rules, Sync: a.engine, Bills: a.bills, Log: a.bills, Jobs: a.jobs, Schedule: a.scheduler,
		TicketDays: o.config.Rest.TicketDays, SeedKeysOnly: o.config.Rest.SeedKeysOnly,
		Version: currentVersion(), Logger: o.logger, Now: o.now,
	})
	webhooks := rest.WebhookOptions{Logger: o.logger}
	if o.config.Freshservice.Enabled() {
		webhooks.Secret, webhooks.Announce = o.config.Freshservice.WebhookSecret, a.engine
	}
	a.webhooks = rest.NewWebhookHandler(webhooks)
	if o.serving {
		a.engine.FindDead()
		a.engine.ServeRereads()
		a.keepLog(ctx)
		a.attend(ctx, a.notifier.Serve)
		a.attend(ctx, a.jobs.Serve)
		a.attend(ctx, a.scheduler.Serve)
	}
	return a, nil
}

// Close ends the runs of this process, which become interrupted, and gives everything back. The
// faces must have answered their last request.
func (a *app) Close() error {
	a.endWork()
	if a.engine != nil {
		a.engine.Close()
	}
	if a.tokens != nil {
		a.tokens.Wait()
	}
	for _, disconnect := range a.disconnect {
		disconnect()
	}
	err := a.db.Close()
	a.unlock()
	return err
}

// openDatabase opens the configured database; a SQLite file's folder is made where it is not there.
func openDatabase(ctx context.Context, c *config.Config, logger *slog.Logger, now func() time.Time) (*store.DB, error) {
	o := store.Options{DSN: c.Database.DSN, Path: c.Database.Path, Logger: logger, Now: now}
	switch c.Database.Dialect {
	case config.Postgres:
		o.Dialect = dialect.Postgres
	case config.SQLite:
		o.Dialect = dialect.SQLite
		if err := os.MkdirAll(filepath.Dir(o.Path), 0o700); err != nil {
			return nil, fmt.Errorf("making the database's folder: %w", err)
		}
	}
	return store.Open(ctx, o)
}

// authenticate makes those who know who is calling, with a client of Core where one is configured.
func (a *app) authenticate(o appOptions) error {
	a.tokens = auth.NewTokens(a.db, o.now)
	var byCore *auth.CoreTokens
	if c := o.config.Core; c.URL != "" {
		var err error
		if a.core, err = coreClient(c, o.logger, o.now); err != nil {
			return err
		}
		a.disconnect = append(a.disconnect, a.core.Close)
		byCore = auth.NewCoreTokens(auth.CoreOptions{
			Core: a.core, Issuer: c.Issuer, CheckRevocation: c.CheckRevocation,
			SyncServices: o.config.Auth.SyncServices, ServiceAddresses: o.config.Auth.ServiceAddresses,
			Now: o.now, Logger: o.logger,
		})
	}
	a.callers = auth.NewCallers(a.db, a.tokens, byCore, o.now)
	return nil
}

// connect makes the sync engine with the clients of the upstreams that are configured.
func (a *app) connect(o appOptions) error {
	c := o.config
	options := syncers.Options{DB: a.db, Notify: a.outbox, Logger: o.logger, Settings: syncers.Settings{
		AccountVariable:   c.Datto.AccountVariable,
		BackupUDF:         c.Datto.BackupUDF,
		AdministratorsUDF: c.Datto.AdministratorsUDF,
		DeviceTypeUDF:     c.Datto.DeviceTypeUDF,
		ClosedStatuses:    c.Freshservice.ClosedStatuses,
		OpenStatuses:      c.Freshservice.OpenStatuses,
		ConversationsDays: c.Freshservice.ConversationsDays,
		MaxRemovalPercent: c.Sync.MaxRemovalPercent,
		NewUpstream:       o.newUpstream,
	}}
	var err error
	if c.Freshservice.Enabled() {
		if options.Freshservice, err = freshserviceClient(c.Freshservice, o.logger, o.now); err != nil {
			return err
		}
		a.disconnect = append(a.disconnect, options.Freshservice.Close)
		if options.Settings.FreshserviceIdentity, err = accountOf(c.Freshservice.URL); err != nil {
			return err
		}
	}
	if c.Datto.Enabled() {
		if options.Datto, err = dattoClient(c.Datto, o.logger, o.now); err != nil {
			return err
		}
		a.disconnect = append(a.disconnect, options.Datto.Close)
	}
	a.engine = syncers.New(options)
	return nil
}

// feedsOf are the feeds that are on.
func feedsOf(c *config.Config) []codex.Feed {
	var feeds []codex.Feed
	for _, feed := range codex.Feeds() {
		if feed == codex.FeedDatto && c.Datto.Enabled() || feed != codex.FeedDatto && c.Freshservice.Enabled() {
			feeds = append(feeds, feed)
		}
	}
	return feeds
}

func freshserviceClient(c config.Freshservice, logger *slog.Logger, now func() time.Time) (*freshservice.Client, error) {
	return freshservice.New(freshservice.Options{
		BaseURL: c.URL, APIKey: c.APIKey, WebDomain: c.WebURL, Workspaces: c.Workspaces,
		Now: now, Logger: logger,
	})
}

func dattoClient(c config.Datto, logger *slog.Logger, now func() time.Time) (*datto.Client, error) {
	return datto.New(datto.Options{
		BaseURL: c.APIEndpoint, PublicKey: c.PublicKey, SecretKey: c.SecretKey,
		Now: now, Logger: logger,
	})
}

// limitsOf are the limits of GraphQL as they are configured.
func limitsOf(c config.GraphQL) resolvers.Limits {
	return resolvers.Limits{
		Cost: c.MaxCost, Depth: c.MaxDepth, Aliases: c.MaxAliases, RootFields: c.MaxRootFields, Mutations: c.MaxMutations,
		Directives: c.MaxDirectives, Tokens: c.MaxTokens, BodyBytes: int64(c.MaxBodyBytes), Time: c.TimeLimit,
		Operations: c.MaxConcurrent, Streams: c.MaxStreams,
	}
}

// accountOf is what a database remembers of the Freshservice account that its data comes from: the
// host, with the port where the address has one.
func accountOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", codex.BadInput("[freshservice] domain", "must be an account such as acme.freshservice.com")
	}
	return strings.ToLower(u.Host), nil
}

// logger writes to standard error what is configured to be said, and nothing below least.
func (p *program) logger(c *config.Config, least slog.Level) (*slog.Logger, error) {
	return telemetry.NewLogger(p.stderr, max(c.Log.Level, least), c.Log.Format)
}

// atCommandLine is who works in this process: the user that it belongs to. Like the socket's callers'
// the name has a blank, which no token's name has.
func atCommandLine() codex.Caller {
	caller := codex.Caller{Name: "command line", Role: codex.RoleAdmin, Trigger: codex.TriggerCLI}
	if name := httpd.UserName(os.Getuid()); name != "" {
		caller.Name = name + " (command line)"
	}
	return caller
}

// theDemo is who syncs first in a demo.
func theDemo() codex.Caller {
	return codex.Caller{Name: "the demo", Role: codex.RoleAdmin, Trigger: codex.TriggerDemo}
}
