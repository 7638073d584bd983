package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
)

// Output is what a job that has ended says of itself, in the old service's form (docs/compatibility.md,
// "Archive").
type Output struct {
	SuccessCount int      `json:"success_count"`
	FailedCount  int      `json:"failed_count"`
	Errors       []string `json:"errors"` // "<account>: <text>", of failed and held companies
}

// ParseOutput reads what a job's row keeps as output; nil where it keeps none.
func ParseOutput(text *string) (*Output, error) {
	if text == nil {
		return nil, nil
	}
	var output Output
	if err := json.Unmarshal([]byte(*text), &output); err != nil {
		return nil, fmt.Errorf("reading the output of a snapshot job: %w", err)
	}
	return &output, nil
}

// ending is how a job ends.
type ending struct {
	state codex.JobState
	err   string // why it ended before every company was gone through
}

// tally is how the companies of a job stand.
type tally struct {
	made, already, failed, held, waiting int
	errors                               []string
}

func tallyOf(companies []*ent.SnapshotJobCompany) tally {
	t := tally{errors: []string{}}
	for _, c := range companies {
		switch c.State {
		case codex.CompanyMade:
			t.made++
		case codex.CompanyAlready:
			t.already++
		case codex.CompanyFailed:
			t.failed++
			t.errors = append(t.errors, string(c.AccountNumber)+": "+valueOf(c.Reason))
		case codex.CompanyHeld:
			t.held++
			t.errors = append(t.errors, string(c.AccountNumber)+": held: "+valueOf(c.Reason))
		case codex.CompanyWaiting:
			t.waiting++
		}
	}
	return t
}

func (t tally) done() int { return t.made + t.already }

// success is whether a job that ends so got every bill.
func (e ending) success(t tally) bool {
	return e.state == codex.JobCompleted && t.failed+t.held+t.waiting == 0
}

// says is what became of the companies, for people.
func (t tally) says() string {
	text := fmt.Sprintf("%d bills made, %d there already", t.made, t.already)
	for _, part := range []struct {
		n    int
		what string
	}{{t.failed, "failed"}, {t.held, "held"}, {t.waiting, "not asked for"}} {
		if part.n > 0 {
			text += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	return text
}

// news is what is told of a job that ended so; false where nobody needs to know.
func (e ending) news(t tally) (notify.Kind, bool) {
	switch {
	case e.state == codex.JobFailed, t.failed > 0 && t.done() == 0:
		return notify.JobFailed, true
	case e.state == codex.JobCancelled: // a person knows it
		return "", false
	case t.failed > 0:
		return notify.JobPartial, true
	case t.held > 0:
		return notify.JobHeld, true
	}
	return "", false
}

// end writes how a job ended: its row, what the schedule remembers of its last run, and what is told of
// it. The caller's transaction holds the jobs' revision, or the lease.
func (j *Jobs) end(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob, e ending) error {
	companies, err := readCompanies(ctx, tx.Ent(), row.ID)
	if err != nil {
		return err
	}
	t := tallyOf(companies)
	success := e.success(t)
	update := tx.Ent().SnapshotJob.UpdateOneID(row.ID).
		SetState(e.state).SetStatus(e.state.Status()).SetSuccess(success).SetCompletedAt(tx.Now()).SetHeartbeatAt(tx.Now()).
		SetCompletedCompanies(t.done()).SetFailedCompanies(t.failed).SetHeldCompanies(t.held).
		ClearBlockedReason()
	if e.err != "" {
		update.SetError(e.err)
	} else {
		update.ClearError() // a blocked one has its reason there
	}
	if len(companies) > 0 { // it had none before: a retry takes it away
		output, err := json.Marshal(Output{SuccessCount: t.done(), FailedCount: t.failed + t.held, Errors: t.errors})
		if err != nil {
			return fmt.Errorf("writing the output of a snapshot job: %w", err)
		}
		update.SetOutput(string(output))
	}
	if err := update.Exec(ctx); err != nil {
		return err
	}
	if row.BegunAt != nil {
		if err := remember(ctx, tx, row, e, t, success); err != nil {
			return err
		}
	}
	kind, told := e.news(t)
	if !told {
		return nil
	}
	return j.o.Outbox.Enqueue(ctx, tx, notify.Event{
		Kind: kind, Subject: notify.JobSubject(row.ID), Text: textOf(row, e, t),
		Facts: map[string]any{
			"job_id": row.ID, "job_type": row.JobType, "year": row.TargetYear, "month": row.TargetMonth,
			"state": e.state, "success_count": t.done(), "failed_count": t.failed, "held_count": t.held,
			"errors": firstOf(t.errors), "error": e.err,
		},
	})
}

// remember keeps the last_run_* of the schedule true: of each job that really ran, whoever started it.
func remember(ctx context.Context, tx *store.Tx, row *ent.SnapshotJob, e ending, t tally, success bool) error {
	status := "failed"
	if success {
		status = "success"
	}
	log := fmt.Sprintf("Job %s of %s: %s.", row.ID, periodOf(row), t.says())
	if e.err != "" {
		log += " " + e.err
	}
	for _, line := range t.errors {
		log += "\n" + line
	}
	_, err := tx.Ent().ScheduledSnapshot.Update().SetLastRunAt(tx.Now()).SetLastRunStatus(status).
		SetLastRunCount(t.done()).SetLastRunLog(log).Save(ctx)
	if err != nil {
		return fmt.Errorf("noting the last run of the schedule: %w", err)
	}
	return nil
}

// namedErrors is how many companies an event names: the job has them all.
const namedErrors = 20

func firstOf(errors []string) []string {
	return errors[:min(len(errors), namedErrors)]
}

func textOf(row *ent.SnapshotJob, e ending, t tally) string {
	text := fmt.Sprintf("The bills of %s: %s.", periodOf(row), t.says())
	if e.err != "" {
		text += " " + e.err
	}
	if e.state == codex.JobCompleted {
		text += " Look at the job, and retry it when what is wrong is put right."
	}
	for _, line := range firstOf(t.errors) {
		text += "\n" + line
	}
	return text
}
