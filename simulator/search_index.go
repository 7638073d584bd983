package simulator

import (
	"maps"
	"slices"
	"time"
)

// searchIndex remembers what tickets and requesters were before their changes, for searches whose
// index is late.
type searchIndex struct {
	tickets    changeLog[Ticket]
	requesters changeLog[Requester]
}

// changeLog has what records of a kind were before their changes of the last IndexLagLimit, oldest
// first.
type changeLog[T any] []pastRecord[T]

type pastRecord[T any] struct {
	id    int64
	was   *T // nil: the record was not there
	until time.Time
}

// note remembers what a record is before it changes.
func (l *changeLog[T]) note(now time.Time, id int64, was *T) {
	old := slices.IndexFunc(*l, func(p pastRecord[T]) bool { return p.until.After(now.Add(-IndexLagLimit)) })
	switch {
	case old < 0:
		*l = nil
	case old > 0:
		*l = slices.Clone((*l)[old:])
	}
	*l = append(*l, pastRecord[T]{id, was, now})
}

// before is what the records of a kind were at an instant; current is what they are.
func (l changeLog[T]) before(at time.Time, current map[int64]*T) map[int64]*T {
	records := maps.Clone(current)
	for _, p := range slices.Backward(l) {
		switch {
		case !p.until.After(at):
			return records
		case p.was == nil:
			delete(records, p.id)
		default:
			records[p.id] = p.was
		}
	}
	return records
}

// indexedTickets are the tickets as the search index knows them.
func (c *call) indexedTickets() map[int64]*Ticket {
	if c.switches.IndexLag == 0 {
		return c.world.tickets
	}
	return c.world.index.tickets.before(c.clock.Add(-c.switches.IndexLag), c.world.tickets)
}

// indexedRequesters are the requesters as the search index knows them.
func (c *call) indexedRequesters() map[int64]*Requester {
	if c.switches.IndexLag == 0 {
		return c.world.requesters
	}
	return c.world.index.requesters.before(c.clock.Add(-c.switches.IndexLag), c.world.requesters)
}
