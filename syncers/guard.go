package syncers

import (
	"maps"
	"slices"

	"github.com/hivematrix/codex"
)

// guardFloor is the number of rows below which removals are never held: a company of six machines
// may lose two without an admin.
const guardFloor = 10

// Guard holds removals that are too many to be believed: a partial listing looks like deletions.
type Guard struct {
	MaxPercent int  // [sync] max_removal_percent: more than this share of a group is held
	Off        bool // the run was forced

	approved approvals // what an admin has let go
}

// Hold says which of the leaving rows of an entity stay. Each row belongs to groups (its site, its
// company, all of them together); size is the number of rows that a group has now. A row stays if at
// least guardFloor rows of one of its groups leave, and they are more than the share. Smaller removals
// of the same run are not held. Rows whose removal was approved are not counted: neither they, nor as
// a part of what their groups have.
func (g Guard) Hold(entity string, leaving []Leaver, size map[string]int) map[string]bool {
	held := make(map[string]bool)
	if g.Off {
		return held
	}
	size = maps.Clone(size)
	leaving = slices.DeleteFunc(slices.Clone(leaving), func(l Leaver) bool {
		approved := g.approved.has(entity, l)
		for _, group := range l.Groups {
			if approved {
				size[group]--
			}
		}
		return approved
	})
	leave := make(map[string]int)
	for _, l := range leaving {
		for _, group := range l.Groups {
			leave[group]++
		}
	}
	for _, l := range leaving {
		for _, group := range l.Groups {
			if n := leave[group]; n >= guardFloor && n*100 > g.MaxPercent*size[group] {
				held[l.Key] = true
			}
		}
	}
	return held
}

// Leaver is a row that is absent, or moves to another company.
type Leaver struct {
	Key    string              // the record's, as sync_changes.record_id has it
	To     codex.AccountNumber // the company that it moves to; empty where it is absent
	Groups []string
}
