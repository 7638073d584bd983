package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/hivematrix/codex"
)

func TestAConnectionStringOfSQLAlchemyReachesItsDatabase(t *testing.T) {
	for _, test := range []struct {
		name, text string
		hosts      string // as pgx dials them, in order
		user       string
		password   string
		database   string
		params     map[string]string
		display    string
		ignored    []string
	}{
		{
			name: "plain", text: "postgresql://codex:pw@db.example:5433/codex",
			hosts: "db.example:5433", user: "codex", password: "pw", database: "codex",
			display: "postgresql://codex:***@db.example:5433/codex",
		}, {
			name: "psycopg 3", text: "postgresql+psycopg://codex:p%40ss%2Fw%25rd@localhost/codex",
			hosts: "localhost:5432", user: "codex", password: "p@ss/w%rd", database: "codex",
			display: "postgresql://codex:***@localhost/codex",
		}, {
			name: "psycopg 2", text: "postgresql+psycopg2://codex:pw@localhost/codex",
			hosts: "localhost:5432", user: "codex", password: "pw", database: "codex",
			display: "postgresql://codex:***@localhost/codex",
		}, {
			name: "the old short scheme", text: "postgres://codex:pw@localhost/codex",
			hosts: "localhost:5432", user: "codex", password: "pw", database: "codex",
			display: "postgresql://codex:***@localhost/codex",
		}, {
			name: "a password with everything but @ undisguised", text: `postgresql://c:a:b/c?d#e%f+g h&i=%zz@localhost/codex`,
			hosts: "localhost:5432", user: "c", password: "a:b/c?d#e%f+g h&i=%zz", database: "codex",
			display: "postgresql://c:***@localhost/codex",
		}, {
			name: "a user with an @, no password", text: "postgresql://me%40corp@localhost/codex",
			hosts: "localhost:5432", user: "me@corp", database: "codex",
			display: "postgresql://me%40corp@localhost/codex",
		}, {
			name: "an empty password", text: "postgresql://me:@localhost/codex",
			hosts: "localhost:5432", user: "me", database: "codex",
			display: "postgresql://me:@localhost/codex",
		}, {
			name:  "query parameters are kept",
			text:  "postgresql://c:pw@db/codex?sslmode=require&application_name=my%20hub&connect_timeout=5&options=-csearch_path%3Dx",
			hosts: "db:5432", user: "c", password: "pw", database: "codex",
			params:  map[string]string{"application_name": "my hub", "options": "-csearch_path=x"},
			display: "postgresql://c:***@db/codex?application_name=my%20hub&connect_timeout=5&options=-csearch_path%3Dx&sslmode=require",
		}, {
			name:  "several hosts",
			text:  "postgresql://c:pw@a:1,b,[::1]:3/codex?target_session_attrs=read-write",
			hosts: "a:1 b:5432 ::1:3", user: "c", password: "pw", database: "codex",
			display: "postgresql://c:***@a:1,b,[::1]:3/codex?target_session_attrs=read-write",
		}, {
			name:  "several hosts as SQLAlchemy has them",
			text:  "postgresql+psycopg2://c:pw@/codex?host=a:1&host=b:2",
			hosts: "a:1 b:2", user: "c", password: "pw", database: "codex",
			display: "postgresql://c:***@a:1,b:2/codex",
		}, {
			name:  "several hosts and ports in lists",
			text:  "postgresql://c:pw@/codex?host=a,b&port=1,2",
			hosts: "a:1 b:2", user: "c", password: "pw", database: "codex",
			display: "postgresql://c:***@a:1,b:2/codex",
		}, {
			name:  "a socket's folder",
			text:  "postgresql://c@/codex?host=/var/run/postgresql&port=5433",
			hosts: "/var/run/postgresql:5433", user: "c", database: "codex",
			display: "postgresql://c@%2Fvar%2Frun%2Fpostgresql:5433/codex",
		}, {
			name:  "a socket's folder as host",
			text:  "postgresql://c@%2Ftmp/codex",
			hosts: "/tmp:5432", user: "c", database: "codex",
			display: "postgresql://c@%2Ftmp/codex",
		}, {
			name:  "user, password and name as parameters",
			text:  "postgresql://db/?user=c&password=p%26w&dbname=codex",
			hosts: "db:5432", user: "c", password: "p&w", database: "codex",
			display: "postgresql://c:***@db/codex",
		}, {
			name:  "parameters of other drivers",
			text:  "postgresql://c:pw@db/codex?client_encoding=utf8&keepalives=1&sslmode=disable&prepare_threshold=0",
			hosts: "db:5432", user: "c", password: "pw", database: "codex",
			display: "postgresql://c:***@db/codex?sslmode=disable",
			ignored: []string{"client_encoding", "keepalives", "prepare_threshold"},
		}, {
			name:  "a database's name with a space",
			text:  "postgresql://c:pw@db/my%20hub",
			hosts: "db:5432", user: "c", password: "pw", database: "my hub",
			display: "postgresql://c:***@db/my%20hub",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseDatabase(test.text, "/hub/instance")
			if err != nil {
				t.Fatal(err)
			}
			want := Database{
				Dialect: Postgres, DSN: got.DSN, Name: test.database, Display: test.display, Ignored: test.ignored,
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
			pg, err := pgx.ParseConfig(got.DSN.Reveal())
			if err != nil {
				t.Fatalf("pgx: %v", err)
			}
			if pg.User != test.user || pg.Password != test.password || pg.Database != test.database {
				t.Errorf("pgx has user %q, password %q, database %q", pg.User, pg.Password, pg.Database)
			}
			hosts := []string{fmt.Sprintf("%s:%d", pg.Host, pg.Port)}
			for _, f := range pg.Fallbacks { // one more a host, and one without TLS, with sslmode=prefer
				if host := fmt.Sprintf("%s:%d", f.Host, f.Port); host != hosts[len(hosts)-1] {
					hosts = append(hosts, host)
				}
			}
			if dialled := strings.Join(hosts, " "); dialled != test.hosts {
				t.Errorf("pgx dials %s, want %s", dialled, test.hosts)
			}
			if params := pg.RuntimeParams; len(params) != len(test.params) || len(params) > 0 && !reflect.DeepEqual(params, test.params) {
				t.Errorf("pgx sends %v, want %v", params, test.params)
			}
		})
	}
}

func TestASQLiteStringReachesItsFile(t *testing.T) {
	for _, test := range []struct {
		name, text, path string
		ignored          []string
	}{
		{name: "absolute", text: "sqlite:////srv/data/codex.db", path: "/srv/data/codex.db"},
		{name: "relative begins at the instance folder", text: "sqlite:///codex.db", path: "/hub/instance/codex.db"},
		{name: "a folder deeper", text: "sqlite:///data/codex.db", path: "/hub/instance/data/codex.db"},
		{name: "with the instance folder's name", text: "sqlite:///instance/codex.db", path: "/hub/instance/codex.db"},
		{name: "upwards", text: "sqlite:///../data/codex.db", path: "/hub/data/codex.db"},
		{name: "a file of the instance folder's name", text: "sqlite:///instance", path: "/hub/instance/instance"},
		{name: "with a driver", text: "sqlite+pysqlite:////srv/codex.db", path: "/srv/codex.db"},
		{name: "a percent sign is one", text: "sqlite:////srv/100%25.db", path: "/srv/100%25.db"},
		{name: "Python's arguments", text: "sqlite:////srv/codex.db?timeout=30&check_same_thread=false",
			path: "/srv/codex.db", ignored: []string{"check_same_thread", "timeout"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseDatabase(test.text, "/hub/instance")
			if err != nil {
				t.Fatal(err)
			}
			if got.Ignored == nil {
				got.Ignored = []string{}
			}
			if test.ignored == nil {
				test.ignored = []string{}
			}
			want := Database{
				Dialect: SQLite, DSN: codex.Secret(test.path), Path: test.path,
				Name: test.path[strings.LastIndex(test.path, "/")+1:], Display: "sqlite:///" + test.path,
				Ignored: test.ignored,
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestABadConnectionStringSaysWhatItMustBeAndNotWhatItIs(t *testing.T) {
	const (
		neither = "a connection string such as postgresql://user:password@host/name or sqlite:////path/codex.db"
		memory  = "a SQLite file: a database in memory is gone when the hub stops"
	)
	for _, test := range []struct{ text, want string }{
		{"hunter2", neither},
		{"postgresql:hunter2@host/name", neither},
		{"host=db password=hunter2", neither},
		{"postgresql://u:p@h/hunter2\n", neither},
		{"mysql://u:hunter2@h/d", "a connection string of PostgreSQL (postgresql://…) or SQLite (sqlite:///…)"},
		{"postgresql://u:hunt@er2@h/d", "a connection string whose user and password hold no @: write it as %40"},
		{"postgresql://u:hunt@e/r2@h/d", "a connection string whose user and password hold no @: write it as %40"},
		{"postgresql://u:hunter2@h", "a connection string that names its database: postgresql://user:password@host/name"},
		{"postgresql://u:hunter2@h:x/d", "a connection string whose ports are from 1 to 65535"},
		{"postgresql://u:hunter2@h:70000/d", "a connection string whose ports are from 1 to 65535"},
		{"postgresql://u:hunter2@h/d?a=%zz", "a connection string that ends in ?name=value&name=value, percent-encoded"},
		{"sqlite://", memory},
		{"sqlite:///", memory},
		{"sqlite:///:memory:", memory},
		{"sqlite://hunter2.db", "sqlite:///relative.db (three slashes) or sqlite:////absolute/path.db (four)"},
		{"sqlite:///file:hunter2?mode=memory&uri=true", "a SQLite file's plain path, with no file: before it"},
		{"sqlite:////srv/hunter2/", "a SQLite file's path, not a folder's"},
		{"sqlite:////srv/hunter2/..", "a SQLite file's path, not a folder's"},
		{"sqlite:////srv/hunter2?%zz", "a SQLite file's path, with ?name=value&name=value behind it or nothing"},
	} {
		t.Run(test.text, func(t *testing.T) {
			got, err := ParseDatabase(test.text, "/hub/instance")
			if err == nil || err.Error() != test.want {
				t.Errorf("got %+v, error\n%v, want\n%s", got, err, test.want)
			}
		})
	}
}

// FuzzConnectionString: whatever the string, it is refused, or what may be shown of it is itself a
// connection string, of the same database.
func FuzzConnectionString(f *testing.F) {
	for _, seed := range []string{
		"postgresql://c:p%40w@a:1,b,[::1]:3/codex?sslmode=disable&x=y%20z", "postgresql://c@%2Ftmp/codex",
		"postgresql://c:pw@/codex?host=a:1&host=b:2&port=3", "sqlite:///instance/codex.db?timeout=3",
		"postgresql://a:b/c?d#e%f@h/d", "sqlite:////a/../b",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseDatabase(text, "/hub/instance")
		if err != nil {
			return
		}
		again, err := ParseDatabase(got.Display, "/hub/instance")
		if err != nil {
			t.Fatalf("%q is shown as %q, which is refused: %v", text, got.Display, err)
		}
		if again.Display != got.Display || again.Name != got.Name || again.Path != got.Path {
			t.Errorf("%q is read as %+v, and what is shown of it as %+v", text, got, again)
		}
	})
}
