package simulator

// Truth is what the world holds, whatever the upstreams show of it. Its records are copies; what
// their pointers, slices and maps hold is shared and must not be written to.
type Truth struct {
	Departments []Department `json:"departments"`
	Requesters  []Requester  `json:"requesters"`
	Agents      []Agent      `json:"agents"`
	Tickets     []Ticket     `json:"tickets"` // with TimeEntries, Conversations and Stats, in Go
	AccountUID  string       `json:"account_uid"`
	Sites       []Site       `json:"sites"`
	Devices     []Device     `json:"devices"`
}

// Truth copies the world's records, each kind by id.
func (s *Sim) Truth() Truth {
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := s.world
	counts := w.deviceCounts()
	truth := Truth{
		Departments: values(byID(w.departments)), Requesters: values(byID(w.requesters)),
		Agents: values(byID(w.agents)), Tickets: values(byID(w.tickets)), AccountUID: w.accountUID,
		Sites: values(w.sitesByID()), Devices: values(w.devicesByID(nil)),
	}
	for i := range truth.Sites {
		truth.Sites[i].DevicesStatus = counts[truth.Sites[i].UID]
	}
	return truth
}

func values[T any](records []*T) []T {
	list := make([]T, len(records))
	for i, r := range records {
		list[i] = *r
	}
	return list
}

// Department is one department; ok is false where it is gone.
func (s *Sim) Department(id int64) (d Department, ok bool) {
	return lookup(s, func(w *world) *Department { return w.departments[id] })
}

// DepartmentNamed is the department of a name, the one with the lowest id.
func (s *Sim) DepartmentNamed(name string) (d Department, ok bool) {
	return lookup(s, func(w *world) *Department {
		for _, d := range byID(w.departments) {
			if d.Name == name {
				return d
			}
		}
		return nil
	})
}

// Requester is one requester; ok is false where it is gone.
func (s *Sim) Requester(id int64) (r Requester, ok bool) {
	return lookup(s, func(w *world) *Requester { return w.requesters[id] })
}

// Ticket is one ticket with its entries, conversations and stats; ok is false where it is gone.
func (s *Sim) Ticket(id int64) (t Ticket, ok bool) {
	return lookup(s, func(w *world) *Ticket { return w.tickets[id] })
}

// Site is one site; ok is false where it is gone.
func (s *Sim) Site(uid string) (site Site, ok bool) {
	return lookup(s, func(w *world) *Site { return w.sites[uid] })
}

// Device is one device; ok is false where it is gone.
func (s *Sim) Device(uid string) (d Device, ok bool) {
	return lookup(s, func(w *world) *Device { return w.devices[uid] })
}

func lookup[T any](s *Sim, find func(*world) *T) (record T, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if found := find(s.world); found != nil {
		return *found, true
	}
	return record, false
}
