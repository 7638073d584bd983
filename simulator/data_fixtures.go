package simulator

import (
	"fmt"
	"time"
)

// How many records the fixtures take out of each amount.
const (
	fixtureCompanies    = 4 // with Contoso
	fixtureContacts     = 3
	fixtureTickets      = 17
	fixtureDevices      = 18 // at the companies' sites, beside two of Contoso's own
	fixtureOtherDevices = 4  // at sites that belong to no company
)

// Fixtures say where the awkward cases are, each of which an upstream's documents or a real client
// has met. They are zero in a Plain world.
type Fixtures struct {
	// Departments.
	DepartmentTextAccount int64 // account_number is text with blanks around the digits
	DepartmentWordAccount int64 // account_number is text that is no number
	DepartmentNoAccount   int64 // account_number is not among the custom fields
	DepartmentNullAccount int64 // account_number is null
	DepartmentWithoutPlan int64 // its plan_selected is in no file of plans

	// Requesters.
	RequesterWithoutEmail     int64 // primary_email is null, a phone exists
	RequesterInTwoDepartments int64
	RequesterInactive         int64
	AgentThatWasRequester     int64 // served by /agents only; still a ticket's requester

	// Tickets, all of the past year; closed unless the name says otherwise.
	TicketBillingComplete    int64 // closed, then given the custom status 16
	TicketReopened           int64 // was closed, is open again
	TicketDeleted            int64
	TicketSpam               int64
	TicketWithoutDepartment  int64
	TicketUnplaced           int64 // its department has no account number
	TicketWithoutEntries     int64
	TicketWith35Entries      int64
	TicketWithRunningTimer   int64
	TicketWith120Messages    int64
	TicketUnbillable         int64 // one of its two entries is not billable
	TicketWithSeconds        int64 // entries of 01:30:30, "" and null
	TicketOverADay           int64 // one entry of 31:15
	TicketByAgent            int64 // its requester is AgentThatWasRequester
	TicketWithoutSubject     int64
	TicketInOtherWorkspace   int64
	TicketClosedWithoutStats int64 // every time of its stats is null

	// Sites.
	SiteSecondOfContoso string
	SiteWithoutAccount  string // has no variable at all
	SiteMaskedAccount   string // AccountNumber is masked
	SiteUnknownAccount  string // AccountNumber names no department
	SiteWithoutDevices  string // a company's, with an account number with blanks around it
	SiteDeletedDevices  string // the pseudo site

	// Devices.
	DeviceTwins         [2]string // one hostname, one site
	DeviceMoved         string    // named after Contoso, at another company's site
	DeviceNulls         string    // everything but id, uid, site and hostname is null
	DeviceWithoutName   string    // the hostname is null too
	DeviceSparse        string    // keys that could be null are missing
	DeviceTimes         map[TimeForm]string
	DeviceWithoutUDFs   string // no udf object
	DeviceWith300UDFs   string
	DeviceBackupNoText  string // udf6 is a JSON number, udf4 a boolean
	DeviceBackupNoValue string // udf6 is no number
	DeviceDeleted       string // deleted: true, still listed at its site
	DeviceSuspended     string
	DeviceDomainUser    string // Contoso's, last user CONTOSO\ana
	DeviceEmailUser     string // Contoso's, last user by e-mail address
}

// Fixtures tells where the awkward cases of this world are.
func (s *Sim) Fixtures() Fixtures {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.world.fixtures
}

func (g *generator) makeFixtures() {
	g.departmentFixtures()
	g.requesterFixtures()
	g.ticketFixtures()
	g.siteFixtures()
	g.deviceFixtures()
}

func (g *generator) departmentFixtures() {
	setAccount := func(c *company, upstream any, datto string) int64 {
		c.account, c.department.CustomFields["account_number"] = datto, upstream
		for _, s := range c.sites {
			for i := range s.Variables {
				if s.Variables[i].Name == "AccountNumber" {
					s.Variables[i].Value = new(datto)
				}
			}
		}
		return c.department.ID
	}
	text := g.companies[1]
	g.fixtures.DepartmentTextAccount = setAccount(text, " "+text.account+" ", text.account)
	g.fixtures.DepartmentWordAccount = setAccount(g.companies[2], "NW-2044", "NW-2044")

	planless := g.companies[3].department
	planless.CustomFields["plan_selected"] = planWithoutFile
	g.fixtures.DepartmentWithoutPlan = planless.ID

	extra := func(name string) *Department {
		at := MilliTime{g.daysAgo(900, 600)}
		d := &Department{ID: take(&g.ids.department), Name: name, WorkspaceID: primaryWorkspace,
			CustomFields: map[string]any{"plan_selected": nil, "address": nil}, CreatedAt: at, UpdatedAt: at}
		g.departments[d.ID] = d
		return d
	}
	internal := extra("Internal IT") // domains are null here
	prospect := extra("Prospect (no contract yet)")
	prospect.Domains = []string{}
	prospect.CustomFields["account_number"] = nil
	g.fixtures.DepartmentNoAccount, g.fixtures.DepartmentNullAccount = internal.ID, prospect.ID
}

func (g *generator) requesterFixtures() {
	next := contosoContacts
	following := func() *Requester {
		next++
		return g.requesterList[next-1]
	}
	nameless := following()
	nameless.PrimaryEmail, nameless.MobilePhoneNumber = nil, new(g.phone())
	g.fixtures.RequesterWithoutEmail = nameless.ID

	both := following()
	both.DepartmentIDs = []int64{g.companies[0].department.ID, g.companies[1].department.ID}
	both.DepartmentNames = g.departmentNames(both.DepartmentIDs)
	g.fixtures.RequesterInTwoDepartments = both.ID

	left := following()
	left.Active = false
	g.fixtures.RequesterInactive = left.ID

	contoso := g.companies[0].department
	turned := &Agent{
		ID: take(&g.ids.user), FirstName: "Robin", LastName: new("Castellanos"), JobTitle: new("IT Liaison"),
		Email: "robin@contoso.example", WorkPhoneNumber: new(g.phone()), DepartmentIDs: []int64{contoso.ID},
		Occasional: true, TimeZone: "Eastern Time (US & Canada)", TimeFormat: "12h", Language: "en",
		CustomFields: map[string]any{}, Active: true, CreatedAt: g.daysAgo(800, 700), UpdatedAt: g.daysAgo(90, 60),
	}
	g.agents[turned.ID] = turned
	g.fixtures.AgentThatWasRequester = turned.ID
}

// ticketFixtures makes over the tickets behind Contoso's own.
func (g *generator) ticketFixtures() {
	next := contosoTickets
	// following is the next ticket, made anew as a closed one without entries and conversations; its
	// number is written to id when it has one.
	following := func(id *int64) *Ticket {
		c := g.companies[next%len(g.companies)]
		created := g.now.Add(-time.Duration(20+next*9) * 24 * time.Hour)
		t := g.newTicket(c, created, StatusClosed)
		t.TimeEntries, t.Conversations = nil, nil
		t.Stats.TicketID = g.ticketList[next].Stats.TicketID
		g.ticketList[next] = t
		next++
		g.numbered = append(g.numbered, func() { *id = t.ID })
		return t
	}
	f := &g.fixtures

	complete := following(&f.TicketBillingComplete)
	g.addEntry(complete, "01:15", true)
	complete.Status = StatusBillingComplete
	complete.UpdatedAt = complete.UpdatedAt.Add(48 * time.Hour)
	complete.Stats.StatusUpdatedAt = new(complete.UpdatedAt)

	reopened := following(&f.TicketReopened)
	g.addEntry(reopened, "00:40", true)
	reopened.Status, reopened.UpdatedAt = StatusOpen, g.now.Add(-36*time.Hour)
	reopened.Stats.ClosedAt, reopened.Stats.ResolvedAt, reopened.Stats.ResolutionTimeInSecs = nil, nil, nil
	reopened.Stats.StatusUpdatedAt = new(reopened.UpdatedAt)

	deleted := following(&f.TicketDeleted)
	g.addEntry(deleted, "00:30", true)
	deleted.Deleted = true
	following(&f.TicketSpam).Spam = true
	following(&f.TicketWithoutDepartment).DepartmentID = nil
	following(&f.TicketUnplaced).DepartmentID = new(f.DepartmentNoAccount)
	following(&f.TicketWithoutEntries)

	many := following(&f.TicketWith35Entries)
	for range 35 {
		g.addEntry(many, "00:10", true)
	}
	timer := following(&f.TicketWithRunningTimer)
	g.addEntry(timer, "00:25", true)
	g.addEntry(timer, "00:05", true)
	timer.TimeEntries[1].TimerRunning = true

	chatty := following(&f.TicketWith120Messages)
	for i := range 120 {
		g.addConversation(chatty, i)
	}
	unbillable := following(&f.TicketUnbillable)
	g.addEntry(unbillable, "01:00", true)
	g.addEntry(unbillable, "00:45", false)

	odd := following(&f.TicketWithSeconds)
	g.addEntry(odd, "01:30:30", true)
	g.addEntry(odd, "", true)
	g.addEntry(odd, "", true)
	odd.TimeEntries[2].TimeSpent = nil

	g.addEntry(following(&f.TicketOverADay), "31:15", true)

	byAgent := following(&f.TicketByAgent)
	byAgent.RequesterID, byAgent.RequestedForID = f.AgentThatWasRequester, f.AgentThatWasRequester
	byAgent.DepartmentID = new(g.companies[0].department.ID)

	following(&f.TicketWithoutSubject).Subject = nil
	following(&f.TicketInOtherWorkspace).WorkspaceID = 3

	bare := following(&f.TicketClosedWithoutStats)
	bare.Stats = TicketStats{TicketID: bare.Stats.TicketID}
}

func (g *generator) siteFixtures() {
	f := &g.fixtures
	f.SiteSecondOfContoso = g.companies[0].sites[1].UID
	f.SiteDeletedDevices = g.newSite(deletedDevicesUID, "Deleted Devices").UID
	without := g.newSite(newUID(g.rand), "Lab (no customer)")
	masked := g.newSite(newUID(g.rand), g.companies[2].department.Name+" Kiosk",
		Variable{Name: "AccountNumber", Value: new("*****"), Masked: true})
	unknown := g.newSite(newUID(g.rand), "Former Customer", accountVariable("000999"))
	empty := g.newSite(newUID(g.rand), g.companies[3].department.Name+" Annex", accountVariable("  "+g.companies[3].account+" "))
	f.SiteWithoutAccount, f.SiteMaskedAccount = without.UID, masked.UID
	f.SiteUnknownAccount, f.SiteWithoutDevices = unknown.UID, empty.UID

	nobody := &company{slug: "lab", prefix: "LAB", hosts: map[string]int{}}
	for _, site := range []*Site{without, without, masked, unknown} {
		g.addDevice(site, g.newDevice(nobody, 60))
	}
	for range 2 {
		gone := g.newDevice(nobody, 0)
		gone.Deleted, gone.Online = new(true), new(false)
		g.addDevice(g.sites[deletedDevicesUID], gone)
	}
}

// deviceFixtures makes over the devices behind Contoso's own.
func (g *generator) deviceFixtures() {
	f := &g.fixtures
	contoso := g.companies[0]
	domainUser, emailUser := g.deviceList[0], g.deviceList[1]
	domainUser.LastLoggedInUser = new(`CONTOSO\ana`)
	emailUser.LastLoggedInUser = new(*contoso.contacts[1].PrimaryEmail)
	f.DeviceDomainUser, f.DeviceEmailUser = domainUser.UID, emailUser.UID

	next := contosoAssets
	// following is the next device, made anew as a laptop of a company at its first site.
	following := func(c *company) *Device {
		old := g.deviceList[next]
		d, site := g.newDevice(c, 0), c.sites[0]
		d.ID, d.PortalURL, d.WebRemoteURL = old.ID, old.PortalURL, old.WebRemoteURL
		d.SiteID, d.SiteUID, d.SiteName = new(site.ID), new(site.UID), new(site.Name)
		delete(g.devices, old.UID)
		g.devices[d.UID], g.deviceList[next] = &d, &d
		next++
		return &d
	}
	second, third, fourth := g.companies[1], g.companies[2], g.companies[3]

	one, two := following(second), following(second)
	one.Hostname, two.Hostname = new(second.prefix+"-TWIN"), new(second.prefix+"-TWIN")
	f.DeviceTwins = [2]string{one.UID, two.UID}

	moved := following(third)
	moved.Hostname = new("CONTOSO-OLD01")
	f.DeviceMoved = moved.UID

	bare := func(named bool) string {
		d := following(fourth)
		kept := Device{ID: d.ID, UID: d.UID, SiteID: d.SiteID, SiteUID: d.SiteUID, SiteName: d.SiteName,
			LastSeen: NullTime(), LastReboot: NullTime(), LastAuditDate: NullTime(), CreationDate: NullTime(),
			UDF: make(UDFs, 30)}
		if named {
			kept.Hostname = d.Hostname
		}
		*d = kept
		return d.UID
	}
	f.DeviceNulls, f.DeviceWithoutName = bare(true), bare(false)
	f.DeviceSparse = bare(true)
	g.distortions[distortionKey{EntityDevice, f.DeviceSparse}] = []func(map[string]any){
		func(record map[string]any) {
			for name, value := range record {
				if value == nil {
					delete(record, name)
				}
			}
		},
	}

	f.DeviceTimes = map[TimeForm]string{}
	for _, form := range []TimeForm{TimeNumericString, TimeISO, TimeZero, TimeYearOne, TimeNull} {
		d := following(fourth)
		for _, t := range []*DattoTime{&d.LastSeen, &d.LastReboot, &d.LastAuditDate, &d.CreationDate} {
			t.Form = form
		}
		f.DeviceTimes[form] = d.UID
	}
	f.DeviceTimes[TimeMillis] = domainUser.UID

	without := following(second)
	without.UDF = nil
	f.DeviceWithoutUDFs = without.UID

	wide := following(second)
	wide.UDF = append(wide.UDF, make(UDFs, 270)...)
	wide.UDF[5], wide.UDF[299] = "1099511627776", "the last one"
	f.DeviceWith300UDFs = wide.UID

	numeric := following(second)
	numeric.UDF[5], numeric.UDF[3] = int64(549755813888), true
	f.DeviceBackupNoText = numeric.UID

	wrong := following(second)
	wrong.UDF[5] = "n/a"
	f.DeviceBackupNoValue = wrong.UID

	deleted := following(second)
	deleted.Deleted, deleted.Online = new(true), new(false)
	f.DeviceDeleted = deleted.UID

	suspended := following(second)
	suspended.Suspended = new(true)
	f.DeviceSuspended = suspended.UID

	contosoLaptop := following(contoso)
	contosoLaptop.UDF[5] = fmt.Sprint(int64(1) << 40)
}
