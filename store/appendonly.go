package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"

	"github.com/hivematrix/codex"
	codexent "github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/migrate"
)

// appendOnly are the tables of evidence, by what ent calls their rows: what stands there is never
// changed nor taken away. Triggers of both databases refuse it, for every program that connects, and
// a hook of ent before them.
//
// A trigger goes with its table when a migration makes that anew, so they are made by the program,
// behind the statements of each migration and in its transaction.
func appendOnly() map[string]string {
	return map[string]string{
		codexent.TypeSnapshot:        "snapshots",
		codexent.TypeSnapshotContent: "snapshot_contents",
		codexent.TypeSnapshotItem:    "snapshot_items",
		codexent.TypeBillEvent:       "bill_events",
		codexent.TypeLogLeaf:         "log_leaves",
		codexent.TypeLogHash:         "log_hashes",
		codexent.TypeLogHead:         "log_heads",
		codexent.TypeLogCheckpoint:   "log_checkpoints",
		codexent.TypeLogEpoch:        "log_epochs",
		codexent.TypeLogKey:          "log_keys",
	}
}

// AppendOnlyTables are the tables in which nothing is ever changed, in order.
func AppendOnlyTables() []string {
	var tables []string
	for _, table := range appendOnly() {
		tables = append(tables, table)
	}
	slices.Sort(tables)
	return tables
}

// refuseChanges is ent's hook: it stops what the triggers would refuse before it is sent.
func refuseChanges(client *codexent.Client) *codexent.Client {
	client.Use(func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			if table, there := appendOnly()[m.Type()]; there && !m.Op().Is(ent.OpCreate) {
				return nil, codex.Errorf(codex.CodeConflict, "%s is append-only: what was written there is never changed", table)
			}
			return next.Mutate(ctx, m)
		})
	})
	return client
}

// makeAppendOnly makes the triggers of the tables that are there, anew.
func (tx *Tx) makeAppendOnly(ctx context.Context) error {
	there, err := tx.tables(ctx)
	if err != nil {
		return err
	}
	var statements []string
	for _, table := range AppendOnlyTables() {
		if !slices.Contains(there, table) {
			continue
		}
		if tx.dialect == dialect.Postgres {
			statements = append(statements, postgresTriggers(table)...)
			continue
		}
		keys, err := tx.uniqueKeys(ctx, table)
		if err != nil {
			return err
		}
		statements = append(statements, sqliteTriggers(table, keys)...)
	}
	if len(statements) > 0 && tx.dialect == dialect.Postgres {
		statements = slices.Insert(statements, 0, postgresRefusal)
	}
	for _, statement := range statements {
		if _, err := tx.sql.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", firstLine(statement), err)
		}
	}
	return nil
}

// MakeAppendOnly makes the triggers of the tables of evidence anew, for a person who has found out why
// they were missing.
func (db *DB) MakeAppendOnly(ctx context.Context) error {
	if err := db.Write(ctx, func(ctx context.Context, tx *Tx) error { return tx.makeAppendOnly(ctx) }); err != nil {
		return fmt.Errorf("making the triggers that keep archived bills: %w", Translate(err))
	}
	return nil
}

// postgresRefusal is what the triggers run. Its SQLSTATE is the one that [Translate] knows.
const postgresRefusal = `CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $refuse$
BEGIN
	RAISE EXCEPTION '% is append-only: what was written there is never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$refuse$`

// postgresTriggers refuse statements, so that one which would change no row is refused as well. ALWAYS
// keeps session_replication_role from going past them.
func postgresTriggers(table string) []string {
	return []string{
		"DROP TRIGGER IF EXISTS append_only ON " + quote(table),
		"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON " + quote(table) + " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
		"ALTER TABLE " + quote(table) + " ENABLE ALWAYS TRIGGER append_only",
	}
}

// sqliteTriggers refuse what changes a row. REPLACE deletes rows without their triggers' knowledge, so
// a row whose key is there is refused before it comes.
// https://sqlite.org/lang_conflict.html
func sqliteTriggers(table string, keys [][]string) []string {
	refusal := "BEGIN SELECT RAISE(ABORT, '" + table + " is append-only: what was written there is never changed'); END"
	same := make([]string, len(keys))
	for i, key := range keys {
		columns := make([]string, len(key))
		for j, column := range key {
			columns[j] = quote(column) + " = NEW." + quote(column)
		}
		same[i] = "EXISTS (SELECT 1 FROM " + quote(table) + " WHERE " + strings.Join(columns, " AND ") + ")"
	}
	var statements []string
	for _, event := range []string{"UPDATE", "DELETE", "INSERT"} {
		name, when := quote(table+"_append_only_"+strings.ToLower(event)), ""
		if event == "INSERT" {
			when = "WHEN " + strings.Join(same, " OR ") + " "
		}
		statements = append(statements, "DROP TRIGGER IF EXISTS "+name,
			"CREATE TRIGGER "+name+" BEFORE "+event+" ON "+quote(table)+" FOR EACH ROW "+when+refusal)
	}
	return statements
}

// uniqueKeys are the keys of a table of SQLite as it is, the primary key first.
func (tx *Tx) uniqueKeys(ctx context.Context, table string) ([][]string, error) {
	primary, err := texts(tx.sql.QueryContext(ctx, "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk", table))
	if err != nil {
		return nil, err
	}
	keys := [][]string{primary}
	indexes, err := texts(tx.sql.QueryContext(ctx, `SELECT name FROM pragma_index_list($1) WHERE "unique" AND origin <> 'pk' ORDER BY name`, table))
	if err != nil {
		return nil, err
	}
	for _, index := range indexes {
		key, err := texts(tx.sql.QueryContext(ctx, "SELECT name FROM pragma_index_info($1) ORDER BY seqno", index))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// errTried ends the transaction in which refusals were tried.
var errTried = errors.New("all was tried")

// ErrReadOnly is why [DB.AppendOnlyGaps] could not try anything: whoever is connected may only read,
// or the database itself can only be read.
var ErrReadOnly = errors.New("the database can only be read by this connection")

// AppendOnlyGap is a statement that would change a table of evidence and that the database does not
// refuse.
type AppendOnlyGap struct {
	Table     string
	Statement string // UPDATE, DELETE, TRUNCATE, REPLACE or [ChangedTriggers]
}

// CheckAppendOnly tries, in a transaction that is rolled back, whatever could change the tables of
// evidence: an update, a deletion, and TRUNCATE or REPLACE. What the database does not refuse is a
// [codex.CodeConflict] error that names it; then nothing may be archived, and a person must find out
// who took the triggers away (docs/archive.md).
func (db *DB) CheckAppendOnly(ctx context.Context) error {
	gaps, err := db.AppendOnlyGaps(ctx)
	if err != nil {
		return err
	}
	for _, gap := range gaps {
		if gap.Statement != ChangedTriggers { // those of another version of this program refuse as well
			return fmt.Errorf("trying whether %s is append-only: %w", gap.Table, missing(gap.Statement))
		}
	}
	return nil
}

// AppendOnlyGaps tries the same, looks at the triggers themselves as well, and gives all that the
// database does not refuse. Where nothing can be tried because the database can only be read, the
// error is [ErrReadOnly].
func (db *DB) AppendOnlyGaps(ctx context.Context) ([]AppendOnlyGap, error) {
	var gaps []AppendOnlyGap
	err := db.Write(ctx, func(ctx context.Context, tx *Tx) error {
		gaps = nil
		for _, table := range AppendOnlyTables() {
			taken, err := tx.tryChanges(ctx, table)
			if err != nil {
				return fmt.Errorf("trying whether %s is append-only: %w", table, err)
			}
			for _, statement := range taken {
				gaps = append(gaps, AppendOnlyGap{table, statement})
			}
			if taken != nil {
				continue
			}
			own, err := tx.ownTriggers(ctx, table)
			if err != nil {
				return fmt.Errorf("reading the triggers of %s: %w", table, err)
			}
			if !own {
				gaps = append(gaps, AppendOnlyGap{table, ChangedTriggers})
			}
		}
		return errTried
	})
	switch {
	case errors.Is(err, errTried):
		return gaps, nil
	case readOnly(err):
		return nil, fmt.Errorf("%w: %w", ErrReadOnly, err)
	}
	return nil, err
}

// readOnly tells whether err says that nothing may be written: to a standby, by an account that may
// only read, to a file that may not be changed.
func readOnly(err error) bool {
	var pgErr *pgconn.PgError
	var liteErr *sqlite3.Error
	return errors.As(err, &pgErr) && (pgErr.Code == "25006" || pgErr.Code == "42501") ||
		errors.As(err, &liteErr) && liteErr.Code() == sqlite3.READONLY
}

// tryChanges gives the statements that were taken.
func (tx *Tx) tryChanges(ctx context.Context, name string) (taken []string, err error) {
	at := slices.IndexFunc(migrate.Tables, func(t *schema.Table) bool { return t.Name == name })
	if at < 0 {
		return nil, errors.New("there is no such table")
	}
	table := migrate.Tables[at]
	insert := " INTO " + quote(name) + " (" + quoteAll(columnNames(table.Columns)) + ") VALUES (" + placeholders(1, len(table.Columns)) + ")"
	if _, err := tx.sql.ExecContext(ctx, "INSERT"+insert, tx.trialRow(table, -1, nil)...); err != nil {
		return nil, err
	}
	try := func(statement string, args ...any) {
		if err != nil {
			return
		}
		var refused bool
		if refused, err = tx.tryChange(ctx, statement, args...); err == nil && !refused {
			word, _, _ := strings.Cut(statement, " ")
			if !slices.Contains(taken, word) {
				taken = append(taken, word)
			}
		}
	}
	key := quote(table.PrimaryKey[0].Name)
	try("UPDATE " + quote(name) + " SET " + key + " = " + key + " WHERE " + key + " = -1")
	try("DELETE FROM " + quote(name) + " WHERE " + key + " = -1")
	if tx.dialect == dialect.Postgres && err == nil {
		var refused bool
		if refused, err = tx.tryTruncate(ctx, name); err == nil && !refused {
			taken = append(taken, "TRUNCATE")
		}
		return taken, err
	}
	keys := [][]*schema.Column{table.PrimaryKey}
	for _, index := range table.Indexes {
		if index.Unique {
			keys = append(keys, index.Columns)
		}
	}
	for _, column := range table.Columns {
		if column.Unique {
			keys = append(keys, []*schema.Column{column})
		}
	}
	for _, key := range keys {
		try("REPLACE"+insert, tx.trialRow(table, -2, key)...)
	}
	return taken, err
}

// trialRow is a row that no archive has: its numbers are negative. The columns in like have the values
// of the row with the number -1.
func (tx *Tx) trialRow(table *schema.Table, number int64, like []*schema.Column) []any {
	row := make([]any, len(table.Columns))
	for i, column := range table.Columns {
		n := number
		if slices.Contains(like, column) {
			n = -1
		}
		switch column.Type {
		case field.TypeTime:
			row[i] = tx.now
		case field.TypeString:
			row[i] = fmt.Sprintf("trial %d", n)
		default:
			row[i] = n
		}
	}
	return row
}

// tryChange runs a statement and tells whether it was refused as a change.
func (tx *Tx) tryChange(ctx context.Context, statement string, args ...any) (refused bool, err error) {
	err = tx.within(ctx, func() error {
		_, err := tx.sql.ExecContext(ctx, statement, args...)
		return err
	})
	if isRefusal(err) {
		return true, nil
	}
	return false, Translate(err)
}

func missing(word string) error {
	return codex.Errorf(codex.CodeConflict, "the database does not refuse %s: somebody took the triggers away that keep archived bills "+
		"(find out who, then let codex migrate make them anew)", word)
}

// tryTruncate tries TRUNCATE, which first waits until nobody reads the table: where a dump of the
// database does so for long, the trigger is looked at instead.
func (tx *Tx) tryTruncate(ctx context.Context, table string) (refused bool, err error) {
	if _, err := tx.sql.ExecContext(ctx, "SET LOCAL lock_timeout = '1s'"); err != nil {
		return false, err
	}
	refused, err = tx.tryChange(ctx, "TRUNCATE "+quote(table))
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "55P03" {
		return refused, err
	}
	var triggers int
	const look = "SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = to_regclass($1) AND tgname = 'append_only' AND tgenabled = 'A' AND tgtype & 32 <> 0"
	if err := tx.sql.QueryRowContext(ctx, look, quote(table)).Scan(&triggers); err != nil {
		return false, err
	}
	return triggers > 0, nil
}

// within runs fn so that its failure, or what it did, does not outlast it.
func (tx *Tx) within(ctx context.Context, fn func() error) error {
	if _, err := tx.sql.ExecContext(ctx, "SAVEPOINT trial"); err != nil {
		return err
	}
	tried := fn()
	if _, err := tx.sql.ExecContext(ctx, "ROLLBACK TO SAVEPOINT trial"); err != nil {
		return errors.Join(tried, err)
	}
	return tried
}

// isRefusal tells whether err is what the triggers say.
func isRefusal(err error) bool {
	var pgErr *pgconn.PgError
	var liteErr *sqlite3.Error
	switch {
	case errors.As(err, &pgErr):
		return pgErr.Code == "23001"
	case errors.As(err, &liteErr):
		return liteErr.ExtendedCode() == sqlite3.CONSTRAINT_TRIGGER
	}
	return errors.Is(err, sqlite3.CONSTRAINT_TRIGGER)
}

func columnNames(columns []*schema.Column) []string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = column.Name
	}
	return names
}
