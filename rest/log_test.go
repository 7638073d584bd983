package rest_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestABillIsProvenWithNothingButWhatTheseAnswersHold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		get := func(path string) string {
			t.Helper()
			got := ask(t, server, http.MethodGet, path, codex.RoleBilling)
			if got.status != http.StatusOK || got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Fatalf("%s: %d %s %s", path, got.status, got.header.Get("Content-Type"), got.body)
			}
			return got.body
		}
		handIn(t, server, ledgerBill(t, "a"), http.StatusCreated)
		earlier := get("/api/archive/checkpoint")
		handIn(t, server, ledgerBill(t, "b"), http.StatusCreated)

		key, err := proof.ParseVerifierKey(strings.TrimSuffix(get("/api/archive/key"), "\n"))
		if err != nil {
			t.Fatal(err)
		}
		file := get("/api/snapshot/620547-202509/proof?enclose=csv,line_items")
		verified, err := proof.VerifyProof([]byte(file), key, nil)
		if err != nil || verified.Index != 0 || verified.Checkpoint.Size != 2 || len(verified.Opened) != 2 {
			t.Errorf("%+v, %v", verified, err)
		}
		csv := ask(t, server, http.MethodGet, "/api/snapshot/620547-202509/csv", codex.RoleBilling).body
		if _, err := proof.VerifyProof([]byte(get("/api/snapshot/620547-202509/proof")), key, map[proof.Committed][]byte{proof.CSV: []byte(csv)}); err != nil {
			t.Error(err)
		}
		from, to, err := proof.VerifyConsistency([]byte(earlier), []byte(get("/api/archive/consistency?from=1")), key)
		if err != nil || from.Size != 1 || to.Size != 2 {
			t.Errorf("%+v, %+v, %v", from, to, err)
		}
		for path, want := range map[string]string{
			"/api/snapshot/620547-202509/proof?enclose=salary": `{"error":"enclose: there is no content \"salary\": it is one of [billing_data body csv line_items notes]"}`,
			"/api/snapshot/620547-202509/proof?revision=0":     `{"error":"revision: give the number of a revision, from 1 on"}`,
			"/api/archive/consistency?from=x":                  `{"error":"from: give the second line of a log checkpoint: how many leaves it has"}`,
			"/api/archive/consistency?from=3":                  `{"error":"from: the log has 2 leaves: it does not begin with 3"}`,
		} {
			expect(t, path, ask(t, server, http.MethodGet, path, codex.RoleBilling), http.StatusBadRequest, want+"\n")
		}
	})
}

// Who sends a bill that cannot be archived now is told why, since only a person ends that.
func TestABillThatNothingMayBeAppendedForIsA503ThatSaysWhy(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	home := t.TempDir()
	o := options(t, db)
	o.Bills = bills(t, db, func(a *archive.Options) { a.KeyFile = filepath.Join(home, "archive.key") })
	server := serve(t, o)
	handIn(t, server, ledgerBill(t, "a"), http.StatusCreated)
	if err := os.Remove(filepath.Join(home, "archive.key")); err != nil {
		t.Fatal(err)
	}
	o.Bills = bills(t, db, func(a *archive.Options) { a.KeyFile = filepath.Join(home, "archive.key") }) // another start
	server = serve(t, o)
	got := handIn(t, server, ledgerBill(t, "b"), http.StatusServiceUnavailable)
	if !strings.HasPrefix(got.body, `{"error":"nothing is archived now: the log's key is not there: put a copy of the key file of codex.example/bills, `) {
		t.Error(got.body)
	}
	handIn(t, server, ledgerBill(t, "a"), http.StatusConflict)
}
