package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

const (
	leaseName = "scheduler"
	// leaseTTL and takeover make the time that nobody leads after the leader died: less than ten seconds.
	leaseTTL = 6 * time.Second
	takeover = time.Second
	// stopping is how long a look that has begun may take to end when the process shall.
	stopping = 10 * time.Second
	// defaultTick is how often the leader looks.
	defaultTick = time.Second
)

// Caller is in whose name runs and jobs are started.
const Caller = "scheduler"

// Syncs starts syncs: *syncers.Engine.
type Syncs interface {
	Feeds() []codex.Feed // those that are configured
	StartWith(ctx context.Context, r syncers.Request, also func(ctx context.Context, tx *store.Tx, run *ent.SyncRun) error) (run *ent.SyncRun, joined bool, err error)
}

// DueJob is a job of the monthly bills that is to begin.
type DueJob struct {
	Period   codex.Period
	Accounts []codex.AccountNumber // nil: every company that was served in the month
	DueAt    time.Time
	Trigger  codex.RunTrigger
}

// Jobs starts the jobs of the monthly bills. That of a DueAt is made once: the same one again is the
// job that there is.
type Jobs interface {
	// StartDue starts a job or finds it. also works in the transaction that does; its error is StartDue's,
	// and nothing has begun then. What is wrong with the job itself is [codex.CodeBadInput].
	StartDue(ctx context.Context, job DueJob, also func(ctx context.Context, tx *store.Tx, job *ent.SnapshotJob) error) (*ent.SnapshotJob, error)
}

// Settings are what the configuration file says.
type Settings struct {
	Enabled bool // [scheduler] enabled: whether syncs run by themselves
	Zone    *time.Location
	Crons   map[codex.Feed]string
	CatchUp time.Duration // [scheduler] catch_up_days
	// NoBills is why the monthly bills cannot be made, for people: no Ledger is configured. Empty: they can.
	NoBills string
}

// Options are what a [Scheduler] works with.
type Options struct {
	DB       *store.DB // whose clock counts
	Syncs    Syncs
	Jobs     Jobs
	Settings Settings
	Tick     time.Duration // how often the leader looks; 0 is a second
	Logger   *slog.Logger
}

// Scheduler decides what runs by itself, where it leads. It is safe for concurrent use.
type Scheduler struct {
	o      Options
	holder string // this process, in the lease
	crons  map[codex.Feed]Cron
}

// New makes a scheduler; [Scheduler.Serve] has it work.
func New(o Options) (*Scheduler, error) {
	if o.Tick == 0 {
		o.Tick = defaultTick
	}
	s := &Scheduler{o: o, holder: uuid.NewString(), crons: make(map[codex.Feed]Cron)}
	for _, feed := range codex.Feeds() {
		cron, err := NewCron(o.Settings.Crons[feed], o.Settings.Zone)
		if err != nil {
			return nil, fmt.Errorf("[scheduler] %s: %w", feed, err)
		}
		s.crons[feed] = cron
	}
	return s, nil
}

// Serve leads when nobody else does, until ctx ends.
func (s *Scheduler) Serve(ctx context.Context) {
	for ctx.Err() == nil {
		held, err := s.o.DB.LeaseHeld(ctx, leaseName)
		if err == nil && !held {
			err = s.o.DB.Hold(ctx, leaseName, s.holder, leaseTTL, s.lead)
		}
		if err != nil && ctx.Err() == nil {
			s.o.Logger.WarnContext(ctx, "the scheduler does not lead", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
		case <-time.After(takeover):
		}
	}
}

// lead looks at all schedules every tick, until ctx ends or the lease is lost.
func (s *Scheduler) lead(ctx context.Context, lease *store.Lease) error {
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	ticker, err := gocron.NewScheduler(gocron.WithLocation(time.UTC), gocron.WithStopTimeout(stopping),
		gocron.WithGlobalJobOptions(gocron.WithEventListeners(
			// Without this listener a panic would end the whole process.
			gocron.AfterJobRunsWithPanic(func(_ uuid.UUID, _ string, recovered any) {
				s.o.Logger.ErrorContext(ctx, "the scheduler panicked", slog.Any("err", recovered))
			}),
		)))
	if err != nil {
		return fmt.Errorf("making the scheduler's ticker: %w", err)
	}
	complaints := complaints{logger: s.o.Logger}
	look := func() {
		err := s.tick(ctx, lease)
		if errors.Is(err, store.ErrLeaseLost) {
			leave(store.ErrLeaseLost)
			return
		}
		complaints.tell(ctx, err)
	}
	_, err = ticker.NewJob(gocron.DurationJob(s.o.Tick), gocron.NewTask(look), gocron.WithName(leaseName),
		gocron.WithSingletonMode(gocron.LimitModeReschedule), gocron.WithStartAt(gocron.WithStartImmediately()))
	if err != nil {
		return errors.Join(fmt.Errorf("starting the scheduler's ticker: %w", err), ticker.Shutdown())
	}
	s.o.Logger.DebugContext(ctx, "the scheduler leads")
	ticker.Start()
	<-ctx.Done()
	err = ticker.Shutdown()
	if cause := context.Cause(ctx); errors.Is(cause, store.ErrLeaseLost) {
		err = errors.Join(cause, err)
	}
	return err
}

// complaints tells what goes wrong each second once a minute.
type complaints struct {
	logger *slog.Logger
	last   string
	more   int
}

// tell logs err, unless it has just been told.
func (c *complaints) tell(ctx context.Context, err error) {
	switch {
	case err == nil:
		c.last = ""
		return
	case ctx.Err() != nil:
		return
	case err.Error() == c.last && c.more < 60:
		c.more++
		return
	}
	c.last, c.more = err.Error(), 0
	c.logger.ErrorContext(ctx, "what is due could not be started; it is tried again", slog.Any("err", err))
}
