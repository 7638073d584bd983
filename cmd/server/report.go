package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/syncers"
)

// reporter tells of a run: to a person at a terminal, to a log, or to a program.
type reporter interface {
	began(run *syncRun)
	progress(run *syncRun)
	ended(run *syncRun)
}

// reporter is the one that fits standard output.
func (p *program) reporter(asJSON bool) reporter {
	switch {
	case asJSON:
		return jsonReport{p.stdout}
	case isTerminal(p.stdout):
		return terminalReport{p.stdout}
	}
	return &plainReport{w: p.stdout, now: p.now}
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// doing is what a run is doing, for people.
func doing(run *syncRun) string {
	what := run.Phase
	if what == "" {
		what = string(run.State)
	}
	switch {
	case run.ProgressTotal > 0:
		what += fmt.Sprintf(" %d/%d", run.ProgressDone, run.ProgressTotal)
	case run.ProgressDone > 0:
		what += " " + strconv.Itoa(run.ProgressDone)
	}
	return what
}

// summary is how a run ended, for people: a line, and its results.
func summary(run *syncRun) string { return headline(run) + results(run) }

func headline(run *syncRun) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", run.Feed, run.State)
	if run.DryRun {
		b.WriteString(" (dry run: nothing was written)")
	}
	if run.StartedAt != nil && run.EndedAt != nil {
		fmt.Fprintf(&b, " in %s", run.EndedAt.Sub(*run.StartedAt).Round(100*time.Millisecond))
	}
	if run.ID != "" {
		fmt.Fprintf(&b, ", run %s", run.ID)
	}
	b.WriteByte('\n')
	return b.String()
}

// results are what a run did, for people: a line an entity, and the reason.
func results(run *syncRun) string {
	var b strings.Builder
	for _, c := range run.Counts {
		fmt.Fprintf(&b, "  %-13s %6d created %6d updated %6d removed %6d unchanged", c.Entity, c.Created, c.Updated, c.Removed, c.Unchanged)
		if c.Held > 0 {
			fmt.Fprintf(&b, " %6d held", c.Held)
		}
		if c.Issues > 0 {
			fmt.Fprintf(&b, " %6d issues", c.Issues)
		}
		b.WriteByte('\n')
	}
	if run.Error != nil {
		for line := range strings.SplitSeq(*run.Error, "\n") {
			fmt.Fprintf(&b, "  %s\n", line)
		}
	}
	return b.String()
}

// terminalReport rewrites one line while a run works.
type terminalReport struct{ w io.Writer }

const clearLine = "\r\x1b[K"

func (r terminalReport) began(run *syncRun) {
	if run.Joined {
		fmt.Fprint(r.w, clearLine, beginning(run))
	}
	r.progress(run)
}
func (r terminalReport) progress(run *syncRun) {
	fmt.Fprintf(r.w, "%s%s: %s", clearLine, run.Feed, doing(run))
}
func (r terminalReport) ended(run *syncRun) {
	fmt.Fprint(r.w, clearLine, summary(run), told(run))
}

// beginning says which run is watched, and whether it was there before.
func beginning(run *syncRun) string {
	switch {
	case !run.Joined:
		return fmt.Sprintf("%s: run %s\n", run.Feed, run.ID)
	case run.State == codex.RunQueued:
		return fmt.Sprintf("%s: joined run %s, which waits for another run of the feed\n", run.Feed, run.ID)
	}
	return fmt.Sprintf("%s: joined run %s, which is %s\n", run.Feed, run.ID, run.State)
}

// plainReport writes a line a phase, and one now and then while it lasts.
type plainReport struct {
	w    io.Writer
	now  func() time.Time
	told time.Time // when its newest line was written
	// What that told, or what it was about.
	phase   string
	done    int
	quarter int  // of the phase's total
	waits   bool // it was told that the run waits
}

// A run that is watched by a file says again how far it is after now and then; a new run that waits
// longer than a moment waits for another.
const (
	nowAndThen = 30 * time.Second
	aMoment    = time.Second
)

func (r *plainReport) began(run *syncRun) {
	*r = plainReport{w: r.w, now: r.now, told: r.now(), waits: run.Joined && run.State == codex.RunQueued}
	fmt.Fprint(r.w, beginning(run))
}

func (r *plainReport) progress(run *syncRun) {
	since := r.now().Sub(r.told)
	quarter := 0
	if run.ProgressTotal > 0 {
		quarter = 4 * run.ProgressDone / run.ProgressTotal
	}
	switch {
	case run.State.Final():
	case run.State == codex.RunQueued:
		if !r.waits && since >= aMoment {
			r.waits = true
			fmt.Fprintf(r.w, "%s: run %s waits for another run of the feed\n", run.Feed, run.ID)
		}
	case run.Phase != r.phase:
		r.tell(run, run.Phase, quarter)
	case quarter > r.quarter, since >= nowAndThen && run.ProgressDone != r.done:
		r.tell(run, doing(run), quarter)
	}
}

func (r *plainReport) tell(run *syncRun, what string, quarter int) {
	r.told, r.phase, r.done, r.quarter = r.now(), run.Phase, run.ProgressDone, quarter
	fmt.Fprintf(r.w, "%s: %s\n", run.Feed, what)
}

func (r *plainReport) ended(run *syncRun) { fmt.Fprint(r.w, summary(run), told(run)) }

// jsonReport writes one object a feed when its run has ended.
type jsonReport struct{ w io.Writer }

func (jsonReport) began(*syncRun)    {}
func (jsonReport) progress(*syncRun) {}
func (r jsonReport) ended(run *syncRun) {
	fmt.Fprintf(r.w, "%s\n", runJSON(run))
}

// countsJSON are the counts of a run, or of one entity of it.
type countsJSON struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Removed   int `json:"removed"`
	Unchanged int `json:"unchanged"`
	Held      int `json:"held"`
	Issues    int `json:"issues"`
}

func countsOf(c syncers.EntityCounts) countsJSON {
	return countsJSON{c.Created, c.Updated, c.Removed, c.Unchanged, c.Held, c.Issues}
}

// runJSON is a run as --json prints it: its own counts, those of the five entities that people ask
// for whatever the feed, then those of what belongs to them; at last the changes that are told.
func runJSON(run *syncRun) []byte {
	head := struct {
		ID     *codex.RunID   `json:"id"` // null: none was started
		Feed   codex.Feed     `json:"feed"`
		State  codex.RunState `json:"state"`
		DryRun bool           `json:"dry_run"`
		countsJSON
	}{nil, run.Feed, run.State, run.DryRun, countsOf(syncers.Total(run.Counts))}
	if run.ID != "" {
		head.ID = &run.ID
	}
	line := object(nil, head)
	names := []string{"companies", "contacts", "locations", "assets", "tickets"}
	byName := map[string]countsJSON{}
	for _, c := range run.Counts {
		byName[c.Entity] = countsOf(c)
		if !slices.Contains(names, c.Entity) {
			names = append(names, c.Entity)
		}
	}
	for _, name := range names {
		line = object(line, map[string]countsJSON{name: byName[name]})
	}
	if run.Changes != nil {
		line = object(line, map[string][]runChange{"changes": run.Changes})
	}
	if run.Error != nil {
		line = object(line, map[string]string{"error": *run.Error})
	}
	if run.Joined {
		line = object(line, map[string]bool{"joined": true})
	}
	return line
}

// object adds the keys of value, behind those that line has.
func object(line []byte, value any) []byte {
	more, err := json.Marshal(value)
	if err != nil { // plain structs and maps: cannot happen
		return line
	}
	if line == nil {
		return more
	}
	return append(append(line[:len(line)-1], ','), more[1:]...)
}
