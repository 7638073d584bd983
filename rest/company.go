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
	forms := []companyJSON{}
	err := s.reader.EachCompany(r.Context(), companiesBatch, func(batch []*ent.Company) error {
		forms = append(forms, list(batch, s.companyForm)...)
		return nil
	})
	if err != nil {
		return err
	}
	return answer(w, forms)
}

func (s *service) company(w http.ResponseWriter, r *http.Request) error {
	found, err := s.named(r)
	if err != nil {
		return err
	}
	return answer(w, s.companyForm(found))
}

// named is the company whose account number is in the path.
func (s *service) named(r *http.Request, columns ...string) (*ent.Company, error) {
	found, err := s.reader.Company(r.Context(), codex.AccountNumber(r.PathValue("account_number")), columns...)
	if codex.CodeOf(err) == codex.CodeNotFound {
		return nil, codex.Errorf(codex.CodeNotFound, "Company not found")
	}
	return found, err
}

// childrenOf answers the children of the company in the path: none is [], an unknown company 404.
func childrenOf[R, J any](
	s *service, w http.ResponseWriter, r *http.Request,
	read func(ctx context.Context, accounts []codex.AccountNumber) (map[codex.AccountNumber][]R, error),
	form func(R) J,
) error {
	parent, err := s.named(r, company.FieldID)
	if err != nil {
		return err
	}
	children, err := read(r.Context(), []codex.AccountNumber{parent.ID})
	if err != nil {
		return err
	}
	return answer(w, list(children[parent.ID], form))
}
