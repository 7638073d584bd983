package auth

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/core"
)

// How often Core is asked for its keys, whatever tokens come.
const (
	// keysGood is how long keys are taken without a look at whether they still are Core's.
	keysGood = 10 * time.Minute
	// askAgain is the least time between the end of one question and the next: what a flood of unknown
	// kids or forged signatures can make us ask, and how long a key of just now may have to wait in one.
	askAgain = 5 * time.Second
	// patience is how long a request waits for Core; the question itself goes on.
	patience = 3 * time.Second
)

// keyring holds Core's keys. What it has is replaced by a good answer alone, and by all of it: a key
// that Core no longer shows goes, and no bad answer takes one. It keeps no list of unknown kids, so
// that none can be filled: the interval alone bounds the questions.
type keyring struct {
	fetch  func(ctx context.Context) ([]core.SigningKey, error)
	now    func() time.Time
	logger *slog.Logger

	mu      sync.Mutex
	keys    []core.SigningKey // nil before the first good answer
	fetched time.Time         // the last good answer
	asked   time.Time         // the end of the last question; zero before it
	err     error             // what went wrong with it
	asking  *question         // the one under way
}

// question is one under way, for all who wait for it.
type question struct {
	answered chan struct{}
	late     context.Context // done when nobody is to wait any longer
}

func newKeyring(fetch func(context.Context) ([]core.SigningKey, error), now func() time.Time, logger *slog.Logger) *keyring {
	return &keyring{fetch: fetch, now: now, logger: logger}
}

// try is nil when fit finds what it looks for among the keys: those at hand, or, where they are old or
// do not fit, what Core says now. An error is [codex.CodeUnauthenticated] where Core's keys do not fit
// and [codex.CodeUnavailable] where nobody can tell, because Core's keys are not to be had.
func (k *keyring) try(ctx context.Context, fit func([]core.SigningKey) bool) error {
	keys, old := k.present()
	fits := fit(keys)
	if fits && !old {
		return nil
	}
	renewed, err := k.renew(ctx)
	switch {
	case fit(renewed):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return codex.Wrap(codex.CodeUnavailable, err, "Core's keys are not to be had")
	}
	return refuse(errors.New("a token of Core: none of Core's keys fits it"))
}

func (k *keyring) present() (keys []core.SigningKey, old bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys, k.now().Sub(k.fetched) > keysGood
}

// renew asks Core, unless it was asked just now, and gives the keys that there are then, with what went
// wrong with the last question.
func (k *keyring) renew(ctx context.Context) ([]core.SigningKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asking == nil && !k.askedJustNow() {
		k.ask(ctx)
	}
	if q := k.asking; q != nil {
		k.mu.Unlock()
		answered := q.wait(ctx)
		k.mu.Lock()
		if !answered {
			return k.keys, errLate
		}
	}
	return k.keys, k.err
}

// askedJustNow is false too where the clock was set back.
func (k *keyring) askedJustNow() bool {
	since := k.now().Sub(k.asked)
	return !k.asked.IsZero() && since >= 0 && since < askAgain
}

func (q *question) wait(ctx context.Context) (answered bool) {
	select {
	case <-q.answered:
		return true
	case <-q.late.Done():
	case <-ctx.Done():
	}
	return false
}

var errLate = errors.New("Core has not answered yet")

// ask asks in the background, for whoever goes away takes nothing from the others. It is called with
// the lock held.
func (k *keyring) ask(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	late, stop := context.WithTimeout(ctx, patience)
	q := &question{answered: make(chan struct{}), late: late}
	k.asking = q
	go func() {
		defer stop()
		keys, err := k.fetch(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.asking, k.asked, k.err = nil, k.now(), err
		if err == nil {
			k.keys, k.fetched = keys, k.asked
		} else {
			k.logger.WarnContext(ctx, "Core's keys could not be read; those at hand stay",
				slog.String("upstream", "core"), slog.Int("keys", len(k.keys)), slog.String("err", err.Error()))
		}
		close(q.answered)
	}()
}
