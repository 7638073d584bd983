package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Entity names a kind of record, for Distort.
type Entity string

// The kinds of records.
const (
	EntityDepartment   Entity = "department"
	EntityRequester    Entity = "requester"
	EntityAgent        Entity = "agent"
	EntityTicket       Entity = "ticket"
	EntityTimeEntry    Entity = "time_entry"
	EntityConversation Entity = "conversation"
	EntitySite         Entity = "site"
	EntityVariable     Entity = "variable"
	EntityDevice       Entity = "device"
)

// world is everything both upstreams know. Records are replaced, never written to, once they are in
// a map, so whoever took a pointer keeps a true copy of its moment.
type world struct {
	departments      map[int64]*Department
	requesters       map[int64]*Requester
	agents           map[int64]*Agent
	tickets          map[int64]*Ticket
	workspaces       []Workspace
	departmentFields []DepartmentField
	ticketFields     []TicketField
	me               int64 // the agent whose key the API key is

	accountUID string
	sites      map[string]*Site
	devices    map[string]*Device

	ids         idCounters
	distortions map[distortionKey][]edit
	index       searchIndex
	fixtures    Fixtures
}

// idCounters hold the next id of each kind. Freshservice's are above 2³¹ and below 2⁵³ but for a
// ticket's small display number.
type idCounters struct {
	department, user, ticket, ticketInternal, timeEntry, conversation, site, variable, device int64
}

func newWorld() *world {
	return &world{
		departments: map[int64]*Department{},
		requesters:  map[int64]*Requester{},
		agents:      map[int64]*Agent{},
		tickets:     map[int64]*Ticket{},
		sites:       map[string]*Site{},
		devices:     map[string]*Device{},
		distortions: map[distortionKey][]edit{},
		ids: idCounters{
			department: 21000418006, user: 21001099209, ticket: 4711, ticketInternal: 21003880128,
			timeEntry: 21000030551, conversation: 21012345678,
			site: 118432, variable: 5512, device: 9812345,
		},
	}
}

// take hands out a counter's next id.
func take(counter *int64) int64 {
	id := *counter
	*counter++
	return id
}

// byID lists a map's records in the order of their keys.
func byID[K cmp.Ordered, V any](records map[K]*V) []*V {
	list := make([]*V, 0, len(records))
	for _, id := range slices.Sorted(maps.Keys(records)) {
		list = append(list, records[id])
	}
	return list
}

// devicesByID lists the devices that are wanted (all for nil) by their numeric id.
func (w *world) devicesByID(wanted func(*Device) bool) []*Device {
	var list []*Device
	for _, d := range w.devices {
		if wanted == nil || wanted(d) {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b *Device) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// sitesByID lists the sites by their numeric id.
func (w *world) sitesByID() []*Site {
	return slices.SortedFunc(maps.Values(w.sites), func(a, b *Site) int { return cmp.Compare(a.ID, b.ID) })
}

// departmentNames are the names of the departments that exist, in the order of the ids; nil for none.
func (w *world) departmentNames(ids []int64) []string {
	var names []string
	for _, id := range ids {
		if d := w.departments[id]; d != nil {
			names = append(names, d.Name)
		}
	}
	return names
}

// addDevice gives a device its ids, puts it into a site and keeps it.
func (w *world) addDevice(site *Site, d Device) *Device {
	d.ID = take(&w.ids.device)
	if d.PortalURL == nil {
		d.PortalURL = new(fmt.Sprintf("https://merlot.rmm.datto.com/device/%d", d.ID))
		d.WebRemoteURL = new(fmt.Sprintf("https://merlot.rmm.datto.com/remote/device/%d", d.ID))
	}
	d.SiteID, d.SiteUID, d.SiteName = new(site.ID), new(site.UID), new(site.Name)
	w.devices[d.UID] = &d
	return &d
}

// at tells whether a device is listed at a site.
func (d *Device) at(siteUID string) bool { return d.SiteUID != nil && *d.SiteUID == siteUID }

type distortionKey struct {
	entity Entity
	id     string
}

type distorted struct {
	record any
	edits  []edit
}

// MarshalJSON takes the record through a map. Numbers keep their text.
func (d distorted) MarshalJSON() ([]byte, error) {
	text, err := encodeJSON(d.record)
	if err != nil {
		return nil, fmt.Errorf("encode a record: %w", err)
	}
	record, err := decodeObject(text)
	if err != nil {
		return nil, fmt.Errorf("read a record back: %w", err)
	}
	for _, edit := range d.edits {
		edit(record)
	}
	return encodeJSON(record)
}

func key(id int64) string { return strconv.FormatInt(id, 10) }

// later is the newer of two instants.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
