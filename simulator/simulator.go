package simulator

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// The credentials of a simulator that is given none. They open nothing but simulated data.
const (
	DefaultFreshserviceKey = "demo-freshservice-key"
	DefaultDattoPublicKey  = "demo-public"
	DefaultDattoSecretKey  = "demo-secret"
)

// The amounts of data of a simulator that is given none.
const (
	DefaultCompanies = 60
	DefaultAssets    = 1500
	DefaultContacts  = 900
	DefaultTickets   = 2000
)

// defaultTokenLife is Datto's: expires_in 360000, which is 100 hours.
const defaultTokenLife = 100 * time.Hour

// Options make a world. The same options, with a clock that tells the same instant, make
// byte-identical data.
type Options struct {
	// Seed of everything random; 0 is the seed 1.
	Seed uint64

	// Companies are departments with an account number, Assets devices outside "Deleted Devices",
	// Contacts records of /requesters, Tickets tickets of every state; each counts the fixtures in.
	// 0 is the default amount, a negative number as few as possible: Contoso, and the fixtures
	// unless Plain.
	Companies, Assets, Contacts, Tickets int

	// Plain leaves the awkward fixtures out: every record is complete and can be placed.
	Plain bool

	// Now is the only clock. Without one it stands still at StandingClock's instant, so that
	// everything is the same on every day; limits then never recover.
	Now func() time.Time

	// Tier is the Freshservice plan, whose limits hold. With TierNone (also "") nothing is limited
	// in either upstream, and the answers tell a limit of Unlimited a minute.
	Tier Tier

	// DattoReadLimit is Datto's reads in 60 seconds; 0 is 600, or Unlimited with TierNone.
	DattoReadLimit int

	// Credentials; empty ones are the defaults above.
	FreshserviceKey, DattoPublicKey, DattoSecretKey string

	// DattoTokenLife is how long a token is good; 0 is 100 hours.
	DattoTokenLife time.Duration

	// Latency is waited before every answer of either upstream.
	Latency time.Duration

	// Sleep waits for latency, delays, trickles and Datto's slow-down; nil waits in real time.
	Sleep func(ctx context.Context, d time.Duration) error

	// Switches are those that are on from the start.
	Switches

	// Webhook is where changes are announced; none unless it has a URL.
	Webhook Webhook

	// Ledger is how Ledger is set up; SetLedger changes it.
	Ledger LedgerSettings
}

// StandingClock stands still at noon UTC of 15 June 2026, so that the past year has closed tickets
// in two calendar years.
func StandingClock() time.Time { return time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC) }

// ScaledClock runs factor times as fast as now, from the instant at which it is made.
func ScaledClock(now func() time.Time, factor float64) func() time.Time {
	start := now()
	return func() time.Time {
		return start.Add(time.Duration(float64(now().Sub(start)) * factor))
	}
}

// withDefaults fills what is not given, and refuses a tier that does not exist.
func (o Options) withDefaults() (Options, error) {
	amount := func(n *int, otherwise int) {
		if *n == 0 {
			*n = otherwise
		}
		*n = max(*n, 0)
	}
	text := func(s *string, otherwise string) {
		if *s == "" {
			*s = otherwise
		}
	}
	amount(&o.Companies, DefaultCompanies)
	amount(&o.Assets, DefaultAssets)
	amount(&o.Contacts, DefaultContacts)
	amount(&o.Tickets, DefaultTickets)
	o.Companies = max(o.Companies, 1) // Contoso is always there
	text(&o.FreshserviceKey, DefaultFreshserviceKey)
	text(&o.DattoPublicKey, DefaultDattoPublicKey)
	text(&o.DattoSecretKey, DefaultDattoSecretKey)
	if o.Seed == 0 {
		o.Seed = 1
	}
	if o.Now == nil {
		o.Now = StandingClock
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.DattoTokenLife <= 0 {
		o.DattoTokenLife = defaultTokenLife
	}
	tier, err := ParseTier(string(o.Tier))
	if err != nil {
		return o, err
	}
	o.Tier = tier
	if err := o.Switches.check(); err != nil {
		return o, err
	}
	if o.Ledger, err = o.Ledger.check(); err != nil {
		return o, err
	}
	if o.DattoReadLimit <= 0 {
		o.DattoReadLimit = dattoReadLimit
		if tier == TierNone {
			o.DattoReadLimit = Unlimited
		}
	}
	return o, nil
}

// sleep waits in real time, or until the context ends.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Sim is one simulated world, the two services that show it, those that know who is calling, and the one
// that bills. All methods may be called from any goroutine.
type Sim struct {
	opts Options

	mu    sync.RWMutex // guards world; an answer is made under one read lock
	world *world

	freshserviceLimit *minuteLimiter
	dattoLimit        *rollingLimiter
	tokens            *tokenStore
	faults            *faultList
	requests          *requestLog
	core              *coreState
	switches          atomic.Pointer[Switches] // changed under mu
	webhooks          *webhookSender
	ledger            *ledgerState
}

// New makes a world. It fails only for options that make no sense: a tier that does not exist, a
// switch or a webhook that cannot be.
func New(opts Options) (*Sim, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("make a simulator: %w", err)
	}
	s := &Sim{
		opts:              opts,
		freshserviceLimit: newMinuteLimiter(opts.Tier),
		dattoLimit:        &rollingLimiter{limit: opts.DattoReadLimit},
		tokens:            newTokenStore(opts.Seed, opts.DattoTokenLife),
		faults:            &faultList{},
		requests:          &requestLog{},
		core:              &coreState{sessions: map[string]bool{}},
		webhooks:          newWebhookSender(opts.Now),
		ledger:            newLedgerState(opts.Ledger),
	}
	if err := s.SetWebhook(opts.Webhook); err != nil {
		return nil, fmt.Errorf("make a simulator: %w", err)
	}
	s.switches.Store(&opts.Switches)
	s.world = generate(opts, s.now())
	return s, nil
}

// now is the simulator's clock as records have it: UTC, whole seconds.
func (s *Sim) now() time.Time { return s.clock().UTC().Truncate(time.Second) }
