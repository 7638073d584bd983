package query

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/ticket"
	"github.com/hivematrix/codex/ent/timeentry"
	"github.com/hivematrix/codex/store"
)

// TicketFilter says which tickets of a company are wanted; its zero value: all.
type TicketFilter struct {
	Year        int       // of last_updated_at, in UTC; 0: any
	UpdatedFrom time.Time // at or after it; zero: any
}

// wanted tells the tickets that f wants, of the present or of the past.
func wanted[P ~func(*sql.Selector)](f TicketFilter) P {
	return func(s *sql.Selector) {
		updated := s.C(ticket.FieldLastUpdatedAt)
		if f.Year != 0 {
			start := time.Date(f.Year, time.January, 1, 0, 0, 0, 0, time.UTC)
			s.Where(sql.And(sql.GTE(updated, start), sql.LT(updated, start.AddDate(1, 0, 0))))
		}
		if !f.UpdatedFrom.IsZero() {
			s.Where(sql.GTE(updated, f.UpdatedFrom))
		}
	}
}

// Ticket is the closed ticket with that number; a [codex.CodeNotFound] error where there is none,
// or its company is archived.
func (r *Reader) Ticket(ctx context.Context, id int, columns ...string) (*ent.Ticket, error) {
	q := r.tickets(columns).Where(ticket.ID(id), ticket.HasCompanyWith(company.ArchivedAtIsNil()))
	found, err := q.Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("ticket", id)
	case err != nil:
		return nil, fmt.Errorf("reading ticket %d: %w", id, err)
	}
	return found, nil
}

// Tickets is a page of the tickets that list wants.
func (r *Reader) Tickets(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*ent.Ticket], error) {
	return pageOf(view{}, view.tickets, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*ent.Ticket, error) {
		q := r.client.Ticket.Query().Where(ticket.RemovedAtIsNil(), ticket.Closed(true), view{}.ofServed, which).Order(sort).Limit(limit)
		if columns := with(columns, ticket.FieldCompanyAccountNumber); columns != nil {
			q.Select(columns...)
		}
		return q.All(ctx)
	})
}

// CountTickets is how many tickets filter wants.
func (r *Reader) CountTickets(ctx context.Context, filter Filter) (int, error) {
	return countOf(view{}, view.tickets, filter, func(which func(*sql.Selector)) (int, error) {
		return r.client.Ticket.Query().Where(ticket.RemovedAtIsNil(), ticket.Closed(true), view{}.ofServed, which).Count(ctx)
	})
}

// TicketsByCompany are the closed tickets of each company, as far as filter wants them.
func (r *Reader) TicketsByCompany(ctx context.Context, accounts []codex.AccountNumber, filter TicketFilter, columns ...string) (map[codex.AccountNumber][]*ent.Ticket, error) {
	return r.TicketsByCompanyWhere(ctx, accounts, filter, Edge{}, columns...)
}

// TicketsByCompanyWhere are those of each company that filter and edge want.
func (r *Reader) TicketsByCompanyWhere(ctx context.Context, accounts []codex.AccountNumber, filter TicketFilter, edge Edge, columns ...string) (map[codex.AccountNumber][]*ent.Ticket, error) {
	which, sort, err := edgeOf(view{}, view{}.tickets().asked(filter), edge, fieldAccount, nil, accounts, store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	rows, err := r.tickets(columns).Where(wanted[predicate.Ticket](filter), which).Order(sort).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading tickets by company: %w", err)
	}
	return groupBy(rows, func(t *ent.Ticket) codex.AccountNumber { return t.CompanyAccountNumber }), nil
}

// asked are those tickets of e that filter wants, also where they are numbered.
func (e entity) asked(filter TicketFilter) entity {
	served := e.served
	e.served = func(s *sql.Selector) {
		served(s)
		wanted[func(*sql.Selector)](filter)(s)
	}
	return e
}

func (r *Reader) tickets(columns []string) *ent.TicketQuery {
	q := r.client.Ticket.Query().Where(ticket.RemovedAtIsNil(), ticket.Closed(true))
	if columns := with(columns, ticket.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	return q
}

// TimeEntriesByTicket are the time entries of each ticket.
func (r *Reader) TimeEntriesByTicket(ctx context.Context, tickets []int, columns ...string) (map[int][]*ent.TimeEntry, error) {
	q := r.client.TimeEntry.Query().
		Where(keyIn[predicate.TimeEntry](timeentry.FieldTicketID, tickets)).
		Order(timeentry.ByID())
	if columns := with(columns, timeentry.FieldTicketID); columns != nil {
		q.Select(columns...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading time entries by ticket: %w", err)
	}
	return groupBy(rows, func(e *ent.TimeEntry) int { return e.TicketID }), nil
}
