package syncers

import (
	"database/sql"
	"reflect"
	"slices"
	"testing"
	"time"
)

func aMoment() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

// machine is a row, or with id 0 a record, of an asset at company 1.
func machine(id int, uid, site, hostname string) AssetRecord {
	r := AssetRecord{ID: id, Account: "1", Hostname: hostname}
	if uid != "" {
		r.UID = some(uid)
	}
	if site != "" {
		r.SiteUID = some(site)
	}
	return r
}

func removed(r AssetRecord) AssetRecord {
	r.RemovedAt = some(aMoment())
	return r
}

// outcomeOf is which id each listed UID has after a plan, and which ids are removed by it.
func outcomeOf(current []AssetRecord, plan EntityPlan[AssetRecord]) (ids map[string]int, gone []int) {
	ids = make(map[string]int)
	for _, r := range applied(assets(), current, plan) {
		if r.UID.Valid && !r.RemovedAt.Valid {
			ids[r.UID.V] = r.ID
		}
	}
	for _, r := range plan.Removals {
		gone = append(gone, r.ID)
	}
	return ids, gone
}

func TestAMachineIsItsUIDAndANewOneTakesOverOnlyWhatIsGone(t *testing.T) {
	all := func(*AssetRecord) bool { return true }
	gone := func(uids ...string) Scope[AssetRecord] {
		return Scope[AssetRecord]{Complete: all, Gone: func(r *AssetRecord) bool { return slices.Contains(uids, r.UID.V) }}
	}
	tests := []struct {
		name     string
		current  []AssetRecord
		incoming []AssetRecord
		scope    Scope[AssetRecord]
		ids      map[string]int
		removed  []int
	}{
		{"a new one gets the next id", []AssetRecord{machine(7, "u1", "s", "A")}, []AssetRecord{machine(0, "u1", "s", "A"), machine(0, "u2", "s", "B")},
			gone(), map[string]int{"u1": 7, "u2": 8}, nil},
		{"a renamed one keeps its id", []AssetRecord{machine(1, "u1", "s", "A")}, []AssetRecord{machine(0, "u1", "s", "B")},
			gone(), map[string]int{"u1": 1}, nil},
		{"one that moved keeps its id", []AssetRecord{machine(1, "u1", "s", "A")}, []AssetRecord{machine(0, "u1", "s2", "A")},
			gone(), map[string]int{"u1": 1}, nil},
		{"a re-imaged one takes the row over, whatever the case of its name", []AssetRecord{machine(1, "u1", "s", "PC-1")}, []AssetRecord{machine(0, "u2", "s", "pc-1")},
			gone("u1"), map[string]int{"u2": 1}, nil},
		{"not while the old UID is there", []AssetRecord{machine(1, "u1", "s", "A")}, []AssetRecord{machine(0, "u2", "s", "A")},
			gone(), map[string]int{"u1": 1, "u2": 2}, nil},
		{"not at another site", []AssetRecord{machine(1, "u1", "s", "A")}, []AssetRecord{machine(0, "u2", "s2", "A")},
			gone("u1"), map[string]int{"u2": 2}, []int{1}},
		{"not where two of that name are gone", []AssetRecord{machine(1, "u1", "s", "A"), machine(2, "u2", "s", "A")}, []AssetRecord{machine(0, "u3", "s", "A")},
			gone("u1", "u2"), map[string]int{"u3": 3}, []int{1, 2}},
		{"not where two new ones have that name", []AssetRecord{machine(1, "u1", "s", "A")}, []AssetRecord{machine(0, "u2", "s", "A"), machine(0, "u3", "s", "A")},
			gone("u1"), map[string]int{"u2": 2, "u3": 3}, []int{1}},
		{"one that was removed comes back with its id", []AssetRecord{removed(machine(1, "u1", "s", "A"))}, []AssetRecord{machine(0, "u1", "s", "A")},
			gone(), map[string]int{"u1": 1}, nil},
		{"a new UID takes over one that was removed before", []AssetRecord{removed(machine(1, "u1", "s", "A"))}, []AssetRecord{machine(0, "u2", "s", "A")},
			gone(), map[string]int{"u2": 1}, nil},
		{"an imported row is found by company and name", []AssetRecord{machine(1, "", "", "A")}, []AssetRecord{machine(0, "u1", "s", "a")},
			gone(), map[string]int{"u1": 1}, nil},
		{"of two imported rows of one name, neither", []AssetRecord{machine(1, "", "", "A"), machine(2, "", "", "a")}, []AssetRecord{machine(0, "u1", "s", "A")},
			gone(), map[string]int{"u1": 3}, nil},
		{"twice in a listing is once", nil, []AssetRecord{machine(0, "u1", "s", "A"), machine(0, "u1", "s", "A")},
			gone(), map[string]int{"u1": 1}, nil},
		{"ids are given in the order of UIDs, not of pages", nil, []AssetRecord{machine(0, "u3", "s", "C"), machine(0, "u1", "s", "A"), machine(0, "u2", "s", "B")},
			gone(), map[string]int{"u1": 1, "u2": 2, "u3": 3}, nil},
		{"absent is not gone", []AssetRecord{machine(1, "u1", "s", "A")}, nil, gone(), map[string]int{"u1": 1}, nil},
		{"gone is gone", []AssetRecord{machine(1, "u1", "s", "A")}, nil, gone("u1"), map[string]int{}, []int{1}},
		{"gone, but its site was not read", []AssetRecord{machine(1, "u1", "s", "A")}, nil,
			Scope[AssetRecord]{Gone: all}, map[string]int{"u1": 1}, nil},
		{"held", []AssetRecord{machine(1, "u1", "s", "A")}, nil,
			Scope[AssetRecord]{Complete: all, Gone: all, Held: all}, map[string]int{"u1": 1}, nil},
		{"what may be another under a new UID waits while nobody knows", []AssetRecord{machine(1, "u1", "s", "A")},
			[]AssetRecord{machine(0, "u2", "s", "A"), machine(0, "u3", "s2", "A")},
			Scope[AssetRecord]{Complete: all, Unsure: all}, map[string]int{"u1": 1, "u3": 2}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plan := Plan(assets(), test.current, test.incoming, nextID(assets(), test.current), test.scope)
			ids, gone := outcomeOf(test.current, plan)
			if !reflect.DeepEqual(ids, test.ids) || !slices.Equal(gone, test.removed) {
				t.Errorf("ids %v, removed %v; want %v, %v", ids, gone, test.ids, test.removed)
			}
		})
	}
}

func TestAContactIsItsFreshserviceIDAndAnAddressOnlyWhereNoRowHasOne(t *testing.T) {
	person := func(id int, freshservice int64, email string) ContactRecord {
		return ContactRecord{ID: id, Name: "x", Email: email, FreshserviceID: sql.Null[int64]{V: freshservice, Valid: freshservice != 0}}
	}
	tests := []struct {
		name     string
		current  []ContactRecord
		incoming []ContactRecord
		ids      map[int64]int
	}{
		{"the id decides, not the address", []ContactRecord{person(1, 10, "a@x"), person(2, 11, "b@x")},
			[]ContactRecord{person(0, 10, "b@x"), person(0, 11, "a@x")}, map[int64]int{10: 1, 11: 2}},
		{"an imported row by its address in any case", []ContactRecord{person(1, 0, "Ana@X ")}, []ContactRecord{person(0, 10, "ana@x")}, map[int64]int{10: 1}},
		{"not a row that is somebody else", []ContactRecord{person(1, 10, "a@x")}, []ContactRecord{person(0, 11, "a@x")}, map[int64]int{10: 1, 11: 2}},
		{"not where two have the address", []ContactRecord{person(1, 0, "a@x")}, []ContactRecord{person(0, 10, "a@x"), person(0, 11, "A@x")}, map[int64]int{10: 2, 11: 3}},
		{"ids in the order of numbers, not of texts", nil, []ContactRecord{person(0, 100, "a@x"), person(0, 99, "b@x")}, map[int64]int{99: 1, 100: 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			plan := Plan(contacts(), test.current, test.incoming, nextID(contacts(), test.current), Scope[ContactRecord]{})
			ids := make(map[int64]int)
			for _, r := range applied(contacts(), test.current, plan) {
				if r.FreshserviceID.Valid {
					ids[r.FreshserviceID.V] = r.ID
				}
			}
			if !reflect.DeepEqual(ids, test.ids) {
				t.Errorf("ids %v, want %v", ids, test.ids)
			}
		})
	}
}

func TestAnUpdateNamesItsFieldsAndWhetherTheHistoryKeepsThem(t *testing.T) {
	row := machine(1, "u1", "s", "A")
	tests := []struct {
		name      string
		old       AssetRecord
		change    func(*AssetRecord)
		fields    []string
		ofHistory bool
	}{
		{"volatile fields open no version", row, func(r *AssetRecord) { r.Online, r.LastUser = some(true), some("ana") }, []string{"last_logged_in_user", "online"}, false},
		{"kept ones do", row, func(r *AssetRecord) { r.Hostname, r.Online = "B", some(true) }, []string{"hostname", "online"}, true},
		{"a backup size is a reading, not a version", row, func(r *AssetRecord) { r.BackupBytes, r.backupTold = some(int64(5)), true }, []string{"backup_bytes"}, false},
		{"coming back opens one", removed(row), func(*AssetRecord) {}, []string{"removed_at"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			incoming := machine(0, "u1", "s", "A")
			test.change(&incoming)
			plan := Plan(assets(), []AssetRecord{test.old}, []AssetRecord{incoming}, 2, Scope[AssetRecord]{})
			if len(plan.Updates) != 1 {
				t.Fatalf("%d updates", len(plan.Updates))
			}
			if u := plan.Updates[0]; !slices.Equal(u.Fields, test.fields) || u.ofHistory != test.ofHistory {
				t.Errorf("fields %v, of history %t; want %v, %t", u.Fields, u.ofHistory, test.fields, test.ofHistory)
			}
		})
	}
}

func TestMissingAndMovedAreSuspicions(t *testing.T) {
	current := []AssetRecord{machine(1, "u1", "s", "A"), machine(2, "u2", "s", "B"), machine(3, "u3", "t", "C"), removed(machine(4, "u4", "s", "D"))}
	moved := machine(0, "u2", "s", "B")
	moved.Account = "2"
	scope := Scope[AssetRecord]{Complete: func(r *AssetRecord) bool { return r.SiteUID.V == "s" }}
	idsOf := func(rows []*AssetRecord) (ids []int) {
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		return ids
	}
	if got := idsOf(Missing(assets(), current, []AssetRecord{moved}, scope)); !slices.Equal(got, []int{1}) {
		t.Errorf("missing are %v, want 1 alone: 3 was not read, 4 is removed already", got)
	}
	from := func(current, incoming *AssetRecord) bool { return current.Account != incoming.Account }
	if got := idsOf(Moved(assets(), current, []AssetRecord{moved}, scope, from)); !slices.Equal(got, []int{2}) {
		t.Errorf("moved are %v, want 2 alone", got)
	}
}
