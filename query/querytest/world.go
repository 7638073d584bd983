// Package querytest fills a test's database with a small world in which each rule of what is
// served, and how it is read, has its case.
package querytest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// TB is a terabyte as Datto counts.
const TB = 1 << 40

// At is a moment of the world: that day of October 2025, at noon.
func At(day int) time.Time { return time.Date(2025, time.October, day, 12, 0, 0, 0, time.UTC) }

// World fills db with:
//
//   - companies 620547 (every field has a value), 900 (no field that may be null has one), B-2 and
//     a-1 (nothing hangs on them; B-2 has a plan that there is not), 111 (archived, with an asset and a ticket);
//   - assets of 620547: 1 (every field; 1.5 TB), 2 (no backup), 3 (removed); of 900: 4 (1 byte);
//     of 111: 5;
//   - contacts 1 (every field; of 620547 and 900; uses 1, 2 and 4), 2 (of 620547; uses 1), 3
//     (removed, of 620547, uses 1), 4 (of the archived 111 alone, uses 5);
//   - tickets of 620547: 1001 (every field; 2 h, of them 0.5 h not billable; two entries), 1002
//     (no time; the last instant of 2024), 1003 (all its time not billable), 1004 (reopened), 1005
//     (removed); of 111: 1006;
//   - a location and two Datto RMM sites of 620547, one of them removed;
//   - runs r1 to r5, issues 1 to 3, the past, archived bills, billing plans and snapshot jobs, told beside the code.
func World(t testing.TB, db *store.DB) {
	t.Helper()
	if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		w := writer{t: t, ctx: ctx, client: tx.Ent()}
		w.companies()
		w.assets()
		w.contacts()
		w.tickets()
		w.places()
		w.runs()
		w.past()
		w.bills()
		w.plans()
		w.jobs()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

type writer struct {
	t      testing.TB
	ctx    context.Context // the transaction's: a writer lives for one fill
	client *ent.Client
}

// must ends the test where a row could not be written.
func must[T any](w writer) func(T, error) {
	return func(_ T, err error) {
		w.t.Helper()
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w writer) companies() {
	must[*ent.Company](w)(w.client.Company.Create().
		SetID("620547").SetName("Acme").SetFreshserviceID(9007199254740993).SetDescription("a department").
		SetPlanSelected("Gold").SetProfitOrNonProfit("Profit").SetCompanyMainNumber("555-0100").
		SetCompanyStartDate("May 2020").SetHeadName("Ada Head").SetPrimaryContactName("Pia Prime").
		SetDomains(`["acme.example","acme.test"]`).SetPhoneSystem("3CX").SetEmailSystem("M365").SetPhoneSystemLocal(true).SetEmailSystemLocal(true).
		SetContractTermLength("1 Year").SetContractStartDate("2025-01-01").SetContractEndDate("2025-12-31").
		SetSupportLevel("All Inclusive").SetComplianceLevel("hipaa").Save(w.ctx))
	for account, name := range map[codex.AccountNumber]string{"900": "Zebra & Söhne", "B-2": "Beta", "a-1": "alpha"} {
		create := w.client.Company.Create().SetID(account).SetName(name)
		if account == "B-2" {
			create.SetPlanSelected("Gold").SetContractTermLength("3 Year")
		}
		must[*ent.Company](w)(create.Save(w.ctx))
	}
	must[*ent.Company](w)(w.client.Company.Create().SetID("111").SetName("Gone").SetArchivedAt(At(1)).Save(w.ctx))
}

func (w writer) assets() {
	must[*ent.Asset](w)(w.client.Asset.Create().
		SetID(1).SetCompanyAccountNumber("620547").SetDattoUID("uid-1").SetHostname("SRV-1").
		SetDattoSiteUID("site-1").SetDattoSiteName("Acme HQ").SetHardwareType("Server").
		SetOperatingSystem("Windows Server 2022").SetDeviceType("VM Host").SetDomain("acme.local").
		SetSuspended(true).SetBackupBytes(TB + TB/2).SetDattoID(9007199254740995).SetDeviceClass("device").
		SetDescription("the big one").SetLastLoggedInUser(`ACME\ann`).SetAntivirusProduct("Defender").
		SetExtIPAddress("203.0.113.7").SetIntIPAddress("10.0.0.7").SetOnline(true).SetLastSeen(At(10)).
		SetLastReboot(At(9)).SetLastAuditDate(At(8)).SetPatchStatus("FullyPatched").
		SetEnabledAdministrators("Administrator").SetPortalURL("https://rmm.example/1").
		SetWebRemoteURL("https://rmm.example/1/remote").Save(w.ctx))
	asset := func(id int, account codex.AccountNumber) *ent.AssetCreate {
		return w.client.Asset.Create().SetID(id).SetCompanyAccountNumber(account).SetHostname(fmt.Sprintf("PC-%d", id))
	}
	must[*ent.Asset](w)(asset(2, "620547").Save(w.ctx))
	must[*ent.Asset](w)(asset(3, "620547").SetBackupBytes(7).SetRemovedAt(At(5)).Save(w.ctx))
	must[*ent.Asset](w)(asset(4, "900").SetBackupBytes(1).SetOnline(false).Save(w.ctx))
	must[*ent.Asset](w)(asset(5, "111").SetBackupBytes(9).Save(w.ctx))
}

func (w writer) contacts() {
	must[*ent.Contact](w)(w.client.Contact.Create().
		SetID(1).SetName("Ann Acme").SetEmail("Ann@acme.example").SetFreshserviceID(71).SetTitle("CFO").
		SetEmploymentType("Part Time").SetActive(false).SetMobilePhoneNumber("555-0101").
		SetWorkPhoneNumber("555-0102").SetSecondaryEmails(`["ann@acme.test"]`).Save(w.ctx))
	for id, name := range map[int]string{2: "bob", 3: "cid", 4: "dee"} {
		contact := w.client.Contact.Create().SetID(id).SetName(name).SetEmail(name + "@acme.example")
		if id == 3 {
			contact.SetRemovedAt(At(5))
		}
		must[*ent.Contact](w)(contact.Save(w.ctx))
	}
	for _, link := range []struct {
		account codex.AccountNumber
		contact int
	}{{"900", 1}, {"620547", 1}, {"620547", 2}, {"620547", 3}, {"111", 4}} {
		must[*ent.ContactCompanyLink](w)(w.client.ContactCompanyLink.Create().
			SetCompanyAccountNumber(link.account).SetContactID(link.contact).SetSource("freshservice").Save(w.ctx))
	}
	for _, link := range [][2]int{{4, 1}, {2, 1}, {1, 1}, {1, 2}, {1, 3}, {5, 4}} {
		must[*ent.AssetContactLink](w)(w.client.AssetContactLink.Create().
			SetAssetID(link[0]).SetContactID(link[1]).SetSource("last_user").Save(w.ctx))
	}
}

func (w writer) tickets() {
	ticket := func(id int, account codex.AccountNumber, updated time.Time) *ent.TicketCreate {
		return w.client.Ticket.Create().SetID(id).SetCompanyAccountNumber(account).
			SetSubject(fmt.Sprintf("ticket %d", id)).SetClosed(true).SetStatus("Closed").SetStatusCode(5).
			SetPriority("Low").SetCreatedAt(At(1)).SetLastUpdatedAt(updated).SetUpstreamUpdatedAt(updated).
			SetSpentSeconds(0).SetUnbillableSeconds(0).SetDescription("").SetDescriptionText("").
			SetConversations("[]").SetNotes("[]").SetTimerRunning(false)
	}
	must[*ent.Ticket](w)(ticket(1001, "620547", time.Date(2025, time.October, 31, 23, 59, 59, 0, time.UTC)).
		SetSubject("printer on fire").SetStatus("Closed for good").SetPriority("Urgent").SetRequesterID(71).
		SetRequesterEmail("Ann@acme.example").SetRequesterName("Ann Acme").SetClosedAt(At(20)).
		SetSpentSeconds(7200).SetUnbillableSeconds(1800).SetDescription("<p>help</p>").SetDescriptionText("help").
		SetConversations(`[{"id":9007199254740997,"body":"hi","body_html":"<p>hi</p>","from_email":"ann@acme.example","to_emails":["desk@msp.example"],"created_at":"2025-10-02T08:00:00Z","updated_at":"2025-10-02T09:00:00+01:00","incoming":true,"private":false,"user_id":71,"support_email":"desk@msp.example"}]`).
		SetNotes(`[{"id":2,"body":"bad cable","body_html":"","from_email":null,"to_emails":[],"created_at":"2025-10-03T08:00:00Z","updated_at":null,"incoming":false,"private":true,"user_id":null,"support_email":null}]`).
		SetTimerRunning(true).Save(w.ctx))
	must[*ent.Ticket](w)(ticket(1002, "620547", time.Date(2024, time.December, 31, 23, 59, 59, 999999000, time.UTC)).Save(w.ctx))
	must[*ent.Ticket](w)(ticket(1003, "620547", time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)).
		SetSpentSeconds(600).SetUnbillableSeconds(600).Save(w.ctx))
	must[*ent.Ticket](w)(ticket(1004, "620547", At(3)).SetClosed(false).SetStatus("Open").SetStatusCode(2).Save(w.ctx))
	must[*ent.Ticket](w)(ticket(1005, "620547", At(3)).SetRemovedAt(At(4)).Save(w.ctx))
	must[*ent.Ticket](w)(ticket(1006, "111", At(3)).Save(w.ctx))
	must[*ent.TimeEntry](w)(w.client.TimeEntry.Create().SetID(52).SetTicketID(1001).SetAgentID(9007199254740999).
		SetSpentSeconds(5400).SetBillable(true).SetTimerRunning(true).SetExecutedAt(At(2)).SetNote("put it out").Save(w.ctx))
	must[*ent.TimeEntry](w)(w.client.TimeEntry.Create().SetID(51).SetTicketID(1001).
		SetSpentSeconds(1800).SetBillable(false).SetTimerRunning(false).Save(w.ctx))
}

func (w writer) places() {
	must[*ent.Location](w)(w.client.Location.Create().SetID(1).SetCompanyAccountNumber("620547").
		SetName("Main Office").SetAddress("1 Road").SetPhoneNumber("555-0100").Save(w.ctx))
	must[*ent.DattoSiteLink](w)(w.client.DattoSiteLink.Create().SetID(1).SetCompanyAccountNumber("620547").
		SetDattoSiteUID("site-1").SetName("Acme HQ").SetDattoID(9007199254741001).Save(w.ctx))
	must[*ent.DattoSiteLink](w)(w.client.DattoSiteLink.Create().SetID(2).SetCompanyAccountNumber("620547").
		SetDattoSiteUID("site-2").SetName("Acme old").SetRemovedAt(At(5)).Save(w.ctx))
}

// runs are, by the day on which they were asked for: r1 datto, succeeded on the 11th; r2 datto,
// held, every field has a value, ended on the 12th; r3 datto, failed; r4 datto, a dry run; r5
// tickets, queued at the same moment as r4. r2 holds assets 1 and 2, which were approved and went
// with r3; the plan of r4 has a change of each kind. Issue 1 (datto, every field, seen on the 2nd) and
// 2 (tickets, no complete run since) are open, 3 (datto) is closed.
func (w writer) runs() {
	run := func(id codex.RunID, feed codex.Feed, state codex.RunState, day int) *ent.SyncRunCreate {
		create := w.client.SyncRun.Create().SetID(id).SetFeed(feed).SetMode(codex.ModeIncremental).
			SetTrigger(codex.TriggerSchedule).SetRequestedBy("scheduler").SetDryRun(false).SetForced(false).
			SetState(state).SetQueuedAt(At(day))
		if state.Final() {
			create.SetEndedAt(At(day).Add(time.Hour))
		}
		return create
	}
	must[*ent.SyncRun](w)(run("r1", codex.FeedDatto, codex.RunSucceeded, 11).Save(w.ctx))
	must[*ent.SyncRun](w)(w.client.SyncRun.Create().SetID("r2").SetFeed(codex.FeedDatto).SetMode(codex.ModeFull).
		SetTrigger(codex.TriggerCatchUp).SetRequestedBy("ann").SetDryRun(false).SetForced(true).
		SetState(codex.RunHeld).SetQueuedAt(At(12)).SetStartedAt(At(12).Add(time.Second)).
		SetEndedAt(At(12).Add(1500 * time.Millisecond)).SetHeartbeatAt(At(12).Add(time.Minute)).
		SetPhase("applying").SetProgressDone(3).SetProgressTotal(4).SetRequests(17).SetWaitedMs(2500).
		SetCounts(`[{"entity":"assets","created":1,"updated":2,"removed":3,"unchanged":4,"held":5,"issues":6}]`).
		SetError("held: 5 removals").SetOutput("reading\napplying\n").SetResumed(true).SetCancelRequestedBy("cy").
		SetApprovedBy("ann").SetApprovalReason("sold").SetApprovedAt(At(13)).SetApprovalRunID("r3").Save(w.ctx))
	must[*ent.SyncRun](w)(run("r3", codex.FeedDatto, codex.RunFailed, 13).Save(w.ctx))
	must[*ent.SyncRun](w)(run("r4", codex.FeedDatto, codex.RunSucceeded, 14).SetDryRun(true).Save(w.ctx))
	must[*ent.SyncRun](w)(run("r5", codex.FeedTickets, codex.RunQueued, 14).Save(w.ctx))
	change := func(run codex.RunID, ordinal int, entity, kind, record, label, fields string) *ent.SyncChangeCreate {
		return w.client.SyncChange.Create().SetRunID(run).SetOrdinal(ordinal).SetEntity(entity).SetKind(kind).
			SetRecordID(record).SetLabel(label).SetFields(fields)
	}
	must[*ent.SyncChange](w)(change("r2", 1, "assets", "held", "1", "SRV-1", `[]`).SetCompanyAccountNumber("620547").Save(w.ctx))
	must[*ent.SyncChange](w)(change("r2", 2, "assets", "held", "2", "PC-2",
		`[{"field":"company_account_number","old":"620547","new":"900"}]`).SetCompanyAccountNumber("620547").Save(w.ctx))
	must[*ent.SyncChange](w)(change("r4", 1, "sites", "created", "site-3", "Acme new", `[]`).SetCompanyAccountNumber("620547").Save(w.ctx))
	must[*ent.SyncChange](w)(change("r4", 2, "assets", "changed", "1", "SRV-1",
		`[{"field":"hostname","old":"SRV-1","new":"SRV-01"},{"field":"backup_bytes","old":9007199254740993,"new":null},`+
			`{"field":"online","old":true,"new":false},{"field":"last_seen","old":null,"new":"2025-10-14T12:00:00Z"}]`).
		SetCompanyAccountNumber("620547").Save(w.ctx))
	must[*ent.SyncChange](w)(change("r4", 3, "assets", "removed", "2", "PC-2", `[]`).SetCompanyAccountNumber("620547").Save(w.ctx))
	must[*ent.SyncChange](w)(change("r4", 4, "assets", "returned", "3", "PC-3", `[]`).SetCompanyAccountNumber("620547").Save(w.ctx))
	must[*ent.SyncChange](w)(change("r4", 5, "asset_links", "held", "1/1", "", `[]`).Save(w.ctx))
	issue := func(feed codex.Feed, upstream string, first, last int) *ent.SyncIssueCreate {
		return w.client.SyncIssue.Create().SetFeed(feed).SetKind("no_account_number").SetUpstreamID(upstream).
			SetReason("give it one").SetFirstSeenAt(At(first)).SetLastSeenAt(At(last)).SetFirstRunID("r0")
	}
	must[*ent.SyncIssue](w)(issue(codex.FeedDatto, "site-9", 1, 2).SetCompanyAccountNumber("620547").Save(w.ctx))
	must[*ent.SyncIssue](w)(issue(codex.FeedTickets, "77", 3, 3).SetKind("ticket_without_company").Save(w.ctx))
	must[*ent.SyncIssue](w)(issue(codex.FeedDatto, "site-8", 1, 2).SetClosedAt(At(11)).Save(w.ctx))
}
