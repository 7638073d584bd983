package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hivematrix/codex"
)

// snapshotJob is a job that asks for the bills of a month, as GraphQL has it, which is asked for the names
// that --json writes. Its words are the hub's own, in small letters.
type snapshotJob struct {
	ID                codex.RunID          `json:"id"`
	JobType           codex.JobType        `json:"job_type"`
	State             codex.JobState       `json:"state"`
	Month             string               `json:"month"`
	AccountNumbers    []string             `json:"account_numbers"`
	TriggeredBy       string               `json:"triggered_by"`
	DueAt             *time.Time           `json:"due_at"`
	StartedAt         time.Time            `json:"started_at"`
	BegunAt           *time.Time           `json:"begun_at"`
	CompletedAt       *time.Time           `json:"completed_at"`
	Round             int                  `json:"round"`
	Total             int                  `json:"total_companies"`
	Completed         int                  `json:"completed_companies"`
	Failed            int                  `json:"failed_companies"`
	Held              int                  `json:"held_companies"`
	Success           *bool                `json:"success"`
	Error             *string              `json:"error"`
	BlockedReason     *string              `json:"blocked_reason"`
	ForcedBy          *string              `json:"forced_by"`
	ForceReason       *string              `json:"force_reason"`
	CancelRequestedBy *string              `json:"cancel_requested_by"`
	Notes             []string             `json:"notes"`
	Companies         []snapshotJobCompany `json:"companies,omitempty"` // where they were asked for
}

type snapshotJobCompany struct {
	AccountNumber string                `json:"account_number"`
	State         codex.JobCompanyState `json:"state"`
	Attempts      int                   `json:"attempts"`
	Reason        *string               `json:"reason"`
	InvoiceNumber *string               `json:"invoice_number"`
	EndedAt       *time.Time            `json:"ended_at"`
}

const (
	jobFields = `id job_type: jobType state month: billingMonth account_numbers: accountNumbers triggered_by: triggeredBy
		due_at: dueAt started_at: startedAt begun_at: begunAt completed_at: completedAt round total_companies: totalCompanies
		completed_companies: completedCompanies failed_companies: failedCompanies held_companies: heldCompanies success error
		blocked_reason: blockedReason forced_by: forcedBy force_reason: forceReason cancel_requested_by: cancelRequestedBy notes`
	jobCompanyFields = `{ account_number: accountNumber state attempts reason invoice_number: invoiceNumber ended_at: endedAt }`
)

// own puts GraphQL's enums, the hub's words in capitals, back into small letters.
func (j *snapshotJob) own() *snapshotJob {
	j.JobType = codex.JobType(strings.ToLower(string(j.JobType)))
	j.State = codex.JobState(strings.ToLower(string(j.State)))
	for i := range j.Companies {
		j.Companies[i].State = codex.JobCompanyState(strings.ToLower(string(j.Companies[i].State)))
	}
	return j
}

// ended tells how many companies are no longer waited for.
func (j *snapshotJob) ended() int { return j.Completed + j.Failed + j.Held }

// well tells whether every company has its bill.
func (j *snapshotJob) well() bool {
	return j.State == codex.JobCompleted && j.Success != nil && *j.Success
}

// changeJob asks a mutation that gives a job.
func (h *hub) changeJob(ctx context.Context, mutation string, variables map[string]any) (*snapshotJob, error) {
	var answer struct{ Did struct{ Job snapshotJob } }
	if err := h.ask(ctx, mutation, variables, &answer); err != nil {
		return nil, err
	}
	return answer.Did.Job.own(), nil
}

// job reads a job, with those of its companies that are of a state of which, in GraphQL's words.
func (h *hub) job(ctx context.Context, id codex.RunID, which ...string) (*snapshotJob, error) {
	var answer struct{ SnapshotJob *snapshotJob }
	question, variables := `query($id: ID!) { snapshotJob(id: $id) { `+jobFields+` } }`, map[string]any{"id": id}
	if len(which) > 0 {
		question = `query($id: ID!, $which: [SnapshotJobCompanyState!]) {
			snapshotJob(id: $id) { ` + jobFields + ` companies(states: $which) ` + jobCompanyFields + ` } }`
		variables["which"] = which
	}
	if err := h.ask(ctx, question, variables, &answer); err != nil {
		return nil, err
	}
	if answer.SnapshotJob == nil {
		return nil, codex.Errorf(codex.CodeNotFound, "there is no snapshot job %s", id)
	}
	return answer.SnapshotJob.own(), nil
}

// The companies of a job that are asked for, in GraphQL's words.
func endedCompanies() []string { return []string{"MADE", "ALREADY", "FAILED", "HELD"} }
func allCompanies() []string   { return append(endedCompanies(), "WAITING") }

// watchJob tells of a job until it has ended, and returns it with its companies. Where no serve is running
// this process works on it. When ctx ends, a serve goes on with it, and one of this process stops where it
// stands.
func (p *program) watchJob(ctx context.Context, hub *hub, job *snapshotJob, quiet bool) (*snapshotJob, error) {
	var tell jobReport
	if !quiet {
		tell.w = p.stdout
	}
	tell.began(job)
	endWork := hub.workOnJobs(ctx)
	defer endWork()
	seen := -1
	for wait := firstLook; ; wait = min(2*wait, lookAgain) {
		again, err := hub.job(ctx, job.ID)
		if err == nil && (again.ended() != seen || again.State.Final()) { // many companies are read only when there is news of one
			seen = again.ended()
			again, err = hub.job(ctx, job.ID, endedCompanies()...)
		}
		switch {
		case ctx.Err() != nil:
			endWork()
			return job, leftJob(hub, job.ID)
		case err != nil && hub.local == nil && isGone(err):
			return job, codex.Errorf(codex.CodeUnavailable, "the codex serve that did the work has gone: start it again, and it goes on with job %s", job.ID)
		case err != nil:
			return job, fmt.Errorf("watching job %s: %w", job.ID, err)
		}
		job = again
		tell.progress(job)
		if job.State.Final() {
			tell.ended(job)
			return job, nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// leftJob says what becomes of a job that is no longer watched.
func leftJob(hub *hub, id codex.RunID) error {
	if hub.local == nil {
		return fmt.Errorf("stopped watching; the running codex serve goes on with job %s\n"+
			"codex snapshots watch %s watches it again, codex snapshots cancel %s stops it", id, id, id)
	}
	return fmt.Errorf("job %s stops where it stands: the next codex serve, or codex snapshots watch %s, goes on with it\n"+
		"codex snapshots cancel %s ends it", id, id, id)
}

// jobStatus is the exit status for a job that has ended, as an error.
func jobStatus(job *snapshotJob) error {
	if job.well() {
		return nil
	}
	return &statusError{status: exitFailed}
}

// jobReport tells of a job as it goes, a line for whatever is new. Without w it is quiet.
type jobReport struct {
	w     io.Writer
	state codex.JobState
	why   string
	told  map[string]time.Time // the companies of which it was told, with when they had ended
}

func (r *jobReport) began(job *snapshotJob) {
	if r.w == nil {
		return
	}
	of := "all companies"
	if n := len(job.AccountNumbers); n > 0 {
		of = counted(n, "company", "companies")
	}
	fmt.Fprintf(r.w, "%s: job %s, %s\n", job.Month, job.ID, of)
}

func (r *jobReport) progress(job *snapshotJob) {
	if r.w == nil {
		return
	}
	why := ""
	if job.BlockedReason != nil {
		why = *job.BlockedReason
	}
	if job.State != r.state || why != r.why {
		r.state, r.why = job.State, why
		if line := r.stands(job); line != "" {
			fmt.Fprintf(r.w, "%s\n", printable(line))
		}
	}
	if r.told == nil {
		r.told = make(map[string]time.Time)
	}
	for _, c := range job.Companies {
		if c.EndedAt == nil {
			continue
		}
		if told, known := r.told[c.AccountNumber]; !known || !told.Equal(*c.EndedAt) {
			r.told[c.AccountNumber] = *c.EndedAt
			fmt.Fprint(r.w, c.shown())
		}
	}
}

// stands is what a job does that has not ended, for people.
func (r *jobReport) stands(job *snapshotJob) string {
	switch job.State {
	case codex.JobQueued:
		return "waits for its turn"
	case codex.JobSyncing:
		return "syncs the feeds first"
	case codex.JobBlocked:
		return fmt.Sprintf("is blocked: %s (codex snapshots force %s --reason TEXT lets it go on)", r.why, job.ID)
	case codex.JobRunning:
		return "asks for the bills"
	default:
		return ""
	}
}

func (r *jobReport) ended(job *snapshotJob) {
	if r.w == nil {
		return
	}
	fmt.Fprint(r.w, job.summary())
	if job.Failed+job.Held > 0 && job.State == codex.JobCompleted {
		fmt.Fprintf(r.w, "  codex snapshots retry %s asks again for those without a bill\n", job.ID)
	}
}

// shown is a company of a job for people, in a line.
func (c *snapshotJobCompany) shown() string {
	line := c.AccountNumber + ": "
	switch c.State {
	case codex.CompanyMade:
		line += "made " + textOf(c.InvoiceNumber)
	case codex.CompanyAlready:
		line += "was there already, " + textOf(c.InvoiceNumber)
	case codex.CompanyWaiting:
		line += "waits"
	default:
		line += string(c.State) + ", " + textOf(c.Reason)
	}
	return "  " + printable(line) + "\n"
}

// summary is how a job stands, for people: a line, and what is to be known of it.
func (j *snapshotJob) summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", j.Month, j.State)
	if j.BegunAt != nil && j.CompletedAt != nil {
		fmt.Fprintf(&b, " in %s", j.CompletedAt.Sub(*j.BegunAt).Round(100*time.Millisecond))
	}
	fmt.Fprintf(&b, ", %d of %s", j.Completed, counted(j.Total, "company has its bill", "companies have their bill"))
	if j.Failed > 0 {
		fmt.Fprintf(&b, ", %d failed", j.Failed)
	}
	if j.Held > 0 {
		fmt.Fprintf(&b, ", %d held", j.Held)
	}
	fmt.Fprintf(&b, ", job %s\n", j.ID)
	for _, text := range []*string{j.Error, j.BlockedReason} {
		if text != nil {
			fmt.Fprintf(&b, "  %s\n", printable(*text))
		}
	}
	for _, note := range j.Notes {
		fmt.Fprintf(&b, "  note: %s\n", printable(note))
	}
	return b.String()
}

// workOnJobs has this process work on jobs where no serve is running, until the function that it gives is
// called or ctx ends.
func (h *hub) workOnJobs(ctx context.Context) (end func()) {
	if h.local == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.local.jobs.Serve(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}
