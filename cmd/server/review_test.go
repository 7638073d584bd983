package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hivematrix/codex/store/storetest"
)

// What a person does before the bills of a month, from the sync to the last word: on what a serve has,
// with bills that came over REST.
func TestWhatWouldGoWrongIsSeenBeforeTheBillAndSaidToBeInOrder(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := install(t, dialectName)
			s := i.serve()
			i.must("sync", "all")
			billing := i.token("billing")

			// In September everything of Contoso's was billed as a workstation.
			var machines, people []map[string]any
			for path, list := range map[string]*[]map[string]any{"assets": &machines, "contacts": &people} {
				if err := json.Unmarshal([]byte(get(t, s.url+"/api/companies/620547/"+path, billing).body), list); err != nil {
					t.Fatal(err)
				}
			}
			servers, others := map[string]string{}, 0
			for _, m := range machines {
				if kind := fmt.Sprint(m["hardware_type"]); kind == "Server" || kind == "ESXi Host" {
					servers[fmt.Sprint(m["id"])] = fmt.Sprint(m["hostname"])
				} else if kind != "Desktop" && kind != "Laptop" && !strings.Contains(kind, "Printer") {
					others++
				}
			}
			if len(servers) == 0 {
				t.Fatal("Contoso has no server")
			}
			s.billAll(billing, "620547", machines, people)

			review := i.reviewOf("620547")
			found := map[string]string{}
			for _, flag := range review.Companies[0].Flags {
				if flag.Kind == "type_differs" && *flag.Now != "Server" {
					others--
				} else if flag.Kind == "type_differs" {
					found[flag.Item.ID] = flag.Item.Name
					if *flag.Before != "Workstation" || *flag.Now != "Server" || *flag.Worth != "120.50" {
						t.Errorf("%s is %s, now %s, worth %s", flag.Item.Name, *flag.Before, *flag.Now, *flag.Worth)
					}
				}
			}
			if fmt.Sprint(found) != fmt.Sprint(servers) || others != 0 {
				t.Errorf("found %v, want %v; %d network devices are missing", found, servers, others)
			}

			// One of them is a workstation indeed.
			var id string
			for id = range servers {
				break
			}
			args := []string{"acknowledge", "--account", "620547", "--year", "2025", "--month", "10", "--kind", "type_differs", "--item", "assets:" + id, "--note", "under a desk"}
			if said := i.must(args...); said != "acknowledged (1): type_differs of "+servers[id]+"\n" {
				t.Errorf("it said %q", said)
			}
			if again := i.codex(args...); again.status != exitFailed || !strings.Contains(again.stderr, "acknowledged it at") {
				t.Errorf("once more: %+v", again)
			}
			before := review.Companies[0].Open
			if review = i.reviewOf("620547"); review.Companies[0].Open != before-1 {
				t.Errorf("%d are open, were %d", review.Companies[0].Open, before)
			}
			if shown := i.must("review", "--year", "2025", "--month", "10"); !strings.Contains(shown, "      acknowledged by "+username(t)+" (local socket) at ") {
				t.Errorf("it shows\n%s", shown)
			}
			rows, err := csv.NewReader(strings.NewReader(i.must("review", "--year", "2025", "--month", "10", "--csv"))).ReadAll()
			if err != nil || len(rows) < 2 || len(rows[0]) != 14 {
				t.Errorf("the table is %v, %v", rows, err)
			}

			// A technician reads all of it, and says nothing of it.
			technician := i.token("technician")
			if got := s.graphQL(technician, `{ acknowledgements(accountNumber: "620547") { nodes { note } } }`); got.body != `{"data":{"acknowledgements":{"nodes":[{"note":"under a desk"}]}}}`+"\n" {
				t.Errorf("a technician reads %s", got.body)
			}
			if got := s.graphQL(technician, `mutation { withdrawAcknowledgement(id: 1, note: "no") { acknowledgement { id } } }`); !strings.Contains(got.body, `"FORBIDDEN"`) {
				t.Errorf("a technician withdraws: %s", got.body)
			}

			// The bill of the month itself: the review says that it stands.
			if said := i.must("acknowledge", "withdraw", "1", "--note", "it is none"); said != "withdrawn (1): type_differs of "+servers[id]+"\n" {
				t.Errorf("it said %q", said)
			}
			if list := i.must("acknowledge", "list"); !strings.HasSuffix(list, ": it is none\n") {
				t.Errorf("the list is\n%s", list)
			}
			if review = i.reviewOf("620547"); review.Companies[0].Open != before {
				t.Errorf("%d are open, were %d", review.Companies[0].Open, before)
			}
		})
	}
}

// reviewOf is the review of October of a company.
func (i *installation) reviewOf(account string) *billReview {
	i.t.Helper()
	var review billReview
	if err := json.Unmarshal([]byte(i.must("review", "--year", "2025", "--month", "10", "--account", account, "--json")), &review); err != nil {
		i.t.Fatal(err)
	}
	if len(review.Companies) != 1 || review.Companies[0].AccountNumber != account {
		i.t.Fatalf("the review is %+v", review)
	}
	return &review
}

// billAll hands in a bill for September as Ledger does, on which each machine is a workstation.
func (s *served) billAll(token, account string, machines, people []map[string]any) {
	s.t.Helper()
	billed := func(rows []map[string]any, name, kind string, cost float64) (list []map[string]any) {
		for _, row := range rows {
			list = append(list, map[string]any{"name": row[name], "type": kind, "cost": cost})
		}
		return list
	}
	body, err := json.Marshal(map[string]any{
		"company_account_number": account, "billing_year": 2025, "billing_month": 9, "invoice_number": account + "-202509",
		"total_amount": 0, "invoice_csv": "Amount\r\n",
		"billing_data_json": map[string]any{
			"assets": machines, "users": people,
			"receipt_data": map[string]any{
				"billed_assets": billed(machines, "hostname", "Workstation", 30), "billed_users": billed(people, "name", "Paid", 15),
			},
			"effective_rates": map[string]any{"per_workstation_cost": 30, "per_server_cost": 150.5, "per_user_cost": 15},
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if got := send(s.t, http.MethodPost, s.archive+"/api/snapshot", token, string(body)); got.status != http.StatusCreated {
		s.t.Fatalf("the bill is answered by %d %s", got.status, got.body)
	}
}

func TestAReviewIsAskedForByAMonthOnly(t *testing.T) {
	i := bare(t)
	for _, args := range [][]string{
		{"review"}, {"review", "--year", "2025"}, {"review", "--year", "2025", "--month", "13"},
		{"review", "--year", "2025", "--month", "10", "--json", "--csv"}, {"acknowledge", "--kind", "unseen", "--item", "assets:1"},
		{"acknowledge", "--year", "2025", "--month", "10", "--kind", "unseen", "--item", "assets"},
		{"acknowledge", "--year", "2025", "--month", "10", "--item", "assets:1"}, {"acknowledge", "withdraw"},
	} {
		if got := i.codex(args...); got.status != exitUsage {
			t.Errorf("%v is %+v", args, got)
		}
	}
}
