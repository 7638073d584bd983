package history_test

import (
	"context"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestOpenVersionsMoveToAnotherCompanyAndNothingElseOfThemChanges(t *testing.T) {
	const accounts = "SELECT seen_from, seen_to, coalesce(ended_by, run_id), changed_by, name || ' ' || company_account_number FROM locations_history ORDER BY location_id, seen_from, seen_to IS NULL, id"
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return history.Open(ctx, tx, locations(), [][]any{
				{1, codex.AccountNumber("A"), "office"}, {2, codex.AccountNumber("A"), "gone"}, {3, codex.AccountNumber("B"), "other"},
			}, at(1), history.Origin{Run: "r"})
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return history.Close(ctx, tx, locations(), [][]any{{2}}, at(2), history.Origin{Run: "r"})
		})
		move := func(from, to string, hour int, by string) {
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				return history.Move(ctx, tx, locations(), "company_account_number", from, to, at(hour), history.Origin{By: by})
			})
		}
		move("A", "NEW", 3, "ana")
		expect(t, db, accounts, "office A 01-03 ana", "office NEW 03- ana", "gone A 01-02 r", "other B 01- r")
		move("A", "LATE", 4, "ana") // nothing is of A any more
		move("NEW", "A", 5, "ben")
		move("A", "NEW", 5, "ben") // and at the same moment
		move("NEW", "A", 5, "ben")
		expect(t, db, "SELECT seen_from, seen_to, ended_by, NULL, company_account_number FROM locations_history WHERE location_id = 1 ORDER BY id",
			"A 01-03 ana", "NEW 03-05 ben", "A 05-05 ben", "NEW 05-05 ben", "A 05-")
	})
}

func TestAColumnOfTheKeyMovesToo(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return history.Open(ctx, tx, links(), [][]any{
				{1, codex.AccountNumber("A"), "manual"}, {1, codex.AccountNumber("B"), "manual"}, {2, codex.AccountNumber("A"), "manual"},
			}, at(1), history.Origin{Run: "r"})
		})
		write(t, db, func(ctx context.Context, tx *store.Tx) error {
			return history.Move(ctx, tx, links(), "company_account_number", "A", "NEW", at(2), history.Origin{By: "ana"})
		})
		expect(t, db, allLinks, "A 01-02 r", "B 01- r", "NEW 02- ana", "A 01-02 r", "NEW 02- ana")
	})
}
