package query_test

import (
	"cmp"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// rootList are the keys of a root list of the past, read in pages, whose number must be that which is counted.
func rootList[T any](t *testing.T, first int, list query.List, key func(T) int,
	read func(context.Context, query.Page, query.List, ...string) (*query.PageOf[T], error),
	count func(context.Context, query.Filter) (int, error)) []int {
	t.Helper()
	keys := []int{}
	for page := (query.Page{First: first}); ; {
		got, err := read(t.Context(), page, list)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range got.Rows {
			keys = append(keys, key(row))
		}
		if !got.More {
			break
		}
		page.After = got.Cursors[len(got.Cursors)-1]
	}
	if n, err := count(t.Context(), list.Filter); n != len(keys) || err != nil {
		t.Errorf("%d are counted, %d listed: %v", n, len(keys), err)
	}
	return keys
}

// ofCompanies are the keys of what companies had, each once, by key.
func ofCompanies[T any](t *testing.T, key func(T) int, lists map[codex.AccountNumber][]T, err error) []int {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	keys := []int{}
	for _, list := range lists {
		for _, row := range list {
			keys = append(keys, key(row))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func assetKey(a *query.PastAsset) int       { return a.AssetID }
func contactKey(c *query.PastContact) int   { return c.ContactID }
func locationKey(l *query.PastLocation) int { return l.LocationID }
func ticketKey(t *query.PastTicket) int     { return t.TicketID }

// A contact is in its list also where none of its companies was served; in this world none is so.
func TestARootListOfThePastIsWhatItsCompaniesHadTogether(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		past := pastOfWorld(t, r)
		seen := map[string]int{}
		for _, at := range []time.Time{
			querytest.At(0), querytest.At(1), querytest.At(3), querytest.At(4), querytest.At(11), querytest.AtWork().Add(-time.Microsecond),
			querytest.AtWork(), querytest.At(13), querytest.At(20), querytest.At(32),
		} {
			past.At = at
			companies, err := past.Companies(t.Context(), query.Page{First: 50}, query.List{})
			if err != nil {
				t.Fatal(err)
			}
			var accounts []codex.AccountNumber
			for _, c := range companies.Rows {
				accounts = append(accounts, c.AccountNumber)
			}
			edge := query.Edge{}
			assets, err := past.AssetsByCompany(t.Context(), accounts, edge)
			wantAssets := ofCompanies(t, assetKey, assets, err)
			contacts, err := past.ContactsByCompany(t.Context(), accounts, edge)
			wantContacts := ofCompanies(t, contactKey, contacts, err)
			locations, err := past.LocationsByCompany(t.Context(), accounts, edge)
			wantLocations := ofCompanies(t, locationKey, locations, err)
			tickets, err := past.TicketsByCompany(t.Context(), accounts, query.TicketFilter{}, edge)
			wantTickets := ofCompanies(t, ticketKey, tickets, err)
			for _, first := range []int{1, 2, 50} {
				for name, pair := range map[string][2][]int{
					"assets":    {rootList(t, first, query.List{}, assetKey, past.Assets, past.CountAssets), wantAssets},
					"contacts":  {rootList(t, first, query.List{}, contactKey, past.Contacts, past.CountContacts), wantContacts},
					"locations": {rootList(t, first, query.List{}, locationKey, past.Locations, past.CountLocations), wantLocations},
					"tickets":   {rootList(t, first, query.List{}, ticketKey, past.Tickets, past.CountTickets), wantTickets},
				} {
					if !slices.Equal(pair[0], pair[1]) {
						t.Errorf("%s at %s in pages of %d: %v, the companies had %v", name, at, first, pair[0], pair[1])
					}
					seen[name] = max(seen[name], len(pair[0]))
				}
			}
		}
		if want := map[string]int{"assets": 4, "contacts": 3, "locations": 1, "tickets": 4}; !reflect.DeepEqual(seen, want) {
			t.Errorf("at most there were %v, want %v", seen, want)
		}
	})
}

func TestARootListOfThePastIsFilteredAndSortedByWhatWasThen(t *testing.T) {
	down := func(field query.OrderField) []*query.Order {
		return []*query.Order{{Field: field, Direction: query.Descending}}
	}
	text := func(operator, value string) query.Filter { return query.Filter{operator: &value} }
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		past := pastOfWorld(t, r)
		past.At = querytest.At(11) // asset 1 was OLD-1 at 900 then
		for _, first := range []int{1, 50} {
			for name, pair := range map[string][2][]int{
				"a name of then": {rootList(t, first, query.List{Filter: query.Filter{"hostname": text("startsWith", "old")}}, assetKey, past.Assets, past.CountAssets), {1}},
				"a name of now":  {rootList(t, first, query.List{Filter: query.Filter{"hostname": text("eq", "SRV-1")}}, assetKey, past.Assets, past.CountAssets), {}},
				"a company of then": {rootList(t, first, query.List{Filter: query.Filter{"company": query.Filter{"accountNumber": text("eq", "900")}}},
					assetKey, past.Assets, past.CountAssets), {1, 4}},
				"by name, down": {rootList(t, first, query.List{OrderBy: down("hostname")}, assetKey, past.Assets, past.CountAssets), {4, 3, 2, 1}},
				"a title of then": {rootList(t, first, query.List{Filter: query.Filter{"title": text("eq", "CEO")}, OrderBy: down("email")},
					contactKey, past.Contacts, past.CountContacts), {1}},
				"a place": {rootList(t, first, query.List{Filter: query.Filter{"address": text("contains", "ROAD")}, OrderBy: down("name")},
					locationKey, past.Locations, past.CountLocations), {1}},
				"booked time": {rootList(t, first, query.List{Filter: query.Filter{"spentSeconds": query.Filter{"gt": new(int64(0))}}, OrderBy: down("spentSeconds")},
					ticketKey, past.Tickets, past.CountTickets), {1001, 1003}},
			} {
				if !slices.Equal(pair[0], pair[1]) {
					t.Errorf("%s, in pages of %d: %v, want %v", name, first, pair[0], pair[1])
				}
			}
		}
	})
}

// kept are those columns of a row that its history keeps, in JSON.
func kept(t *testing.T, e query.Entity, row any) map[string]any {
	t.Helper()
	text, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for column := range all {
		if !slices.Contains(query.KeptColumns(e), column) {
			delete(all, column)
		}
	}
	return all
}

func TestThePastOfNowIsThePresentInAllThatIsKept(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		querytest.Many(t, db, 5, 3)
		r := query.New(db.Ent(), rules())
		past, err := r.AsOf(t.Context(), querytest.At(30), querytest.At(30))
		if err != nil {
			t.Fatal(err)
		}
		page := query.Page{First: query.MaxPage}
		assets, assetsErr := r.Assets(t.Context(), page, query.List{})
		pastAssets, pastAssetsErr := past.Assets(t.Context(), page, query.List{})
		contacts, contactsErr := r.Contacts(t.Context(), page, query.List{})
		pastContacts, pastContactsErr := past.Contacts(t.Context(), page, query.List{})
		locations, locationsErr := r.Locations(t.Context(), page, query.List{})
		pastLocations, pastLocationsErr := past.Locations(t.Context(), page, query.List{})
		tickets, ticketsErr := r.Tickets(t.Context(), page, query.List{})
		pastTickets, pastTicketsErr := past.Tickets(t.Context(), page, query.List{})
		if err := cmp.Or(assetsErr, pastAssetsErr, contactsErr, pastContactsErr, locationsErr, pastLocationsErr, ticketsErr, pastTicketsErr); err != nil {
			t.Fatal(err)
		}
		same := func(e query.Entity, rows, pastRows []any) {
			if len(rows) == 0 || len(rows) != len(pastRows) {
				t.Fatalf("%s: there are %d, and were %d", e, len(rows), len(pastRows))
			}
			for i := range rows {
				if is, was := kept(t, e, rows[i]), kept(t, e, pastRows[i]); !reflect.DeepEqual(is, was) || len(is) == 0 {
					t.Errorf("%s: is %v, was %v", e, is, was)
				}
			}
		}
		same(query.EntityAsset, anys(assets.Rows), anys(pastAssets.Rows))
		same(query.EntityContact, anys(contacts.Rows), anys(pastContacts.Rows))
		same(query.EntityLocation, anys(locations.Rows), anys(pastLocations.Rows))
		same(query.EntityTicket, anys(tickets.Rows), anys(pastTickets.Rows))
	})
}

func anys[T any](rows []T) []any {
	all := make([]any, len(rows))
	for i, row := range rows {
		all[i] = row
	}
	return all
}

func TestALocationIsFoundWhileItIsServed(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		past := pastOfWorld(t, r)
		place, err := r.Location(t.Context(), 1, "address")
		if err != nil || *place.Address != "1 Road" || place.CompanyAccountNumber != "620547" || place.Name != "" {
			t.Errorf("%v, %v", place, err)
		}
		was, err := past.Location(t.Context(), 1, "address")
		if err != nil || *was.Address != "1 Road" || was.CompanyAccountNumber != "620547" || was.ID() != "1@2025-10-20T12:00:00Z" {
			t.Errorf("%v, %v", was, err)
		}
		if _, err := r.Location(t.Context(), 2); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("%v", err)
		}
		if _, err := past.Location(t.Context(), 2); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("%v", err)
		}
	})
}
