package resolvers_test

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/resolvers"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// eachArchive runs fn on a hub whose bills a real archive keeps, on both databases.
func eachArchive(t *testing.T, fn func(t *testing.T, g *graph, bills *archive.Archive)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.World(t, db)
		bills := archive.New(archive.Options{
			DB: db, Random: rand.Reader, KeyFile: filepath.Join(t.TempDir(), "archive.key"), NewOrigin: "codex.example.com/archive",
			Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
		fn(t, newGraph(t, db, func(o *resolvers.Options) { o.Bills = bills }), bills)
	})
}

const acceptMutation = `mutation($input: AcceptBillInput!) { acceptBill(input: $input) { existing differingFields snapshot {
	invoiceNumber revision open current companyName invoiceDate dueDate totalAmount totalUserCharges userCount billableHours
	origin acceptedBy createdBy marks billingData csv notes lines { position lineType itemName description quantity rate amount } } } }`

// billInput is a bill with every field; change replaces values, nil takes one away.
func billInput(change map[string]any) map[string]any {
	input := map[string]any{
		"accountNumber": "900", "companyName": "Zebra", "invoiceNumber": "900-202511", "year": 2025, "month": 11, "invoiceDate": "2025-11-30",
		"dueDate": "2025-12-30", "billingPlan": "Gold", "contractTerm": "1 Year", "supportLevel": "All", "totalAmount": "0.3",
		"totalUserCharges": "0.1", "totalAssetCharges": "0.2", "totalBackupCharges": 0, "totalTicketCharges": "0.00", "totalLineItemCharges": "0",
		"userCount": 1, "assetCount": 2, "billableHours": "1.25", "createdBy": "ana@example.com", "notes": "a <note>",
		"billingData": `{"total": 0.30000000000000004, "a": 1}`, "csv": "Item,Amount\r\nx,0.10\r\ny,0.20\r\n",
		"lines": []any{
			map[string]any{"lineType": "user", "itemName": "Ada", "description": "d", "quantity": 1, "rate": "0.1", "amount": "0.1"},
			map[string]any{"itemName": "PC", "rate": "0.2005", "amount": "0.2"},
		},
	}
	for field, value := range change {
		if input[field] = value; value == nil {
			delete(input, field)
		}
	}
	return input
}

func TestABillIsAcceptedOverGraphQLAsItWouldBeOverREST(t *testing.T) {
	eachArchive(t, func(t *testing.T, g *graph, bills *archive.Archive) {
		got := g.ask(as(codex.RoleBilling), acceptMutation, map[string]any{"input": billInput(nil)})
		want := `{"data":{"acceptBill":{"existing":false,"differingFields":[],"snapshot":{"invoiceNumber":"900-202511","revision":1,"open":false,"current":true,` +
			`"companyName":"Zebra","invoiceDate":"2025-11-30","dueDate":"2025-12-30","totalAmount":"0.30","totalUserCharges":"0.10","userCount":1,` +
			`"billableHours":"1.2500","origin":"POSTED","acceptedBy":"the billing","createdBy":"ana@example.com","marks":[],` +
			`"billingData":{"total":0.30000000000000004,"a":1},"csv":"Item,Amount\r\nx,0.10\r\ny,0.20\r\n","notes":"a <note>","lines":[` +
			`{"position":1,"lineType":"user","itemName":"Ada","description":"d","quantity":"1.0000","rate":"0.1000","amount":"0.10"},` +
			`{"position":2,"lineType":"custom","itemName":"PC","description":null,"quantity":"1.0000","rate":"0.2005","amount":"0.20"}]}}}}` + "\n"
		if got != want {
			t.Fatalf("got  %swant %s", got, want)
		}
		body, err := json.Marshal(map[string]any{
			"company_account_number": "900", "company_name": "Zebra", "invoice_number": "900-202511", "billing_year": 2025, "billing_month": 11,
			"invoice_date": "2025-11-30", "due_date": "2025-12-30", "billing_plan": "Gold", "contract_term": "1 Year", "support_level": "All",
			"total_amount": json.Number("0.3"), "total_user_charges": 0.1, "total_asset_charges": 0.2, "user_count": 1, "asset_count": 2,
			"billable_hours": 1.25, "created_by": "ana@example.com", "notes": "a <note>",
			"billing_data_json": map[string]any{"a": 1, "total": json.Number("0.30000000000000004")}, "invoice_csv": "Item,Amount\r\nx,0.10\r\ny,0.20\r\n",
			"line_items": []any{
				map[string]any{"line_type": "user", "item_name": "Ada", "description": "d", "rate": 0.1, "amount": 0.1},
				map[string]any{"item_name": "PC", "rate": 0.2005, "amount": 0.2},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		posted, err := archive.ParseSubmission(body)
		if err != nil {
			t.Fatal(err)
		}
		again, err := bills.Accept(t.Context(), posted, codex.Caller{Name: "ledger", Role: codex.RoleService})
		if err != nil || !again.Existing || len(again.Differing) != 0 {
			t.Errorf("the same over REST: %+v, %v", again, err)
		}
	})
}

func TestABillThatIsThereIsGivenBackWithTheFieldsThatDiffer(t *testing.T) {
	eachArchive(t, func(t *testing.T, g *graph, _ *archive.Archive) {
		const short = `mutation($input: AcceptBillInput!) { acceptBill(input: $input) { existing differingFields snapshot { revision totalAmount } } }`
		send := func(change map[string]any) string {
			return g.ask(as(codex.RoleService), short, map[string]any{"input": billInput(change)})
		}
		first := `{"data":{"acceptBill":{"existing":false,"differingFields":[],"snapshot":{"revision":1,"totalAmount":"99999999.99"}}}}` + "\n"
		if got := send(map[string]any{"totalAmount": "99999999.99"}); got != first {
			t.Fatal(got)
		}
		changed := map[string]any{"totalAmount": 1, "year": 2024, "billingData": "{}", "csv": "", "lines": nil, "createdBy": nil}
		want := `{"data":{"acceptBill":{"existing":true,"differingFields":["year","totalAmount","billingData","csv","lines"],"snapshot":{"revision":1,"totalAmount":"99999999.99"}}}}` + "\n"
		if got := send(changed); got != want {
			t.Errorf("got  %swant %s", got, want)
		}
		correct := func(text, want string) {
			t.Helper()
			if got := g.ask(as(codex.RoleAdmin), text, nil); got != want+"\n" {
				t.Errorf("%s\ngot  %swant %s", text, got, want)
			}
		}
		correct(`mutation { reopenBill(invoiceNumber: "900-202511", reason: "wrong") { snapshot { revision open current events { kind reason by } } } }`,
			`{"data":{"reopenBill":{"snapshot":{"revision":1,"open":true,"current":false,"events":[{"kind":"REOPENED","reason":"wrong","by":"the admin"}]}}}}`)
		if got := send(changed); got != `{"data":{"acceptBill":{"existing":false,"differingFields":[],"snapshot":{"revision":2,"totalAmount":"1.00"}}}}`+"\n" {
			t.Error(got)
		}
		correct(`{ snapshot(invoiceNumber: "900-202511") { revision current revisions { current open } } }`,
			`{"data":{"snapshot":{"revision":2,"current":true,"revisions":[{"current":false,"open":false},{"current":true,"open":false}]}}}`)
		correct(`mutation { closeBill(invoiceNumber: "900-202511", reason: "x") { snapshot { id } } }`,
			`{"errors":[{"message":"the bill 900-202511 is closed already","path":["closeBill"],"locations":[{"line":1,"column":12}],"extensions":{"code":"CONFLICT"}}],"data":null}`)
		correct(`mutation { reopenBill(invoiceNumber: "no such", reason: "x") { snapshot { id } } }`,
			`{"errors":[{"message":"no such bill is archived","path":["reopenBill"],"locations":[{"line":1,"column":12}],"extensions":{"code":"NOT_FOUND","field":"invoiceNumber"}}],"data":null}`)
	})
}

func TestRevisionsThatDifferInADocumentAloneAreNotToldToBeTheSame(t *testing.T) {
	eachArchive(t, func(t *testing.T, g *graph, _ *archive.Archive) {
		for _, change := range []map[string]any{nil, {"csv": "Item,Amount\r\nx,0.30\r\n", "notes": nil}} {
			g.ask(as(codex.RoleAdmin), acceptMutation, map[string]any{"input": billInput(change)})
			g.ask(as(codex.RoleAdmin), `mutation { reopenBill(invoiceNumber: "900-202511", reason: "wrong") { snapshot { id } } }`, nil)
		}
		compare := func(from, to, want string) {
			t.Helper()
			got := g.ask(as(codex.RoleBilling), `{ snapshotDiff(from: {invoiceNumber: "900-202511", revision: `+from+`}, to: {invoiceNumber: "900-202511", revision: `+to+`}) {
				fields { field } added { id } removed { id } changed { fields } unchanged documents } }`, nil)
			if want = `{"data":{"snapshotDiff":{"fields":[],"added":[],"removed":[],"changed":[],"unchanged":2,"documents":` + want + "}}}\n"; got != want {
				t.Errorf("got  %swant %s", got, want)
			}
		}
		compare("1", "2", `["CSV","NOTES"]`)
		compare("2", "2", `[]`)
	})
}

// told is the field and message of an answer's only error.
func told(t *testing.T, body string) string {
	t.Helper()
	var answer struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code, Field string }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Errors) != 1 {
		return body
	}
	e := answer.Errors[0]
	return strings.TrimSpace(e.Extensions.Code + " " + e.Extensions.Field + ": " + e.Message)
}

func TestWhatIsWrongWithABillNamesTheFieldOfTheInput(t *testing.T) {
	eachArchive(t, func(t *testing.T, g *graph, _ *archive.Archive) {
		line := map[string]any{"itemName": "", "rate": "1", "amount": "1"}
		for _, tc := range []struct {
			change map[string]any
			want   string
		}{
			{map[string]any{"month": 13}, "BAD_USER_INPUT month: give a whole number from 1 to 12"},
			{map[string]any{"accountNumber": ""}, "BAD_USER_INPUT accountNumber: it must not be empty"},
			{map[string]any{"billingData": "[]"}, "BAD_USER_INPUT billingData: give a JSON object, or a text that holds one"},
			{map[string]any{"totalAmount": "123456789.00"}, "BAD_USER_INPUT totalAmount: a number here has at most 8 digits before the point"},
			{map[string]any{"lines": []any{line}}, "BAD_USER_INPUT lines[0].itemName: it must not be empty"},
			{map[string]any{"userCount": -1}, "BAD_USER_INPUT userCount: give a whole number from 0 to 99999999"},
		} {
			got := told(t, g.ask(as(codex.RoleAdmin), acceptMutation, map[string]any{"input": billInput(tc.change)}))
			if got != tc.want {
				t.Errorf("%v\ngot  %s\nwant %s", tc.change, got, tc.want)
			}
		}
		for _, tc := range []struct{ text, want string }{
			{`{ snapshot(invoiceNumber: "1", revision: 0) { id } }`, "BAD_USER_INPUT revision: revisions count from 1"},
			{`{ snapshotDiff(from: {invoiceNumber: "1"}, to: {invoiceNumber: "1", revision: -1}) { unchanged } }`, "BAD_USER_INPUT to: revisions count from 1"},
			{`{ snapshotDiff(from: {invoiceNumber: "620547-202510"}, to: {invoiceNumber: "B-2-202510"}) { unchanged } }`,
				"BAD_USER_INPUT to: B-2-202510 is a bill of B-2, and 620547-202510 one of 620547: compare two of one company"},
			{`{ snapshots(filter: {totalAmount: {eq: "0.123"}}) { nodes { id } } }`, "BAD_USER_INPUT filter: filter.totalAmount.eq: an amount has at most two decimals, not 0.1230"},
			{`{ snapshots(filter: {billingMonth: {eq: "October"}}) { nodes { id } } }`, "BAD_USER_INPUT filter: filter.billingMonth.eq: a month is YYYY-MM, such as 2025-10"},
			{`mutation { reopenBill(invoiceNumber: "620547-202510", reason: " ") { snapshot { id } } }`, "BAD_USER_INPUT reason: say why: it stands in the log for ever"},
		} {
			if got := told(t, g.ask(as(codex.RoleAdmin), tc.text, nil)); got != tc.want {
				t.Errorf("%s\ngot  %s\nwant %s", tc.text, got, tc.want)
			}
		}
	})
}

func TestAServiceOfCoreHandsInBillsWhereItIsGrantedAndNothingElse(t *testing.T) {
	g := onWorld(t)
	ledger := codex.Caller{Name: "service:ledger", Role: codex.RoleService, Core: "ledger", Grants: codex.GrantBills}
	other := codex.Caller{Name: "service:helm", Role: codex.RoleService, Core: "helm", Grants: codex.GrantSyncs}
	accept := map[string]any{"input": billInput(nil)}
	if got := codes(t, g.ask(codex.WithCaller(t.Context(), ledger), acceptMutation, accept)); got != "ok" {
		t.Errorf("Ledger: %s", got)
	}
	if got := told(t, g.ask(codex.WithCaller(t.Context(), ledger), "mutation { syncDatto { run { id } } }", nil)); got != "FORBIDDEN : the service ledger only reads: [auth] sync_services does not name it" {
		t.Errorf("a sync by Ledger: %s", got)
	}
	if got := told(t, g.ask(codex.WithCaller(t.Context(), other), acceptMutation, accept)); got != "FORBIDDEN : the service helm only reads: Ledger alone hands in bills" {
		t.Errorf("another service: %s", got)
	}
	if len(g.bills.asked) != 1 {
		t.Errorf("the archive was asked %v", g.bills.asked)
	}
}
