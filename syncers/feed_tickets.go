package syncers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

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
	peopleMu   sync.Mutex
	people     map[int64]requester // contacts, and agents who were looked up, by Freshservice's id
	reader     *ticketReader
	again      []*ent.SyncIssue  // what is wrong with tickets: they may have to be tried again
	asked      map[string]string // open questions about statuses, and their text

	departments []freshservice.Department
	place       func(*int64) (codex.AccountNumber, bool)
	placing     placing
	statuses    map[int]string
	held        map[int]bool
	listedFrom  time.Time         // when listing began, by Freshservice's clock
	newest      time.Time         // of the updates that listings showed
	goneAt      map[int]time.Time // when those were asked for that may be gone
	urgent      bool              // somebody waits for it
	short       bool              // a listing came incomplete
	issues      []Issue           // of tickets that no batch has
	outcome     Outcome
}

// syncTickets brings tickets to what Freshservice holds: those that were updated since the cursor,
// or in a full sync all of the past year. What lies before stays.
func (e *Engine) syncTickets(ctx context.Context, run *Run) (Outcome, error) {
	if err := e.checkUpstream(ctx, run, upstreamFreshservice, e.settings.FreshserviceIdentity); err != nil {
		return Outcome{}, err
	}
	r := ticketRun{Engine: e, run: run, began: e.db.Now(), goneAt: make(map[int]time.Time)}
	if err := r.remember(ctx); err != nil {
		return Outcome{}, err
	}
	r.reader = newTicketReader(ctx, r.fetch)
	defer r.reader.stop()
	choice, err := r.list(ctx)
	if err != nil {
		return Outcome{}, err
	}
	choice.held = choice.hold()
	r.held = choice.held
	if r.outcome.Changes, err = r.heldChanges(ctx, choice); err != nil {
		return Outcome{}, err
	}
	gone, err := r.confirm(ctx, &choice)
	if err != nil {
		return r.outcome, err
	}
	work := choice.choose()
	r.outcome.count(EntityCounts{Entity: tickets().Name, Unchanged: work.unchanged, Held: len(r.held)})
	if err := r.batches(ctx, work); err != nil {
		return r.outcome, err
	}
	if err := r.finish(ctx, choice, work, gone); err != nil {
		return r.outcome, err
	}
	r.outcome.held("tickets", len(r.held), r.run.Request.DryRun)
	return r.outcome, nil
}

// remember reads what the hub holds.
func (r *ticketRun) remember(ctx context.Context) error {
	return r.snapshot(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if r.checkpoint, err = loadCheckpoint(ctx, tx, codex.FeedTickets); err != nil {
			return err
		}
		revisions, err := tx.Revisions(ctx, companies().Name)
		if err != nil {
			return err
		}
		r.placing.revision = revisions[companies().Name]
		r.placing.read = r.placing.revision
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
		r.again, err = openIssues(ctx, tx, codex.FeedTickets, IssueTicketUnread, IssueTicketWithoutCompany, IssueBadRecord)
		if err != nil {
			return err
		}
		questions, err := openIssues(ctx, tx, codex.FeedTickets, IssueUnknownStatus)
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
		upstream_updated_at, closed_at, timer_running, removed_at IS NOT NULL, requester_id, requester_name, requester_email FROM tickets`)
	if err != nil {
		return nil, fmt.Errorf("reading tickets: %w", err)
	}
	defer func() { _ = list.Close() }()
	rows := make(map[int]ticketRow)
	for list.Next() {
		var t ticketRow
		if err := list.Scan(&t.id, &t.account, &t.closed, &t.statusCode, &t.updatedAt, &t.closedAt, &t.timer, &t.removed, &t.requesterID, &t.requester.name, &t.requester.email); err != nil {
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
		settings: r.settings, guard: r.settings.guard(r.run), full: r.full, since: since(r.checkpoint, r.full, r.began),
		rows: r.rows, done: r.checkpoint.Done, listed: make(map[int]freshservice.Ticket), hidden: make(map[int]bool),
		people: maps.Clone(r.people), bad: make(map[int]bool), again: make(map[int]bool), open: make(map[int]bool),
	}
	r.run.Phase("reading departments")
	departments, err := r.freshservice.Departments(ctx)
	if err != nil {
		return c, err
	}
	if err := whole("departments", departments.Seen(), departments.Complete); err != nil {
		return c, err
	}
	r.departments = departments.Items
	r.place = placer(r.departments, r.companies)
	c.place, c.archived = r.place, archivedAccounts(r.companies)
	if r.statuses, err = r.freshservice.TicketStatuses(ctx); err != nil {
		if ctx.Err() != nil {
			return c, err
		}
		r.run.Say("the names of ticket statuses could not be read: %s", reasonOf(err))
	}
	placeable := r.placeable(departments.Items)
	for _, issue := range r.again {
		id := numeric(issue.UpstreamID)
		c.open[id] = true
		// Without company: only once the company is there, else nothing would be gained.
		if issue.Kind != string(IssueTicketWithoutCompany) || placeable(issue) {
			c.again[id] = true
		}
	}
	delete(c.again, 0) // a record that had no id
	for id, row := range r.rows {
		if row.dueAgain(r.checkpoint.ListedAt, r.began) {
			c.again[id] = true
		}
	}
	r.run.Phase("reading tickets")
	for _, filter := range []freshservice.TicketFilter{freshservice.TicketsPlain, freshservice.TicketsDeleted, freshservice.TicketsSpam} {
		if err := r.listInto(ctx, &c, filter); err != nil {
			return c, err
		}
	}
	c.short = r.short
	return c, nil
}

// placeable tells whether a ticket that had no company would have one now. An issue names the account
// number that no company had; where the ticket's department had none, its reason is the one that we
// would write for that department.
func (r *ticketRun) placeable(list []freshservice.Department) func(*ent.SyncIssue) bool {
	accounts := servedAccounts(r.companies)
	reasons := make(map[string]bool)
	for _, d := range list {
		if _, known := r.place(&d.ID); known {
			reasons[withoutCompany(freshservice.Ticket{DepartmentID: &d.ID}, "").Reason] = true
		}
	}
	return func(issue *ent.SyncIssue) bool {
		if issue.CompanyAccountNumber != nil {
			return accounts[*issue.CompanyAccountNumber]
		}
		return reasons[issue.Reason]
	}
}

func (r *ticketRun) listInto(ctx context.Context, c *ticketChoice, filter freshservice.TicketFilter) error {
	query := freshservice.TicketQuery{UpdatedSince: c.since, Filter: filter, Stats: true}
	if filter == freshservice.TicketsPlain {
		query.Each = func(t freshservice.Ticket) { r.readEarly(c, t) }
	}
	listing, err := r.freshservice.Tickets(ctx, query)
	if status := transport.StatusOf(err); filter != freshservice.TicketsPlain && (status == 400 || status == 403 || status == 404) {
		r.issues = append(r.issues, notListed(filter, err))
		return nil
	}
	if err != nil {
		return err
	}
	if !listing.Complete {
		r.short = true
		r.outcome.Unread = append(r.outcome.Unread, "The list of tickets came incomplete: what it lacks stays as it is, and the next run reads it again.")
	}
	if r.listedFrom.IsZero() {
		r.listedFrom = cmp.Or(listing.Began, r.began)
	}
	for _, t := range listing.Items {
		id := int(t.ID)
		if t.UpdatedAt.After(r.newest) {
			r.newest = t.UpdatedAt
		}
		if old, listed := c.listed[id]; !listed || t.UpdatedAt.After(old.UpdatedAt) {
			c.listed[id] = t
		}
		if filter != freshservice.TicketsPlain {
			c.hidden[id] = true
		}
	}
	for _, b := range listing.Bad {
		r.issues = append(r.issues, badRecord(b, "ticket", "tickets"))
		c.bad[numeric(b.ID)] = true
	}
	return nil
}

// confirm asks for the tickets that are absent, and for those to be looked at whose update no listing
// shows, one by one; it gives the ids of those that are gone.
func (r *ticketRun) confirm(ctx context.Context, c *ticketChoice) ([]int, error) {
	wasBad := make(map[int]bool)
	for _, issue := range r.again {
		if issue.Kind == string(IssueBadRecord) {
			wasBad[numeric(issue.UpstreamID)] = true
		}
	}
	ids := c.ask(c.choose().suspects)
	answers, err := askEach(ctx, r.db.Now, ids, func(ctx context.Context, id int) (freshservice.Ticket, error) {
		return r.freshservice.Ticket(ctx, int64(id))
	})
	if err != nil {
		return nil, err
	}
	var gone []int
	for i, id := range ids {
		t, err := answers[i].value, answers[i].err
		r.goneAt[id] = answers[i].at
		switch {
		case transport.IsNotFound(err):
			gone = append(gone, id)
		case err != nil && wasBad[id]: // as it was
		case err != nil:
			r.outcome.Unread = append(r.outcome.Unread, fmt.Sprintf("Ticket %d could not be asked for: %s", id, reasonOf(err)))
			r.issues = append(r.issues, unreadTicket(int64(id), c.rows[id].account, err))
		case t.Deleted || t.Spam:
			gone = append(gone, id)
		default:
			c.listed[id] = t
			delete(c.hidden, id)
		}
	}
	return gone, nil
}

// batches reads and writes what has to be, some tickets at a time, in the order of their ids. While a
// batch is written the next one is read.
func (r *ticketRun) batches(ctx context.Context, work ticketWork) error {
	light := make(map[int64]bool, len(work.note)) // nothing beyond the listing is needed of them
	for _, t := range work.note {
		light[t.ID] = true
	}
	for _, t := range work.read {
		_, known := r.place(t.DepartmentID)
		_, stored := r.rows[int(t.ID)]
		light[t.ID] = !known && !stored
	}
	all := byID(append(slices.Clone(work.read), work.note...))
	r.run.Phase("reading time entries and conversations")
	r.run.Progress(0, len(all))
	done, begun := 0, 0
	for batch := range slices.Chunk(all, ticketBatch) {
		for ; begun < min(done+2*ticketBatch, len(all)); begun++ {
			r.reader.begin(all[begun], light[all[begun].ID])
		}
		parts := make([]ticketParts, len(batch))
		failures := make([]error, len(batch))
		for i, t := range batch {
			var err error
			if parts[i], failures[i], err = r.reader.take(t); err != nil {
				return err
			}
		}
		if err := r.write(ctx, batch, parts, failures); err != nil {
			return err
		}
		done += len(batch)
		r.run.Progress(done, len(all))
	}
	return nil
}

func numeric(id string) int { return int(numericID(id)) }
