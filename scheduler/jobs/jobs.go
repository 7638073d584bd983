package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/clients/ledger"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// Ledger makes bills: *ledger.Desk.
type Ledger interface {
	// Accept has the bill of a company made and accepted, with the token of person where it takes one.
	Accept(ctx context.Context, person codex.Secret, account codex.AccountNumber, period codex.Period, notes string) (ledger.Accepted, error)
	// Fetch gives a bill of a Ledger that keeps its own.
	Fetch(ctx context.Context, person codex.Secret, invoice string) (object, csv []byte, err error)
}

// Bills is the archive: *archive.Archive.
type Bills interface {
	// AcceptFetched stores a bill as Ledger gave it.
	AcceptFetched(ctx context.Context, object, csv []byte, by codex.Caller) (*archive.Accepted, error)
}

// Syncs runs the feeds: *syncers.Engine.
type Syncs interface {
	Feeds() []codex.Feed
	Start(ctx context.Context, r syncers.Request) (run *ent.SyncRun, joined bool, err error)
	Wait(ctx context.Context, id codex.RunID) (*ent.SyncRun, error)
	HoldFeeds(ctx context.Context, fn func(ctx context.Context) error) error
}

// Reviews tells what should be looked at before a bill: *reconcile.Reviewer.
type Reviews interface {
	Review(ctx context.Context, period codex.Period) (*reconcile.Review, error)
}

// Options are what [Jobs] work with.
type Options struct {
	DB      *store.DB
	Ledger  Ledger // nil: none is configured, and no job can be started
	Bills   Bills
	Syncs   Syncs
	Reviews Reviews
	// Publish publishes the newest log checkpoint, after each job; nil: nowhere.
	Publish     func(ctx context.Context) error
	Outbox      notify.Outbox
	Concurrency int           // how many companies are asked for at a time; 0 is 2
	HoldFlagged bool          // leave out companies with flags that nobody acknowledged
	Poll        time.Duration // how often rows are looked at; 0 is a second
	// Sleep waits between attempts; nil really does.
	Sleep  func(ctx context.Context, d time.Duration) error
	Logger *slog.Logger
}

// Jobs starts snapshot jobs and works on them. It is safe for concurrent use, and any number of processes
// have one on the same database.
type Jobs struct {
	o       Options
	process string // this one, in leases and rows

	wakes chan struct{} // asks Serve to look at once

	mu     sync.Mutex
	tokens map[codex.RunID]codex.Secret // of the persons who asked for jobs
}

const (
	defaultConcurrency = 2
	defaultPoll        = time.Second
)

// jobsEntity is the name under which jobs have a revision: asking for it in a transaction that writes
// makes that the only one that starts, retries or ends jobs.
const jobsEntity = "snapshot_jobs"

// errNoLedger says that no job can be started, and why.
func errNoLedger() error {
	return codex.Errorf(codex.CodeConflict, "no Ledger is configured to ask for bills: set [services] ledger_url")
}

// CanAsk is nil where a Ledger is configured, else the [codex.CodeConflict] error that starting a job gives.
func (j *Jobs) CanAsk() error {
	if j.o.Ledger == nil {
		return errNoLedger()
	}
	return nil
}

// New makes Jobs. [Jobs.Serve] works on them.
func New(o Options) *Jobs {
	if o.Concurrency == 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.Poll == 0 {
		o.Poll = defaultPoll
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	return &Jobs{
		o: o, process: uuid.NewString(),
		wakes: make(chan struct{}, 1), tokens: make(map[codex.RunID]codex.Secret),
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wake has Serve look at once.
func (j *Jobs) wake() {
	select {
	case j.wakes <- struct{}{}:
	default:
	}
}

func (j *Jobs) keepToken(id codex.RunID, token codex.Secret) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tokens[id] = token
}

func (j *Jobs) forgetToken(id codex.RunID) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.tokens, id)
}

// token is that of the person who asked for a job; false where this process has none.
func (j *Jobs) token(id codex.RunID) (codex.Secret, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	token, there := j.tokens[id]
	return token, there
}
