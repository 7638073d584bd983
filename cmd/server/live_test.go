package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// idOf is the run that a verb told of.
func idOf(t *testing.T, stdout string) string {
	t.Helper()
	found := regexp.MustCompile(`run ([0-9a-f-]{36})`).FindStringSubmatch(stdout)
	if found == nil {
		t.Fatalf("no run is told in\n%s", stdout)
	}
	return found[1]
}

func TestWhatADryRunWouldHoldIsHeldApprovedAndRemoved(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := install(t, dialectName)
			i.must("sync", "all")
			emptySite(t, i.upstream)

			dry := i.must("sync", "datto", "--dry-run")
			holds := strings.Count(dry, "\n  held     assets")
			if holds < 10 || strings.Contains(dry, "approve") && strings.Contains(dry, "If they are really gone") {
				t.Fatalf("a dry run:\n%s", dry)
			}
			if again := i.must("sync", "show", idOf(t, dry)); strings.Count(again, "\n  held     assets") != holds {
				t.Errorf("a dry run, shown again:\n%s", again)
			}

			held := i.codex("sync", "datto")
			id := idOf(t, held.stdout)
			tail := fmt.Sprintf("  If they are really gone: codex sync approve %s --reason \"…\"\n", id)
			if more := holds - fewHeld; more > 0 {
				tail = fmt.Sprintf("  … and %d more\n", more) + tail
			}
			if held.status != exitHeld || strings.Count(held.stdout, "\n  held     assets") != min(holds, fewHeld) || !strings.HasSuffix(held.stdout, tail) {
				t.Errorf("a held run: status %d\n%s", held.status, held.stdout)
			}
			if unsaid := i.codex("sync", "approve", id); unsaid.status != exitUsage {
				t.Errorf("without a reason: %+v", unsaid)
			}
			approved := i.must("sync", "approve", id, "--reason", "sold")
			first, list, _ := strings.Cut(approved, "\n")
			if first != fmt.Sprintf("datto: %d removals of run %s are approved. The next run makes those that still are:", holds, id) ||
				strings.Count(list, "  will go  assets") != holds || strings.Contains(list, "  held ") {
				t.Errorf("approving:\n%s", approved)
			}
			if twice := i.codex("sync", "approve", id, "--reason", "sold"); twice.status != exitFailed || !strings.Contains(twice.stderr, "already") {
				t.Errorf("approving again: %+v", twice)
			}
			run := runs(t, i.must("sync", "datto", "--json"))["datto"]
			if run["state"] != "succeeded" || run["removed"].(float64) < float64(holds) {
				t.Errorf("the next run: %v", run)
			}
			shown := i.must("sync", "show", fmt.Sprint(run["id"]))
			if strings.Count(shown, "\n  removed  assets") != holds {
				t.Errorf("the next run, shown:\n%s", shown)
			}
			if refused := i.codex("sync", "approve", fmt.Sprint(run["id"]), "--reason", "sold"); refused.stderr != "codex: this run holds no removals: it is succeeded\n" {
				t.Errorf("approving what holds nothing: %+v", refused)
			}
			if refused := i.codex("sync", "approve", id, "--reason", " "); refused.stderr != "codex: --reason: say why these removals are right: it is kept with them\n" {
				t.Errorf("approving without saying why: %+v", refused)
			}
			approvedRun := i.must("sync", "show", id)
			if strings.Contains(approvedRun, "approve this run") || strings.Contains(approvedRun, "codex sync approve") ||
				!strings.Contains(approvedRun, fmt.Sprintf("more than may go without an admin: they stay.\n  approved by %s (command line) at ", username(t))) ||
				!strings.Contains(approvedRun, fmt.Sprintf(": \"sold\"\n  run %v has made those removals that still were\n", run["id"])) {
				t.Errorf("what was approved, shown:\n%s", approvedRun)
			}
			detail := into[map[string]any](t, i.must("sync", "show", id, "--json"))
			if detail["requested_by"] != username(t)+" (command line)" || detail["trigger"] != "cli" || detail["mode"] != "incremental" ||
				detail["approved_by"] != username(t)+" (command line)" || detail["approval_reason"] != "sold" ||
				detail["approval_run"] != run["id"] || detail["state"] != "held" || detail["cancel_requested_by"] != nil {
				t.Errorf("as JSON: %v", detail)
			}
		})
	}
}

func TestAForcedRunTellsWhatItRemoved(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.must("sync", "all")
	emptySite(t, i.upstream)
	run := runs(t, i.must("sync", "datto", "--force", "--json"))["datto"]
	changes, _ := run["changes"].([]any)
	for _, c := range changes {
		if kind := c.(map[string]any)["kind"]; kind != "removed" {
			t.Errorf("told of what is %v", kind)
		}
	}
	if len(changes) < 10 || float64(len(changes)) != run["assets"].(map[string]any)["removed"] {
		t.Errorf("%d removals are told of %v", len(changes), run["assets"])
	}
}

// watchRuns opens a stream of runs and hands over each result's run.
func (s *served) watchRuns(token string) (runs <-chan map[string]any, over <-chan bool) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+"/graphql",
		strings.NewReader(`{"query": "subscription { syncProgress { id feed state phase } }"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header = http.Header{
		"Authorization": {"Bearer " + token}, "Accept": {"text/event-stream"}, "Content-Type": {"application/json"},
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "text/event-stream; charset=utf-8" {
		s.t.Fatalf("status %d, %s", response.StatusCode, got)
	}
	told, ended := make(chan map[string]any, 1000), make(chan bool, 1)
	go func() {
		defer response.Body.Close()
		completed := false
		lines := bufio.NewScanner(response.Body)
		for lines.Scan() {
			completed = completed || lines.Text() == "event: complete"
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var result struct {
					Data struct{ SyncProgress map[string]any }
				}
				if err := json.Unmarshal([]byte(data), &result); err == nil {
					told <- result.Data.SyncProgress
				}
			}
		}
		ended <- completed
	}()
	return told, ended
}

func TestASyncIsWatchedLiveWaitedForAndTheStreamEndsWithTheServe(t *testing.T) {
	i := install(t, dialect.SQLite)
	s := i.serve()
	told, over := s.watchRuns(i.token("technician"))
	waited := send(t, http.MethodPost, s.url+"/sync/freshservice?wait=true", i.token("service"), "")
	job := into[map[string]any](t, waited.body)
	if waited.status != http.StatusOK || job["status"] != "completed" || job["script"] != "freshservice" {
		t.Fatalf("%d %s", waited.status, waited.body)
	}
	var last map[string]any
	for deadline := time.After(patience); last == nil || last["state"] != "SUCCEEDED"; {
		select {
		case last = <-told:
			if last["id"] != job["id"] || last["feed"] != "FRESHSERVICE" {
				t.Errorf("told of %v", last)
			}
		case <-deadline:
			t.Fatalf("its end is not told; last was %v", last)
		}
	}
	stopping := time.Now()
	if stopped := s.stop(); stopped.status != exitOK {
		t.Errorf("the serve ended with %d\n%s", stopped.status, stopped.stderr)
	}
	if took := time.Since(stopping); took > 9*time.Second { // the grace for what does not end by itself is ten
		t.Errorf("stopping took %v: the stream was waited for", took)
	}
	if completed := <-over; completed {
		t.Error("a stream that was broken off says that all is told")
	}
}

func TestARunIsCancelled(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.must("sync", "freshservice")
	s := i.serve()
	token := i.token("admin")
	asked := slowTickets(t, i.upstream)
	synced := make(chan outcome, 1)
	go func() { synced <- i.codex("sync", "tickets", "--json") }()
	asked(5)
	found := into[struct {
		Data struct {
			SyncRuns struct{ Nodes []struct{ ID string } }
		}
	}](t, s.graphQL(token, "{ syncRuns(state: RUNNING) { nodes { id } } }").body)
	id := found.Data.SyncRuns.Nodes[0].ID
	output, told := io.Pipe()
	joined := make(chan int, 1)
	go func() {
		joined <- i.program(told, io.Discard).run(t.Context(), []string{"sync", "tickets"})
		_ = told.Close()
	}()
	lines := bufio.NewReader(output)
	if got, err := lines.ReadString('\n'); err != nil || got != "tickets: joined run "+id+", which is running\n" {
		t.Errorf("who joins it is told %q, %v", got, err)
	}
	rest := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(lines)
		rest <- string(text)
	}()
	queued := send(t, http.MethodPost, s.url+"/sync/tickets", token, "")
	if want := fmt.Sprintf(`{"success":true,"job_id":"%s","message":"The sync of tickets was under way already: this job is it"}`+"\n", id); queued.body != want {
		t.Errorf("over REST: %s, want %s", queued.body, want)
	}
	if shown := i.must("sync", "show", id); !strings.HasPrefix(shown, "tickets: running, run "+id+"\n  asked for by "+username(t)+" (local socket) (cli), incremental\n  queued ") ||
		!strings.Contains(shown, "\n  now: ") || !strings.Contains(shown, "; last sign of life ") {
		t.Errorf("a run at work, shown:\n%s", shown)
	}
	if got := i.must("sync", "cancel", id); got != "tickets: run "+id+" stops\n" {
		t.Errorf("cancelling: %q", got)
	}
	o := <-synced
	if run := runs(t, o.stdout)["tickets"]; o.status != exitFailed || run["state"] != "cancelled" || run["error"] != "Cancelled by "+username(t)+" (local socket)." {
		t.Errorf("%+v", o)
	}
	if status, text := <-joined, <-rest; status != exitFailed || !strings.Contains(text, "tickets: cancelled in ") {
		t.Errorf("who joined it: status %d\n%s", status, text)
	}
	if shown := i.must("sync", "show", id); !strings.Contains(shown, "\n  asked to stop by "+username(t)+" (local socket)\n") {
		t.Errorf("a cancelled run, shown:\n%s", shown)
	}
	if again := i.codex("sync", "cancel", id); again.status != exitFailed || again.stderr != "codex: the run has ended already: it is cancelled\n" {
		t.Errorf("cancelling what has ended: %+v", again)
	}
	i.upstream.ClearFaults()
	if run := runs(t, i.must("sync", "tickets", "--json"))["tickets"]; run["state"] != "succeeded" {
		t.Errorf("the next run: %v", run)
	}
}

func TestACompanyIsRenamedAndOneThatHasNotLeftIsNotArchived(t *testing.T) {
	i := install(t, dialect.SQLite)
	s := i.serve()
	token := i.token("admin")
	i.must("sync", "freshservice")
	companies := into[[]map[string]any](t, get(t, s.url+"/api/companies", token).body)
	old, name := fmt.Sprint(companies[0]["account_number"]), fmt.Sprint(companies[0]["name"])
	if got := i.must("company", "rename", old, "NEW-1"); got != old+" is NEW-1 now: "+name+"\n" {
		t.Errorf("renaming: %q", got)
	}
	if got := get(t, s.url+"/api/companies/NEW-1", token); got.status != http.StatusOK {
		t.Errorf("under its new number: %d %s", got.status, got.body)
	}
	if got := get(t, s.url+"/api/companies/"+old, token); got.status != http.StatusNotFound {
		t.Errorf("under its old one: %d %s", got.status, got.body)
	}
	if o := i.codex("company", "archive", "NEW-1"); o.status != exitFailed || o.stdout != "" {
		t.Errorf("archiving one that is there: %+v", o)
	}
	if o := i.codex("company", "rename", "nobody", "NEW-2"); o.status != exitFailed || o.stdout != "" {
		t.Errorf("renaming one that is not there: %+v", o)
	}
}

func TestHowChangesAreToldToPeople(t *testing.T) {
	name, account := "PC-1\x1b[2J", codex.AccountNumber("620547")
	before, after := "PC \"1\"\n", "PC-01"
	changes := []runChange{
		{Entity: "companies", Kind: "created", RecordID: "620547", Label: &name, AccountNumber: &account, Fields: []fieldChange{}},
		{Entity: "assets", Kind: "changed", RecordID: "12", Label: &name, AccountNumber: &account,
			Fields: []fieldChange{{"hostname", &before, &after}, {"backupBytes", nil, &after}}},
		{Entity: "asset_links", Kind: "removed", RecordID: "12/7"},
	}
	const lines = "  created  companies     620547 PC-1 [2J\n" +
		"  changed  assets        12 PC-1 [2J (620547): hostname \"PC \\\"1\\\"\\n\" → \"PC-01\", backupBytes none → \"PC-01\"\n" +
		"  removed  asset_links   12/7\n"
	many := slices.Repeat(changes[2:], 23)
	for _, tc := range []struct {
		name string
		run  *syncRun
		want string
	}{
		{"a dry run tells all", &syncRun{DryRun: true, Changes: changes}, lines},
		{"so does a forced one", &syncRun{Forced: true, Changes: changes}, lines},
		{"nothing is nothing", &syncRun{DryRun: true, Changes: []runChange{}}, ""},
		{"a held one tells a few", &syncRun{ID: "R", Changes: many, Counts: []syncers.EntityCounts{{Held: 23}}},
			strings.Repeat("  removed  asset_links   12/7\n", 20) + "  … and 3 more\n  If they are really gone: codex sync approve R --reason \"…\"\n"},
	} {
		if got := told(tc.run); got != tc.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tc.name, got, tc.want)
		}
	}
}
