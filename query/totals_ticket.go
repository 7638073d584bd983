package query

import (
	"context"
	"fmt"
	"maps"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/ticket"
	"github.com/hivematrix/codex/ent/timeentry"
	"github.com/hivematrix/codex/store"
)

// TimeSpent is a sum of time that was worked.
type TimeSpent codex.Seconds

// Seconds is it exactly.
func (t TimeSpent) Seconds() codex.Seconds { return codex.Seconds(t) }

// Hours is it in hours, rounded once, after it was summed up: see [codex.Seconds.Quantity].
func (t TimeSpent) Hours() codex.Quantity { return codex.Seconds(t).Quantity() }

// TicketTotals sums up tickets.
type TicketTotals struct {
	Count       int
	Worked      TimeSpent // all entries, as booked
	Billed      TimeSpent // by the [Rules], ticket by ticket
	NonBillable TimeSpent // the part of Worked that is booked as not billable
}

// TicketGroup are tickets that have the same values in what they are grouped by. What they are not
// grouped by is nil.
//
// By technician the groups are of time entries: Worked and NonBillable are those of a technician, and
// Count the tickets on which he or she booked any. A ticket is then in the group of each who worked on
// it, and in that of nobody where there is no entry. What a ticket is billed with (0.25 h where
// nothing was booked) belongs to no technician, so that Billed is nil.
type TicketGroup struct {
	Account      *codex.AccountNumber `sql:"by_company_account_number"`
	BillingMonth *string              `sql:"by_billing_month"`
	TechnicianID *int64               `sql:"by_agent_id"` // nil too: an entry or ticket of nobody
	Status       *string              `sql:"by_status"`
	Priority     *string              `sql:"by_priority"`
	Count        int                  `sql:"records"`
	Worked       TimeSpent            `sql:"worked"`
	Billed       *TimeSpent           `sql:"billed"`
	NonBillable  TimeSpent            `sql:"non_billable"`
}

// PastTicketGroup is a group of tickets as they were.
type PastTicketGroup struct {
	TicketGroup
	Past *Past
}

// ticketGroups are by what tickets are grouped. Who booked what has no past.
func (v view) ticketGroups() []attribute {
	groups := []attribute{
		{"company", fieldAccount, kindID},
		{"billingMonth", columnMonth, kindMonth},
		{"status", ticket.FieldStatus, kindText},
		{"priority", ticket.FieldPriority, kindText},
	}
	if v.past == nil {
		groups = append(groups, attribute{"technician", timeentry.FieldAgentID, kindIntID})
	}
	return groups
}

// ticketTotals is a question for sums of tickets, and the statement that answers it.
func (v view) ticketTotals(rules Rules, filter Filter, groupBy []GroupBy) (*totals, func(*sql.Selector), error) {
	e := v.tickets()
	e.computed = maps.Clone(e.computed)
	e.computed[timeentry.FieldAgentID] = computed{expr: func(s *sql.Selector) sql.Querier {
		return sql.Raw(entriesOf(s).C(timeentry.FieldAgentID))
	}}
	t, err := v.totals(e, v.ticketGroups(), filter, groupBy)
	if err != nil {
		return nil, nil, err
	}
	if t.by(timeentry.FieldAgentID) {
		return t, t.read(func(s *sql.Selector) { sumEntries(s, e.key) }), nil
	}
	return t, t.read(func(s *sql.Selector) {
		aggregate(s, "records", "COUNT", sql.Raw("*"))
		aggregate(s, "worked", "SUM", sql.Raw(s.C(ticket.FieldSpentSeconds)))
		aggregate(s, "non_billable", "SUM", sql.Raw(s.C(ticket.FieldUnbillableSeconds)))
		aggregate(s, "billed", "SUM", rules.billedExpr(s))
	}), nil
}

// billedExpr is what [Reader.billed] says of a ticket.
func (r Rules) billedExpr(s *sql.Selector) sql.Querier {
	booked := s.C(ticket.FieldSpentSeconds)
	if !r.BillNonBillable {
		booked = "(" + booked + " - " + s.C(ticket.FieldUnbillableSeconds) + ")"
	}
	return sql.ExprFunc(func(b *sql.Builder) {
		b.WriteString("CASE WHEN " + booked + " = 0 THEN ").Arg(int64(r.DefaultHours)).WriteString(" ELSE " + booked + " END")
	})
}

// entriesOf are the time entries of the tickets of s, once they are joined.
func entriesOf(s *sql.Selector) *sql.SelectTable {
	return sql.Dialect(s.Dialect()).Table(timeentry.Table).As("entry")
}

// sumEntries adds up the time entries of tickets, also of those that have none.
func sumEntries(s *sql.Selector, key string) {
	entry := entriesOf(s)
	s.LeftJoin(entry).On(s.C(key), entry.C(timeentry.FieldTicketID))
	spent := entry.C(timeentry.FieldSpentSeconds)
	aggregate(s, "records", "COUNT", sql.Raw("DISTINCT "+s.C(key)))
	aggregate(s, "worked", "SUM", sql.Raw(spent))
	aggregate(s, "non_billable", "SUM", sql.Raw("CASE WHEN "+entry.C(timeentry.FieldBillable)+" THEN 0 ELSE "+spent+" END"))
}

// TicketTotals adds up the tickets that filter wants, by groups, without reading them one by one. Without
// groupBy there is one group. Groups come in the order of what they are grouped by; more than
// [MaxGroups] are a [codex.CodeCostLimit] error.
func (r *Reader) TicketTotals(ctx context.Context, filter Filter, groupBy []GroupBy) ([]*TicketGroup, error) {
	groups, err := r.ticketGroups(ctx, filter, groupBy, MaxGroups+1, view{}.ofServed)
	if err != nil {
		return nil, err
	}
	return allGroups(groups)
}

// TicketTotalsByCompany adds up those tickets of each company that filter wants.
func (r *Reader) TicketTotalsByCompany(ctx context.Context, accounts []codex.AccountNumber, filter Filter) (map[codex.AccountNumber]TicketTotals, error) {
	groups, err := r.ticketGroups(ctx, filter, []GroupBy{"company"}, len(accounts), store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	return ticketTotalsOf(groups), nil
}

func ticketTotalsOf(groups []TicketGroup) map[codex.AccountNumber]TicketTotals {
	totals := make(map[codex.AccountNumber]TicketTotals, len(groups))
	for _, g := range groups {
		totals[*g.Account] = TicketTotals{Count: g.Count, Worked: g.Worked, Billed: *g.Billed, NonBillable: g.NonBillable}
	}
	return totals
}

func (r *Reader) ticketGroups(ctx context.Context, filter Filter, groupBy []GroupBy, limit int, among func(*sql.Selector)) ([]TicketGroup, error) {
	t, read, err := view{}.ticketTotals(r.rules, filter, groupBy)
	if err != nil {
		return nil, err
	}
	var groups []TicketGroup
	err = r.client.Ticket.Query().Where(t.entity.served, among, t.listing.filter).
		Limit(limit).Modify(read).Scan(ctx, &groups)
	if err != nil {
		return nil, fmt.Errorf("adding up tickets: %w", err)
	}
	return t.withBilled(groups), nil
}

// withBilled are groups in which no ticket is billed with nothing, but for those by technician.
func (t *totals) withBilled(groups []TicketGroup) []TicketGroup {
	for i := range groups {
		if groups[i].Billed == nil && !t.by(timeentry.FieldAgentID) {
			groups[i].Billed = new(TimeSpent)
		}
	}
	return groups
}

// TicketTotals adds up the tickets that filter wants as they were; see [Reader.TicketTotals].
func (p *Past) TicketTotals(ctx context.Context, filter Filter, groupBy []GroupBy) ([]*PastTicketGroup, error) {
	groups, err := p.ticketGroups(ctx, filter, groupBy, MaxGroups+1, view{p}.ofServed)
	if err != nil {
		return nil, err
	}
	all, err := allGroups(groups)
	return wrapped(all, func(g *TicketGroup) *PastTicketGroup { return &PastTicketGroup{*g, p} }), err
}

// TicketTotalsByCompany adds up those tickets that each company had that filter wants.
func (p *Past) TicketTotalsByCompany(ctx context.Context, accounts []codex.AccountNumber, filter Filter) (map[codex.AccountNumber]TicketTotals, error) {
	groups, err := p.ticketGroups(ctx, filter, []GroupBy{"company"}, len(accounts), store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	return ticketTotalsOf(groups), nil
}

func (p *Past) ticketGroups(ctx context.Context, filter Filter, groupBy []GroupBy, limit int, among func(*sql.Selector)) ([]TicketGroup, error) {
	t, read, err := view{p}.ticketTotals(p.reader.rules, filter, groupBy)
	if err != nil {
		return nil, err
	}
	var groups []TicketGroup
	err = p.reader.client.TicketVersion.Query().Where(t.entity.served, among, t.listing.filter).
		Limit(limit).Modify(read).Scan(ctx, &groups)
	if err != nil {
		return nil, fmt.Errorf("adding up tickets of the past: %w", err)
	}
	return t.withBilled(groups), nil
}
