package reconcile

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/contact"
	"github.com/hivematrix/codex/ent/contactcompanylink"
	"github.com/hivematrix/codex/ent/syncissue"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/ent/ticket"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// readReview reads all that a review of a month is decided from, as it was at one moment: a statement for
// each table, or two, however many companies there are and however much they have.
func (r *Reviewer) readReview(ctx context.Context, tx *store.Tx, period codex.Period) (facts ReviewFacts, err error) {
	facts = ReviewFacts{Period: period, Now: r.o.Now().UTC()}
	if facts.Feeds, err = readFeeds(ctx, tx, r.o.Feeds); err != nil {
		return facts, err
	}
	if facts.Issues, err = readIssues(ctx, tx); err != nil {
		return facts, err
	}
	if facts.Plans, err = plans.Keys(ctx, tx.Ent()); err != nil {
		return facts, err
	}
	companies, err := tx.Ent().Company.Query().Where(company.ArchivedAtIsNil()).
		Order(byBytes(company.FieldID)).
		Select(company.FieldName, company.FieldPlanSelected, company.FieldContractTermLength).All(ctx)
	if err != nil {
		return facts, fmt.Errorf("reading companies: %w", err)
	}
	facts.Companies = make([]CompanyFact, len(companies))
	of := make(map[codex.AccountNumber]*CompanyFact, len(companies))
	for i, c := range companies {
		facts.Companies[i] = CompanyFact{Account: c.ID, Name: c.Name, Plan: valueOf(c.PlanSelected), Term: plans.TermOf(c.ContractTermLength)}
		of[c.ID] = &facts.Companies[i]
	}
	for _, read := range []func(context.Context, *store.Tx, codex.Period, map[codex.AccountNumber]*CompanyFact) error{
		readMachines, readPeople, r.readTickets, readAllBills,
	} {
		if err := read(ctx, tx, period, of); err != nil {
			return facts, err
		}
	}
	return facts, nil
}

// readAllBills reads the last bills of companies and those of the month, those under numbers too that a
// company had before it was renumbered.
func readAllBills(ctx context.Context, tx *store.Tx, period codex.Period, of map[codex.AccountNumber]*CompanyFact) error {
	seen, err := readCompaniesSeen(ctx, tx)
	if err != nil {
		return err
	}
	same := departments(seen)
	served := make(map[string]*CompanyFact, len(of))
	for account, company := range of {
		if same[account] != "" {
			served[same[account]] = company
		}
	}
	under := maps.Clone(of) // all numbers, with what was billed under each
	for account := range seen {
		if under[account] == nil && served[same[account]] != nil {
			under[account] = &CompanyFact{Account: account}
		}
	}
	if err := readLastBills(ctx, tx, period, under); err != nil {
		return err
	}
	if err := readBilled(ctx, tx, period, under); err != nil {
		return err
	}
	for _, account := range slices.Sorted(maps.Keys(under)) {
		if of[account] == nil {
			served[same[account]].billedBefore(under[account])
		}
	}
	return nil
}

// billedBefore takes over what was billed under a number that the company had before.
func (c *CompanyFact) billedBefore(as *CompanyFact) {
	c.Billed = append(c.Billed, as.Billed...)
	if as.Last != nil && (c.Last == nil || as.Last.Period.Start().After(c.Last.Period.Start())) {
		c.Last = as.Last
	}
}

// byBytes sorts by a text column, by bytes.
func byBytes(column string) func(*sql.Selector) {
	return func(s *sql.Selector) { s.OrderExpr(sql.Expr(store.OrderText(s.Dialect(), s.C(column)))) }
}

func readFeeds(ctx context.Context, tx *store.Tx, feeds []codex.Feed) ([]FeedFact, error) {
	var facts []FeedFact
	for _, feed := range feeds {
		newest, err := newestRun(ctx, tx, feed, "")
		if err != nil {
			return nil, err
		}
		succeeded, err := newestRun(ctx, tx, feed, codex.RunSucceeded)
		if err != nil {
			return nil, err
		}
		facts = append(facts, FeedFact{Feed: feed, Succeeded: succeeded, Newest: newest})
	}
	return facts, nil
}

// newestRun is the newest run of a feed in a state, or in any; nil where there is none. A dry run is
// none, nor is a re-read, which says nothing of what else the feed has.
func newestRun(ctx context.Context, tx *store.Tx, feed codex.Feed, state codex.RunState) (*RunFact, error) {
	runs := tx.Ent().SyncRun.Query().Where(syncrun.FeedEQ(feed), syncrun.DryRun(false), syncrun.ModeNEQ(codex.ModeReread))
	order := syncrun.ByQueuedAt(sql.OrderDesc())
	if state != "" {
		runs.Where(syncrun.StateEQ(state), syncrun.StartedAtNotNil())
		order = syncrun.ByStartedAt(sql.OrderDesc())
	}
	run, err := runs.Order(order, syncrun.ByID(sql.OrderDesc())).
		Select(syncrun.FieldState, syncrun.FieldStartedAt, syncrun.FieldError).First(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading the newest run of %s: %w", feed, err)
	}
	return &RunFact{ID: run.ID, State: run.State, StartedAt: valueOf(run.StartedAt), Error: valueOf(run.Error)}, nil
}

// readIssues reads the open issues, and those of re-imaged machines, which the next run closes.
func readIssues(ctx context.Context, tx *store.Tx) ([]IssueFact, error) {
	rows, err := tx.Ent().SyncIssue.Query().Where(syncissue.Or(
		syncissue.ClosedAtIsNil(), syncissue.Kind(string(syncers.IssueReimaged)),
	)).Order(syncissue.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading issues: %w", err)
	}
	facts := make([]IssueFact, len(rows))
	for i, row := range rows {
		facts[i] = IssueFact{
			Feed: row.Feed, Kind: syncers.IssueKind(row.Kind), ID: row.UpstreamID, Reason: row.Reason,
			Account: valueOf(row.CompanyAccountNumber), Seen: row.LastSeenAt,
		}
	}
	return facts, nil
}

func readMachines(ctx context.Context, tx *store.Tx, _ codex.Period, of map[codex.AccountNumber]*CompanyFact) error {
	rows, err := tx.Ent().Asset.Query().Where(asset.RemovedAtIsNil()).Order(asset.ByID()).Select(
		asset.FieldCompanyAccountNumber, asset.FieldDattoUID, asset.FieldHostname, asset.FieldDattoSiteUID,
		asset.FieldHardwareType, asset.FieldDeviceClass, asset.FieldLastSeen, asset.FieldPortalURL).All(ctx)
	if err != nil {
		return fmt.Errorf("reading machines: %w", err)
	}
	for _, row := range rows {
		if c := of[row.CompanyAccountNumber]; c != nil {
			c.Machines = append(c.Machines, MachineFact{
				ID: row.ID, UID: valueOf(row.DattoUID), Hostname: row.Hostname, SiteUID: valueOf(row.DattoSiteUID),
				Category: valueOf(row.HardwareType), Class: valueOf(row.DeviceClass), LastSeen: row.LastSeen,
				Link: valueOf(row.PortalURL),
			})
		}
	}
	return nil
}

func readPeople(ctx context.Context, tx *store.Tx, _ codex.Period, of map[codex.AccountNumber]*CompanyFact) error {
	rows, err := tx.Ent().Contact.Query().Where(contact.RemovedAtIsNil()).
		Select(contact.FieldName, contact.FieldEmail, contact.FieldActive).All(ctx)
	if err != nil {
		return fmt.Errorf("reading people: %w", err)
	}
	people := make(map[int]PersonFact, len(rows))
	for _, row := range rows {
		people[row.ID] = PersonFact{ID: row.ID, Name: row.Name, Email: row.Email, Active: row.Active}
	}
	links, err := tx.Ent().ContactCompanyLink.Query().
		Order(ent.Asc(contactcompanylink.FieldContactID)).
		Select(contactcompanylink.FieldContactID, contactcompanylink.FieldCompanyAccountNumber).All(ctx)
	if err != nil {
		return fmt.Errorf("reading people's companies: %w", err)
	}
	for _, link := range links {
		c, p := of[link.CompanyAccountNumber], people[link.ContactID]
		if c != nil && p.ID != 0 {
			c.People = append(c.People, p)
		}
	}
	return nil
}

// readTickets reads the closed tickets of the month, by the rule by which Ledger takes them: the month of
// the last update (docs/compatibility.md, "Ticket").
func (r *Reviewer) readTickets(ctx context.Context, tx *store.Tx, period codex.Period, of map[codex.AccountNumber]*CompanyFact) error {
	rows, err := tx.Ent().Ticket.Query().Where(
		ticket.RemovedAtIsNil(), ticket.Closed(true),
		ticket.LastUpdatedAtGTE(period.Start()), ticket.LastUpdatedAtLT(period.End()),
	).Order(ticket.ByID()).Select(ticket.FieldCompanyAccountNumber, ticket.FieldSubject,
		ticket.FieldSpentSeconds, ticket.FieldUnbillableSeconds).All(ctx)
	if err != nil {
		return fmt.Errorf("reading tickets: %w", err)
	}
	hours := query.New(tx.Ent(), r.o.Rules)
	for _, row := range rows {
		if c := of[row.CompanyAccountNumber]; c != nil {
			c.Tickets = append(c.Tickets, TicketFact{
				ID: row.ID, Subject: row.Subject, Seconds: hours.TicketSeconds(row), Link: r.ticketLink(row.ID),
			})
		}
	}
	return nil
}

// ticketLink is the address of a ticket's page: {web_domain}/a/tickets/{id}.
func (r *Reviewer) ticketLink(id int) string {
	if r.o.FreshserviceWeb == "" {
		return ""
	}
	return r.o.FreshserviceWeb + "/a/tickets/" + strconv.Itoa(id)
}

// valueOf is what p points to, or nothing.
func valueOf[T any](p *T) T {
	if p == nil {
		var nothing T
		return nothing
	}
	return *p
}
