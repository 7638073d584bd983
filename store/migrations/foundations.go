package migrations

import "entgo.io/ent/dialect"

// Foundations are the statements that make the two tables which are there before any migration,
// since migrating needs them: the leases (migrating takes one) and the record of what was applied.
// They change nothing where they are there, and are never altered.
//
// A lease's expires is in microseconds since 1970, by the database's own clock.
func Foundations(dialectName string) []string {
	text, instant := `text COLLATE "C"`, "timestamptz"
	if dialectName == dialect.SQLite {
		text, instant = "text", "datetime"
	}
	return []string{
		`CREATE TABLE IF NOT EXISTS leases (
	name ` + text + ` NOT NULL PRIMARY KEY,
	holder ` + text + ` NOT NULL,
	epoch bigint NOT NULL,
	expires bigint NOT NULL
)`,
		`CREATE TABLE IF NOT EXISTS schema_migrations (
	version ` + text + ` NOT NULL PRIMARY KEY,
	name ` + text + ` NOT NULL,
	hash ` + text + ` NOT NULL,
	applied_at ` + instant + ` NOT NULL
)`,
	}
}
