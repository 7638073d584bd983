package syncers

// Companies and their main offices come from Freshservice's departments (docs/compatibility.md,
// "Sync rules").

import (
	"cmp"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
)

// CompanyRecord is a row of companies.
type CompanyRecord struct {
	Account        codex.AccountNumber // custom_fields.account_number
	Name           string              // name
	FreshserviceID sql.Null[int64]     // id
	Description    sql.Null[string]    // description
	Plan           sql.Null[string]    // custom_fields.plan_selected
	Profit         sql.Null[string]    // custom_fields.profit_or_non_profit
	MainNumber     sql.Null[string]    // custom_fields.company_main_number
	StartDate      sql.Null[string]    // custom_fields.company_start_date
	HeadName       sql.Null[string]    // head_name, or who head_user_id is
	PrimaryContact sql.Null[string]    // prime_user_name, or who prime_user_id is
	Domains        sql.Null[string]    // domains, as a JSON array
	PhoneSystem    sql.Null[string]    // a person's word, else custom_fields.phone_system where it has a value
	EmailSystem    sql.Null[string]    // a person's word, else custom_fields.email_system where it has a value
	PhoneLocal     bool                // local: a person said what PhoneSystem is
	EmailLocal     bool                // local: a person said what EmailSystem is
	Term           sql.Null[string]    // custom_fields.contract_term, in the words of billing plans
	ContractStart  sql.Null[string]    // custom_fields.contract_start_date
	ContractEnd    sql.Null[string]    // start + term - 1 day
	SupportLevel   sql.Null[string]    // local
	Compliance     string              // local
	ArchivedAt     sql.Null[time.Time] // an admin archived it, and no department has had its number since

	// Not columns: the department names this user by id alone, and who it is could not be read.
	headUnread, primaryUnread bool
}

func companies() *Entity[CompanyRecord] {
	e := &Entity[CompanyRecord]{
		Name: "companies", Label: func(r *CompanyRecord) string { return r.Name },
		Columns: []Column[CompanyRecord]{
			column("account_number", primary, func(r *CompanyRecord) *codex.AccountNumber { return &r.Account }),
			column("name", compared|kept, func(r *CompanyRecord) *string { return &r.Name }),
			column("freshservice_id", compared|kept, func(r *CompanyRecord) *sql.Null[int64] { return &r.FreshserviceID }),
			column("description", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.Description }),
			column("plan_selected", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.Plan }),
			column("profit_or_non_profit", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.Profit }),
			column("company_main_number", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.MainNumber }),
			column("company_start_date", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.StartDate }),
			column("head_name", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.HeadName }),
			column("primary_contact_name", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.PrimaryContact }),
			column("domains", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.Domains }),
			column("phone_system", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.PhoneSystem }),
			column("email_system", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.EmailSystem }),
			column("contract_term_length", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.Term }),
			column("contract_start_date", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.ContractStart }),
			column("contract_end_date", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.ContractEnd }),
			column("support_level", compared|kept, func(r *CompanyRecord) *sql.Null[string] { return &r.SupportLevel }),
			column("compliance_level", compared|kept, func(r *CompanyRecord) *string { return &r.Compliance }),
			column("phone_system_local", compared, func(r *CompanyRecord) *bool { return &r.PhoneLocal }),
			column("email_system_local", compared, func(r *CompanyRecord) *bool { return &r.EmailLocal }),
			column("archived_at", compared, func(r *CompanyRecord) *sql.Null[time.Time] { return &r.ArchivedAt }),
		},
		Keys: []Key[CompanyRecord]{
			{Of: func(r *CompanyRecord) (string, bool) { return idKey(r.FreshserviceID) }},
			{Of: func(r *CompanyRecord) (string, bool) { return string(r.Account), true }},
		},
		// No sync removes a company, but one that an admin archived is back with its department.
		RemovedAt: func(r *CompanyRecord) *sql.Null[time.Time] { return &r.ArchivedAt },
		// A changed number is an issue that a person confirms: the row keeps the number it has.
		Merge: func(current, incoming CompanyRecord) CompanyRecord {
			incoming.Account = current.Account
			incoming.SupportLevel, incoming.Compliance = current.SupportLevel, current.Compliance
			if incoming.headUnread {
				incoming.HeadName = current.HeadName
			}
			if incoming.primaryUnread {
				incoming.PrimaryContact = current.PrimaryContact
			}
			incoming.PhoneLocal, incoming.EmailLocal = current.PhoneLocal, current.EmailLocal
			if current.PhoneLocal || !incoming.PhoneSystem.Valid {
				incoming.PhoneSystem = current.PhoneSystem
			}
			if current.EmailLocal || !incoming.EmailSystem.Valid {
				incoming.EmailSystem = current.EmailSystem
			}
			return incoming
		},
	}
	e.History = e.historyOf("companies_history", "account_number")
	return e
}

// idKey is an upstream's numeric id as a key.
func idKey(id sql.Null[int64]) (string, bool) { return strconv.FormatInt(id.V, 10), id.Valid }

// userNames are those of users whom departments name by id alone; empty for nobody. One who could not be
// read is not there.
type userNames map[int64]string

// of is the name that came with a department, else that of its user id; unread tells that it has one
// that could not be read.
func (n userNames) of(name *string, id *int64) (found sql.Null[string], unread bool) {
	if found = filled(text(name)); found.Valid || id == nil {
		return found, false
	}
	who, read := n[*id]
	return filled(who), !read
}

// mapDepartment is the company of a department; account is its number, which is not necessarily
// what the department says now.
func mapDepartment(d freshservice.Department, account codex.AccountNumber, names userNames) CompanyRecord {
	field := func(name string) sql.Null[string] {
		value, _ := d.CustomFields.Text(name)
		return filled(value)
	}
	head, headUnread := names.of(d.HeadName, d.HeadUserID)
	prime, primaryUnread := names.of(d.PrimeUserName, d.PrimeUserID)
	term := field("contract_term")
	if term.Valid {
		term.V = contractTerm(term.V)
	}
	start := field("contract_start_date")
	return CompanyRecord{
		Account: account, Name: d.Name, FreshserviceID: some(d.ID), Description: told(d.Description),
		Plan: field("plan_selected"), Profit: field("profit_or_non_profit"),
		MainNumber: field("company_main_number"), StartDate: field("company_start_date"),
		HeadName: head, PrimaryContact: prime, Domains: textList(d.Domains),
		PhoneSystem: field("phone_system"), EmailSystem: field("email_system"),
		Term: term, ContractStart: start, ContractEnd: contractEnd(start, term),
		Compliance: compliance, headUnread: headUnread, primaryUnread: primaryUnread,
	}
}

// contractTerm is a term in the words that billing plans use: 1 Year, 2 Year, 3 Year or Month to
// Month, from any case, plural or "monthly". Another text stays as it is.
func contractTerm(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == '-' || r == '_' })
	switch normal := strings.TrimSuffix(strings.Join(words, " "), "s"); normal {
	case "1 year", "2 year", "3 year":
		return normal[:1] + " Year"
	case "month to month", "monthly":
		return "Month to Month"
	}
	return text
}

// maxTermYears is beyond any contract: a longer term is none.
const maxTermYears = 99

// contractEnd is the last day of a contract of whole years, YYYY-MM-DD; nothing where there is no
// such term or the start is no date.
func contractEnd(start, term sql.Null[string]) sql.Null[string] {
	years, isYears := strings.CutSuffix(term.V, " Year")
	n, err := strconv.Atoi(years)
	if !isYears || err != nil || n < 1 || n > maxTermYears || len(start.V) < len(time.DateOnly) {
		return sql.Null[string]{}
	}
	from, err := time.Parse(time.DateOnly, start.V[:len(time.DateOnly)])
	end := from.AddDate(n, 0, -1)
	if err != nil || end.Year() > 9999 {
		return sql.Null[string]{}
	}
	return some(end.Format(time.DateOnly))
}

// departments is what the departments of one listing mean.
type departments struct {
	companies []CompanyRecord
	offices   []LocationRecord
	accounts  map[int64]codex.AccountNumber // of each department that belongs to a company, by its id
	read      map[codex.AccountNumber]bool  // the companies whose fields were read
	present   map[codex.AccountNumber]bool  // the companies that a listed department belongs to
	bad       map[int64]bool                // departments that are there, and could not be decoded
	issues    []Issue
}

// mapDepartments places departments: one belongs to the company that has its id, else to that of
// its account number. Of several with one number the lowest id gives the company its fields; the
// people and tickets of the others are its own too. A department that names another number than its
// company's goes before all of them: until a person has decided, the company is its own. An archived
// company has no department, until one has its number: with that it is back. bad are departments that
// could not be decoded: they are there, with whatever number they have.
func mapDepartments(list []freshservice.Department, bad map[int64]bool, current []CompanyRecord, names userNames) departments {
	known := make(map[int64]codex.AccountNumber)
	for _, c := range current {
		if c.FreshserviceID.Valid && !c.ArchivedAt.Valid {
			known[c.FreshserviceID.V] = c.Account
		}
	}
	result := departments{
		accounts: maps.Clone(known), // one that vanished too: its people stay with the company that is leaving
		read:     make(map[codex.AccountNumber]bool), present: make(map[codex.AccountNumber]bool), bad: bad,
	}
	numberOf := func(d freshservice.Department) codex.AccountNumber {
		number, _ := d.CustomFields.Text("account_number")
		if number = strings.TrimSpace(number); tooLong(number) {
			return ""
		}
		return codex.AccountNumber(number)
	}
	rank := func(d freshservice.Department) int {
		if account, isKnown := known[d.ID]; isKnown && numberOf(d) != account {
			return 0
		}
		return 1
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b freshservice.Department) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.ID, b.ID))
	})
	first := make(map[codex.AccountNumber]freshservice.Department)
	for _, c := range current { // its own department is there: no other one gives it its fields
		if c.FreshserviceID.Valid && bad[c.FreshserviceID.V] {
			first[c.Account], result.present[c.Account] = freshservice.Department{Name: c.Name}, true
		}
	}
	vanished := maps.Clone(known)
	for _, d := range list {
		delete(vanished, d.ID)
		told := numberOf(d)
		account, isKnown := known[d.ID]
		switch {
		case told == "" && isKnown: // leaving: its people stay with it
			result.present[account] = true
			continue
		case told == "":
			result.issue(IssueNoAccountNumber, d.ID, "", "companies",
				"The department %q has no account number: give it one in Freshservice if it is a customer.", d.Name)
			continue
		case isKnown && account != told:
			result.issue(IssueAccountNumberChanged, d.ID, account, "companies",
				"The department %[1]q has the account number %[2]s now; the company stays %[3]s until an admin renames it: codex company rename %[3]s %[2]s, or the mutation renameCompany.", d.Name, told, account)
		case !isKnown:
			account = told
		}
		result.accounts[d.ID], result.present[account] = account, true
		if other, taken := first[account]; taken {
			result.issue(IssueDuplicateAccountNumber, d.ID, account, "companies",
				"The departments %q and %q both belong to the account number %s: the company takes its fields from the first, and the people and tickets of both.", other.Name, d.Name, account)
			continue
		}
		first[account] = d
		company := mapDepartment(d, account, names)
		result.companies = append(result.companies, company)
		result.read[account] = true
		if office, ok := mapOffice(d, account); ok {
			result.offices = append(result.offices, office)
		}
	}
	for id, account := range vanished { // where another one has its company, nothing is leaving that its people could stay with
		if result.present[account] && !bad[id] {
			delete(result.accounts, id)
		}
	}
	for _, c := range current {
		if !c.ArchivedAt.Valid && !result.read[c.Account] && !(c.FreshserviceID.Valid && bad[c.FreshserviceID.V]) {
			result.issue(IssueCompanyLeaving, c.FreshserviceID.V, c.Account, "companies",
				"No department has the company %[1]q (account number %[2]s) any more: it stays served and billed until an admin archives it: codex company archive %[2]s, or the mutation archiveCompany.", c.Name, c.Account)
		}
	}
	return result
}

func (d *departments) issue(kind IssueKind, id int64, account codex.AccountNumber, entity, format string, args ...any) {
	key := strconv.FormatInt(id, 10)
	if id == 0 {
		key = string(account)
	}
	d.issues = append(d.issues, Issue{Kind: kind, ID: key, Account: account, entity: entity, Reason: fmt.Sprintf(format, args...)})
}
