package simulator_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hivematrix/codex/simulator"
)

var update = flag.Bool("update", false, "write the golden files anew")

// desk is a Ledger with a small Codex and Archive behind it, which serve what a test says.
type desk struct {
	*simulator.Server
	t *testing.T

	mu     sync.Mutex
	serves map[string]string // what Codex serves, by path and query; all else is 404
	asked  []string          // method, path and who asked, in their order
	posted []string          // bodies of POST /api/snapshot
	answer func(n int) (int, string)
	blocks func() // is called before each answer; nil is nothing
}

// contosos are what Codex serves of a company with a machine of each kind of row that matters.
func contosos() map[string]string {
	return map[string]string{
		"/api/companies/620547": `{"account_number":"620547","name":"Contoso, Ltd","billing_plan":" Gold ","contract_term_length":"1 Year","contract_start_date":"2026-01-01"}`,
		"/api/companies/620547/assets": `[{"id":1,"hostname":"CONTOSO-WS1","datto_uid":"u1","backup_data_bytes":549755813888},` +
			`{"id":2,"hostname":"CONTOSO-SRV1","datto_uid":"u2","backup_data_bytes":0},{"id":3,"hostname":"CONTOSO-SW1","datto_uid":"u3","backup_data_bytes":null}]`,
		"/api/companies/620547/contacts":  `[{"id":11,"name":"Ana Ruiz","email":"ana@contoso.example","active":true},{"id":12,"name":"Ben","email":"ben@contoso.example","active":false}]`,
		"/api/companies/620547/locations": `[{"id":21,"name":"Main Office","address":null,"phone_number":null}]`,
		"/api/companies/620547/tickets": `[{"ticket_id":101,"ticket_number":"101","subject":"Printer","last_updated_at":"2026-05-01T00:00:00Z","total_hours_spent":1.55},` +
			`{"ticket_id":102,"ticket_number":"102","subject":"\"VPN\", slow","last_updated_at":"2026-05-31T23:59:59Z","total_hours_spent":0.25},` +
			`{"ticket_id":103,"ticket_number":"103","subject":"Earlier","last_updated_at":"2026-04-30T23:59:59Z","total_hours_spent":2.5},` +
			`{"ticket_id":104,"ticket_number":"104","subject":"Later","last_updated_at":"2026-06-01T00:00:00Z","total_hours_spent":8}]`,
		"/billing-plans/api/plans/Gold/1%20Year":               `{"status":"success","plan":` + goldPlan + `}`,
		"/api/billing-plans?plan_name=Gold&term_length=1+Year": `[` + goldPlan + `]`,
	}
}

const goldPlan = `{"id":1,"plan_name":"Gold","billing_plan":"Gold","term_length":"1 Year","support_level":"Billed Hourly","per_user_cost":30.88,` +
	`"per_workstation_cost":61.705,"per_server_cost":180.41,"per_vm_cost":99.9,"per_switch_cost":14.35,"per_firewall_cost":39.9,"per_hour_ticket_cost":149.95,` +
	`"backup_base_fee_workstation":15.0,"backup_base_fee_server":45.0,"backup_included_tb":0.25,"backup_per_tb_fee":33.3}`

func ledger(t *testing.T, generation simulator.LedgerGeneration) *desk {
	t.Helper()
	d := &desk{t: t, serves: contosos(), answer: func(int) (int, string) { return 201, `{"message":"Snapshot created successfully"}` }}
	neighbours := httptest.NewServer(http.HandlerFunc(d.serve))
	t.Cleanup(neighbours.Close)
	var err error
	d.Server, err = simulator.Start(t.Context(), simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1,
		Ledger: simulator.LedgerSettings{Generation: generation, CodexURL: neighbours.URL}}, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) serve(w http.ResponseWriter, r *http.Request) {
	claims := claimsOf(d.t, d.Server, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if d.blocks != nil {
		d.blocks()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r.Method+" "+r.URL.RequestURI()+" "+claims["calling_service"].(string)+" for "+claims["target_service"].(string))
	status, text := http.StatusNotFound, `{"error":"not found"}`
	if r.Method == http.MethodPost {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			d.t.Error(err)
		}
		d.posted = append(d.posted, string(body))
		status, text = d.answer(len(d.posted))
	} else if served, ok := d.serves[r.URL.RequestURI()]; ok {
		status, text = http.StatusOK, served
	}
	w.WriteHeader(status)
	if _, err := io.WriteString(w, text); err != nil {
		d.t.Log(err)
	}
}

// ask sends a request to Ledger and gives status and body.
func (d *desk) ask(method, path, token, body string) (int, string) {
	d.t.Helper()
	return d.send(method, d.LedgerURL+path, "application/json", token, body)
}

// send is a request's status and body; 0 where there is no answer, and no body where that ends too soon.
func (d *desk) send(method, address, contentType, token, body string) (int, string) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return response.StatusCode, ""
	}
	return response.StatusCode, string(text)
}

func (d *desk) billing() string { return d.UserToken(simulator.CoreUser{Level: "billing"}) }

const may = `{"account_number":"620547","year":2026,"month":5,"notes":"for the test"}`

// accept asks for the bill of May.
func (d *desk) accept() (int, string) {
	d.t.Helper()
	return d.ask("POST", "/api/bill/accept", d.billing(), may)
}

// count is how many bills Archive got.
func (d *desk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.posted)
}

// sent is the n-th body that Archive got.
func (d *desk) sent(n int) map[string]json.RawMessage {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.posted) <= n {
		d.t.Fatalf("%d bills were posted", len(d.posted))
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal([]byte(d.posted[n]), &body); err != nil {
		d.t.Fatal(err)
	}
	return body
}

// reads is what Ledger reads of Contoso for one bill, the plan included.
func reads(plan string) []string {
	list := []string{}
	for _, path := range []string{"", "/assets", "/contacts", "/locations", "/tickets"} {
		list = append(list, "GET /api/companies/620547"+path+" ledger for codex")
	}
	if plan != "" {
		list = append(list, "GET "+plan+" ledger for codex")
	}
	return list
}

// withoutTerm is Contoso as Ledger A is served it.
const withoutTerm = `{"account_number":"620547","name":"Contoso, Ltd","billing_plan":"Gold"}`

func TestEachLedgerReadsEverythingTwiceAndSendsOrKeepsTheBill(t *testing.T) {
	for _, c := range []struct {
		generation simulator.LedgerGeneration
		plan       string // where its plan is read
		posts      bool
	}{
		{simulator.LedgerA, "", true},
		{simulator.LedgerB, "/api/billing-plans?plan_name=Gold&term_length=1+Year", true},
		{simulator.LedgerC, "/billing-plans/api/plans/Gold/1%20Year", false},
	} {
		t.Run(string(c.generation), func(t *testing.T) {
			d := ledger(t, c.generation)
			if c.generation == simulator.LedgerA {
				d.serves["/api/companies/620547"] = withoutTerm
			}
			status, text := d.accept()
			if status != 201 || text != `{"success":true,"message":"Bill accepted and archived successfully","invoice_number":"620547-202605"}` {
				t.Fatalf("%d %s", status, text)
			}
			want := append(reads(c.plan), reads(c.plan)...)
			if c.posts {
				want = append(want, "POST /api/snapshot ledger for archive")
			}
			if !slices.Equal(d.asked, want) {
				t.Errorf("it asked\n%s\nwant\n%s", strings.Join(d.asked, "\n"), strings.Join(want, "\n"))
			}
			if kept, err := d.LedgerBills(); err != nil || (len(kept) == 1) == c.posts {
				t.Errorf("it keeps %d bills, %v", len(kept), err)
			}
			status, _ = d.ask("GET", "/archive/api/snapshot/620547-202605", d.billing(), "")
			if want := map[bool]int{true: 404, false: 200}[c.posts]; status != want {
				t.Errorf("its own archive answers %d, want %d", status, want)
			}
		})
	}
}

func TestTheBillThatLedgerSends(t *testing.T) {
	d := ledger(t, simulator.LedgerB)
	if status, text := d.accept(); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	golden(t, "ledger-b-submission.json", d.posted[0])
}

func TestTheBillThatLedgerKeeps(t *testing.T) {
	d := ledger(t, simulator.LedgerC)
	if status, text := d.accept(); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	for _, token := range []string{d.billing(), d.ServiceToken("codex", "ledger"), d.UserToken(simulator.CoreUser{Level: "technician"})} {
		_, object := d.ask("GET", "/archive/api/snapshot/620547-202605", token, "")
		golden(t, "ledger-c-snapshot.json", object)
		_, csv := d.ask("GET", "/archive/api/snapshot/620547-202605/csv", token, "")
		golden(t, "ledger-c-invoice.csv", csv)
	}
	kept, err := d.LedgerBills()
	if err != nil || len(kept) != 1 || kept[0].Invoice != "620547-202605" {
		t.Fatalf("%v, %v", kept, err)
	}
	golden(t, "ledger-c-snapshot.json", string(kept[0].Object)+"\n")
	golden(t, "ledger-c-invoice.csv", string(kept[0].CSV))
}

// golden compares with a file of testdata, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s\ngot  %s\nwant %s", name, got, want)
	}
}

func TestWhoMayHaveABillAccepted(t *testing.T) {
	d := ledger(t, simulator.LedgerC)
	user := func(level string) string { return d.UserToken(simulator.CoreUser{Level: level}) }
	claims := func(change func(map[string]any)) string {
		c := map[string]any{"iss": simulator.CoreIssuer, "sub": "kc-1", "permission_level": "billing", "exp": simulator.StandingClock().Unix() + 60}
		change(c)
		return d.SignToken(nil, c)
	}
	const page = "<!doctype html>\n<html lang=en>\n<title>%[1]s</title>\n<h1>%[2]s</h1>\n"
	for _, c := range []struct {
		name, token string
		status      int
		text        string
	}{
		{"a service", d.ServiceToken("codex", "ledger"), 403, `{"error":"This endpoint is for users only"}`},
		{"a technician", user("technician"), 403, fmt.Sprintf(page, "403 Forbidden", "Forbidden")},
		{"a client", user("client"), 403, fmt.Sprintf(page, "403 Forbidden", "Forbidden")},
		{"nobody", "", 401, fmt.Sprintf(page, "401 Unauthorized", "Unauthorized")},
		{"a word", "word", 401, fmt.Sprintf(page, "401 Unauthorized", "Unauthorized")},
		{"a changed token", user("billing") + "x", 401, fmt.Sprintf(page, "401 Unauthorized", "Unauthorized")},
		{"a token that is over", claims(func(c map[string]any) { c["exp"] = simulator.StandingClock().Unix() }), 401, fmt.Sprintf(page, "401 Unauthorized", "Unauthorized")},
		{"another issuer's", claims(func(c map[string]any) { c["iss"] = "hivematrix.core" }), 401, fmt.Sprintf(page, "401 Unauthorized", "Unauthorized")},
		{"billing", claims(func(map[string]any) {}), 201, `{"success":true,"message":"Bill accepted and archived successfully","invoice_number":"620547-202605"}`},
		{"an admin, of a bill that is there", user("admin"), 409, `{"success":false,"error":"This bill has already been archived"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, text := d.ask("POST", "/api/bill/accept", c.token, may); status != c.status || text != c.text {
				t.Errorf("%d %s, want %d %s", status, text, c.status, c.text)
			}
		})
	}
}

func TestWhatLedgerSaysOfABillThatItCannotMake(t *testing.T) {
	broken := "<!doctype html>\n<html lang=en>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>\n"
	const unable = `{"success":false,"error":"Unable to calculate billing for this company"}`
	for _, c := range []struct {
		name       string
		generation simulator.LedgerGeneration
		serves     map[string]string // in place of what is served else; "" is nothing
		body       string
		status     int
		text       string
	}{
		{"no JSON", "C", nil, `[]`, 400, `{"error":"account_number, year, and month are required"}`},
		{"a key is missing", "C", nil, `{"account_number":"620547","year":2026}`, 400, `{"error":"account_number, year, and month are required"}`},
		{"a month that is none", "C", nil, `{"account_number":"620547","year":2026,"month":13}`, 500, broken},
		{"a year that is a text", "C", nil, `{"account_number":"620547","year":"2026","month":5}`, 500, broken},
		{"an unknown company, to C", "C", nil, `{"account_number":"1","year":2026,"month":5}`, 500, `{"success":false,"error":"Unable to fetch company data from Codex"}`},
		{"an unknown company, to B", "B", nil, `{"account_number":"1","year":2026,"month":5}`, 500, unable},
		{"no plan of that length, to C", "C", map[string]string{"/api/companies/620547": withoutTerm}, may, 500, unable},
		{"no plan of that length, to B", "B", map[string]string{"/api/companies/620547": withoutTerm}, may, 500, unable},
		{"an empty list of plans, to B", "B", map[string]string{"/api/billing-plans?plan_name=Gold&term_length=1+Year": "[]"}, may, 500, unable},
		{"no plan at all", "C", map[string]string{"/api/companies/620547": `{"account_number":"620547","name":"Contoso","billing_plan":""}`}, may, 500, unable},
		{"a length that A's own table calls 1-Year", "A", nil, may, 500, unable},
		{"a ticket's time without zone", "C", map[string]string{"/api/companies/620547/tickets": `[{"last_updated_at":"2026-05-01T00:00:00","total_hours_spent":1}]`}, may, 500, broken},
		{"a ticket without time", "B", map[string]string{"/api/companies/620547/tickets": `[{"last_updated_at":null,"total_hours_spent":1}]`}, may, 500, broken},
		{"an asset that is no object", "B", map[string]string{"/api/companies/620547/assets": `[1]`}, may, 500, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := ledger(t, c.generation)
			maps.Copy(d.serves, c.serves)
			if status, text := d.ask("POST", "/api/bill/accept", d.billing(), c.body); status != c.status || text != c.text {
				t.Errorf("%d %s, want %d %s", status, text, c.status, c.text)
			}
			if kept, err := d.LedgerBills(); err != nil || len(kept)+len(d.posted) != 0 {
				t.Errorf("there are %d and %d bills all the same, %v", len(kept), len(d.posted), err)
			}
		})
	}
}

func TestLedgerTakesAListThatItCannotReadForAnEmptyOne(t *testing.T) {
	d := ledger(t, simulator.LedgerB)
	delete(d.serves, "/api/companies/620547/contacts")
	d.serves["/api/companies/620547/assets"] = "<html>"
	d.serves["/api/companies/620547/tickets"] = `{"error":"busy"}`
	if status, text := d.accept(); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	if got := string(d.sent(0)["total_amount"]); got != "0.0" {
		t.Errorf("the total is %s", got)
	}
}

func TestWhatArchiveAnswersToAAndB(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   int
		text   string
	}{
		{"it was there", 409, `{"error":"Snapshot already exists for invoice 620547-202605"}`, 409, `{"success":false,"error":"This bill has already been archived"}`},
		{"it is refused", 400, `{"error":"total_amount is null"}`, 500, `{"success":false,"error":"Archive service error: {\"error\":\"total_amount is null\"}"}`},
		{"it is taken", 201, `{}`, 201, `{"success":true,"message":"Bill accepted and archived successfully","invoice_number":"620547-202605"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := ledger(t, simulator.LedgerB)
			d.answer = func(int) (int, string) { return c.status, c.body }
			if status, text := d.accept(); status != c.want || text != c.text {
				t.Errorf("%d %s, want %d %s", status, text, c.want, c.text)
			}
		})
	}
	t.Run("it cannot be reached", func(t *testing.T) {
		d := ledger(t, simulator.LedgerB)
		settings := d.Ledger()
		settings.ArchiveURL = "http://127.0.0.1:1"
		if err := d.SetLedger(settings); err != nil {
			t.Fatal(err)
		}
		if status, text := d.accept(); status != 500 || text != `{"success":false,"error":"Failed to connect to Archive service"}` {
			t.Errorf("%d %s", status, text)
		}
	})
}
