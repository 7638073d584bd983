package syncers

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
)

// earlyTickets is how many tickets are read before the listing that shows them has ended: the pages of
// a listing have a rate limit of their own, and what the account's leaves beside it would be lost. It
// bounds what a kill, or a failure of the listing, costs.
const earlyTickets = 4 * ticketBatch

// ticketReader reads what belongs to tickets, [inFlight] of them at a time and in the order in which
// they are begun, while its caller lists, or writes what was read before. Its caller bounds how many
// are begun and not taken. It must be stopped.
type ticketReader struct {
	fetch  func(ctx context.Context, t freshservice.Ticket, light bool) (ticketParts, error)
	ctx    context.Context // ends with the first failure that ends the run
	cancel context.CancelFunc
	group  *errgroup.Group

	mu      sync.Mutex
	queue   []*ticketReading
	workers int
	begun   map[int64]*ticketReading // and not taken yet
}

// ticketReading is the reading of one state of a ticket.
type ticketReading struct {
	ticket  freshservice.Ticket
	light   bool
	done    chan struct{}
	parts   ticketParts
	failure error // of this ticket alone
}

func newTicketReader(
	ctx context.Context, fetch func(ctx context.Context, t freshservice.Ticket, light bool) (ticketParts, error),
) *ticketReader {
	ctx, cancel := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	return &ticketReader{fetch: fetch, ctx: ctx, cancel: cancel, group: group, begun: make(map[int64]*ticketReading)}
}

// stop ends the reading of what was not taken, and waits for that.
func (a *ticketReader) stop() {
	a.cancel()
	_ = a.group.Wait() // what ended the run, take has told
}

// ahead is how many tickets were begun and not taken.
func (a *ticketReader) ahead() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.begun)
}

// begin sees to it that t is read, unless this state of it was begun already. Of a light one nothing
// is read but who its requester is.
func (a *ticketReader) begin(t freshservice.Ticket, light bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, begun := a.begun[t.ID]; begun && old.ticket.UpdatedAt.Equal(t.UpdatedAt) && old.light == light {
		return
	}
	reading := &ticketReading{ticket: t, light: light, done: make(chan struct{})}
	a.begun[t.ID] = reading
	a.queue = append(a.queue, reading)
	if a.workers < inFlight {
		a.workers++
		a.group.Go(a.work)
	}
}

// work reads what is queued until nothing is. Its error ends the run.
func (a *ticketReader) work() error {
	for {
		reading := a.next()
		if reading == nil {
			return nil
		}
		reading.parts, reading.failure = a.fetch(a.ctx, reading.ticket, reading.light)
		if keyRefused(reading.failure) || a.ctx.Err() != nil {
			return reading.failure
		}
		close(reading.done)
	}
}

// next takes the first of the queue; nil ends the worker that asks.
func (a *ticketReader) next() *ticketReading {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 || a.ctx.Err() != nil {
		a.workers--
		return nil
	}
	first := a.queue[0]
	a.queue = a.queue[1:]
	return first
}

// take waits until t, which was begun, is read. failure is why it could not be read completely; err
// ends the run.
func (a *ticketReader) take(t freshservice.Ticket) (parts ticketParts, failure, err error) {
	a.mu.Lock()
	reading := a.begun[t.ID]
	delete(a.begun, t.ID)
	a.mu.Unlock()
	select {
	case <-reading.done:
		return reading.parts.of(t), reading.failure, nil
	case <-a.ctx.Done():
		if err := a.group.Wait(); err != nil {
			return ticketParts{}, nil, err
		}
		return ticketParts{}, nil, a.ctx.Err()
	}
}

// of are parts that belong to t.
func (p ticketParts) of(t freshservice.Ticket) ticketParts {
	p.ticket = t
	if t.Requester != nil {
		p.requester = requester{name: told(t.Requester.Name), email: told(t.Requester.Email)}
	}
	return p
}

// readEarly begins to read a ticket of a listing that goes on, if it will have to be read whatever
// else its pages show.
func (r *ticketRun) readEarly(c *ticketChoice, t freshservice.Ticket) {
	row, stored := r.rows[int(t.ID)]
	_, known := r.place(t.DepartmentID)
	if (known || stored) && c.bills(row, stored, t) && r.reader.ahead() < earlyTickets {
		r.reader.begin(t, false)
	}
}

// fetch reads what belongs to a ticket: its hours first, which bills are made of.
func (r *ticketRun) fetch(ctx context.Context, t freshservice.Ticket, light bool) (ticketParts, error) {
	p := ticketParts{
		readFrom: r.db.Now(), statusNames: r.statuses, wasClosed: r.rows[int(t.ID)].closed, hoursUnread: true, bodiesUnread: true,
	}
	var err error
	if p.asked, err = r.who(ctx, t.RequesterID); err != nil || light {
		return p, err
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
	if !r.urgent {
		ctx = transport.WithPriority(ctx, transport.PriorityLow)
	}
	conversations, err := r.freshservice.Conversations(ctx, t.ID)
	if err == nil && !conversations.Complete {
		err = codex.Errorf(codex.CodeUnavailable, "its conversations came incomplete")
	}
	if err != nil {
		return p, err
	}
	// What is stored may have the message that could not be understood now.
	_, stored := r.rows[int(t.ID)]
	p.messages, p.badMessages, p.bodiesUnread = conversations.Items, conversations.Bad, stored && len(conversations.Bad) > 0
	return p, nil
}
