package simulator

import (
	"cmp"
	"errors"
	"fmt"
)

// ErrNoRecord says that a change names a record that is not there.
var ErrNoRecord = errors.New("there is no such record")

func missing(entity Entity, id any) error { return fmt.Errorf("%s %v: %w", entity, id, ErrNoRecord) }

// changed is a copy of a record with a change. What change does to slices, maps and pointers must be
// to put others in their place.
func changed[K cmp.Ordered, V any](entity Entity, records map[K]*V, id K, change func(*V)) (*V, error) {
	old := records[id]
	if old == nil {
		return nil, missing(entity, id)
	}
	fresh := *old
	change(&fresh)
	return &fresh, nil
}

// replace puts a changed copy of a record into its map.
func replace[K cmp.Ordered, V any](entity Entity, records map[K]*V, id K, change func(*V)) error {
	fresh, err := changed(entity, records, id, change)
	if err == nil {
		records[id] = fresh
	}
	return err
}

// What follows puts a changed Freshservice record in its place, or takes one away; mu is held. The
// search index learns of it later, and the webhook is told.

func (s *Sim) keepDepartment(d *Department) {
	action := actionUpdated
	if s.world.departments[d.ID] == nil {
		action = actionCreated
	}
	s.world.departments[d.ID] = d
	s.announce(departmentEvent(d.ID, action))
}

func (s *Sim) dropDepartment(id int64) error {
	if s.world.departments[id] == nil {
		return missing(EntityDepartment, id)
	}
	delete(s.world.departments, id)
	s.announce(departmentEvent(id, actionDeleted))
	return nil
}

func (s *Sim) keepRequester(r *Requester) {
	action := actionUpdated
	if s.world.requesters[r.ID] == nil {
		action = actionCreated
	}
	s.reshowRequester(r)
	s.announce(requesterEvent(r.ID, action))
}

// reshowRequester is a change that follows from another record's: nothing announces it.
func (s *Sim) reshowRequester(r *Requester) {
	s.world.index.requesters.note(s.clock(), r.ID, s.world.requesters[r.ID])
	s.world.requesters[r.ID] = r
}

func (s *Sim) dropRequester(id int64) error {
	was := s.world.requesters[id]
	if was == nil {
		return missing(EntityRequester, id)
	}
	s.world.index.requesters.note(s.clock(), id, was)
	delete(s.world.requesters, id)
	s.announce(requesterEvent(id, actionDeleted))
	return nil
}

func (s *Sim) keepTicket(t *Ticket) {
	was := s.world.tickets[t.ID]
	s.world.index.tickets.note(s.clock(), t.ID, was)
	s.world.tickets[t.ID] = t
	switch {
	case was == nil:
		s.announce(ticketEvent(t, actionCreated))
	case t.Deleted && !was.Deleted:
		s.announce(ticketEvent(t, actionDeleted))
	default:
		s.announce(ticketEvent(t, actionUpdated))
	}
}

func (s *Sim) dropTicket(id int64) error {
	was := s.world.tickets[id]
	if was == nil {
		return missing(EntityTicket, id)
	}
	s.world.index.tickets.note(s.clock(), id, was)
	delete(s.world.tickets, id)
	s.announce(ticketEvent(was, actionDeleted))
	return nil
}

// Distort changes how one record is shown, everywhere, by editing its decoded JSON (numbers are
// json.Number): keys may go, types may change, values may be what no field of ours could hold. id is
// the record's id in decimal, a site's or device's uid. Truth does not see it.
func (s *Sim) Distort(entity Entity, id string, edit func(record map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := distortionKey{entity, id}
	s.world.distortions[at] = append(s.world.distortions[at], edit)
}

// Undistort shows a record as it is again.
func (s *Sim) Undistort(entity Entity, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.world.distortions, distortionKey{entity, id})
}
