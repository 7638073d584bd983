package simulator

import (
	"maps"
	"slices"
	"time"
)

// EditDepartment changes a department; updated_at becomes now.
func (s *Sim) EditDepartment(id int64, change func(*Department)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.editDepartment(id, change)
}

func (s *Sim) editDepartment(id int64, change func(*Department)) error {
	fresh, err := changed(EntityDepartment, s.world.departments, id, func(d *Department) {
		d.CustomFields = maps.Clone(d.CustomFields)
		d.UpdatedAt = MilliTime{s.now()}
		change(d)
	})
	if err == nil {
		s.keepDepartment(fresh)
	}
	return err
}

// RenameDepartment changes its name, in its people's department_names too.
func (s *Sim) RenameDepartment(id int64, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.editDepartment(id, func(d *Department) { d.Name = name }); err != nil {
		return err
	}
	for _, r := range byID(s.world.requesters) {
		if slices.Contains(r.DepartmentIDs, id) {
			renamed := *r
			renamed.DepartmentNames = s.world.departmentNames(r.DepartmentIDs)
			s.reshowRequester(&renamed)
		}
	}
	return nil
}

// SetDepartmentField gives a custom field a value; nil is sent as null.
func (s *Sim) SetDepartmentField(id int64, name string, value any) error {
	return s.EditDepartment(id, func(d *Department) { d.CustomFields[name] = value })
}

// RemoveDepartmentField takes a custom field off, so that its key is no longer sent.
func (s *Sim) RemoveDepartmentField(id int64, name string) error {
	return s.EditDepartment(id, func(d *Department) { delete(d.CustomFields, name) })
}

// SetAccountNumber changes a department's account number: an integer, text or nil. Datto RMM's
// variables stay as they are.
func (s *Sim) SetAccountNumber(id int64, account any) error {
	return s.SetDepartmentField(id, "account_number", account)
}

// AddDepartment keeps a new department and returns its id; times that are not given are now.
func (s *Sim) AddDepartment(d Department) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.ID = take(&s.world.ids.department)
	if d.CustomFields == nil {
		d.CustomFields = map[string]any{}
	}
	if d.WorkspaceID == 0 {
		d.WorkspaceID = primaryWorkspace
	}
	d.CreatedAt.Time, d.UpdatedAt.Time = s.orNow(d.CreatedAt.Time), s.orNow(d.UpdatedAt.Time)
	s.keepDepartment(&d)
	return d.ID
}

// RemoveDepartment makes a department vanish: no list has it, its GET is 404. What refers to it still
// does.
func (s *Sim) RemoveDepartment(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropDepartment(id)
}

// EditRequester changes a requester; updated_at becomes now.
func (s *Sim) EditRequester(id int64, change func(*Requester)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.editRequester(id, change)
}

func (s *Sim) editRequester(id int64, change func(*Requester)) error {
	fresh, err := changed(EntityRequester, s.world.requesters, id, func(r *Requester) {
		r.UpdatedAt = s.now()
		change(r)
	})
	if err == nil {
		s.keepRequester(fresh)
	}
	return err
}

// RenameRequester changes a requester's first and last name.
func (s *Sim) RenameRequester(id int64, first, last string) error {
	return s.EditRequester(id, func(r *Requester) { r.FirstName, r.LastName = first, new(last) })
}

// AddRequester keeps a new requester and returns its id; times that are not given are now. It is
// inactive unless Active says otherwise.
func (s *Sim) AddRequester(r Requester) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.ID = take(&s.world.ids.user)
	r.DepartmentNames = s.world.departmentNames(r.DepartmentIDs)
	if r.CustomFields == nil {
		r.CustomFields = map[string]any{}
	}
	if r.SecondaryEmails == nil {
		r.SecondaryEmails = []string{}
	}
	if r.DepartmentIDs == nil {
		r.DepartmentIDs = []int64{}
	}
	r.CreatedAt, r.UpdatedAt = s.orNow(r.CreatedAt), s.orNow(r.UpdatedAt)
	s.keepRequester(&r)
	return r.ID
}

// DeactivateRequester is what DELETE does to a requester: active becomes false, it stays listed.
func (s *Sim) DeactivateRequester(id int64) error {
	return s.EditRequester(id, func(r *Requester) { r.Active = false })
}

// ReactivateRequester undoes DeactivateRequester.
func (s *Sim) ReactivateRequester(id int64) error {
	return s.EditRequester(id, func(r *Requester) { r.Active = true })
}

// ForgetRequester erases a requester and their tickets for good.
func (s *Sim) ForgetRequester(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.dropRequester(id); err != nil {
		return err
	}
	for _, t := range byID(s.world.tickets) {
		if t.RequesterID == id {
			if err := s.dropTicket(t.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// RemoveRequester makes a requester vanish; their tickets stay and still name them.
func (s *Sim) RemoveRequester(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropRequester(id)
}

// MergeRequesters makes secondaries part of a primary requester, which gets their addresses and
// tickets; they vanish.
func (s *Sim) MergeRequesters(primary int64, secondaries ...int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var emails []string
	for _, id := range secondaries {
		r := s.world.requesters[id]
		if r == nil || id == primary {
			return missing(EntityRequester, id)
		}
		if r.PrimaryEmail != nil {
			emails = append(emails, *r.PrimaryEmail)
		}
		emails = append(emails, r.SecondaryEmails...)
	}
	err := s.editRequester(primary, func(r *Requester) {
		r.SecondaryEmails = append(slices.Clone(r.SecondaryEmails), emails...)
	})
	if err != nil {
		return err
	}
	for _, id := range secondaries {
		if err := s.dropRequester(id); err != nil {
			return err
		}
		for _, t := range byID(s.world.tickets) {
			if t.RequesterID == id {
				moved := *t
				moved.RequesterID, moved.RequestedForID = primary, primary
				s.keepTicket(&moved)
			}
		}
	}
	return nil
}

// ConvertToAgent turns a requester into an agent of the same id: /requesters no longer has it. An
// agent needs an address, so one without cannot be turned.
func (s *Sim) ConvertToAgent(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.world.requesters[id]
	if r == nil || r.PrimaryEmail == nil {
		return missing(EntityRequester, id)
	}
	s.world.agents[id] = &Agent{
		ID: id, FirstName: r.FirstName, LastName: r.LastName, Occasional: true, JobTitle: r.JobTitle,
		Email: *r.PrimaryEmail, WorkPhoneNumber: r.WorkPhoneNumber, MobilePhoneNumber: r.MobilePhoneNumber,
		DepartmentIDs: r.DepartmentIDs, ReportingManagerID: r.ReportingManagerID, Address: r.Address,
		TimeZone: r.TimeZone, TimeFormat: "12h", Language: r.Language, LocationID: r.LocationID,
		CustomFields: map[string]any{}, HasLoggedIn: r.HasLoggedIn, Active: r.Active,
		CreatedAt: r.CreatedAt, UpdatedAt: s.now(),
	}
	return s.dropRequester(id)
}

// SetRequesterDepartments moves a requester to other departments.
func (s *Sim) SetRequesterDepartments(id int64, departments ...int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.editRequester(id, func(r *Requester) {
		r.DepartmentIDs = append([]int64{}, departments...)
		r.DepartmentNames = s.world.departmentNames(departments)
	})
}

// orNow is a given time in whole seconds of UTC, or now.
func (s *Sim) orNow(t time.Time) time.Time {
	if t.IsZero() {
		return s.now()
	}
	return t.UTC().Truncate(time.Second)
}
