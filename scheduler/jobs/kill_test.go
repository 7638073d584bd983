package jobs_test

import (
	"context"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/scheduler/jobs"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// killed is a process on a database of its own connections, which dies when it has written for the nth
// time.
func (h *hub) killed(database *storetest.Database, nth int64) (j *jobs.Jobs, died <-chan struct{}, serve func()) {
	ctx, kill := context.WithCancel(h.t.Context())
	var serving atomic.Bool
	var writes atomic.Int64
	db := database.Open(h.t, storetest.Now(today), storetest.OnStatement(func(query string) {
		writing := !strings.HasPrefix(query, "SELECT") && !strings.Contains(query, "leases")
		if serving.Load() && writing && writes.Add(1) == nth {
			kill()
		}
	}))
	end := make(chan struct{})
	h.poll = time.Hour // it gives no sign of life, which would be a write at any time
	j = h.processOn(db)
	h.poll = 0
	return j, end, func() {
		serving.Store(true)
		j.Serve(ctx)
		close(end)
	}
}

func TestAJobWhoseProcessDiesAtAnyStepGoesOnWhereItStopped(t *testing.T) {
	for _, dialect := range storetest.Dialects() {
		t.Run(dialect, func(t *testing.T) {
			for nth := int64(1); ; nth++ {
				if dialect != storetest.Dialects()[0] && nth%6 != 1 && nth < 30 {
					continue // a database takes long to be made there
				}
				if !dies(t, dialect, nth) {
					if nth < 10 {
						t.Errorf("a job has only %d steps to die at", nth)
					}
					return
				}
			}
		})
	}
}

// dies kills a job at its nth write, has another process go on, and tells whether there was such a write.
func dies(t *testing.T, dialect string, nth int64) (died bool) {
	t.Run("", func(t *testing.T) {
		database := storetest.Fresh(t, dialect)
		h := newHub(t, database.Open(t, storetest.Now(today)))
		first, end, serve := h.killed(database, nth)
		id := h.start(first, scheduled())
		go serve()
		for died = false; ; {
			row, err := h.db.Ent().SnapshotJob.Get(t.Context(), id)
			h.must(err)
			select {
			case <-end:
				died = true
			default:
			}
			if died || row.State.Final() {
				break
			}
			time.Sleep(time.Millisecond)
		}
		made := map[codex.AccountNumber]int{}
		companies, err := first.Companies(t.Context(), id)
		h.must(err)
		for _, c := range companies {
			if c.State.Done() {
				made[c.AccountNumber] = h.ledger.asked[c.AccountNumber]
			}
		}
		h.serve(h.process())
		ended := h.until(id, codex.JobCompleted)
		if ended.Success == nil || !*ended.Success || ended.CompletedCompanies != 3 || ended.TotalCompanies != 3 {
			t.Errorf("killed at write %d, the job ends as %s\n%s", nth, row(ended), h.says(id))
		}
		for account, asked := range made {
			if h.ledger.asked[account] != asked {
				t.Errorf("killed at write %d, %s was asked for again though it had its bill", nth, account)
			}
		}
		if want := map[codex.AccountNumber]int{"100": 1, "200": 1, "300": 1}; !reflect.DeepEqual(h.ledger.made, want) {
			t.Errorf("killed at write %d, Ledger made %v", nth, h.ledger.made)
		}
	})
	return died
}

func TestAProcessWhoseLeaseWasTakenWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *hub) {
		h.atOnce = 1
		j := h.process()
		id := h.start(j, jobs.Request{})
		taken := make(chan string, 1)
		h.ledger.during = func(account codex.AccountNumber) {
			if account != "200" {
				return
			}
			h.ledger.during = nil
			// Its process was paused for long: another has the lease now.
			_, err := h.db.SQL().ExecContext(t.Context(), "UPDATE leases SET expires = 0 WHERE name = $1", jobs.LeaseName)
			h.must(err)
			_, err = h.db.Acquire(t.Context(), jobs.LeaseName, "another", time.Hour)
			h.must(err)
			taken <- h.dump(id)
		}
		stop := h.serve(j)
		before := <-taken
		time.Sleep(100 * time.Millisecond) // it goes on, and finds out
		stop()
		h.is("what the job's rows say", h.dump(id), before)
		if h.ledger.asked["300"] != 0 {
			t.Error("it asked for another company")
		}
		if !strings.Contains(before, "100 made") || !strings.Contains(before, "200 waiting") {
			t.Errorf("the lease was taken at another moment: %s", before)
		}
	})
}

// dump is all that the rows of a job say.
func (h *hub) dump(id codex.RunID) string {
	h.t.Helper()
	var text string
	h.must(h.db.Snapshot(h.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		row, err := tx.Ent().SnapshotJob.Get(ctx, id)
		if err != nil {
			return err
		}
		text = row.String()
		return nil
	}))
	return text + "\n" + h.says(id)
}
