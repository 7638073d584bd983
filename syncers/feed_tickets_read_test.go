package syncers

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/hivematrix/codex/clients/freshservice"
	"github.com/hivematrix/codex/clients/transport"
)

// desk is an upstream whose answers a test gives one by one.
type desk struct {
	mu      sync.Mutex
	asked   []int64
	arrived chan int64
	answer  chan error
}

func newDesk(t *testing.T) (*desk, *ticketReader) {
	d := &desk{arrived: make(chan int64, 100), answer: make(chan error)}
	reader := newTicketReader(t.Context(), func(ctx context.Context, t freshservice.Ticket, _ bool) (ticketParts, error) {
		d.mu.Lock()
		d.asked = append(d.asked, t.ID)
		d.arrived <- t.ID
		d.mu.Unlock()
		select {
		case err := <-d.answer:
			return ticketParts{hoursUnread: err != nil}, err
		case <-ctx.Done():
			return ticketParts{}, ctx.Err()
		}
	})
	t.Cleanup(reader.stop)
	return d, reader
}

// meet waits until n questions have arrived.
func (d *desk) meet(n int) {
	for range n {
		<-d.arrived
	}
}

func TestTicketsAreReadInTheOrderInWhichTheyAreBegunAndSoManyAtATime(t *testing.T) {
	d, reader := newDesk(t)
	var want []int64
	for id := range int64(3 * inFlight) {
		reader.begin(closedTicket(id, 1), false)
		want = append(want, id)
	}
	d.meet(inFlight)
	select {
	case id := <-d.arrived:
		t.Fatalf("ticket %d is asked for beside %d others", id, inFlight)
	default:
	}
	for range 2 * inFlight { // each answer lets the next one go
		d.answer <- nil
		d.meet(1)
	}
	for range inFlight {
		d.answer <- nil
	}
	for _, id := range want {
		if parts, failure, err := reader.take(closedTicket(id, 1)); failure != nil || err != nil || parts.ticket.ID != id {
			t.Errorf("ticket %d: %+v, %v, %v", id, parts, failure, err)
		}
	}
	// Those at work together may arrive in any order among themselves.
	slices.Sort(d.asked[:inFlight])
	if !slices.Equal(d.asked, want) {
		t.Errorf("asked for %v, want %v", d.asked, want)
	}
	if reader.ahead() != 0 {
		t.Errorf("%d are ahead after all were taken", reader.ahead())
	}
}

func TestOnlyAnotherStateOfATicketIsReadAgain(t *testing.T) {
	d, reader := newDesk(t)
	go func() {
		for {
			select {
			case d.answer <- nil:
			case <-t.Context().Done():
				return
			}
		}
	}()
	first, second := closedTicket(1, 10), closedTicket(1, 20)
	reader.begin(first, false)
	reader.begin(first, false)
	reader.begin(second, false)
	parts, failure, err := reader.take(second)
	if failure != nil || err != nil || !parts.ticket.UpdatedAt.Equal(second.UpdatedAt) {
		t.Errorf("%+v, %v, %v", parts, failure, err)
	}
	reader.stop()
	if !slices.Equal(d.asked, []int64{1, 1}) {
		t.Errorf("asked for %v, want each state once", d.asked)
	}
}

func TestATicketThatFailsCostsNoOtherAndARefusedKeyEndsTheRun(t *testing.T) {
	d, reader := newDesk(t)
	broken := errors.New("cut off")
	reader.begin(closedTicket(1, 1), false)
	d.meet(1)
	d.answer <- broken
	if parts, failure, err := reader.take(closedTicket(1, 1)); !errors.Is(failure, broken) || err != nil || !parts.hoursUnread {
		t.Errorf("%+v, %v, %v", parts, failure, err)
	}
	for id := range int64(3) {
		reader.begin(closedTicket(id, 1), false)
	}
	d.meet(3)
	d.answer <- transport.ErrBlocked
	for id := range int64(3) {
		if _, _, err := reader.take(closedTicket(id, 1)); !errors.Is(err, transport.ErrBlocked) {
			t.Errorf("ticket %d behind a block: %v", id, err)
		}
	}
}
