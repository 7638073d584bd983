package resolvers

import (
	"context"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

func (r queryResolver) Ticket(ctx context.Context, ticketID string) (*ent.Ticket, error) {
	key, err := intID("ticketId", ticketID)
	if err != nil {
		return nil, err
	}
	found, err := r.reader.Ticket(ctx, key, loaders.Columns(ctx, "Ticket")...)
	return one(ctx, found, err)
}

func (r ticketResolver) BillingMonth(_ context.Context, t *ent.Ticket) (string, error) {
	return codex.PeriodOf(t.LastUpdatedAt).String(), nil
}

func (r ticketResolver) Hours(_ context.Context, t *ent.Ticket) (float64, error) {
	return r.reader.TicketSeconds(t).Hours(), nil
}

func (r ticketResolver) Seconds(_ context.Context, t *ent.Ticket) (int, error) {
	return int(r.reader.TicketSeconds(t)), nil
}

func (r ticketResolver) Conversations(_ context.Context, t *ent.Ticket) ([]*query.TicketMessage, error) {
	return query.Messages(t.Conversations)
}

func (r ticketResolver) Notes(_ context.Context, t *ent.Ticket) ([]*query.TicketMessage, error) {
	return query.Messages(t.Notes)
}

func (r ticketResolver) TimeEntries(ctx context.Context, t *ent.Ticket) ([]*ent.TimeEntry, error) {
	return loaders.TimeEntriesOfTicket(ctx, t)
}

func (r ticketResolver) Company(ctx context.Context, t *ent.Ticket) (*ent.Company, error) {
	return loaders.CompanyOfTicket(ctx, t)
}

func (r timeEntryResolver) Hours(_ context.Context, e *ent.TimeEntry) (float64, error) {
	return codex.Seconds(e.SpentSeconds).Hours(), nil
}

func (r queryResolver) Tickets(ctx context.Context, filter map[string]any, orderBy []*query.Order, first *int, after *string) (*model.TicketConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	list := query.List{Filter: filter, OrderBy: orderBy}
	page, err := r.reader.Tickets(ctx, asked, list, loaders.PageColumns(ctx, "Ticket")...)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.TicketEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.TicketEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.TicketConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page), List: list},
		loaders.Announce(ctx, page.Rows...)
}

func (r ticketConnectionResolver) TotalCount(ctx context.Context, c *model.TicketConnection) (int, error) {
	return r.reader.CountTickets(ctx, c.List.Filter)
}
