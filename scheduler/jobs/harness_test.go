package jobs_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/clients/ledger"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/scheduler/jobs"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// october is the month that is billed; the hub's clock stands at today.
func october() codex.Period { return codex.Period{Year: 2025, Month: time.October} }

func today() time.Time { return time.Date(2025, time.November, 3, 2, 0, 0, 0, time.UTC) }

// hub is a database with three companies, a Ledger, an archive and feeds.
type hub struct {
	t      testing.TB
	db     *store.DB
	bills  *archive.Archive
	ledger *fakeLedger
	syncs  *fakeSyncs
	flags  *fakeReviews
	hold   bool
	poll   time.Duration
	atOnce int // how many companies are asked for at a time
	outbox notify.Outbox
}

func each(t *testing.T, test func(t *testing.T, h *hub)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) { test(t, newHub(t, db)) }, storetest.Now(today))
}

func newHub(t testing.TB, db *store.DB) *hub {
	t.Helper()
	h := &hub{t: t, db: db, flags: &fakeReviews{open: map[codex.AccountNumber]int{}}, outbox: notify.NewOutbox(true)}
	h.bills = archive.New(archive.Options{
		DB: db, KeyFile: filepath.Join(t.TempDir(), "archive.key"), NewOrigin: "test/archive",
		Random: rand.Reader, Logger: slog.New(slog.NewTextHandler(h.t.Output(), nil)),
	})
	h.ledger = &fakeLedger{
		bills: h.bills, made: map[codex.AccountNumber]int{}, asked: map[codex.AccountNumber]int{},
		kept: map[string]string{}, answers: map[codex.AccountNumber][]error{},
	}
	h.syncs = &fakeSyncs{db: db, state: map[codex.Feed]codex.RunState{}, runs: map[codex.RunID]*ent.SyncRun{}}
	for i, account := range []codex.AccountNumber{"100", "200", "300"} {
		h.company(account, int64(i+1), time.Date(2025, time.June, 1, 0, 0, 0, 0, time.UTC))
	}
	_, err := jobs.MakeSchedule(t.Context(), db)
	h.must(err)
	return h
}

func (h *hub) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) company(account codex.AccountNumber, department int64, since time.Time) {
	h.t.Helper()
	name := "Company " + string(account)
	h.must(h.db.Ent().Company.Create().SetID(account).SetName(name).SetFreshserviceID(department).Exec(h.t.Context()))
	h.must(h.db.Ent().CompanyVersion.Create().SetAccountNumber(account).SetName(name).SetFreshserviceID(department).
		SetSeenFrom(since).Exec(h.t.Context()))
}

// process is a process of the installation; it does not serve.
func (h *hub) process() *jobs.Jobs { return h.processOn(h.db) }

func (h *hub) processOn(db *store.DB) *jobs.Jobs {
	return jobs.New(jobs.Options{
		DB: db, Ledger: h.ledger, Bills: h.bills, Syncs: h.syncs, Reviews: h.flags, HoldFlagged: h.hold, Concurrency: h.atOnce, Outbox: h.outbox,
		Poll: cmp.Or(h.poll, 5*time.Millisecond), Sleep: func(ctx context.Context, _ time.Duration) error { return context.Cause(ctx) },
		Logger: slog.New(slog.NewTextHandler(h.t.Output(), nil)),
	})
}

// serve has a process serve until the test ends, or stop is called.
func (h *hub) serve(j *jobs.Jobs) (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	var served sync.WaitGroup
	served.Go(func() { j.Serve(ctx) })
	stop = sync.OnceFunc(func() { cancel(); served.Wait() })
	h.t.Cleanup(stop)
	return stop
}

func (h *hub) start(j *jobs.Jobs, r jobs.Request) codex.RunID {
	h.t.Helper()
	if r.By.Name == "" {
		r.By = codex.Caller{Name: "ana", Role: codex.RoleAdmin}
	}
	r.Period = october()
	row, err := j.Start(h.t.Context(), r)
	h.must(err)
	return row.ID
}

func scheduled() jobs.Request {
	return jobs.Request{Type: codex.JobScheduled, Trigger: codex.TriggerSchedule, DueAt: today(), By: codex.Caller{Name: "scheduler"}}
}

// until waits until the job has come to a state.
func (h *hub) until(id codex.RunID, state codex.JobState) *ent.SnapshotJob {
	h.t.Helper()
	for range 4000 {
		row, err := h.db.Ent().SnapshotJob.Get(h.t.Context(), id)
		h.must(err)
		if row.State == state {
			return row
		}
		if row.State.Final() {
			h.t.Fatalf("the job is %s and not %s: %v", row.State, state, row)
		}
		time.Sleep(5 * time.Millisecond)
	}
	h.t.Fatalf("the job did not become %s", state)
	return nil
}

// says is what became of a job's companies, a line each.
func (h *hub) says(id codex.RunID) string {
	h.t.Helper()
	rows, err := h.process().Companies(h.t.Context(), id)
	h.must(err)
	var lines []string
	for _, c := range rows {
		line := fmt.Sprintf("%s %s", c.AccountNumber, c.State)
		if c.InvoiceNumber != nil {
			line += " " + *c.InvoiceNumber
		}
		if c.Reason != nil {
			line += ": " + *c.Reason
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (h *hub) is(what, got, want string) {
	h.t.Helper()
	if got != want {
		h.t.Errorf("%s:\n%s\nwant:\n%s", what, got, want)
	}
}

// told are the kinds of what was told so far.
func (h *hub) told() string {
	h.t.Helper()
	rows, err := h.db.Ent().Notification.Query().All(h.t.Context())
	h.must(err)
	var kinds []string
	for _, row := range rows {
		kinds = append(kinds, row.Kind)
	}
	return strings.Join(kinds, " ")
}

// row is what old clients are told of a job.
func row(r *ent.SnapshotJob) string {
	success := "null"
	if r.Success != nil {
		success = fmt.Sprint(*r.Success)
	}
	text := fmt.Sprintf("%s success=%s total=%d completed=%d failed=%d held=%d", r.Status, success, r.TotalCompanies, r.CompletedCompanies, r.FailedCompanies, r.HeldCompanies)
	for _, part := range []*string{r.Output, r.Error} {
		if part != nil {
			text += " " + *part
		}
	}
	return text
}

// fakeLedger makes bills: as A and B it sends them to the archive, as C it keeps them.
type fakeLedger struct {
	bills *archive.Archive
	// during, where set, is called in the middle of each question.
	during func(account codex.AccountNumber)

	mu      sync.Mutex
	keeps   bool // Ledger C
	loses   bool // it accepts and sends nothing
	persons bool // it takes tokens of persons alone
	asked   map[codex.AccountNumber]int
	made    map[codex.AccountNumber]int
	kept    map[string]string
	answers map[codex.AccountNumber][]error // before it does as it is asked
	tokens  []codex.Secret
}

func bodyOf(account codex.AccountNumber, period codex.Period) string {
	body, err := json.Marshal(map[string]any{
		"company_account_number": account, "billing_year": period.Year, "billing_month": int(period.Month),
		"invoice_number": ledger.InvoiceNumber(account, period), "total_amount": "10.00",
		"billing_data_json": map[string]any{}, "invoice_csv": "a\r\n",
	})
	if err != nil {
		return ""
	}
	return string(body)
}

func (l *fakeLedger) Accept(ctx context.Context, person codex.Secret, account codex.AccountNumber, period codex.Period, _ string) (ledger.Accepted, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	invoice := ledger.InvoiceNumber(account, period)
	l.asked[account]++
	l.tokens = append(l.tokens, person)
	if l.during != nil {
		l.during(account)
	}
	if l.persons && person == "" {
		return ledger.Accepted{}, &ledger.Error{Account: account, Status: 403, NeedsUser: true, Text: "users only"}
	}
	if answers := l.answers[account]; len(answers) > 0 {
		l.answers[account] = answers[1:]
		if answers[0] != nil {
			return ledger.Accepted{}, answers[0]
		}
	}
	there := l.made[account] > 0
	if !there {
		l.made[account]++
		if err := l.send(context.WithoutCancel(ctx), account, period); err != nil {
			return ledger.Accepted{}, err
		}
	}
	if ctx.Err() != nil {
		return ledger.Accepted{}, context.Cause(ctx)
	}
	return ledger.Accepted{Made: !there, Invoice: invoice}, nil
}

func (l *fakeLedger) send(ctx context.Context, account codex.AccountNumber, period codex.Period) error {
	body := bodyOf(account, period)
	switch {
	case l.loses:
		return nil
	case l.keeps:
		l.kept[ledger.InvoiceNumber(account, period)] = body
		return nil
	}
	s, err := archive.ParseSubmission([]byte(body))
	if err != nil {
		return err
	}
	_, err = l.bills.Accept(ctx, s, codex.Caller{Name: "ledger", Role: codex.RoleService})
	return err
}

func (l *fakeLedger) Fetch(_ context.Context, _ codex.Secret, invoice string) (object, csv []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept[invoice] == "" {
		return nil, nil, &ledger.Error{Invoice: invoice, Status: 404, Text: "it has no such bill"}
	}
	account, _, _ := strings.Cut(invoice, "-")
	object, err = json.Marshal(map[string]any{
		"id": 1, "company_account_number": account, "company_name": "Company", "invoice_number": invoice,
		"billing_year": 2025, "billing_month": 10, "invoice_date": "2025-10-31", "due_date": "2025-11-30",
		"billing_plan": nil, "contract_term": nil, "support_level": nil, "total_amount": 10.0,
		"total_user_charges": 0, "total_asset_charges": 0, "total_backup_charges": 0, "total_ticket_charges": 0,
		"total_line_item_charges": 0, "user_count": 0, "asset_count": 0, "billable_hours": 0,
		"archived_at": "2025-11-03T02:00:00", "created_by": nil, "notes": nil, "billing_data": map[string]any{},
	})
	return object, []byte("a\r\n"), err
}

func (l *fakeLedger) set(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
}

// fakeSyncs runs feeds that end at once, in the state that a test sets.
type fakeSyncs struct {
	db    *store.DB
	mu    sync.Mutex
	state map[codex.Feed]codex.RunState // else succeeded
	runs  map[codex.RunID]*ent.SyncRun
	ran   []codex.Feed
	holds int // how often all were held
	held  bool
}

func (s *fakeSyncs) Feeds() []codex.Feed { return codex.Feeds() }

func (s *fakeSyncs) Start(ctx context.Context, r syncers.Request) (*ent.SyncRun, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.state[r.Feed]
	if state == "" {
		state = codex.RunSucceeded
	}
	run, err := s.run(ctx, r.Feed, state, today())
	if err != nil {
		return nil, false, err
	}
	s.ran = append(s.ran, r.Feed)
	s.runs[run.ID] = run
	return run, false, nil
}

func (s *fakeSyncs) run(ctx context.Context, feed codex.Feed, state codex.RunState, at time.Time) (*ent.SyncRun, error) {
	create := s.db.Ent().SyncRun.Create().SetID(codex.RunID(uuid.NewString())).SetFeed(feed).SetMode(codex.ModeIncremental).
		SetTrigger(codex.TriggerJob).SetRequestedBy("job").SetDryRun(false).SetForced(false).
		SetState(state).SetQueuedAt(at).SetStartedAt(at).SetEndedAt(at)
	if state != codex.RunSucceeded {
		create.SetError("it went wrong")
	}
	return create.Save(ctx)
}

func (s *fakeSyncs) Wait(_ context.Context, id codex.RunID) (*ent.SyncRun, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs[id], nil
}

func (s *fakeSyncs) HoldFeeds(ctx context.Context, fn func(ctx context.Context) error) error {
	s.mu.Lock()
	s.holds++
	s.held = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held = false
	}()
	return fn(ctx)
}

func (s *fakeSyncs) isHeld() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// fakeReviews flags companies.
type fakeReviews struct {
	mu   sync.Mutex
	open map[codex.AccountNumber]int
}

func (r *fakeReviews) Review(_ context.Context, period codex.Period) (*reconcile.Review, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	review := &reconcile.Review{Period: period}
	for account, n := range r.open {
		review.Companies = append(review.Companies, &reconcile.CompanyReview{
			Account: account, Flags: slices.Repeat([]*reconcile.Flag{{}}, n),
		})
	}
	return review, nil
}

func (r *fakeReviews) set(account codex.AccountNumber, open int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open[account] = open
}
