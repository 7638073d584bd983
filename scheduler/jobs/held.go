package jobs

import (
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/reconcile"
)

// holds tells whether a job leaves out companies that the bill review flags. Who starts one by hand may
// force it; forcing a scheduled job is about feeds alone.
func (j *Jobs) holds(kind codex.JobType, forced bool) bool {
	return j.o.HoldFlagged && (kind == codex.JobScheduled || !forced)
}

func reviewsOf(review *reconcile.Review) map[codex.AccountNumber]*reconcile.CompanyReview {
	all := make(map[codex.AccountNumber]*reconcile.CompanyReview, len(review.Companies))
	for _, c := range review.Companies {
		all[c.Account] = c
	}
	return all
}

func openFlags(review *reconcile.CompanyReview) int {
	if review == nil {
		return 0
	}
	return review.Open()
}

func heldReason(open int) string {
	flags := "1 flag of its bill review is"
	if open > 1 {
		flags = fmt.Sprintf("%d flags of its bill review are", open)
	}
	return flags + " not acknowledged: look at it, acknowledge or mend it, and retry the job ([scheduler] hold_flagged)"
}
