package vigil

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"
	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/logverification"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
)

const (
	leaseName = "log-verification"
	leaseTTL  = 15 * time.Second
	// lookEvery is how often it is looked whether it is time.
	lookEvery = time.Minute
	// again is when what could not be found out is tried again.
	again = time.Hour
	// listed is how many findings are kept, and named how many an event names.
	listed, named = 20, 5
)

// Options are what a [Verifier] works with.
type Options struct {
	DB    *store.DB
	Every time.Duration // how often the log is verified; 0 is never
	// Trust gives what the hub trusts besides the database: the log's key and the newest log checkpoint,
	// as they are outside it now.
	Trust  func() (audit.Options, error)
	Notify notify.Outbox
	Logger *slog.Logger

	Look time.Duration // how often it looks whether it is time; 0 is a minute
}

// Verifier verifies the log. It is safe for concurrent use, by any number of processes on one database.
type Verifier struct {
	o      Options
	holder string
}

// New makes a verifier.
func New(o Options) *Verifier {
	if o.Look == 0 {
		o.Look = lookEvery
	}
	return &Verifier{o: o, holder: uuid.NewString()}
}

// Serve verifies the log whenever it is time, until ctx ends; at once where that is never. The first look
// is a minute after the start, which has enough to do.
func (v *Verifier) Serve(ctx context.Context) {
	if v.o.Every == 0 {
		return
	}
	ticker := time.NewTicker(v.o.Look)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := v.look(ctx); err != nil && ctx.Err() == nil {
			v.o.Logger.WarnContext(ctx, "the log of archived bills was not verified", slog.Any("err", err))
		}
	}
}

// Last is the newest verification; nil where there was none.
func (v *Verifier) Last(ctx context.Context) (*ent.LogVerification, error) {
	rows, err := v.o.DB.Ent().LogVerification.Query().
		Order(logverification.ByEndedAt(sql.OrderDesc()), logverification.ByID(sql.OrderDesc())).Limit(1).All(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the last verification: %w", store.Translate(err))
	case len(rows) == 0:
		return nil, nil
	}
	return rows[0], nil
}

// due tells whether it is time after the last verification.
func due(last *ent.LogVerification, now time.Time, every time.Duration) bool {
	switch {
	case last == nil:
		return true
	case last.Error != nil:
		every = min(every, again)
	}
	return !now.Before(last.EndedAt.Add(every))
}

// look verifies if it is time and nobody else does.
func (v *Verifier) look(ctx context.Context) error {
	isDue := func(ctx context.Context) (bool, error) {
		last, err := v.Last(ctx)
		return err == nil && due(last, v.o.DB.Now(), v.o.Every), err
	}
	if is, err := isDue(ctx); err != nil || !is {
		return err
	}
	held, err := v.o.DB.LeaseHeld(ctx, leaseName)
	if err != nil || held {
		return err
	}
	return v.o.DB.Hold(ctx, leaseName, v.holder, leaseTTL, func(ctx context.Context, lease *store.Lease) error {
		if is, err := isDue(ctx); err != nil || !is {
			return err
		}
		return v.verify(ctx, lease)
	})
}

// verify verifies, and writes down and tells what was found.
func (v *Verifier) verify(ctx context.Context, lease *store.Lease) error {
	began := v.o.DB.Now()
	report, err := v.report(ctx)
	if err != nil && (ctx.Err() != nil || codex.CodeOf(err) == codex.CodeUnavailable) {
		return err
	}
	f := found(report, err)
	err = v.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.CheckLease(ctx, lease); err != nil {
			return err
		}
		findings, err := json.Marshal(f.findings)
		if err != nil {
			return err
		}
		create := tx.Ent().LogVerification.Create().SetBeganAt(began).SetEndedAt(tx.Now()).SetOk(f.ok).SetFailures(f.failures).
			SetFindings(string(findings)).SetEpoch(f.epoch).SetSize(f.size)
		if f.err != "" {
			create.SetError(f.err)
		}
		if err := create.Exec(ctx); err != nil {
			return err
		}
		if f.ok {
			return v.o.Notify.Settled(ctx, tx, f.event())
		}
		return v.o.Notify.Standing(ctx, tx, f.event())
	})
	if err != nil {
		return fmt.Errorf("writing what verifying the archive has found: %w", err)
	}
	v.log(ctx, f)
	return nil
}

func (v *Verifier) report(ctx context.Context) (*audit.Report, error) {
	o, err := v.o.Trust()
	if err != nil {
		return nil, err
	}
	return audit.Verify(ctx, v.o.DB, o)
}

func (v *Verifier) log(ctx context.Context, f finding) {
	attrs := []any{slog.Int("epoch", f.epoch), slog.Int64("size", f.size)}
	switch {
	case f.err != "":
		v.o.Logger.ErrorContext(ctx, "the log of archived bills could not be verified", append(attrs, slog.Any("err", f.cause))...)
	case !f.ok:
		v.o.Logger.ErrorContext(ctx, "the log of archived bills does not verify", append(attrs, slog.Int64("failures", f.failures), slog.Any("findings", f.findings))...)
	default:
		v.o.Logger.InfoContext(ctx, "the log of archived bills was verified", attrs...)
	}
}

// finding is what a verification found.
type finding struct {
	ok       bool
	failures int64
	findings []string // the first
	epoch    int
	size     int64
	err      string // why nothing could be found out, for people
	cause    error  // the same for the log
}

// found is what a report says, or the error in its place.
func found(report *audit.Report, err error) finding {
	f := finding{findings: []string{}}
	if err != nil {
		f.err, f.cause = "It could not be found out; the hub's log says why.", err
		var coded *codex.Error
		var refused *proof.Error
		switch {
		case errors.As(err, &refused):
			f.err = "The log checkpoint that is kept outside the database is none of this log: " + refused.Error() + "."
		case errors.As(err, &coded):
			f.err = coded.Message
		}
		return f
	}
	f.ok, f.failures, f.epoch, f.size = report.OK(), report.Failures(), report.Epoch, report.Size
	for _, finding := range report.Findings {
		if finding.Kind != audit.Redacted && len(f.findings) < listed {
			f.findings = append(f.findings, finding.String())
		}
	}
	return f
}

// event is what is told of it.
func (f finding) event() notify.Event {
	e := notify.Event{Kind: notify.LogVerified, Subject: notify.VerificationSubject, Text: "The log of archived bills verifies again.", Facts: map[string]any{
		"ok": f.ok, "failures": f.failures, "epoch": f.epoch, "size": f.size, "findings": f.findings[:min(named, len(f.findings))],
	}}
	switch {
	case f.err != "":
		e.Kind, e.Text = notify.LogUnverified, "The log of archived bills could not be verified. "+f.err
	case !f.ok:
		e.Kind = notify.LogUnverified
		e.Text = "Archived bills are not as they were logged. Keep the database as it is, and see codex archive verify, which names everything.\n" +
			strings.Join(f.findings[:min(named, len(f.findings))], "\n")
		if more := f.failures - named; more > 0 {
			e.Text += fmt.Sprintf("\nand %d more", more)
		}
	}
	return e
}
