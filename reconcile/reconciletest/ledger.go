package reconciletest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/contact"
	"github.com/hivematrix/codex/ent/contactcompanylink"
	"github.com/hivematrix/codex/ent/ticket"
)

// rates are a plan's, in cents; half a cent is in one of them on purpose: a bill rounds it.
type rates struct{ workstation, server, network, user, hour float64 }

func ratesOf(company int, month int) rates {
	more := float64(company) * 1.1
	if month >= 6 { // prices rise in the middle of the year
		more += 2.25
	}
	return rates{workstation: 59.005 + more, server: 149.9 + more, network: 12.35 + more, user: 25.5 + more, hour: 125 + more}
}

// cents rounds as a column of numeric(10,2) does: the shortest text of the number, half away from zero.
func cents(f float64) codex.Cents {
	c, err := archive.CentsOf(json.RawMessage(strconv.FormatFloat(f, 'f', -1, 64)))
	if err != nil {
		panic(err) // a test's own number
	}
	return c
}

func (r rates) of(billedType string) float64 {
	switch billedType {
	case "Workstation":
		return r.workstation
	case "Server":
		return r.server
	case "Switch":
		return r.network
	case "Paid":
		return r.user
	}
	return 0
}

func (r rates) effective() map[string]any {
	return map[string]any{
		"support_level": "Billed Hourly", "per_user_cost": r.user, "per_workstation_cost": r.workstation,
		"per_server_cost": r.server, "per_vm_cost": r.server, "per_switch_cost": r.network, "per_firewall_cost": r.network,
		"per_hour_ticket_cost": r.hour, "backup_base_fee_workstation": 15.0, "backup_base_fee_server": 30.0,
		"backup_included_tb": 1, "backup_per_tb_fee": 33.3,
	}
}

// row is a machine or a person as the hub serves it.
type row struct {
	ID       int
	Name     string
	Category string
	Backup   int64
	ByHand   string // the type with which it is added by hand; empty: as a workstation
}

type ticketRow struct {
	ID      int
	Subject string
	Seconds int64
}

func (t ticketRow) hours() float64 { return float64(t.Seconds) / 3600 }

// e4 is its time as a bill has it, in ten-thousandths of an hour.
func (t ticketRow) e4() codex.Quantity { return codex.Seconds(t.Seconds).Quantity() }

// draft is a bill before it is sent: what the hub serves, until somebody makes a mistake.
type draft struct {
	account codex.AccountNumber
	name    string
	rates   rates
	assets  []row
	users   []row
	tickets []ticketRow
	manual  []row // machines added by hand
}

// ledger bills. Its overrides refer to machines and people by id.
type ledger struct {
	*hub
	companies []codex.AccountNumber
	types     map[int]string // of machines, as people decided
	free      map[int]bool   // people who cost nothing
}

// served is what the hub serves of a company at this moment, for a month.
func (l *ledger) served(account codex.AccountNumber, period codex.Period) *draft {
	l.t.Helper()
	ctx := l.t.Context()
	company, err := l.db.Ent().Company.Get(ctx, account)
	l.must(err)
	d := &draft{account: account, name: company.Name, rates: ratesOf(slices.Index(l.companies, account), monthNumber(period))}
	for _, a := range l.machinesOf(account) {
		d.assets = append(d.assets, machineRow(a))
	}
	links, err := l.db.Ent().ContactCompanyLink.Query().Where(contactcompanylink.CompanyAccountNumber(account)).All(ctx)
	l.must(err)
	for _, link := range links {
		person, err := l.db.Ent().Contact.Query().Where(contact.ID(link.ContactID), contact.RemovedAtIsNil()).First(ctx)
		if ent.IsNotFound(err) {
			continue
		}
		l.must(err)
		d.users = append(d.users, row{ID: person.ID, Name: person.Name})
	}
	slices.SortFunc(d.users, func(a, b row) int { return a.ID - b.ID })
	tickets, err := l.db.Ent().Ticket.Query().Where(ticket.RemovedAtIsNil(), ticket.Closed(true), ticket.CompanyAccountNumber(account),
		ticket.LastUpdatedAtGTE(period.Start()), ticket.LastUpdatedAtLT(period.End())).Order(ticket.ByID()).All(ctx)
	l.must(err)
	for _, t := range tickets {
		d.tickets = append(d.tickets, servedTicket(t))
	}
	return d
}

func (l *ledger) machinesOf(account codex.AccountNumber) []*ent.Asset {
	l.t.Helper()
	machines, err := l.db.Ent().Asset.Query().Where(asset.RemovedAtIsNil(), asset.CompanyAccountNumber(account)).Order(asset.ByID()).All(l.t.Context())
	l.must(err)
	return machines
}

func machineRow(a *ent.Asset) row {
	r := row{ID: a.ID, Name: a.Hostname}
	if a.HardwareType != nil {
		r.Category = *a.HardwareType
	}
	if a.BackupBytes != nil {
		r.Backup = int64(*a.BackupBytes)
	}
	return r
}

// servedTicket has the hours that REST serves: a quarter where there are none.
func servedTicket(t *ent.Ticket) ticketRow {
	seconds := t.SpentSeconds
	if seconds == 0 {
		seconds = 900
	}
	return ticketRow{ID: t.ID, Subject: t.Subject, Seconds: seconds}
}

// typeOf is the type with which a machine is billed.
func (l *ledger) typeOf(id int) string {
	if decided := l.types[id]; decided != "" {
		return decided
	}
	return "Workstation"
}

func (l *ledger) userType(id int) string {
	if l.free[id] {
		return "Free"
	}
	return "Paid"
}

// decide is what people at the desk do with machines that are new to them: they set the type.
func (l *ledger) decide(machines []row) {
	for _, m := range machines {
		if l.types[m.ID] != "" {
			continue
		}
		switch {
		case m.Category == "Server", m.Category == "ESXi Host":
			l.types[m.ID] = "Server"
		case strings.Contains(m.Category, "Switch"):
			l.types[m.ID] = "Switch"
		}
	}
}

type object = map[string]any

// body is the request that Ledger sends (docs/compatibility.md, "Ledger").
func (l *ledger) body(d *draft, period codex.Period) []byte {
	l.t.Helper()
	var assets, users, manual, tickets, lines []object
	var billedAssets, billedUsers []object
	var userCharges, assetCharges, hours float64
	bill := func(into *[]object, kind, name, billedType string, cost float64) {
		*into = append(*into, object{"name": name, "type": billedType, "cost": cost})
		if cost > 0 {
			lines = append(lines, object{"line_type": kind, "item_name": name, "description": billedType, "quantity": 1, "rate": cost, "amount": cost})
		}
	}
	for _, m := range d.assets {
		assets = append(assets, object{"id": m.ID, "hostname": m.Name, "hardware_type": m.Category, "backup_data_bytes": m.Backup})
		cost := d.rates.of(l.typeOf(m.ID))
		bill(&billedAssets, "asset", m.Name, l.typeOf(m.ID), cost)
		assetCharges += cost
	}
	for _, m := range d.manual {
		kind := cmp.Or(m.ByHand, "Workstation")
		manual = append(manual, object{"hostname": m.Name, "billing_type": kind})
		bill(&billedAssets, "asset", m.Name, kind, d.rates.of(kind))
		assetCharges += d.rates.of(kind)
	}
	for _, p := range d.users {
		users = append(users, object{"id": p.ID, "name": p.Name, "email": "x@example.com"})
		cost := d.rates.of(l.userType(p.ID))
		bill(&billedUsers, "user", p.Name, l.userType(p.ID), cost)
		userCharges += cost
	}
	for _, t := range d.tickets {
		tickets = append(tickets, object{"ticket_number": strconv.Itoa(t.ID), "subject": t.Subject, "total_hours_spent": t.hours()})
		hours += t.hours()
	}
	labour := hours * d.rates.hour
	total := userCharges + assetCharges + labour
	invoice := invoiceOf(d.account, period)
	data := object{
		"client": object{"account_number": d.account, "name": d.name}, "assets": assets, "users": users,
		"manual_assets": manual, "manual_users": []object{}, "custom_line_items": []object{}, "tickets_for_billing_period": tickets,
		"receipt_data": object{
			"billed_assets": billedAssets, "billed_users": billedUsers, "billed_line_items": []object{}, "total": total,
			"total_user_charges": userCharges, "total_asset_charges": assetCharges, "total_line_item_charges": 0,
			"ticket_charge": labour, "backup_charge": 0, "billable_hours": hours, "overage_tb": 0,
		},
		"effective_rates": d.rates.effective(), "quantities": object{"workstation": len(assets)},
	}
	last := codex.DayOf(period.End()) - 1
	body, err := json.Marshal(object{
		"company_account_number": d.account, "company_name": d.name, "invoice_number": invoice,
		"billing_year": period.Year, "billing_month": int(period.Month), "invoice_date": last.String(), "due_date": (last + 30).String(),
		"billing_plan": "Gold", "contract_term": "1-Year", "support_level": "Billed Hourly", "total_amount": total,
		"total_user_charges": userCharges, "total_asset_charges": assetCharges, "total_backup_charges": 0,
		"total_ticket_charges": labour, "total_line_item_charges": 0, "user_count": len(users), "asset_count": len(assets),
		"billable_hours": hours, "billing_data_json": data, "created_by": "ana@msp.example", "notes": nil, "line_items": lines,
		"invoice_csv": "InvoiceNo,Customer,InvoiceDate,DueDate,Item(Product/Service),Description,Qty,Rate,Amount\r\n",
	})
	l.must(err)
	return body
}

func invoiceOf(account codex.AccountNumber, period codex.Period) string {
	return fmt.Sprintf("%s-%04d%02d", account, period.Year, int(period.Month))
}

func (l *ledger) send(d *draft, period codex.Period) {
	l.t.Helper()
	submission, err := archive.ParseSubmission(l.body(d, period))
	l.must(err)
	accepted, err := l.bills.Accept(l.t.Context(), submission, codex.Caller{Name: "service:ledger", Role: codex.RoleService})
	l.must(err)
	if accepted.Existing {
		l.t.Fatalf("the bill of %s for %s was there", d.account, period)
	}
	l.clock.Turn(l.clock.Now().Add(time.Second))
}

// reopen lets a bill be made anew.
func (l *ledger) reopen(account codex.AccountNumber, period codex.Period) {
	l.t.Helper()
	_, err := l.bills.Reopen(l.t.Context(), invoiceOf(account, period), "it was wrong", codex.Caller{Name: "ana@msp.example", Role: codex.RoleBilling})
	l.must(err)
}
