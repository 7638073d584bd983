package syncers

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// answer is what an upstream says of a record that was asked for by its key.
type answer[T any] struct {
	value T
	at    time.Time // when it was asked
	err   error
}

// askEach asks for the records of keys, several at a time, and gives the answers in the order of keys.
// Only a key that the upstream refuses, or the end of ctx, is an error of the whole: nothing more is
// asked then.
func askEach[K, T any](ctx context.Context, now func() time.Time, keys []K, ask func(context.Context, K) (T, error)) ([]answer[T], error) {
	answers := make([]answer[T], len(keys))
	group, asking := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	for i, key := range keys {
		if asking.Err() != nil {
			break
		}
		group.Go(func() error {
			a := &answers[i]
			a.at = now()
			a.value, a.err = ask(asking, key)
			if keyRefused(a.err) || asking.Err() != nil {
				return a.err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return answers, ctx.Err()
}
