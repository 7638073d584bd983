package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// taggedPaths are the paths whose answers have tags, with the entities that they are made of.
func taggedPaths() map[string][]string {
	return map[string][]string{
		"/api/companies":                                      {"companies"},
		"/api/companies/620547":                               {"companies"},
		"/api/company/620547":                                 {"companies"},
		"/api/companies/620547/assets":                        {"companies", "assets"},
		"/api/companies/620547/contacts":                      {"companies", "contacts", "contact_links"},
		"/api/companies/620547/users":                         {"companies", "contacts", "contact_links"},
		"/api/companies/620547/locations":                     {"companies", "locations"},
		"/api/companies/620547/tickets":                       {"companies", "tickets"},
		"/api/companies/620547/tickets?year=2025":             {"companies", "tickets"},
		"/api/companies/bulk":                                 {"companies", "assets", "contacts", "contact_links", "locations"},
		"/api/companies/bulk?include_tickets=true":            {"companies", "assets", "contacts", "contact_links", "locations", "tickets"},
		"/api/companies/bulk?include_tickets=true&year=2025":  {"companies", "assets", "contacts", "contact_links", "locations", "tickets"},
		"/api/companies/9/tickets":                            {"companies", "tickets"},
		"/billing-plans/api/plans":                            {"plans"},
		"/billing-plans/api/plans/Gold/1%20Year":              {"plans"},
		"/billing-plans/api/feature-options":                  {"plans"},
		"/billing-plans/api/feature-categories":               {"plans"},
		"/billing-plans/api/bulk-plans":                       {"plans"},
		"/api/billing-plans":                                  {"plans"},
		"/api/billing-plans?plan_name=Gold":                   {"plans"},
		"/api/companies/" + "10%2F2%20%25%C3%BC" + "/tickets": {"companies", "tickets"},
	}
}

// raise does what a transaction that writes to entities does to their revisions.
func raise(t testing.TB, db *store.DB, entities ...string) {
	t.Helper()
	if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error { return tx.Raise(ctx, entities...) }); err != nil {
		t.Fatal(err)
	}
}

func TestAnAnswerThatTheCallerHasIsNotReadAgain(t *testing.T) {
	statements := 0
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		for path := range taggedPaths() {
			first := ask(t, server, http.MethodGet, path, codex.RoleService)
			tag := first.header.Get("ETag")
			if first.status != http.StatusOK || len(tag) < 20 || strings.Trim(tag, `"`) != tag[1:len(tag)-1] {
				t.Errorf("%s: %d, ETag %s", path, first.status, tag)
			}
			if cache := first.header.Get("Cache-Control"); cache != "private, no-cache" {
				t.Errorf("%s: Cache-Control %q", path, cache)
			}
			if head := ask(t, server, http.MethodHead, path, codex.RoleService); head.header.Get("ETag") != tag {
				t.Errorf("%s: HEAD tells the tag %s, GET %s", path, head.header.Get("ETag"), tag)
			}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				statements = 0
				again := askKeeping(t, server, method, path, codex.RoleService, tag)
				if again.status != http.StatusNotModified || again.body != "" || again.header.Get("ETag") != tag ||
					again.header.Get("Cache-Control") != "private, no-cache" || again.header.Get("Content-Type") != "" {
					t.Errorf("%s %s again: %d %v %q", method, path, again.status, again.header, again.body)
				}
				if statements != 1 { // that of the revisions
					t.Errorf("%s %s again: %d statements", method, path, statements)
				}
			}
		}
	}, storetest.OnStatement(func(string) { statements++ }))
}

func TestAWriteChangesTheTagsOfWhatIsMadeOfIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		tags := map[string]string{}
		for path := range taggedPaths() {
			tags[path] = ask(t, server, http.MethodGet, path, codex.RoleService).header.Get("ETag")
		}
		for _, entity := range []string{"companies", "assets", "contacts", "contact_links", "locations", "tickets", "plans", "sites", "sync_issues"} {
			raise(t, db, entity)
			for path, entities := range taggedPaths() {
				want := http.StatusNotModified
				if slices.Contains(entities, entity) {
					want = http.StatusOK
				}
				got := askKeeping(t, server, http.MethodGet, path, codex.RoleService, tags[path])
				if got.status != want {
					t.Errorf("%s after a write to %s: %d, want %d", path, entity, got.status, want)
				}
				tags[path] = got.header.Get("ETag")
			}
		}
	})
}

func TestWhatElseAnAnswerDependsOnIsInItsTag(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	fill(t, db)
	const path = "/api/companies/620547/tickets"
	tag := func(change func(o *rest.Options)) string {
		o := options(t, db)
		change(&o)
		return ask(t, serve(t, o), http.MethodGet, path, codex.RoleService).header.Get("ETag")
	}
	seen := map[string]string{}
	for name, change := range map[string]func(o *rest.Options){
		"nothing":                func(*rest.Options) {},
		"the program":            func(o *rest.Options) { o.Version = "v2" },
		"the keys":               func(o *rest.Options) { o.SeedKeysOnly = true },
		"the days":               func(o *rest.Options) { o.TicketDays = 30 },
		"the default hours":      func(o *rest.Options) { o.Rules.DefaultHours = 1800 },
		"hours without a charge": func(o *rest.Options) { o.Rules.BillNonBillable = false },
	} {
		got := tag(change)
		if other, there := seen[got]; there {
			t.Errorf("%s and %s have one tag", name, other)
		}
		seen[got] = name
		if again := tag(change); again != got {
			t.Errorf("%s: another process tells %s, not %s", name, again, got)
		}
	}
}

func TestTheTagsOfACallerAreComparedAsRFC9110HasIt(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		for _, path := range []string{"/api/companies/620547", "/api/companies/bulk?include_tickets=true"} {
			tag := ask(t, server, http.MethodGet, path, codex.RoleService).header.Get("ETag")
			other := ask(t, server, http.MethodGet, "/api/companies/9", codex.RoleService).header.Get("ETag")
			for _, tc := range []struct {
				name   string
				kept   []string
				status int
			}{
				{"its own", []string{tag}, 304},
				{"a weak one", []string{"W/" + tag}, 304},
				{"one of several", []string{`"a,b", ` + other + "," + tag}, 304},
				{"one of several lines", []string{other, tag}, 304},
				{"one behind what is none", []string{`nonsense, ` + tag}, 304},
				{"any", []string{"*"}, 304},
				{"another's", []string{other}, 200},
				{"none", []string{""}, 200},
				{"without quotes", []string{strings.Trim(tag, `"`)}, 200},
				{"half a one", []string{strings.TrimSuffix(tag, `"`)}, 200},
				{"a beginning", []string{tag[:10] + `"`}, 200},
			} {
				got := askKeeping(t, server, http.MethodGet, path, codex.RoleService, tc.kept...)
				if got.status != tc.status || got.header.Get("ETag") != tag {
					t.Errorf("%s, %s: %d under %s", path, tc.name, got.status, got.header.Get("ETag"))
				}
			}
		}
	})
}

func TestWhatIsNoAnswerWithDataHasNoTag(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		server := serve(t, options(t, db))
		tag := ask(t, server, http.MethodGet, "/api/companies/620547/assets", codex.RoleService).header.Get("ETag")
		for _, tc := range []struct {
			path   string
			role   codex.Role
			status int
		}{
			{"/api/companies/404/assets", codex.RoleService, 404},
			{"/api/companies/620547/tickets?year=x", codex.RoleService, 400},
			{"/api/companies/620547/assets", "", 401},
			{"/api/companies/620547/assets", codex.RoleClient, 403},
			{"/api/companies/bulk", codex.RoleClient, 403},
			{"/sync/last/datto", codex.RoleService, 200},
			{"/sync/status/" + string(runID("08")), codex.RoleService, 200}, // moves without a revision
		} {
			for _, kept := range []string{tag, "*"} {
				got := askKeeping(t, server, http.MethodGet, tc.path, tc.role, kept)
				if got.status != tc.status || got.header.Get("ETag") != "" || got.header.Get("Cache-Control") != "" {
					t.Errorf("%s as %q: %d %v", tc.path, tc.role, got.status, got.header)
				}
			}
		}
		if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			if err := tx.Ent().Company.UpdateOneID("620547").SetArchivedAt(today()).Exec(ctx); err != nil {
				return err
			}
			return tx.Raise(ctx, "companies")
		}); err != nil {
			t.Fatal(err)
		}
		if got := askKeeping(t, server, http.MethodGet, "/api/companies/620547/assets", codex.RoleService, tag); got.status != 404 {
			t.Errorf("of a company that was archived: %d", got.status)
		}
	})
}

func TestATicketThatLeavesTheWindowChangesTheTagThoughNobodyWrites(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db) // the oldest in the window, 10, leaves it with the next microsecond
		now := today()
		o := options(t, db)
		o.Now = func() time.Time { return now }
		server := serve(t, o)
		for _, path := range []string{"/api/companies/620547/tickets", "/api/companies/bulk?include_tickets=true"} {
			now = today()
			first := ask(t, server, http.MethodGet, path, codex.RoleService)
			now = now.Add(500 * time.Nanosecond)
			if got := askKeeping(t, server, http.MethodGet, path, codex.RoleService, first.header.Get("ETag")); got.status != 304 {
				t.Errorf("%s at the same moment: %d", path, got.status)
			}
			now = now.Add(500 * time.Nanosecond)
			then := askKeeping(t, server, http.MethodGet, path, codex.RoleService, first.header.Get("ETag"))
			if then.status != 200 || then.body == first.body || strings.Contains(then.body, `"ticket_id":10,`) {
				t.Errorf("%s a microsecond later: %d %s", path, then.status, then.body)
			}
			now = now.AddDate(0, 2, 0)
			if got := askKeeping(t, server, http.MethodGet, path, codex.RoleService, then.header.Get("ETag")); got.status != 304 {
				t.Errorf("%s while none leaves: %d", path, got.status)
			}
			year := path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "year=2025"
			ofYear := ask(t, server, http.MethodGet, year, codex.RoleService)
			now = now.AddDate(9, 0, 0)
			if got := askKeeping(t, server, http.MethodGet, year, codex.RoleService, ofYear.header.Get("ETag")); got.status != 304 {
				t.Errorf("%s, which has no window: %d", year, got.status)
			}
		}
	})
}

// One tag names one answer, whatever is written and however the clock moves: who is told that an answer
// is unchanged has the one that would have been sent.
func TestLawOneTagNamesOneAnswer(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db)
		now := today()
		o := options(t, db)
		o.Now = func() time.Time { return now }
		server := serve(t, o)
		var paths []string
		for path := range taggedPaths() {
			paths = append(paths, path)
		}
		slices.Sort(paths)
		next := 100_000
		kept := map[string]string{} // path and tag, and what was answered under it
		rapid.Check(t, func(rt *rapid.T) {
			for range rapid.IntRange(1, 4).Draw(rt, "steps") {
				step(t, rt, db, &next, &now)
				path := rapid.SampledFrom(paths).Draw(rt, "path")
				got := ask(t, server, http.MethodGet, path, codex.RoleService)
				tag := got.header.Get("ETag")
				if before, there := kept[path+" "+tag]; there && before != got.body {
					rt.Fatalf("%s has two answers under %s:\n%s\n%s", path, tag, before, got.body)
				}
				kept[path+" "+tag] = got.body
				unchangedIsTheSame(t, rt, server, path, got, kept)
			}
		})
	})
}

// unchangedIsTheSame asks with every tag that was ever kept of a path.
func unchangedIsTheSame(t *testing.T, rt *rapid.T, server *httptest.Server, path string, now response, kept map[string]string) {
	t.Helper()
	for name, body := range kept {
		tag, of := strings.CutPrefix(name, path+" ")
		if !of {
			continue
		}
		again := askKeeping(t, server, http.MethodGet, path, codex.RoleService, tag)
		if again.status == http.StatusNotModified && body != now.body {
			rt.Fatalf("%s: what was kept under %s passes for good:\n%s\nis\n%s", path, tag, body, now.body)
		}
	}
}

// step writes something, or lets time go by.
func step(t *testing.T, rt *rapid.T, db *store.DB, next *int, now *time.Time) {
	t.Helper()
	*next++
	id, name := *next, fmt.Sprint("n", *next)
	write := func(entity string, fn func(ctx context.Context, client *ent.Client) error) {
		err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			if err := fn(ctx, tx.Ent()); err != nil {
				return err
			}
			return tx.Raise(ctx, entity)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	switch rapid.SampledFrom([]string{"company", "asset", "contact", "ticket", "clock"}).Draw(rt, "step") {
	case "company":
		write("companies", func(ctx context.Context, c *ent.Client) error {
			return c.Company.UpdateOneID("620547").SetName(name).Exec(ctx)
		})
	case "asset":
		write("assets", func(ctx context.Context, c *ent.Client) error {
			return c.Asset.UpdateOneID(12).SetHostname(name).Exec(ctx)
		})
	case "contact":
		write("contacts", func(ctx context.Context, c *ent.Client) error {
			return c.Contact.UpdateOneID(2).SetName(name).Exec(ctx)
		})
	case "ticket":
		updated := now.Add(-time.Duration(rapid.IntRange(0, 400*24).Draw(rt, "hours ago")) * time.Hour)
		write("tickets", func(ctx context.Context, c *ent.Client) error {
			return c.Ticket.Create().SetID(id).SetCompanyAccountNumber("620547").SetSubject(name).
				SetClosed(rapid.Bool().Draw(rt, "closed")).SetStatus("Closed").SetStatusCode(5).SetPriority("Low").
				SetCreatedAt(updated).SetLastUpdatedAt(updated).SetUpstreamUpdatedAt(updated).
				SetSpentSeconds(60).SetUnbillableSeconds(0).SetTimerRunning(false).
				SetDescription("").SetDescriptionText("").SetConversations("").SetNotes("").Exec(ctx)
		})
	case "clock":
		*now = now.Add(time.Duration(rapid.IntRange(0, 60*24).Draw(rt, "hours")) * time.Hour)
	}
}

func FuzzEntityTags(f *testing.F) {
	for _, header := range []string{``, `*`, `"a"`, `W/"a", "b,c" , *`, `"a`, `W/`, `x"a"`, `"a""b"`, `,,"",`} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		tags := rest.EntityTags([]string{header})
		for _, tag := range tags {
			opaque := strings.TrimPrefix(tag, "W/")
			quoted := len(opaque) >= 2 && opaque[0] == '"' && strings.IndexByte(opaque[1:], '"') == len(opaque)-2
			if tag != "*" && !quoted || !strings.Contains(header, tag) {
				t.Errorf("%q has the tag %q", header, tag)
			}
		}
		if again := rest.EntityTags(tags); !slices.Equal(again, tags) {
			t.Errorf("%q: %q, and of these %q", header, tags, again)
		}
	})
}
