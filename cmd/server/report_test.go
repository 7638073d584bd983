package main

import (
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/syncers"
)

// steps are what is seen of a run that reads machines and holds some back.
func steps() []*syncRun {
	started := time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
	ended := started.Add(2340 * time.Millisecond)
	reason := "12 assets of Contoso are missing: held\napprove them, or find out why"
	return []*syncRun{
		{ID: "R", Feed: codex.FeedDatto, State: codex.RunQueued},
		{ID: "R", Feed: codex.FeedDatto, State: codex.RunRunning, Phase: "reading machines", ProgressDone: 250},
		{ID: "R", Feed: codex.FeedDatto, State: codex.RunRunning, Phase: "reading machines", ProgressDone: 500, ProgressTotal: 1500},
		{
			ID: "R", Feed: codex.FeedDatto, State: codex.RunHeld, StartedAt: &started, EndedAt: &ended, Error: &reason,
			Counts: []syncers.EntityCounts{
				{Entity: "sites", Created: 1, Unchanged: 63},
				{Entity: "assets", Created: 2, Updated: 30, Removed: 4, Unchanged: 1452, Held: 12, Issues: 5},
			},
		},
	}
}

const noCounts = `{"created":0,"updated":0,"removed":0,"unchanged":0,"held":0,"issues":0}`

const steppedSummary = `datto: held in 2.3s, run R
  sites              1 created      0 updated      0 removed     63 unchanged
  assets             2 created     30 updated      4 removed   1452 unchanged     12 held      5 issues
  12 assets of Contoso are missing: held
  approve them, or find out why
`

func TestWhatIsToldOfARun(t *testing.T) {
	const clear = "\r\x1b[K"
	tests := []struct {
		name     string
		reporter func(w *strings.Builder) reporter
		want     string
	}{
		{"a terminal has one line that is rewritten", func(w *strings.Builder) reporter { return terminalReport{w} },
			clear + "datto: queued" + clear + "datto: reading machines 250" + clear + "datto: reading machines 500/1500" + clear + steppedSummary},
		{"a log has a line a phase", func(w *strings.Builder) reporter { return &plainReport{w: w, now: time.Now} },
			"datto: run R\ndatto: reading machines\ndatto: reading machines 500/1500\n" + steppedSummary},
		{"a program has one object at the end", func(w *strings.Builder) reporter { return jsonReport{w} },
			`{"id":"R","feed":"datto","state":"held","dry_run":false,"created":3,"updated":30,"removed":4,"unchanged":1515,"held":12,"issues":5,` +
				`"companies":` + noCounts + `,"contacts":` + noCounts + `,"locations":` + noCounts + `,` +
				`"assets":{"created":2,"updated":30,"removed":4,"unchanged":1452,"held":12,"issues":5},"tickets":` + noCounts + `,` +
				`"sites":{"created":1,"updated":0,"removed":0,"unchanged":63,"held":0,"issues":0},` +
				`"error":"12 assets of Contoso are missing: held\napprove them, or find out why"}` + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w strings.Builder
			r := tt.reporter(&w)
			all := steps()
			r.began(all[0])
			for _, run := range all[1 : len(all)-1] {
				r.progress(run)
			}
			r.ended(all[len(all)-1])
			if w.String() != tt.want {
				t.Errorf("got\n%q\nwant\n%q", w.String(), tt.want)
			}
		})
	}
}

func TestALogIsToldNowAndThenHowFarARunIs(t *testing.T) {
	type look struct {
		after       time.Duration // the look before
		state       codex.RunState
		phase       string
		done, total int
	}
	const running, queued = codex.RunRunning, codex.RunQueued
	for _, tc := range []struct {
		name   string
		joined bool
		state  codex.RunState
		looks  []look
		want   string
	}{
		{"a quarter of a phase", false, queued, []look{
			{1, running, "reading", 0, 400}, {1, running, "reading", 99, 400}, {1, running, "reading", 100, 400},
			{1, running, "reading", 199, 400}, {1, running, "reading", 330, 400}, {1, running, "writing", 350, 400},
			{1, running, "writing", 400, 400}, {1, codex.RunSucceeded, "writing", 400, 400},
		}, "x: run R\nx: reading\nx: reading 100/400\nx: reading 330/400\nx: writing\nx: writing 400/400\n"},
		{"a phase of which nobody knows the end", false, queued, []look{
			{1, running, "reading", 100, 0}, {29, running, "reading", 200, 0}, {1, running, "reading", 300, 0},
			{29, running, "reading", 400, 0}, {60, running, "reading", 300, 0},
		}, "x: run R\nx: reading\nx: reading 300\n"},
		{"a quarter that takes long", false, queued, []look{
			{1, running, "reading", 1, 9000}, {30, running, "reading", 2, 9000}, {5, running, "reading", 3, 9000},
		}, "x: run R\nx: reading\nx: reading 2/9000\n"},
		{"one that waits", false, queued, []look{
			{0, queued, "", 0, 0}, {1, queued, "", 0, 0}, {60, queued, "", 0, 0}, {1, running, "reading", 0, 0},
		}, "x: run R\nx: run R waits for another run of the feed\nx: reading\n"},
		{"one that was joined", true, running, []look{{1, running, "reading", 1, 0}},
			"x: joined run R, which is running\nx: reading\n"},
		{"one that was joined and waits", true, queued, []look{{5, queued, "", 0, 0}},
			"x: joined run R, which waits for another run of the feed\n"},
	} {
		now := time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)
		var w strings.Builder
		r := &plainReport{w: &w, now: func() time.Time { return now }}
		r.began(&syncRun{ID: "R", Feed: "x", State: tc.state, Joined: tc.joined})
		for _, l := range tc.looks {
			now = now.Add(l.after * time.Second)
			r.progress(&syncRun{ID: "R", Feed: "x", State: l.state, Phase: l.phase, ProgressDone: l.done, ProgressTotal: l.total})
		}
		if w.String() != tc.want {
			t.Errorf("%s: got\n%swant\n%s", tc.name, w.String(), tc.want)
		}
	}
}

func TestWhoJoinsARunAtATerminalIsToldSo(t *testing.T) {
	var w strings.Builder
	terminalReport{&w}.began(&syncRun{ID: "R", Feed: "x", State: codex.RunRunning, Joined: true, Phase: "reading"})
	if want := clearLine + "x: joined run R, which is running\n" + clearLine + "x: reading"; w.String() != want {
		t.Errorf("%q, want %q", w.String(), want)
	}
}

func TestARunThatCouldNotBeStartedHasNoID(t *testing.T) {
	run := failedRun(codex.FeedTickets, nil, codex.Errorf(codex.CodeUnavailable, "the database does not answer"))
	want := `{"id":null,"feed":"tickets","state":"failed","dry_run":false,"created":0,"updated":0,"removed":0,"unchanged":0,"held":0,"issues":0,` +
		`"companies":` + noCounts + `,"contacts":` + noCounts + `,"locations":` + noCounts + `,` +
		`"assets":` + noCounts + `,"tickets":` + noCounts + `,"error":"the database does not answer"}`
	if got := string(runJSON(run)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheExitStatusOfEachState(t *testing.T) {
	tests := []struct {
		state  codex.RunState
		dryRun bool
		want   int
	}{
		{codex.RunSucceeded, false, 0}, {codex.RunSucceeded, true, 0},
		{codex.RunPartial, false, 3}, {codex.RunPartial, true, 3},
		{codex.RunHeld, false, 4}, {codex.RunHeld, true, 0},
		{codex.RunFailed, false, 1}, {codex.RunFailed, true, 1},
		{codex.RunCancelled, false, 1}, {codex.RunInterrupted, false, 1},
	}
	for _, tt := range tests {
		if got := exitStatus(&syncRun{State: tt.state, DryRun: tt.dryRun}); got != tt.want {
			t.Errorf("%s (dry run: %t): %d, want %d", tt.state, tt.dryRun, got, tt.want)
		}
	}
}

func TestARunThatWasLostSightOfIsNotCalledFailed(t *testing.T) {
	run := failedRun(codex.FeedTickets, &syncRun{ID: "R", Feed: codex.FeedTickets, State: codex.RunRunning}, codex.Errorf(codex.CodeUnavailable, "the codex serve has stopped"))
	if run.State != codex.RunRunning || *run.Error != "the codex serve has stopped" || exitStatus(run) != exitFailed {
		t.Errorf("state %s, %q, exit status %d", run.State, *run.Error, exitStatus(run))
	}
}
