package wire

import (
	"encoding/json"
	"hash/maphash"
	"strconv"
)

// Collector builds a [Listing] from pages that may overlap, repeat and shift while they are read:
// a record that moves between two pages comes twice, and counts once. What was read last wins,
// since it is the newest.
type Collector[T any] struct {
	key    func(T) string                   // the identity of a record
	peek   func(json.RawMessage) string     // the identity of one that cannot be understood
	decode func(json.RawMessage) (T, error) // one record
	seed   maphash.Seed                     // of the names that nameless records are given
	run    int                              // which reading of pages is going on
	seen   map[string]int                   // the run that had it last, by identity
	at     map[string]int                   // identity → place in list.Items or list.Bad
	bad    map[string]bool                  // identities that are in list.Bad
	list   Listing[T]
}

// NewCollector makes a collector. decode takes one record alone, key names it, and idField is the
// field that names a record which decode refuses.
func NewCollector[T any](idField string, key func(T) string, decode func(json.RawMessage) (T, error)) *Collector[T] {
	return &Collector[T]{
		key:    key,
		peek:   func(raw json.RawMessage) string { return Open(raw).Text(idField) },
		decode: decode,
		seed:   maphash.MakeSeed(),
		seen:   map[string]int{},
		at:     map[string]int{},
		bad:    map[string]bool{},
		list:   Listing[T]{Items: []T{}},
	}
}

// NextRun says that the pages of another list begin, whose records may be the same: a listing of
// each workspace, put together.
func (c *Collector[T]) NextRun() { c.run++ }

// Add takes the records of one page; fresh is how many of them no earlier page of the same run had.
func (c *Collector[T]) Add(records []json.RawMessage) (fresh int) {
	for index, raw := range records {
		item, err := c.decode(raw)
		id := ""
		if err == nil {
			id = c.key(item)
		} else if id = c.peek(raw); id == "" {
			id = "\x00" + strconv.FormatUint(maphash.Bytes(c.seed, raw), 36) // nameless: itself is its name
		}
		before, known := c.seen[id]
		c.seen[id] = c.run
		if !known || before != c.run {
			fresh++
		}
		if err != nil {
			if !known {
				c.at[id], c.bad[id] = len(c.list.Bad), true
				c.list.Bad = append(c.list.Bad, BadRecord{ID: nameOf(id), Index: index, Reason: err.Error()})
			} // else what was understood before stays
			continue
		}
		if known && !c.bad[id] {
			c.list.Items[c.at[id]] = item
			continue
		}
		if known {
			c.dropBad(id)
		}
		c.at[id] = len(c.list.Items)
		c.list.Items = append(c.list.Items, item)
	}
	return fresh
}

// Seen is the number of records so far.
func (c *Collector[T]) Seen() int { return len(c.seen) }

// Listing is everything so far; it is marked complete by who knows.
func (c *Collector[T]) Listing(complete bool, total int) Listing[T] {
	list := c.list
	list.Complete, list.Total = complete, total
	return list
}

// dropBad forgets that id could not be understood, now that it could.
func (c *Collector[T]) dropBad(id string) {
	gone := c.at[id]
	c.list.Bad = append(c.list.Bad[:gone:gone], c.list.Bad[gone+1:]...)
	delete(c.bad, id)
	for other := range c.bad {
		if c.at[other] > gone {
			c.at[other]--
		}
	}
}

func nameOf(id string) string {
	if id != "" && id[0] == 0 {
		return ""
	}
	return id
}
