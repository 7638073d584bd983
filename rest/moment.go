package rest

import (
	"context"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// moment is the database as it was at one time: what is read for an answer, and the revisions by which
// the answer is told from others.
type moment interface {
	Revisions(ctx context.Context, entities ...string) (map[string]int64, error)
	OldestTicketSince(ctx context.Context, from time.Time) (*time.Time, error)

	Company(ctx context.Context, account codex.AccountNumber, columns ...string) (*ent.Company, error)
	EachCompany(ctx context.Context, batch int, fn func([]*ent.Company) error) error
	AssetsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Asset, error)
	ContactsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Contact, error)
	LocationsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Location, error)
	TicketsByCompany(ctx context.Context, accounts []codex.AccountNumber, filter query.TicketFilter, columns ...string) (map[codex.AccountNumber][]*ent.Ticket, error)
	TicketSeconds(t *ent.Ticket) codex.Seconds

	Plans(ctx context.Context) ([]plans.Plan, error)
	Plan(ctx context.Context, key plans.Key) (*plans.Plan, error)
	FeatureOptions(ctx context.Context) ([]plans.FeatureOption, error)
	FeatureCategories(ctx context.Context) ([]string, error)
}

// moments runs fn with the moment at which it reads first.
type moments func(ctx context.Context, fn func(context.Context, moment) error) error

// snapshot is a moment of a database: revisions are package store's, plans those of package plans, all else is package query's.
type snapshot struct {
	*query.Reader
	tx *store.Tx
}

// Revisions implements moment.
func (s snapshot) Revisions(ctx context.Context, entities ...string) (map[string]int64, error) {
	return s.tx.Revisions(ctx, entities...)
}
