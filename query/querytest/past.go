package querytest

import (
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
)

// AtWork is a moment at which the run r2 was at work: some versions begin and end with it.
func AtWork() time.Time { return At(12).Add(1200 * time.Millisecond) }

// past is what the hub saw of the world before. Nothing is known before r1 ended, on the 11th at one
// o'clock.
//
//   - company 620547 was called Acme Ltd and on the plan Silver until the 12th, when ann changed it;
//     777 was there until the 13th and B-2 and a-1 only since the 12th; 111 has been archived since
//     the 1st;
//   - asset 1 was OLD-1 at 900 until r2 ([AtWork]); 3 was removed by r2; 4 was gone from the 12th to
//     the 20th; backups of asset 1: 1 TB on the 11th, no number on the 12th, 1.5 TB on the 13th;
//   - contact 1 was CEO until the 12th, and at 777 too as long as that was there; 3 was removed on
//     the 5th;
//   - ticket 1001 was closed with 1 h on the 3rd, reopened on the 20th, and closed again on the 31st
//     with 2 h; 1004 was closed on the 3rd and reopened on the 4th.
func (w writer) past() {
	w.pastCompanies()
	w.pastAssets()
	w.pastContacts()
	w.pastTickets()
	must[*ent.LocationVersion](w)(w.client.LocationVersion.Create().SetLocationID(1).SetCompanyAccountNumber("620547").
		SetName("Main Office").SetAddress("1 Road").SetPhoneNumber("555-0100").SetSeenFrom(At(1)).SetRunID("r0").Save(w.ctx))
}

func (w writer) pastCompanies() {
	company := func(account codex.AccountNumber, name string, from time.Time) *ent.CompanyVersionCreate {
		return w.client.CompanyVersion.Create().SetAccountNumber(account).SetName(name).SetSeenFrom(from)
	}
	acme := func(name, plan string, from time.Time) *ent.CompanyVersionCreate {
		return company("620547", name, from).SetFreshserviceID(9007199254740993).SetDescription("a department").
			SetPlanSelected(plan).SetProfitOrNonProfit("Profit").SetCompanyMainNumber("555-0100").
			SetCompanyStartDate("May 2020").SetHeadName("Ada Head").SetPrimaryContactName("Pia Prime").
			SetDomains(`["acme.example","acme.test"]`).SetPhoneSystem("3CX").SetEmailSystem("M365").
			SetContractTermLength("1 Year").SetContractStartDate("2025-01-01").SetContractEndDate("2025-12-31").
			SetSupportLevel("All Inclusive").SetComplianceLevel("hipaa")
	}
	for _, version := range []*ent.CompanyVersionCreate{
		acme("Acme Ltd", "Silver", At(1)).SetSeenTo(At(12)).SetRunID("r0"),
		acme("Acme", "Gold", At(12)).SetChangedBy("ann"),
		company("900", "Zebra & Söhne", At(1)).SetRunID("r0"),
		company("777", "Once", At(1)).SetRunID("r0").SetSeenTo(At(13)),
		company("111", "Gone", At(0)).SetRunID("r0").SetSeenTo(At(1)),
		company("B-2", "Beta", At(12)).SetRunID("r0"),
		company("a-1", "alpha", At(12)).SetRunID("r0"),
	} {
		must[*ent.CompanyVersion](w)(version.Save(w.ctx))
	}
}

func (w writer) pastAssets() {
	asset := func(id int, account codex.AccountNumber, hostname string, from time.Time, run string) *ent.AssetVersionCreate {
		return w.client.AssetVersion.Create().SetAssetID(id).SetCompanyAccountNumber(account).SetHostname(hostname).
			SetSeenFrom(from).SetRunID(run)
	}
	for _, version := range []*ent.AssetVersionCreate{
		asset(1, "900", "OLD-1", At(11), "r1").SetDattoUID("uid-1").SetSeenTo(AtWork()),
		asset(2, "620547", "PC-2", At(11), "r1"),
		asset(3, "620547", "PC-3", At(11), "r1").SetSeenTo(AtWork()),
		asset(4, "900", "PC-FOUR", At(11), "r1").SetSeenTo(At(12)),
		asset(5, "111", "PC-5", At(11), "r1"),
		asset(1, "620547", "SRV-1", AtWork(), "r2").SetDattoUID("uid-1").SetDattoSiteUID("site-1").
			SetDattoSiteName("Acme HQ").SetHardwareType("Server").SetOperatingSystem("Windows Server 2022").
			SetDeviceType("VM Host").SetDomain("acme.local").SetSuspended(true),
		asset(4, "900", "PC-4", At(20), "r9"),
	} {
		must[*ent.AssetVersion](w)(version.Save(w.ctx))
	}
	for _, reading := range []struct {
		asset, day int
		bytes      int64
	}{{1, 11, TB}, {1, 12, -1}, {1, 13, TB + TB/2}, {4, 11, 1}} {
		create := w.client.BackupReading.Create().SetAssetID(reading.asset).SetDay(int(codex.DayOf(At(reading.day))))
		if reading.bytes >= 0 {
			create.SetBytes(reading.bytes)
		}
		must[*ent.BackupReading](w)(create.Save(w.ctx))
	}
}

func (w writer) pastContacts() {
	contact := func(id int, name, email string, from time.Time) *ent.ContactVersionCreate {
		return w.client.ContactVersion.Create().SetContactID(id).SetName(name).SetEmail(email).SetSeenFrom(from).SetRunID("r0")
	}
	ann := func(title string, from time.Time) *ent.ContactVersionCreate {
		return contact(1, "Ann Acme", "Ann@acme.example", from).SetFreshserviceID(71).SetTitle(title).
			SetEmploymentType("Part Time").SetMobilePhoneNumber("555-0101").
			SetWorkPhoneNumber("555-0102").SetSecondaryEmails(`["ann@acme.test"]`)
	}
	for _, version := range []*ent.ContactVersionCreate{
		ann("CEO", At(1)).SetSeenTo(At(12)),
		contact(2, "bob", "bob@acme.example", At(1)),
		contact(3, "cid", "cid@acme.example", At(1)).SetSeenTo(At(5)),
		ann("CFO", At(12)).SetActive(false),
	} {
		must[*ent.ContactVersion](w)(version.Save(w.ctx))
	}
	for _, link := range []struct {
		account  codex.AccountNumber
		contact  int
		from, to int
	}{{"900", 1, 1, 0}, {"620547", 1, 1, 0}, {"620547", 2, 1, 0}, {"620547", 3, 1, 5}, {"777", 1, 1, 13}} {
		create := w.client.ContactCompanyLinkVersion.Create().SetCompanyAccountNumber(link.account).SetContactID(link.contact).
			SetSource("freshservice").SetSeenFrom(At(link.from)).SetRunID("r0")
		if link.to > 0 {
			create.SetSeenTo(At(link.to))
		}
		must[*ent.ContactCompanyLinkVersion](w)(create.Save(w.ctx))
	}
}

func (w writer) pastTickets() {
	end := time.Date(2025, time.October, 31, 23, 59, 59, 0, time.UTC)
	ticket := func(id int, from, updated time.Time) *ent.TicketVersionCreate {
		return w.client.TicketVersion.Create().SetTicketID(id).SetCompanyAccountNumber("620547").
			SetSubject("printer on fire").SetClosed(true).SetStatus("Closed for good").SetStatusCode(5).SetPriority("Urgent").
			SetCreatedAt(At(1)).SetLastUpdatedAt(updated).SetSpentSeconds(0).SetUnbillableSeconds(0).SetSeenFrom(from).SetRunID("r0")
	}
	fire := func(from, updated time.Time) *ent.TicketVersionCreate {
		return ticket(1001, from, updated).SetRequesterID(71).SetRequesterEmail("Ann@acme.example").SetRequesterName("Ann Acme")
	}
	for _, version := range []*ent.TicketVersionCreate{
		fire(At(3), At(2)).SetSpentSeconds(3600).SetClosedAt(At(2)).SetSeenTo(At(20)),
		ticket(1002, At(1), time.Date(2024, time.December, 31, 23, 59, 59, 999999000, time.UTC)),
		ticket(1003, At(1), time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC)).SetSpentSeconds(600).SetUnbillableSeconds(600),
		ticket(1004, At(3), At(3)).SetSeenTo(At(4)),
		ticket(1004, At(4), At(3)).SetClosed(false).SetStatus("Open").SetStatusCode(2),
		fire(At(20), At(2)).SetClosed(false).SetStatus("Open").SetStatusCode(2).SetSpentSeconds(3600).SetClosedAt(At(2)).SetSeenTo(end),
		fire(end, end).SetSpentSeconds(7200).SetUnbillableSeconds(1800).SetClosedAt(At(20)),
	} {
		must[*ent.TicketVersion](w)(version.Save(w.ctx))
	}
}
