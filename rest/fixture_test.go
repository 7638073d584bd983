package rest_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/store"
)

// today is the test's present: a leap year's end lies within the past 365 days.
func today() time.Time { return time.Date(2025, time.October, 20, 12, 0, 0, 0, time.UTC) }

// slashed is an account number that a path must encode.
const slashed codex.AccountNumber = "10/2 %ü"

// planSlashed is the name of a plan, Ä/B 100 %, as a path has it.
const planSlashed = "%C3%84%2FB%20100%20%25"

// fill gives a database rows of every kind that the contract has a word about.
func fill(t *testing.T, db *store.DB) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for _, fill := range []func(context.Context, *ent.Client) error{
			fillCompanies, fillAssets, fillContacts, fillLocations, fillTickets, fillRuns, fillJobs,
		} {
			if err := fill(ctx, tx.Ent()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fillPlans(t, db)
}

// fillPlans gives it plans: some with features, of options, one whose name a path must encode.
func fillPlans(t *testing.T, db *store.DB) {
	t.Helper()
	gold := plans.Blank(plans.Key{Name: "Gold", Term: "1 Year"})
	gold.SupportLevel = "All <Inclusive>"
	for i, price := range plans.Prices() {
		*price.Of(&gold) = codex.Quantity(i) * 1_2345
	}
	gold.Features = []plans.Feature{{Category: "soc", Value: "Arctic Wolf & Co"}, {Category: "antivirus", Value: "SentinelOne"}}
	monthly := plans.Blank(plans.Key{Name: "Gold", Term: plans.MonthToMonth})
	monthly.PerUserCost = 99_999_999_9999
	shown, meant := "SentinelOne <Complete>", "Antivirus that \"answers\""
	_, err := plans.New(plans.Options{DB: db, Logger: slog.New(slog.DiscardHandler)}).Import(t.Context(), plans.File{
		Plans: []plans.Plan{gold, monthly, plans.Blank(plans.Key{Name: "Ä/B 100 %", Term: plans.MonthToMonth})},
		Options: []plans.FeatureOption{
			{Category: "antivirus", Value: "SentinelOne", DisplayName: &shown, Description: &meant}, {Category: "antivirus", Value: "Defender"}, {Category: "sat", Value: "KnowBe4"},
		},
		Categories: []plans.FeatureCategory{{Category: "email_security", DisplayName: "E-mail"}},
	}, plans.ImportOptions{}, "ana")
	if err != nil {
		t.Fatal(err)
	}
}

func fillCompanies(ctx context.Context, client *ent.Client) error {
	return client.Company.CreateBulk(
		client.Company.Create().SetID("620547").SetName("Contoso <Ltd> & Söhne").
			SetFreshserviceID(21000418006).
			SetDescription("Maker of \"things\"").
			SetPlanSelected("Gold").
			SetProfitOrNonProfit("For Profit").
			SetCompanyMainNumber("312-555-0142").
			SetCompanyStartDate("2019-04-02").
			SetDomains(`["contoso.example", "contoso.test"]`).
			SetPhoneSystem("Zoom").
			SetEmailSystem("M365").
			SetContractTermLength("1 Year").
			SetContractStartDate("2025-01-01").
			SetContractEndDate("2025-12-31").
			SetSupportLevel("All Inclusive").
			SetComplianceLevel("hipaa"),
		client.Company.Create().SetID(slashed).SetName("Slash"),
		client.Company.Create().SetID("9").SetName("Nothing is known of it"),
		client.Company.Create().SetID("a").SetName("Small a comes after capital B").SetDomains("[]"),
		client.Company.Create().SetID("B").SetName("Capital B"),
		client.Company.Create().SetID("77").SetName("Archived").SetArchivedAt(today()),
	).Exec(ctx)
}

func fillAssets(ctx context.Context, client *ent.Client) error {
	const tb = 1 << 40
	seen := time.Date(2025, time.October, 19, 23, 59, 59, 999999000, time.UTC)
	return client.Asset.CreateBulk(
		client.Asset.Create().SetID(12).SetCompanyAccountNumber("620547").SetHostname("SRV-01").
			SetDattoUID("a1b2-c3").SetDattoSiteUID("site").SetDattoSiteName("Contoso").
			SetHardwareType("Server").SetOperatingSystem("Windows Server 2022").SetDeviceType("DC").
			SetLastLoggedInUser(`CONTOSO\ana`).SetAntivirusProduct("Defender").
			SetExtIPAddress("192.0.2.7").SetIntIPAddress("10.0.0.7").SetDomain("contoso.example").
			SetOnline(true).SetLastSeen(seen).SetBackupBytes(5*tb/2),
		client.Asset.Create().SetID(3).SetCompanyAccountNumber("620547").SetHostname("nothing-known"),
		client.Asset.Create().SetID(4).SetCompanyAccountNumber("620547").SetHostname("half-to-even").
			SetOnline(false).SetBackupBytes(tb/8),
		client.Asset.Create().SetID(5).SetCompanyAccountNumber("620547").SetHostname("backup-of-nothing").SetBackupBytes(0),
		client.Asset.Create().SetID(6).SetCompanyAccountNumber("620547").SetHostname("removed").SetRemovedAt(today()),
		client.Asset.Create().SetID(7).SetCompanyAccountNumber(slashed).SetHostname("of-the-slashed").SetBackupBytes(tb+1),
		client.Asset.Create().SetID(8).SetCompanyAccountNumber("77").SetHostname("of-the-archived"),
	).Exec(ctx)
}

func fillContacts(ctx context.Context, client *ent.Client) error {
	err := client.Contact.CreateBulk(
		client.Contact.Create().SetID(2).SetName("Ana Ruiz").SetEmail("Ana@contoso.example").
			SetFreshserviceID(21001099209).SetTitle("CEO").SetEmploymentType("Part Time").
			SetMobilePhoneNumber("312-555-0100").SetWorkPhoneNumber("312-555-0101").
			SetSecondaryEmails(`["a.ruiz@contoso.example"]`),
		client.Contact.Create().SetID(1).SetName("inactive").SetEmail("inactive@contoso.example").SetActive(false),
		client.Contact.Create().SetID(3).SetName("removed").SetEmail("removed@contoso.example").SetRemovedAt(today()),
	).Exec(ctx)
	if err != nil {
		return err
	}
	link := func(account codex.AccountNumber, contact int) *ent.ContactCompanyLinkCreate {
		return client.ContactCompanyLink.Create().SetCompanyAccountNumber(account).SetContactID(contact)
	}
	for _, create := range []*ent.ContactCompanyLinkCreate{
		link("620547", 2), link("620547", 1), link("620547", 3), link(slashed, 2), link("77", 1),
	} {
		if err := create.Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

func fillLocations(ctx context.Context, client *ent.Client) error {
	return client.Location.CreateBulk(
		client.Location.Create().SetID(1).SetCompanyAccountNumber("620547").SetName("Main Office").
			SetAddress("1 Main St\nChicago").SetPhoneNumber("312-555-0142"),
		client.Location.Create().SetID(2).SetCompanyAccountNumber("a").SetName("Main Office"),
		client.Location.Create().SetID(3).SetCompanyAccountNumber("a").SetName("Gone").SetRemovedAt(today()),
	).Exec(ctx)
}

func fillTickets(ctx context.Context, client *ent.Client) error {
	ticket := func(id int, account codex.AccountNumber, updated time.Time, spent, unbillable int64) *ent.TicketCreate {
		return client.Ticket.Create().SetID(id).SetCompanyAccountNumber(account).
			SetSubject("No Subject").SetClosed(true).SetStatus("Closed").SetStatusCode(5).SetPriority("Low").
			SetCreatedAt(updated.Add(-time.Hour)).SetLastUpdatedAt(updated).SetUpstreamUpdatedAt(updated).
			SetSpentSeconds(spent).SetUnbillableSeconds(unbillable).SetTimerRunning(false).
			SetDescription("").SetDescriptionText("").SetConversations("").SetNotes("")
	}
	newYear := time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)
	yearAgo := today().AddDate(0, 0, -365)
	return client.Ticket.CreateBulk(
		ticket(4711, "620547", time.Date(2025, time.January, 15, 10, 30, 0, 999000000, time.UTC), 5400, 1800).
			SetSubject("Printer <on> fire").SetPriority("Urgent").
			SetDescription("<div>Hi &amp; bye</div>").SetDescriptionText("Hi & bye").
			SetRequesterID(21001099209).SetRequesterEmail("ana@contoso.example").SetRequesterName("Ana Ruiz").
			SetClosedAt(time.Date(2025, time.January, 14, 17, 0, 0, 0, time.UTC)).
			SetConversations(`[{"id":21012345678,"body":"Done","body_html":"<div>Done</div>","from_email":null,"to_emails":[],`+
				`"created_at":"2025-01-14T17:00:00Z","updated_at":"2025-01-14T17:00:00Z","incoming":false,"private":false,"user_id":21000777001,"support_email":null}]`).
			SetNotes(`[]`),
		ticket(12, "620547", newYear, 0, 0), // no time: the default
		ticket(11, "620547", newYear.Add(-time.Microsecond), 3600, 3600),
		ticket(10, "620547", yearAgo, 1, 0),
		ticket(9, "620547", yearAgo.Add(-time.Microsecond), 10, 0), // in 2024, and too old without a year
		ticket(8, "620547", newYear.AddDate(0, 3, 0), 7200, 0).SetClosed(false).SetStatus("Open").SetStatusCode(2),
		ticket(7, "620547", newYear.AddDate(0, 3, 0), 7200, 0).SetRemovedAt(today()),
		ticket(6, "620547", newYear.AddDate(0, 3, 0), 36000, 0).SetStatus("Billing Complete").SetStatusCode(16),
		ticket(5, slashed, newYear.AddDate(0, 3, 0), 900, 0),
	).Exec(ctx)
}

// The runs of fillRuns, one for each state.
func runID(n string) codex.RunID { return codex.RunID("00000000-0000-4000-8000-0000000000" + n) }

func fillRuns(ctx context.Context, client *ent.Client) error {
	start := time.Date(2025, time.October, 1, 2, 0, 0, 0, time.UTC)
	run := func(n string, feed codex.Feed, state codex.RunState, queued time.Time) *ent.SyncRunCreate {
		return client.SyncRun.Create().SetID(runID(n)).SetFeed(feed).SetMode(codex.ModeIncremental).
			SetTrigger(codex.TriggerAPI).SetRequestedBy("n").SetDryRun(false).SetForced(false).
			SetState(state).SetQueuedAt(queued)
	}
	ended := func(create *ent.SyncRunCreate, started, ended time.Time) *ent.SyncRunCreate {
		return create.SetStartedAt(started).SetEndedAt(ended)
	}
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	return client.SyncRun.CreateBulk(
		ended(run("01", codex.FeedFreshservice, codex.RunSucceeded, at(0)), at(0).Add(123456*time.Microsecond), at(1)).
			SetOutput("60 companies\ndone\n"),
		ended(run("02", codex.FeedFreshservice, codex.RunPartial, at(10)), at(10), at(11)).SetError("a page of requesters could not be read"),
		ended(run("03", codex.FeedDatto, codex.RunHeld, at(20)), at(20), at(21)).SetError("12 removals wait for approval"),
		ended(run("04", codex.FeedDatto, codex.RunFailed, at(30)), at(30), at(31)).SetError("datto: wrong credentials"),
		ended(run("05", codex.FeedDatto, codex.RunCancelled, at(40)), at(40), at(41)),
		ended(run("06", codex.FeedDatto, codex.RunInterrupted, at(50)), at(50), at(51)),
		ended(run("07", codex.FeedDatto, codex.RunSucceeded, at(60)), at(60), at(61)).SetDryRun(true),
		run("08", codex.FeedTickets, codex.RunRunning, at(70)).SetStartedAt(at(71)).SetProgressDone(17).SetProgressTotal(2000).SetOutput("17 tickets\n"),
		run("09", codex.FeedTickets, codex.RunQueued, at(80)),
	).Exec(ctx)
}
