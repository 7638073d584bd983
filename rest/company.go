package rest

import (
	"context"
	"net/http"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/company"
)

// companyJSON is a company (docs/compatibility.md, "Company").
type companyJSON struct {
	AccountNumber     codex.AccountNumber `json:"account_number"`
	Name              string              `json:"name"`
	Description       *string             `json:"description"`
	BillingPlan       string              `json:"billing_plan"` // one null breaks Ledger C's dashboard
	ProfitOrNonProfit *string             `json:"profit_or_non_profit"`
	CompanyMainNumber *string             `json:"company_main_number"`
	CompanyStartDate  *string             `json:"company_start_date"`
	Domains           *string             `json:"domains"` // a JSON array inside a string
	PhoneSystem       *string             `json:"phone_system"`
	EmailSystem       *string             `json:"email_system"`
	*companyLaterJSON                     // nil leaves its keys out
}

// companyLaterJSON are the keys that came after October 2025, which [rest] seed_keys_only leaves out.
type companyLaterJSON struct {
	ContractTermLength *string `json:"contract_term_length"`
	ContractStartDate  *string `json:"contract_start_date"`
	ContractEndDate    *string `json:"contract_end_date"`
	SupportLevel       *string `json:"support_level"`
	ComplianceLevel    string  `json:"compliance_level"`
}

func (s *service) companyForm(c *ent.Company) companyJSON {
	form := companyJSON{
		AccountNumber:     c.ID,
		Name:              c.Name,
		Description:       c.Description,
		ProfitOrNonProfit: c.ProfitOrNonProfit,
		CompanyMainNumber: c.CompanyMainNumber,
		CompanyStartDate:  c.CompanyStartDate,
		Domains:           c.Domains,
		PhoneSystem:       c.PhoneSystem,
		EmailSystem:       c.EmailSystem,
	}
	if c.PlanSelected != nil {
		form.BillingPlan = *c.PlanSelected
	}
	if !s.SeedKeysOnly {
		form.companyLaterJSON = &companyLaterJSON{
			ContractTermLength: c.ContractTermLength,
			ContractStartDate:  c.ContractStartDate,
			ContractEndDate:    c.ContractEndDate,
			SupportLevel:       c.SupportLevel,
			ComplianceLevel:    c.ComplianceLevel,
		}
	}
	return form
}

// companiesBatch is how many companies are read at once for the list of all.
const companiesBatch = 500

func (s *service) companies(w http.ResponseWriter, r *http.Request) error {
	about := subject{Kind: "companies", Entities: []string{ofCompanies}}
	return s.tagged(w, r, about, func(ctx context.Context, v moment) (any, error) {
		forms := []companyJSON{}
		err := v.EachCompany(ctx, companiesBatch, func(batch []*ent.Company) error {
			forms = append(forms, list(batch, s.companyForm)...)
			return nil
		})
		return forms, err
	})
}

func (s *service) company(w http.ResponseWriter, r *http.Request) error {
	account := accountIn(r)
	about := subject{Kind: "company", Account: account, Entities: []string{ofCompanies}}
	return s.tagged(w, r, about, func(ctx context.Context, v moment) (any, error) {
		found, err := named(ctx, v, account)
		if err != nil {
			return nil, err
		}
		return s.companyForm(found), nil
	})
}

// accountIn is the account number in the path.
func accountIn(r *http.Request) codex.AccountNumber {
	return codex.AccountNumber(r.PathValue("account_number"))
}

// named is the company with that account number.
func named(ctx context.Context, v moment, account codex.AccountNumber, columns ...string) (*ent.Company, error) {
	found, err := v.Company(ctx, account, columns...)
	if codex.CodeOf(err) == codex.CodeNotFound {
		return nil, codex.Errorf(codex.CodeNotFound, "Company not found")
	}
	return found, err
}

// children are those of one kind that a company has.
type children[R, J any] struct {
	about subject // without the company
	read  func(ctx context.Context, v moment, accounts []codex.AccountNumber) (map[codex.AccountNumber][]R, error)
	form  func(v moment, row R) J
}

// serve answers the children of the company in the path: none is [], an unknown company 404.
func (c children[R, J]) serve(s *service, w http.ResponseWriter, r *http.Request) error {
	about := c.about
	about.Account, about.Entities = accountIn(r), append([]string{ofCompanies}, about.Entities...)
	return s.tagged(w, r, about, func(ctx context.Context, v moment) (any, error) {
		parent, err := named(ctx, v, about.Account, company.FieldID)
		if err != nil {
			return nil, err
		}
		rows, err := c.read(ctx, v, []codex.AccountNumber{parent.ID})
		if err != nil {
			return nil, err
		}
		return list(rows[parent.ID], func(row R) J { return c.form(v, row) }), nil
	})
}
