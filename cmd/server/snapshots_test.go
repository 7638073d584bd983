package main

import (
	"regexp"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
)

// billing is an installation with a serve that has synced, and a Ledger of a generation that knows it. Ledger
// takes the account of [keycloak].
func billing(t *testing.T, dialectName string, generation simulator.LedgerGeneration, more ...string) *served {
	t.Helper()
	i := install(t, dialectName)
	i.configure(dialectName, append([]string{
		"[core]\nurl = " + i.upstream.CoreURL, "[services]\nledger_url = " + i.upstream.LedgerURL,
		"[keycloak]\nserver_url = " + i.upstream.KeycloakURL + "\nclient_id = " + simulator.KeycloakClientID + "\nclient_secret = " +
			simulator.KeycloakClientSecret + "\nusername = billing\npassword = " + simulator.KeycloakUserPassword,
		"[archive]\nlog_origin = codex.example.com/archive",
	}, more...)...)
	s := i.serve()
	if err := i.upstream.SetLedger(simulator.LedgerSettings{Generation: generation, CodexURL: s.url, ArchiveURL: s.archive}); err != nil {
		t.Fatal(err)
	}
	i.must("sync", "all")
	return s
}

// Ledger A bills by the keys of October 2025 alone; and nothing syncs by itself.
const (
	seedKeys = "[rest]\nseed_keys_only = true"
	noSyncs  = "[scheduler]\nenabled = false"
)

// steady is what a verb printed without what differs from run to run.
func steady(text string) string {
	text = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllString(text, "JOB")
	text = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z`).ReplaceAllString(text, "TIME")
	text = regexp.MustCompile(` in [0-9.]+m?s,`).ReplaceAllString(text, " in TIME,")
	return text
}

func TestTheBillsOfAMonthAreAskedForWatchedAndRetriedOnTheCommandLine(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			s := billing(t, dialectName, simulator.LedgerA, seedKeys, noSyncs)
			expect := func(status int, want string, args ...string) {
				t.Helper()
				got := s.codex(args...)
				if out := steady(got.stdout); got.status != status || out != want || status == exitOK && got.stderr != "" {
					t.Errorf("codex %s: status %d, want %d\n%swant\n%s%s", strings.Join(args, " "), got.status, status, out, want, got.stderr)
				}
			}
			month := []string{"--year", "2025", "--month", "9"}
			run := func(more ...string) []string { return append(append([]string{"snapshots"}, month...), more...) }

			dry := s.codex(run("--accounts", "620547", "--dry-run")...)
			if dry.status != exitOK || !strings.HasPrefix(dry.stdout, "620547 Contoso: would be asked for\n") ||
				!strings.Contains(dry.stdout, "2025-09 (dry run: nothing was asked for): 1 bill would be asked for, 0 archived already\n") {
				t.Errorf("a dry run: %+v", dry)
			}
			if list := s.must("snapshots", "list"); list != "0 of 0\n" {
				t.Errorf("a dry run made a job: %s", list)
			}
			unknown := s.codex(run("--accounts", "620547,nobody", "--dry-run")...)
			if unknown.status != exitFailed || !strings.Contains(unknown.stdout, "nobody: would fail, ") {
				t.Errorf("a dry run with an unknown account: %+v", unknown)
			}

			if got := s.codex(run("--accounts", "620547")...); got.status != exitOK || !strings.Contains(steady(got.stdout), "  620547: made 620547-202509\n2025-09: completed in TIME, 1 of 1 company has its bill, job JOB\n") {
				t.Errorf("a bill: %+v", got)
			}
			if got := s.codex(run("--accounts", "620547,nobody")...); got.status != exitFailed ||
				!strings.Contains(got.stdout, "  620547: was there already, 620547-202509\n") || !strings.Contains(got.stdout, "  nobody: failed, ") ||
				!strings.Contains(steady(got.stdout), "\n  codex snapshots retry JOB asks again for those without a bill\n") {
				t.Errorf("one of which nobody knows: %+v", got)
			}
			if got := s.codex(run("--accounts", "620547", "--dry-run")...); !strings.Contains(got.stdout, ": 620547-202509 is archived already\n") {
				t.Errorf("a dry run once more: %+v", got)
			}

			// Ledger is down, then no longer.
			mend, err := s.upstream.AddFault(simulator.FaultRule{Upstream: simulator.Ledger, Path: "/api/bill/accept", Fault: simulator.Fault{Kind: simulator.FaultStatus, Status: 500}})
			if err != nil {
				t.Fatal(err)
			}
			failed := s.codex(run("--accounts", "762631", "--json")...)
			job := into[snapshotJob](t, failed.stdout)
			if failed.status != exitFailed || job.Success == nil || *job.Success || len(job.Companies) != 1 || job.Companies[0].State != "failed" || job.Companies[0].Reason == nil {
				t.Errorf("while Ledger is down: %+v", failed)
			}
			mend()
			if got := s.codex("snapshots", "retry", string(job.ID)); got.status != exitOK || !strings.Contains(got.stdout, "  762631: made 762631-202509\n") {
				t.Errorf("the retry: %+v", got)
			}
			expect(exitFailed, "", "snapshots", "retry", string(job.ID))
			shown := steady(s.must("snapshots", "show", string(job.ID)))
			if !strings.Contains(shown, ", round 2\n") || !strings.HasSuffix(shown, "  762631: made 762631-202509\n") {
				t.Errorf("it shows\n%s", shown)
			}
			if got := s.codex("snapshots", "watch", string(job.ID)); got.status != exitOK {
				t.Errorf("watching what has ended: %+v", got)
			}
			if list := s.must("snapshots", "list"); !strings.HasSuffix(list, "3 of 3\n") || strings.Count(list, " not complete ") != 1 {
				t.Errorf("the list is\n%s", list)
			}
			if got := s.codex("snapshots", "cancel", string(job.ID)); got.status != exitFailed {
				t.Errorf("cancelling what has ended: %+v", got)
			}
			if got := s.codex("snapshots", "force", string(job.ID), "--reason", "now"); got.status != exitFailed {
				t.Errorf("forcing what is not blocked: %+v", got)
			}
			if got := s.codex("snapshots", "request", "762631", "--year", "2025", "--month", "8"); got.status != exitOK || !strings.Contains(got.stdout, "  762631: made 762631-202508\n") {
				t.Errorf("one bill: %+v", got)
			}
		})
	}
}

// The exit statuses of docs/compatibility.md, "Command line of the old Archive".
func TestTheMonthAndTheCompaniesOfCodexSnapshots(t *testing.T) {
	s := billing(t, dialect.SQLite, simulator.LedgerA, seedKeys, noSyncs)
	const off = "the schedule of the monthly bills is switched off, and no month is given (--year and --month): there is nothing to do\n"
	for _, c := range []struct {
		name, prepare string
		args          []string
		status        int
		stdout        string // the whole, or where it ends with … its beginning
		stderr        string
	}{
		{name: "the month of the schedule", args: []string{"--accounts", "620547", "--dry-run"}, stdout: "620547 Contoso: …"},
		{name: "a year alone does not count", args: []string{"--year", "2024", "--accounts", "620547", "--dry-run"}, stdout: "620547 Contoso: …"},
		{name: "all, by the schedule", args: []string{"--dry-run"}, stdout: "…"},
		{name: "the schedule is for some", prepare: "--accounts 762631", args: []string{"--dry-run"}, stdout: "762631 …"},
		{name: "the schedule is off", prepare: "--enabled=false", args: []string{"--all"}, stdout: off},
		{name: "off, with a year alone", args: []string{"--year", "2025", "--all"}, stdout: off},
		{name: "off, but a month is given", args: []string{"--year", "2025", "--month", "9", "--accounts", "762631", "--dry-run"}, stdout: "762631 …"},
		{name: "no month", args: []string{"--year", "2025", "--month", "13"}, status: exitUsage},
		{name: "both", args: []string{"--all", "--accounts", "1"}, status: exitUsage},
		{name: "no verb", args: []string{"october"}, status: exitUsage},
		{name: "a company's number missing", args: []string{"--year", "2025", "--month", "9", "--accounts", ","}, status: exitFailed},
	} {
		if c.prepare != "" {
			s.must(append([]string{"schedule", "set"}, strings.Fields(c.prepare)...)...)
		}
		got := s.codex(append([]string{"snapshots"}, c.args...)...)
		begins, cut := strings.CutSuffix(c.stdout, "…")
		if got.status != c.status || !cut && got.stdout != c.stdout || !strings.HasPrefix(got.stdout, begins) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestTheScheduleIsShownAndChangedOnTheCommandLine(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			s := billing(t, dialectName, simulator.LedgerA, seedKeys, noSyncs)
			for _, c := range []struct{ args, want string }{
				{"--day 31 --hour 23", "the bills of the month before are asked for on day 31 at 23:00, of all companies\n"},
				{"--accounts 620547,762631 --previous-month=false", "the bills of that month are asked for on day 31 at 23:00, of 620547, 762631\n"},
				{"--all --previous-month", "the bills of the month before are asked for on day 31 at 23:00, of all companies\n"},
				{"--enabled=false", "the monthly bills are not asked for by themselves\n"},
			} {
				if got := s.must(append([]string{"schedule", "set"}, strings.Fields(c.args)...)...); got != c.want {
					t.Errorf("%s: %q, want %q", c.args, got, c.want)
				}
			}
			for _, args := range []string{"--day 0", "--hour 24", "--accounts nobody"} {
				if got := s.codex(append([]string{"schedule", "set"}, strings.Fields(args)...)...); got.status != exitFailed || got.stderr == "" {
					t.Errorf("%s: %+v", args, got)
				}
			}
			for _, args := range []string{"schedule set", "schedule october", "schedule dismiss --year 2025 --month 9", "schedule dismiss --note x"} {
				if got := s.codex(strings.Fields(args)...); got.status != exitUsage {
					t.Errorf("%s: %+v", args, got)
				}
			}
			shown := s.must("schedule")
			for _, name := range []string{"freshservice", "datto", "tickets", "snapshots"} {
				if !regexp.MustCompile(`(?m)^` + name + ` +off: `).MatchString(shown) {
					t.Errorf("%s is not shown to be off:\n%s", name, shown)
				}
			}
			answer := into[struct {
				Schedules []shownSchedule `json:"schedules"`
				Missed    []missedMonth   `json:"missed_months"`
			}](t, s.must("schedule", "--json"))
			if len(answer.Schedules) != 4 || answer.Missed == nil || len(answer.Missed) != 0 {
				t.Errorf("%+v", answer)
			}
			if got := s.codex("schedule", "dismiss", "--year", "2025", "--month", "7", "--note", "billed by hand"); got.status != exitFailed ||
				got.stderr != "codex: 2025-07 was not missed\n" {
				t.Errorf("a month that was not missed: %+v", got)
			}
		})
	}
}
