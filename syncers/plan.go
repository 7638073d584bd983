package syncers

import (
	"cmp"
	"database/sql"
	"slices"
	"time"
)

// Scope is what a run read of an entity, and what it found out about what is absent. Its functions
// may be nil: nothing.
type Scope[R any] struct {
	// Complete tells whether the surroundings of a row (its site, its company) were read
	// completely. Only there can its absence mean anything.
	Complete func(*R) bool
	// Gone tells whether a row that is absent is known to be gone: its own GET said so.
	Gone func(*R) bool
	// Unsure tells whether a row that is absent may be gone or not, since its own GET failed. What
	// would take such a row over waits for the next run: a guess would cost the row its id.
	Unsure func(*R) bool
	// Held tells whether the guard keeps a row where it is.
	Held func(*R) bool
	// Stay is the incoming record of a held row with what moves it away put back.
	Stay func(current, incoming R) R
}

// EntityPlan is what shall happen to the rows of one entity.
type EntityPlan[R any] struct {
	Creates   []R
	Updates   []Update[R]
	Removals  []R // the rows as they are
	Unchanged int
	Held      []HeldRow[R]
}

// written are the rows that p writes, those that change as they are and as they will be.
func (p EntityPlan[R]) written() []R {
	rows := slices.Concat(p.Creates, p.Removals)
	for _, u := range p.Updates {
		rows = append(rows, u.Old, u.New)
	}
	return rows
}

// HeldRow is a row that is absent or leaves, beyond the guard: it stays as it is.
type HeldRow[R any] struct {
	Row  R
	Next *R // as it would be; nil where it would be removed
}

// Update is a row that changes.
type Update[R any] struct {
	Old, New  R
	Fields    []string // the columns that differ
	ofHistory bool     // a column that the history keeps is among them, or the row comes back
}

// Plan says what shall happen to the rows of e, current, so that they become what was read,
// incoming. It is pure, and independent of the order of either. nextID is the first local id that
// no row ever had. A record that matches no row is created; a row that no record matches is removed
// if scope knows that it is gone, and otherwise left as it is. Where an upstream key comes twice in
// incoming, one of its records is taken.
//
// Law: planning again over the rows that the plan leaves is empty.
func Plan[R any](e *Entity[R], current, incoming []R, nextID int, scope Scope[R]) EntityPlan[R] {
	var plan EntityPlan[R]
	m := e.match(current, incoming, scope)
	for _, p := range m.pairs {
		next := e.merged(*p.current, *p.incoming)
		held := scope.held(p.current)
		if held {
			moved := next
			plan.Held = append(plan.Held, HeldRow[R]{Row: *p.current, Next: &moved})
			next = e.merged(*p.current, scope.Stay(*p.current, *p.incoming))
		}
		fields, ofHistory := e.changed(p.current, &next)
		if len(fields) == 0 {
			if !held { // a row counts once, unless other fields of a held one change
				plan.Unchanged++
			}
			continue
		}
		back := e.removed(p.current) && !e.removed(&next)
		plan.Updates = append(plan.Updates, Update[R]{Old: *p.current, New: next, Fields: fields, ofHistory: ofHistory || back})
	}
	for _, r := range m.unknown {
		created := *r
		if e.ID != nil {
			*e.ID(&created) = nextID
			nextID++
		}
		plan.Creates = append(plan.Creates, created)
	}
	for _, r := range m.absent {
		switch {
		case e.removed(r):
		case scope.held(r):
			plan.Held = append(plan.Held, HeldRow[R]{Row: *r})
		case scope.complete(r) && scope.gone(r):
			plan.Removals = append(plan.Removals, *r)
		default:
			plan.Unchanged++
		}
	}
	return plan
}

// Missing are the rows that no record matches although their surroundings were read completely: a
// suspicion, to be confirmed one by one.
func Missing[R any](e *Entity[R], current, incoming []R, scope Scope[R]) []*R {
	var missing []*R
	for _, r := range e.match(current, incoming, scope).absent {
		if !e.removed(r) && scope.complete(r) {
			missing = append(missing, r)
		}
	}
	return missing
}

// Moved are the rows that a record matches, but in other surroundings.
func Moved[R any](e *Entity[R], current, incoming []R, scope Scope[R], from func(current, incoming *R) bool) []*R {
	var moved []*R
	for _, p := range e.match(current, incoming, scope).pairs {
		if !e.removed(p.current) && from(p.current, p.incoming) {
			moved = append(moved, p.current)
		}
	}
	return moved
}

func (e *Entity[R]) merged(current, incoming R) R {
	next := incoming
	if e.Merge != nil {
		next = e.Merge(current, next)
	}
	if e.ID != nil {
		*e.ID(&next) = *e.ID(&current)
	}
	e.tidy(&next)
	return next
}

// leave is r as a removed row.
func (e *Entity[R]) leave(r R, at time.Time) R {
	*e.RemovedAt(&r) = sql.Null[time.Time]{V: storableTime(at), Valid: true}
	return r
}

type pair[R any] struct{ current, incoming *R }

// matching says which record belongs to which row.
type matching[R any] struct {
	pairs   []pair[R]
	unknown []*R // records that belong to no row, in the order of their surest key
	absent  []*R // rows that no record belongs to
}

// match pairs records with rows, key by key. Where several rows or records share a key that is not
// the surest, none of them is taken: a guess would bill one machine for another. A record that may
// belong to a row of which scope is unsure is left out altogether.
func (e *Entity[R]) match(current, incoming []R, scope Scope[R]) matching[R] {
	m := matching[R]{absent: e.rows(current), unknown: e.records(incoming)}
	ifGone := scope
	ifGone.Gone = func(*R) bool { return true }
	for i, key := range e.Keys {
		free := func(r *R) bool { return i == 0 || key.Free == nil || key.Free(r, scope) }
		perhaps := func(r *R) bool { return !free(r) && scope.unsure(r) && key.Free(r, ifGone) }
		rows := index(m.absent, func(r *R) (string, bool) {
			if !free(r) && !perhaps(r) {
				return "", false
			}
			return key.Of(r)
		})
		wanted := index(m.unknown, key.Of)
		taken := make(map[*R]bool)
		m.unknown = slices.DeleteFunc(m.unknown, func(r *R) bool {
			k, ok := key.Of(r)
			if !ok || len(rows[k]) == 0 {
				return false
			}
			if slices.ContainsFunc(rows[k], perhaps) {
				return true
			}
			if i > 0 && (len(rows[k]) > 1 || len(wanted[k]) > 1) {
				return false
			}
			row := rows[k][0]
			taken[row] = true
			m.pairs = append(m.pairs, pair[R]{current: row, incoming: r})
			return true
		})
		m.absent = slices.DeleteFunc(m.absent, func(r *R) bool { return taken[r] })
	}
	return m
}

// records are what was read, tidy, by their keys and each once: new rows get their ids in this
// order, whatever the order of the pages was.
func (e *Entity[R]) records(incoming []R) []*R {
	list := pointers(slices.Clone(incoming))
	for _, r := range list {
		e.tidy(r)
	}
	slices.SortStableFunc(list, e.byKeys)
	return slices.CompactFunc(list, func(a, b *R) bool {
		ka, oka := e.Keys[0].Of(a)
		kb, okb := e.Keys[0].Of(b)
		return oka && okb && ka == kb
	})
}

// rows are the current rows in an order that does not depend on the database's: by local id, else by
// their keys.
func (e *Entity[R]) rows(current []R) []*R {
	list := pointers(current)
	slices.SortFunc(list, func(a, b *R) int {
		if e.ID != nil {
			return cmp.Compare(*e.ID(a), *e.ID(b))
		}
		return e.byKeys(a, b)
	})
	return list
}

// byKeys orders records by their keys, the surest first.
func (e *Entity[R]) byKeys(a, b *R) int {
	for _, key := range e.Keys {
		ka, _ := key.Of(a)
		kb, _ := key.Of(b)
		// Upstream ids are numbers: shorter ones are smaller.
		if c := cmp.Or(cmp.Compare(len(ka), len(kb)), cmp.Compare(ka, kb)); c != 0 {
			return c
		}
	}
	return 0
}

func index[R any](rows []*R, key func(*R) (string, bool)) map[string][]*R {
	by := make(map[string][]*R, len(rows))
	for _, r := range rows {
		if k, ok := key(r); ok {
			by[k] = append(by[k], r)
		}
	}
	return by
}

func pointers[R any](rows []R) []*R {
	list := make([]*R, len(rows))
	for i := range rows {
		list[i] = &rows[i]
	}
	return list
}

func (s Scope[R]) complete(r *R) bool { return s.Complete != nil && s.Complete(r) }
func (s Scope[R]) gone(r *R) bool     { return s.Gone != nil && s.Gone(r) }
func (s Scope[R]) unsure(r *R) bool   { return s.Unsure != nil && s.Unsure(r) }
func (s Scope[R]) held(r *R) bool     { return s.Held != nil && s.Held(r) }
