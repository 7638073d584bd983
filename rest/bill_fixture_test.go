package rest_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/store"
)

// bills is an archive in db, whose log has its key in a folder of its own.
func bills(t testing.TB, db *store.DB, change ...func(o *archive.Options)) *archive.Archive {
	o := archive.Options{
		DB: db, KeyFile: filepath.Join(t.TempDir(), "archive.key"), NewOrigin: "codex.example/bills",
		Random: rand.Reader, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	for _, change := range change {
		change(&o)
	}
	return archive.New(o)
}

// ledgerBill is the body that Ledger A or B sends for September 2025: A for a customer who pays by the
// hour, with whatever a bill may have, B for one with all included, whose account number has a slash.
func ledgerBill(t testing.TB, generation string) []byte {
	t.Helper()
	content, err := os.ReadFile("testdata/bills/ledger_" + generation + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// changed is a bill with another value for a key; an empty one leaves the key out.
func changed(t testing.TB, content []byte, key, value string) []byte {
	t.Helper()
	keys := map[string]json.RawMessage{}
	if err := json.Unmarshal(content, &keys); err != nil {
		t.Fatal(err)
	}
	if keys[key] = json.RawMessage(value); value == "" {
		delete(keys, key)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(keys); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// valueOf is the text that a bill has for a key.
func valueOf(t testing.TB, content []byte, key string) string {
	t.Helper()
	keys := map[string]any{}
	if err := json.Unmarshal(content, &keys); err != nil {
		t.Fatal(err)
	}
	return keys[key].(string)
}

// handIn hands in a bill as a service.
func handIn(t *testing.T, server *httptest.Server, content []byte, status int) response {
	t.Helper()
	got := askSending(t, server, http.MethodPost, "/api/snapshot", codex.RoleService, content)
	if got.status != status {
		t.Fatalf("%d %s, want %d", got.status, got.body, status)
	}
	return got
}

// billPaths are paths that answer 200 once the bills of Ledger A and B are archived.
func billPaths() []string {
	const slashedInvoice = "10%2F2%20%25%C3%BC-202509"
	return []string{
		"/api/snapshot/620547-202509",
		"/api/snapshot/620547-202509?revision=1",
		"/api/snapshot/620547-202509/csv",
		"/api/snapshot/620547-202509/csv?safe=1",
		"/api/snapshot/" + slashedInvoice,
		"/api/snapshot/" + slashedInvoice + "/csv?revision=1&safe=0",
		"/api/snapshots/search",
		"/api/snapshots/search?account_number=620547&year=2025&month=9&from_date=2020-01-01&to_date=2099-12-31&limit=1&offset=0",
		"/api/snapshots/company/620547",
		"/api/snapshots/company/nobody",
		"/api/snapshot/620547-202509/proof",
		"/api/snapshot/" + slashedInvoice + "/proof?revision=1&enclose=csv,line_items",
		"/api/archive/checkpoint",
		"/api/archive/consistency?from=1",
		"/api/archive/key",
	}
}

// compacted is JSON without white space between its parts.
func compacted(t testing.TB, text []byte) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
