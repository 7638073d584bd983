package history

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/store"
)

// Move is for what many rows have in common and a person changes for all of them, such as the company
// that they belong to: it ends the open versions whose column, a text, is from at the moment at, and
// begins in their place versions that differ from them in nothing but that column, which is to. The
// rows need not be read for it. No version may have to at that moment.
func Move(ctx context.Context, tx *store.Tx, t Table, column, from, to string, at time.Time, origin Origin) error {
	run, by := orNull(string(origin.Run)), orNull(origin.By)
	text, moment := "", ""
	if tx.Dialect() == dialect.Postgres { // it must be told the types of what is only selected
		text, moment = "::text", "::timestamptz"
	}
	var names, values []string
	for _, c := range append(append([]store.Column{}, t.Key...), t.Kept...) {
		names = append(names, c.Name)
		if c.Name == column {
			values = append(values, "$1"+text)
			continue
		}
		values = append(values, c.Name)
	}
	values = append(values, "$2"+moment, "$3"+text, "$4"+text)
	begin := fmt.Sprintf("INSERT INTO %s (%s, seen_from, run_id, changed_by) SELECT %s FROM %s WHERE %s = $5 AND seen_to IS NULL",
		t.Name, strings.Join(names, ", "), strings.Join(values, ", "), t.Name, column)
	if _, err := tx.SQL().ExecContext(ctx, begin, to, at, run, by, from); err != nil {
		return fmt.Errorf("opening versions in %s: %w", t.Name, err)
	}
	end := fmt.Sprintf("UPDATE %s SET seen_to = $1, ended_run_id = $2, ended_by = $3 WHERE %s = $4 AND seen_to IS NULL", t.Name, column)
	if _, err := tx.SQL().ExecContext(ctx, end, at, run, by, from); err != nil {
		return fmt.Errorf("closing versions in %s: %w", t.Name, err)
	}
	return nil
}
