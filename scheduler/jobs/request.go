package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshotjob"
	"github.com/hivematrix/codex/store"
)

// Request asks for the bills of a month.
type Request struct {
	Period codex.Period
	// Accounts are the companies; nil is every company that was served at any time in the month. One that
	// the hub does not know fails by name, and the others are asked for.
	Accounts []codex.AccountNumber
	Type     codex.JobType // empty is [codex.JobBulk]
	Trigger  codex.RunTrigger
	DueAt    time.Time // of a scheduled one: the time that it was due. The same one again is the same job.
	By       codex.Caller
	// UserToken is the token of Core with which By asked, if By is a person: Ledger may want one.
	UserToken codex.Secret
	// Force is why the job shall not wait: a scheduled one for feeds that are stale, one of a person for
	// flags of the bill review that nobody acknowledged. Empty: it shall.
	Force string
}

// maxReason is how many characters a reason may have.
const maxReason = 10_000

// normalised is r with its defaults, or what is wrong with it.
func (r Request) normalised(now time.Time) (Request, error) {
	if r.Type == "" {
		r.Type = codex.JobBulk
	}
	if r.Trigger == "" {
		if r.Trigger = r.By.Trigger; r.Trigger == "" {
			r.Trigger = codex.TriggerAPI
		}
	}
	switch {
	case r.Period.Year < 2000 || r.Period.Year > 9998:
		return r, codex.BadInput("year", "give a year of four digits, from 2000 on")
	case r.Period.Month < 1 || r.Period.Month > 12:
		return r, codex.BadInput("month", "give a month from 1 to 12")
	case r.Period.Start().After(now):
		return r, codex.BadInput("month", "%s lies ahead", r.Period)
	case r.Type != codex.JobBulk && r.Type != codex.JobScheduled:
		return r, codex.BadInput("type", "a job is scheduled or bulk, not %q", r.Type)
	case r.Type == codex.JobScheduled && r.DueAt.IsZero():
		return r, codex.BadInput("dueAt", "say when the scheduled job was due")
	case r.Accounts != nil && len(r.Accounts) == 0:
		return r, codex.BadInput("accountNumbers", "name a company, or none to ask for all")
	}
	var accounts []codex.AccountNumber
	for _, account := range r.Accounts {
		text := strings.TrimSpace(string(account))
		if text == "" || len(text) > 500 || text != store.CleanText(text) {
			return r, codex.BadInput("accountNumbers", "%q is no account number", string(account))
		}
		if account = codex.AccountNumber(text); !slices.Contains(accounts, account) {
			accounts = append(accounts, account)
		}
	}
	r.Accounts = accounts
	if r.Force != "" {
		return r, checkReason(r.Force)
	}
	return r, nil
}

func checkReason(reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return codex.BadInput("reason", "say why: it is kept for those who ask later")
	case reason != store.CleanText(reason), len([]rune(reason)) > maxReason:
		return codex.BadInput("reason", "a reason is text of at most %d characters", maxReason)
	}
	return nil
}

// Start asks for a job and gives its row at once; [Jobs.Serve] works on it. A scheduled one whose DueAt
// there is already is given as it stands. What is wrong with the request is [codex.CodeBadInput].
func (j *Jobs) Start(ctx context.Context, request Request) (*ent.SnapshotJob, error) {
	return j.StartWith(ctx, request, func(context.Context, *store.Tx, *ent.SnapshotJob) error { return nil })
}

// StartWith is [Jobs.Start]; also works in the transaction that makes the job, or finds it. Its error is
// StartWith's, and there is no job then.
func (j *Jobs) StartWith(ctx context.Context, request Request, also func(ctx context.Context, tx *store.Tx, job *ent.SnapshotJob) error) (*ent.SnapshotJob, error) {
	if err := j.CanAsk(); err != nil {
		return nil, err
	}
	r, err := request.normalised(j.o.DB.Now())
	if err != nil {
		return nil, err
	}
	id := codex.RunID(uuid.NewString())
	if r.UserToken != "" {
		j.keepToken(id, r.UserToken)
	}
	var row *ent.SnapshotJob
	err = j.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		// Two that start the same must not both find nothing.
		if _, err := tx.Revisions(ctx, jobsEntity); err != nil {
			return err
		}
		var err error
		if row, err = j.findOrCreate(ctx, tx, id, r); err != nil {
			return err
		}
		return also(ctx, tx, row)
	})
	if err != nil || row.ID != id {
		j.forgetToken(id)
	}
	if err != nil {
		return nil, fmt.Errorf("starting a snapshot job of %s: %w", r.Period, err)
	}
	j.wake()
	return row, nil
}

// findOrCreate gives the job of the request's DueAt, or makes the one of id.
func (j *Jobs) findOrCreate(ctx context.Context, tx *store.Tx, id codex.RunID, r Request) (*ent.SnapshotJob, error) {
	if !r.DueAt.IsZero() {
		row, err := tx.Ent().SnapshotJob.Query().Where(snapshotjob.DueAt(store.UTC(r.DueAt))).Only(ctx)
		if err == nil || !ent.IsNotFound(err) {
			return row, err
		}
	}
	return j.create(ctx, tx, id, r)
}

func (j *Jobs) create(ctx context.Context, tx *store.Tx, id codex.RunID, r Request) (*ent.SnapshotJob, error) {
	create := tx.Ent().SnapshotJob.Create().SetID(id).SetJobType(r.Type).
		SetTargetYear(r.Period.Year).SetTargetMonth(int(r.Period.Month)).
		SetState(codex.JobQueued).SetStatus(codex.JobQueued.Status()).
		SetTrigger(r.Trigger).SetTriggeredBy(r.By.Name).SetByPerson(r.UserToken != "").
		SetStartedAt(tx.Now()).SetHeartbeatAt(tx.Now())
	if r.UserToken != "" {
		create.SetWorker(j.process)
	}
	if r.Accounts != nil {
		list, err := json.Marshal(r.Accounts)
		if err != nil {
			return nil, fmt.Errorf("writing the list of companies: %w", err)
		}
		create.SetTargetAccountNumbers(string(list))
	}
	if !r.DueAt.IsZero() {
		create.SetDueAt(store.UTC(r.DueAt))
	}
	if r.Force != "" {
		create.SetForceReason(strings.TrimSpace(r.Force)).SetForcedBy(r.By.Name)
	}
	return create.Save(ctx)
}

// RequestBill asks for the bill of one company, now: a job of one, whose row it gives at once.
func (j *Jobs) RequestBill(ctx context.Context, account codex.AccountNumber, period codex.Period, by codex.Caller, userToken codex.Secret) (*ent.SnapshotJob, error) {
	return j.Start(ctx, Request{Period: period, Accounts: []codex.AccountNumber{account}, By: by, UserToken: userToken})
}
