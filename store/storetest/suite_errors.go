package storetest

import (
	"context"
	"strconv"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

func itoa(n int) string { return strconv.Itoa(n) }

func translated(t *testing.T, s Subject) {
	db := Open(t, s.Dialect)
	if err := db.Ent().Company.Create().SetID("1").SetName("One").SetFreshserviceID(5).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Ent().Location.Create().SetID(9).SetName("x").SetCompanyID("1").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		code codex.Code
		do   func(ctx context.Context, client *ent.Client) error
	}{
		{"a key that is there is a conflict", codex.CodeConflict, func(ctx context.Context, client *ent.Client) error {
			return client.Company.Create().SetID("1").SetName("again").Exec(ctx)
		}},
		{"a unique value that is there is a conflict", codex.CodeConflict, func(ctx context.Context, client *ent.Client) error {
			return client.Company.Create().SetID("2").SetName("two").SetFreshserviceID(5).Exec(ctx)
		}},
		{"a row of what does not exist is a conflict", codex.CodeConflict, func(ctx context.Context, client *ent.Client) error {
			return client.Location.Create().SetID(1).SetName("Main Office").SetCompanyID("none").Exec(ctx)
		}},
		{"a row that others refer to is a conflict", codex.CodeConflict, func(ctx context.Context, client *ent.Client) error {
			return client.Company.DeleteOneID("1").Exec(ctx)
		}},
		{"a null where none may be is a defect", codex.CodeInternal, func(ctx context.Context, client *ent.Client) error {
			_, err := client.ExecContext(ctx, "UPDATE companies SET name = NULL")
			return err
		}},
		{"wrong SQL is a defect", codex.CodeInternal, func(ctx context.Context, client *ent.Client) error {
			_, err := client.ExecContext(ctx, "UPDATE nowhere SET nothing = 1")
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx := t.Context()
			if err := tc.do(ctx, db.Ent()); err == nil || codex.CodeOf(err) != tc.code {
				t.Errorf("outside a transaction: %v has the code %q, want %s", err, codex.CodeOf(err), tc.code)
			}
			err := db.Write(ctx, func(ctx context.Context, tx *store.Tx) error { return tc.do(ctx, tx.Ent()) })
			if err == nil || codex.CodeOf(err) != tc.code {
				t.Errorf("in a transaction: %v has the code %q, want %s", err, codex.CodeOf(err), tc.code)
			}
		})
	}
	t.Run("ent knows its own errors through the codes", func(t *testing.T) {
		if err := db.Ent().Company.Create().SetID("1").SetName("again").Exec(t.Context()); !ent.IsConstraintError(err) {
			t.Errorf("err %v", err)
		}
	})
	t.Run("a database that was closed is unavailable", func(t *testing.T) {
		db := Empty(t, s.Dialect).Open(t)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(t.Context(), func(context.Context, *store.Tx) error { return nil }); codex.CodeOf(err) != codex.CodeUnavailable {
			t.Errorf("err %v", err)
		}
	})
}
