package syncers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/store"
)

// readBatch is what was read of some tickets, as rows.
type readBatch struct {
	ids       []int
	records   []TicketRecord
	entries   []TimeEntryRecord
	hoursRead map[int]bool      // the tickets whose time entries were read, all of them
	readFrom  map[int]time.Time // when what belongs to a ticket began to be read
	issues    []Issue
	unread    []string          // what could not be read, for people
	reread    map[int]time.Time // tickets that were re-read meanwhile, with when
}

// write plans and applies a batch, and notes it as done.
func (r *ticketRun) write(ctx context.Context, batch []freshservice.Ticket, parts []ticketParts, failures []error) error {
	ids := make([]int, len(batch))
	for i, t := range batch {
		ids[i] = int(t.ID)
	}
	var b readBatch
	checkpoint := r.progressed(batch, failures)
	plan, err := r.settle(ctx, r.run, func(ctx context.Context) (FeedPlan, error) {
		if err := r.placeAnew(ctx, ids); err != nil {
			return FeedPlan{}, err
		}
		b = r.compose(batch, parts, failures)
		plan, err := r.planBatch(ctx, b)
		if err != nil {
			return plan, err
		}
		plan.Base[companies().Name] = r.placing.revision
		plan.Checkpoint = &checkpoint
		return plan, nil
	})
	if err != nil {
		return err
	}
	r.outcome.Unread = append(r.outcome.Unread, b.unread...)
	r.checkpoint = checkpoint
	r.outcome.add(r.run, plan.Steps...)
	return nil
}

// compose maps what was read of tickets; a ticket whose hours could not be read has no record, so
// that its row, if there is one, stays as it is.
func (r *ticketRun) compose(batch []freshservice.Ticket, parts []ticketParts, failures []error) readBatch {
	b := readBatch{hoursRead: make(map[int]bool), readFrom: make(map[int]time.Time)}
	archived := archivedAccounts(r.companies)
	for i, t := range batch {
		p := parts[i]
		id := int(t.ID)
		b.ids = append(b.ids, id)
		b.readFrom[id] = p.readFrom
		account, known := r.place(t.DepartmentID)
		row, stored := r.rows[id]
		owner := r.owner(row)
		if !stored && p.hoursUnread && failures[i] == nil { // its company was not there when it was to be read
			known = false
		}
		if !known && !(stored && archived[owner]) { // nobody waits for the tickets of an archived company
			b.issues = append(b.issues, withoutCompany(t, account))
		}
		if !known && !stored {
			continue
		}
		if !known || r.held[id] { // it stays with the company that it has
			account = owner
		}
		p.account = account
		if failures[i] != nil {
			b.issues = append(b.issues, unreadTicket(t.ID, account, failures[i]))
			b.unread = append(b.unread, fmt.Sprintf("Ticket %d could not be read completely: %s", t.ID, reasonOf(failures[i])))
			if p.hoursUnread {
				continue
			}
		}
		for _, bad := range p.badMessages {
			b.issues = append(b.issues, badMessage(t.ID, account, bad))
		}
		if p.asked.email.Valid || p.asked.name.Valid {
			p.requester = p.asked
		}
		b.records = append(b.records, mapTicket(p, r.settings))
		if !p.hoursUnread {
			b.hoursRead[id] = true
			for _, e := range p.entries {
				b.entries = append(b.entries, mapTimeEntry(t.ID, e))
			}
		}
	}
	return b
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

// planBatch plans b over what is stored now, without what re-reads have overtaken of it.
func (r *ticketRun) planBatch(ctx context.Context, b readBatch) (FeedPlan, error) {
	var plan FeedPlan
	err := r.snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		revisions, err := tx.Revisions(ctx, "tickets", "time_entries")
		if err != nil {
			return err
		}
		current, err := loadKeyed(ctx, tx, tickets(), "ticket_id", b.ids)
		if err != nil {
			return err
		}
		currentEntries, err := loadKeyed(ctx, tx, timeEntries(), "ticket_id", b.ids)
		if err != nil {
			return err
		}
		b := b
		var check func(ctx context.Context, tx *store.Tx) error
		if !r.urgent {
			reread, err := rereadSince(ctx, tx, RecordTicket, b.ids, r.began)
			if err != nil {
				return err
			}
			b = b.without(reread, current)
			check = ticketsRereadAsSeen(b.ids, r.began, reread)
		}
		read := func(t *TimeEntryRecord) bool { return b.hoursRead[t.TicketID] }
		ticketPlan := Plan(tickets(), current, b.records, 0, Scope[TicketRecord]{})
		ticketPlan.Unchanged -= r.heldAsTheyAre(b.records, ticketPlan)
		plan = FeedPlan{
			Base: revisions,
			Steps: []Step{
				step[TicketRecord]{entity: tickets(), issues: countIssues(b.issues, tickets().Name), plan: ticketPlan},
				step[TimeEntryRecord]{entity: timeEntries(), plan: Plan(timeEntries(), currentEntries, b.entries, 0, Scope[TimeEntryRecord]{Complete: read, Gone: read})},
			},
			Issues: b.issues,
			Met: func(kind IssueKind, id string) bool {
				ticket := numeric(id)
				_, again := b.reread[ticket]
				return kind != IssueUnknownStatus && slices.Contains(b.ids, ticket) && !again
			},
			check: check,
		}
		return nil
	})
	return plan, err
}

// heldAsTheyAre is how many of records are held and otherwise unchanged: they were counted as held.
func (r *ticketRun) heldAsTheyAre(records []TicketRecord, plan EntityPlan[TicketRecord]) int {
	updated := make(map[int]bool, len(plan.Updates))
	for _, u := range plan.Updates {
		updated[u.New.ID] = true
	}
	n := 0
	for _, t := range records {
		if r.held[t.ID] && !updated[t.ID] {
			n++
		}
	}
	return n
}

// finish removes what is gone, asks about statuses, and moves the cursor.
func (r *ticketRun) finish(ctx context.Context, c ticketChoice, work ticketWork, gone []int) error {
	whole := r.full && !r.short
	questions := append(r.issues, statusIssues(work.statuses, r.statuses, whole, r.asked)...)
	settled := append(slices.Clone(gone), work.settled...)
	checkpoint := Checkpoint{
		Cursor:   nextCursor(r.checkpoint, r.newest, r.short || len(r.held) > 0, r.listedFrom),
		ListedAt: r.began, Mode: r.run.Request.Mode,
	}
	plan, err := r.settle(ctx, r.run, func(ctx context.Context) (FeedPlan, error) {
		var plan FeedPlan
		err := r.snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
			revisions, err := tx.Revisions(ctx, "tickets")
			if err != nil {
				return err
			}
			reread, err := rereadSince(ctx, tx, RecordTicket, gone, r.began)
			if err != nil {
				return err
			}
			check := ticketsRereadAsSeen(gone, r.began, reread)
			gone := slices.DeleteFunc(slices.Clone(gone), func(id int) bool { // back since we asked
				at, again := reread[id]
				return again && !at.Before(r.goneAt[id])
			})
			current, err := loadKeyed(ctx, tx, tickets(), "ticket_id", gone)
			if err != nil {
				return err
			}
			always := func(*TicketRecord) bool { return true }
			removal := Plan(tickets(), current, nil, 0, Scope[TicketRecord]{Complete: always, Gone: always})
			plan = FeedPlan{
				Base:   revisions,
				Steps:  []Step{step[TicketRecord]{entity: tickets(), plan: removal, issues: countIssues(questions, tickets().Name)}},
				Issues: questions,
				Met: func(kind IssueKind, id string) bool {
					switch {
					case kind == IssueUnknownStatus:
						return whole || r.settings.stateOf(numeric(id)) != stateUnknown
					case kind == IssueTicketsNotListed: // each run asks for all lists
						return true
					case numeric(id) == 0: // a record without id: it is in no list but that of all
						return whole
					}
					return slices.Contains(settled, numeric(id)) // a ticket that is not ours any more has no issue
				},
				Checkpoint: &checkpoint,
				check:      check,
			}
			return nil
		})
		return plan, err
	})
	if err != nil {
		return err
	}
	r.outcome.add(r.run, plan.Steps...)
	return nil
}

// who is a requester: a contact, or somebody whom Freshservice knows as agent or requester. Nobody is
// an answer only where Freshservice knows of none, or does not show this key: what fails otherwise
// may be told the next time.
func (r *ticketRun) who(ctx context.Context, id *int64) (requester, error) {
	if id == nil {
		return requester{}, nil
	}
	r.peopleMu.Lock()
	known, ok := r.people[*id]
	r.peopleMu.Unlock()
	if ok {
		return known, nil
	}
	found, err := r.lookUp(ctx, *id)
	if err != nil {
		return requester{}, err
	}
	r.peopleMu.Lock()
	r.people[*id] = found
	r.peopleMu.Unlock()
	return found, nil
}

func (r *ticketRun) lookUp(ctx context.Context, id int64) (requester, error) {
	agent, err := r.freshservice.Agent(ctx, id)
	if err == nil {
		return requester{name: filled(personName(agent.FirstName, agent.LastName, text(agent.Email))), email: told(agent.Email)}, nil
	}
	if !hidden(err) {
		return requester{}, err
	}
	person, err := r.freshservice.Requester(ctx, id)
	if err == nil {
		return requester{name: filled(personName(person.FirstName, person.LastName, text(person.PrimaryEmail))), email: told(person.PrimaryEmail)}, nil
	}
	if !hidden(err) {
		return requester{}, err
	}
	return requester{}, nil
}
