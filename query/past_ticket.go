package query

import (
	"context"
	"fmt"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/ticketversion"
	"github.com/hivematrix/codex/store"
)

// PastTicket is a closed ticket as it was, without its texts. Its time is known in sum.
type PastTicket struct {
	*ent.TicketVersion
	Past *Past
}

// ID is the ticket's number and the moment.
func (t *PastTicket) ID() string { return t.Past.id(strconv.Itoa(t.TicketID)) }

// Seconds is the time that the ticket would have been billed with, by today's [Rules]. It reads the
// columns spent_seconds and unbillable_seconds.
func (t *PastTicket) Seconds() codex.Seconds {
	return t.Past.reader.billed(t.SpentSeconds, t.UnbillableSeconds)
}

// BillingMonth is the month in which it would have been billed. It reads the column last_updated_at.
func (t *PastTicket) BillingMonth() codex.Period { return codex.PeriodOf(t.LastUpdatedAt) }

// Ticket is the closed ticket with that number; a [codex.CodeNotFound] error where there was none,
// or its company was archived.
func (p *Past) Ticket(ctx context.Context, id int, columns ...string) (*PastTicket, error) {
	found, err := p.tickets(columns).
		Where(ticketversion.TicketID(id), ofServedCompany[predicate.TicketVersion](p.At)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("ticket", id)
	case err != nil:
		return nil, fmt.Errorf("reading ticket %d of the past: %w", id, err)
	}
	return &PastTicket{found, p}, nil
}

// Tickets is a page of the tickets that list wants, of those that were closed.
func (p *Past) Tickets(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*PastTicket], error) {
	v := view{p}
	return pageOf(v, view.tickets, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*PastTicket, error) {
		rows, err := p.tickets(columns).Where(v.ofServed, which).Order(sort).Limit(limit).All(ctx)
		return p.pastTickets(rows), err
	})
}

// CountTickets is how many tickets filter wants, of those that were closed.
func (p *Past) CountTickets(ctx context.Context, filter Filter) (int, error) {
	v := view{p}
	return countOf(v, view.tickets, filter, func(which func(*sql.Selector)) (int, error) {
		return p.tickets(nil).Where(v.ofServed, which).Count(ctx)
	})
}

// TicketsByCompany are those of the tickets of each company that were closed that filter and edge want.
func (p *Past) TicketsByCompany(ctx context.Context, accounts []codex.AccountNumber, filter TicketFilter, edge Edge, columns ...string) (map[codex.AccountNumber][]*PastTicket, error) {
	v := view{p}
	which, sort, err := edgeOf(v, v.tickets().asked(filter), edge, fieldAccount, nil, accounts, store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	rows, err := p.tickets(columns).Where(wanted[predicate.TicketVersion](filter), which).Order(sort).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading tickets of the past by company: %w", err)
	}
	return groupBy(p.pastTickets(rows), func(t *PastTicket) codex.AccountNumber { return t.CompanyAccountNumber }), nil
}

func (p *Past) tickets(columns []string) *ent.TicketVersionQuery {
	q := p.reader.client.TicketVersion.Query().Where(seenAt[predicate.TicketVersion](p.At), ticketversion.Closed(true))
	if columns := with(columns, ticketversion.FieldTicketID, ticketversion.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	return q
}

func (p *Past) pastTickets(rows []*ent.TicketVersion) []*PastTicket {
	return wrapped(rows, func(row *ent.TicketVersion) *PastTicket { return &PastTicket{row, p} })
}
