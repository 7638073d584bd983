package query_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
)

// drawLines are lines of few names and numbers, so that many are alike.
func drawLines(t *rapid.T, label string) []*ent.SnapshotItem {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *ent.SnapshotItem {
		line := &ent.SnapshotItem{
			LineType:    rapid.SampledFrom([]string{"asset", "user"}).Draw(t, "type"),
			ItemName:    rapid.SampledFrom([]string{"PC-1", "PC-2"}).Draw(t, "name"),
			QuantityE4:  codex.Quantity(rapid.Int64Range(0, 1).Draw(t, "quantity")),
			RateE4:      codex.Quantity(rapid.Int64Range(0, 1).Draw(t, "rate")),
			AmountCents: codex.Cents(rapid.Int64Range(-2, 2).Draw(t, "amount")),
		}
		if text := rapid.SampledFrom([]string{"none", "", "x"}).Draw(t, "description"); text != "none" {
			line.Description = &text
		}
		return line
	}), 0, 8).Draw(t, label)
}

func sumOf(lines []*ent.SnapshotItem) (sum codex.Cents) {
	for _, line := range lines {
		sum += line.AmountCents
	}
	return sum
}

func TestEachLineOfTwoBillsIsAddedRemovedChangedOrTheSameAndNothingIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawLines(t, "from"), drawLines(t, "to")
		from, to := &ent.Snapshot{TotalAmountCents: 10}, &ent.Snapshot{TotalAmountCents: 30}
		d := query.DiffSnapshots(from, to, a, b)
		if got := d.Unchanged + len(d.Changed) + len(d.Removed); got != len(a) {
			t.Errorf("%d of the first bill's %d lines", got, len(a))
		}
		if got := d.Unchanged + len(d.Changed) + len(d.Added); got != len(b) {
			t.Errorf("%d of the second bill's %d lines", got, len(b))
		}
		if got, want := d.LinesDifference(), sumOf(b)-sumOf(a); got != want {
			t.Errorf("the lines differ by %s, want %s", got, want)
		}
		if d.TotalDifference() != 20 {
			t.Errorf("the totals differ by %s", d.TotalDifference())
		}
		for _, change := range d.Changed {
			if change.Old.ItemName != change.New.ItemName || len(change.Fields) == 0 ||
				!slices.Contains(a, change.Old) || !slices.Contains(b, change.New) {
				t.Errorf("%v became %v: %v", change.Old, change.New, change.Fields)
			}
		}
		for _, removed := range d.Removed {
			if slices.ContainsFunc(d.Added, func(added *ent.SnapshotItem) bool { return added.ItemName == removed.ItemName }) {
				t.Errorf("%s was removed and added", removed.ItemName)
			}
		}
		back := query.DiffSnapshots(to, from, b, a)
		if back.LinesDifference() != -d.LinesDifference() || len(back.Added) != len(d.Removed) ||
			len(back.Removed) != len(d.Added) || back.Unchanged != d.Unchanged {
			t.Errorf("there %+v, back %+v", d, back)
		}
		same := query.DiffSnapshots(from, from, a, slices.Clone(a))
		if len(same.Fields)+len(same.Added)+len(same.Removed)+len(same.Changed) != 0 || same.Unchanged != len(a) {
			t.Errorf("a bill differs from itself: %+v", same)
		}
	})
}

func TestALineIsFoundAgainByWhatItHasInCommon(t *testing.T) {
	line := func(kind, name, description string, rate codex.Quantity) *ent.SnapshotItem {
		return &ent.SnapshotItem{LineType: kind, ItemName: name, Description: &description, QuantityE4: 1_0000, RateE4: rate, AmountCents: codex.Cents(rate / 100)}
	}
	from := []*ent.SnapshotItem{line("asset", "PC-1", "a", 30_0000), line("asset", "PC-1", "b", 30_0000), line("asset", "PC-2", "a", 30_0000), line("asset", "PC-3", "a", 30_0000)}
	to := []*ent.SnapshotItem{line("asset", "PC-1", "b", 45_0000), line("asset", "PC-1", "a", 30_0000), line("custom", "PC-2", "a", 30_0000), line("asset", "PC-4", "a", 10_0000)}
	d := query.DiffSnapshots(&ent.Snapshot{}, &ent.Snapshot{}, from, to)
	if len(d.Changed) != 2 || d.Unchanged != 1 || len(d.Added) != 1 || len(d.Removed) != 1 || d.LinesDifference() != -5_00 {
		t.Fatalf("%+v", d)
	}
	if c := d.Changed[0]; c.Old != from[1] || c.New != to[0] || !slices.Equal(c.Fields, []string{"rate", "amount"}) || c.AmountDifference() != 15_00 {
		t.Errorf("repriced: %+v", c)
	}
	if c := d.Changed[1]; c.Old != from[2] || c.New != to[2] || !slices.Equal(c.Fields, []string{"lineType"}) {
		t.Errorf("of another type: %+v", c)
	}
}
