package query_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/contact"
	"github.com/hivematrix/codex/ent/ticket"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func rules() query.Rules { return query.Rules{DefaultHours: 900, BillNonBillable: true} }

// eachWorld runs fn on the world of querytest, on both databases.
func eachWorld(t *testing.T, fn func(t *testing.T, r *query.Reader)) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.World(t, db)
		fn(t, query.New(db.Ent(), rules()))
	})
}

func TestATicketWithoutTimeCountsTheDefault(t *testing.T) {
	for _, tc := range []struct {
		name            string
		spent, unbilled int64
		all, billable   codex.Seconds // with and without bill_non_billable
	}{
		{"no time at all", 0, 0, 900, 900},
		{"all of it billable", 600, 0, 600, 600},
		{"some of it not", 7200, 1800, 7200, 5400},
		{"none of it billable", 600, 600, 600, 900},
	} {
		row := &ent.Ticket{SpentSeconds: tc.spent, UnbillableSeconds: tc.unbilled}
		if got := query.New(nil, rules()).TicketSeconds(row); got != tc.all {
			t.Errorf("%s: %d s, want %d", tc.name, got, tc.all)
		}
		if got := query.New(nil, query.Rules{DefaultHours: 900}).TicketSeconds(row); got != tc.billable {
			t.Errorf("%s, billable alone: %d s, want %d", tc.name, got, tc.billable)
		}
	}
}

func TestWhatIsNotServedIsAbsentWhateverItIsAskedBy(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		ctx := t.Context()
		for name, err := range map[string]error{
			"an archived company":                 second(r.Company(ctx, "111")),
			"a company that never was":            second(r.Company(ctx, "nobody")),
			"a removed asset":                     second(r.Asset(ctx, 3)),
			"an asset of an archived company":     second(r.Asset(ctx, 5)),
			"a removed contact":                   second(r.Contact(ctx, 3)),
			"a reopened ticket":                   second(r.Ticket(ctx, 1004)),
			"a removed ticket":                    second(r.Ticket(ctx, 1005)),
			"a ticket of an archived company":     second(r.Ticket(ctx, 1006)),
			"a run that never was":                second(r.Run(ctx, "r9")),
			"a company that is no account number": second(r.Company(ctx, "\x00'; DROP TABLE companies")),
		} {
			if codex.CodeOf(err) != codex.CodeNotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, err := range map[string]error{
			"a company": second(r.Company(ctx, "620547")), "an asset": second(r.Asset(ctx, 1)),
			"a contact": second(r.Contact(ctx, 1)), "a ticket": second(r.Ticket(ctx, 1001)),
			"a run": second(r.Run(ctx, "r1")),
		} {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestBatchesHaveWhatHangsOnEachKeyInTheOrderOfIds(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		ctx := t.Context()
		accounts := []codex.AccountNumber{"900", "B-2", "620547", "nobody", "620547"}
		assets, err := r.AssetsByCompany(ctx, accounts)
		told(t, "assets by company", ids(assets, func(a *ent.Asset) any { return a.ID }), err, "620547:[1 2] 900:[4]")
		contacts, err := r.ContactsByCompany(ctx, accounts)
		told(t, "contacts by company", ids(contacts, func(c *ent.Contact) any { return c.ID }), err, "620547:[1 2] 900:[1]")
		locations, err := r.LocationsByCompany(ctx, accounts)
		told(t, "locations by company", ids(locations, func(l *ent.Location) any { return l.Name }), err, "620547:[Main Office]")
		sites, err := r.SiteLinksByCompany(ctx, accounts)
		told(t, "sites by company", ids(sites, func(s *ent.DattoSiteLink) any { return s.DattoSiteUID }), err, "620547:[site-1]")
		users, err := r.ContactsByAsset(ctx, []int{1, 2, 3, 4})
		told(t, "contacts by asset", ids(users, func(c *ent.Contact) any { return c.ID }), err, "1:[1 2] 2:[1] 4:[1]")
		used, err := r.AssetsByContact(ctx, []int{2, 1, 4})
		told(t, "assets by contact", ids(used, func(a *ent.Asset) any { return a.ID }), err, "1:[1 2 4] 2:[1]")
		employers, err := r.CompaniesByContact(ctx, []int{1, 2, 4})
		told(t, "companies by contact", ids(employers, func(c *ent.Company) any { return c.ID }), err, "1:[620547 900] 2:[620547]")
		entries, err := r.TimeEntriesByTicket(ctx, []int{1001, 1002})
		told(t, "time entries by ticket", ids(entries, func(e *ent.TimeEntry) any { return e.ID }), err, "1001:[51 52]")
		companies, err := r.CompaniesByAccount(ctx, []codex.AccountNumber{"111", "900"})
		if err != nil || len(companies) != 1 || companies["900"].Name != "Zebra & Söhne" {
			t.Errorf("companies by account: %v, %v", companies, err)
		}
		totals, err := r.AssetTotalsByCompany(ctx, accounts, nil)
		want := map[codex.AccountNumber]query.AssetTotals{
			"620547": {Count: 2, WithBackup: 1, BackupBytes: querytest.TB + querytest.TB/2}, "900": {Count: 1, WithBackup: 1, BackupBytes: 1},
		}
		if fmt.Sprint(totals) != fmt.Sprint(want) || err != nil {
			t.Errorf("asset totals: %v, %v, want %v", totals, err, want)
		}
	})
}

// ids shows a batch as key:[child child] by key.
func ids[K comparable, T any](batch map[K][]T, id func(T) any) string {
	var parts []string
	for key, rows := range batch {
		var list []string
		for _, row := range rows {
			list = append(list, fmt.Sprint(id(row)))
		}
		parts = append(parts, fmt.Sprintf("%v:[%s]", key, strings.Join(list, " ")))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func told(t *testing.T, what, got string, err error, want string) {
	t.Helper()
	if err != nil || got != want {
		t.Errorf("%s: %s, %v, want %s", what, got, err, want)
	}
}

func TestAYearIsOneOfUTC(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			name   string
			filter query.TicketFilter
			want   string
		}{
			{"any", query.TicketFilter{}, "620547:[1001 1002 1003]"},
			{"2024 to its last instant", query.TicketFilter{Year: 2024}, "620547:[1002]"},
			{"2025 from its first", query.TicketFilter{Year: 2025}, "620547:[1001 1003]"},
			{"a year without tickets", query.TicketFilter{Year: 2026}, ""},
			{"from a moment on", query.TicketFilter{UpdatedFrom: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}, "620547:[1001 1003]"},
			{"from a moment of another zone", query.TicketFilter{UpdatedFrom: time.Date(2024, 12, 31, 19, 0, 0, 1000, time.FixedZone("", -5*3600))}, "620547:[1001]"},
			{"both", query.TicketFilter{Year: 2025, UpdatedFrom: querytest.At(1)}, "620547:[1001]"},
		} {
			got, err := r.TicketsByCompany(t.Context(), []codex.AccountNumber{"620547"}, tc.filter)
			told(t, tc.name, ids(got, func(t *ent.Ticket) any { return t.ID }), err, tc.want)
		}
	})
}

func TestOnlyTheColumnsThatWereAskedForAreRead(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		ctx := t.Context()
		accounts := []codex.AccountNumber{"620547"}
		assets, err := r.AssetsByCompany(ctx, accounts, asset.FieldHostname)
		if err != nil {
			t.Fatal(err)
		}
		if got := assets["620547"][0]; got.Hostname != "SRV-1" || got.ID != 1 || got.CompanyAccountNumber != "620547" || got.OperatingSystem != nil {
			t.Errorf("asset: %v", got)
		}
		contacts, err := r.ContactsByCompany(ctx, accounts, contact.FieldEmail)
		if err != nil {
			t.Fatal(err)
		}
		if got := contacts["620547"][0]; got.Email != "Ann@acme.example" || got.ID != 1 || got.Name != "" {
			t.Errorf("contact: %v", got)
		}
		one, err := r.Ticket(ctx, 1001, ticket.FieldSubject)
		if err != nil || one.Subject != "printer on fire" || one.ID != 1001 || one.CompanyAccountNumber != "620547" || one.Status != "" {
			t.Errorf("ticket: %v, %v", one, err)
		}
		if _, err := r.Company(ctx, "620547", "nonsense"); err == nil {
			t.Error("a column that is none was read")
		}
	})
}

func TestPagesOfCompaniesFollowTheBytesOfTheAccountNumber(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		var seen []string
		page := query.Page{First: 2}
		for range 5 {
			got, err := r.Companies(t.Context(), page, query.List{}, company.FieldID)
			if err != nil {
				t.Fatal(err)
			}
			if got.Before != (page.After != "") {
				t.Errorf("after %v: Before = %v", seen, got.Before)
			}
			for _, row := range got.Rows {
				seen = append(seen, string(row.ID))
			}
			if !got.More {
				break
			}
			page.After = got.Cursors[len(got.Cursors)-1]
		}
		if want := []string{"620547", "900", "B-2", "a-1"}; !slices.Equal(seen, want) {
			t.Errorf("paged through %v, want %v", seen, want)
		}
		if n, err := r.CountCompanies(t.Context(), nil); n != 4 || err != nil {
			t.Errorf("counted %d, %v", n, err)
		}
	})
}

func TestAPageGoesOnAfterARowThatIsGone(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.World(t, db)
		r := query.New(db.Ent(), rules())
		first, err := r.Companies(t.Context(), query.Page{First: 2}, query.List{})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ent().Company.UpdateOneID("900").SetArchivedAt(querytest.At(1)).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		next, err := r.Companies(t.Context(), query.Page{First: 2, After: first.Cursors[1]}, query.List{})
		if err != nil || len(next.Rows) != 2 || next.Rows[0].ID != "B-2" {
			t.Errorf("after 900: %v, %v", next, err)
		}
	})
}

func TestAPageThatCannotBeIsRefusedAndNamesTheArgument(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		runs, err := r.Runs(t.Context(), query.Page{First: 1}, query.RunFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, tc := range []struct {
			name  string
			page  query.Page
			field string
		}{
			{"no rows", query.Page{First: 0}, "first"},
			{"fewer than none", query.Page{First: -1}, "first"},
			{"too many", query.Page{First: query.MaxPage + 1}, "first"},
			{"no cursor", query.Page{First: 1, After: "620547"}, "after"},
			{"a cursor of another list", query.Page{First: 1, After: runs.Cursors[0]}, "after"},
		} {
			_, err := r.Companies(t.Context(), tc.page, query.List{})
			var bad *codex.Error
			if !errors.As(err, &bad) || bad.Code != codex.CodeBadInput || bad.Field != tc.field {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
	})
}

func TestEachCompanyComesOnceInBatches(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for _, size := range []int{1, 3, 4, 100} {
			var seen []string
			err := r.EachCompany(t.Context(), size, func(batch []*ent.Company) error {
				if len(batch) == 0 || len(batch) > size {
					t.Errorf("a batch of %d, at most %d were wanted", len(batch), size)
				}
				for _, c := range batch {
					seen = append(seen, string(c.ID)+" "+c.Name)
				}
				return nil
			})
			if want := []string{"620547 Acme", "900 Zebra & Söhne", "B-2 Beta", "a-1 alpha"}; err != nil || !slices.Equal(seen, want) {
				t.Errorf("by %d: %v, %v", size, seen, err)
			}
		}
		stop := errors.New("enough")
		calls := 0
		if err := r.EachCompany(t.Context(), 1, func([]*ent.Company) error { calls++; return stop }); !errors.Is(err, stop) || calls != 1 {
			t.Errorf("stopping: %v after %d calls", err, calls)
		}
	})
}

func TestABatchOfAnySizeIsOneStatement(t *testing.T) {
	var statements int
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.World(t, db)
		r := query.New(db.Ent(), rules())
		keys := make([]int, 70_000) // beyond the parameters that either database takes
		for i := range keys {
			keys[i] = i
		}
		statements = 0
		got, err := r.ContactsByAsset(t.Context(), keys, contact.FieldEmail)
		told(t, "contacts by 70,000 assets", ids(got, func(c *ent.Contact) any { return c.ID }), err, "1:[1 2] 2:[1] 4:[1] 5:[4]")
		if statements != 1 {
			t.Errorf("%d statements", statements)
		}
	}, storetest.OnStatement(func(string) { statements++ }))
}

func TestRunsComeNewestFirst(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			name   string
			filter query.RunFilter
			want   []string
		}{
			{"all, of one moment by id", query.RunFilter{}, []string{"r5", "r4", "r3", "r2", "r1"}},
			{"of a feed", query.RunFilter{Feed: codex.FeedDatto}, []string{"r4", "r3", "r2", "r1"}},
			{"in a state", query.RunFilter{State: codex.RunSucceeded}, []string{"r4", "r1"}},
			{"both", query.RunFilter{Feed: codex.FeedTickets, State: codex.RunHeld}, nil},
		} {
			for _, size := range []int{1, 2, 50} {
				var seen []string
				page := query.Page{First: size}
				for more := true; more; {
					got, err := r.Runs(t.Context(), page, tc.filter)
					if err != nil {
						t.Fatal(err)
					}
					for i, run := range got.Rows {
						seen, page.After = append(seen, string(run.ID)), got.Cursors[i]
					}
					more = got.More
				}
				if !slices.Equal(seen, tc.want) {
					t.Errorf("%s, by %d: %v, want %v", tc.name, size, seen, tc.want)
				}
			}
			if n, err := r.CountRuns(t.Context(), tc.filter); n != len(tc.want) || err != nil {
				t.Errorf("%s: counted %d, %v", tc.name, n, err)
			}
		}
	})
}

func TestTheLastRunIsNoDryRun(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for feed, want := range map[codex.Feed]codex.RunID{codex.FeedDatto: "r3", codex.FeedTickets: "r5", codex.FeedFreshservice: ""} {
			got, err := r.LastRun(t.Context(), feed)
			if err != nil {
				t.Fatal(err)
			}
			if (got == nil) != (want == "") || got != nil && got.ID != want {
				t.Errorf("last run of %s: %v, want %q", feed, got, want)
			}
		}
	})
}

func TestAnOpenIssueWasLastSeenByTheNewestRunOfItsFeedThatReadEverything(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.World(t, db)
		r := query.New(db.Ent(), rules())
		heldEnded := querytest.At(12).Add(1500 * time.Millisecond)
		check := func(ctx context.Context, want map[string]time.Time) {
			t.Helper()
			page, err := r.Issues(ctx, query.Page{First: 50}, query.IssueFilter{})
			if err != nil {
				t.Fatal(err)
			}
			for _, issue := range page.Rows {
				if !issue.LastSeenAt.Equal(want[issue.UpstreamID]) {
					t.Errorf("issue %s was last seen at %v, want %v", issue.UpstreamID, issue.LastSeenAt, want[issue.UpstreamID])
				}
			}
		}
		check(t.Context(), map[string]time.Time{
			"site-9": heldEnded,       // neither the failed run nor the dry one has seen it
			"site-8": querytest.At(2), // closed: what is written stands
			"77":     querytest.At(3), // no run of its feed is complete
		})
		ticketRun := func(id codex.RunID, mode codex.RunMode, state codex.RunState, day int) {
			err := db.Ent().SyncRun.Create().SetID(id).SetFeed(codex.FeedTickets).SetMode(mode).SetState(state).
				SetTrigger(codex.TriggerSchedule).SetRequestedBy("scheduler").SetDryRun(false).SetForced(false).
				SetQueuedAt(querytest.At(day)).SetEndedAt(querytest.At(day)).Exec(t.Context())
			if err != nil {
				t.Fatal(err)
			}
		}
		ticketRun("i1", codex.ModeIncremental, codex.RunSucceeded, 15)
		ticketRun("f1", codex.ModeFull, codex.RunPartial, 15)
		check(t.Context(), map[string]time.Time{
			"site-9": heldEnded, "site-8": querytest.At(2),
			"77": querytest.At(3), // neither the incremental run nor the one that could not read everything has seen it
		})
		ticketRun("f2", codex.ModeFull, codex.RunSucceeded, 16)
		ticketRun("i2", codex.ModeIncremental, codex.RunSucceeded, 17)
		check(t.Context(), map[string]time.Time{
			"site-9": heldEnded, "site-8": querytest.At(2),
			"77": querytest.At(16), // the full run has
		})
		if err := db.Ent().SyncIssue.Update().SetLastSeenAt(querytest.At(20)).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		check(t.Context(), map[string]time.Time{"site-9": querytest.At(20), "site-8": querytest.At(20), "77": querytest.At(20)})
	})
}

func TestIssuesAreFilteredAndPaged(t *testing.T) {
	yes, no := true, false
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			name   string
			filter query.IssueFilter
			want   []string
		}{
			{"all, first met last", query.IssueFilter{}, []string{"77", "site-8", "site-9"}},
			{"open ones", query.IssueFilter{Open: &yes}, []string{"77", "site-9"}},
			{"closed ones", query.IssueFilter{Open: &no}, []string{"site-8"}},
			{"of a feed", query.IssueFilter{Feed: codex.FeedDatto}, []string{"site-8", "site-9"}},
			{"of a kind", query.IssueFilter{Kind: "ticket_without_company"}, []string{"77"}},
		} {
			for _, size := range []int{1, 2, 50} {
				var seen []string
				page := query.Page{First: size}
				for more := true; more; {
					got, err := r.Issues(t.Context(), page, tc.filter)
					if err != nil {
						t.Fatal(err)
					}
					for i, issue := range got.Rows {
						seen, page.After = append(seen, issue.UpstreamID), got.Cursors[i]
					}
					more = got.More
				}
				if !slices.Equal(seen, tc.want) {
					t.Errorf("%s, by %d: %v, want %v", tc.name, size, seen, tc.want)
				}
			}
			if n, err := r.CountIssues(t.Context(), tc.filter); n != len(tc.want) || err != nil {
				t.Errorf("%s: counted %d, %v", tc.name, n, err)
			}
		}
	})
}
