package plans

import (
	"context"
	"fmt"
	"time"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/planversion"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/store"
)

// Version is a plan as it was for a while.
type Version struct {
	Plan      Plan
	From      time.Time
	To        *time.Time    // nil: it is so now. Where the next version begins later, it was deleted meanwhile
	ChangedBy *string       // who brought it
	EndedBy   *string       // who ended it
	Changes   []FieldChange // against the version before; none in the first one
}

// History are the versions of the plans with these ids, oldest first, in one statement.
func History(ctx context.Context, client *ent.Client, ids []int) (map[int][]Version, error) {
	rows, err := client.PlanVersion.Query().Where(predicate.PlanVersion(store.KeyIn(planversion.FieldPlanID, ids))).
		Order(planversion.ByPlanID(), planversion.BySeenFrom(), planversion.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the history of plans: %w", err)
	}
	found := map[int][]Version{}
	for _, row := range rows {
		plan, err := planOfVersion(row)
		if err != nil {
			return nil, fmt.Errorf("reading the history of plan %d: %w", row.PlanID, err)
		}
		version := Version{Plan: plan, From: row.SeenFrom, To: row.SeenTo, ChangedBy: row.ChangedBy, EndedBy: row.EndedBy}
		if before := found[row.PlanID]; len(before) > 0 {
			version.Changes = changed(planFields(before[len(before)-1].Plan), planFields(plan))
		}
		found[row.PlanID] = append(found[row.PlanID], version)
	}
	return found, nil
}
