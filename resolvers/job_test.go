package resolvers_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/scheduler/jobs"
	"github.com/hivematrix/codex/store"
)

// fakeJobs gives the jobs of the world, or its error, and keeps what it was asked.
type fakeJobs struct {
	db    *store.DB
	asked []string
	err   error
}

func (f *fakeJobs) Start(ctx context.Context, r jobs.Request) (*ent.SnapshotJob, error) {
	return f.do(ctx, "j2", "start", describe(r))
}

func describe(r jobs.Request) string {
	accounts := "all"
	if r.Accounts != nil {
		accounts = fmt.Sprint(r.Accounts)
	}
	return fmt.Sprintf("%s %s %s force=%q trigger=%q due=%v by %s, %s", r.Type, r.Period, accounts, r.Force, r.Trigger, !r.DueAt.IsZero(), r.By.Name, r.UserToken.Reveal())
}

// Preview has each thing that may be done.
func (f *fakeJobs) Preview(ctx context.Context, r jobs.Request) (*jobs.Preview, error) {
	if _, err := f.do(ctx, "j1", "preview", describe(r)); err != nil {
		return nil, err
	}
	succeeded := querytest.At(1)
	review, err := fakeReviews{}.Review(ctx, r.Period)
	if err != nil {
		return nil, err
	}
	return &jobs.Preview{
		Period: r.Period, At: querytest.At(13), FirstSeen: true,
		Stale: []jobs.StaleFeed{
			{Feed: codex.FeedDatto},
			{Feed: codex.FeedTickets, Succeeded: &succeeded, Newest: codex.RunHeld, Reason: "5 removals"},
		},
		Companies: []jobs.PreviewCompany{
			{Account: "620547", Name: "Acme", Action: jobs.ActionAlready, Invoice: "620547-202510", Review: review.Companies[0]},
			{Account: "900", Name: "Zebra & Söhne", Action: jobs.ActionAsk, Invoice: "900-202510", Reopened: true, Review: review.Companies[1]},
			{Account: "B-2", Name: "beta", Action: jobs.ActionHold, Reason: "2 flags"},
			{Account: "0", Action: jobs.ActionUnknown, Reason: "no company has it"},
		},
	}, nil
}

func (f *fakeJobs) Retry(ctx context.Context, id codex.RunID, by codex.Caller, userToken codex.Secret) (*ent.SnapshotJob, error) {
	return f.do(ctx, id, "retry", fmt.Sprintf("%s by %s, %s", id, by.Name, userToken.Reveal()))
}

func (f *fakeJobs) Force(ctx context.Context, id codex.RunID, reason string, by codex.Caller) (*ent.SnapshotJob, error) {
	return f.do(ctx, id, "force", fmt.Sprintf("%s by %s: %s", id, by.Name, reason))
}

func (f *fakeJobs) Cancel(ctx context.Context, id codex.RunID, by codex.Caller) (*ent.SnapshotJob, error) {
	return f.do(ctx, id, "cancel", fmt.Sprintf("%s by %s", id, by.Name))
}

func (f *fakeJobs) RequestBill(ctx context.Context, account codex.AccountNumber, period codex.Period, by codex.Caller, userToken codex.Secret) (*ent.SnapshotJob, error) {
	return f.do(ctx, "j2", "request", fmt.Sprintf("%s %s by %s, %s", account, period, by.Name, userToken.Reveal()))
}

func (f *fakeJobs) do(ctx context.Context, id codex.RunID, verb, what string) (*ent.SnapshotJob, error) {
	f.asked = append(f.asked, verb+" "+what)
	if f.err != nil {
		return nil, f.err
	}
	return f.db.Ent().SnapshotJob.Get(ctx, id)
}

// Watch gives a job as it stands and then at its end.
func (f *fakeJobs) Watch(ctx context.Context, id codex.RunID) (<-chan *ent.SnapshotJob, error) {
	row, err := f.do(ctx, id, "watch", string(id))
	if err != nil {
		return nil, err
	}
	ended := *row
	ended.State = codex.JobCompleted
	rows := make(chan *ent.SnapshotJob, 2)
	rows <- row
	rows <- &ended
	close(rows)
	return rows, nil
}

func TestJobsAreStartedAndChangedInTheNameAndWithTheTokenOfWhoAsks(t *testing.T) {
	g := onWorld(t)
	person := codex.WithPersonToken(as(codex.RoleAdmin), "ana's token")
	for _, c := range []struct{ name, text, asked, want string }{
		{"all companies", `mutation { runSnapshotJob(year: 2025, month: 9) { job { id state } preview { month } } }`,
			`start bulk 2025-09 all force="" trigger="" due=false by the admin, ana's token`,
			`{"data":{"runSnapshotJob":{"job":{"id":"j2","state":"RUNNING"},"preview":null}}}`},
		{"some, with force", `mutation { runSnapshotJob(year: 2025, month: 9, accountNumbers: ["900", "620547"], force: "it is right") { job { companies { accountNumber snapshot { id } } } } }`,
			`start bulk 2025-09 [900 620547] force="it is right" trigger="" due=false by the admin, ana's token`,
			`{"data":{"runSnapshotJob":{"job":{"companies":[{"accountNumber":"900","snapshot":null},{"accountNumber":"620547","snapshot":{"id":"1"}}]}}}}`},
		{"a retry", `mutation { retrySnapshotJob(id: "j1") { job { id round } } }`,
			`retry j1 by the admin, ana's token`, `{"data":{"retrySnapshotJob":{"job":{"id":"j1","round":2}}}}`},
		{"forcing", `mutation { forceSnapshotJob(id: "j3", reason: "Datto is down") { job { id state } } }`,
			`force j3 by the admin: Datto is down`, `{"data":{"forceSnapshotJob":{"job":{"id":"j3","state":"BLOCKED"}}}}`},
		{"cancelling", `mutation { cancelSnapshotJob(id: "j2") { job { cancelRequestedBy } } }`,
			`cancel j2 by the admin`, `{"data":{"cancelSnapshotJob":{"job":{"cancelRequestedBy":"cy"}}}}`},
		{"one bill", `mutation { requestBill(accountNumber: "620547", year: 2025, month: 9) { job { accountNumbers } } }`,
			`request 620547 2025-09 by the admin, ana's token`, `{"data":{"requestBill":{"job":{"accountNumbers":["620547","900"]}}}}`},
	} {
		g.jobs.asked = nil
		if got := strings.TrimSpace(g.ask(person, c.text, nil)); got != c.want || fmt.Sprint(g.jobs.asked) != "["+c.asked+"]" {
			t.Errorf("%s: %s\nwant %s\nasked %q", c.name, got, c.want, g.jobs.asked)
		}
	}
	if log := g.log.String(); strings.Contains(log, "token") {
		t.Errorf("the log: %s", log)
	}
}

func TestADryRunTellsWhatAJobWouldDoAndStartsNone(t *testing.T) {
	g := onWorld(t)
	got := strings.TrimSpace(g.ask(as(codex.RoleAdmin), `mutation { runSnapshotJob(year: 2025, month: 10, dryRun: true) { job { id } preview {
		month at firstSeen stale { feed succeeded newest reason }
		companies { accountNumber name action reason invoiceNumber reopened snapshot { id } review { open flags { kind } } } } } }`, nil))
	const want = `{"data":{"runSnapshotJob":{"job":null,"preview":{"month":"2025-10","at":"2025-10-13T12:00:00Z","firstSeen":true,` +
		`"stale":[{"feed":"DATTO","succeeded":null,"newest":null,"reason":null},{"feed":"TICKETS","succeeded":"2025-10-01T12:00:00Z","newest":"HELD","reason":"5 removals"}],` +
		`"companies":[{"accountNumber":"620547","name":"Acme","action":"ALREADY","reason":null,"invoiceNumber":"620547-202510","reopened":false,"snapshot":{"id":"3"},"review":{"open":1,"flags":[{"kind":"type_differs"},{"kind":"unseen"}]}},` +
		`{"accountNumber":"900","name":"Zebra & Söhne","action":"ASK","reason":null,"invoiceNumber":"900-202510","reopened":true,"snapshot":null,"review":{"open":0,"flags":[]}},` +
		`{"accountNumber":"B-2","name":"beta","action":"HOLD","reason":"2 flags","invoiceNumber":null,"reopened":false,"snapshot":null,"review":null},` +
		`{"accountNumber":"0","name":null,"action":"UNKNOWN","reason":"no company has it","invoiceNumber":null,"reopened":false,"snapshot":null,"review":null}]}}}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if asked := fmt.Sprint(g.jobs.asked); asked != `[preview bulk 2025-10 all force="" trigger="" due=false by the admin, ]` {
		t.Errorf("asked %s", asked)
	}
}

func TestWhatIsWrongWithAJobIsToldByItsCode(t *testing.T) {
	g := onWorld(t)
	for text, want := range map[string]string{
		`mutation { runSnapshotJob(year: 2025, month: 13) { job { id } } }`:                          "BAD_USER_INPUT",
		`mutation { requestBill(accountNumber: "1", year: 25, month: 1) { job { id } } }`:            "BAD_USER_INPUT",
		`{ snapshotJobs(first: 0) { totalCount } }`:                                                  "BAD_USER_INPUT",
		`{ snapshotJobs(after: "x") { totalCount } }`:                                                "BAD_USER_INPUT",
		`mutation { runSnapshotJob(year: 2025, month: 1, accountNumbers: ["x"]) { job { state } } }`: "ok",
	} {
		if got := codes(t, g.ask(as(codex.RoleAdmin), text, nil)); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
	g.jobs.err = codex.Errorf(codex.CodeConflict, "it is not blocked")
	for _, text := range []string{
		`mutation { runSnapshotJob(year: 2025, month: 9) { job { id } } }`, `mutation { runSnapshotJob(year: 2025, month: 9, dryRun: true) { preview { month } } }`,
		`mutation { retrySnapshotJob(id: "j1") { job { id } } }`, `mutation { forceSnapshotJob(id: "j1", reason: "x") { job { id } } }`,
		`mutation { cancelSnapshotJob(id: "j1") { job { id } } }`, `mutation { requestBill(accountNumber: "1", year: 2025, month: 9) { job { id } } }`,
	} {
		if got := codes(t, g.ask(as(codex.RoleAdmin), text, nil)); got != "CONFLICT" {
			t.Errorf("%s is %s", text, got)
		}
	}
}

func TestAJobIsWatchedToItsEndWhichEndsTheStream(t *testing.T) {
	server := onWorld(t).serve()
	events, _ := stream(t, server, "technician", `subscription { snapshotJobProgress(id: "j2") { id state companies(states: MADE) { snapshot { invoiceNumber } } } }`)
	const companies = `"companies":[{"snapshot":{"invoiceNumber":"620547-202509"}}]}}}`
	want := []event{
		{"next", `{"data":{"snapshotJobProgress":{"id":"j2","state":"RUNNING",` + companies},
		{"next", `{"data":{"snapshotJobProgress":{"id":"j2","state":"COMPLETED",` + companies},
		{"complete", ""},
	}
	if got := events.all(t); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v", got)
	}
}
