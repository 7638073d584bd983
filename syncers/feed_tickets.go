package syncers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

// ticketBatch is how many tickets are fetched and written at once: what a kill may cost.
const ticketBatch = 50

// ticketRun is a run of the feed tickets: what it knew at its beginning, and what it has done.
type ticketRun struct {
	*Engine
	run        *Run
	began      time.Time
	full       bool
	checkpoint Checkpoint
	rows       map[int]ticketRow
	companies  []CompanyRecord
	people     map[int64]requester // contacts, and agents who were looked up, by Freshservice's id
	again      []*ent.SyncIssue    // tickets to try again
	asked      map[string]string   // open questions about statuses, and their text

	place    func(*int64) (codex.AccountNumber, bool)
	statuses map[int]string
	held     map[int]bool
	outcome  Outcome
}

// syncTickets brings tickets to what Freshservice holds: those that were updated since the cursor,
// or in a full sync all of the past year. What lies before stays.
func (e *Engine) syncTickets(ctx context.Context, run *Run) (Outcome, error) {
	if err := e.checkUpstream(ctx, run, upstreamFreshservice, e.settings.FreshserviceIdentity); err != nil {
		return Outcome{}, err
	}
	r := ticketRun{Engine: e, run: run, began: e.db.Now()}
	if err := r.remember(ctx); err != nil {
		return Outcome{}, err
	}
	choice, err := r.list(ctx)
	if err != nil {
		return Outcome{}, err
	}
	work := choice.choose()
	r.held = work.held
	gone, err := r.confirm(ctx, &choice, work)
	if err != nil {
		return r.outcome, err
	}
	work = choice.choose() // what was asked for by id is listed now
	r.outcome.add(step[TicketRecord]{entity: tickets(), plan: EntityPlan[TicketRecord]{Unchanged: work.unchanged}})
	if err := r.batches(ctx, work); err != nil {
		return r.outcome, err
	}
	if err := r.finish(ctx, choice, work, gone); err != nil {
		return r.outcome, err
	}
	kept := 0
	for _, held := range work.held {
		if held {
			kept++
		}
	}
	r.outcome.held("tickets", kept)
	return r.outcome, nil
}

// remember reads what the hub holds.
func (r *ticketRun) remember(ctx context.Context) error {
	return r.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if r.checkpoint, err = loadCheckpoint(ctx, tx, codex.FeedTickets); err != nil {
			return err
		}
		if r.companies, err = load(ctx, tx, companies(), ""); err != nil {
			return err
		}
		everybody, err := load(ctx, tx, contacts(), "")
		if err != nil {
			return err
		}
		r.people = make(map[int64]requester, len(everybody))
		for _, c := range everybody {
			if c.FreshserviceID.Valid {
				r.people[c.FreshserviceID.V] = requester{name: some(c.Name), email: some(c.Email)}
			}
		}
		if r.again, err = openIssues(ctx, tx, codex.FeedTickets, string(IssueTicketUnread), string(IssueTicketWithoutCompany)); err != nil {
			return err
		}
		questions, err := openIssues(ctx, tx, codex.FeedTickets, string(IssueUnknownStatus))
		if err != nil {
			return err
		}
		r.asked = make(map[string]string)
		for _, q := range questions {
			r.asked[q.UpstreamID] = q.Reason
		}
		r.rows, err = loadTicketRows(ctx, tx)
		return err
	})
}

func loadTicketRows(ctx context.Context, tx *store.Tx) (map[int]ticketRow, error) {
	list, err := tx.SQL().QueryContext(ctx, `SELECT ticket_id, company_account_number, closed, status_code,
		upstream_updated_at, timer_running, removed_at IS NOT NULL FROM tickets`)
	if err != nil {
		return nil, fmt.Errorf("reading tickets: %w", err)
	}
	defer func() { _ = list.Close() }()
	rows := make(map[int]ticketRow)
	for list.Next() {
		var t ticketRow
		if err := list.Scan(&t.id, &t.account, &t.closed, &t.statusCode, &t.updatedAt, &t.timer, &t.removed); err != nil {
			return nil, fmt.Errorf("reading tickets: %w", err)
		}
		t.updatedAt = t.updatedAt.UTC()
		rows[t.id] = t
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("reading tickets: %w", err)
	}
	return rows, nil
}

// list reads the tickets since the cursor, deleted and spam ones too, which no other listing shows.
func (r *ticketRun) list(ctx context.Context) (ticketChoice, error) {
	r.full = r.run.Request.Mode == codex.ModeFull || r.checkpoint.Cursor.IsZero()
	if len(r.checkpoint.Done) > 0 && r.checkpoint.Mode == r.run.Request.Mode {
		r.run.Resumed()
		r.run.Say("going on for a run that died: %d tickets are done", len(r.checkpoint.Done))
	} else {
		r.checkpoint.Done = nil
	}
	r.checkpoint.Mode = r.run.Request.Mode
	c := ticketChoice{
		settings: r.settings, guard: r.settings.guard(r.run.Request), full: r.full, since: since(r.checkpoint, r.full, r.began),
		rows: r.rows, listed: make(map[int]freshservice.Ticket), hidden: make(map[int]bool), done: r.checkpoint.Done, again: make(map[int]bool),
	}
	r.run.Phase("reading departments")
	departments, err := r.freshservice.Departments(ctx)
	if err != nil {
		return c, err
	}
	if err := whole("departments", departments.Seen(), departments.Complete); err != nil {
		return c, err
	}
	r.place = placer(departments.Items, r.companies)
	c.place = r.place
	if r.statuses, err = r.freshservice.TicketStatuses(ctx); err != nil {
		if ctx.Err() != nil {
			return c, err
		}
		r.run.Say("the names of ticket statuses could not be read: %s", reasonOf(err))
	}
	r.run.Phase("reading tickets")
	for _, filter := range []freshservice.TicketFilter{freshservice.TicketsPlain, freshservice.TicketsDeleted, freshservice.TicketsSpam} {
		if err := r.listInto(ctx, &c, filter); err != nil {
			return c, err
		}
	}
	for _, issue := range r.again {
		// Without company: only once the company is there, else nothing would be gained.
		_, known := r.place(r.departmentOf(issue, departments.Items))
		if id, err := strconv.Atoi(issue.UpstreamID); err == nil && (issue.Kind == string(IssueTicketUnread) || known) {
			c.again[id] = true
		}
	}
	return c, nil
}

// departmentOf is a department with the account number that an issue names.
func (r *ticketRun) departmentOf(issue *ent.SyncIssue, list []freshservice.Department) *int64 {
	if issue.CompanyAccountNumber == nil {
		return nil
	}
	for _, d := range list {
		if account, _ := r.place(&d.ID); account == *issue.CompanyAccountNumber {
			return &d.ID
		}
	}
	return nil
}

func (r *ticketRun) listInto(ctx context.Context, c *ticketChoice, filter freshservice.TicketFilter) error {
	listing, err := r.freshservice.Tickets(ctx, freshservice.TicketQuery{UpdatedSince: c.since, Filter: filter, Stats: true})
	if status := transport.StatusOf(err); filter != freshservice.TicketsPlain && (status == 400 || status == 403 || status == 404) {
		r.run.Say("tickets that are %s cannot be listed with this key: %s", filter, reasonOf(err))
		return nil
	}
	if err != nil {
		return err
	}
	if !listing.Complete {
		return whole("tickets", 1, false)
	}
	for _, t := range listing.Items {
		id := int(t.ID)
		if old, listed := c.listed[id]; !listed || t.UpdatedAt.After(old.UpdatedAt) {
			c.listed[id] = t
		}
		if filter != freshservice.TicketsPlain {
			c.hidden[id] = true
		}
	}
	for _, b := range listing.Bad {
		r.outcome.Unread = append(r.outcome.Unread, fmt.Sprintf("Ticket %s could not be understood: %s", b.ID, b.Reason))
		if id, err := strconv.Atoi(b.ID); err == nil {
			delete(c.rows, id) // it is there: neither absent nor changed
		}
	}
	return nil
}

// confirm asks for the tickets that are absent, and for those to be tried again or whose timer runs,
// one by one; it gives the ids of those that are gone.
func (r *ticketRun) confirm(ctx context.Context, c *ticketChoice, work ticketWork) ([]int, error) {
	ask := slices.Clone(work.suspects)
	for _, id := range slices.Sorted(maps.Keys(c.again)) {
		if _, listed := c.listed[id]; !listed {
			ask = append(ask, id)
		}
	}
	for id, row := range c.rows {
		if _, listed := c.listed[id]; row.timer && !row.removed && !listed {
			ask = append(ask, id)
		}
	}
	slices.Sort(ask)
	var gone []int
	for _, id := range slices.Compact(ask) {
		t, err := r.freshservice.Ticket(ctx, int64(id))
		switch {
		case transport.IsUnauthorized(err) || ctx.Err() != nil:
			return nil, err
		case transport.IsNotFound(err):
			gone = append(gone, id)
		case err != nil:
			r.outcome.Unread = append(r.outcome.Unread, fmt.Sprintf("Ticket %d could not be asked for: %s", id, reasonOf(err)))
		case t.Deleted || t.Spam:
			gone = append(gone, id)
		default:
			c.listed[id] = t
			delete(c.hidden, id)
		}
	}
	return gone, nil
}

// batches reads and writes what has to be, some tickets at a time.
func (r *ticketRun) batches(ctx context.Context, work ticketWork) error {
	noted := make(map[int64]bool, len(work.note))
	for _, t := range work.note {
		noted[t.ID] = true
	}
	all := byID(append(slices.Clone(work.read), work.note...))
	r.run.Phase("reading time entries and conversations")
	r.run.Progress(0, len(all))
	done := 0
	for batch := range slices.Chunk(all, ticketBatch) {
		parts := make([]ticketParts, len(batch))
		failures := make([]error, len(batch))
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(inFlight)
		for i, t := range batch {
			group.Go(func() error {
				parts[i], failures[i] = r.fetch(gctx, t, noted[t.ID])
				if transport.IsUnauthorized(failures[i]) || gctx.Err() != nil {
					return failures[i]
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if err := r.write(ctx, batch, parts, failures); err != nil {
			return err
		}
		done += len(batch)
		r.run.Progress(done, len(all))
	}
	return nil
}

// fetch reads what belongs to a ticket: its hours first, which bills are made of.
func (r *ticketRun) fetch(ctx context.Context, t freshservice.Ticket, noted bool) (ticketParts, error) {
	p := ticketParts{ticket: t, statusNames: r.statuses, wasClosed: r.rows[int(t.ID)].closed, hoursUnread: true, bodiesUnread: true}
	if t.Requester != nil {
		p.requester = requester{name: told(t.Requester.Name), email: told(t.Requester.Email)}
	}
	if noted {
		return p, nil
	}
	entries, err := r.freshservice.TimeEntries(ctx, t.ID)
	if err == nil && (len(entries.Bad) > 0 || !entries.Complete) {
		err = codex.Errorf(codex.CodeUnavailable, "its time entries came incomplete, or not all could be understood")
	}
	if err != nil {
		return p, err
	}
	p.entries, p.hoursUnread = entries.Items, false
	if t.UpdatedAt.Before(r.began.AddDate(0, 0, -r.settings.ConversationsDays)) {
		return p, nil
	}
	conversations, err := r.freshservice.Conversations(transport.WithPriority(ctx, transport.PriorityLow), t.ID)
	if err == nil && !conversations.Complete {
		err = codex.Errorf(codex.CodeUnavailable, "its conversations came incomplete")
	}
	if err != nil {
		return p, err
	}
	p.messages, p.bodiesUnread = conversations.Items, false
	return p, nil
}

// write plans and applies a batch, and notes it as done.
func (r *ticketRun) write(ctx context.Context, batch []freshservice.Ticket, parts []ticketParts, failures []error) error {
	var records []TicketRecord
	var entries []TimeEntryRecord
	var issues []Issue
	ids := make([]int, 0, len(batch))
	hoursRead := make(map[int]bool)
	for i, t := range batch {
		p := parts[i]
		id := int(t.ID)
		ids = append(ids, id)
		account, known := r.place(t.DepartmentID)
		if r.held[id] {
			account, known = r.rows[id].account, true
		}
		if !known {
			issues = append(issues, withoutCompany(t, account))
			continue
		}
		p.account = account
		if failures[i] != nil {
			issues = append(issues, unread(t.ID, account, failures[i]))
			r.outcome.Unread = append(r.outcome.Unread, fmt.Sprintf("Ticket %d could not be read completely: %s", t.ID, reasonOf(failures[i])))
			if p.hoursUnread {
				continue // its row, if there is one, stays as it is
			}
		}
		if who, err := r.who(ctx, t.RequesterID); err != nil {
			return err
		} else if who.email.Valid || who.name.Valid {
			p.requester = who
		}
		records = append(records, mapTicket(p, r.settings))
		if !p.hoursUnread {
			hoursRead[id] = true
			for _, e := range p.entries {
				entries = append(entries, mapTimeEntry(t.ID, e))
			}
		}
	}
	checkpoint := r.progressed(batch, failures)
	plan, err := r.settle(ctx, r.run, func(ctx context.Context) (FeedPlan, error) {
		return r.planBatch(ctx, ids, records, entries, hoursRead, issues, checkpoint)
	})
	if err != nil {
		return err
	}
	r.checkpoint = checkpoint
	r.outcome.add(plan.Steps...)
	return nil
}

// progressed is the checkpoint with the batch done; tickets that failed are not.
func (r *ticketRun) progressed(batch []freshservice.Ticket, failures []error) Checkpoint {
	next := r.checkpoint
	next.Done = maps.Clone(next.Done)
	if next.Done == nil {
		next.Done = make(map[int64]time.Time)
	}
	for i, t := range batch {
		if failures[i] == nil {
			next.Done[t.ID] = t.UpdatedAt
		}
	}
	return next
}

func (r *ticketRun) planBatch(
	ctx context.Context, ids []int, records []TicketRecord, entries []TimeEntryRecord, hoursRead map[int]bool, issues []Issue, checkpoint Checkpoint,
) (FeedPlan, error) {
	var plan FeedPlan
	err := r.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		revisions, err := tx.Revisions(ctx, "tickets", "time_entries")
		if err != nil {
			return err
		}
		current, err := loadKeyed(ctx, tx, tickets(), "ticket_id", ids)
		if err != nil {
			return err
		}
		currentEntries, err := loadKeyed(ctx, tx, timeEntries(), "ticket_id", ids)
		if err != nil {
			return err
		}
		read := func(t *TimeEntryRecord) bool { return hoursRead[t.TicketID] }
		plan = FeedPlan{
			Base: revisions,
			Steps: []Step{
				step[TicketRecord]{entity: tickets(), issues: len(issues), plan: Plan(tickets(), current, records, 0, Scope[TicketRecord]{})},
				step[TimeEntryRecord]{entity: timeEntries(), plan: Plan(timeEntries(), currentEntries, entries, 0, Scope[TimeEntryRecord]{Complete: read, Gone: read})},
			},
			Issues: issues,
			Met: func(kind IssueKind, id string) bool {
				return kind != IssueUnknownStatus && slices.Contains(ids, numeric(id))
			},
			Checkpoint: &checkpoint,
		}
		return nil
	})
	return plan, err
}

// finish removes what is gone, asks about statuses, and moves the cursor.
func (r *ticketRun) finish(ctx context.Context, c ticketChoice, work ticketWork, gone []int) error {
	questions := statusIssues(work.statuses, r.statuses, r.full, r.asked)
	checkpoint := Checkpoint{Cursor: nextCursor(r.checkpoint, c.listed, r.began), Mode: r.run.Request.Mode}
	plan, err := r.settle(ctx, r.run, func(ctx context.Context) (FeedPlan, error) {
		var plan FeedPlan
		err := r.db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
			revisions, err := tx.Revisions(ctx, "tickets")
			if err != nil {
				return err
			}
			current, err := loadKeyed(ctx, tx, tickets(), "ticket_id", gone)
			if err != nil {
				return err
			}
			always := func(*TicketRecord) bool { return true }
			removal := Plan(tickets(), current, nil, 0, Scope[TicketRecord]{Complete: always, Gone: always})
			plan = FeedPlan{
				Base:   revisions,
				Steps:  []Step{step[TicketRecord]{entity: tickets(), plan: removal, issues: len(questions)}},
				Issues: questions,
				Met: func(kind IssueKind, id string) bool {
					if kind != IssueUnknownStatus { // a ticket that is gone has no issue any more
						return slices.Contains(gone, numeric(id))
					}
					return r.full || r.settings.stateOf(numeric(id)) != stateUnknown
				},
				Checkpoint: &checkpoint,
			}
			return nil
		})
		return plan, err
	})
	if err != nil {
		return err
	}
	r.outcome.add(plan.Steps...)
	return nil
}

// who is a requester: a contact, or somebody whom Freshservice knows as agent or requester.
func (r *ticketRun) who(ctx context.Context, id *int64) (requester, error) {
	if id == nil {
		return requester{}, nil
	}
	if known, ok := r.people[*id]; ok {
		return known, nil
	}
	var found requester
	agent, err := r.freshservice.Agent(ctx, *id)
	switch {
	case err == nil:
		found = requester{name: filled(personName(agent.FirstName, agent.LastName, text(agent.Email))), email: told(agent.Email)}
	case ctx.Err() != nil:
		return requester{}, err
	default: // no agent, or no right to see agents
		person, err := r.freshservice.Requester(ctx, *id)
		if ctx.Err() != nil {
			return requester{}, err
		}
		if err == nil {
			found = requester{name: filled(personName(person.FirstName, person.LastName, text(person.PrimaryEmail))), email: told(person.PrimaryEmail)}
		}
	}
	r.people[*id] = found
	return found, nil
}

func numeric(id string) int { return int(numericID(id)) }
