package syncers

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
)

// placing is over which companies a run places tickets, which people may rename and archive meanwhile.
type placing struct {
	revision int64                       // of the companies that place is made from
	read     int64                       // the one at which the run read its rows
	owners   map[int]codex.AccountNumber // of the stored tickets of a batch, where they may be others than when rows were read
}

// placeAnew makes r place the tickets with ids over the companies as they are now, should those have
// changed since it did so last. What it placed before is not to be written then.
func (r *ticketRun) placeAnew(ctx context.Context, ids []int) error {
	return r.snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
		revisions, err := tx.Revisions(ctx, companies().Name)
		if err != nil {
			return err
		}
		revision := revisions[companies().Name]
		r.placing.owners = nil
		if revision != r.placing.read {
			if r.placing.owners, err = loadOwners(ctx, tx, ids); err != nil {
				return err
			}
		}
		if revision == r.placing.revision {
			return nil
		}
		if r.companies, err = load(ctx, tx, companies(), ""); err != nil {
			return err
		}
		r.place, r.placing.revision = placer(r.departments, r.companies), revision
		return nil
	})
}

// owner is the company that a stored ticket belongs to now.
func (r *ticketRun) owner(row ticketRow) codex.AccountNumber {
	if owner, moved := r.placing.owners[row.id]; moved {
		return owner
	}
	return row.account
}

func loadOwners(ctx context.Context, tx *store.Tx, ids []int) (map[int]codex.AccountNumber, error) {
	condition, arg := store.KeyArg(tx.Dialect(), "ticket_id", "$1", ids)
	rows, err := tx.SQL().QueryContext(ctx, "SELECT ticket_id, company_account_number FROM tickets WHERE "+condition, arg)
	if err != nil {
		return nil, fmt.Errorf("reading whose tickets they are: %w", err)
	}
	defer func() { _ = rows.Close() }()
	owners := make(map[int]codex.AccountNumber, len(ids))
	for rows.Next() {
		var id int
		var owner codex.AccountNumber
		if err := rows.Scan(&id, &owner); err != nil {
			return nil, fmt.Errorf("reading whose tickets they are: %w", err)
		}
		owners[id] = owner
	}
	return owners, rows.Err()
}
