package query_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// key is what a group has in common: texts, truths as 0 and 1, whole numbers; nil for null.
type key []any

// groupsOf adds up rows by their keys, in the order of groups: null last.
func groupsOf[T, S any](rows []T, keyOf func(T) key, add func(sum *S, row T)) ([]key, []S) {
	sums := map[string]*S{}
	keys := map[string]key{}
	for _, row := range rows {
		k := keyOf(row)
		name := fmt.Sprintf("%#v", k)
		if sums[name] == nil {
			sums[name], keys[name] = new(S), k
		}
		add(sums[name], row)
	}
	names := slices.SortedFunc(maps.Keys(keys), func(a, b string) int { return compareKeys(keys[a], keys[b]) })
	var sorted []key
	var all []S
	for _, name := range names {
		sorted, all = append(sorted, keys[name]), append(all, *sums[name])
	}
	return sorted, all
}

func compareKeys(a, b key) int {
	for i := range a {
		c := 0
		switch {
		case a[i] == nil && b[i] == nil:
		case a[i] == nil:
			c = 1
		case b[i] == nil:
			c = -1
		default:
			c = compare(a[i], b[i])
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// or is what p points to, nil where it points nowhere.
func or[T any](p *T) any {
	if p == nil {
		return nil
	}
	switch v := any(*p).(type) {
	case bool:
		return truth(v)
	case codex.AccountNumber:
		return string(v)
	}
	return *p
}

func drawGroups(t *rapid.T, groups []query.GroupBy) []query.GroupBy {
	order := rapid.Permutation(groups).Draw(t, "order")
	return order[:rapid.IntRange(0, len(groups)).Draw(t, "groups")]
}

func TestTotalsOfAssetsAreTheSumsOfTheListOfTheSameFilterByAnythingTheyAreGroupedBy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		r := query.New(db.Ent(), rules())
		accounts := []codex.AccountNumber{"1", "2", "3"}
		rapid.Check(t, func(t *rapid.T) {
			filter := drawFilter(t, 2)
			list, err := r.Assets(context.Background(), query.Page{First: 1000}, query.List{Filter: filter})
			if err != nil {
				t.Fatal(err)
			}
			groupBy := drawGroups(t, query.GroupsOf("Asset"))
			add := func(sum *query.AssetTotals, a *ent.Asset) {
				sum.Count++
				if a.BackupBytes != nil {
					sum.WithBackup++
					sum.BackupBytes += codex.Bytes(*a.BackupBytes)
				}
			}
			keys, sums := groupsOf(list.Rows, func(a *ent.Asset) key {
				k := key{}
				for _, by := range groupBy {
					value := valueOf(a, string(by))
					if by == "company" {
						value = string(a.CompanyAccountNumber)
					}
					k = append(k, value)
				}
				return k
			}, add)
			if len(groupBy) == 0 && len(sums) == 0 {
				keys, sums = []key{{}}, []query.AssetTotals{{}}
			}
			got, err := r.AssetTotals(context.Background(), filter, groupBy)
			if err != nil {
				t.Fatal(err)
			}
			var gotKeys []key
			var gotSums []query.AssetTotals
			for _, g := range got {
				k := key{}
				for _, by := range groupBy {
					k = append(k, map[query.GroupBy]any{
						"company": or(g.Account), "hardwareType": or(g.HardwareType), "deviceType": or(g.DeviceType),
						"deviceClass": or(g.DeviceClass), "operatingSystem": or(g.OperatingSystem),
						"dattoSiteName": or(g.DattoSiteName), "suspended": or(g.Suspended), "online": or(g.Online),
					}[by])
				}
				gotKeys, gotSums = append(gotKeys, k), append(gotSums, g.AssetTotals)
			}
			if fmt.Sprintf("%#v", gotKeys) != fmt.Sprintf("%#v", keys) || !slices.Equal(gotSums, sums) {
				t.Fatalf("by %v: got  %v %v\nwant %v %v", groupBy, gotKeys, gotSums, keys, sums)
			}
			byCompany, err := r.AssetTotalsByCompany(context.Background(), accounts, filter)
			if err != nil {
				t.Fatal(err)
			}
			for _, account := range accounts {
				var want query.AssetTotals
				for _, a := range list.Rows {
					if a.CompanyAccountNumber == account {
						add(&want, a)
					}
				}
				if byCompany[account] != want {
					t.Fatalf("those of %s: %v, want %v", account, byCompany[account], want)
				}
			}
		})
	})
}

// fillTickets writes tickets of two companies over five months, the edges of months among them: with no
// time, with time that is not billable, in part or all, of one technician, of two, and of nobody.
func fillTickets(t *testing.T, db *store.DB) {
	t.Helper()
	if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for _, account := range []codex.AccountNumber{"1", "2", "gone"} {
			create := tx.Ent().Company.Create().SetID(account).SetName("Company " + string(account))
			if account == "gone" {
				create.SetArchivedAt(querytest.At(1))
			}
			if err := create.Exec(ctx); err != nil {
				return err
			}
		}
		entry := 0
		for i := range 60 {
			updated := time.Date(2025, time.Month(8+i%5), 1, 0, 0, 0, 0, time.UTC)
			if i%4 == 0 {
				updated = updated.AddDate(0, 1, 0).Add(-time.Microsecond)
			}
			var spent, unbillable int64
			var entries []*ent.TimeEntryCreate
			for j := range i % 4 {
				entry++
				seconds, billable := int64(60*(i+j)), (i+j)%3 > 0
				spent += seconds
				if !billable {
					unbillable += seconds
				}
				create := tx.Ent().TimeEntry.Create().SetID(entry).SetTicketID(i + 1).SetSpentSeconds(seconds).
					SetBillable(billable).SetTimerRunning(false)
				if agent := (i * (j + 1)) % 4; agent > 0 {
					create.SetAgentID(int64(9007199254740990 + agent))
				}
				entries = append(entries, create)
			}
			if err := tx.Ent().Ticket.Create().SetID(i + 1).SetSubject("x").SetClosed(i != 7).SetStatusCode(5).
				SetStatus([]string{"Closed", "closed", "Ärger"}[i%3]).SetPriority([]string{"Low", "High"}[i%2]).
				SetCompanyAccountNumber([]codex.AccountNumber{"1", "2", "1", "gone"}[i/2%4]).SetCreatedAt(querytest.At(1)).
				SetLastUpdatedAt(updated).SetUpstreamUpdatedAt(updated).SetSpentSeconds(spent).SetUnbillableSeconds(unbillable).
				SetDescription("").SetDescriptionText("").SetConversations("[]").SetNotes("[]").SetTimerRunning(false).
				Exec(ctx); err != nil {
				return err
			}
			for _, create := range entries {
				if err := create.Exec(ctx); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// drawMonths is a filter by billing month, and what it says told once more.
func drawMonths(t *rapid.T) (query.Filter, func(month string) bool) {
	month := rapid.SampledFrom([]string{"2025-07", "2025-08", "2025-10", "2025-12", "2026-01"})
	text := month.Draw(t, "month")
	list := rapid.SliceOfN(month, 0, 3).Draw(t, "months")
	conditions := map[string]func(string) bool{
		"eq": func(m string) bool { return m == text }, "ne": func(m string) bool { return m != text },
		"gt": func(m string) bool { return m > text }, "gte": func(m string) bool { return m >= text },
		"lt": func(m string) bool { return m < text }, "lte": func(m string) bool { return m <= text },
		"in":    func(m string) bool { return slices.Contains(list, m) },
		"notIn": func(m string) bool { return !slices.Contains(list, m) },
	}
	operator := rapid.SampledFrom(slices.Sorted(maps.Keys(conditions))).Draw(t, "operator")
	var value any = &text
	if strings.HasSuffix(strings.ToLower(operator), "in") {
		value = list
	}
	return query.Filter{"billingMonth": query.Filter{operator: value}}, conditions[operator]
}

// worked is a part of what a group is made of: a ticket, or an entry of it.
type worked struct {
	ticket     *ent.Ticket
	technician *int64
	spent, non int64
	billed     codex.Seconds
}

func TestTotalsOfTicketsAreTheSumsOfTheListOfTheSameFilterByAnythingTheyAreGroupedBy(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fillTickets(t, db)
		all, err := query.New(db.Ent(), rules()).Tickets(t.Context(), query.Page{First: 1000}, query.List{})
		if err != nil || len(all.Rows) < 40 {
			t.Fatalf("%v, %v", all, err)
		}
		ids := make([]int, len(all.Rows))
		for i, row := range all.Rows {
			ids[i] = row.ID
		}
		entries, err := query.New(db.Ent(), rules()).TimeEntriesByTicket(t.Context(), ids)
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			r := query.New(db.Ent(), query.Rules{DefaultHours: 900, BillNonBillable: rapid.Bool().Draw(t, "bill non-billable")})
			filter, met := drawMonths(t)
			list, err := r.Tickets(context.Background(), query.Page{First: 1000}, query.List{
				Filter: filter, OrderBy: []*query.Order{{Field: "billingMonth", Direction: query.Descending}},
			})
			if err != nil {
				t.Fatal(err)
			}
			month := func(row *ent.Ticket) string { return codex.PeriodOf(row.LastUpdatedAt).String() }
			var want []int
			for _, row := range all.Rows {
				if met(month(row)) {
					want = append(want, row.ID)
				}
			}
			slices.SortFunc(want, func(a, b int) int {
				byID := func(id int) *ent.Ticket { return all.Rows[slices.Index(ids, id)] }
				return cmp.Or(strings.Compare(month(byID(b)), month(byID(a))), cmp.Compare(a, b))
			})
			var got []int
			for _, row := range list.Rows {
				got = append(got, row.ID)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%v: the list has %v, want %v", filter, got, want)
			}
			groupBy := drawGroups(t, query.GroupsOf("Ticket"))
			byTechnician := slices.Contains(groupBy, "technician")
			var parts []worked
			for _, row := range list.Rows {
				if !byTechnician {
					parts = append(parts, worked{row, nil, row.SpentSeconds, row.UnbillableSeconds, r.TicketSeconds(row)})
					continue
				}
				if len(entries[row.ID]) == 0 {
					parts = append(parts, worked{ticket: row})
				}
				for _, e := range entries[row.ID] {
					part := worked{ticket: row, technician: e.AgentID, spent: e.SpentSeconds}
					if !e.Billable {
						part.non = e.SpentSeconds
					}
					parts = append(parts, part)
				}
			}
			type sum struct {
				tickets            map[int]bool
				spent, billed, non int64
			}
			keys, sums := groupsOf(parts, func(p worked) key {
				k := key{}
				for _, by := range groupBy {
					k = append(k, map[query.GroupBy]any{
						"company": string(p.ticket.CompanyAccountNumber), "billingMonth": month(p.ticket),
						"status": p.ticket.Status, "priority": p.ticket.Priority, "technician": or(p.technician),
					}[by])
				}
				return k
			}, func(s *sum, p worked) {
				if s.tickets == nil {
					s.tickets = map[int]bool{}
				}
				s.tickets[p.ticket.ID] = true
				s.spent, s.billed, s.non = s.spent+p.spent, s.billed+int64(p.billed), s.non+p.non
			})
			var wanted []string
			for i, k := range keys {
				wanted = append(wanted, fmt.Sprintf("%#v %d %d %d %d", k, len(sums[i].tickets), sums[i].spent, sums[i].billed, sums[i].non))
			}
			if len(groupBy) == 0 && len(wanted) == 0 {
				wanted = []string{fmt.Sprintf("%#v 0 0 0 0", key{})}
			}
			groups, err := r.TicketTotals(context.Background(), filter, groupBy)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, g := range groups {
				k := key{}
				for _, by := range groupBy {
					k = append(k, map[query.GroupBy]any{
						"company": or(g.Account), "billingMonth": or(g.BillingMonth), "status": or(g.Status),
						"priority": or(g.Priority), "technician": or(g.TechnicianID),
					}[by])
				}
				if (g.Billed == nil) != byTechnician {
					t.Fatalf("by %v: billed is %v", groupBy, g.Billed)
				}
				var billed query.TimeSpent
				if g.Billed != nil {
					billed = *g.Billed
				}
				found = append(found, fmt.Sprintf("%#v %d %d %d %d", k, g.Count, g.Worked, billed, g.NonBillable))
			}
			if !slices.Equal(found, wanted) {
				t.Fatalf("by %v:\ngot  %v\nwant %v", groupBy, found, wanted)
			}
			of, err := r.TicketTotalsByCompany(context.Background(), []codex.AccountNumber{"1", "2", "3"}, filter)
			if err != nil {
				t.Fatal(err)
			}
			for _, account := range []codex.AccountNumber{"1", "2", "3"} {
				var own query.TicketTotals
				for _, row := range list.Rows {
					if row.CompanyAccountNumber == account {
						own.Count++
						own.Worked += query.TimeSpent(row.SpentSeconds)
						own.NonBillable += query.TimeSpent(row.UnbillableSeconds)
						own.Billed += query.TimeSpent(r.TicketSeconds(row))
					}
				}
				if of[account] != own {
					t.Fatalf("those of %s: %v, want %v", account, of[account], own)
				}
			}
		})
	})
}

func TestTotalsOfThePastAreThoseOfWhatTheHubHadSeen(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		past, err := r.AsOf(t.Context(), querytest.At(12).Add(time.Hour), querytest.At(30))
		if err != nil {
			t.Fatal(err)
		}
		assets, err := past.AssetTotals(t.Context(), nil, []query.GroupBy{"company", "hardwareType"})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, g := range assets {
			got = append(got, fmt.Sprint(*g.Account, " ", or(g.HardwareType), " ", g.Count, " ", g.WithBackup, " ", g.BackupBytes))
		}
		if want := []string{"620547 Server 1 0 0", "620547 <nil> 1 0 0"}; !slices.Equal(got, want) {
			t.Errorf("assets: %q, want %q", got, want)
		}
		tickets, err := past.TicketTotals(t.Context(), nil, []query.GroupBy{"billingMonth"})
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, g := range tickets {
			got = append(got, fmt.Sprint(*g.BillingMonth, " ", g.Count, " ", g.Worked, " ", *g.Billed, " ", g.NonBillable))
		}
		if want := []string{"2024-12 1 0 900 0", "2025-01 1 600 600 600", "2025-10 1 3600 3600 0"}; !slices.Equal(got, want) {
			t.Errorf("tickets: %q, want %q", got, want)
		}
		of, err := past.TicketTotalsByCompany(t.Context(), acc("620547", "900"), nil)
		if want := (query.TicketTotals{Count: 3, Worked: 4200, Billed: 5100, NonBillable: 600}); of["620547"] != want || len(of) != 1 || err != nil {
			t.Errorf("by company: %v, %v, want %v", of, err, want)
		}
		if _, err := past.AssetTotals(t.Context(), nil, []query.GroupBy{"online"}); codex.CodeOf(err) != codex.CodeBadInput {
			t.Errorf("whether machines were online is kept: %v", err)
		}
	})
}

func TestTotalsThatCannotBeAreRefusedAndNameTheArgument(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			name    string
			groupBy []query.GroupBy
			filter  query.Filter
			want    *codex.Error
		}{
			{"a group that is none", []query.GroupBy{"hostname"}, nil, codex.BadInput("groupBy", "there is no hostname to group by")},
			{"a group twice", []query.GroupBy{"company", "status", "company"}, nil, codex.BadInput("groupBy", "it groups by company twice")},
			{"a filter that is none", nil, query.Filter{"x": query.Filter{}}, codex.BadInput("filter", "filter.x: there is no such field")},
			{"no month", nil, query.Filter{"billingMonth": query.Filter{"in": []string{"2025-10", "2025-13"}}},
				codex.BadInput("filter", "filter.billingMonth.in: a month is YYYY-MM, such as 2025-10")},
		} {
			_, err := r.TicketTotals(t.Context(), tc.filter, tc.groupBy)
			if bad, ok := errors.AsType[*codex.Error](err); !ok || *bad != *tc.want {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
	})
}

func TestMoreGroupsThanThereMayBeAreRefusedAndNeverCut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		add := func(from, to int) {
			if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				if from == 0 {
					if err := tx.Ent().Company.Create().SetID("1").SetName("x").Exec(ctx); err != nil {
						return err
					}
				}
				for chunk := range slices.Chunk(slices.Repeat([]int{0}, to-from), 500) {
					var assets []*ent.AssetCreate
					for range chunk {
						from++
						assets = append(assets, tx.Ent().Asset.Create().SetID(from).SetHostname("x").
							SetCompanyAccountNumber("1").SetDeviceType(fmt.Sprint(from)))
					}
					if err := tx.Ent().Asset.CreateBulk(assets...).Exec(ctx); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		r := query.New(db.Ent(), rules())
		add(0, query.MaxGroups)
		if groups, err := r.AssetTotals(t.Context(), nil, []query.GroupBy{"deviceType"}); len(groups) != query.MaxGroups || err != nil {
			t.Errorf("%d groups, %v", len(groups), err)
		}
		add(query.MaxGroups, query.MaxGroups+1)
		_, err := r.AssetTotals(t.Context(), nil, []query.GroupBy{"deviceType"})
		want := codex.Error{Code: codex.CodeCostLimit, Field: "groupBy", Message: "there are more than 10000 groups: group by less, or filter"}
		if refused, ok := errors.AsType[*codex.Error](err); !ok || *refused != want {
			t.Errorf("one more: %v", err)
		}
	})
}

func TestAListOfTextsHasAnElementInCapitalOrSmallLetters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		lists := map[codex.AccountNumber]string{
			"1": `["acme.example","Ärzte.test"]`, "2": `[ "b", "acme.example.test", "\u00e4rzte.test" ]`, // as Python writes it
			"3": `[]`, "4": "", "6": `["a\u0000b",",","say \"hi\""]`,
			"7": "null", "8": "[ ]", "9": "no list", // which no sync writes
		}
		if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			for _, account := range []codex.AccountNumber{"1", "2", "3", "4", "5", "6", "7", "8", "9"} {
				create := tx.Ent().Company.Create().SetID(account).SetName("x")
				if list, ok := lists[account]; ok {
					create.SetDomains(list)
				}
				if err := create.Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string][]codex.AccountNumber{
			"ACME.example": acc("1"), "acme": nil, "ÄRZTE.test": acc("1", "2"), "b": acc("2"), "": nil,
			",": acc("6"), "A\x00b": acc("6"), `say "hi"`: acc("6"), `"`: nil,
		} {
			has := query.Filter{"domains": query.Filter{"has": &text}}
			for name, tc := range map[string]struct {
				filter query.Filter
				want   int
			}{"has": {has, len(want)}, "not": {query.Filter{"not": has}, 9 - len(want)}} {
				page, err := query.New(db.Ent(), rules()).Companies(t.Context(), query.Page{First: 50}, query.List{Filter: tc.filter})
				if err != nil {
					t.Fatalf("%q: %v", text, err)
				}
				var got []codex.AccountNumber
				for _, c := range page.Rows {
					got = append(got, c.ID)
				}
				if len(got) != tc.want || name == "has" && !slices.Equal(got, want) {
					t.Errorf("%s %q: %v, want %v", name, text, got, want)
				}
			}
		}
	})
}
