package query_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestBeforeTheFirstSucceededRunThereIsNoPast(t *testing.T) {
	firstEnd := querytest.At(11).Add(time.Hour) // of r1
	now := querytest.At(30)
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			name string
			at   time.Time
			code codex.Code
			text string
		}{
			{"just before it ended", firstEnd.Add(-time.Microsecond), codex.CodeNoHistory,
				"at: the hub had seen nothing by then: its first sync that succeeded ended at 2025-10-11T13:00:00Z"},
			{"long ago", time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC), codex.CodeNoHistory,
				"at: the hub had seen nothing by then: its first sync that succeeded ended at 2025-10-11T13:00:00Z"},
			{"when it ended", firstEnd, "", ""},
			{"now", now, "", ""},
			{"ahead", now.Add(time.Microsecond), codex.CodeBadInput, "at: this moment lies ahead: it is 2025-10-30T12:00:00Z now"},
		} {
			past, err := r.AsOf(t.Context(), tc.at, now)
			if codex.CodeOf(err) != tc.code || err != nil && err.Error() != tc.text {
				t.Errorf("%s: %v", tc.name, err)
			}
			if err == nil && !past.At.Equal(tc.at) {
				t.Errorf("%s: it is the past of %s", tc.name, past.At)
			}
		}
	})
}

func TestAnEmptyHubHasNoPastAtAll(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		_, err := query.New(db.Ent(), rules()).AsOf(t.Context(), querytest.At(1), querytest.At(2))
		if codex.CodeOf(err) != codex.CodeNoHistory || err.Error() != "at: no sync has succeeded yet: there is no past" {
			t.Errorf("%v", err)
		}
	})
}

// Dry runs saw and wrote nothing, and a run that was not all it should be does not count; its backup
// readings do.
func TestAPastRestsOnTheNewestSucceededRunOfEachFeed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		run := func(id codex.RunID, feed codex.Feed, state codex.RunState, dry bool, end time.Time) {
			if err := db.Ent().SyncRun.Create().SetID(id).SetFeed(feed).SetMode(codex.ModeFull).SetTrigger(codex.TriggerCLI).
				SetRequestedBy("x").SetDryRun(dry).SetForced(false).SetState(state).SetQueuedAt(end.Add(-time.Hour)).
				SetStartedAt(end.Add(-time.Hour)).SetEndedAt(end).Exec(ctx); err != nil {
				t.Fatal(err)
			}
		}
		run("f1", codex.FeedFreshservice, codex.RunSucceeded, false, querytest.At(1))
		run("f2", codex.FeedFreshservice, codex.RunSucceeded, false, querytest.At(2))
		run("f3", codex.FeedFreshservice, codex.RunPartial, false, querytest.At(3))
		run("f4", codex.FeedFreshservice, codex.RunSucceeded, true, querytest.At(4))
		run("f5", codex.FeedFreshservice, codex.RunSucceeded, false, querytest.At(9))
		run("d1", codex.FeedDatto, codex.RunSucceeded, false, querytest.At(2))
		run("d2", codex.FeedDatto, codex.RunFailed, false, querytest.At(3))
		run("d3", codex.FeedDatto, codex.RunHeld, false, querytest.At(6))
		r := query.New(db.Ent(), rules())
		for at, want := range map[time.Time]string{
			querytest.At(1): "freshservice f1 datto - tickets -",
			querytest.At(2): "freshservice f2 datto d1 tickets -",
			querytest.At(8): "freshservice f2 datto d1 tickets -",
			querytest.At(9): "freshservice f5 datto d1 tickets -",
		} {
			past, err := r.AsOf(ctx, at, querytest.At(30))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range past.Coverage {
				id := codex.RunID("-")
				if c.RunID != nil {
					id = *c.RunID
				}
				got = append(got, string(c.Feed), string(id))
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %s, want %s", at, got, want)
			}
		}
		if err := db.Ent().AssetVersion.Create().SetAssetID(1).SetCompanyAccountNumber("1").SetHostname("x").
			SetSeenFrom(querytest.At(1)).Exec(ctx); err != nil {
			t.Fatal(err)
		}
		if err := db.Ent().Company.Create().SetID("1").SetName("x").Exec(ctx); err != nil {
			t.Fatal(err)
		}
		if err := db.Ent().Asset.Create().SetID(1).SetCompanyAccountNumber("1").SetHostname("x").Exec(ctx); err != nil {
			t.Fatal(err)
		}
		for _, day := range []int{2, 3, 6, 8} {
			if err := db.Ent().BackupReading.Create().SetAssetID(1).SetDay(int(codex.DayOf(querytest.At(day)))).
				SetBytes(int64(day)).Exec(ctx); err != nil {
				t.Fatal(err)
			}
		}
		for _, tc := range []struct {
			name string
			at   time.Time
			want codex.Bytes
		}{
			{"once a run has ended that day", querytest.At(2), 2},
			{"the next midnight", codex.DayOf(querytest.At(3)).Start(), 2},
			{"a day on which the run failed: what it wrote was taken by another, later", querytest.At(3), 2},
			{"the day after", codex.DayOf(querytest.At(4)).Start(), 3},
			{"before the held run", querytest.At(6).Add(-time.Second), 3},
			{"after it", querytest.At(6), 6},
			{"a day without runs yet", querytest.At(8), 6},
			{"later", querytest.At(20), 8},
		} {
			past, err := r.AsOf(ctx, tc.at, querytest.At(30))
			if err != nil {
				t.Fatal(err)
			}
			assets, err := past.AssetsByCompany(ctx, []codex.AccountNumber{"1"}, query.Edge{}, query.ColumnBackup)
			if err != nil || len(assets["1"]) != 1 || assets["1"][0].Backup == nil || assets["1"][0].Backup.Bytes != tc.want {
				t.Errorf("%s: %v, %v, want %d", tc.name, assets["1"], err, tc.want)
			}
			totals, err := past.AssetTotalsByCompany(ctx, []codex.AccountNumber{"1"}, nil)
			if want := (query.AssetTotals{Count: 1, WithBackup: 1, BackupBytes: tc.want}); totals["1"] != want || err != nil {
				t.Errorf("%s, added up: %v, %v", tc.name, totals, err)
			}
		}
	})
}

// timeline is a random past of some assets: what happened, as the engine would have written it.
type timeline struct {
	versions []*ent.AssetVersion
	changes  []string // what [query.Reader.Changes] must tell of it, oldest first
}

func aTimeline(random *rand.Rand) timeline {
	var line timeline
	for id := 1; id <= 8; id++ {
		var open, last *ent.AssetVersion
		for hour := range 24 {
			at := querytest.At(1).Add(time.Duration(hour) * time.Hour)
			account := codex.AccountNumber(fmt.Sprint(random.IntN(3)))
			switch next := random.IntN(6); {
			case next == 0 && open != nil: // gone
				open.SeenTo, last, open = &at, open, nil
				line.changes = append(line.changes, fmt.Sprintf("%s removed %d", at.Format(time.TimeOnly), id))
			case next == 1 && open != nil && account != open.CompanyAccountNumber: // moved
				open.SeenTo, last = &at, open
				open = &ent.AssetVersion{AssetID: id, CompanyAccountNumber: account, SeenFrom: at}
				line.versions = append(line.versions, open)
				line.changes = append(line.changes, fmt.Sprintf("%s changed %d", at.Format(time.TimeOnly), id))
			case next == 2 && open == nil: // there, or back
				kind := "created"
				if last != nil {
					kind = "returned"
				}
				open = &ent.AssetVersion{AssetID: id, CompanyAccountNumber: account, SeenFrom: at}
				line.versions = append(line.versions, open)
				line.changes = append(line.changes, fmt.Sprintf("%s %s %d", at.Format(time.TimeOnly), kind, id))
			}
		}
	}
	slices.Sort(line.changes)
	return line
}

// at is what a plain look at the versions finds: the assets of each company.
func (l timeline) at(moment time.Time) string {
	var found []string
	for _, v := range l.versions {
		if !v.SeenFrom.After(moment) && (v.SeenTo == nil || v.SeenTo.After(moment)) {
			found = append(found, fmt.Sprintf("%s:%d", v.CompanyAccountNumber, v.AssetID))
		}
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}

func TestAPastAndItsChangesAreThoseOfTheVersionsWhateverHappened(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		querytest.World(t, db) // for its runs
		for seed := range uint64(4) {
			line := aTimeline(rand.New(rand.NewPCG(seed, 0)))
			if _, err := db.Ent().AssetVersion.Delete().Exec(ctx); err != nil {
				t.Fatal(err)
			}
			for _, v := range line.versions {
				if err := db.Ent().AssetVersion.Create().SetAssetID(v.AssetID).SetCompanyAccountNumber(v.CompanyAccountNumber).
					SetHostname("x").SetSeenFrom(v.SeenFrom).SetNillableSeenTo(v.SeenTo).Exec(ctx); err != nil {
					t.Fatal(err)
				}
			}
			r := query.New(db.Ent(), rules())
			past := pastOfWorld(t, r)
			for half := range 50 {
				past.At = querytest.At(1).Add(time.Duration(half-1) * time.Hour / 2)
				assets, err := past.AssetsByCompany(ctx, []codex.AccountNumber{"0", "1", "2"}, query.Edge{})
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for account, list := range assets {
					for _, a := range list {
						got = append(got, fmt.Sprintf("%s:%d", account, a.AssetID))
					}
				}
				slices.Sort(got)
				if want := line.at(past.At); strings.Join(got, " ") != want {
					t.Errorf("seed %d, %s: %s, want %s", seed, past.At, got, want)
				}
			}
			for _, first := range []int{1, 3, 1000} {
				if got := changesInPages(t, r, first, query.ChangeFilter{Entity: query.EntityAsset}); !slices.Equal(got, line.changes) {
					t.Errorf("seed %d, in pages of %d: %s\nwant %s", seed, first, got, line.changes)
				}
			}
		}
	})
}

// pastOfWorld is a past whose moment may be set to any other.
func pastOfWorld(t *testing.T, r *query.Reader) *query.Past {
	t.Helper()
	past, err := r.AsOf(t.Context(), querytest.At(20), querytest.At(30))
	if err != nil {
		t.Fatal(err)
	}
	return past
}

// changesInPages are all changes that filter wants, oldest first, read in pages.
func changesInPages(t *testing.T, r *query.Reader, first int, filter query.ChangeFilter) []string {
	t.Helper()
	var all []string
	page := query.Page{First: first}
	for {
		got, err := r.Changes(t.Context(), page, filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range got.Rows {
			all = append(all, fmt.Sprintf("%s %s %s", c.At.Format(time.TimeOnly), c.Kind, c.RecordID))
		}
		if !got.More {
			break
		}
		page.After = got.Cursors[len(got.Cursors)-1]
	}
	if n, err := r.CountChanges(t.Context(), filter); n != len(all) || err != nil {
		t.Errorf("%d changes were counted, %d listed: %v", n, len(all), err)
	}
	slices.Sort(all)
	return all
}

func TestPagesOfChangesLoseAndDoubleNothing(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		whole := changesInPages(t, r, 1000, query.ChangeFilter{})
		if len(whole) < 35 {
			t.Errorf("only %d changes: %v", len(whole), whole)
		}
		for _, filter := range []query.ChangeFilter{
			{}, {Company: "620547"}, {Entity: query.EntityTicket}, {Column: "company_account_number"},
			{Run: "r2"}, {From: querytest.At(2), To: querytest.At(13)},
		} {
			want := changesInPages(t, r, 1000, filter)
			for _, first := range []int{1, 2, 7} {
				if got := changesInPages(t, r, first, filter); !slices.Equal(got, want) || len(got) == 0 {
					t.Errorf("%+v, in pages of %d: %v\nwant %v", filter, first, got, want)
				}
			}
		}
	})
}

func TestAQuestionAboutChangesThatMakesNoSenseIsRefused(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		ctx := t.Context()
		for name, filter := range map[string]query.ChangeFilter{
			"a field that nothing has":         {Column: "shoe_size"},
			"a field that has no past":         {Column: "online"},
			"a field of another entity":        {Entity: query.EntityTicket, Column: "hostname"},
			"a column of ours":                 {Column: "seen_from"},
			"a text that is no name":           {Column: `"; DROP TABLE companies`},
			"an entity without a history":      {Entity: "sync_run"},
			"a field of an entity without any": {Entity: "x", Column: "name"},
		} {
			_, err := r.Changes(ctx, query.Page{First: 1}, filter)
			if _, countErr := r.CountChanges(ctx, filter); codex.CodeOf(err) != codex.CodeBadInput || codex.CodeOf(countErr) != codex.CodeBadInput {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, page := range map[string]query.Page{
			"no rows": {First: 0}, "too many": {First: query.MaxPage + 1}, "no cursor": {First: 1, After: "x"},
			"a cursor of another list": {First: 1, After: "WyIxIiwiYWNjb3VudF9udW1iZXIiLCI3NzciXQ"},
		} {
			if _, err := r.Changes(ctx, page, query.ChangeFilter{}); codex.CodeOf(err) != codex.CodeBadInput {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, filter := range map[string]query.ChangeFilter{
			"a run that never was": {Run: "r9"}, "a dry run": {Run: "r4"}, "a run that has not begun": {Run: "r5"},
			"a company that never was": {Company: "nobody"},
		} {
			page, err := r.Changes(ctx, query.Page{First: 10}, filter)
			if err != nil || len(page.Rows) != 0 || page.More {
				t.Errorf("%s: %v, %v", name, page, err)
			}
		}
	})
}

func TestTheColumnsOfThePastThatAreAskedForAreRead(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		ctx := t.Context()
		past := pastOfWorld(t, r)
		assets, err := past.AssetsByCompany(ctx, []codex.AccountNumber{"620547"}, query.Edge{}, "operating_system")
		if err != nil || len(assets["620547"]) != 2 {
			t.Fatal(assets, err)
		}
		a := assets["620547"][0]
		if a.AssetID != 1 || *a.OperatingSystem != "Windows Server 2022" || a.Hostname != "" || a.Backup != nil || a.ID() != "1@2025-10-20T12:00:00Z" {
			t.Errorf("%v, backup %v, id %s", a, a.Backup, a.ID())
		}
		whole, err := past.Asset(ctx, 1)
		if err != nil || whole.Hostname != "SRV-1" || whole.Backup.Bytes != querytest.TB+querytest.TB/2 {
			t.Errorf("%v, %v", whole, err)
		}
	})
}

func TestAPastThatCannotBeReadSaysSo(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	querytest.World(t, db)
	r := query.New(db.Ent(), rules())
	past := pastOfWorld(t, r)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	accounts := []codex.AccountNumber{"620547"}
	for name, err := range map[string]error{
		"as of":   second(r.AsOf(ctx, querytest.At(20), querytest.At(30))),
		"company": second(past.Company(ctx, "620547")), "companies": second(past.Companies(ctx, query.Page{First: 1}, query.List{})),
		"count": second(past.CountCompanies(ctx, nil)), "by account": second(past.CompaniesByAccount(ctx, accounts)),
		"by contact": second(past.CompaniesByContact(ctx, []int{1})), "asset": second(past.Asset(ctx, 1)),
		"assets": second(past.AssetsByCompany(ctx, accounts, query.Edge{})), "totals": second(past.AssetTotalsByCompany(ctx, accounts, nil)),
		"contact": second(past.Contact(ctx, 1)), "contacts": second(past.ContactsByCompany(ctx, accounts, query.Edge{})),
		"locations": second(past.LocationsByCompany(ctx, accounts, query.Edge{})), "ticket": second(past.Ticket(ctx, 1001)),
		"tickets":    second(past.TicketsByCompany(ctx, accounts, query.TicketFilter{}, query.Edge{})),
		"all assets": second(past.Assets(ctx, query.Page{First: 1}, query.List{})), "assets counted": second(past.CountAssets(ctx, nil)),
		"all contacts": second(past.Contacts(ctx, query.Page{First: 1}, query.List{})), "contacts counted": second(past.CountContacts(ctx, nil)),
		"all locations": second(past.Locations(ctx, query.Page{First: 1}, query.List{})), "locations counted": second(past.CountLocations(ctx, nil)),
		"all tickets": second(past.Tickets(ctx, query.Page{First: 1}, query.List{})), "tickets counted": second(past.CountTickets(ctx, nil)),
		"location": second(past.Location(ctx, 1)), "location of now": second(r.Location(ctx, 1)),
		"readings": second(r.BackupReadingsByAsset(ctx, []int{1}, query.DayFilter{})),
		"versions": second(r.VersionsOf(ctx, query.EntityAsset, []int{1}, true)),
		"changes":  second(r.Changes(ctx, query.Page{First: 1}, query.ChangeFilter{})),
		"counted":  second(r.CountChanges(ctx, query.ChangeFilter{})),
		"runs":     second(r.RunsByRef(ctx, []query.RunRef{query.RunRefOf("r1")})),
	} {
		if err == nil || codex.CodeOf(err) == codex.CodeNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}
