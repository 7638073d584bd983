package syncers

import (
	"context"
	"slices"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/store"
)

// ticketBase is what the hub holds of a ticket, and over which companies it is placed.
type ticketBase struct {
	row       []TicketRecord // one, or none
	entries   []TimeEntryRecord
	companies int64 // their revision
}

func loadTicketBase(ctx context.Context, tx *store.Tx, id int) (ticketBase, error) {
	var base ticketBase
	revisions, err := tx.Revisions(ctx, companies().Name)
	if err != nil {
		return base, err
	}
	base.companies = revisions[companies().Name]
	if base.row, err = loadKeyed(ctx, tx, tickets(), "ticket_id", []int{id}); err != nil {
		return base, err
	}
	base.entries, err = loadKeyed(ctx, tx, timeEntries(), "ticket_id", []int{id})
	slices.SortFunc(base.entries, func(a, b TimeEntryRecord) int { return a.ID - b.ID })
	return base, err
}

func (b ticketBase) equal(other ticketBase) bool {
	return slices.Equal(b.row, other.row) && slices.Equal(b.entries, other.entries) && b.companies == other.companies
}

// rereadTicket reads a ticket, its time entries and its conversations, as a run does. One that is
// gone, deleted or spam is left to the runs, whose guard removals pass.
func (e *Engine) rereadTicket(ctx context.Context, id int64, statuses map[int]string) (finding, error) {
	r := ticketRun{Engine: e, urgent: true, began: e.db.Now(), statuses: statuses, rows: make(map[int]ticketRow), people: make(map[int64]requester)}
	var before ticketBase
	err := e.snapshot(ctx, func(ctx context.Context, tx *store.Tx) (err error) {
		if before, err = loadTicketBase(ctx, tx, int(id)); err != nil {
			return err
		}
		r.companies, err = load(ctx, tx, companies(), "")
		return err
	})
	if err != nil {
		return finding{}, err
	}
	t, err := e.freshservice.Ticket(ctx, id)
	if transport.IsNotFound(err) || err == nil && (t.Deleted || t.Spam) {
		return finding{}, nil
	}
	if err != nil {
		return finding{}, err
	}
	for _, row := range before.row {
		r.rows[row.ID] = ticketRow{
			id: row.ID, account: row.Account, closed: row.Closed, statusCode: row.StatusCode,
			updatedAt: row.UpstreamUpdatedAt, timer: row.TimerRunning, removed: row.RemovedAt.Valid,
		}
	}
	batch, failure, err := r.readOne(ctx, t)
	if err != nil {
		return finding{}, err
	}
	return finding{from: r.began, feed: codex.FeedTickets, failure: failure, plan: func(ctx context.Context) (FeedPlan, error) {
		plan, err := r.planBatch(ctx, batch)
		if err != nil {
			return plan, err
		}
		plan.Base[companies().Name] = before.companies
		// Behind the plan: rows that change after this look make it stale.
		err = e.snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
			now, err := loadTicketBase(ctx, tx, int(id))
			if err == nil && !now.equal(before) {
				err = errOvertaken
			}
			return err
		})
		return plan, err
	}}, nil
}

// readOne reads what belongs to t, as far as it matters, and maps it. failure is why some of it could
// not be read that the rest may be written without; err, why nothing may.
func (r *ticketRun) readOne(ctx context.Context, t freshservice.Ticket) (b readBatch, failure, err error) {
	if err := r.findCompany(ctx, t.DepartmentID); err != nil {
		return b, nil, err
	}
	if err := r.findRequester(ctx, t.RequesterID); err != nil {
		return b, nil, err
	}
	row, stored := r.rows[int(t.ID)]
	state := r.settings.stateOf(t.Status)
	billed := state == stateClosed || state == stateUnknown && row.closed
	_, known := r.place(t.DepartmentID)
	if !billed && !stored { // never seen closed: not served, and what was wrong with it is nobody's business
		return readBatch{ids: []int{int(t.ID)}}, nil, nil
	}
	parts, failure := r.fetch(ctx, t, !billed || !known && !stored)
	if failure != nil && (parts.hoursUnread || keyRefused(failure) || ctx.Err() != nil) {
		return b, nil, failure
	}
	return r.compose([]freshservice.Ticket{t}, []ticketParts{parts.of(t)}, []error{failure}), failure, nil
}

// findCompany makes r place department: by the companies that are stored, else by what Freshservice
// says of it.
func (r *ticketRun) findCompany(ctx context.Context, department *int64) error {
	r.place = placer(nil, r.companies)
	if _, known := r.place(department); known || department == nil {
		return nil
	}
	d, err := r.freshservice.Department(ctx, *department)
	if hidden(err) {
		return nil
	}
	if err != nil {
		return err
	}
	r.place = placer([]freshservice.Department{d}, r.companies)
	return nil
}

// findRequester makes r know a requester who is a contact.
func (r *ticketRun) findRequester(ctx context.Context, id *int64) error {
	if id == nil {
		return nil
	}
	return r.snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		found, err := load(ctx, tx, contacts(), "freshservice_id = $1", *id)
		for _, c := range found {
			r.people[*id] = requester{name: some(c.Name), email: some(c.Email)}
		}
		return err
	})
}

// ticketStatuses are the names of the account's statuses, read once in a while: a re-read shall cost
// its record's calls alone. Where they cannot be read, those that are known stay.
func (d *drainer) ticketStatuses(ctx context.Context) map[int]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.db.Now(); d.statusesAt.IsZero() || now.Sub(d.statusesAt) > statusesAge {
		d.statusesAt = now // a key that may not read them is not asked to each time
		if names, err := d.freshservice.TicketStatuses(ctx); err == nil {
			d.statuses = names
		}
	}
	return d.statuses
}

// statusesAge is how old the names of statuses may be that re-reads write.
const statusesAge = time.Hour
