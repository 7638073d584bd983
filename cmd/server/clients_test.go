package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/Khan/genqlient/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/hivematrix/codex/cmd/server/goclient"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/web"
)

// clientsWorld is a hub that has seen a machine of Contoso's under two names, and whom it knows.
type clientsWorld struct {
	*served
	token    string
	machine  string    // its id
	before   string    // its host name at then
	after    string    // its host name now
	then     time.Time // when it had the first one
	endpoint string
}

// forClients serves the hub that client libraries are tried on.
func forClients(t *testing.T) clientsWorld {
	t.Helper()
	i := install(t, dialect.SQLite)
	i.must("sync", "all")
	w := clientsWorld{served: i.serve(), token: i.token("admin"), after: "RENAMED-SINCE"}
	w.endpoint = w.url + "/graphql"
	answer := w.graphQL(w.token, `{ company(accountNumber: "`+simulator.ContosoAccountNumber+`") { assets(first: 1, filter: {
		dattoUid: { isNull: false }, backupBytes: { gt: "0" } }) { id hostname dattoUid } } }`)
	machines := into[struct {
		Data struct {
			Company struct {
				Assets []struct{ ID, Hostname, DattoUID string }
			}
		}
	}](t, answer.body).Data.Company.Assets
	if len(machines) != 1 {
		t.Fatalf("no machine: %s", answer.body)
	}
	w.machine, w.before = machines[0].ID, machines[0].Hostname
	w.then = w.now().UTC().Truncate(time.Microsecond)
	if err := w.upstream.RenameDevice(machines[0].DattoUID, w.after); err != nil {
		t.Fatal(err)
	}
	i.must("sync", "datto")
	return w
}

// bearer sends a token with each request.
type bearer struct{ token string }

// Do implements graphql.Doer.
func (b bearer) Do(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultClient.Do(r)
}

// What genqlient makes of the schema is used as it is; docs/graphql.md, "Clients", shows it.
func TestAClientThatGenqlientGeneratesAsksChangesAndWatches(t *testing.T) {
	w := forClients(t)
	client := graphql.NewClient(w.endpoint, bearer{w.token})

	t.Run("it pages through all tickets", func(t *testing.T) {
		whole := ticketPages(t, client, nil, 1000)
		for _, c := range map[string]graphql.Client{"POST": client, "GET": graphql.NewClientUsingGet(w.endpoint, bearer{w.token})} {
			if paged := ticketPages(t, c, nil, 7); len(paged) < 20 || !slices.Equal(paged, whole) {
				t.Errorf("by pages\n%v\nat once\n%v", paged, whole)
			}
		}
		of := simulator.ContosoAccountNumber
		filtered := ticketPages(t, client, &goclient.TicketFilter{
			Company: &goclient.CompanyFilter{AccountNumber: &goclient.IDFilter{Eq: &of}},
		}, 3)
		want := slices.DeleteFunc(slices.Clone(whole), func(ticket ticketSeen) bool { return ticket.account != of })
		if len(want) == 0 || !slices.Equal(filtered, want) {
			t.Errorf("Contoso's\n%v\nwant\n%v", filtered, want)
		}
		since, wanted := want[len(want)/2].updated, 0.0
		for _, ticket := range want {
			if !ticket.updated.Before(since) {
				wanted += ticket.hours
			}
		}
		if hours, err := hoursOf(t.Context(), client, of, since); err != nil || hours != wanted || wanted == 0 {
			t.Errorf("%v h, %v; want %v h", hours, err, wanted)
		}
	})

	t.Run("it reads a machine as it is and as it was", func(t *testing.T) {
		got, err := goclient.ThenAndNow(t.Context(), client, w.machine, w.then)
		if err != nil {
			t.Fatal(err)
		}
		now, then := got.Asset, got.AsOf.Asset
		if now.Id != w.machine || now.Hostname != w.after || then.AssetId != w.machine || then.Hostname != w.before ||
			then.Id == now.Id || !got.AsOf.At.Equal(w.then) {
			t.Errorf("now %+v, then %+v at %s", now, then, got.AsOf.At)
		}
		if now.Backup.Bytes <= 0 || now.Backup.Bytes != then.Backup.Bytes || now.LastSeen == nil || now.LastSeen.IsZero() {
			t.Errorf("now %+v and %+v, last seen %v", now.Backup, then.Backup, now.LastSeen)
		}
	})

	t.Run("it starts a sync and watches it to its end", func(t *testing.T) {
		watchADryRun(t, client, goclient.NewStreams(w.endpoint, bearer{w.token}))
	})

	t.Run("it learns from a code why it is refused", func(t *testing.T) {
		_, err := goclient.Rename(t.Context(), client, "no-such-company", "1")
		if code := codeOf(err); code != "NOT_FOUND" {
			t.Errorf("an unknown company: %q, %v", code, err)
		}
		if _, err = goclient.ThenAndNow(t.Context(), client, w.machine, w.then.AddDate(-5, 0, 0)); codeOf(err) != "NO_HISTORY" {
			t.Errorf("before all syncs: %v", err)
		}
		reader := bearer{w.served.token("billing")}
		if _, err = goclient.TrySync(t.Context(), graphql.NewClient(w.endpoint, reader)); codeOf(err) != "FORBIDDEN" {
			t.Errorf("a role that may not: %v", err)
		}
		_, err = goclient.TrySync(t.Context(), graphql.NewClient(w.endpoint, bearer{"wrong"}))
		refused, ok := errors.AsType[*graphql.HTTPError](err)
		if !ok || refused.StatusCode != http.StatusUnauthorized {
			t.Errorf("a wrong token: %v", err)
		}
		streams := goclient.NewStreams(w.endpoint, bearer{"wrong"})
		if _, err := streams.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, _, err := goclient.WatchSyncs(t.Context(), streams, nil); err == nil || !strings.Contains(err.Error(), "401") {
			t.Errorf("a wrong token's stream: %v", err)
		}
		if err := streams.Close(); err != nil {
			t.Error(err)
		}
	})
}

// codeOf is the code of the first error of an answer.
func codeOf(err error) string {
	if errs, ok := errors.AsType[gqlerror.List](err); ok && len(errs) > 0 {
		code, _ := errs[0].Extensions["code"].(string)
		return code
	}
	return ""
}

type ticketSeen struct {
	id, account string
	hours       float64
	updated     time.Time
}

// hoursOf adds up the hours of a company's tickets since a moment, page by page.
func hoursOf(ctx context.Context, client graphql.Client, account string, since time.Time) (float64, error) {
	filter := &goclient.TicketFilter{
		Company:       &goclient.CompanyFilter{AccountNumber: &goclient.IDFilter{Eq: &account}},
		LastUpdatedAt: &goclient.TimeFilter{Gte: &since},
	}
	var hours float64
	var after *string
	for {
		page, err := goclient.Tickets(ctx, client, filter, nil, after)
		if err != nil {
			return 0, err // errors.AsType[gqlerror.List](err) has the codes
		}
		for _, ticket := range page.Tickets.Nodes {
			hours += ticket.Hours
		}
		if !page.Tickets.PageInfo.HasNextPage {
			return hours, nil
		}
		after = page.Tickets.PageInfo.EndCursor
	}
}

// ticketPages reads a list of tickets to its end, page by page.
func ticketPages(t *testing.T, client graphql.Client, filter *goclient.TicketFilter, size int) []ticketSeen {
	t.Helper()
	var seen []ticketSeen
	var after *string
	for {
		page, err := goclient.Tickets(t.Context(), client, filter, &size, after)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.Tickets.Nodes {
			seen = append(seen, ticketSeen{n.TicketId, n.Company.AccountNumber, n.Hours, n.LastUpdatedAt})
		}
		if !page.Tickets.PageInfo.HasNextPage {
			if page.Tickets.TotalCount != len(seen) {
				t.Errorf("%d tickets, %d of them on pages", page.Tickets.TotalCount, len(seen))
			}
			return seen
		}
		after = page.Tickets.PageInfo.EndCursor
	}
}

// watchADryRun watches, starts a dry run, and reads until that is over.
func watchADryRun(t *testing.T, client graphql.Client, streams *goclient.Streams) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	broken, err := streams.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	feed := goclient.FeedFreshservice
	results, watching, err := goclient.WatchSyncs(ctx, streams, &feed)
	if err != nil {
		t.Fatal(err)
	}
	begun, err := goclient.TrySync(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	var states []goclient.RunState
	for states == nil || states[len(states)-1] != goclient.RunStateSucceeded {
		select {
		case got, ok := <-results:
			if !ok || len(got.Errors) > 0 {
				t.Fatalf("after %v: %v, %v", states, ok, got.Errors)
			}
			if run := got.Data.SyncProgress.Progress; run.Id == begun.SyncFreshservice.Run.Id {
				states = append(states, run.State)
				if run.State == goclient.RunStateSucceeded && (len(run.Counts) == 0 || run.Counts[0].Unchanged == 0) {
					t.Errorf("it counted %+v", run.Counts)
				}
			}
		case err := <-broken:
			t.Fatalf("after %v: %v", states, err)
		case <-ctx.Done():
			t.Fatalf("nothing comes after %v", states)
		}
	}
	if err := streams.Unsubscribe(watching); err != nil {
		t.Error(err)
	}
	if _, more := <-results; more {
		t.Error("something came after the subscription was ended")
	}
	if err := streams.Close(); err != nil {
		t.Error(err)
	}
}

// The guide shows what the tests use, word for word.
func TestTheClientsOfTheGuideAreThoseOfTheTests(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, chapter, _ := strings.Cut(read("../../docs/graphql.md"), "\n## Clients\n")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	shown := map[string]int{}
	for _, block := range regexp.MustCompile("(?s)```(\\w+)\n(.*?)```").FindAllStringSubmatch(chapter, -1) {
		kind, text := block[1], block[2]
		source := map[string]string{
			"ts": "../../web/test/clients/client.ts", "yaml": "goclient/genqlient.yaml",
			"graphql": "goclient/operations.graphql", "go": "clients_test.go",
		}[kind]
		if source == "" || !strings.Contains(read(source), text) {
			t.Errorf("%s has no such text:\n%s", source, text)
		}
		shown[kind]++
	}
	if len(shown) != 4 {
		t.Errorf("the guide shows %v", shown)
	}
}

// urql with its normalised cache, and graphql-sse for what it subscribes to: test/clients has the
// cases, and this the hub that they ask.
func TestUrqlWithItsNormalisedCacheAndGraphqlSse(t *testing.T) {
	w := forClients(t)
	vitest(t, []string{"--config", "test/clients/vitest.config.ts"},
		"CODEX_URL="+w.url+"/", "CODEX_TOKEN="+w.token, "CODEX_MACHINE="+w.machine,
		"CODEX_BEFORE="+w.before, "CODEX_AFTER="+w.after, "CODEX_THEN="+w.then.Format(time.RFC3339Nano))
}

// The playground in Chromium, over a hub and not over the stub that the pages' own tests have: each of
// its examples runs, a subscription streams, the schema is shown, and a session will do for a token.
func TestThePlaygroundRunsItsExamplesOverAHub(t *testing.T) {
	if !web.Built() {
		t.Fatal(web.HowToBuild)
	}
	i := bare(t)
	var behind atomic.Int64 // an example asks for the past of some seconds ago, by the clock of the browser
	behind.Store(int64(time.Hour))
	i.now = func() time.Time { return time.Now().Add(-time.Duration(behind.Load())) }
	i.upstream = simulate(t, i.now)
	i.configure(dialect.SQLite)
	i.must("sync", "all")
	behind.Store(0)
	vitest(t, []string{"test/playground.spec.ts", "-t", "examples|session|schema|subscription"}, "CODEX_URL="+i.serve().url+"/", "CODEX_TOKEN="+i.token("admin"))
}

// vitest runs test files of the web pages, which find in env what they ask.
func vitest(t *testing.T, args []string, env ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{"node_modules/vitest/vitest.mjs", "run"}, args...)...)
	cmd.Dir = "../../web"
	cmd.Env = append(append(os.Environ(), "NO_COLOR=1"), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v (this needs Node.js, its packages and pages that are up to date: make test sees to all of it)\n%s", err, out)
	}
	t.Logf("%s", out)
}
