package reconciletest

import (
	"strconv"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/ticket"
)

// unbilled tells what the companies without a bill would hold: by the types and rates of their last bill.
func (y *Year) unbilled() {
	y.t.Helper()
	for _, account := range y.companies {
		if y.isBilled(account) {
			continue
		}
		d, last := y.ledger.served(account, y.month.period), y.last[account]
		var worth, upTo *codex.Cents
		if last != nil {
			worth = new(codex.Cents)
		}
		var hours codex.Quantity
		for _, m := range d.assets {
			if last == nil {
				continue
			}
			kind := last.types[m.ID]
			if kind == "" {
				kind = "Workstation"
			}
			*worth += cents(last.rates.of(kind))
			upTo = sum(upTo, backupCents(m, kind))
		}
		for _, p := range d.users {
			if last != nil && !last.free[p.ID] {
				*worth += cents(last.rates.user)
			}
		}
		for _, t := range d.tickets {
			hours += t.e4()
		}
		if last != nil {
			labour := hoursCents(hours, last.rates)
			upTo = sum(upTo, &labour)
		}
		y.Unbilled[y.month.period] = append(y.Unbilled[y.month.period],
			Line(account, "unbilled", strconv.Itoa(len(d.assets))+" "+strconv.Itoa(len(d.users)), hours.String(), worth, upTo))
	}
}

func sum(a, b *codex.Cents) *codex.Cents {
	if a == nil || b == nil {
		if a == nil {
			return b
		}
		return a
	}
	total := *a + *b
	return &total
}

// after tells what changed after each month's bills, from the present tables as they were at the bills.
func (y *Year) after() {
	y.t.Helper()
	y.served[codex.PeriodOf(y.month.period.End())] = y.belonging()
	for _, period := range y.Periods() {
		for _, s := range y.sent[period] {
			until := codex.PeriodOf(period.End())
			for y.sent[until] != nil && y.sent[until][invoiceOf(s.account, until)] == nil {
				// Without a bill of the next month it goes on until now.
				until = codex.PeriodOf(y.month.period.End())
			}
			y.moves(s, period, until)
			y.hours(s, period)
		}
	}
}

func (y *Year) moves(s *sent, period, until codex.Period) {
	for _, entity := range []string{"assets", "contacts"} {
		was, is := y.served[period][string(s.account)+" "+entity], y.served[until][string(s.account)+" "+entity]
		note := func(kind string, id int) {
			y.Later[period] = append(y.Later[period], Line(s.account, kind, entity, strconv.Itoa(id), nil, nil))
		}
		for id := range is {
			if !was[id] {
				note("added", id)
			}
		}
		for id := range was {
			if is[id] {
				continue
			}
			kind := "removed"
			for _, other := range y.companies {
				if y.served[until][string(other)+" "+entity][id] {
					kind = "moved"
				}
			}
			note(kind, id)
		}
	}
}

// hours are those that came late, as the tickets are now, unless a later bill has them.
func (y *Year) hours(s *sent, period codex.Period) {
	y.t.Helper()
	for _, t := range s.tickets {
		row, err := y.db.Ent().Ticket.Query().Where(ticket.ID(t.ID), ticket.RemovedAtIsNil(), ticket.Closed(true)).Only(y.t.Context())
		if ent.IsNotFound(err) {
			continue
		}
		y.must(err)
		again := false
		for _, billed := range y.tickets[t.ID] {
			again = again || billed.period.Start().After(period.Start())
		}
		if now := servedTicket(row); now.e4() > t.e4() && !again {
			worth := hoursCents(now.e4()-t.e4(), s.rates)
			y.Later[period] = append(y.Later[period], Line(s.account, "late_hours", "tickets", strconv.Itoa(t.ID), nil, &worth))
		}
	}
}
