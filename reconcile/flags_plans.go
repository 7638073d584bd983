package reconcile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hivematrix/codex/plans"
)

// FlagNoPlan is a company that no billing plan fits: Ledgers since November 2025 cannot bill it.
const FlagNoPlan = "no_plan"

// plan is the flag of a company that no plan fits. A hub without any plan belongs to a Ledger that has its
// own (docs/compatibility.md, "Ledger"): there it says nothing.
func (d *deciding) plan(c *CompanyFact) []*Flag {
	if len(d.Plans) == 0 || slices.Contains(d.Plans, plans.Key{Name: c.Plan, Term: c.Term}) {
		return nil
	}
	item := Item{Entity: EntityCompanies, ID: string(c.Account), Name: c.Name}
	flag := flagOf(c.Account, FlagNoPlan, item, c.Plan, c.Term)
	if c.Plan == "" {
		flag.Seen = "No billing plan is selected for it: Ledger cannot bill it."
		flag.Do = "Select its plan in Freshservice, and sync freshservice."
		return []*Flag{flag}
	}
	flag.Seen = fmt.Sprintf("No plan fits %s (%s): Ledger cannot bill it.", c.Plan, c.Term)
	var terms []string
	for _, key := range d.Plans {
		if key.Name == c.Plan {
			terms = append(terms, key.Term)
		}
	}
	if terms != nil {
		flag.Seen += fmt.Sprintf(" There is one of that name for %s.", strings.Join(terms, ", "))
	}
	flag.Do = "Add the plan (codex plans import), or correct plan or contract in Freshservice and sync freshservice."
	return []*Flag{flag}
}
