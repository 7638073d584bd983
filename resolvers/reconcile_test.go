package resolvers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/reconcile"
)

// fakeBilled has one reconciliation, with everything that one may have, of every month but those ahead.
type fakeBilled struct{}

func (fakeBilled) Rebuild(context.Context) (int, error) { return 12, nil }

func (fakeBilled) Reconcile(_ context.Context, period codex.Period) (*reconcile.Reconciliation, error) {
	if period.Year > 2026 {
		return nil, codex.BadInput("month", "%s lies ahead", period)
	}
	at := time.Date(2025, 11, 2, 6, 0, 0, 0, time.UTC)
	worth, upTo, hours, held := codex.Cents(-5901), codex.Cents(12500), codex.Cents(-15625), codex.Cents(22801)
	last := codex.Period{Year: 2025, Month: time.September}
	machine := reconcile.Item{Entity: "assets", ID: "1", Name: "=SRV-1"}
	return &reconcile.Reconciliation{
		Period: period, At: at,
		Bills: []*reconcile.BillCompared{
			{ID: 1, Invoice: "620547-202510", Account: "620547", Company: "Acme", Source: "names", Problem: "effective_rates.per_vm_cost: give a number", NotCompared: []codex.Feed{codex.FeedTickets}},
			{ID: 2, Invoice: "C-3-202510", Account: "C-3", Company: "Gamma", Source: "receipt"},
		},
		Differences: []*reconcile.Difference{
			{
				Subject: reconcile.Subject{Account: "620547", Kind: "moved", Item: machine, Fingerprint: "f1"}, Company: "Acme", Invoice: "620547-202510",
				Seen: "=SRV-1 is billed with 59.01, and was with Beta.", Before: "620547", Now: "B-2", Worth: &worth, Lapsed: acknowledgements()[1],
			},
			{
				Subject: reconcile.Subject{Account: "B-2", Kind: "billed_twice", Fingerprint: "f2", Item: reconcile.Item{Entity: "tickets", ID: "4711", Name: "Printer"}},
				Company: "Beta", Invoice: "B-2-202510", Seen: "The ticket is billed twice.", UpTo: &hours, Acknowledgement: acknowledgements()[1],
			},
		},
		Later: []*reconcile.Later{{
			Account: "620547", Company: "Acme", Kind: "late_hours", At: at, Seen: "It has more hours.", UpTo: &upTo,
			Item: reconcile.Item{Entity: "tickets", ID: "4712", Name: "VPN"},
		}},
		Unbilled: []*reconcile.Unbilled{{Account: "C-3", Company: "Gamma", Last: &last, Machines: 3, People: 2, Hours: 1_2500, Worth: &held, UpTo: &upTo}},
	}, nil
}

func TestTheReconciliationIsAnsweredAsItIs(t *testing.T) {
	g := onWorld(t)
	for _, c := range []struct{ name, text, want string }{
		{"all of it",
			`{ reconciliation(year: 2025, month: 10) { month at open bills { invoiceNumber accountNumber company source problem notCompared }
				differences { kind accountNumber company invoiceNumber item { entity id name } seen before now worth upTo fingerprint acknowledgement { id } lapsed { id } }
				later { kind accountNumber company item { id } at seen upTo }
				unbilled { accountNumber company lastBilled machines people hours worth upTo } } }`,
			`{"data":{"reconciliation":{"month":"2025-10","at":"2025-11-02T06:00:00Z","open":1,"bills":[{"invoiceNumber":"620547-202510","accountNumber":"620547","company":"Acme","source":"names","problem":"effective_rates.per_vm_cost: give a number","notCompared":["TICKETS"]},` +
				`{"invoiceNumber":"C-3-202510","accountNumber":"C-3","company":"Gamma","source":"receipt","problem":null,"notCompared":[]}],` +
				`"differences":[{"kind":"moved","accountNumber":"620547","company":"Acme","invoiceNumber":"620547-202510","item":{"entity":"assets","id":"1","name":"=SRV-1"},"seen":"=SRV-1 is billed with 59.01, and was with Beta.","before":"620547","now":"B-2","worth":"-59.01","upTo":null,"fingerprint":"f1","acknowledgement":null,"lapsed":{"id":"1"}},` +
				`{"kind":"billed_twice","accountNumber":"B-2","company":"Beta","invoiceNumber":"B-2-202510","item":{"entity":"tickets","id":"4711","name":"Printer"},"seen":"The ticket is billed twice.","before":null,"now":null,"worth":null,"upTo":"-156.25","fingerprint":"f2","acknowledgement":{"id":"1"},"lapsed":null}],` +
				`"later":[{"kind":"late_hours","accountNumber":"620547","company":"Acme","item":{"id":"4712"},"at":"2025-11-02T06:00:00Z","seen":"It has more hours.","upTo":"125.00"}],` +
				`"unbilled":[{"accountNumber":"C-3","company":"Gamma","lastBilled":"2025-09","machines":3,"people":2,"hours":"1.2500","worth":"228.01","upTo":"125.00"}]}}}`},
		{"some companies",
			`{ reconciliation(year: 2025, month: 10, accountNumbers: ["B-2", "0"]) { open bills { invoiceNumber } differences { kind } later { kind } unbilled { company } } }`,
			`{"data":{"reconciliation":{"open":0,"bills":[],"differences":[{"kind":"billed_twice"}],"later":[],"unbilled":[]}}}`},
		{"as a table",
			`{ reconciliation(year: 2025, month: 10, accountNumbers: ["620547", "C-3"]) { csv } }`,
			`{"data":{"reconciliation":{"csv":"list,account_number,company,invoice_number,kind,entity,id,name,before,now,worth,up_to,seen,at,acknowledged_by,note\n` +
				`difference,620547,Acme,620547-202510,moved,assets,1,'=SRV-1,620547,B-2,-59.01,,\"'=SRV-1 is billed with 59.01, and was with Beta.\",,,\n` +
				`later,620547,Acme,,late_hours,tickets,4712,VPN,,,,125.00,It has more hours.,2025-11-02T06:00:00Z,,\n` +
				`unbilled,C-3,Gamma,,unbilled,,,,,,228.01,125.00,\"3 machines, 2 people, 1.2500 hours.\",,,\n"}}}`},
	} {
		if got := strings.TrimSpace(g.ask(as(codex.RoleBilling), c.text, nil)); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
	if got, want := strings.TrimSpace(g.ask(as(codex.RoleAdmin), `mutation { rebuildBilledItems { bills } }`, nil)), `{"data":{"rebuildBilledItems":{"bills":12}}}`; got != want {
		t.Errorf("it is %s, want %s", got, want)
	}
	for text, want := range map[string]string{
		`{ reconciliation(year: 2025, month: 0) { open } }`:  "BAD_USER_INPUT",
		`{ reconciliation(year: 2027, month: 1) { open } }`:  "BAD_USER_INPUT",
		`mutation { rebuildBilledItems { bills } }`:          "FORBIDDEN",
		`{ reconciliation(year: 2025, month: 10) { byId } }`: "GRAPHQL_VALIDATION_FAILED",
	} {
		if got := codes(t, g.ask(as(codex.RoleBilling), text, nil)); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}
