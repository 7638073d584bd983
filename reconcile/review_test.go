package reconcile_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/derivedbill"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// hub is a database with what a review looks at.
type hub struct {
	t       *testing.T
	db      *store.DB
	bills   *archive.Archive
	reviews *reconcile.Reviewer
}

// sixOClock is when these tests take place: on the 1st of November at six.
func sixOClock() time.Time { return at(time.November, 1, 6) }

func newHub(t *testing.T, db *store.DB) *hub {
	h := &hub{t: t, db: db}
	h.bills = archive.New(archive.Options{
		DB: db, Random: rand.Reader, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		KeyFile: filepath.Join(t.TempDir(), "archive.key"), NewOrigin: "codex.example.com/archive",
	})
	h.reviews = reconcile.NewReviewer(reconcile.ReviewOptions{
		DB: db, Rules: query.Rules{DefaultHours: 900, BillNonBillable: true}, Feeds: codex.Feeds(),
		ReviewRules:     reconcile.ReviewRules{UnseenDays: 60, MovedPercent: 20},
		FreshserviceWeb: "https://acme.freshservice.example/", Now: sixOClock,
	})
	return h
}

func eachHub(t *testing.T, fn func(h *hub), options ...storetest.Option) {
	storetest.Each(t, func(t *testing.T, db *store.DB) { fn(newHub(t, db)) }, append(options, storetest.Now(sixOClock))...)
}

func (h *hub) must(errs ...error) {
	h.t.Helper()
	if err := errors.Join(errs...); err != nil {
		h.t.Fatal(err)
	}
}

// synced makes a run of each feed that succeeded on the 1st of November.
func (h *hub) synced() {
	h.t.Helper()
	for _, feed := range codex.Feeds() {
		h.run(codex.RunID(feed+"-1"), feed, codex.RunSucceeded, at(time.November, 1, 2), codex.ModeFull, false)
	}
}

func (h *hub) run(id codex.RunID, feed codex.Feed, state codex.RunState, began time.Time, mode codex.RunMode, dry bool) {
	h.t.Helper()
	h.must(h.db.Ent().SyncRun.Create().SetID(id).SetFeed(feed).SetMode(mode).SetTrigger(codex.TriggerSchedule).
		SetRequestedBy("scheduler").SetDryRun(dry).SetForced(false).SetState(state).SetQueuedAt(began).SetStartedAt(began).
		SetEndedAt(began.Add(time.Minute)).Exec(h.t.Context()))
}

func (h *hub) company(account codex.AccountNumber, name string) {
	h.t.Helper()
	h.must(h.db.Ent().Company.Create().SetID(account).SetName(name).Exec(h.t.Context()))
}

func (h *hub) asset(id int, account codex.AccountNumber, hostname string, change ...func(*ent.AssetCreate)) {
	h.t.Helper()
	create := h.db.Ent().Asset.Create().SetID(id).SetCompanyAccountNumber(account).SetHostname(hostname).
		SetDattoUID(codex.DeviceUID(fmt.Sprintf("uid-%d", id))).SetDattoSiteUID("site-" + string(account)).
		SetHardwareType("Desktop").SetDeviceClass("device").SetLastSeen(at(time.October, 31, 12)).
		SetPortalURL(fmt.Sprintf("https://datto.example/device/%d", id))
	for _, change := range change {
		change(create)
	}
	h.must(create.Exec(h.t.Context()))
}

func (h *hub) contact(id int, name string, active bool, accounts ...codex.AccountNumber) {
	h.t.Helper()
	h.must(h.db.Ent().Contact.Create().SetID(id).SetName(name).SetEmail(strings.ToLower(name) + "@acme.example").SetActive(active).Exec(h.t.Context()))
	for _, account := range accounts {
		h.must(h.db.Ent().ContactCompanyLink.Create().SetContactID(id).SetCompanyAccountNumber(account).Exec(h.t.Context()))
	}
}

func (h *hub) ticket(id int, account codex.AccountNumber, updated time.Time, seconds int64, change ...func(*ent.TicketCreate)) {
	h.t.Helper()
	create := h.db.Ent().Ticket.Create().SetID(id).SetCompanyAccountNumber(account).SetSubject("Printer").SetClosed(true).
		SetStatus("Closed").SetStatusCode(5).SetPriority("Low").SetCreatedAt(updated).SetLastUpdatedAt(updated).
		SetUpstreamUpdatedAt(updated).SetSpentSeconds(seconds).SetUnbillableSeconds(0).SetDescription("").
		SetDescriptionText("").SetConversations("[]").SetNotes("[]").SetTimerRunning(false)
	for _, change := range change {
		change(create)
	}
	h.must(create.Exec(h.t.Context()))
}

func (h *hub) issue(kind syncers.IssueKind, id string, account codex.AccountNumber, closed bool) {
	h.t.Helper()
	create := h.db.Ent().SyncIssue.Create().SetFeed(codex.FeedDatto).SetKind(string(kind)).SetUpstreamID(id).
		SetReason("The reason.").SetFirstSeenAt(at(time.October, 3, 3)).SetLastSeenAt(at(time.November, 1, 7)).SetFirstRunID("datto-0")
	if account != "" {
		create.SetCompanyAccountNumber(account)
	}
	if closed {
		create.SetClosedAt(at(time.November, 1, 8))
	}
	h.must(create.Exec(h.t.Context()))
}

// row is a machine or person on a bill: what the hub served, and what Ledger made of it.
type row struct {
	id         int
	name, kind string
	cost       float64
}

// bill archives a bill as Ledger sends it.
func (h *hub) bill(account codex.AccountNumber, month codex.Period, machines, people []row, tickets map[int]float64) string {
	h.t.Helper()
	invoice := fmt.Sprintf("%s-%d%02d", account, month.Year, month.Month)
	served := func(rows []row, name string) (list, billed []map[string]any) {
		for _, r := range rows {
			list = append(list, map[string]any{"id": r.id, name: r.name})
			billed = append(billed, map[string]any{"name": r.name, "type": r.kind, "cost": r.cost})
		}
		return list, billed
	}
	assets, billedAssets := served(machines, "hostname")
	users, billedUsers := served(people, "name")
	var billedTickets []map[string]any
	for id, hours := range tickets {
		billedTickets = append(billedTickets, map[string]any{"ticket_number": fmt.Sprint(id), "subject": "Printer", "total_hours_spent": hours})
	}
	body, err := json.Marshal(map[string]any{
		"company_account_number": account, "invoice_number": invoice, "billing_year": month.Year, "billing_month": int(month.Month),
		"total_amount": 0, "invoice_csv": "Amount\r\n",
		"billing_data_json": map[string]any{
			"assets": assets, "users": users, "tickets_for_billing_period": billedTickets,
			"receipt_data":    map[string]any{"billed_assets": billedAssets, "billed_users": billedUsers},
			"effective_rates": map[string]any{"support_level": "Billed Hourly", "per_workstation_cost": 30, "per_server_cost": 150.5, "per_user_cost": 15.0},
		},
	})
	h.must(err)
	submission, err := archive.ParseSubmission(body)
	h.must(err)
	_, err = h.bills.Accept(h.t.Context(), submission, codex.Caller{Name: "ana", Role: codex.RoleBilling})
	h.must(err)
	return invoice
}

func (h *hub) review() *reconcile.Review {
	h.t.Helper()
	review, err := h.reviews.Review(h.t.Context(), october())
	h.must(err)
	return review
}

// is says which flags the review has, as [told] tells them.
func (h *hub) is(want ...string) {
	h.t.Helper()
	if got := told(h.review()); !slices.Equal(got, want) {
		h.t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func september() codex.Period { return codex.Period{Year: 2025, Month: time.September} }

// usual is Acme with what its bill for September has, and nothing to say of it.
func (h *hub) usual() {
	h.t.Helper()
	h.synced()
	h.company("620547", "Acme")
	h.asset(12, "620547", "PC-1")
	h.contact(7, "Ana", true, "620547")
	h.bill("620547", september(), []row{{12, "PC-1", "Workstation", 30}}, []row{{7, "Ana", "Paid", 15}}, map[int]float64{1000: 1})
}

func TestAReviewOfWhatIsAsItWasBilledSaysNothing(t *testing.T) {
	eachHub(t, func(h *hub) {
		h.usual()
		h.ticket(1001, "620547", at(time.October, 5, 0), 3600)
		h.is()
		of := h.review().Companies
		if len(of) != 1 || of[0].Last == nil || *of[0].Last != september() || len(of[0].Billed) != 0 {
			t.Errorf("the companies are %+v", of)
		}
		h.bill("620547", october(), []row{{12, "PC-1", "Workstation", 30}}, nil, map[int]float64{1001: 1})
		h.is() // the bill of the month itself is no earlier one
		if of := h.review().Companies; len(of) != 1 || !slices.Equal(of[0].Billed, []string{"620547-202510"}) {
			t.Errorf("the companies are %+v", of)
		}
	})
}

func TestAReviewReadsWhatLedgerWouldBill(t *testing.T) {
	eachHub(t, func(h *hub) {
		h.synced()
		h.run("later", codex.FeedDatto, codex.RunFailed, at(time.November, 1, 3), codex.ModeFull, false)
		h.company("620547", "Acme")
		h.company("620548", "Beta")
		h.must(h.db.Ent().Company.Create().SetID("111").SetName("Gone").SetArchivedAt(at(time.October, 1, 0)).Exec(t.Context()))

		h.asset(12, "620547", "PC-1")
		h.asset(13, "620547", "SRV", func(a *ent.AssetCreate) { a.SetHardwareType("Server") })
		h.asset(14, "620547", "OLD", func(a *ent.AssetCreate) { a.SetLastSeen(at(time.August, 1, 0)) })
		h.asset(15, "620547", "FREE", func(a *ent.AssetCreate) { a.SetLastSeen(at(time.August, 1, 0)) })
		h.asset(16, "620547", "REMOVED", func(a *ent.AssetCreate) {
			a.SetLastSeen(at(time.August, 1, 0)).SetRemovedAt(at(time.October, 1, 0))
		})
		h.asset(17, "111", "OF-ARCHIVED", func(a *ent.AssetCreate) { a.SetLastSeen(at(time.August, 1, 0)) })
		h.asset(18, "620548", "TWIN")
		h.asset(19, "620548", "twin")
		h.contact(7, "Ana", true, "620547", "620548")
		h.contact(8, "Bob", false, "620547")
		h.contact(9, "Cid", true, "620547", "111")

		h.issue(syncers.IssueProbableDuplicate, "uid-19", "620548", false)
		h.issue(syncers.IssueReimaged, "uid-12", "620547", true)           // closed by the next run, in the month
		h.issue(syncers.IssueSiteWithoutAccount, "site-9", "", false)      // of nobody
		h.issue(syncers.IssueTicketUnread, "4711", "620547", true)         // was read since
		h.issue(syncers.IssueDeviceWithoutCompany, "uid-99", "111", false) // its company is archived

		h.ticket(1001, "620547", at(time.October, 31, 23), 0) // a quarter of an hour
		h.ticket(1002, "620547", at(time.November, 1, 0), 3600)
		h.ticket(1003, "620547", at(time.October, 1, 0), 3600, func(t *ent.TicketCreate) { t.SetClosed(false) })
		h.ticket(1004, "620548", at(time.October, 1, 0), 7200)
		h.ticket(1005, "620548", at(time.October, 1, 0), 7200)

		h.bill("620547", codex.Period{Year: 2025, Month: time.August}, []row{{13, "SRV", "Server", 150.5}}, nil, map[int]float64{1001: 0.25})
		h.bill("620547", september(),
			[]row{{12, "PC-1", "Workstation", 30}, {13, "SRV", "Workstation", 30}, {14, "OLD", "Workstation", 30}, {15, "FREE", "No Charge", 0}},
			[]row{{7, "Ana", "Paid", 15}, {8, "Bob", "Paid", 15}, {9, "Cid", "Paid", 15}},
			map[int]float64{1001: 0.5, 1002: 1, 1003: 1, 1004: 2})
		reopened := h.bill("620548", september(), nil, nil, map[int]float64{1005: 2})
		_, err := h.bills.Reopen(t.Context(), reopened, "wrong", codex.Caller{Name: "ana", Role: codex.RoleAdmin})
		h.must(err)

		h.is(
			"- site_without_account sites:site-9",
			"- device_without_company devices:uid-99",
			"620547 reimaged assets:12",
			"620547 type_differs assets:13 Workstation -> Server 120.50",
			"620547 unseen assets:14 30.00",
			"620547 person_billed_twice contacts:7 15.00",
			"620547 inactive_billed contacts:8 15.00",
			"620547 ticket_billed_before tickets:1001 0.5 -> 0.25",
			"620548 probable_duplicate assets:19",
			"620548 person_billed_twice contacts:7",
			"620548 ticket_billed_before tickets:1004 2 -> 2",
		)
		review := h.review()
		if acme := review.Companies[0]; acme.Flags[1].Link != "https://datto.example/device/13" ||
			acme.Flags[5].Link != "https://acme.freshservice.example/a/tickets/1001" {
			t.Errorf("the links are %q and %q", acme.Flags[1].Link, acme.Flags[5].Link)
		}
		if beta, err := review.Of("620548"); err != nil || len(beta.Companies) != 1 || beta.Open() != 5 {
			t.Errorf("of Beta alone: %+v, %v", beta, err)
		}
		if _, err := review.Of("111"); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("of an archived company: %v", err)
		}
	})
}

func TestAFeedIsJudgedByItsRunsThatWroteEverything(t *testing.T) {
	eachHub(t, func(h *hub) {
		h.company("620547", "Acme")
		h.run("f-0", codex.FeedFreshservice, codex.RunSucceeded, at(time.October, 31, 2), codex.ModeFull, false)
		h.run("f-1", codex.FeedFreshservice, codex.RunSucceeded, at(time.November, 1, 2), codex.ModeFull, true) // dry
		h.run("d-1", codex.FeedDatto, codex.RunPartial, at(time.November, 1, 3), codex.ModeFull, false)
		h.run("t-1", codex.FeedTickets, codex.RunSucceeded, at(time.November, 1, 4), codex.ModeReread, false)
		h.is("- feed_not_synced feeds:freshservice", "- feed_not_synced feeds:datto", "- feed_not_synced feeds:tickets")
		h.run("t-2", codex.FeedTickets, codex.RunSucceeded, at(time.November, 1, 5), codex.ModeIncremental, false)
		h.is("- feed_not_synced feeds:freshservice", "- feed_not_synced feeds:datto")
	})
}

// A rename lets bills keep the number that they were made under.
func TestARenumberedCompanyHasTheBillsOfItsFormerNumber(t *testing.T) {
	eachHub(t, func(h *hub) {
		h.synced()
		h.company("901", "Acme")
		renamed := at(time.October, 10, 9)
		for account, span := range map[codex.AccountNumber]reconcile.Span{
			"900": {From: at(time.June, 1, 0), To: &renamed}, "901": {From: renamed},
		} {
			h.must(h.db.Ent().CompanyVersion.Create().SetAccountNumber(account).SetName("Acme").SetFreshserviceID(4).
				SetSeenFrom(span.From).SetNillableSeenTo(span.To).Exec(h.t.Context()))
		}
		h.asset(13, "901", "SRV", func(a *ent.AssetCreate) { a.SetHardwareType("Server") })
		h.bill("900", codex.Period{Year: 2025, Month: time.August}, []row{{13, "SRV", "No Charge", 0}}, nil, nil)
		h.bill("900", september(), []row{{13, "SRV", "Workstation", 30}}, nil, nil)
		h.bill("900", october(), []row{{13, "SRV", "Workstation", 30}}, nil, nil)
		h.is("901 type_differs assets:13 Workstation -> Server 120.50")
		if billed := h.review().Companies[0].Billed; len(billed) != 1 {
			t.Errorf("of October there are the bills %v", billed)
		}
	})
}

// Whatever took away what was derived from a bill, the next question reads it again.
func TestABillOfWhichNothingIsDerivedAnyMoreIsReadAgain(t *testing.T) {
	eachHub(t, func(h *hub) {
		h.usual()
		h.bill("620547", october(), []row{{12, "PC-1", "Workstation", 30}}, []row{{7, "Ana", "Paid", 15}}, nil)
		before := h.review()
		if n, err := h.db.Ent().DerivedBill.Delete().Where(derivedbill.ID(1)).Exec(t.Context()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if after := h.review(); !reflect.DeepEqual(after, before) {
			t.Errorf("it is %+v, and was %+v", after, before)
		}
	})
}

// Whoever has more customers asks the database no more often.
func TestTheStatementsOfAReviewDoNotGrow(t *testing.T) {
	var mu sync.Mutex
	var statements int
	count := storetest.OnStatement(func(string) { mu.Lock(); statements++; mu.Unlock() })
	eachHub(t, func(h *hub) {
		h.usual()
		h.review() // reads the bill
		statements = 0
		h.review()
		few := statements
		for i := range 30 {
			account := codex.AccountNumber(fmt.Sprintf("7%05d", i))
			h.company(account, "Company")
			h.asset(1000+i, account, "PC")
			h.contact(1000+i, fmt.Sprintf("P%d", i), false, account, "620547")
			h.ticket(2000+i, account, at(time.October, 2, 0), 60)
			h.bill(account, september(), []row{{1000 + i, "PC", "Workstation", 30}}, nil, map[int]float64{2000 + i: 1})
		}
		h.review() // reads the bills
		statements = 0
		if review := h.review(); len(review.Companies) != 31 || review.Open() < 90 {
			t.Fatalf("the review has %d companies, %d are open", len(review.Companies), review.Open())
		}
		if statements != few {
			t.Errorf("it took %d statements, and %d of one company", statements, few)
		}
	}, count)
}

// The same holds for the reconciliation.
func TestTheStatementsOfAReconciliationDoNotGrow(t *testing.T) {
	var mu sync.Mutex
	var statements int
	count := storetest.OnStatement(func(string) { mu.Lock(); statements++; mu.Unlock() })
	eachHub(t, func(h *hub) {
		r := reconcile.NewReconciler(reconcile.ReconcileOptions{DB: h.db, Now: sixOClock})
		reconciled := func() *reconcile.Reconciliation {
			got, err := r.Reconcile(t.Context(), october())
			h.must(err)
			return got
		}
		h.usual()
		h.bill("620547", october(), []row{{12, "PC-1", "Workstation", 30}}, []row{{7, "Ana", "Paid", 15}}, map[int]float64{1001: 1})
		reconciled() // reads the bills
		statements = 0
		reconciled()
		few := statements
		for i := range 30 {
			account := codex.AccountNumber(fmt.Sprintf("7%05d", i))
			h.company(account, "Company")
			for _, month := range []codex.Period{september(), october()} {
				h.bill(account, month, []row{{1000 + i, "PC", "Workstation", 30}}, nil, map[int]float64{2000 + i: 1})
			}
		}
		reconciled() // reads the bills
		statements = 0
		if got := reconciled(); len(got.Bills) != 31 || got.Open() < 60 {
			t.Fatalf("it has %d bills, and %d differences are open", len(got.Bills), got.Open())
		}
		if statements != few {
			t.Errorf("it took %d statements, and %d of one company", statements, few)
		}
	}, count)
}
