package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
)

// Rebuild drops every table and view and makes them anew, empty. It is for development; who calls
// it has made sure that a person means this database (see [DB.Name]). While there are archived
// bills it refuses with [codex.CodeConflict]: they are evidence. A process that dies in between
// leaves the database empty, for [DB.Migrate] to fill.
func (db *DB) Rebuild(ctx context.Context) error {
	if err := db.rebuild(ctx); err != nil {
		return fmt.Errorf("rebuilding the database %s: %w", db.name, err)
	}
	_, err := db.Migrate(ctx)
	return err
}

func (db *DB) rebuild(ctx context.Context) error {
	if err := db.makeFoundations(ctx); err != nil {
		return err
	}
	return db.Hold(ctx, migrateLease, holderName(), migrateTTL, func(ctx context.Context, lease *Lease) error {
		return db.alter(ctx, func(ctx context.Context, tx *Tx) error {
			if err := tx.CheckLease(ctx, lease); err != nil {
				return err
			}
			if err := tx.refuseBills(ctx); err != nil {
				return err
			}
			return tx.dropAll(ctx)
		})
	})
}

// refuseBills looks for bills where this program keeps them (snapshots), and where an import from
// the old archive service may have left them (billing_snapshots as a table, not our view).
func (tx *Tx) refuseBills(ctx context.Context) error {
	tables, err := tx.tables(ctx)
	if err != nil {
		return err
	}
	for _, table := range []string{"snapshots", "billing_snapshots"} {
		if !slices.Contains(tables, table) {
			continue
		}
		if tx.dialect == dialect.Postgres { // none may come between looking and dropping
			if _, err := tx.sql.ExecContext(ctx, "LOCK TABLE "+quote(table)+" IN ACCESS EXCLUSIVE MODE"); err != nil {
				return err
			}
		}
		var bills int
		if err := tx.sql.QueryRowContext(ctx, "SELECT count(*) FROM "+quote(table)).Scan(&bills); err != nil {
			return err
		}
		if bills > 0 {
			return codex.Errorf(codex.CodeConflict,
				"it holds %d archived bills, which are never dropped: use another database for development", bills)
		}
	}
	return nil
}

// dropAll drops all that is in our schema but the leases, one of which we hold.
func (tx *Tx) dropAll(ctx context.Context) error {
	// Each pass drops what the database still lists: dropping one thing may drop others with it.
	for range 100 {
		drops, err := texts(tx.sql.QueryContext(ctx, dropsOf(tx.dialect)))
		if err != nil {
			return err
		}
		if len(drops) == 0 {
			return nil
		}
		if tx.dialect == dialect.SQLite {
			drops = drops[:1] // a virtual table takes its shadow tables with it
		}
		for _, drop := range drops {
			if _, err := tx.sql.ExecContext(ctx, drop); err != nil {
				return fmt.Errorf("%s: %w", drop, err)
			}
		}
	}
	return errors.New("tables come back while they are dropped")
}

// dropsOf is a query for the statements that drop what is there.
func dropsOf(dialectName string) string {
	if dialectName == dialect.SQLite {
		return `SELECT 'DROP ' || type || ' "' || replace(name, '"', '""') || '"' FROM sqlite_master
			WHERE type IN ('view', 'table') AND name <> 'leases' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
			ORDER BY type DESC, sql LIKE 'CREATE VIRTUAL%' DESC, name`
	}
	return `SELECT format('DROP %s IF EXISTS %I CASCADE',
			CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
			c.relname)
		FROM pg_catalog.pg_class AS c
		WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relname <> 'leases'
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = c.oid AND d.deptype IN ('e', 'i', 'a'))
		UNION ALL
		SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure)
		FROM pg_catalog.pg_proc AS p
		WHERE p.pronamespace = current_schema()::regnamespace
			AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d WHERE d.objid = p.oid AND d.deptype = 'e')`
}
