package simulator

import (
	"maps"
	"slices"
)

// EditTicket changes a ticket; updated_at becomes now unless change sets it.
func (s *Sim) EditTicket(id int64, change func(*Ticket)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.editTicket(id, change)
}

func (s *Sim) editTicket(id int64, change func(*Ticket)) error {
	fresh, err := changed(EntityTicket, s.world.tickets, id, func(t *Ticket) {
		t.CustomFields = maps.Clone(t.CustomFields)
		t.UpdatedAt = s.now()
		change(t)
	})
	if err == nil {
		s.keepTicket(fresh)
	}
	return err
}

// AddTicket keeps a new ticket and returns its number. What is not given: an open incident of medium
// priority in the primary workspace, created now; of a closed one without times in its stats, closed
// when it was last updated. Its TimeEntries and Conversations get their ids.
func (s *Sim) AddTicket(t Ticket) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addTicket(t)
}

func (s *Sim) addTicket(t Ticket) int64 {
	w := s.world
	t.ID = take(&w.ids.ticket)
	t.CreatedAt = s.orNow(t.CreatedAt)
	if t.UpdatedAt.IsZero() {
		t.UpdatedAt = t.CreatedAt
	}
	for field, otherwise := range map[*int]int{&t.Status: StatusOpen, &t.Priority: 2, &t.Urgency: 1, &t.Impact: 1, &t.Source: 2} {
		if *field == 0 {
			*field = otherwise
		}
	}
	if t.WorkspaceID == 0 {
		t.WorkspaceID = primaryWorkspace
	}
	if t.Type == "" {
		t.Type = "Incident"
	}
	if t.RequestedForID == 0 {
		t.RequestedForID = t.RequesterID
	}
	if t.CustomFields == nil {
		t.CustomFields = map[string]any{}
	}
	for _, list := range []*[]string{&t.CCEmails, &t.FwdEmails, &t.ReplyCCEmails} {
		if *list == nil {
			*list = []string{}
		}
	}
	t.Stats.TicketID = take(&w.ids.ticketInternal)
	if t.Stats.StatusUpdatedAt == nil {
		t.Stats.StatusUpdatedAt = new(t.UpdatedAt)
		if t.Status == StatusClosed {
			t.Stats.ResolvedAt, t.Stats.ClosedAt = new(t.UpdatedAt), new(t.UpdatedAt)
		}
	}
	t.TimeEntries = slices.Clone(t.TimeEntries)
	for i := range t.TimeEntries {
		s.completeEntry(&t.TimeEntries[i])
	}
	t.Conversations = slices.Clone(t.Conversations)
	for i := range t.Conversations {
		s.completeConversation(&t.Conversations[i], t.ID)
	}
	s.keepTicket(&t)
	return t.ID
}

// SetTicketStatus gives a ticket a status as an agent does: the stats follow.
func (s *Sim) SetTicketStatus(id int64, status int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.setTicketStatus(id, status)
}

func (s *Sim) setTicketStatus(id int64, status int) error {
	return s.editTicket(id, func(t *Ticket) {
		now := s.now()
		t.Status = status
		t.Stats.StatusUpdatedAt = new(now)
		switch status {
		case StatusClosed:
			t.Stats.ClosedAt = new(now)
			if t.Stats.ResolvedAt == nil {
				t.Stats.ResolvedAt = new(now)
				t.Stats.ResolutionTimeInSecs = new(int64(now.Sub(t.CreatedAt).Seconds()))
			}
		case StatusResolved:
			t.Stats.ResolvedAt = new(now)
			t.Stats.ResolutionTimeInSecs = new(int64(now.Sub(t.CreatedAt).Seconds()))
		case StatusOpen, StatusPending:
			// What closed_at is after reopening is not documented (choice: null).
			t.Stats.ClosedAt, t.Stats.ResolvedAt, t.Stats.ResolutionTimeInSecs = nil, nil, nil
		}
	})
}

// CloseTicket gives a ticket the status 5.
func (s *Sim) CloseTicket(id int64) error { return s.SetTicketStatus(id, StatusClosed) }

// ReopenTicket gives a ticket the status 2.
func (s *Sim) ReopenTicket(id int64) error { return s.SetTicketStatus(id, StatusOpen) }

// DeleteTicket deletes softly: the lists show it under filter=deleted only.
func (s *Sim) DeleteTicket(id int64) error {
	return s.EditTicket(id, func(t *Ticket) { t.Deleted = true })
}

// RestoreTicket undoes DeleteTicket.
func (s *Sim) RestoreTicket(id int64) error {
	return s.EditTicket(id, func(t *Ticket) { t.Deleted = false })
}

// MarkSpam marks a ticket as spam or as none.
func (s *Sim) MarkSpam(id int64, spam bool) error {
	return s.EditTicket(id, func(t *Ticket) { t.Spam = spam })
}

// MoveTicket moves a ticket to another department; nil is none.
func (s *Sim) MoveTicket(id int64, department *int64) error {
	return s.EditTicket(id, func(t *Ticket) { t.DepartmentID = department })
}

// RemoveTicket erases a ticket for good: its GET is 404.
func (s *Sim) RemoveTicket(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropTicket(id)
}

// AddTimeEntry adds time to a ticket and returns the entry's id. Whether that touches the ticket's
// updated_at is not documented: touch says.
func (s *Sim) AddTimeEntry(ticket int64, e TimeEntry, touch bool) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addTimeEntry(ticket, e, touch)
}

func (s *Sim) addTimeEntry(ticket int64, e TimeEntry, touch bool) (int64, error) {
	s.completeEntry(&e)
	return e.ID, s.changeParts(ticket, touch, func(t *Ticket) { t.TimeEntries = append(slices.Clone(t.TimeEntries), e) })
}

// changeParts changes a ticket with or without its updated_at.
func (s *Sim) changeParts(ticket int64, touch bool, change func(*Ticket)) error {
	return s.editTicket(ticket, func(t *Ticket) {
		if !touch {
			t.UpdatedAt = s.world.tickets[ticket].UpdatedAt
		}
		change(t)
	})
}

// EditTimeEntry changes an entry of a ticket, a running timer's for example; touch as in AddTimeEntry.
func (s *Sim) EditTimeEntry(ticket, entry int64, touch bool, change func(*TimeEntry)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	err := s.changeParts(ticket, touch, func(t *Ticket) {
		t.TimeEntries = slices.Clone(t.TimeEntries)
		for i := range t.TimeEntries {
			if t.TimeEntries[i].ID == entry {
				t.TimeEntries[i].UpdatedAt = s.now()
				change(&t.TimeEntries[i])
				found = true
			}
		}
	})
	if err == nil && !found {
		return missing(EntityTimeEntry, entry)
	}
	return err
}

// RemoveTimeEntry takes an entry off a ticket; touch as in AddTimeEntry.
func (s *Sim) RemoveTimeEntry(ticket, entry int64, touch bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changeParts(ticket, touch, func(t *Ticket) {
		t.TimeEntries = slices.DeleteFunc(slices.Clone(t.TimeEntries), func(e TimeEntry) bool { return e.ID == entry })
	})
}

// AddConversation adds a reply or a note to a ticket, whose updated_at becomes now, and returns its id.
func (s *Sim) AddConversation(ticket int64, c Conversation) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.completeConversation(&c, ticket)
	return c.ID, s.editTicket(ticket, func(t *Ticket) { t.Conversations = append(slices.Clone(t.Conversations), c) })
}

func (s *Sim) completeEntry(e *TimeEntry) {
	e.ID = take(&s.world.ids.timeEntry)
	e.CreatedAt, e.UpdatedAt = s.orNow(e.CreatedAt), s.orNow(e.UpdatedAt)
	e.StartTime, e.ExecutedAt = s.orNow(e.StartTime), s.orNow(e.ExecutedAt)
	if e.AgentID == 0 {
		e.AgentID = s.world.me
	}
	if e.WorkspaceID == 0 {
		e.WorkspaceID = primaryWorkspace
	}
	if e.CustomFields == nil {
		e.CustomFields = map[string]any{}
	}
}

func (s *Sim) completeConversation(c *Conversation, ticket int64) {
	c.ID, c.TicketID = take(&s.world.ids.conversation), ticket
	c.CreatedAt, c.UpdatedAt = s.orNow(c.CreatedAt), s.orNow(c.UpdatedAt)
	if c.UserID == 0 {
		c.UserID = s.world.me
	}
	if c.ToEmails == nil {
		c.ToEmails = []string{}
	}
	if c.CCEmails == nil {
		c.CCEmails = []string{}
	}
	if c.Attachments == nil {
		c.Attachments = []any{}
	}
}
