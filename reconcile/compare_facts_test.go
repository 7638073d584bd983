package reconcile_test

import (
	"testing"

	"github.com/hivematrix/codex/reconcile"
)

func TestAnAcknowledgementHoldsForADifferenceAsLongAsItsFactsStay(t *testing.T) {
	twice := func(f *reconcile.ReconcileFacts) {
		f.Bills[0].Items.Lines = append(f.Bills[0].Items.Lines, f.Bills[0].Items.Lines[1])
	}
	leftOut := func(f *reconcile.ReconcileFacts) { f.Bills[0].Items.Tickets = nil }
	for _, tc := range []struct {
		name       string
		kind       string
		one, other func(*reconcile.ReconcileFacts)
		same       bool
	}{
		{"a machine that is charged twice is so on another bill", reconcile.DiffBilledTwice, twice, func(f *reconcile.ReconcileFacts) {
			twice(f)
			f.Bills[0].Invoice = "A-202511"
		}, true},
		{"three times are not twice", reconcile.DiffBilledTwice, twice, func(f *reconcile.ReconcileFacts) {
			twice(f)
			twice(f)
		}, false},
		{"a ticket that was left out with other hours", reconcile.DiffThereNotBilled, leftOut, func(f *reconcile.ReconcileFacts) {
			leftOut(f)
			f.Tickets[4711][0].Hours = 10_0000
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			one, other := fingerprint(t, tc.kind, tc.one), fingerprint(t, tc.kind, tc.other)
			if (one == other) != tc.same {
				t.Errorf("the fingerprints are %s and %s", one, other)
			}
		})
	}
}

// fingerprint is that of the one difference that there is once the facts are changed.
func fingerprint(t *testing.T, kind string, change func(*reconcile.ReconcileFacts)) string {
	t.Helper()
	facts := billed()
	change(facts)
	made := reconcile.Compare(*facts, nil)
	if len(made.Differences) != 1 || made.Differences[0].Kind != kind {
		t.Fatalf("%d differences, want one of the kind %s", len(made.Differences), kind)
	}
	return made.Differences[0].Fingerprint
}
