package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
)

func transactions(t *testing.T, s Subject) {
	const all = "SELECT count(*) FROM companies"
	errOops := errors.New("oops")
	shared := Open(t, s.Dialect)
	empty := func(t *testing.T) *store.DB { // one database after another would take its time
		t.Helper()
		if _, err := shared.SQL().ExecContext(t.Context(), "DELETE FROM companies"); err != nil {
			t.Fatal(err)
		}
		return shared
	}
	runCases(t, []testCase{
		{"what is written together is there together, by ent and by bulk statements", func(t *testing.T) {
			db := empty(t)
			write(t, db, func(ctx context.Context, tx *store.Tx) error {
				if err := putCompany(ctx, tx, "1", "One"); err != nil {
					return err
				}
				if n, err := tx.Ent().Company.Query().Count(ctx); err != nil || n != 1 {
					t.Errorf("the transaction does not see its own write: %d, %v", n, err)
				}
				return tx.Ent().Company.Create().SetID("2").SetName("Two").Exec(ctx)
			})
			if n := count(t, db, all); n != 2 {
				t.Errorf("%d companies, want 2", n)
			}
		}},
		{"an error takes everything back and comes out as it is", func(t *testing.T) {
			db := empty(t)
			err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				if err := putCompany(ctx, tx, "1", "One"); err != nil {
					return err
				}
				return errOops
			})
			if !errors.Is(err, errOops) || count(t, db, all) != 0 {
				t.Errorf("err %v, %d companies", err, count(t, db, all))
			}
		}},
		{"a panic takes everything back and leaves the database usable", func(t *testing.T) {
			db := empty(t)
			func() {
				defer func() { _ = recover() }()
				_ = db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
					_ = putCompany(ctx, tx, "1", "One")
					panic("defect")
				})
			}()
			write(t, db, func(ctx context.Context, tx *store.Tx) error { return putCompany(ctx, tx, "2", "Two") })
			if n := count(t, db, all); n != 1 {
				t.Errorf("%d companies, want the second alone", n)
			}
		}},
		{"a cancelled write takes everything back and says that it was cancelled", func(t *testing.T) {
			db := empty(t)
			ctx, cancel := context.WithCancel(t.Context())
			err := db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
				if err := putCompany(ctx, tx, "1", "One"); err != nil {
					return err
				}
				cancel()
				return putCompany(ctx, tx, "2", "Two")
			})
			if !errors.Is(err, context.Canceled) || count(t, db, all) != 0 {
				t.Errorf("err %v, %d companies", err, count(t, db, all))
			}
		}},
		{"a write within a write is refused instead of waiting for itself", func(t *testing.T) {
			db := empty(t)
			err := db.Write(t.Context(), func(ctx context.Context, _ *store.Tx) error {
				return db.Write(ctx, func(context.Context, *store.Tx) error { return nil })
			})
			if err == nil {
				t.Error("it was let through")
			}
		}},
		{"the time of a transaction stands still", func(t *testing.T) {
			db := empty(t)
			write(t, db, func(_ context.Context, tx *store.Tx) error {
				if a, b := tx.Now(), tx.Now(); !a.Equal(b) || a != store.UTC(a) {
					t.Errorf("%v, then %v", a, b)
				}
				return nil
			})
		}},
		{"writers that get in each other's way both succeed", func(t *testing.T) { crossing(t, s, empty(t)) }},
		{"a snapshot sees one moment while a writer commits", func(t *testing.T) {
			database := Fresh(t, s.Dialect)
			reader, writer := database.Open(t), database.Open(t)
			write(t, writer, func(ctx context.Context, tx *store.Tx) error { return putCompany(ctx, tx, "1", "One") })
			err := reader.Snapshot(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				before, err := tx.Ent().Company.Query().Count(ctx)
				if err != nil {
					return err
				}
				write(t, writer, func(ctx context.Context, tx *store.Tx) error { return putCompany(ctx, tx, "2", "Two") })
				write(t, reader, func(ctx context.Context, tx *store.Tx) error { return putCompany(ctx, tx, "3", "Three") })
				after, err := tx.Ent().Company.Query().Count(ctx)
				if before != 1 || after != 1 {
					t.Errorf("saw %d, then %d companies", before, after)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if n := count(t, reader, all); n != 3 {
				t.Errorf("%d companies after it, want 3", n)
			}
		}},
		{"a snapshot writes nothing, and the connection can write again afterwards", func(t *testing.T) {
			db := empty(t)
			for range 20 { // more often than there are connections
				err := db.Snapshot(t.Context(), func(ctx context.Context, tx *store.Tx) error { return putCompany(ctx, tx, "1", "One") })
				if err == nil {
					t.Fatal("a snapshot wrote")
				}
				write(t, db, func(ctx context.Context, tx *store.Tx) error { return putCompany(ctx, tx, "2", "Two") })
			}
		}},
		{"statements are counted on every way to the database, transactions are not", func(t *testing.T) { counted(t, s) }},
		{"what ent writes in several statements is one transaction", func(t *testing.T) {
			db := empty(t)
			tx, err := db.Ent().Tx(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Company.Create().SetID("1").SetName("One").Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := tx.Rollback(); err != nil {
				t.Fatal(err)
			}
			if n := count(t, db, all); n != 0 {
				t.Errorf("%d companies after a rollback", n)
			}
			_, err = db.Ent().Company.Get(t.Context(), "1")
			if !ent.IsNotFound(err) || codex.CodeOf(store.Translate(err)) != codex.CodeNotFound {
				t.Errorf("err %v", err)
			}
		}},
	})
}

// crossing has two writers take two rows in opposite order, each when the other has its first.
func crossing(t *testing.T, s Subject, db *store.DB) {
	write(t, db, func(ctx context.Context, tx *store.Tx) error {
		if err := putCompany(ctx, tx, "1", ""); err != nil {
			return err
		}
		return putCompany(ctx, tx, "2", "")
	})
	var attempts atomic.Int32
	var met [2]chan struct{}
	for i := range met {
		met[i] = make(chan struct{})
	}
	writer := func(me int, first, second string) error {
		attempt := 0
		return db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			attempt++
			attempts.Add(1)
			if err := putCompany(ctx, tx, first, "by "+first); err != nil {
				return err
			}
			if attempt == 1 && s.WritersSideBySide {
				close(met[me])
				await(t, met[1-me])
			}
			return putCompany(ctx, tx, second, "by "+first)
		})
	}
	one, two := background(func() error { return writer(0, "1", "2") }), background(func() error { return writer(1, "2", "1") })
	if err := errors.Join(await(t, one), await(t, two)); err != nil {
		t.Error(err)
	}
	want := int32(2)
	if s.WritersSideBySide {
		want = 3 // the database broke one of them off
	}
	if got := attempts.Load(); got != want {
		t.Errorf("%d attempts, want %d", got, want)
	}
	if n := count(t, db, "SELECT count(DISTINCT name) FROM companies"); n != 1 {
		t.Error("each has written half")
	}
}

func counted(t *testing.T, s Subject) {
	var statements atomic.Int32
	db := Open(t, s.Dialect, OnStatement(func(string) { statements.Add(1) }))
	expect := func(want int32, what string, fn func() error) {
		t.Helper()
		statements.Store(0)
		if err := fn(); err != nil {
			t.Fatal(what, ": ", err)
		}
		if got := statements.Load(); got != want {
			t.Errorf("%s: %d statements, want %d", what, got, want)
		}
	}
	ctx := t.Context()
	expect(1, "a read through ent", func() error { _, err := db.Ent().Company.Query().All(ctx); return err })
	expect(3, "eager loading two edges", func() error {
		return db.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
			if err := putCompany(ctx, tx, "1", "One"); err != nil {
				return err
			}
			statements.Store(0)
			_, err := tx.Ent().Company.Query().WithAssets().WithTickets().All(ctx)
			return err
		})
	})
	expect(2, "a snapshot of two reads", func() error {
		return db.Snapshot(ctx, func(ctx context.Context, tx *store.Tx) error {
			if _, err := tx.Ent().Asset.Query().All(ctx); err != nil {
				return err
			}
			var n int
			return tx.SQL().QueryRowContext(ctx, "SELECT count(*) FROM assets WHERE id > $1", 3).Scan(&n)
		})
	})
	expect(1, "a statement of one's own", func() error {
		_, err := db.SQL().ExecContext(ctx, "UPDATE companies SET name = $1", "x")
		return err
	})
	expect(1, "a statement without arguments", func() error {
		_, err := db.SQL().ExecContext(ctx, "UPDATE companies SET name = 'x'")
		return err
	})
}
