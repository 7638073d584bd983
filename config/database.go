package config

import "github.com/hivematrix/codex"

// Dialect is the kind of a database.
type Dialect string

// The dialects.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

// Database says which database the hub uses.
type Database struct {
	Dialect Dialect
	DSN     codex.Secret // PostgreSQL: a URL for pgx; SQLite: the file's path
	Path    string       // SQLite: the absolute path of the file
	Name    string       // what a person types to confirm: the database's or the file's name
	Display string       // the connection string without its password
	Ignored []string     // query parameters that were left out, since they mean nothing here
}
