package querytest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// Many fills db with n companies, C0001 and so on, each with perCompany assets of one contact each
// who belongs to it, a location, a closed ticket and an archived bill with perCompany lines; and with the same as what the hub has seen since
// a run on the 1st.
func Many(t testing.TB, db *store.DB, n, perCompany int) {
	t.Helper()
	if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		w := writer{t: t, ctx: ctx, client: tx.Ent()}
		return errors.Join(w.manyPlans(n), w.manyCompanies(n), w.manyMachines(n, perCompany), w.manyPastMachines(n, perCompany), w.manyBills(n, perCompany))
	}); err != nil {
		t.Fatal(err)
	}
}

func manyAccount(i int) codex.AccountNumber { return codex.AccountNumber(fmt.Sprintf("C%04d", i+1)) }

func (w writer) manyCompanies(n int) error {
	var companies []*ent.CompanyCreate
	var locations []*ent.LocationCreate
	var tickets []*ent.TicketCreate
	var pastCompanies []*ent.CompanyVersionCreate
	var pastLocations []*ent.LocationVersionCreate
	var pastTickets []*ent.TicketVersionCreate
	for c := range n {
		account := manyAccount(c)
		name := "Company " + string(account)
		companies = append(companies, w.client.Company.Create().SetID(account).SetName(name).SetPlanSelected(manyPlan(c)))
		locations = append(locations, w.client.Location.Create().SetID(c+1).SetCompanyAccountNumber(account).SetName("x"))
		tickets = append(tickets, w.client.Ticket.Create().SetID(c+1).SetCompanyAccountNumber(account).SetSubject("x").
			SetClosed(true).SetStatus("Closed").SetStatusCode(5).SetPriority("Low").SetCreatedAt(At(1)).
			SetLastUpdatedAt(At(1)).SetUpstreamUpdatedAt(At(1)).SetSpentSeconds(0).SetUnbillableSeconds(0).
			SetDescription("").SetDescriptionText("").SetConversations("[]").SetNotes("[]").SetTimerRunning(false))
		pastCompanies = append(pastCompanies, w.client.CompanyVersion.Create().SetAccountNumber(account).SetName(name).
			SetSeenFrom(At(1)).SetRunID("many"))
		pastLocations = append(pastLocations, w.client.LocationVersion.Create().SetLocationID(c+1).
			SetCompanyAccountNumber(account).SetName("x").SetSeenFrom(At(1)).SetRunID("many"))
		pastTickets = append(pastTickets, w.client.TicketVersion.Create().SetTicketID(c+1).SetCompanyAccountNumber(account).
			SetSubject("x").SetClosed(true).SetStatus("Closed").SetStatusCode(5).SetPriority("Low").SetCreatedAt(At(1)).
			SetLastUpdatedAt(At(1)).SetSpentSeconds(0).SetUnbillableSeconds(0).SetSeenFrom(At(1)).SetRunID("many"))
	}
	run := w.client.SyncRun.Create().SetID("many").SetFeed(codex.FeedFreshservice).SetMode(codex.ModeFull).
		SetTrigger(codex.TriggerSchedule).SetRequestedBy("scheduler").SetDryRun(false).SetForced(false).
		SetState(codex.RunSucceeded).SetQueuedAt(At(1)).SetStartedAt(At(1)).SetEndedAt(At(1).Add(time.Hour))
	return errors.Join(
		run.Exec(w.ctx),
		w.client.Company.CreateBulk(companies...).Exec(w.ctx),
		w.client.Location.CreateBulk(locations...).Exec(w.ctx),
		w.client.Ticket.CreateBulk(tickets...).Exec(w.ctx),
		w.client.CompanyVersion.CreateBulk(pastCompanies...).Exec(w.ctx),
		w.client.LocationVersion.CreateBulk(pastLocations...).Exec(w.ctx),
		w.client.TicketVersion.CreateBulk(pastTickets...).Exec(w.ctx))
}

func (w writer) manyMachines(n, perCompany int) error {
	var assets []*ent.AssetCreate
	var contacts []*ent.ContactCreate
	var links []*ent.ContactCompanyLinkCreate
	var uses []*ent.AssetContactLinkCreate
	for i := range n * perCompany {
		id, account := i+1, manyAccount(i/perCompany)
		assets = append(assets, w.client.Asset.Create().SetID(id).SetCompanyAccountNumber(account).
			SetHostname(fmt.Sprintf("PC-%d", id)))
		contacts = append(contacts, w.client.Contact.Create().SetID(id).SetName("x").
			SetEmail(fmt.Sprintf("p%d@example.com", id)))
		links = append(links, w.client.ContactCompanyLink.Create().SetContactID(id).SetCompanyAccountNumber(account))
		uses = append(uses, w.client.AssetContactLink.Create().SetAssetID(id).SetContactID(id))
	}
	return errors.Join(
		w.client.Asset.CreateBulk(assets...).Exec(w.ctx),
		w.client.Contact.CreateBulk(contacts...).Exec(w.ctx),
		w.client.ContactCompanyLink.CreateBulk(links...).Exec(w.ctx),
		w.client.AssetContactLink.CreateBulk(uses...).Exec(w.ctx))
}

func (w writer) manyPastMachines(n, perCompany int) error {
	var assets []*ent.AssetVersionCreate
	var contacts []*ent.ContactVersionCreate
	var links []*ent.ContactCompanyLinkVersionCreate
	var readings []*ent.BackupReadingCreate
	for i := range n * perCompany {
		id, account := i+1, manyAccount(i/perCompany)
		assets = append(assets, w.client.AssetVersion.Create().SetAssetID(id).SetCompanyAccountNumber(account).
			SetHostname(fmt.Sprintf("PC-%d", id)).SetSeenFrom(At(1)).SetRunID("many"))
		contacts = append(contacts, w.client.ContactVersion.Create().SetContactID(id).SetName("x").
			SetEmail(fmt.Sprintf("p%d@example.com", id)).SetSeenFrom(At(1)).SetRunID("many"))
		links = append(links, w.client.ContactCompanyLinkVersion.Create().SetContactID(id).
			SetCompanyAccountNumber(account).SetSeenFrom(At(1)).SetRunID("many"))
		readings = append(readings, w.client.BackupReading.Create().SetAssetID(id).
			SetDay(int(codex.DayOf(At(1)))).SetBytes(int64(id)))
	}
	return errors.Join(
		w.client.AssetVersion.CreateBulk(assets...).Exec(w.ctx),
		w.client.ContactVersion.CreateBulk(contacts...).Exec(w.ctx),
		w.client.ContactCompanyLinkVersion.CreateBulk(links...).Exec(w.ctx),
		w.client.BackupReading.CreateBulk(readings...).Exec(w.ctx))
}
