package store_test

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

func TestPostgresKeepsTheContract(t *testing.T) {
	storetest.Run(t, storetest.Subject{Dialect: dialect.Postgres, WritersSideBySide: true})
}

func openURL(t *testing.T, dsn string) (*store.DB, error) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{Dialect: dialect.Postgres, DSN: codex.Secret(dsn), Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err == nil {
		t.Cleanup(func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return db, err
}

func TestOfSeveralHostsTheOneThatTakesWritesIsFound(t *testing.T) {
	u, err := url.Parse(storetest.Fresh(t, dialect.Postgres).Options().DSN.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = "127.0.0.1:1," + u.Host // nobody listens at the first
	u.RawQuery += "&target_session_attrs=read-write"
	db, err := openURL(t, u.String())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.CheckUpstream(t.Context(), "datto", "x", false); err != nil {
		t.Error(err)
	}
}

func TestAServerThatCannotBeReachedIsUnavailableAndTellsNoPassword(t *testing.T) {
	for _, dsn := range []string{
		"postgres://codex:hunter2@127.0.0.1:1/codex?sslmode=disable",
		"postgres://codex:hunter2@127.0.0.1:port/codex",
	} {
		_, err := openURL(t, dsn)
		if err == nil {
			t.Fatal("it was opened")
		}
		if text := err.Error(); contains(text, "hunter2") {
			t.Errorf("told: %s", text)
		}
	}
	if _, err := openURL(t, "postgres://codex:hunter2@127.0.0.1:1/codex?sslmode=disable"); codex.CodeOf(err) != codex.CodeUnavailable {
		t.Errorf("err %v", err)
	}
}

// Else an index on it would not serve the bytewise order, and a plain ORDER BY would be another.
func TestEveryTextColumnOfPostgresIsOrderedByBytes(t *testing.T) {
	db := storetest.Open(t, dialect.Postgres)
	rows, err := db.SQL().QueryContext(t.Context(), `SELECT c.table_name || '.' || c.column_name FROM information_schema.columns AS c
		JOIN information_schema.tables AS t USING (table_schema, table_name)
		WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
			AND c.data_type IN ('text', 'character varying', 'character') AND c.collation_name IS DISTINCT FROM 'C'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is not", name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// A transaction pooler may run a statement in a session that never prepared it.
func TestBehindAPoolerStatementsHaveNoNames(t *testing.T) {
	direct, err := url.Parse(storetest.Fresh(t, dialect.Postgres).Options().DSN.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	direct.RawQuery += "&pool_max_conns=1"
	pooled, forced := *direct, *direct
	pooled.Host = pooler(t, direct.Host)
	forced.Host = pooled.Host
	forced.RawQuery += "&default_query_exec_mode=cache_statement"
	for _, tc := range []struct {
		name  string
		url   *url.URL
		named bool
	}{{"straight to the server", direct, true}, {"through a pooler", &pooled, false}, {"as the URL says", &forced, true}} {
		t.Run(tc.name, func(t *testing.T) {
			db, err := openURL(t, tc.url.String())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Ent().Company.Query().Where(company.Name("x")).All(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := db.CheckUpstream(t.Context(), "datto", "x", false); err != nil {
				t.Fatal(err)
			}
			var names int
			if err := db.SQL().QueryRowContext(t.Context(), "SELECT count(*) FROM pg_prepared_statements").Scan(&names); err != nil {
				t.Fatal(err)
			}
			if (names > 0) != tc.named {
				t.Errorf("%d statements have names", names)
			}
		})
	}
}

// pooler stands before a server and gives out connections under process numbers of its own, as
// poolers do.
func pooler(t *testing.T, server string) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connections sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		connections.Wait()
	})
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() {
				defer client.Close()
				backend, err := net.Dial("tcp", server)
				if err != nil {
					t.Error(err)
					return
				}
				connections.Go(func() {
					defer backend.Close()
					_, _ = io.Copy(backend, client)
				})
				if err := greet(client, backend); err == nil {
					_, _ = io.Copy(client, backend)
				}
			})
		}
	})
	return listener.Addr().String()
}

// greet passes a server's messages on until it is ready, BackendKeyData with another process.
func greet(client io.Writer, backend io.Reader) error {
	for {
		var head [5]byte // the message's kind, its length with these four bytes
		if _, err := io.ReadFull(backend, head[:]); err != nil {
			return err
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(backend, body); err != nil {
			return err
		}
		if head[0] == 'K' {
			binary.BigEndian.PutUint32(body, 1)
		}
		if _, err := client.Write(append(head[:], body...)); err != nil || head[0] == 'Z' {
			return err
		}
	}
}

// A transaction that began first may write last. SQLite begins none while another one writes.
func TestOfTwoThatLockTheSameRevisionsTheLaterHasTheLaterTime(t *testing.T) {
	db := storetest.Open(t, dialect.Postgres)
	var first, second time.Time
	begun, done := make(chan struct{}), make(chan struct{})
	var once sync.Once
	go func() {
		defer close(done)
		<-begun
		if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			err := tx.Raise(ctx, "companies")
			first = tx.Now()
			return err
		}); err != nil {
			t.Error(err)
		}
	}()
	err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		once.Do(func() { close(begun) })
		<-done
		if err := tx.Raise(ctx, "companies"); err != nil {
			return err
		}
		second = tx.Now()
		if err := tx.Raise(ctx, "contacts"); err != nil {
			return err
		}
		if !tx.Now().Equal(second) {
			t.Error("the time of a transaction went on")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if first.IsZero() || second.Before(first) {
		t.Errorf("%v wrote after %v", second, first)
	}
}
