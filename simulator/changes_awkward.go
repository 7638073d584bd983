package simulator

import (
	"fmt"
	"maps"
	"strings"
)

// SetNextID makes the next new record of a kind have this id: beyond 2⁵³, for example, where two
// neighbours are one number to whoever reads them as floating point. Requesters and agents share
// their ids. An id that may have been given out already is refused.
func (s *Sim) SetNextID(entity Entity, id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := &s.world.ids
	counter := map[Entity]*int64{
		EntityDepartment: &ids.department, EntityRequester: &ids.user, EntityAgent: &ids.user,
		EntityTicket: &ids.ticket, EntityTimeEntry: &ids.timeEntry, EntityConversation: &ids.conversation,
		EntitySite: &ids.site, EntityVariable: &ids.variable, EntityDevice: &ids.device,
	}[entity]
	switch {
	case counter == nil:
		return fmt.Errorf("there is no kind of record %q", entity)
	case id < *counter:
		return fmt.Errorf("%s %d may be there already; the next one is %d", entity, id, *counter)
	}
	*counter = id
	return nil
}

// TwinDepartment adds a department of another name with the account number of an existing one, in
// the other JSON type: as text where that is a number, and as a number where that is a text of
// digits. It returns its id, which is higher.
func (s *Sim) TwinDepartment(id int64, name string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.world.departments[id]
	if first == nil {
		return 0, missing(EntityDepartment, id)
	}
	twin := *first
	twin.ID, twin.Name = take(&s.world.ids.department), name
	twin.CustomFields = maps.Clone(first.CustomFields)
	if account, ok := first.CustomFields["account_number"].(string); ok {
		twin.CustomFields["account_number"] = jsonNumber(strings.TrimSpace(account))
	} else if account := first.CustomFields["account_number"]; account != nil {
		twin.CustomFields["account_number"] = fmt.Sprint(account)
	}
	twin.CreatedAt, twin.UpdatedAt = MilliTime{s.now()}, MilliTime{s.now()}
	s.keepDepartment(&twin)
	return twin.ID, nil
}

// TwinRequester adds a requester of the same departments whose primary e-mail address is that of an
// existing one in capitals, and returns its id. Whether Freshservice allows that is not documented.
func (s *Sim) TwinRequester(id int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.world.requesters[id]
	if first == nil || first.PrimaryEmail == nil {
		return 0, missing(EntityRequester, id)
	}
	twin := *first
	twin.ID = take(&s.world.ids.user)
	twin.PrimaryEmail = new(strings.ToUpper(*first.PrimaryEmail))
	twin.CreatedAt, twin.UpdatedAt = s.now(), s.now()
	s.keepRequester(&twin)
	return twin.ID, nil
}
