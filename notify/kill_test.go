package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// asDeliverer has this program deliver, in the place of tests.
const asDeliverer = "CODEX_TEST_DELIVERER"

type deliverer struct{ Dialect, Path, DSN, URL string }

func TestMain(m *testing.M) {
	if text := os.Getenv(asDeliverer); text != "" {
		fmt.Fprintln(os.Stderr, beDeliverer(context.Background(), text))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// beDeliverer delivers until it is killed.
func beDeliverer(ctx context.Context, text string) error {
	var d deliverer
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return err
	}
	logger := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Options{Dialect: d.Dialect, Path: d.Path, DSN: codex.Secret(d.DSN), Now: time.Now, Logger: logger})
	if err != nil {
		return err
	}
	n, err := notify.New(notify.Options{DB: db, URL: d.URL, Secret: secret, Logger: logger, Every: 10 * time.Millisecond})
	if err != nil {
		return err
	}
	n.Serve(ctx)
	return nil
}

// TestAKilledProcessLosesNothing kills who delivers while the receiver has the request and has not
// answered, and lets the receiver have it: another process delivers it again, the same to the byte.
func TestAKilledProcessLosesNothing(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			database := storetest.Fresh(t, dialectName)
			c := newClock()
			c.set(time.Now())
			db := database.Open(t, storetest.Now(c.now))
			queue(t, db, 3)
			there, killed := make(chan struct{}), make(chan struct{})
			r := newReceiver(t, func(n int, w http.ResponseWriter, _ *http.Request) {
				if n == 2 {
					close(there)
					<-killed
				}
			})
			o := database.Options()
			text, err := json.Marshal(deliverer{Dialect: o.Dialect, Path: o.Path, DSN: o.DSN.Reveal(), URL: r.URL})
			if err != nil {
				t.Fatal(err)
			}
			child := exec.CommandContext(t.Context(), os.Args[0])
			child.Env = append(os.Environ(), asDeliverer+"="+string(text))
			child.Stderr = t.Output()
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			select {
			case <-there:
			case <-time.After(30 * time.Second):
				t.Error("nothing came")
			}
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = child.Wait()
			close(killed)
			if left := undelivered(t, db); len(left) != 2 || left[0].Attempts+left[1].Attempts != 1 {
				t.Fatalf("undelivered are %+v", left)
			}
			// What passes by itself in seconds: the lease of who died ends.
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.SQL().ExecContext(ctx, "UPDATE leases SET expires = 0 WHERE name = $1", notify.LeaseName)
				return err
			})
			serve(t, open(t, db, r.URL))
			until(t, "the one that was not begun is delivered", func() bool { return len(undelivered(t, db)) == 1 })
			if got := len(r.deliveries()); got != 3 {
				t.Errorf("%d posts while the attempt of the dead one may still be under way", got)
			}
			c.set(time.Now().Add(2 * notify.Claim))
			until(t, "all delivered", func() bool { return len(undelivered(t, db)) == 0 })
			times, bodies := map[string]int{}, map[string]string{}
			for _, d := range r.deliveries() {
				times[d.id]++
				if before, there := bodies[d.id]; there && before != d.body {
					t.Errorf("%s was another at first: %s, %s", d.id, before, d.body)
				}
				bodies[d.id] = d.body
			}
			if second := r.deliveries()[1].id; len(times) != 3 || times[second] != 2 || len(r.deliveries()) != 4 {
				t.Errorf("delivered were %v", times)
			}
		})
	}
}
