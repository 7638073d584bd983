package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
)

// ChangedTriggers is what an [AppendOnlyGap] has in the place of a statement where all that was tried
// is refused, and yet the triggers are not those that this program makes: they may let pass what was
// not tried, like a change of one row alone.
const ChangedTriggers = "what its triggers were changed for"

// ownTriggers tells whether a table has the triggers of this program, word by word, and no others.
func (tx *Tx) ownTriggers(ctx context.Context, table string) (bool, error) {
	if tx.dialect == dialect.Postgres {
		return tx.ownPostgresTrigger(ctx, table)
	}
	keys, err := tx.uniqueKeys(ctx, table)
	if err != nil {
		return false, err
	}
	var own []string
	for _, statement := range sqliteTriggers(table, keys) {
		if strings.HasPrefix(statement, "CREATE ") {
			own = append(own, statement)
		}
	}
	there, err := texts(tx.sql.QueryContext(ctx, "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = $1", table))
	if err != nil {
		return false, err
	}
	slices.Sort(own)
	slices.Sort(there)
	return slices.Equal(own, there), nil
}

// ownPostgresTrigger looks at the one trigger: before each statement (2), of DELETE (8), UPDATE (16)
// and TRUNCATE (32), of whatever columns, without a condition, always on; and at what it runs.
// https://www.postgresql.org/docs/current/catalog-pg-trigger.html
func (tx *Tx) ownPostgresTrigger(ctx context.Context, table string) (bool, error) {
	const look = `SELECT t.tgname || ' ' || t.tgtype || ' ' || t.tgenabled::text || ' ' || (t.tgqual IS NULL) || ' ' || (t.tgattr::text = '')
			|| ' ' || l.lanname || ' ' || p.prosrc
		FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
		WHERE t.tgrelid = to_regclass($1) AND NOT t.tgisinternal`
	there, err := texts(tx.sql.QueryContext(ctx, look, quote(table)))
	if err != nil {
		return false, err
	}
	_, body, _ := strings.Cut(postgresRefusal, "$refuse$")
	body = strings.TrimSuffix(body, "$refuse$")
	return slices.Equal(there, []string{fmt.Sprintf("append_only %d A true true plpgsql %s", 2|8|16|32, body)}), nil
}
