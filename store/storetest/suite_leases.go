package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// Two lengths of time that a lease may have: one that no test outlives, one that it waits for.
const (
	longLease  = time.Hour
	shortLease = 100 * time.Millisecond
)

func leases(t *testing.T, s Subject) {
	runCases(t, []testCase{
		{"one that is held is refused, and says who holds it", func(t *testing.T) {
			db := Open(t, s.Dialect)
			acquire(t, db, "a", longLease)
			_, err := db.Acquire(t.Context(), "work", "b", longLease)
			var held *store.LeaseHeldError
			if !errors.As(err, &held) || *held != (store.LeaseHeldError{Name: "work", Holder: "a"}) || !errors.Is(err, store.ErrLeaseHeld) || codex.CodeOf(err) != codex.CodeConflict {
				t.Errorf("err %v", err)
			}
			if other, err := db.Acquire(t.Context(), "other work", "b", longLease); err != nil || other.Epoch != 1 {
				t.Errorf("another lease: %v, %v", other, err)
			}
		}},
		{"one that was released is free at once, with a new epoch", func(t *testing.T) {
			db := Open(t, s.Dialect)
			first := acquire(t, db, "a", longLease)
			if err := db.Release(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			second := acquire(t, db, "a", longLease)
			if first.Epoch != 1 || second.Epoch != 2 {
				t.Errorf("epochs %d and %d", first.Epoch, second.Epoch)
			}
			if err := db.Release(t.Context(), first); err != nil { // late, and no longer its own
				t.Fatal(err)
			}
			if err := checkLease(t, db, second, "1"); err != nil {
				t.Errorf("a late release took the lease from its next holder: %v", err)
			}
		}},
		{"whether somebody holds it can be seen without taking it", func(t *testing.T) {
			db := Open(t, s.Dialect)
			look := func(when string, want bool) {
				t.Helper()
				if held, err := db.LeaseHeld(t.Context(), "work"); err != nil || held != want {
					t.Errorf("%s: held %t, %v", when, held, err)
				}
			}
			look("before anybody had it", false)
			lease := acquire(t, db, "a", longLease)
			look("while it is held", true)
			if err := db.Release(t.Context(), lease); err != nil {
				t.Fatal(err)
			}
			look("after its release", false)
			acquire(t, db, "b", shortLease)
			time.Sleep(2 * shortLease)
			look("after it expired", false)
		}},
		{"a holder that was paused past its lease's end writes nothing", func(t *testing.T) {
			db := Open(t, s.Dialect)
			paused := acquire(t, db, "a", shortLease)
			time.Sleep(2 * shortLease)
			if err := checkLease(t, db, paused, "expired"); !errors.Is(err, store.ErrLeaseLost) {
				t.Errorf("expired: %v", err)
			}
			next := acquire(t, db, "b", longLease)
			if err := checkLease(t, db, paused, "taken"); !errors.Is(err, store.ErrLeaseLost) || codex.CodeOf(err) != codex.CodeConflict {
				t.Errorf("taken: %v", err)
			}
			if err := db.Renew(t.Context(), paused, longLease); !errors.Is(err, store.ErrLeaseLost) {
				t.Errorf("renewing what is taken: %v", err)
			}
			if err := checkLease(t, db, next, "next"); err != nil {
				t.Errorf("the next holder: %v", err)
			}
			if got := column(t, db, "SELECT name FROM companies"); !slices.Equal(got, []string{"next"}) {
				t.Errorf("written: %v", got)
			}
		}},
		{"one that expired but that nobody took can be renewed", func(t *testing.T) {
			db := Open(t, s.Dialect)
			lease := acquire(t, db, "a", shortLease)
			time.Sleep(2 * shortLease)
			if err := db.Renew(t.Context(), lease, longLease); err != nil {
				t.Fatal(err)
			}
			if err := checkLease(t, db, lease, "1"); err != nil {
				t.Error(err)
			}
		}},
		{"nobody takes it while a transaction that checked it runs, even past its end", func(t *testing.T) {
			database := Fresh(t, s.Dialect)
			one, two := database.Open(t), database.Open(t)
			lease := acquire(t, one, "a", shortLease)
			var taken <-chan error
			write(t, one, func(ctx context.Context, tx *store.Tx) error {
				if err := tx.CheckLease(ctx, lease); err != nil {
					return err
				}
				time.Sleep(2 * shortLease)
				taken = background(func() error { _, err := two.Acquire(t.Context(), "work", "b", longLease); return err })
				nothing(t, taken, "the lease went to another in the middle of a transaction")
				return putCompany(ctx, tx, "1", "in time")
			})
			if err := await(t, taken); err != nil {
				t.Errorf("it was not free afterwards: %v", err)
			}
		}},
		{"of many who ask at once one gets it", func(t *testing.T) {
			database := Fresh(t, s.Dialect)
			handles := []*store.DB{database.Open(t), database.Open(t)}
			for round := range 5 {
				name := fmt.Sprint("round ", round)
				var asked []<-chan error
				for i := range 8 {
					asked = append(asked, background(func() error {
						_, err := handles[i%2].Acquire(t.Context(), name, fmt.Sprint(i), longLease)
						return err
					}))
				}
				got := 0
				for _, ch := range asked {
					switch err := await(t, ch); {
					case err == nil:
						got++
					case !errors.Is(err, store.ErrLeaseHeld):
						t.Error(err)
					}
				}
				if got != 1 {
					t.Errorf("%d got it", got)
				}
			}
		}},
	})
}

func holding(t *testing.T, s Subject) {
	runCases(t, []testCase{
		{"it waits for its turn, and gives the lease back", func(t *testing.T) {
			db := Open(t, s.Dialect)
			first := acquire(t, db, "a", longLease)
			held := background(func() error {
				return db.Hold(t.Context(), "work", "b", longLease, func(_ context.Context, l *store.Lease) error {
					if l.Epoch != 2 || l.Holder != "b" {
						t.Errorf("lease %+v", l)
					}
					return nil
				})
			})
			nothing(t, held, "it did not wait")
			if err := db.Release(t.Context(), first); err != nil {
				t.Fatal(err)
			}
			if err := await(t, held); err != nil {
				t.Fatal(err)
			}
			acquire(t, db, "c", longLease)
		}},
		{"who gives up waiting is told who holds it", func(t *testing.T) {
			db := Open(t, s.Dialect)
			acquire(t, db, "the holder", longLease)
			ctx, cancel := context.WithTimeout(t.Context(), shortLease)
			defer cancel()
			err := db.Hold(ctx, "work", "b", longLease, func(context.Context, *store.Lease) error { t.Error("it ran"); return nil })
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the holder") {
				t.Errorf("err %v", err)
			}
		}},
		{"it is renewed for as long as the work takes", func(t *testing.T) {
			db := Open(t, s.Dialect)
			err := db.Hold(t.Context(), "work", "a", 3*shortLease, func(ctx context.Context, l *store.Lease) error {
				time.Sleep(10 * shortLease)
				if err := ctx.Err(); err != nil {
					return err
				}
				return checkLease(t, db, l, "1")
			})
			if err != nil {
				t.Error(err)
			}
		}},
		{"work that loses it is stopped and says so", func(t *testing.T) {
			db := Open(t, s.Dialect)
			err := db.Hold(t.Context(), "work", "a", 3*shortLease, func(ctx context.Context, _ *store.Lease) error {
				if _, err := db.SQL().ExecContext(ctx, "UPDATE leases SET holder = 'b', epoch = epoch + 1"); err != nil {
					return err
				}
				await(t, ctx.Done())
				if cause := context.Cause(ctx); !errors.Is(cause, store.ErrLeaseLost) {
					t.Errorf("cause %v", cause)
				}
				return ctx.Err()
			})
			if !errors.Is(err, store.ErrLeaseLost) {
				t.Errorf("err %v", err)
			}
			if got := column(t, db, "SELECT holder FROM leases WHERE expires > 0"); !slices.Equal(got, []string{"b"}) {
				t.Errorf("it released what was no longer its own: %v", got)
			}
		}},
		{"an error of the work comes out as it is, and the lease is free", func(t *testing.T) {
			db := Open(t, s.Dialect)
			errOops := errors.New("oops")
			ctx, cancel := context.WithCancel(t.Context())
			err := db.Hold(ctx, "work", "a", longLease, func(context.Context, *store.Lease) error { cancel(); return errOops })
			if !errors.Is(err, errOops) {
				t.Errorf("err %v", err)
			}
			acquire(t, db, "b", longLease)
		}},
	})
}

// acquire takes the lease "work", which must be free.
func acquire(t *testing.T, db *store.DB, holder string, ttl time.Duration) *store.Lease {
	t.Helper()
	lease, err := db.Acquire(t.Context(), "work", holder, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return lease
}

// checkLease writes a company under the lease.
func checkLease(t *testing.T, db *store.DB, l *store.Lease, name string) error {
	t.Helper()
	return db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		if err := tx.CheckLease(ctx, l); err != nil {
			return err
		}
		return putCompany(ctx, tx, name, name)
	})
}

func revisions(t *testing.T, s Subject) {
	runCases(t, []testCase{
		{"they begin at 0 and rise with each write, to its time or past one that is later", func(t *testing.T) {
			now := time.Date(2025, time.October, 20, 12, 0, 0, 0, time.UTC)
			db := Open(t, s.Dialect, Now(func() time.Time { return now }))
			first := now.UnixMicro()
			raise := func(entities ...string) {
				write(t, db, func(ctx context.Context, tx *store.Tx) error { return tx.Raise(ctx, entities...) })
			}
			raise("companies", "assets", "companies", "contacts")
			now = now.Add(time.Hour)
			raise("contacts")
			now = now.Add(-2 * time.Hour) // a clock that was set back
			raise("companies")
			want := map[string]int64{"assets": first, "companies": first + 1, "contacts": first + time.Hour.Microseconds(), "tickets": 0}
			read := func(ctx context.Context, tx *store.Tx) error {
				got, err := tx.Revisions(ctx, "tickets", "companies", "assets", "contacts")
				if !maps.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				return err
			}
			write(t, db, read)
			if err := db.Snapshot(t.Context(), read); err != nil {
				t.Error(err)
			}
		}},
		{"of two plans with one base one is applied, the other found stale", func(t *testing.T) {
			database := Fresh(t, s.Dialect)
			errStale := errors.New("stale")
			handles := []*store.DB{database.Open(t), database.Open(t)}
			var base int64
			for range 5 { // the first time the row is not there
				var applied []<-chan error
				for i := range 4 {
					applied = append(applied, background(func() error {
						return handles[i%2].Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
							now, err := tx.Revisions(ctx, "contacts", "assets")
							if err != nil {
								return err
							}
							if now["assets"] != base {
								return errStale
							}
							return tx.Raise(ctx, "assets")
						})
					}))
				}
				succeeded := 0
				for _, ch := range applied {
					switch err := await(t, ch); {
					case err == nil:
						succeeded++
					case !errors.Is(err, errStale):
						t.Error(err)
					}
				}
				if succeeded != 1 {
					t.Errorf("base %d: %d were applied", base, succeeded)
				}
				write(t, handles[0], func(ctx context.Context, tx *store.Tx) error {
					now, err := tx.Revisions(ctx, "assets")
					base = now["assets"]
					return err
				})
			}
		}},
		{"they are locked until the transaction ends", func(t *testing.T) {
			database := Fresh(t, s.Dialect)
			one, two := database.Open(t), database.Open(t)
			var raised <-chan error
			write(t, one, func(ctx context.Context, tx *store.Tx) error {
				if _, err := tx.Revisions(ctx, "assets"); err != nil {
					return err
				}
				raised = background(func() error {
					return two.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error { return tx.Raise(ctx, "assets") })
				})
				nothing(t, raised, "another moved a locked revision")
				return nil
			})
			if err := await(t, raised); err != nil {
				t.Error(err)
			}
		}},
	})
}
