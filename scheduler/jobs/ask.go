package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/snapshotjobcompany"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/store"
)

// insertedAtOnce bounds the parameters of a statement.
const insertedAtOnce = 500

// plan finds out which companies the job is for, once, and gives those that wait.
func (w *working) plan(ctx context.Context) ([]*ent.SnapshotJobCompany, error) {
	var rows []*ent.SnapshotJobCompany
	err := w.step(ctx, func(ctx context.Context, tx *store.Tx) error {
		var err error
		if rows, err = readCompanies(ctx, tx.Ent(), w.id); err != nil || len(rows) > 0 {
			return err
		}
		job, err := readJob(ctx, tx.Ent(), w.id)
		if err != nil {
			return err
		}
		accounts, err := codex.ParseAccountNumbers(job.TargetAccountNumbers)
		if err != nil {
			return err
		}
		list, firstSeen, err := targets(ctx, tx.Ent(), periodOf(job), accounts)
		if err != nil {
			return err
		}
		failed := 0
		creates := make([]*ent.SnapshotJobCompanyCreate, len(list))
		for i, t := range list {
			creates[i] = tx.Ent().SnapshotJobCompany.Create().SetJobID(w.id).SetAccountNumber(t.account).
				SetPosition(i + 1).SetState(codex.CompanyWaiting)
			if t.unknown != "" {
				failed++
				creates[i].SetState(codex.CompanyFailed).SetReason(t.unknown).SetEndedAt(tx.Now())
			}
		}
		for some := range slices.Chunk(creates, insertedAtOnce) {
			if err := tx.Ent().SnapshotJobCompany.CreateBulk(some...).Exec(ctx); err != nil {
				return err
			}
		}
		update := tx.Ent().SnapshotJob.UpdateOneID(w.id).SetTotalCompanies(len(list)).SetFailedCompanies(failed)
		if firstSeen {
			update.SetNotes(addNote(job.Notes, fmt.Sprintf(
				"The hub had seen no company when %s ended: these are the companies that it serves now.", periodOf(job))))
		}
		if err := update.Exec(ctx); err != nil {
			return err
		}
		rows, err = readCompanies(ctx, tx.Ent(), w.id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rows, func(c *ent.SnapshotJobCompany) bool { return c.State != codex.CompanyWaiting }), nil
}

// asking is the work on the companies of a job.
type asking struct {
	*working
	period  codex.Period
	facts   companyFacts
	reviews map[codex.AccountNumber]*reconcile.CompanyReview // nil where flagged companies are not held
	token   codex.Secret
	lost    bool // the token of the person who asked was lost with their process

	mu      sync.Mutex
	refused string // why Ledger takes nobody that we can ask as: the rest fails with it
	down    int    // companies in a row that failed for something that may pass
}

// Ledger is asked attempts times about a company, with waits in between that grow. Once tired companies
// in a row have failed so, it is asked once about each until it answers: else a Ledger that is down would
// keep a job for hours.
const (
	attempts = 3
	tired    = 5
	backoff  = 2 * time.Second
)

// waitAfter is how long is waited after a try, of which the first is 1: 2 s, 8 s.
func waitAfter(try int) time.Duration { return backoff << (2 * (try - 1)) }

// askAll goes through companies, some at a time, until all have been asked for or ctx ends. What is asked
// then is let end where a person has cancelled the job, and is broken off where the process ends or its
// lease is lost.
func (w *working) askAll(ctx context.Context, companies []*ent.SnapshotJobCompany) error {
	a := &asking{working: w, period: periodOf(w.job)}
	var err error
	if a.facts, err = readCompanyFacts(ctx, w.o.DB.Ent()); err != nil {
		return err
	}
	if w.holds(w.job.JobType, w.job.ForceReason != nil) {
		review, err := w.o.Reviews.Review(ctx, a.period)
		if err != nil {
			return fmt.Errorf("looking for flags of the bill review: %w", err)
		}
		a.reviews = reviewsOf(review)
	}
	token, there := w.Jobs.token(w.id)
	a.token, a.lost = token, w.job.ByPerson && !there

	calls, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	for _, until := range []context.Context{ctx, w.held} {
		defer context.AfterFunc(until, func() {
			if cause := context.Cause(until); !errors.Is(cause, errCancelled) {
				end(cause)
			}
		})()
	}
	group, calls := errgroup.WithContext(calls)
	group.SetLimit(w.o.Concurrency)
	for _, c := range companies {
		if ctx.Err() != nil || calls.Err() != nil {
			break
		}
		group.Go(func() error {
			if ctx.Err() != nil { // while it waited for its turn
				return nil
			}
			return a.company(ctx, calls, c)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

// company gets the bill of a company, or says why not. It waits no longer when ctx ends; calls is for what
// is asked and written. Its error is one with which nothing can be written.
func (a *asking) company(ctx, calls context.Context, c *ent.SnapshotJobCompany) error {
	t := a.facts.given([]codex.AccountNumber{c.AccountNumber})[0]
	if t.unknown != "" { // it is retried, or was renumbered since
		return a.settle(calls, c, result{state: codex.CompanyFailed, reason: t.unknown})
	}
	bill, err := a.look(calls, t)
	if err != nil {
		return err
	}
	if bill.archived() {
		return a.settle(calls, c, result{state: codex.CompanyAlready, invoice: bill.invoice})
	}
	if open := openFlags(a.reviews[c.AccountNumber]); open > 0 {
		return a.settle(calls, c, result{state: codex.CompanyHeld, reason: heldReason(open)})
	}
	for try := 1; ; try++ {
		if refused := a.refusal(); refused != "" {
			return a.settle(calls, c, result{state: codex.CompanyFailed, reason: refused})
		}
		r, again, err := a.try(ctx, calls, c, t)
		if errors.Is(err, errCancelled) {
			a.cancel() // and what others are asked for is let end
			return nil
		}
		if err != nil {
			return err
		}
		if !again {
			a.answered()
			return a.settle(calls, c, r)
		}
		if try >= a.tries() {
			a.unanswered()
			return a.settle(calls, c, r)
		}
		a.logger.InfoContext(calls, "Ledger is asked again for a bill", slog.String("account_number", string(c.AccountNumber)),
			slog.Int("attempt", try), slog.String("reason", r.reason))
		if err := a.o.Sleep(ctx, waitAfter(try)); err != nil {
			return context.Cause(calls) // where the job was cancelled the company waits on
		}
	}
}

// try asks Ledger once for a company's bill, and tells what came of it, and whether to try again.
func (a *asking) try(ctx, calls context.Context, c *ent.SnapshotJobCompany, t target) (r result, again bool, err error) {
	if err := a.asked(calls, c); err != nil {
		return r, false, err
	}
	accepted, err := a.o.Ledger.Accept(calls, a.token, c.AccountNumber, a.period, "Automated snapshot via scheduler (job "+string(a.id)+")")
	if cause := context.Cause(calls); cause != nil && err != nil {
		return r, false, cause
	}
	switch meaning, reason := judge(err); meaning {
	case meansAgain:
		return result{state: codex.CompanyFailed, reason: reason}, true, nil
	case meansFailed:
		return result{state: codex.CompanyFailed, reason: reason}, false, nil
	case meansNoPerson:
		if a.lost {
			reason = "start it again as a person: the token of who asked was lost with the process that they asked (" + reason + ")"
		}
		a.refuse(reason)
		return result{state: codex.CompanyFailed, reason: reason}, false, nil
	}
	state := codex.CompanyAlready
	if accepted.Made {
		state = codex.CompanyMade
	}
	r, err = a.confirm(ctx, calls, t, accepted.Invoice, state)
	return r, false, err
}

// confirm looks whether a bill that Ledger says it has is in the archive, and fetches it where it is not:
// some Ledgers send it, others keep it. One that is sent may come a little later.
func (a *asking) confirm(ctx, calls context.Context, t target, invoice string, state codex.JobCompanyState) (result, error) {
	missing := result{state: codex.CompanyFailed, invoice: invoice}
	for look := 1; ; look++ {
		bill, err := a.look(calls, t)
		if err != nil {
			return missing, err
		}
		if bill.archived() {
			return result{state: state, invoice: bill.invoice}, nil
		}
		object, csv, err := a.o.Ledger.Fetch(calls, a.token, invoice)
		if err == nil {
			// What cannot be archived, or is reopened and the same over there, stays so.
			if _, err := a.o.Bills.AcceptFetched(calls, object, csv, a.caller()); err != nil && codex.CodeOf(err) != codex.CodeUnavailable {
				missing.reason = reasonOf(err)
				return missing, context.Cause(calls)
			}
			bill, err := a.look(calls, t)
			if err != nil || bill.archived() {
				return result{state: state, invoice: bill.invoice}, err
			}
		}
		if cause := context.Cause(calls); cause != nil {
			return missing, cause
		}
		if missing.reason = notThere; err != nil {
			missing.reason += " (" + reasonOf(err) + ")"
		}
		if look >= a.tries() || a.o.Sleep(ctx, waitAfter(look)) != nil {
			return missing, context.Cause(calls)
		}
	}
}

// caller is who brings fetched bills into the archive.
func (a *asking) caller() codex.Caller {
	return codex.Caller{Name: "snapshot job " + string(a.id), Role: codex.RoleService}
}

const notThere = "Ledger says it accepted the bill, but it is not in the archive"

// look is how the bills of a company stand now.
func (a *asking) look(ctx context.Context, t target) (standing, error) {
	all, err := readStandings(ctx, a.o.DB.Ent(), a.period, append([]codex.AccountNumber{t.account}, t.earlier...)...)
	if err != nil {
		return standing{}, err
	}
	return all.of(t), nil
}

// asked notes that Ledger is about to be asked: who may not write that does not ask. Nor does who finds
// that the job was cancelled.
func (a *asking) asked(ctx context.Context, c *ent.SnapshotJobCompany) error {
	return a.step(ctx, func(ctx context.Context, tx *store.Tx) error {
		job, err := readJob(ctx, tx.Ent(), a.id)
		if err != nil {
			return err
		}
		if job.CancelRequestedBy != nil {
			return errCancelled
		}
		return tx.Ent().SnapshotJobCompany.UpdateOneID(c.ID).AddAttempts(1).SetAskedAt(tx.Now()).Exec(ctx)
	})
}

// result is what became of a company's bill.
type result struct {
	state   codex.JobCompanyState
	reason  string
	invoice string
}

// settle writes what became of a company's bill, and counts it on the job.
func (a *asking) settle(ctx context.Context, c *ent.SnapshotJobCompany, r result) error {
	err := a.step(ctx, func(ctx context.Context, tx *store.Tx) error {
		update := tx.Ent().SnapshotJobCompany.Update().
			Where(snapshotjobcompany.ID(c.ID), snapshotjobcompany.StateEQ(codex.CompanyWaiting)).
			SetState(r.state).SetEndedAt(tx.Now())
		if r.reason != "" {
			update.SetReason(store.CleanText(r.reason))
		}
		if r.invoice != "" {
			update.SetInvoiceNumber(r.invoice)
		}
		n, err := update.Save(ctx)
		if err != nil || n == 0 {
			return err
		}
		job := tx.Ent().SnapshotJob.UpdateOneID(a.id).SetHeartbeatAt(tx.Now())
		switch {
		case r.state.Done():
			job.AddCompletedCompanies(1)
		case r.state == codex.CompanyFailed:
			job.AddFailedCompanies(1)
		case r.state == codex.CompanyHeld:
			job.AddHeldCompanies(1)
		}
		return job.Exec(ctx)
	})
	if err != nil {
		return err
	}
	a.logger.InfoContext(ctx, "a company's bill", slog.String("account_number", string(c.AccountNumber)),
		slog.String("state", string(r.state)), slog.String("reason", r.reason))
	return nil
}

func (a *asking) refuse(reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refused = reason
}

func (a *asking) refusal() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.refused
}

func (a *asking) answered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down = 0
}

func (a *asking) unanswered() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.down++
}

func (a *asking) tries() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.down >= tired {
		return 1
	}
	return attempts
}
