package jobs

import (
	"errors"

	"github.com/hivematrix/codex/clients/ledger"
)

// meaning is what an answer of Ledger's means for a company.
type meaning int

const (
	meansThere    meaning = iota // Ledger says that it has the bill
	meansAgain                   // it may pass by itself: the bill may have been made all the same
	meansFailed                  // asking again mends nothing
	meansNoPerson                // Ledger takes a user's token, and there is none that is good: nor for the next company
)

// judge tells what the error of asking for a bill means, and the reason for people.
func judge(err error) (means meaning, reason string) {
	if err == nil {
		return meansThere, ""
	}
	var failed *ledger.Error
	if !errors.As(err, &failed) {
		return meansFailed, reasonOf(err)
	}
	switch {
	case failed.NeedsUser:
		return meansNoPerson, failed.Text
	case failed.Transient:
		return meansAgain, failed.Text
	default:
		return meansFailed, failed.Text
	}
}
