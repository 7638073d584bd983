package rest

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// Starter starts sync runs and waits for them: *syncers.Engine is one.
type Starter interface {
	// Start returns at once with the run that was started, queued or joined, and joined tells whether
	// it was that; the run does not end with ctx. A feed that is not configured is a
	// [codex.CodeBadInput] error.
	Start(ctx context.Context, request syncers.Request) (run *ent.SyncRun, joined bool, err error)
	// Wait returns a run when it has ended.
	Wait(ctx context.Context, id codex.RunID) (*ent.SyncRun, error)
}

// Options are what the paths are served from.
type Options struct {
	DB    *store.DB
	Rules query.Rules
	Sync  Starter
	Bills Bills
	// Log proves them.
	Log Log
	// Jobs make them, and Schedule says when.
	Jobs     Jobs
	Schedule Schedule
	// TicketDays is [rest] ticket_days: without a year, tickets last updated within so many days are
	// served.
	TicketDays int
	// SeedKeysOnly is [rest] seed_keys_only: companies without the keys that came after October 2025.
	SeedKeysOnly bool
	// SpoolDir is where a bulk answer goes that its client does not take fast enough; empty is the
	// system's folder for temporary files.
	SpoolDir string
	// Version is the program's: answers of another one are other answers, by their entity tags.
	Version string
	Logger  *slog.Logger
	Now     func() time.Time
}

// service is what the handlers share.
type service struct {
	Options
	reader  *query.Reader
	moments moments
}

// NewHandler serves all paths of this package. It answers JSON to any other path too: 404.
func NewHandler(o Options) http.Handler {
	return newService(o).handler()
}

func newService(o Options) *service {
	return &service{
		Options: o,
		reader:  query.New(o.DB.Ent(), o.Rules),
		moments: func(ctx context.Context, fn func(context.Context, moment) error) error {
			return o.DB.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
				return fn(ctx, snapshot{query.New(tx.Ent(), o.Rules), tx})
			})
		},
	}
}

// routes are all paths with their methods and roles: the first that fits is taken.
func (s *service) routes() []route {
	return []route{
		{http.MethodGet, "/api/companies", auth.Readers, s.companies},
		{http.MethodGet, "/api/companies/bulk", auth.Readers, s.bulk},
		{http.MethodGet, "/api/companies/{account_number}", auth.Readers, s.company},
		{http.MethodGet, "/api/companies/{account_number}/assets", auth.Readers, s.assets},
		{http.MethodGet, "/api/companies/{account_number}/contacts", auth.Readers, s.contacts},
		{http.MethodGet, "/api/companies/{account_number}/users", auth.Readers, s.contacts},
		{http.MethodGet, "/api/companies/{account_number}/locations", auth.Readers, s.locations},
		{http.MethodGet, "/api/companies/{account_number}/tickets", auth.Readers, s.tickets},
		{http.MethodGet, "/api/company/{account_number}", auth.Readers, s.company},
		{http.MethodGet, "/billing-plans/api/plans", auth.Readers, s.plans},
		{http.MethodGet, "/billing-plans/api/plans/{name}/{term}", auth.Readers, s.plan},
		{http.MethodGet, "/billing-plans/api/feature-options", auth.Readers, s.featureOptions},
		{http.MethodGet, "/billing-plans/api/feature-categories", auth.Readers, s.featureCategories},
		{http.MethodGet, "/billing-plans/api/bulk-plans", auth.Readers, s.bulkPlans},
		{http.MethodGet, "/api/billing-plans", auth.Readers, s.olderPlans},
		{http.MethodPost, "/sync/freshservice", auth.SyncStarters, s.startSync(codex.FeedFreshservice)},
		{http.MethodPost, "/sync/datto", auth.SyncStarters, s.startSync(codex.FeedDatto)},
		{http.MethodPost, "/sync/tickets", auth.SyncStarters, s.startSync(codex.FeedTickets)},
		{http.MethodGet, "/sync/status/{job_id}", auth.SyncWatchers, s.syncStatus},
		{http.MethodGet, "/sync/last/{script}", auth.Readers, s.lastSync},
		{http.MethodPost, "/api/snapshot", auth.BillSenders, s.acceptBill},
		{http.MethodGet, "/api/snapshot/{invoice_number}", auth.Readers, s.bill},
		{http.MethodGet, "/api/snapshot/{invoice_number}/csv", auth.Readers, s.billCSV},
		{http.MethodGet, "/api/snapshot/{invoice_number}/proof", auth.Readers, s.billProof},
		{http.MethodGet, "/api/snapshots/search", auth.Readers, s.searchBills},
		{http.MethodGet, "/api/snapshots/company/{account_number}", auth.Readers, s.companyBills},
		{http.MethodPost, "/api/snapshots/bulk/create", auth.Admins, s.createBills},
		{http.MethodGet, "/api/scheduler/config", auth.Admins, s.schedule},
		{http.MethodPost, "/api/scheduler/config", auth.Admins, s.changeSchedule},
		{http.MethodGet, "/api/scheduler/jobs", auth.Readers, s.snapshotJobs},
		{http.MethodGet, "/api/scheduler/jobs/{job_id}", auth.Readers, s.snapshotJob},
		{http.MethodGet, "/api/archive/checkpoint", auth.Readers, s.logCheckpoint},
		{http.MethodGet, "/api/archive/consistency", auth.Readers, s.logConsistency},
		{http.MethodGet, "/api/archive/key", auth.Readers, s.logKey},
	}
}
