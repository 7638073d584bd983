package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/migrations"
)

func statementFunc(fn func(query string)) func(context.Context, string) {
	return func(_ context.Context, query string) { fn(query) }
}

func postgres(t testing.TB, migrated bool) *Database {
	t.Helper()
	var template func(context.Context, string, *pgx.Conn) (string, error)
	if migrated {
		template = migratedTemplate
	}
	return postgresOf(t, template)
}

// postgresCopy is a copy of a database that nobody has open.
func postgresCopy(t testing.TB, d *Database) *Database {
	t.Helper()
	from, err := url.Parse(d.dsn.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	return postgresOf(t, func(context.Context, string, *pgx.Conn) (string, error) {
		return strings.TrimPrefix(from.Path, "/"), nil
	})
}

func postgresOf(t testing.TB, template func(context.Context, string, *pgx.Conn) (string, error)) *Database {
	t.Helper()
	dsn, drop, err := createPostgres(t.Context(), serverURL(t), template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return &Database{Dialect: dialect.Postgres, dsn: dsn}
}

// CreatePostgres makes an empty database on a server and gives its URL and what drops it, whoever
// is still connected.
func CreatePostgres(ctx context.Context, server string) (dsn codex.Secret, drop func() error, err error) {
	return createPostgres(ctx, server, nil)
}

// createPostgres makes a copy of the template that a function makes or finds, if there is one.
func createPostgres(ctx context.Context, server string, template func(context.Context, string, *pgx.Conn) (string, error)) (dsn codex.Secret, drop func() error, err error) {
	name := "codex_test_" + strings.ToLower(rand.Text()[:16])
	if err := onServer(ctx, server, func(conn *pgx.Conn) error {
		create := "CREATE DATABASE " + name
		if template != nil {
			from, err := template(ctx, server, conn)
			if err != nil {
				return fmt.Errorf("making a migrated template: %w", err)
			}
			create += " TEMPLATE " + from
		}
		_, err := conn.Exec(ctx, create)
		return err
	}); err != nil {
		return "", nil, fmt.Errorf("creating a test database: %w", err)
	}
	dsn, err = withDatabase(server, name)
	drop = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return onServer(ctx, server, func(conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
			return err
		})
	}
	return dsn, drop, err
}

// migratedTemplate is the name of a database that has today's migrations. The packages of a test
// run are processes of their own: one makes it, the others wait.
func migratedTemplate(ctx context.Context, server string, conn *pgx.Conn) (name string, err error) {
	files, err := migrations.Files(dialect.Postgres)
	if err != nil {
		return "", err
	}
	seal := sha256.New()
	for _, file := range files {
		_, _ = io.WriteString(seal, file.Hash) // a hash takes everything
	}
	_, _ = io.WriteString(seal, strings.Join(migrations.Foundations(dialect.Postgres), ";"))
	name = "codex_template_" + hex.EncodeToString(seal.Sum(nil))[:24]
	there := func() (there bool, err error) {
		err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
		return there, err
	}
	if found, err := there(); err != nil || found {
		return name, err
	}
	const lock = 620547 // any number; its connection ends soon, and the lock with it
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", lock); err != nil {
		return "", err
	}
	if found, err := there(); err != nil || found {
		return name, err
	}
	// Under its name only when it is whole.
	if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name+"_half WITH (FORCE)"); err != nil {
		return "", err
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name+"_half"); err != nil {
		return "", err
	}
	if err := migrateHalf(ctx, server, name+"_half"); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "ALTER DATABASE "+name+"_half RENAME TO "+name)
	return name, err
}

func migrateHalf(ctx context.Context, server, name string) (err error) {
	dsn, err := withDatabase(server, name)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, store.Options{
		Dialect: dialect.Postgres, DSN: dsn, Now: time.Now, Logger: slog.New(slog.DiscardHandler), //nolint:forbidigo // a test's clock is the real one
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.Migrate(ctx)
	return err
}

func onServer(ctx context.Context, server string, fn func(conn *pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	return fn(conn)
}

func withDatabase(server, name string) (codex.Secret, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", errors.New("CODEX_TEST_POSTGRES is no postgres:// URL")
	}
	u.Path = "/" + name
	return codex.Secret(u.String()), nil
}
