package simulator

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// requesterSearchPages is how many pages /requesters?query= has (D).
const requesterSearchPages = 40

// listDepartments serves /departments in the order of the ids (choice); query knows the name only.
func listDepartments(c *call) answer {
	departments := byID(c.world.departments)
	if refusal := c.mspWorkspace(&departments); refusal != nil {
		return *refusal
	}
	if c.query.Has("query") {
		condition, refusal := c.condition(departmentSearchFields())
		if refusal != nil {
			return *refusal
		}
		departments = slices.DeleteFunc(departments, func(d *Department) bool {
			return !condition.holds(func(string) any { return d.Name })
		})
	}
	return paged(c, "departments", departments, func(d *Department) any {
		return c.served(EntityDepartment, key(d.ID), d)
	})
}

func viewDepartment(c *call) answer {
	if c.switches.MSPShapes {
		return view(c, "departments", EntityDepartment, c.world.departments, withTextID)
	}
	return view(c, "department", EntityDepartment, c.world.departments)
}

// mspWorkspace leaves the departments of one workspace in the list, where clients are workspaces:
// workspace_id above 1, 2 unless told (D); 1 or less is refused (choice).
func (c *call) mspWorkspace(departments *[]*Department) *answer {
	if !c.switches.MSPShapes {
		return nil
	}
	workspace := int64(primaryWorkspace)
	if c.query.Has("workspace_id") {
		var err error
		if workspace, err = strconv.ParseInt(c.query.Get("workspace_id"), 10, 64); err != nil || workspace <= 1 {
			return new(invalid("workspace_id", "It should be a/an Positive Integer greater than 1", "invalid_value"))
		}
	}
	*departments = slices.DeleteFunc(*departments, func(d *Department) bool { return d.WorkspaceID != workspace })
	return nil
}

func listDepartmentFields(c *call) answer {
	return paged(c, "department_fields", c.world.departmentFields, func(f DepartmentField) any { return f })
}

// view serves one record by its id; 404 has no body.
func view[T any](c *call, envelope string, entity Entity, records map[int64]*T, own ...edit) answer {
	if id, ok := c.id(); ok && records[id] != nil {
		return found(envelope, c.served(entity, key(id), records[id], own...))
	}
	return answer{status: http.StatusNotFound}
}

// listRequesters serves /requesters: by first name, no agents unless include_agents=true, inactive
// ones too (choice). With query= it is a search: newest first, 30 a page, 40 pages.
func listRequesters(c *call) answer {
	if c.query.Has("query") {
		return searchRequesters(c)
	}
	requesters := byID(c.world.requesters)
	if workspaces := c.query.Get("belongs_to_workspace_ids"); c.switches.MSPShapes && workspaces != "" &&
		!slices.Contains(strings.Split(workspaces, ","), strconv.Itoa(primaryWorkspace)) {
		requesters = nil // all simulated people belong to the primary workspace
	}
	if c.query.Get("include_agents") == "true" {
		for _, a := range byID(c.world.agents) {
			requesters = append(requesters, a.asRequester(c.world))
		}
	}
	slices.SortStableFunc(requesters, func(a, b *Requester) int { return cmp.Compare(a.FirstName, b.FirstName) })
	return paged(c, c.requestersKey(), requesters, c.showRequester)
}

func searchRequesters(c *call) answer {
	condition, refusal := c.condition(requesterSearchFields())
	if refusal != nil {
		return *refusal
	}
	page, _, refusal := pageOf(c.query)
	if refusal != nil {
		return *refusal
	}
	if page > requesterSearchPages {
		return invalid("page", "It should be less than or equal to 40", "invalid_value")
	}
	var hits []*Requester
	for _, r := range byID(c.indexedRequesters()) {
		if now := c.world.requesters[r.ID]; now != nil && condition.holds(r.searchValue) {
			hits = append(hits, now)
		}
	}
	slices.SortStableFunc(hits, func(a, b *Requester) int { return b.CreatedAt.Compare(a.CreatedAt) })
	c.query.Del("per_page") // a search has 30 a page, whatever is asked
	return paged(c, c.requestersKey(), hits, c.showRequester)
}

// requestersKey is the envelope of the list; Freshservice for MSPs was seen with the singular.
func (c *call) requestersKey() string {
	if c.switches.MSPShapes {
		return "requester"
	}
	return "requesters"
}

func (c *call) showRequester(r *Requester) any {
	return c.served(EntityRequester, key(r.ID), r)
}

// searchValue is what a requester has in a field of the search.
func (r *Requester) searchValue(field string) any {
	switch field {
	case "first_name":
		return r.FirstName
	case "last_name":
		return text(r.LastName)
	case "primary_email":
		return text(r.PrimaryEmail)
	case "job_title":
		return text(r.JobTitle)
	case "department_id":
		return r.DepartmentIDs
	case "created_at":
		return r.CreatedAt
	default:
		return r.UpdatedAt
	}
}

// viewRequester serves /requesters/{id}; what it says to an agent's id is not documented
// (choice: 404).
func viewRequester(c *call) answer {
	return view(c, "requester", EntityRequester, c.world.requesters)
}

// listAgents serves /agents by first name.
func listAgents(c *call) answer {
	agents := byID(c.world.agents)
	slices.SortStableFunc(agents, func(a, b *Agent) int { return cmp.Compare(a.FirstName, b.FirstName) })
	return paged(c, "agents", agents, func(a *Agent) any { return c.served(EntityAgent, key(a.ID), a) })
}

func viewAgent(c *call) answer { return view(c, "agent", EntityAgent, c.world.agents) }

// viewMe serves /agents/me: the agent whose key is used.
func viewMe(c *call) answer {
	return found("agent", c.served(EntityAgent, key(c.world.me), c.world.agents[c.world.me]))
}

func listWorkspaces(c *call) answer {
	return paged(c, "workspaces", c.world.workspaces, func(w Workspace) any { return w })
}

// asRequester is an agent as /requesters?include_agents=true lists it.
func (a *Agent) asRequester(w *world) *Requester {
	return &Requester{
		ID: a.ID, IsAgent: true, FirstName: a.FirstName, LastName: a.LastName, JobTitle: a.JobTitle,
		PrimaryEmail: new(a.Email), SecondaryEmails: []string{}, WorkPhoneNumber: a.WorkPhoneNumber,
		MobilePhoneNumber: a.MobilePhoneNumber, DepartmentIDs: a.DepartmentIDs,
		DepartmentNames: w.departmentNames(a.DepartmentIDs), ReportingManagerID: a.ReportingManagerID,
		Address: a.Address, TimeZone: a.TimeZone, Language: a.Language, LocationID: a.LocationID,
		CustomFields: a.CustomFields, Active: a.Active, HasLoggedIn: a.HasLoggedIn,
		CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}

// text is a nullable text; nil for null.
func text(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}
