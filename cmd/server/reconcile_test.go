package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex/store/storetest"
)

// A bill that lacks a machine comes over REST, and a person finds out and says why.
func TestWhatABillLacksIsFoundAfterItAndSaidToBeInOrder(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := install(t, dialectName)
			s := i.serve()
			i.must("sync", "all")
			billing := i.token("billing")
			var machines, people []map[string]any
			for path, list := range map[string]*[]map[string]any{"assets": &machines, "contacts": &people} {
				if err := json.Unmarshal([]byte(get(t, s.url+"/api/companies/620547/"+path, billing).body), list); err != nil {
					t.Fatal(err)
				}
			}
			left := slices.IndexFunc(machines, func(m map[string]any) bool { return m["hardware_type"] == "Laptop" })
			id := fmt.Sprint(machines[left]["id"])
			s.billAll(billing, "620547", slices.Delete(slices.Clone(machines), left, left+1), people)

			lacks := func() []billDifference {
				t.Helper()
				var made reconciliation
				if err := json.Unmarshal([]byte(i.must("reconcile", "--year", "2025", "--month", "9", "--account", "620547", "--json")), &made); err != nil {
					t.Fatal(err)
				}
				if len(made.Bills) != 1 || made.Bills[0].InvoiceNumber != "620547-202509" {
					t.Errorf("compared were %+v", made.Bills)
				}
				return slices.DeleteFunc(made.Differences, func(d billDifference) bool {
					return d.Kind != "there_not_billed" || d.Item.Entity == "tickets"
				})
			}
			found := lacks()
			if len(found) != 1 || found[0].Item.ID != id || textOf(found[0].Worth) != "30.00" || found[0].AccountNumber != "620547" {
				t.Fatalf("found %+v, want the machine %s, worth 30.00", found, id)
			}
			if shown := i.must("reconcile", "--year", "2025", "--month", "9"); !strings.Contains(shown, ": there_not_billed assets:"+id+" (30.00)\n") {
				t.Errorf("it shows\n%s", shown)
			}

			acknowledge := []string{"acknowledge", "--account", "620547", "--year", "2025", "--month", "9", "--kind", "there_not_billed", "--item", "assets:" + id, "--note", "a spare"}
			i.ends(exitFailed, "codex: there_not_billed of assets:"+id+" has changed since you looked: look again", append(acknowledge, "--fingerprint", "0")...)
			i.must(append(acknowledge, "--fingerprint", found[0].Fingerprint)...)
			if found = lacks(); len(found) != 1 || found[0].Acknowledgement == nil || found[0].Acknowledgement.Note != "a spare" {
				t.Errorf("it is acknowledged by %+v", found)
			}
			rows, err := csv.NewReader(strings.NewReader(i.must("reconcile", "--year", "2025", "--month", "9", "--csv"))).ReadAll()
			if err != nil || !slices.ContainsFunc(rows, func(row []string) bool { return row[4] == "there_not_billed" && row[6] == id && row[15] == "a spare" }) {
				t.Errorf("the table is %v, %v", rows, err)
			}
			if said := i.must("reconcile", "--rebuild"); said != "read anew, archived revisions of bills: 1\n" {
				t.Errorf("it said %q", said)
			}
			if found = lacks(); len(found) != 1 {
				t.Errorf("read anew it is %+v", found)
			}
		})
	}
}

func TestAReconciliationIsAskedForByAMonthOnly(t *testing.T) {
	i := bare(t)
	for _, args := range [][]string{
		{"reconcile"}, {"reconcile", "--year", "2025"}, {"reconcile", "--year", "2025", "--month", "13"},
		{"reconcile", "--year", "2025", "--month", "10", "--json", "--csv"},
		{"reconcile", "--rebuild", "--csv"}, {"reconcile", "--rebuild", "--json"}, {"reconcile", "--rebuild", "--account", "1"},
		{"reconcile", "--rebuild", "--year", "2025", "--month", "10"},
	} {
		if got := i.codex(args...); got.status != exitUsage {
			t.Errorf("%v is %+v", args, got)
		}
	}
}
