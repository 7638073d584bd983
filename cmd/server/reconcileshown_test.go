package main

import (
	"strings"
	"testing"
)

// Only where somebody has to say which of two is meant is a fingerprint shown to people.
func TestDifferencesThatLookAlikeAreShownWithTheirFingerprints(t *testing.T) {
	difference := func(id, fingerprint string, by *acknowledgement) billDifference {
		return billDifference{
			Kind: "billed_twice", AccountNumber: "620547", Company: "Contoso", Item: billItem{Entity: "tickets", ID: id},
			Seen: "The bill has the ticket twice.", Fingerprint: fingerprint, Acknowledgement: by,
		}
	}
	made := reconciliation{Month: "2025-10", Open: 3, Differences: []billDifference{
		difference("7", "aa", nil), difference("7", "bb", nil), difference("8", "cc", nil),
	}}
	const line = "      The bill has the ticket twice.\n"
	if got, want := made.shown(), "620547 Contoso: billed_twice tickets:7\n"+line+"      --fingerprint aa\n620547 Contoso: billed_twice tickets:7\n"+line+
		"      --fingerprint bb\n620547 Contoso: billed_twice tickets:8\n"+line+"\n2025-10: 0 bills compared, 3 differences to look at, 0 acknowledged\n"; got != want {
		t.Errorf("it shows\n%s\nwant\n%s", got, want)
	}
	made.Differences[0].Acknowledgement = &acknowledgement{By: "ana", Note: "agreed"}
	if got := made.shown(); strings.Contains(got, "aa") || !strings.Contains(got, "--fingerprint bb") {
		t.Errorf("with one acknowledged it shows\n%s", got)
	}
}
