package reconcile_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/reconcile/reconciletest"
)

// billed are the facts of a month in which company A has one machine, one person and one ticket, and is
// billed for exactly these; company B has nothing.
func billed() *reconcile.ReconcileFacts {
	long := reconcile.Span{From: at(time.June, 1, 0)}
	ended := at(time.November, 1, 1)
	return &reconcile.ReconcileFacts{
		Period: october(), Now: at(time.November, 20, 0),
		Bills: []reconcile.BillFact{{
			ID: 1, Invoice: "A-202510", Account: "A", Name: "Acme", AcceptedAt: at(time.November, 1, 3),
			Runs: map[codex.Feed]time.Time{codex.FeedFreshservice: ended, codex.FeedDatto: ended, codex.FeedTickets: ended},
			Items: reconcile.Items{
				Source: reconcile.SourceReceipt,
				Lines: []reconcile.ItemLine{
					{Kind: "user", ID: id(3), Name: "Ana", Type: "Paid", Amount: 25_00},
					{Kind: "asset", ID: id(7), Name: "PC-7", Type: "Workstation", Amount: 59_00},
				},
				Tickets: []reconcile.TicketLine{{ID: id(4711), Number: "4711", Subject: "VPN", Hours: 1_0000}},
				Rates: map[string]codex.Quantity{
					"per_user_cost": 25_0000, "per_workstation_cost": 59_0000, "per_server_cost": 149_0050, "per_hour_ticket_cost": 125_0000,
					"backup_base_fee_workstation": 15_0000, "backup_per_tb_fee": 33_3000,
				},
			},
		}},
		Companies: map[codex.AccountNumber][]reconcile.CompanySeen{"A": {{Span: long, Name: "Acme"}}, "B": {{Span: long, Name: "Beta"}}},
		Machines:  map[int][]reconcile.MachineSeen{7: {{Span: long, Account: "A", Hostname: "PC-7", Category: "Desktop"}}},
		People:    map[int][]reconcile.PersonSeen{3: {{Span: long, Name: "Ana"}}},
		Links:     map[reconcile.PersonOf][]reconcile.Span{{Account: "A", ID: 3}: {long}},
		Tickets:   map[int][]reconcile.TicketSeen{4711: {{Span: long, Account: "A", Subject: "VPN", Month: october(), Hours: 1_0000}}},
	}
}

func until(moment time.Time) reconcile.Span {
	return reconcile.Span{From: at(time.June, 1, 0), To: &moment}
}

// renumbered lets company A have had another number before.
func renumbered(f *reconcile.ReconcileFacts, when time.Time) {
	department := int64(5)
	f.Companies["A0"] = []reconcile.CompanySeen{{Span: until(when), Name: "Acme", FreshserviceID: &department}}
	f.Companies["A"] = []reconcile.CompanySeen{{Span: since(when), Name: "Acme", FreshserviceID: &department}}
}

// next is the bill of the next month of company A, from runs that ended at a moment.
func next(ended time.Time) map[codex.AccountNumber]map[codex.Feed]time.Time {
	return map[codex.AccountNumber]map[codex.Feed]time.Time{"A": {
		codex.FeedFreshservice: ended, codex.FeedDatto: ended, codex.FeedTickets: ended,
	}}
}

func since(moment time.Time) reconcile.Span { return reconcile.Span{From: moment} }

func TestADifferenceIsFoundByItsCaseAndNotByTheNextOne(t *testing.T) {
	long := since(at(time.June, 1, 0))
	beforeTheRun, meanwhile, afterTheBill := at(time.October, 20, 0), at(time.November, 1, 2), at(time.November, 5, 0)
	machine := func(f *reconcile.ReconcileFacts, spans ...reconcile.MachineSeen) { f.Machines[7] = spans }
	line := func(f *reconcile.ReconcileFacts) *reconcile.ItemLine { return &f.Bills[0].Lines[1] }
	for _, c := range []struct {
		name   string
		change func(f *reconcile.ReconcileFacts)
		want   []string // differences, what changed later, and who has no bill
	}{
		{"as it was seen", func(*reconcile.ReconcileFacts) {}, nil},
		{"gone before the run", func(f *reconcile.ReconcileFacts) {
			machine(f, reconcile.MachineSeen{Span: until(beforeTheRun), Account: "A", Hostname: "PC-7"})
		}, []string{"A billed_not_there assets:7 -59.00 -"}},
		{"gone before the run, and at no cost", func(f *reconcile.ReconcileFacts) {
			machine(f, reconcile.MachineSeen{Span: until(beforeTheRun), Account: "A", Hostname: "PC-7"})
			line(f).Amount = 0
		}, nil},
		{"gone between the run and the bill", func(f *reconcile.ReconcileFacts) {
			machine(f, reconcile.MachineSeen{Span: until(meanwhile), Account: "A", Hostname: "PC-7"})
		}, []string{"A removed assets:7 2025-11-01"}},
		{"come between the run and the bill", func(f *reconcile.ReconcileFacts) {
			f.Machines[8] = []reconcile.MachineSeen{{Span: since(meanwhile), Account: "A", Hostname: "PC-8"}}
		}, []string{"A added assets:8 2025-11-01"}},
		{"gone after the bill", func(f *reconcile.ReconcileFacts) {
			machine(f, reconcile.MachineSeen{Span: until(afterTheBill), Account: "A", Hostname: "PC-7"})
		}, []string{"A removed assets:7 2025-11-05"}},
		{"gone after the next bill", func(f *reconcile.ReconcileFacts) {
			machine(f, reconcile.MachineSeen{Span: until(afterTheBill), Account: "A", Hostname: "PC-7"})
			f.Next = next(at(time.November, 4, 0))
		}, nil},
		{"come after the next bill, and the bill corrected after that", func(f *reconcile.ReconcileFacts) {
			f.Machines[8] = []reconcile.MachineSeen{{Span: since(at(time.December, 2, 0)), Account: "A", Hostname: "PC-8"}}
			f.Now, f.Bills[0].AcceptedAt = at(time.December, 20, 0), at(time.December, 3, 3)
			for feed := range f.Bills[0].Runs {
				f.Bills[0].Runs[feed] = at(time.December, 3, 1)
			}
			f.Bills[0].Lines = append(f.Bills[0].Lines, reconcile.ItemLine{Kind: "asset", ID: id(8), Name: "PC-8", Type: "Workstation", Amount: 59_00})
			f.Next = next(at(time.December, 1, 1))
		}, nil},
		{"with another company", func(f *reconcile.ReconcileFacts) {
			machine(f, reconcile.MachineSeen{Span: until(beforeTheRun), Account: "A", Hostname: "PC-7"},
				reconcile.MachineSeen{Span: since(beforeTheRun), Account: "B", Hostname: "PC-7"})
		}, []string{"A moved assets:7 -59.00 -", "B unbilled 1 0 0.0000 - -"}},
		{"with the company under its new number", func(f *reconcile.ReconcileFacts) {
			department := int64(5)
			f.Companies = map[codex.AccountNumber][]reconcile.CompanySeen{
				"A": {{Span: until(beforeTheRun), Name: "Acme", FreshserviceID: &department}},
				"C": {{Span: since(beforeTheRun), Name: "Acme", FreshserviceID: &department}},
			}
			machine(f, reconcile.MachineSeen{Span: until(beforeTheRun), Account: "A", Hostname: "PC-7"},
				reconcile.MachineSeen{Span: since(beforeTheRun), Account: "C", Hostname: "PC-7"})
			f.Links[reconcile.PersonOf{Account: "A", ID: 3}] = []reconcile.Span{until(beforeTheRun)}
			f.Links[reconcile.PersonOf{Account: "C", ID: 3}] = []reconcile.Span{since(beforeTheRun)}
			f.Tickets[4711][0].Account = "C"
		}, nil},
		{"not on the bill, and of no cost before, under the company's old number", func(f *reconcile.ReconcileFacts) {
			renumbered(f, at(time.June, 2, 0))
			f.Bills[0].Lines = f.Bills[0].Lines[:1]
			f.Last = map[codex.AccountNumber]*reconcile.LastBill{
				"A0": {Period: codex.Period{Year: 2025, Month: time.September}, Machines: map[int]reconcile.BilledItem{7: {Type: "No Charge"}}},
				"A":  {Period: codex.Period{Year: 2025, Month: time.May}, Machines: map[int]reconcile.BilledItem{7: {Type: "Server", Cost: 1}}},
			}
		}, nil},
		{"no bill, and the last under the company's old number", func(f *reconcile.ReconcileFacts) {
			renumbered(f, at(time.June, 2, 0))
			f.Last = map[codex.AccountNumber]*reconcile.LastBill{"A0": {
				Period: codex.Period{Year: 2025, Month: time.September}, Complete: true, Rates: f.Bills[0].Rates,
				Machines: map[int]reconcile.BilledItem{7: {Type: "Server", Cost: 149_01}},
			}}
			f.Bills = nil
		}, []string{"A unbilled 1 1 1.0000 174.01 125.00"}},
		{"gone after the next bill, under the company's new number", func(f *reconcile.ReconcileFacts) {
			renumbered(f, at(time.June, 2, 0))
			f.Bills[0].Account = "A0"
			machine(f, reconcile.MachineSeen{Span: until(afterTheBill), Account: "A", Hostname: "PC-7"})
			f.Next = next(at(time.November, 4, 0))
		}, nil},
		{"on a bill under the old number and on one under the new", func(f *reconcile.ReconcileFacts) {
			renumbered(f, at(time.June, 2, 0))
			old := f.Bills[0]
			old.ID, old.Invoice, old.Account, old.Tickets = 0, "A0-202510", "A0", nil
			f.Bills = append([]reconcile.BillFact{old}, f.Bills...)
		}, []string{
			"A billed_twice assets:7 -59.00 -", "A billed_twice contacts:3 -25.00 -",
		}},
		{"not on the bill", func(f *reconcile.ReconcileFacts) { f.Bills[0].Lines = f.Bills[0].Lines[:1] },
			[]string{"A there_not_billed assets:7 59.00 -"}},
		{"not on the bill, with a backup", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = f.Bills[0].Lines[:1]
			f.Backups = map[int]codex.Bytes{7: 1 << 40}
		}, []string{"A there_not_billed assets:7 59.00 48.30"}},
		{"not on the bill, as what it was before", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = f.Bills[0].Lines[:1]
			f.Last = map[codex.AccountNumber]*reconcile.LastBill{"A": {Complete: true, Machines: map[int]reconcile.BilledItem{7: {Type: "Server", Cost: 1}}}}
		}, []string{"A there_not_billed assets:7 149.01 -"}},
		{"not on the bill, and of no cost before", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = f.Bills[0].Lines[:1]
			f.Last = map[codex.AccountNumber]*reconcile.LastBill{"A": {Machines: map[int]reconcile.BilledItem{7: {Type: "No Charge"}}}}
		}, nil},
		{"not on the bill, which tells no rate", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines, f.Bills[0].Rates = f.Bills[0].Lines[:1], nil
		}, []string{"A there_not_billed assets:7 - -"}},
		{"not on the bill but by hand", func(f *reconcile.ReconcileFacts) { line(f).ID, line(f).Name = nil, "pc-7" }, nil},
		{"twice on the bill", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = append(f.Bills[0].Lines, *line(f))
		}, []string{"A billed_twice assets:7 -59.00 -"}},
		{"twice on the bill, with its backup", func(f *reconcile.ReconcileFacts) {
			line(f).Backup = 1 << 40
			f.Bills[0].Lines = append(f.Bills[0].Lines, *line(f))
		}, []string{"A billed_twice assets:7 -59.00 -48.30"}},
		{"twice on the bill, once with its backup", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = append(f.Bills[0].Lines, *line(f))
			line(f).Backup = 1 << 40
		}, []string{"A billed_twice assets:7 -59.00 -"}},
		{"twice on the bill, once at no cost", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = append(f.Bills[0].Lines, *line(f))
			line(f).Amount = 0
		}, nil},
		{"on the bill and by hand", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = append(f.Bills[0].Lines, reconcile.ItemLine{Kind: "asset", Name: "PC-7", Type: "Custom", Amount: 10_00})
		}, []string{"A billed_twice assets:7 -10.00 -"}},
		{"by hand alone", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = append(f.Bills[0].Lines, reconcile.ItemLine{Kind: "asset", Name: "Printer", Type: "Custom", Amount: 10_00})
		}, nil},
		{"of a name that the company has not, where names alone tell", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Source = reconcile.SourceServed
			line(f).ID, line(f).Name, line(f).ByName = nil, "PC-9", true
		}, []string{"A billed_not_there assets:PC-9 -59.00 -", "A there_not_billed assets:7 59.00 -"}},
		{"by its name, where names alone tell", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Source = reconcile.SourceServed
			line(f).ID, line(f).ByName = nil, true
		}, nil},
		{"twice on the bill, dearer and as what it is", func(f *reconcile.ReconcileFacts) {
			f.Machines[7][0].Category = "Server"
			f.Bills[0].Lines = append(f.Bills[0].Lines, reconcile.ItemLine{Kind: "asset", ID: id(7), Name: "PC-7", Type: "Server", Amount: 149_01})
		}, []string{"A billed_twice assets:7 -59.00 -"}},
		{"twice on the bill, dearer the second time, and gone", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = append(f.Bills[0].Lines, reconcile.ItemLine{Kind: "asset", ID: id(7), Name: "PC-7", Type: "Server", Amount: 149_01})
			machine(f, reconcile.MachineSeen{Span: until(beforeTheRun), Account: "A", Hostname: "PC-7"})
		}, []string{"A billed_not_there assets:7 -149.01 -", "A billed_twice assets:7 -59.00 -"}},
		{"by three companies, of which the dearest stays", func(f *reconcile.ReconcileFacts) {
			line := &f.Bills[0].Lines[0]
			line.Amount = 20_00
			for i, account := range []codex.AccountNumber{"B", "C"} {
				f.Links[reconcile.PersonOf{Account: account, ID: 3}] = []reconcile.Span{long}
				other := f.Bills[0]
				other.ID, other.Invoice, other.Account, other.Tickets = 2+i, string(account)+"-202510", account, nil
				other.Lines = []reconcile.ItemLine{{Kind: "user", ID: id(3), Name: "Ana", Type: "Paid", Amount: codex.Cents(30_00 + 10_00*i)}}
				f.Bills = append(f.Bills, other)
			}
		}, []string{"C billed_twice contacts:3 -30.00 -", "B billed_twice contacts:3 -20.00 -"}},
		{"by two companies, of which one has two bills", func(f *reconcile.ReconcileFacts) {
			f.Links[reconcile.PersonOf{Account: "B", ID: 3}] = []reconcile.Span{long}
			other, again := f.Bills[0], f.Bills[0]
			other.ID, other.Invoice, other.Account, other.Tickets = 2, "B-202510", "B", nil
			other.Lines = []reconcile.ItemLine{{Kind: "user", ID: id(3), Name: "Ana", Type: "Paid", Amount: 30_00}}
			again.ID, again.Invoice, again.Tickets = 3, "A-202510-2", nil
			again.Lines = []reconcile.ItemLine{{Kind: "user", ID: id(3), Name: "Ana", Type: "Paid", Amount: 40_00}}
			f.Bills = append(f.Bills, other, again)
		}, []string{"B billed_twice contacts:3 -30.00 -", "A billed_twice contacts:3 -25.00 -"}},
		{"by the name of two, where names alone tell", func(f *reconcile.ReconcileFacts) {
			f.Machines[8] = []reconcile.MachineSeen{{Span: long, Account: "A", Hostname: "PC-7"}}
			line(f).ID, line(f).ByName = nil, true
			f.Bills[0].Lines = append(f.Bills[0].Lines, *line(f))
		}, nil},
		{"one less than there are of its name", func(f *reconcile.ReconcileFacts) {
			f.Machines[8] = []reconcile.MachineSeen{{Span: long, Account: "A", Hostname: "PC-7"}}
			line(f).ID, line(f).ByName = nil, true
		}, []string{"A there_not_billed assets:8 59.00 -"}},
		{"one more than there are of its name", func(f *reconcile.ReconcileFacts) {
			line(f).ID, line(f).ByName = nil, true
			f.Bills[0].Lines = append(f.Bills[0].Lines, *line(f))
		}, []string{"A billed_twice assets:7 -59.00 -"}},
		{"not on a bill that does not tell what costs nothing", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Source, f.Bills[0].Lines = reconcile.SourceLines, f.Bills[0].Lines[:1]
		}, nil},
		{"not on the bill, and the last did not tell what costs nothing", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = f.Bills[0].Lines[:1]
			f.Last = map[codex.AccountNumber]*reconcile.LastBill{"A": {}}
		}, []string{"A there_not_billed assets:7 - -"}},
		{"gone, and its cost cannot be read", func(f *reconcile.ReconcileFacts) {
			machine(f, reconcile.MachineSeen{Span: until(beforeTheRun), Account: "A", Hostname: "PC-7"})
			line(f).Amount, line(f).Unread = 0, true
		}, nil},
		{"twice on the bill, and one cost cannot be read", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = append(f.Bills[0].Lines, *line(f), *line(f))
			line(f).Amount, line(f).Unread = 0, true
		}, nil},
		{"of a name that the company has not, and its cost cannot be read", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Lines = append(f.Bills[0].Lines, reconcile.ItemLine{Kind: "asset", Name: "PC-9", ByName: true, Unread: true})
		}, nil},
		{"gone before the run, with a backup", func(f *reconcile.ReconcileFacts) {
			machine(f, reconcile.MachineSeen{Span: until(beforeTheRun), Account: "A", Hostname: "PC-7"})
			line(f).Backup = 2 << 40
		}, []string{"A billed_not_there assets:7 -59.00 -81.60"}},
		{"by two companies", func(f *reconcile.ReconcileFacts) {
			f.Links[reconcile.PersonOf{Account: "B", ID: 3}] = []reconcile.Span{long}
			other := f.Bills[0]
			other.ID, other.Invoice, other.Account, other.Tickets = 2, "B-202510", "B", nil
			other.Lines = []reconcile.ItemLine{{Kind: "user", ID: id(3), Name: "Ana", Type: "Paid", Amount: 30_00}}
			f.Bills = append(f.Bills, other)
		}, []string{"B billed_twice contacts:3 -25.00 -"}},
		{"another type", func(f *reconcile.ReconcileFacts) { f.Machines[7][0].Category = "Server" },
			[]string{"A type_differs assets:7 90.01 -"}},
		{"another type, which nobody can price", func(f *reconcile.ReconcileFacts) { f.Machines[7][0].Class = "rmmnetworkdevice" },
			[]string{"A type_differs assets:7 - -"}},
		{"another type, as which it is billed", func(f *reconcile.ReconcileFacts) {
			f.Machines[7][0].Category, line(f).Type = "Server", "VM"
		}, nil},
		{"a ticket less", func(f *reconcile.ReconcileFacts) { f.Bills[0].Tickets = nil },
			[]string{"A there_not_billed tickets:4711 - 125.00"}},
		{"a ticket less, and hours cost nothing", func(f *reconcile.ReconcileFacts) {
			f.Bills[0].Tickets, f.Bills[0].Rates["per_hour_ticket_cost"] = nil, 0
		}, nil},
		{"a ticket of another month", func(f *reconcile.ReconcileFacts) { f.Tickets[4711][0].Month.Month = time.September },
			[]string{"A billed_not_there tickets:4711 - -125.00"}},
		{"a ticket of another company", func(f *reconcile.ReconcileFacts) { f.Tickets[4711][0].Account = "B" },
			[]string{"A moved tickets:4711 - -125.00", "B unbilled 0 0 1.0000 - -"}},
		{"a ticket that was billed before", func(f *reconcile.ReconcileFacts) {
			f.Elsewhere = map[int][]reconcile.BilledTicket{4711: {{Period: codex.Period{Year: 2025, Month: time.September}, Invoice: "A-202509", Hours: 5000}}}
		}, []string{"A billed_twice tickets:4711 - -62.50"}},
		{"a ticket that was billed twice before", func(f *reconcile.ReconcileFacts) {
			f.Elsewhere = map[int][]reconcile.BilledTicket{4711: {
				{Period: codex.Period{Year: 2025, Month: time.August}, Invoice: "A-202508", Hours: 2500},
				{Period: codex.Period{Year: 2025, Month: time.September}, Invoice: "A-202509", Hours: 1_0000},
			}}
		}, []string{"A billed_twice tickets:4711 - -125.00"}},
		{"a ticket that went to another company between the runs of their bills", func(f *reconcile.ReconcileFacts) {
			moves := at(time.November, 2, 0)
			f.Tickets[4711] = []reconcile.TicketSeen{
				{Span: until(moves), Account: "A", Month: october(), Hours: 1_0000},
				{Span: since(moves), Account: "B", Month: october(), Hours: 1_5000},
			}
			other := f.Bills[0]
			other.ID, other.Invoice, other.Account, other.Lines = 2, "B-202510", "B", nil
			other.AcceptedAt = at(time.November, 3, 3)
			ended := at(time.November, 3, 1)
			other.Runs = map[codex.Feed]time.Time{codex.FeedFreshservice: ended, codex.FeedDatto: ended, codex.FeedTickets: ended}
			other.Tickets = []reconcile.TicketLine{{ID: id(4711), Number: "4711", Hours: 1_5000}}
			f.Bills = append(f.Bills, other)
		}, []string{"B billed_twice tickets:4711 - -125.00"}},
		{"a ticket that is billed again later", func(f *reconcile.ReconcileFacts) {
			f.Tickets[4711] = []reconcile.TicketSeen{
				{Span: until(afterTheBill), Account: "A", Month: october(), Hours: 1_0000},
				{Span: since(afterTheBill), Account: "A", Month: codex.Period{Year: 2025, Month: time.November}, Hours: 2_0000},
			}
			f.Elsewhere = map[int][]reconcile.BilledTicket{4711: {{Period: codex.Period{Year: 2025, Month: time.November}, Invoice: "A-202511", Hours: 2_0000}}}
		}, nil},
		{"hours that came late", func(f *reconcile.ReconcileFacts) {
			f.Tickets[4711] = []reconcile.TicketSeen{
				{Span: until(afterTheBill), Account: "A", Month: october(), Hours: 1_0000},
				{Span: since(afterTheBill), Account: "A", Month: october(), Hours: 1_5000},
			}
		}, []string{"A late_hours tickets:4711 2025-11-05 62.50"}},
		{"hours that were seen and not billed", func(f *reconcile.ReconcileFacts) { f.Tickets[4711][0].Hours = 3_0000 }, nil},
		{"hours that came late to some that were seen and not billed", func(f *reconcile.ReconcileFacts) {
			f.Tickets[4711] = []reconcile.TicketSeen{
				{Span: until(afterTheBill), Account: "A", Month: october(), Hours: 3_0000},
				{Span: since(afterTheBill), Account: "A", Month: october(), Hours: 3_5000},
			}
		}, []string{"A late_hours tickets:4711 2025-11-05 62.50"}},
		{"hours that came between the run and the bill", func(f *reconcile.ReconcileFacts) {
			f.Tickets[4711] = []reconcile.TicketSeen{
				{Span: until(meanwhile), Account: "A", Month: october(), Hours: 1_0000},
				{Span: since(meanwhile), Account: "A", Month: october(), Hours: 1_5000},
			}
		}, []string{"A late_hours tickets:4711 2025-11-01 62.50"}},
		{"a ticket that was closed between the run and the bill", func(f *reconcile.ReconcileFacts) {
			f.Tickets[4712] = []reconcile.TicketSeen{{Span: since(meanwhile), Account: "A", Month: october(), Hours: 2500}}
		}, []string{"A late_ticket tickets:4712 2025-11-01 31.25"}},
		{"a ticket that was closed late", func(f *reconcile.ReconcileFacts) {
			f.Tickets[4712] = []reconcile.TicketSeen{{Span: since(afterTheBill), Account: "A", Month: october(), Hours: 2500}}
		}, []string{"A late_ticket tickets:4712 2025-11-05 31.25"}},
		{"nothing that a feed brings without a run of it", func(f *reconcile.ReconcileFacts) {
			delete(f.Bills[0].Runs, codex.FeedDatto)
			f.Machines, f.Bills[0].Lines = nil, append(f.Bills[0].Lines, *line(f))
		}, nil},
		{"no bill", func(f *reconcile.ReconcileFacts) {
			f.Last = map[codex.AccountNumber]*reconcile.LastBill{"A": {
				Period: codex.Period{Year: 2025, Month: time.September}, Rates: f.Bills[0].Rates, Complete: true,
				Machines: map[int]reconcile.BilledItem{7: {Type: "Server", Cost: 149_01}},
			}}
			f.Bills = nil
		}, []string{"A unbilled 1 1 1.0000 174.01 125.00"}},
		{"no bill, of a company that came after the month, when another bill was corrected later still", func(f *reconcile.ReconcileFacts) {
			f.Now, f.Bills[0].AcceptedAt = at(time.December, 30, 0), at(time.December, 28, 0)
			f.Companies["B"][0].Span = since(at(time.December, 10, 0))
			f.Machines[8] = []reconcile.MachineSeen{{Span: since(at(time.December, 10, 0)), Account: "B", Hostname: "PC-8"}}
		}, nil},
		{"no bill, of a company that left before another bill was corrected", func(f *reconcile.ReconcileFacts) {
			f.Now, f.Bills[0].AcceptedAt = at(time.December, 30, 0), at(time.December, 28, 0)
			f.Companies["B"][0].Span = until(at(time.November, 20, 0))
			f.Machines[8] = []reconcile.MachineSeen{{Span: until(at(time.November, 20, 0)), Account: "B", Hostname: "PC-8"}}
		}, []string{"B unbilled 1 0 0.0000 - -"}},
		{"no bill, and what the first run after the month saw", func(f *reconcile.ReconcileFacts) {
			f.Ended = map[codex.Feed]time.Time{codex.FeedDatto: at(time.November, 1, 2)}
			f.Machines[8] = []reconcile.MachineSeen{{Span: since(at(time.November, 1, 1)), Account: "B", Hostname: "PC-8"}}
			f.Machines[9] = []reconcile.MachineSeen{{Span: since(at(time.November, 2, 1)), Account: "B", Hostname: "PC-9"}}
		}, []string{"B unbilled 1 0 0.0000 - -"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := billed()
			c.change(facts)
			if got := found(reconcile.Compare(*facts, nil)); !slices.Equal(got, c.want) {
				t.Errorf("found\n\t%q\nwant\n\t%q", got, c.want)
			}
		})
	}
}

// found is a reconciliation, a line for each thing.
func found(r *reconcile.Reconciliation) []string {
	var lines []string
	for _, d := range r.Differences {
		lines = append(lines, reconciletest.Line(d.Account, d.Kind, d.Item.Entity, d.Item.ID, d.Worth, d.UpTo))
	}
	for _, l := range r.Later {
		line := string(l.Account) + " " + l.Kind + " " + l.Item.String() + " " + codex.DayOf(l.At).String()
		if l.UpTo != nil {
			line += " " + l.UpTo.String()
		}
		lines = append(lines, line)
	}
	for _, u := range r.Unbilled {
		text := func(c *codex.Cents) string {
			if c == nil {
				return "-"
			}
			return c.String()
		}
		lines = append(lines, string(u.Account)+" unbilled "+strconv.Itoa(u.Machines)+" "+strconv.Itoa(u.People)+" "+
			u.Hours.String()+" "+text(u.Worth)+" "+text(u.UpTo))
	}
	return lines
}

func TestTheLargestDifferenceComesFirstAndWhatNobodyCanPriceLast(t *testing.T) {
	facts := billed()
	facts.Bills[0].Lines = facts.Bills[0].Lines[:0]
	facts.Bills[0].Tickets = nil
	delete(facts.Bills[0].Rates, "per_user_cost")
	want := []string{
		"A there_not_billed tickets:4711 - 125.00", "A there_not_billed assets:7 59.00 -", "A there_not_billed contacts:3 - -",
	}
	if got := found(reconcile.Compare(*facts, nil)); !slices.Equal(got, want) {
		t.Errorf("found\n\t%q\nwant\n\t%q", got, want)
	}
}

// Of two differences about one item each is acknowledged and shown for itself, whether their facts differ or not.
func TestOfTwoDifferencesAboutOneItemEachIsAcknowledgedForItself(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(f *reconcile.ReconcileFacts)
		want   string
	}{
		{"with facts of their own", func(f *reconcile.ReconcileFacts) {
			f.Links[reconcile.PersonOf{Account: "B", ID: 3}] = []reconcile.Span{since(at(time.June, 1, 0))}
			other := f.Bills[0]
			other.ID, other.Invoice, other.Account, other.Tickets = 2, "B-202510", "B", nil
			person := f.Bills[0].Lines[0]
			other.Lines = []reconcile.ItemLine{person, person}
			f.Bills = append(f.Bills, other)
		}, "B billed_twice contacts:3 -25.00 -"},
		{"alike", func(f *reconcile.ReconcileFacts) {
			stranger := reconcile.ItemLine{Kind: "asset", Name: "PC-9", Type: "Workstation", Amount: 59_00, ByName: true}
			f.Bills[0].Lines = append(f.Bills[0].Lines, stranger, stranger)
		}, "A billed_not_there assets:PC-9 -59.00 -"},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := billed()
			c.change(facts)
			before := reconcile.Compare(*facts, nil)
			if got := found(before); !slices.Equal(got, []string{c.want, c.want}) {
				t.Fatalf("found %q", got)
			}
			for i, d := range before.Differences {
				made := &reconcile.Acknowledgement{ID: 1, Subject: d.Subject, Period: october()}
				after := reconcile.Compare(*facts, reconcile.AcknowledgedIn(october(), []*reconcile.Acknowledgement{made}))
				for k, d := range after.Differences {
					if (d.Acknowledgement != nil) != (k == i) || d.Lapsed != nil {
						t.Errorf("of %d acknowledged, %d is acknowledged by %+v, lapsed is %+v", i, k, d.Acknowledgement, d.Lapsed)
					}
				}
			}
		})
	}
}
