package simulator

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Contoso is the customer that every world has, with machines at two sites, people, a main office
// and a year of closed tickets.
const (
	ContosoName          = "Contoso"
	ContosoAccountNumber = "620547"
)

// What Contoso has at least; the rest of each amount is spread over all companies.
const (
	contosoAssets   = 12
	contosoContacts = 6
	contosoTickets  = 14
)

// generator makes a world. Everything random comes from one source in one order, and no map is
// ranged over, so that a seed makes one world.
type generator struct {
	opts Options
	rand *rand.Rand
	now  time.Time
	*world

	companies     []*company
	agentIDs      []int64
	requesterList []*Requester
	ticketList    []*Ticket
	deviceList    []*Device
	numbered      []func() // what waits for the tickets' numbers
}

// company is a department with an account number and what belongs to it.
type company struct {
	department *Department
	account    string // as Datto RMM's variable has it
	slug       string
	prefix     string // of hostnames
	weight     int    // its share of the random rest
	contacts   []*Requester
	sites      []*Site
	hosts      map[string]int // how many hostnames of each kind it has
}

func generate(opts Options, now time.Time) *world {
	g := &generator{
		opts:  opts,
		rand:  rand.New(rand.NewPCG(opts.Seed, 0x636f646578)),
		now:   now,
		world: newWorld(),
	}
	g.accountUID = fmt.Sprintf("abc%08x", g.rand.Uint32())
	g.makeForms()
	g.makeAgents()
	g.makeDepartments()
	g.makeRequesters()
	g.makeSites()
	g.makeDevices()
	g.makeTickets()
	if !opts.Plain {
		g.makeFixtures()
	}
	g.keepTickets()
	for _, tell := range g.numbered {
		tell()
	}
	return g.world
}

// pick is one of a list.
func pick[T any](g *generator, list []T) T { return list[g.rand.IntN(len(list))] }

// chance is true in percent of a hundred cases.
func (g *generator) chance(percent int) bool { return g.rand.IntN(100) < percent }

// daysAgo is an instant between two numbers of days before now.
func (g *generator) daysAgo(most, least int) time.Time {
	span := int64(most-least) * 24 * 3600
	return g.now.Add(-time.Duration(least)*24*time.Hour - time.Duration(g.rand.Int64N(span))*time.Second)
}

func (g *generator) phone() string {
	return fmt.Sprintf("%d555%04d", 312+g.rand.IntN(300), g.rand.IntN(10000))
}

func (g *generator) address() string {
	return fmt.Sprintf("%d %s, %s", 1+g.rand.IntN(980), pick(g, streets()), pick(g, cities()))
}

// newUID is a random GUID (version 4).
func newUID(r *rand.Rand) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], r.Uint64())
	binary.BigEndian.PutUint64(b[8:], r.Uint64())
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// someCompany is a company by weight.
func (g *generator) someCompany() *company {
	total := 0
	for _, c := range g.companies {
		total += c.weight
	}
	n := g.rand.IntN(total)
	for _, c := range g.companies {
		if n -= c.weight; n < 0 {
			return c
		}
	}
	return g.companies[0]
}

// companyOf is the company of the i-th record: Contoso for the first ones.
func (g *generator) companyOf(i, contosos int) *company {
	if i < contosos {
		return g.companies[0]
	}
	return g.someCompany()
}

func (g *generator) makeForms() {
	born := g.now.AddDate(-6, 0, 0)
	for _, w := range []Workspace{
		{ID: primaryWorkspace, Name: "IT", Primary: true}, {ID: 3, Name: "Facilities"},
	} {
		w.State, w.CreatedAt, w.UpdatedAt = "active", born, born
		g.workspaces = append(g.workspaces, w)
	}
	zoneless := born.Format(time.DateTime) // department fields' times have no zone (D)
	for i, f := range []DepartmentField{
		{Name: "name", Label: "Department Name", FieldType: "default_name", Mandatory: true, IsDefaultField: true},
		{Name: "description", Label: "Description", FieldType: "default_description", IsDefaultField: true},
		{Name: "head_user_id", Label: "Department Head", FieldType: "default_head", IsDefaultField: true},
		{Name: "prime_user_id", Label: "Prime User", FieldType: "default_prime", IsDefaultField: true},
		{Name: "domains", Label: "Domains", FieldType: "default_domains", IsDefaultField: true},
		{Name: "account_number", Label: "Account Number", FieldType: "custom_number"},
		{Name: "plan_selected", Label: "Plan Selected", FieldType: "custom_dropdown"},
		{Name: "profit_or_non_profit", Label: "Profit or Non Profit", FieldType: "custom_dropdown"},
		{Name: "company_main_number", Label: "Company Main Number", FieldType: "custom_text"},
		{Name: "company_start_date", Label: "Company Start Date", FieldType: "custom_date"},
		{Name: "address", Label: "Address", FieldType: "custom_paragraph"},
		{Name: "contract_start_date", Label: "Contract Start Date", FieldType: "custom_date"},
		{Name: "contract_term", Label: "Contract Term", FieldType: "custom_dropdown"},
		{Name: "phone_system", Label: "Phone System", FieldType: "custom_text"},
		{Name: "email_system", Label: "Email System", FieldType: "custom_text"},
	} {
		f.ID, f.Position, f.CreatedAt, f.UpdatedAt = 21000210001+int64(i), i+1, zoneless, zoneless
		g.departmentFields = append(g.departmentFields, f)
	}
	for i, f := range []TicketField{
		{Name: "subject", Label: "Subject", FieldType: "default_subject", Required: true},
		{Name: "status", Label: "Status", FieldType: "default_status", Required: true, Choices: []Choice{
			{StatusOpen, "Open"}, {StatusPending, "Pending"}, {StatusResolved, "Resolved"}, {StatusClosed, "Closed"},
			{8, "Waiting on Customer"}, {9, "Waiting on Third Party"}, {10, "Scheduled"}, {13, "Under Investigation"},
			{StatusBillingComplete, "Billing Complete"}, {19, "On Hold"},
		}},
		{Name: "priority", Label: "Priority", FieldType: "default_priority", Required: true,
			Choices: []Choice{{1, "Low"}, {2, "Medium"}, {3, "High"}, {4, "Urgent"}}},
		{Name: "source", Label: "Source", FieldType: "default_source",
			Choices: []Choice{{1, "Email"}, {2, "Portal"}, {3, "Phone"}, {4, "Chat"}}},
		{Name: "department_id", Label: "Department", FieldType: "default_department"},
		{Name: "on_site", Label: "On site", FieldType: "custom_checkbox"},
		{Name: "purchase_order", Label: "Purchase Order", FieldType: "custom_text"},
		{Name: "mileage", Label: "Mileage", FieldType: "custom_number"},
	} {
		f.ID, f.WorkspaceID, f.CreatedAt, f.UpdatedAt = 21000310001+int64(i), primaryWorkspace, born, born
		f.DefaultField = strings.HasPrefix(f.FieldType, "default")
		if f.Choices == nil {
			f.Choices = []Choice{}
		}
		g.ticketFields = append(g.ticketFields, f)
	}
}

func (g *generator) makeAgents() {
	for i := range 6 {
		first, last := firstNames()[i*7+3], lastNames()[i*9+4]
		a := &Agent{
			ID: 21000777001 + int64(i), FirstName: first, LastName: new(last), JobTitle: new("Technician"),
			Email: mailName(first, last) + "@msp.example", DepartmentIDs: []int64{},
			WorkPhoneNumber: new(g.phone()), TimeZone: "Eastern Time (US & Canada)", TimeFormat: "12h",
			Language: "en", CustomFields: map[string]any{}, HasLoggedIn: true, Active: true,
			CreatedAt: g.daysAgo(2000, 1500), UpdatedAt: g.daysAgo(300, 1),
		}
		g.agents[a.ID] = a
		g.agentIDs = append(g.agentIDs, a.ID)
	}
	g.me = g.agentIDs[0]
}

func (g *generator) makeDepartments() {
	taken := map[string]bool{ContosoAccountNumber: true}
	accountNumber := func() string {
		for {
			n := fmt.Sprint(100000 + g.rand.IntN(900000))
			if !taken[n] {
				taken[n] = true
				return n
			}
		}
	}
	firsts, seconds := companyFirstWords(), companySecondWords()
	offset := g.rand.IntN(len(firsts) * len(seconds))
	amount := g.opts.Companies
	if !g.opts.Plain {
		amount = max(amount, fixtureCompanies)
	}
	for i := range amount {
		c := &company{weight: 1 + g.rand.IntN(9), hosts: map[string]int{}}
		name := ContosoName
		if i == 0 {
			c.account, c.weight = ContosoAccountNumber, 6
		} else {
			// 7 has no factor in common with 45 × 20, so the walk meets each pair of words once.
			at := (offset + i*7) % (len(firsts) * len(seconds))
			name = firsts[at%len(firsts)] + " " + seconds[at/len(firsts)]
			if round := i / (len(firsts) * len(seconds)); round > 0 {
				name += fmt.Sprintf(" %d", round+1)
			}
			c.account = accountNumber()
		}
		c.slug = strings.ToLower(strings.ReplaceAll(name, " ", ""))
		c.prefix = strings.ToUpper(c.slug)[:min(len(c.slug), 8)]
		var account any = jsonNumber(c.account)
		if i > 0 && g.chance(15) {
			account = c.account // some accounts keep the number as text
		}
		start := g.daysAgo(2500, 400)
		c.department = &Department{
			ID: take(&g.ids.department), Name: name, Domains: []string{c.slug + ".example"},
			WorkspaceID: primaryWorkspace, CustomFields: map[string]any{
				"account_number": account, "plan_selected": pick(g, planNames()),
				"profit_or_non_profit": pick(g, []string{"Profit", "Non Profit"}),
				"company_main_number":  g.phone(), "company_start_date": start.Format(time.DateOnly),
				"address": g.address(), "contract_start_date": g.daysAgo(360, 10).Format(time.DateOnly),
				"contract_term": pick(g, planTerms()), "phone_system": nil, "email_system": "Microsoft 365",
			},
			CreatedAt: MilliTime{start}, UpdatedAt: MilliTime{g.daysAgo(300, 1)},
		}
		if i > 0 && g.chance(20) {
			c.department.CustomFields["address"] = nil // no main office
		}
		if i > 0 && g.chance(30) {
			c.department.Description = new("Customer since " + fmt.Sprint(start.Year()))
		}
		g.departments[c.department.ID] = c.department
		g.companies = append(g.companies, c)
	}
}

// jsonNumber is an account number as Freshservice's number field has it.
func jsonNumber(account string) any {
	var n int64
	if _, err := fmt.Sscan(account, &n); err != nil {
		return account
	}
	return n
}

// mailName is what stands before the @ of a person: letters of ASCII only.
func mailName(first, last string) string {
	plain := strings.NewReplacer("é", "e", "í", "i", "á", "a", "ë", "e", "ü", "u", "ø", "o", "'", "", " ", "")
	return plain.Replace(strings.ToLower(first + "." + last))
}

func (g *generator) makeRequesters() {
	minimum := contosoContacts
	if !g.opts.Plain {
		minimum += fixtureContacts
	}
	used := map[string]bool{}
	for i := range max(g.opts.Contacts, minimum) {
		c := g.companyOf(i, contosoContacts)
		first, last := pick(g, firstNames()), pick(g, lastNames())
		local := mailName(first, last)
		if i == 0 {
			first, last, local = "Ana", "Ruiz", "ana" // whom Contoso's first machine names
		}
		email := local + "@" + c.slug + ".example"
		for n := 2; used[email]; n++ {
			email = fmt.Sprintf("%s%d@%s.example", local, n, c.slug)
		}
		used[email] = true
		born := g.daysAgo(1400, 30)
		r := &Requester{
			ID: take(&g.ids.user), FirstName: first, LastName: new(last), PrimaryEmail: new(email),
			SecondaryEmails: []string{}, WorkPhoneNumber: new(g.phone()),
			DepartmentIDs: []int64{c.department.ID}, DepartmentNames: []string{c.department.Name},
			TimeZone: "Eastern Time (US & Canada)", Language: "en", CustomFields: map[string]any{},
			Active: !g.chance(4) || i < contosoContacts, HasLoggedIn: g.chance(40), VIPUser: g.chance(5),
			CreatedAt: born, UpdatedAt: later(born, g.daysAgo(300, 1)),
		}
		if g.chance(70) {
			r.JobTitle = new(pick(g, jobTitles()))
		}
		if g.chance(40) {
			r.MobilePhoneNumber = new(g.phone())
		}
		if g.chance(12) {
			r.SecondaryEmails = []string{local + "@old-" + c.slug + ".example"}
		}
		g.requesters[r.ID] = r
		g.requesterList = append(g.requesterList, r)
		c.contacts = append(c.contacts, r)
	}
	for _, c := range g.companies {
		if len(c.contacts) > 0 {
			head := c.contacts[0]
			c.department.HeadUserID, c.department.HeadName = new(head.ID), new(head.FirstName+" "+*head.LastName)
		}
		if len(c.contacts) > 1 && g.chance(70) {
			prime := c.contacts[1]
			c.department.PrimeUserID, c.department.PrimeUserName = new(prime.ID), new(prime.FirstName+" "+*prime.LastName)
		}
	}
}
