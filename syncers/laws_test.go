package syncers

import (
	"database/sql"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
)

// law is an entity with what makes its records, ready to be held to the laws of Plan.
type law struct {
	name  string
	check func(t *rapid.T)
}

func laws() []law {
	return []law{
		lawOf(companies(), ownNumbers, nil),
		lawOf(locations(), nil, nil),
		lawOf(contacts(), nil, nil),
		lawOf(contactLinks(), nil, nil),
		lawOf(sites(), nil, nil),
		lawOf(assets(), nil, func(t *rapid.T, r *AssetRecord) {
			r.backupTold = rapid.Bool().Draw(t, "backup told")
			r.administratorsTold = rapid.Bool().Draw(t, "administrators told")
			r.deviceTypeTold = rapid.Bool().Draw(t, "device type told")
		}),
		lawOf(assetLinks(), nil, nil),
		lawOf(tickets(), nil, func(t *rapid.T, r *TicketRecord) {
			r.hoursUnread = rapid.Bool().Draw(t, "hours unread")
			r.bodiesUnread = rapid.Bool().Draw(t, "bodies unread")
			r.monthKept = rapid.Bool().Draw(t, "month kept")
			r.statusUnnamed = rapid.Bool().Draw(t, "status unnamed")
		}),
		lawOf(timeEntries(), nil, nil),
	}
}

// ownNumbers is what mapDepartments makes sure of: a department that a company has by its id has that
// company's number, and no number comes twice.
func ownNumbers(current, incoming []CompanyRecord) []CompanyRecord {
	owned := make(map[int64]codex.AccountNumber)
	for _, c := range current {
		if c.FreshserviceID.Valid {
			owned[c.FreshserviceID.V] = c.Account
		}
	}
	taken := make(map[codex.AccountNumber]bool)
	return slices.DeleteFunc(incoming, func(c CompanyRecord) bool {
		own, known := owned[c.FreshserviceID.V]
		drop := !c.FreshserviceID.Valid || known && own != c.Account || taken[c.Account]
		taken[c.Account] = true
		return drop
	})
}

func TestTheLawsOfPlanHoldForEveryEntity(t *testing.T) {
	for _, law := range laws() {
		t.Run(law.name, func(t *testing.T) { rapid.Check(t, law.check) })
	}
}

func lawOf[R any](e *Entity[R], possible func(current, incoming []R) []R, also func(*rapid.T, *R)) law {
	return law{name: e.Name, check: func(t *rapid.T) {
		current := drawRows(t, e)
		incoming := drawRecords(t, e, also)
		if possible != nil {
			incoming = possible(current, incoming)
		}
		scope := drawScope(t, e)
		next := nextID(e, current)
		plan := Plan(e, current, incoming, next, scope)

		after := applied(e, current, plan)
		again := Plan(e, after, incoming, nextID(e, after), scope)
		if n := len(again.Creates) + len(again.Updates) + len(again.Removals); n > 0 {
			t.Fatalf("planning again is not empty: %+v\nafter %+v", again, plan)
		}
		if other := Plan(e, shuffled(t, current), shuffled(t, incoming), next, scope); !reflect.DeepEqual(other, plan) {
			t.Fatalf("the plan depends on the order: %+v\nand %+v", other, plan)
		}
		checkIdentity(t, e, current, after, plan, next)
		for _, r := range plan.Removals {
			if !scope.complete(&r) || !scope.gone(&r) || scope.held(&r) || e.removed(&r) {
				t.Fatalf("removed outside of what was read: %+v", r)
			}
		}
		if e.RemovedAt != nil && len(after) != len(current)+len(plan.Creates) {
			t.Fatalf("rows were lost: %d, then %d", len(current), len(after))
		}
	}}
}

// checkIdentity: an id never changes and is never given twice, and no two rows are the same record.
func checkIdentity[R any](t *rapid.T, e *Entity[R], current, after []R, plan EntityPlan[R], next int) {
	keys := make(map[string]bool)
	for i := range after {
		key := fmt.Sprint(e.primaryKey(&after[i]))
		if keys[key] {
			t.Fatalf("two rows have the key %s", key)
		}
		keys[key] = true
	}
	surest := make(map[string]bool)
	for i := range after {
		if key, has := e.Keys[0].Of(&after[i]); has {
			if surest[key] {
				t.Fatalf("two rows are the record %q", key)
			}
			surest[key] = true
		}
	}
	for _, u := range plan.Updates {
		if !reflect.DeepEqual(e.primaryKey(&u.Old), e.primaryKey(&u.New)) {
			t.Fatalf("a row's key changed: %+v", u)
		}
	}
	if e.ID == nil {
		return
	}
	had := make(map[int]bool)
	for i := range current {
		had[*e.ID(&current[i])] = true
	}
	for i := range plan.Creates {
		if id := *e.ID(&plan.Creates[i]); id < next || had[id] {
			t.Fatalf("the id %d was given again", id)
		}
	}
}

// applied is what Apply makes of rows, in memory.
func applied[R any](e *Entity[R], current []R, plan EntityPlan[R]) []R {
	rows := make(map[string]R)
	for _, r := range current {
		rows[fmt.Sprint(e.primaryKey(&r))] = r
	}
	for _, u := range plan.Updates {
		rows[fmt.Sprint(e.primaryKey(&u.Old))] = u.New
	}
	for _, r := range plan.Removals {
		key := fmt.Sprint(e.primaryKey(&r))
		if delete(rows, key); e.RemovedAt != nil {
			rows[key] = e.leave(r, time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC))
		}
	}
	list := slices.Collect(maps.Values(rows))
	return append(list, plan.Creates...)
}

// drawRows are rows as the database has them: each key once.
func drawRows[R any](t *rapid.T, e *Entity[R]) []R {
	var rows []R
	seen := make(map[string]bool)
	for i := range rapid.IntRange(0, 8).Draw(t, "rows") {
		var r R
		drawFields(t, e, &r)
		if e.ID != nil {
			*e.ID(&r) = i + 1
		}
		surest, has := e.Keys[0].Of(&r)
		key := fmt.Sprint(e.primaryKey(&r))
		if seen["primary "+key] || has && seen["surest "+surest] {
			continue
		}
		seen["primary "+key] = true
		seen["surest "+surest] = seen["surest "+surest] || has
		rows = append(rows, r)
	}
	return rows
}

// drawRecords are records as they are mapped from an upstream: without local id, not removed.
func drawRecords[R any](t *rapid.T, e *Entity[R], also func(*rapid.T, *R)) []R {
	var records []R
	seen := make(map[string]bool)
	for range rapid.IntRange(0, 8).Draw(t, "records") {
		var r R
		drawFields(t, e, &r)
		if e.ID != nil {
			*e.ID(&r) = 0
		}
		if e.RemovedAt != nil {
			*e.RemovedAt(&r) = sql.Null[time.Time]{}
		}
		if also != nil {
			also(t, &r)
		}
		if key, has := e.Keys[0].Of(&r); has && !seen[key] {
			seen[key] = true
			records = append(records, r)
		}
	}
	return records
}

// drawFields fills a record from small alphabets, so that keys meet.
func drawFields[R any](t *rapid.T, e *Entity[R], r *R) {
	texts := rapid.SampledFrom([]string{"", "a", "A ", "b", "c\x00", "bad \xff"})
	times := rapid.SampledFrom([]time.Time{
		time.Date(2026, 1, 1, 0, 0, 0, 123456789, time.UTC), time.Date(2026, 1, 1, 1, 0, 0, 0, time.FixedZone("east", 3600)),
	})
	for _, c := range e.Columns {
		switch v := c.target(r).(type) {
		case *string:
			*v = texts.Draw(t, c.Name)
		case *codex.AccountNumber:
			*v = rapid.SampledFrom([]codex.AccountNumber{"1", "2", "NW-3"}).Draw(t, c.Name)
		case *int:
			*v = rapid.IntRange(1, 6).Draw(t, c.Name)
		case *int64:
			*v = rapid.Int64Range(1, 12).Draw(t, c.Name)
		case *bool:
			*v = rapid.Bool().Draw(t, c.Name)
		case *time.Time:
			*v = times.Draw(t, c.Name)
		case *sql.Null[string]:
			*v = drawNull(t, texts, c.Name)
		case *sql.Null[int64]:
			*v = drawNull(t, rapid.Int64Range(1, 12), c.Name)
		case *sql.Null[bool]:
			*v = drawNull(t, rapid.Bool(), c.Name)
		case *sql.Null[time.Time]:
			*v = drawNull(t, times, c.Name)
		default:
			t.Fatalf("the column %s has a type that this test does not know: %T", c.Name, v)
		}
	}
	e.tidy(r)
}

func drawNull[T any](t *rapid.T, values *rapid.Generator[T], name string) sql.Null[T] {
	if rapid.IntRange(0, 3).Draw(t, name+" null") == 0 {
		return sql.Null[T]{}
	}
	return some(values.Draw(t, name))
}

// drawScope says of each row, by its key in the table, what was found out about it.
func drawScope[R any](t *rapid.T, e *Entity[R]) Scope[R] {
	type finding struct{ complete, gone, unsure, held bool }
	findings := make(map[string]finding)
	of := func(r *R) finding {
		key := fmt.Sprint(e.primaryKey(r))
		f, drawn := findings[key]
		if !drawn {
			f.complete, f.gone = rapid.Bool().Draw(t, "complete"), rapid.Bool().Draw(t, "gone")
			f.held = rapid.IntRange(0, 4).Draw(t, "held") == 0
			f.unsure = !f.gone && !f.held && rapid.IntRange(0, 4).Draw(t, "unsure") == 0
			findings[key] = f
		}
		return f
	}
	return Scope[R]{
		Complete: func(r *R) bool { return of(r).complete },
		Gone:     func(r *R) bool { return of(r).gone },
		Unsure:   func(r *R) bool { return of(r).unsure },
		Held:     func(r *R) bool { return of(r).held },
		Stay:     func(current, _ R) R { return current },
	}
}

func shuffled[R any](t *rapid.T, list []R) []R {
	if len(list) == 0 {
		return list
	}
	return rapid.Permutation(list).Draw(t, "order")
}
