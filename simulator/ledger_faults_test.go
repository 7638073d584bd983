package simulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex/simulator"
)

func TestEachFaultOfLedger(t *testing.T) {
	const (
		accepted = `{"success":true,"message":"Bill accepted and archived successfully","invoice_number":"620547-202605"}`
		html     = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body>\n</html>\n"
		denied   = "<!doctype html>\n<html lang=en>\n<title>401 Unauthorized</title>\n<h1>Unauthorized</h1>\n"
	)
	for _, c := range []struct {
		name   string
		fault  simulator.Fault
		status int // 0: no answer
		text   string
		posts  int    // how often B sends the bill
		keeps  int    // how many bills C keeps
		total  string // that B sends
	}{
		{"it is down", simulator.Reset(), 0, "", 0, 0, ""},
		{"nothing answers", simulator.Drop(), 0, "", 0, 0, ""},
		{"its own error", simulator.Refuse(500), 500, `{"success":false,"error":"Internal server error"}`, 0, 0, ""},
		{"it knows no token any more", simulator.Refuse(401), 401, denied, 0, 0, ""},
		{"a proxy's page", simulator.HTMLPage(502), 502, html, 0, 0, ""},
		{"a page that says 200", simulator.HTMLPage(200), 200, strings.ReplaceAll(html, "502 Bad Gateway", "200 OK"), 0, 0, ""},
		{"it is slow", simulator.Fault{Kind: simulator.FaultDelay, Delay: time.Millisecond}, 201, accepted, 1, 1, "533.435"},
		{"the answer is lost", simulator.Afterwards(0, 0), 0, "", 1, 1, "533.435"},
		{"the answer is an error although all is done", simulator.Afterwards(500, 0), 500, `{"success":false,"error":"Internal server error"}`, 1, 1, "533.435"},
		{"half of the answer", simulator.Cut(0), 201, "", 1, 1, "533.435"},
		{"it accepts the bill and that is all", simulator.AcceptsOnly(), 201, accepted, 0, 0, ""},
		{"it sends the bill twice", simulator.PostsTwice(), 201, accepted, 2, 1, "533.435"},
		{"it sends another total", simulator.OtherTotal(-101), 201, accepted, 1, 1, "532.425"},
	} {
		for _, generation := range []simulator.LedgerGeneration{simulator.LedgerB, simulator.LedgerC} {
			t.Run(c.name+" "+string(generation), func(t *testing.T) {
				d := ledger(t, generation)
				if _, err := d.Break("/api/bill/accept", c.fault, simulator.From(simulator.Ledger), simulator.Times(1)); err != nil {
					t.Fatal(err)
				}
				if status, text := d.accept(); status != c.status || c.text != text {
					t.Errorf("%d %q, want %d %q", status, text, c.status, c.text)
				}
				kept, err := d.LedgerBills()
				if err != nil {
					t.Fatal(err)
				}
				if generation == simulator.LedgerC {
					if len(kept) != c.keeps || d.count() != 0 {
						t.Errorf("it keeps %d bills and sent %d", len(kept), d.count())
					}
				} else if d.count() != c.posts {
					t.Errorf("it sent %d bills, want %d", d.count(), c.posts)
				}
				if generation == simulator.LedgerB && c.posts > 0 {
					if got := string(d.sent(0)["total_amount"]); got != c.total {
						t.Errorf("the total is %s, want %s", got, c.total)
					}
				}
				d.mu.Lock()
				d.answer = func(int) (int, string) { return 409, "{}" }
				d.mu.Unlock()
				want := http.StatusCreated // the second time, without the fault
				if generation == simulator.LedgerB || c.keeps > 0 {
					want = http.StatusConflict
				}
				if status, text := d.accept(); status != want {
					t.Errorf("the second time: %d %s, want %d", status, text, want)
				}
			})
		}
	}
}

func TestABillIsFinishedWhenItsCallerHasGone(t *testing.T) {
	d := ledger(t, simulator.LedgerC)
	reached, goes := make(chan struct{}, 1), make(chan struct{})
	d.blocks = func() { // Codex answers when the caller has gone
		select {
		case reached <- struct{}{}:
			<-goes
		default:
		}
	}
	client := &http.Client{}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.LedgerURL+"/api/bill/accept", strings.NewReader(may))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+d.billing())
	ended := make(chan error, 1)
	go func() {
		client.Timeout = 200 * time.Millisecond
		response, err := client.Do(request)
		if err == nil {
			err = response.Body.Close()
		}
		ended <- err
	}()
	<-reached
	if err := <-ended; err == nil {
		t.Fatal("the caller got an answer")
	}
	close(goes)
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if kept, err := d.LedgerBills(); err != nil || len(kept) == 1 {
			break
		}
		if time.Now().After(until) {
			t.Fatal("the bill was dropped")
		}
	}
	if status, text := d.accept(); status != 409 {
		t.Errorf("the bill that is there: %d %s", status, text)
	}
}

func TestABillThatLedgerCKeepsCanBeCorrectedAndForgotten(t *testing.T) {
	d := ledger(t, simulator.LedgerC)
	if status, text := d.accept(); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	if err := d.CorrectLedgerBill("620547-202605", "Refund, agreed", -33.435); err != nil {
		t.Fatal(err)
	}
	_, object := d.ask("GET", "/archive/api/snapshot/620547-202605", d.billing(), "")
	golden(t, "ledger-c-corrected.json", object)
	_, csv := d.ask("GET", "/archive/api/snapshot/620547-202605/csv", d.billing(), "")
	golden(t, "ledger-c-corrected.csv", csv)

	if err := d.ForgetLedgerBill("620547-202605"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "/csv"} {
		if status, text := d.ask("GET", "/archive/api/snapshot/620547-202605"+path, d.billing(), ""); status != 404 || text != `{"error":"Snapshot not found"}` {
			t.Errorf("%d %s", status, text)
		}
	}
	if status, text := d.accept(); status != 201 {
		t.Errorf("a bill that was forgotten: %d %s", status, text)
	}
	for _, err := range []error{d.ForgetLedgerBill("1-202605"), d.CorrectLedgerBill("1-202605", "x", 1)} {
		if err == nil || err.Error() != "the bill 1-202605: there is no such record" {
			t.Errorf("a bill that is not there: %v", err)
		}
	}
}

func TestTheControlFaceSetsLedgerUp(t *testing.T) {
	d := ledger(t, simulator.LedgerC)
	codex := d.Ledger().CodexURL
	control(t, d.Server, "POST", "change/bill_asset_as", `{"id":2,"billing_type":"Server"}`)
	control(t, d.Server, "POST", "change/bill_user_as", `{"id":12,"billing_type":"Free"}`)
	control(t, d.Server, "POST", "change/add_manual_asset", `{"account_number":"620547","name":"NAS","billing_type":"Custom","custom_cost":10}`)
	control(t, d.Server, "POST", "change/add_manual_user", `{"account_number":"620547","name":"The boss","billing_type":"Paid"}`)
	control(t, d.Server, "POST", "change/add_line_item", `{"account_number":"620547","name":"Licences","amount":1}`)
	control(t, d.Server, "POST", "change/agree_with_client", `{"account_number":"620547","rates":{"per_user_cost":5},"prepaid_hours_monthly":9}`)
	control(t, d.Server, "POST", "faults", `{"upstream":"ledger","path":"/api/bill/accept","times":1,"fault":{"kind":"other_total","by":-100}}`)
	if status, text := d.accept(); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		answer                   string
	}{
		{"how it is set up", "GET", "ledger", "", 200, `{"generation":"C","codex_url":"` + codex + `","archive_url":"","bills":["620547-202605"]}`},
		{"another generation", "POST", "ledger", `{"generation":"b"}`, 200, `{"generation":"B","codex_url":"` + codex + `","archive_url":"","bills":["620547-202605"]}`},
		{"other neighbours", "POST", "ledger", `{"codex_url":"http://127.0.0.1:1/codex/","archive_url":"http://127.0.0.1:2"}`, 200,
			`{"generation":"B","codex_url":"http://127.0.0.1:1/codex","archive_url":"http://127.0.0.1:2","bills":["620547-202605"]}`},
		{"a generation that there is not", "POST", "ledger", `{"generation":"D"}`, 400, `{"error":"set Ledger up: there is no Ledger \"D\"; there are A, B and C"}`},
		{"no address", "POST", "ledger", `{"codex_url":"codex"}`, 400, `{"error":"set Ledger up: the neighbour \"codex\" is no http or https address"}`},
		{"the plans", "GET", "plans", "", 200, string(simulator.PlansFile())},
		{"a fault without its cents", "POST", "faults", `{"fault":{"kind":"other_total"}}`, 400, `{"error":"a fault of kind other_total needs by, the cents that the total is wrong"}`},
		{"a lost answer with a status that is none", "POST", "faults", `{"fault":{"kind":"afterwards","status":200}}`, 400,
			`{"error":"a fault of kind afterwards needs a status of 400 to 599, or none for a reset, and no negative pause"}`},
		{"a price that there is not", "POST", "change/agree_with_client", `{"account_number":"1","rates":{"x":1}}`, 400, ""},
		{"a correction", "POST", "change/correct_ledger_bill", `{"invoice_number":"620547-202605","name":"Refund","amount":-2}`, 200, `{"done":true}`},
		{"a bill that is forgotten", "POST", "change/forget_ledger_bill", `{"invoice_number":"620547-202605"}`, 200, `{"done":true}`},
		{"once more", "POST", "change/forget_ledger_bill", `{"invoice_number":"620547-202605"}`, 404, `{"error":"the bill 620547-202605: there is no such record"}`},
	} {
		if c.name == "a correction" { // before: 61.705 + 180.41 + 61.705 + 10, 5 + 0 + 5, no hours, 16.65, 1, and a dollar too little
			bills, err := d.LedgerBills()
			if err != nil || len(bills) != 1 || !strings.Contains(string(bills[0].Object), `"total_amount":340.47,`) {
				t.Errorf("%v %s", err, bills[0].Object)
			}
		}
		if status, text := control(t, d.Server, c.method, c.path, c.body); status != c.status || c.answer != "" && text != c.answer {
			t.Errorf("%s: got %d %s\nwant %d %s", c.name, status, text, c.status, c.answer)
		}
	}
}

func TestKeycloakGivesTokensThatCoreExchanges(t *testing.T) {
	s, err := simulator.Start(t.Context(), simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1}, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	const path = "/realms/hivematrix/protocol/openid-connect/token"
	form := func(change ...string) string {
		values := url.Values{"grant_type": {"password"}, "client_id": {"codex"}, "client_secret": {"demo-client-secret"}, "username": {"billing"}, "password": {"demo-password"}}
		for i := 0; i < len(change); i += 2 {
			values.Set(change[i], change[i+1])
		}
		return values.Encode()
	}
	given := func(level string) string {
		return fmt.Sprintf(`{"access_token":"demo-%s","expires_in":300,"refresh_expires_in":1800,"token_type":"Bearer","not-before-policy":0,"scope":"profile email"}`, level)
	}
	for _, c := range []struct {
		name, method, path, form string
		status                   int
		text                     string
	}{
		{"a user", "POST", path, form(), 200, given("billing")},
		{"another", "POST", path, form("username", "admin"), 200, given("admin")},
		{"a wrong password", "POST", path, form("password", "x"), 401, `{"error":"invalid_grant","error_description":"Invalid user credentials"}`},
		{"an unknown user", "POST", path, form("username", "root"), 401, `{"error":"invalid_grant","error_description":"Invalid user credentials"}`},
		{"a wrong secret", "POST", path, form("client_secret", ""), 401, `{"error":"invalid_client","error_description":"Invalid client or Invalid client credentials"}`},
		{"an unknown client", "POST", path, form("client_id", "x"), 401, `{"error":"invalid_client","error_description":"Invalid client or Invalid client credentials"}`},
		{"another grant", "POST", path, form("grant_type", "client_credentials"), 400, `{"error":"unsupported_grant_type","error_description":"Unsupported grant_type"}`},
		{"no grant", "POST", path, "", 400, `{"error":"invalid_request","error_description":"Missing form parameter: grant_type"}`},
		{"no post", "GET", path, "", 405, `{"error":"HTTP 405 Method Not Allowed"}`},
		{"another realm", "POST", "/realms/master/protocol/openid-connect/token", form(), 404, `{"error":"Realm does not exist"}`},
		{"another endpoint", "POST", "/realms/hivematrix/account", form(), 404, `{"error":"Unable to find matching target resource method"}`},
		{"no realm", "POST", "/token", form(), 404, `{"error":"Unable to find matching target resource method"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &desk{Server: s, t: t}
			status, text := d.send(c.method, s.KeycloakURL+c.path, "application/x-www-form-urlencoded", "", c.form)
			if status != c.status || text != c.text {
				t.Errorf("%d %s, want %d %s", status, text, c.status, c.text)
			}
		})
	}
	if status, answer := askCore(t, s, "POST", "/api/token/exchange", `{"access_token":"demo-billing"}`); status != 200 || claimsOf(t, s, answer["token"].(string))["permission_level"] != "billing" {
		t.Errorf("Core does not take it: %d", status)
	}
	if _, err := s.Break("/realms/**", simulator.Refuse(500), simulator.From(simulator.Keycloak)); err != nil {
		t.Fatal(err)
	}
	d := &desk{Server: s, t: t}
	if status, text := d.send("POST", s.KeycloakURL+path, "application/x-www-form-urlencoded", "", form()); status != 500 || !strings.Contains(text, `"error":"unknown_error"`) {
		t.Errorf("its error: %d %s", status, text)
	}
}

func TestTheDeskDecidesWhatMachinesAre(t *testing.T) {
	d := ledger(t, simulator.LedgerB)
	d.SetAssetBilling(3, simulator.Billing{Type: "No Charge"}) // somebody said so before
	d.serves["/api/companies/bulk"] = `[{"company":{},"assets":[{"id":1,"hardware_type":"Laptop"},{"id":2,"hardware_type":"Server"},` +
		`{"id":3,"hardware_type":"Network Device (Switch)"},{"id":4,"hardware_type":null}]},{"assets":[{"id":5,"hardware_type":"Network Device (Firewall)"}]}]`
	d.serves["/api/companies/620547/assets"] = `[{"id":1,"hostname":"A","datto_uid":"a"},{"id":2,"hostname":"B","datto_uid":"b"},{"id":3,"hostname":"C","datto_uid":"c"},` +
		`{"id":4,"hostname":"D","datto_uid":"d"},{"id":5,"hostname":"E","datto_uid":"e"}]`
	if err := d.DecideTypes(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, text := d.accept(); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	const want = "A Workstation 61.705, B Server 180.41, C No Charge 0.0, D Workstation 61.705, E Firewall 39.9"
	if got := receiptOf(t, d.sent(0)).Assets; got != want {
		t.Errorf("billed as %s, want %s", got, want)
	}
	delete(d.serves, "/api/companies/bulk")
	if err := d.DecideTypes(t.Context()); err == nil || err.Error() != "read the companies from Codex: it answers 404" {
		t.Errorf("without Codex: %v", err)
	}
}
