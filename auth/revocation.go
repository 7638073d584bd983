package auth

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/hivematrix/codex"
)

const (
	// verdictGood is how long Core's word on a session is taken: a session that is ended there ends
	// here within it.
	verdictGood = 30 * time.Second
	// maxVerdicts bounds what is remembered. Only tokens that Core signed are asked about.
	maxVerdicts = 4096
)

// revocations remembers what Core said of users' sessions. Where Core does not answer, its last word
// on a session stays; without one, nobody is let in.
type revocations struct {
	validate func(ctx context.Context, token codex.Secret) (bool, error)
	now      func() time.Time

	mu       sync.Mutex
	verdicts map[[sha256.Size]byte]*verdict
}

// verdict is Core's word on one token. Its own lock has a token asked about once however many requests
// come with it.
type verdict struct {
	ends time.Time // the token's own end

	turn  chan struct{}
	asked time.Time // the last question; zero before it
	known bool      // whether there was ever an answer
	goes  bool
	err   error // what went wrong with the last question
}

func newRevocations(validate func(context.Context, codex.Secret) (bool, error), now func() time.Time) *revocations {
	return &revocations{validate: validate, now: now, verdicts: map[[sha256.Size]byte]*verdict{}}
}

// goesOn tells whether the session of token, which ends by itself at ends, goes on.
func (r *revocations) goesOn(ctx context.Context, token codex.Secret, ends time.Time) (bool, error) {
	v := r.of(sha256.Sum256([]byte(token.Reveal())), ends)
	select {
	case v.turn <- struct{}{}:
		defer func() { <-v.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	now := r.now()
	since := now.Sub(v.asked)
	if v.asked.IsZero() || since < 0 || since >= verdictGood || v.err != nil && since >= askAgain {
		v.ask(ctx, r, token, now)
	}
	if !v.known {
		return false, fmt.Errorf("checking a session: %w", v.err)
	}
	return v.goes, nil
}

// ask asks Core. A question that the request's own end broke off counts for nothing.
func (v *verdict) ask(ctx context.Context, r *revocations, token codex.Secret, now time.Time) {
	goes, err := r.validate(ctx, token)
	if v.err = err; err == nil {
		v.known, v.goes = true, goes
	}
	if v.asked = now; ctx.Err() != nil {
		v.asked = time.Time{}
	}
}

func (r *revocations) of(key [sha256.Size]byte, ends time.Time) *verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v := r.verdicts[key]; v != nil {
		return v
	}
	if len(r.verdicts) >= maxVerdicts {
		r.makeRoom()
	}
	v := &verdict{ends: ends, turn: make(chan struct{}, 1)}
	r.verdicts[key] = v
	return v
}

// makeRoom forgets the tokens that have ended; where none has, any one.
func (r *revocations) makeRoom() {
	now := r.now()
	for key, v := range r.verdicts {
		if !v.ends.After(now) {
			delete(r.verdicts, key)
		}
	}
	for key := range r.verdicts {
		if len(r.verdicts) < maxVerdicts {
			return
		}
		delete(r.verdicts, key)
	}
}
