package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/companyversion"
)

// companySeen is a company as the hub saw it for a while.
type companySeen struct {
	account    codex.AccountNumber
	department *int64 // by which it stays the same company under another number
	from       time.Time
	to         *time.Time // nil for the version of now
}

// companyNow is a company that the hub has a row of.
type companyNow struct {
	name       string
	department *int64
	archived   bool
}

// companyFacts are all companies that there ever were.
type companyFacts struct {
	seen []companySeen
	now  map[codex.AccountNumber]companyNow
}

// target is a company whose bill is wanted.
type target struct {
	account codex.AccountNumber
	name    string
	// earlier are the numbers that it had before: its bill may stand under one of them.
	earlier []codex.AccountNumber
	// unknown is why it cannot be asked for; empty where it can.
	unknown string
}

// numbers are the account numbers of a company, all that it ever had.
func (f companyFacts) numbers(account codex.AccountNumber) []codex.AccountNumber {
	departments := make(map[int64]bool)
	if now := f.now[account]; now.department != nil {
		departments[*now.department] = true
	}
	for _, s := range f.seen {
		if s.account == account && s.department != nil {
			departments[*s.department] = true
		}
	}
	numbers := map[codex.AccountNumber]bool{account: true}
	for _, s := range f.seen {
		if s.department != nil && departments[*s.department] {
			numbers[s.account] = true
		}
	}
	return slices.Sorted(maps.Keys(numbers))
}

// nowOf is the number that a company has now, which had account: a number that is nobody's any more was
// given up for another. It is empty where the company is gone.
func (f companyFacts) nowOf(account codex.AccountNumber) codex.AccountNumber {
	if _, there := f.now[account]; there {
		return account
	}
	for _, number := range f.numbers(account) {
		if _, there := f.now[number]; there {
			return number
		}
	}
	return ""
}

func (f companyFacts) target(account codex.AccountNumber) target {
	t := target{account: account, name: f.now[account].name}
	for _, number := range f.numbers(account) {
		// A number that another company has now is that one's.
		if _, taken := f.now[number]; number != account && !taken {
			t.earlier = append(t.earlier, number)
		}
	}
	return t
}

// served are the companies that were served at any time in a month, archived ones too, under the numbers
// that they have now. Of a month that ended before the hub had seen any company, they are those that it
// serves now; firstSeen says that then.
func (f companyFacts) served(period codex.Period) (targets []target, firstSeen bool) {
	accounts := make(map[codex.AccountNumber]bool)
	firstSeen = true
	for _, s := range f.seen {
		if s.from.Before(period.End()) {
			firstSeen = false
		}
		if s.from.Before(period.End()) && (s.to == nil || s.to.After(period.Start())) {
			if now := f.nowOf(s.account); now != "" {
				accounts[now] = true
			}
		}
	}
	if firstSeen {
		for account, now := range f.now {
			if !now.archived {
				accounts[account] = true
			}
		}
	}
	for _, account := range slices.Sorted(maps.Keys(accounts)) {
		targets = append(targets, f.target(account))
	}
	return targets, firstSeen && len(targets) > 0
}

// given are the companies that were named. One that the hub does not know says so.
func (f companyFacts) given(accounts []codex.AccountNumber) []target {
	targets := make([]target, len(accounts))
	for i, account := range accounts {
		targets[i] = f.target(account)
		if _, there := f.now[account]; there {
			continue
		}
		targets[i].unknown = fmt.Sprintf("there is no company %s", account)
		if now := f.nowOf(account); now != "" {
			targets[i].unknown = fmt.Sprintf("the company has the account number %s now: ask for that", now)
		}
	}
	return targets
}

// readCompanyFacts reads what companies there are and were, which is little.
func readCompanyFacts(ctx context.Context, client *ent.Client) (companyFacts, error) {
	facts := companyFacts{now: make(map[codex.AccountNumber]companyNow)}
	versions, err := client.CompanyVersion.Query().Select(companyversion.FieldAccountNumber,
		companyversion.FieldFreshserviceID, companyversion.FieldSeenFrom, companyversion.FieldSeenTo).All(ctx)
	if err != nil {
		return facts, fmt.Errorf("reading companies of the past: %w", err)
	}
	for _, v := range versions {
		facts.seen = append(facts.seen, companySeen{account: v.AccountNumber, department: v.FreshserviceID, from: v.SeenFrom, to: v.SeenTo})
	}
	rows, err := client.Company.Query().Select(company.FieldID, company.FieldName, company.FieldFreshserviceID, company.FieldArchivedAt).All(ctx)
	if err != nil {
		return facts, fmt.Errorf("reading companies: %w", err)
	}
	for _, row := range rows {
		facts.now[row.ID] = companyNow{name: row.Name, department: row.FreshserviceID, archived: row.ArchivedAt != nil}
	}
	return facts, nil
}

// targets are the companies of a job.
func targets(ctx context.Context, client *ent.Client, period codex.Period, accounts []codex.AccountNumber) (list []target, firstSeen bool, err error) {
	facts, err := readCompanyFacts(ctx, client)
	if err != nil {
		return nil, false, err
	}
	if accounts != nil {
		return facts.given(accounts), false, nil
	}
	list, firstSeen = facts.served(period)
	return list, firstSeen, nil
}

func periodOf(row *ent.SnapshotJob) codex.Period {
	return codex.Period{Year: row.TargetYear, Month: time.Month(row.TargetMonth)}
}
