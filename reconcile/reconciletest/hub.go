package reconciletest

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/clients/datto"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// Clock stands still unless it is turned. The database must have the same.
type Clock struct{ at atomic.Int64 }

// NewClock is a clock at the moment for which the simulated world is made.
func NewClock() *Clock {
	c := &Clock{}
	c.Turn(simulator.StandingClock())
	return c
}

// Now is the time that it shows.
func (c *Clock) Now() time.Time { return time.UnixMicro(c.at.Load()).UTC() }

// Turn sets it.
func (c *Clock) Turn(at time.Time) { c.at.Store(at.UnixMicro()) }

// hub is a sync engine and an archive over a database, beside a simulated world.
type hub struct {
	t      testing.TB
	db     *store.DB
	clock  *Clock
	world  *simulator.Server
	engine *syncers.Engine
	bills  *archive.Archive
}

func newHub(t testing.TB, db *store.DB, clock *Clock, seed uint64) *hub {
	t.Helper()
	world, err := simulator.Start(t.Context(), simulator.Options{
		Seed: seed, Companies: 4, Assets: 44, Contacts: 28, Tickets: 12, Plain: true, Now: clock.Now,
	}, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	wire := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(func() {
		wire.CloseIdleConnections()
		_ = world.Close()
	})
	logger, client := slog.New(slog.DiscardHandler), &http.Client{Transport: wire}
	tuning := transport.Tuning{Backoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond, RetryAfter: time.Millisecond, Attempt: 20 * time.Second}
	fresh, err := freshservice.New(freshservice.Options{
		BaseURL: world.FreshserviceURL, APIKey: codex.Secret(world.FreshserviceKey), Now: clock.Now, Logger: logger, Tuning: tuning, HTTPClient: client,
	})
	if err != nil {
		t.Fatal(err)
	}
	rmm, err := datto.New(datto.Options{
		BaseURL: world.DattoURL, PublicKey: world.DattoPublicKey, SecretKey: codex.Secret(world.DattoSecretKey),
		Now: clock.Now, Logger: logger, Tuning: tuning, HTTPClient: client,
	})
	if err != nil {
		t.Fatal(err)
	}
	engine := syncers.New(syncers.Options{
		DB: db, Freshservice: fresh, Datto: rmm, Logger: logger,
		Settings: syncers.Settings{
			AccountVariable: "AccountNumber", BackupUDF: 6, AdministratorsUDF: 4, DeviceTypeUDF: 7,
			ConversationsDays: 365, MaxRemovalPercent: 20, FreshserviceIdentity: "acme.freshservice.com",
		},
	})
	t.Cleanup(engine.Close)
	return &hub{
		t: t, db: db, clock: clock, world: world, engine: engine,
		bills: archive.New(archive.Options{
			DB: db, Random: salts{}, Logger: logger, KeyFile: filepath.Join(t.TempDir(), "archive.key"), NewOrigin: "codex.example.com/archive",
		}),
	}
}

// salts are no secret here.
type salts struct{}

func (salts) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

func (h *hub) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// sync reads everything, and demands that it can.
func (h *hub) sync() {
	h.t.Helper()
	ctx := h.t.Context()
	for _, feed := range codex.Feeds() {
		run, _, err := h.engine.Start(ctx, syncers.Request{Feed: feed, Mode: codex.ModeFull, Trigger: codex.TriggerCLI, By: "test"})
		h.must(err)
		run, err = h.engine.Wait(ctx, run.ID)
		h.must(err)
		if run.State != codex.RunSucceeded {
			h.t.Fatalf("%s is %s: %v\n%s", feed, run.State, run.Error, run.Output)
		}
		h.clock.Turn(h.clock.Now().Add(time.Minute))
	}
}
