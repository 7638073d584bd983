package syncers

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/hivematrix/codex"
)

func TestTheGuardHoldsWhatIsBeyondItsShare(t *testing.T) {
	// leave makes n rows of some groups that leave, named by the first of them.
	leave := func(n int, groups ...string) []Leaver {
		list := make([]Leaver, n)
		for i := range list {
			list[i] = Leaver{Key: fmt.Sprintf("%s %d", groups[0], i), Groups: groups}
		}
		return list
	}
	tests := []struct {
		name    string
		guard   Guard
		leaving []Leaver
		size    map[string]int
		held    int
	}{
		{"nothing leaves", Guard{MaxPercent: 20}, nil, nil, 0},
		{"9 of 9 are too few to hold", Guard{MaxPercent: 20}, leave(9, "site a"), map[string]int{"site a": 9}, 0},
		{"10 of 49 are held", Guard{MaxPercent: 20}, leave(10, "site a"), map[string]int{"site a": 49}, 10},
		{"10 of 50 are exactly the share", Guard{MaxPercent: 20}, leave(10, "site a"), map[string]int{"site a": 50}, 0},
		{"11 of 50 are beyond it", Guard{MaxPercent: 20}, leave(11, "site a"), map[string]int{"site a": 50}, 11},
		{"a whole site of 12, though all have 1,000", Guard{MaxPercent: 20}, leave(12, "site a", "company x", "all"),
			map[string]int{"site a": 12, "company x": 500, "all": 1000}, 12},
		{"of a company, spread over small sites", Guard{MaxPercent: 20},
			append(leave(5, "site a", "company x"), leave(5, "site b", "company x")...),
			map[string]int{"site a": 100, "site b": 100, "company x": 30}, 10},
		{"in total, spread over companies", Guard{MaxPercent: 20},
			append(leave(6, "company x", "all"), leave(6, "company y", "all")...),
			map[string]int{"company x": 100, "company y": 100, "all": 50}, 12},
		{"a smaller removal of the same run is not held", Guard{MaxPercent: 20},
			append(leave(12, "site a", "all"), leave(3, "site b", "all")...),
			map[string]int{"site a": 12, "site b": 100, "all": 1000}, 12},
		{"a forced run holds nothing", Guard{MaxPercent: 20, Off: true}, leave(50, "all"), map[string]int{"all": 50}, 0},
		{"another share", Guard{MaxPercent: 50}, leave(24, "all"), map[string]int{"all": 49}, 0},
		{"a share of nothing holds from ten rows on", Guard{MaxPercent: 0}, leave(10, "all"), map[string]int{"all": 100000}, 10},
	}
	approved := approvals{records: make(map[approvedKey]codex.AccountNumber)}
	elsewhere := leave(12, "all")
	for i := range 12 {
		approved.records[approvedKey{"assets", fmt.Sprintf("all %d", i)}] = ""
		elsewhere[i].To = "620547"
	}
	for _, more := range []struct {
		name    string
		leaving []Leaver
		held    int
	}{
		{"what was approved goes", leave(12, "all"), 0},
		{"what is new beyond the share of the others is held", leave(24, "all"), 12},
		{"who may be removed may not move", elsewhere, 12},
	} {
		tests = append(tests, struct {
			name    string
			guard   Guard
			leaving []Leaver
			size    map[string]int
			held    int
		}{more.name, Guard{MaxPercent: 20, approved: approved}, more.leaving, map[string]int{"all": 59}, more.held})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			held := slices.Collect(maps.Keys(test.guard.Hold("assets", test.leaving, test.size)))
			if len(held) != test.held {
				t.Errorf("%d are held, want %d: %v", len(held), test.held, held)
			}
		})
	}
}
