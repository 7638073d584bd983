package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

// A bill that Ledger C keeps is here what it is there: each key of its object but id and archived_at, which
// are each archive's own, and each byte of its CSV.
func TestABillThatLedgerKeepsIsHereWhatItIsThere(t *testing.T) {
	const invoice = "620547-202505"
	i := install(t, dialect.SQLite)
	i.configure(dialect.SQLite, "[core]\nurl = "+i.upstream.CoreURL, "[services]\nledger_url = "+i.upstream.LedgerURL)
	s := i.serve()
	i.must("sync", "all")
	plans := filepath.Join(i.dir, "plans.json")
	if err := os.WriteFile(plans, simulator.PlansFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	i.must("plans", "import", plans)
	if err := i.upstream.SetLedger(simulator.LedgerSettings{CodexURL: s.url}); err != nil {
		t.Fatal(err)
	}
	i.ends(exitFailed, "codex: bill "+invoice+": Ledger answers 404 Not Found: Snapshot not found\n", "archive", "refetch", invoice, "--reason", "it was made by hand")

	billing := i.upstream.UserToken(simulator.CoreUser{Level: "billing"})
	if got := send(t, http.MethodPost, i.upstream.LedgerURL+"/api/bill/accept", billing, `{"account_number":"620547","year":2025,"month":5,"notes":"by hand"}`); got.status != http.StatusCreated {
		t.Fatalf("Ledger: %d %s", got.status, got.body)
	}
	token := i.token("service")
	same := func() {
		t.Helper()
		kept, err := i.upstream.LedgerBills()
		if err != nil || len(kept) != 1 {
			t.Fatalf("%d bills at Ledger, %v", len(kept), err)
		}
		here := get(t, s.archive+"/api/snapshot/"+invoice, token)
		if there := withoutOwn(t, kept[0].Object); !reflect.DeepEqual(withoutOwn(t, []byte(here.body)), there) {
			t.Errorf("here it is\n%s\nthere\n%s", here.body, kept[0].Object)
		}
		if csv := get(t, s.archive+"/api/snapshot/"+invoice+"/csv", token); csv.body != string(kept[0].CSV) {
			t.Errorf("here its CSV is\n%q\nthere\n%q", csv.body, kept[0].CSV)
		}
	}
	refetch := func(want string) {
		t.Helper()
		if got := i.must("archive", "refetch", invoice, "--reason", "a setup fee was forgotten"); got != want {
			t.Errorf("it says %s", got)
		}
		same()
	}
	refetch(invoice + " is archived with revision 1\n")
	refetch(invoice + " is unchanged: Ledger has what revision 1 says\n")

	if err := i.upstream.CorrectLedgerBill(invoice, "Setup fee", 99.5); err != nil {
		t.Fatal(err)
	}
	// Its object is read and its CSV is not: nothing happens.
	fault(t, i.upstream, simulator.FaultRule{Upstream: simulator.Ledger, Path: "/archive/api/snapshot/" + invoice + "/csv", Fault: simulator.Refuse(500)})
	if got := i.codex("archive", "refetch", invoice, "--reason", "x"); got.status == 0 || !strings.Contains(got.stderr, "Ledger answers 500 Internal Server Error") {
		t.Errorf("while Ledger fails: %+v", got)
	}
	i.upstream.ClearFaults()
	if got := i.must("archive", "search", "--all"); !strings.Contains(got, "\n1 of 1\n") {
		t.Errorf("while Ledger failed something was archived:\n%s", got)
	}
	refetch(invoice + " is archived with revision 2; it differs in totalAmount, billingData, csv, totalLineItemCharges\n")
	refetch(invoice + " is unchanged: Ledger has what revision 2 says\n")
	i.must("archive", "verify")
	if shown := i.must("archive", "show", invoice, "--json"); !strings.Contains(shown, `"FETCHED"`) {
		t.Errorf("its origin is another:\n%s", shown)
	}
}

func TestConfigCheckSaysWhetherLedgerAndKeycloakAnswer(t *testing.T) {
	i := install(t, dialect.SQLite)
	account := func(password, ledgerURL string) string {
		i.configure(dialect.SQLite, "[core]\nurl = "+i.upstream.CoreURL, "[services]\nledger_url = "+ledgerURL,
			"[keycloak]\nserver_url = "+i.upstream.KeycloakURL+"\nclient_id = codex\nclient_secret = "+simulator.KeycloakClientSecret+
				"\nusername = billing\npassword = "+password)
		return i.must("config", "check")
	}
	begins := func(got string, want ...string) {
		t.Helper()
		if !strings.HasPrefix(got, strings.Join(want, "\n")+"\n# configuration file: ") {
			t.Errorf("it prints\n%s", got)
		}
		if strings.Contains(got, simulator.KeycloakClientSecret) || strings.Contains(got, simulator.KeycloakUserPassword) {
			t.Error("it shows a secret")
		}
	}
	begins(account(simulator.KeycloakUserPassword, i.upstream.LedgerURL),
		"# Ledger answers at "+i.upstream.LedgerURL, "# Keycloak logs billing in, and Core gives a token for it")
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	at := strings.TrimPrefix(nobody.URL, "http://")
	begins(account("another", nobody.URL),
		"# warning: [services] ledger_url: ledger: /health: dial tcp "+at+": connect: connection refused",
		"# warning: [keycloak]: asking Core for a user's token: logging in at Keycloak: keycloak: "+
			"/realms/hivematrix/protocol/openid-connect/token: 401 Unauthorized: invalid_grant: Invalid user credentials")
}

// withoutOwn is a snapshot object without the keys that are each archive's own; numbers are compared as such.
func withoutOwn(t *testing.T, object []byte) map[string]any {
	t.Helper()
	var values map[string]any
	if err := json.NewDecoder(bytes.NewReader(object)).Decode(&values); err != nil {
		t.Fatal(err)
	}
	delete(values, "id")
	delete(values, "archived_at")
	return values
}
