package syncers

import (
	"database/sql"
	"reflect"
	"slices"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
)

// department has an account number, unless that is empty.
func department(id int64, account, name string) freshservice.Department {
	d := freshservice.Department{ID: id, Name: name, CustomFields: freshservice.CustomFields{}}
	if account != "" {
		d.CustomFields["account_number"] = &account
	}
	return d
}

func company(account codex.AccountNumber, freshserviceID int64) CompanyRecord {
	return CompanyRecord{Account: account, Name: "Company " + string(account), FreshserviceID: sql.Null[int64]{V: freshserviceID, Valid: freshserviceID != 0}}
}

// issueKeys are issues as "kind id", sorted.
func issueKeys(issues []Issue) []string {
	keys := make([]string, len(issues))
	for i, issue := range issues {
		keys[i] = string(issue.Kind) + " " + issue.ID
	}
	slices.Sort(keys)
	return keys
}

func TestDepartmentsArePlacedByTheirIDThenByAccountNumber(t *testing.T) {
	archived := company("A", 1)
	archived.ArchivedAt = some(aMoment())
	tests := []struct {
		name     string
		list     []freshservice.Department
		bad      map[int64]bool
		current  []CompanyRecord
		fields   map[codex.AccountNumber]int64 // which department gives a company its fields
		accounts map[int64]codex.AccountNumber
		issues   []string
	}{
		{"a new one", []freshservice.Department{department(1, " A ", "x")}, nil, nil,
			map[codex.AccountNumber]int64{"A": 1}, map[int64]codex.AccountNumber{1: "A"}, nil},
		{"without number and unknown it is none", []freshservice.Department{department(1, "  ", "x"), department(2, "", "y")}, nil, nil,
			map[codex.AccountNumber]int64{}, map[int64]codex.AccountNumber{}, []string{"no_account_number 1", "no_account_number 2"}},
		{"that lost its number leaves, and keeps its people", []freshservice.Department{department(1, "", "x")}, nil, []CompanyRecord{company("A", 1)},
			map[codex.AccountNumber]int64{}, map[int64]codex.AccountNumber{1: "A"}, []string{"company_leaving 1"}},
		{"that changed its number keeps the old one", []freshservice.Department{department(1, "B", "x")}, nil, []CompanyRecord{company("A", 1)},
			map[codex.AccountNumber]int64{"A": 1}, map[int64]codex.AccountNumber{1: "A"}, []string{"account_number_changed 1"}},
		{"that changed its number keeps it though a lower id claims the old one", []freshservice.Department{department(5, "B", "x"), department(3, "A", "y")}, nil, []CompanyRecord{company("A", 5)},
			map[codex.AccountNumber]int64{"A": 5}, map[int64]codex.AccountNumber{3: "A", 5: "A"}, []string{"account_number_changed 5", "duplicate_account_number 3"}},
		{"of two with one number the lowest id gives the fields", []freshservice.Department{department(9, "A", "x"), department(2, "A", "y"), department(5, "A", "z")}, nil, nil,
			map[codex.AccountNumber]int64{"A": 2}, map[int64]codex.AccountNumber{2: "A", 5: "A", 9: "A"}, []string{"duplicate_account_number 5", "duplicate_account_number 9"}},
		{"also where the company was the other's", []freshservice.Department{department(9, "A", "x"), department(2, "A", "y")}, nil, []CompanyRecord{company("A", 9)},
			map[codex.AccountNumber]int64{"A": 2}, map[int64]codex.AccountNumber{2: "A", 9: "A"}, []string{"duplicate_account_number 9"}},
		{"an imported company by its number", []freshservice.Department{department(1, "A", "x")}, nil, []CompanyRecord{company("A", 0)},
			map[codex.AccountNumber]int64{"A": 1}, map[int64]codex.AccountNumber{1: "A"}, nil},
		{"that vanished leaves, and keeps its people", nil, nil, []CompanyRecord{company("A", 1), company("B", 0)},
			map[codex.AccountNumber]int64{}, map[int64]codex.AccountNumber{1: "A"}, []string{"company_leaving 1", "company_leaving B"}},
		{"an archived company does not leave again, and has no people", nil, nil, []CompanyRecord{archived},
			map[codex.AccountNumber]int64{}, map[int64]codex.AccountNumber{}, nil},
		{"nor is a department without number its own", []freshservice.Department{department(1, "", "x")}, nil, []CompanyRecord{archived},
			map[codex.AccountNumber]int64{}, map[int64]codex.AccountNumber{}, []string{"no_account_number 1"}},
		{"an archived company is back with any department that has its number", []freshservice.Department{department(7, "A", "x")}, nil, []CompanyRecord{archived},
			map[codex.AccountNumber]int64{"A": 7}, map[int64]codex.AccountNumber{7: "A"}, nil},
		{"that could not be decoded is there", nil, map[int64]bool{1: true}, []CompanyRecord{company("A", 1)},
			map[codex.AccountNumber]int64{}, map[int64]codex.AccountNumber{1: "A"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := mapDepartments(test.list, test.bad, test.current, nil)
			fields := make(map[codex.AccountNumber]int64)
			for _, c := range got.companies {
				fields[c.Account] = c.FreshserviceID.V
			}
			if !reflect.DeepEqual(fields, test.fields) || !reflect.DeepEqual(got.accounts, test.accounts) {
				t.Errorf("fields from %v, people of %v; want %v, %v", fields, got.accounts, test.fields, test.accounts)
			}
			if keys := issueKeys(got.issues); !slices.Equal(keys, test.issues) && len(keys)+len(test.issues) > 0 {
				t.Errorf("issues %v, want %v", keys, test.issues)
			}
		})
	}
}

func TestADepartmentIsMappedFieldByField(t *testing.T) {
	d := freshservice.Department{
		ID: 7, Name: "Contoso", Description: new("d"), HeadUserID: new(int64(70)), PrimeUserID: new(int64(71)), PrimeUserName: new("Prime"),
		Domains: []string{"a.example", "b&c.example"},
		CustomFields: freshservice.CustomFields{
			"account_number": new("620547"), "plan_selected": new("Gold"), "profit_or_non_profit": new("Profit"), "company_main_number": new("312"),
			"company_start_date": new("2020-01-02"), "phone_system": new("Zoom"), "email_system": nil, "contract_term": new("2 YEARS"),
			"contract_start_date": new("2024-02-29"), "address": new(" 1 Main St "),
		},
	}
	want := CompanyRecord{
		Account: "620547", Name: "Contoso", FreshserviceID: some(int64(7)), Description: some("d"), Plan: some("Gold"), Profit: some("Profit"),
		MainNumber: some("312"), StartDate: some("2020-01-02"), HeadName: some("Ana Ruiz"), PrimaryContact: some("Prime"),
		Domains: some(`["a.example","b&c.example"]`), PhoneSystem: some("Zoom"), Term: some("2 Year"), ContractStart: some("2024-02-29"),
		ContractEnd: some("2026-02-28"), Compliance: "standard",
	}
	if got := mapDepartment(d, "620547", userNames{70: "Ana Ruiz"}); got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	office, ok := mapOffice(d, "620547")
	if want := (LocationRecord{Account: "620547", Name: "Main Office", Address: some("1 Main St"), Phone: some("312")}); !ok || office != want {
		t.Errorf("got %t, %+v, want %+v", ok, office, want)
	}
}

func TestADepartmentOfAnMSPHasNoHeadNoDomainsAndIsStillACompany(t *testing.T) {
	got := mapDepartment(department(7, "A", "Contoso"), "A", nil)
	want := CompanyRecord{Account: "A", Name: "Contoso", FreshserviceID: some(int64(7)), Domains: some("[]"), Compliance: "standard"}
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if _, ok := mapOffice(department(7, "A", "Contoso"), "A"); ok {
		t.Error("a department without address has a main office")
	}
}

func TestASyncNeverTouchesWhatIsLocalToACompany(t *testing.T) {
	current := company("A", 1)
	current.SupportLevel, current.Compliance = some("All In"), "hipaa"
	current.PhoneSystem, current.EmailSystem = some("PBX"), some("Exchange")
	current.HeadName, current.PrimaryContact = some("Ana"), some("Bob")
	d := department(1, "B", "New name")
	d.HeadUserID, d.CustomFields["email_system"] = new(int64(70)), new("Microsoft 365")
	got := companies().merged(current, mapDepartment(d, "B", nil))
	want := current
	want.Name, want.Domains, want.EmailSystem = "New name", some("[]"), some("Microsoft 365")
	want.PrimaryContact = sql.Null[string]{} // it was cleared; who is the head could not be read
	got.headUnread = false
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestAnArchivedCompanyIsBackWithItsDepartment(t *testing.T) {
	archived := company("A", 0)
	archived.SupportLevel, archived.Compliance, archived.ArchivedAt = some("All In"), "standard", some(aMoment())
	incoming := mapDepartment(department(1, "A", "Company A"), "A", nil)
	plan := Plan(companies(), []CompanyRecord{archived}, []CompanyRecord{incoming}, 0, Scope[CompanyRecord]{})
	want := incoming
	want.SupportLevel = some("All In")
	if len(plan.Updates) != 1 || plan.Updates[0].New != want || !plan.Updates[0].ofHistory {
		t.Errorf("got %+v\nwant the update %+v", plan, want)
	}
	archived.FreshserviceID, archived.Domains = some(int64(1)), some("[]")
	plan = Plan(companies(), []CompanyRecord{archived}, []CompanyRecord{incoming}, 0, Scope[CompanyRecord]{})
	if len(plan.Updates) != 1 || !slices.Equal(plan.Updates[0].Fields, []string{"archived_at"}) || !plan.Updates[0].ofHistory {
		t.Errorf("a return alone is no version: %+v", plan)
	}
}

func TestATermIsInTheWordsOfBillingPlans(t *testing.T) {
	for text, want := range map[string]string{
		"1 Year": "1 Year", "2 years": "2 Year", "3-YEAR": "3 Year", "1_year": "1 Year", "Month to Month": "Month to Month",
		"month-to-month": "Month to Month", "MONTHLY": "Month to Month", "5 Year": "5 Year", "until revoked": "until revoked", "": "",
	} {
		if got := contractTerm(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestAContractEndsTheDayBeforeItsAnniversary(t *testing.T) {
	tests := []struct{ start, term, want string }{
		{"2024-01-15", "1 Year", "2025-01-14"},
		{"2024-01-01", "3 Year", "2026-12-31"},
		{"2024-02-29", "1 Year", "2025-02-28"},
		{"2023-03-01", "1 Year", "2024-02-29"},
		{"2024-01-15T00:00:00Z", "1 Year", "2025-01-14"},
		{"2024-01-15", "Month to Month", ""},
		{"2024-01-15", "0 Year", ""},
		{"2024-01-15", "-1 Year", ""},
		{"2024-01-15", "9999999999 Year", ""},
		{"15 January", "1 Year", ""},
		{"2024-13-01", "1 Year", ""},
		{"", "1 Year", ""},
		{"2024-01-15", "", ""},
	}
	for _, test := range tests {
		if got := contractEnd(filled(test.start), filled(test.term)); got != filled(test.want) {
			t.Errorf("%q for %q ends %+v, want %q", test.start, test.term, got, test.want)
		}
	}
}
