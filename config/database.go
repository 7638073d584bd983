package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hivematrix/codex"
)

// Dialect is the kind of a database.
type Dialect string

// The dialects.
const (
	Postgres Dialect = "postgres"
	SQLite   Dialect = "sqlite"
)

// Database says which database the hub uses, as [ParseDatabase] understood the connection string.
type Database struct {
	Dialect Dialect
	// DSN is for the driver: a URL that github.com/jackc/pgx/v5 takes, several hosts and query
	// parameters included, or the absolute path of the SQLite file.
	DSN codex.Secret
	// Path is the absolute path of the SQLite file; empty for PostgreSQL.
	Path string
	// Name is what a person types to confirm what cannot be undone: the database's name, or the
	// SQLite file's without its folder.
	Name string
	// Display is the connection string as it may be shown: *** in place of every password.
	Display string
	// Ignored are the names of query parameters that are left out, for they are those of another
	// driver and the hub's would refuse them.
	Ignored []string
}

// ParseDatabase reads a connection string in SQLAlchemy's forms, and libpq's with several hosts. A
// relative SQLite path begins at instanceDir, as Flask-SQLAlchemy has it, or at the folder above
// when the path begins with instanceDir's own name. Nothing of the string is in the errors, which
// say what it must be.
func ParseDatabase(text, instanceDir string) (Database, error) {
	scheme, rest, found := strings.Cut(text, "://")
	if !found || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Database{}, errors.New("a connection string such as postgresql://user:password@host/name or " +
			"sqlite:////path/codex.db")
	}
	// What follows + is the name of a Python driver.
	switch dialect, _, _ := strings.Cut(strings.ToLower(scheme), "+"); dialect {
	case "postgresql", "postgres":
		return parsePostgres(rest)
	case "sqlite":
		return parseSQLite(rest, instanceDir)
	}
	return Database{}, errors.New("a connection string of PostgreSQL (postgresql://…) or SQLite (sqlite:///…)")
}

func parseSQLite(rest, instanceDir string) (Database, error) {
	path, query, _ := strings.Cut(rest, "?")
	path, noHost := strings.CutPrefix(path, "/")
	if rest == "" || noHost && (path == "" || path == ":memory:") {
		return Database{}, errors.New("a SQLite file: a database in memory is gone when the hub stops")
	}
	if !noHost {
		return Database{}, errors.New("sqlite:///relative.db (three slashes) or sqlite:////absolute/path.db (four)")
	}
	if strings.HasPrefix(path, "file:") {
		return Database{}, errors.New("a SQLite file's plain path, with no file: before it")
	}
	if last := path[strings.LastIndexByte(path, '/')+1:]; last == "" || last == "." || last == ".." {
		return Database{}, errors.New("a SQLite file's path, not a folder's")
	}
	params, err := url.ParseQuery(query)
	if err != nil {
		return Database{}, errors.New("a SQLite file's path, with ?name=value&name=value behind it or nothing")
	}
	if !filepath.IsAbs(path) {
		base := instanceDir
		if first, _, deeper := strings.Cut(path, "/"); deeper && first == filepath.Base(instanceDir) {
			base = filepath.Dir(instanceDir)
		}
		path = filepath.Join(base, path)
	}
	path = filepath.Clean(path)
	return Database{
		Dialect: SQLite, DSN: codex.Secret(path), Path: path, Name: filepath.Base(path),
		Display: "sqlite:///" + path,
		Ignored: sortedKeys(params), // all of them are arguments of Python's sqlite3.connect
	}, nil
}

// postgresURL is a PostgreSQL connection string in its parts, decoded.
type postgresURL struct {
	user, password string
	hasPassword    bool
	hosts          []string // host or host:port, as written; empty: the driver's default
	name           string
	params         url.Values
}

// parsePostgres splits as SQLAlchemy does (sqlalchemy/engine/url.py, _parse_url), which lets a
// password hold every character but @ undisguised, hence not by net/url.
func parsePostgres(rest string) (Database, error) {
	u, err := splitPostgres(rest)
	if err != nil {
		return Database{}, err
	}
	for _, host := range u.hosts {
		if _, port, ok := cutPort(host); ok && !validPort(port) {
			return Database{}, errors.New("a connection string whose ports are from 1 to 65535")
		}
	}
	if u.name == "" {
		return Database{}, errors.New("a connection string that names its database: postgresql://user:password@host/name")
	}
	var ignored []string
	for _, name := range sortedKeys(u.params) {
		if slices.Contains(foreignParameters(), name) {
			ignored = append(ignored, name)
			u.params.Del(name)
		}
	}
	return Database{
		Dialect: Postgres, DSN: codex.Secret(u.format(false)), Name: u.name,
		Display: u.format(true), Ignored: ignored,
	}, nil
}

func splitPostgres(rest string) (postgresURL, error) {
	var u postgresURL
	if at := strings.IndexByte(rest, '@'); at >= 0 {
		user, password, hasPassword := strings.Cut(rest[:at], ":")
		if !strings.Contains(user, "/") {
			u.user, u.password, u.hasPassword = unquote(user), unquote(password), hasPassword
			rest = rest[at+1:]
		}
	}
	if strings.Contains(rest, "@") { // lest half a password be taken, and shown, as a host or name
		return u, errors.New("a connection string whose user and password hold no @: write it as %40")
	}
	rest, query, _ := strings.Cut(rest, "?")
	params, err := url.ParseQuery(query)
	if err != nil {
		return u, errors.New("a connection string that ends in ?name=value&name=value, percent-encoded")
	}
	hosts, name, _ := strings.Cut(rest, "/")
	u.name, u.params = unquote(name), params
	if hosts != "" {
		for host := range strings.SplitSeq(hosts, ",") {
			u.hosts = append(u.hosts, unquote(host))
		}
	}
	u.takeParams()
	return u, nil
}

// takeParams moves what SQLAlchemy also takes as query parameters to its own place: host (several
// times, each with its port, or several in one) with port, user, password and dbname.
func (u *postgresURL) takeParams() {
	take := func(name string) (string, bool) {
		values, ok := u.params[name]
		u.params.Del(name)
		return strings.Join(values, ","), ok
	}
	hosts, ok := take("host")
	if ok && len(u.hosts) == 0 {
		u.hosts = strings.Split(hosts, ",")
	}
	if text, ok := take("port"); ok {
		ports := strings.Split(text, ",")
		for i, host := range u.hosts {
			if _, _, has := cutPort(host); !has && (len(ports) == 1 || len(ports) == len(u.hosts)) {
				u.hosts[i] = host + ":" + ports[i%len(ports)]
			}
		}
	}
	if user, ok := take("user"); ok && u.user == "" {
		u.user = user
	}
	if password, ok := take("password"); ok && !u.hasPassword {
		u.password, u.hasPassword = password, true
	}
	for _, name := range []string{"dbname", "database"} {
		if text, ok := take(name); ok && u.name == "" {
			u.name = text
		}
	}
}

// format is u as a URL, with *** for passwords when it is to be shown.
func (u *postgresURL) format(shown bool) string {
	escape := func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
	hide := func(text string) string {
		if shown && text != "" {
			return codex.Secret(text).String()
		}
		return escape(text)
	}
	var b strings.Builder
	b.WriteString("postgresql://")
	if u.user != "" || u.hasPassword {
		b.WriteString(escape(u.user))
		if u.hasPassword {
			b.WriteString(":" + hide(u.password))
		}
		b.WriteString("@")
	}
	for i, host := range u.hosts {
		if i > 0 {
			b.WriteString(",")
		}
		name, port, hasPort := cutPort(host)
		if strings.HasPrefix(name, "[") {
			b.WriteString(name)
		} else {
			b.WriteString(escape(name))
		}
		if hasPort {
			b.WriteString(":" + port)
		}
	}
	b.WriteString("/" + escape(u.name))
	separator := "?"
	for _, name := range sortedKeys(u.params) {
		for _, value := range u.params[name] {
			if strings.Contains(name, "password") {
				value = hide(value)
			} else {
				value = escape(value)
			}
			fmt.Fprintf(&b, "%s%s=%s", separator, escape(name), value)
			separator = "&"
		}
	}
	return b.String()
}

// unquote decodes as Python's urllib.parse.unquote does: a % that begins no code stays.
func unquote(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if i+2 < len(text) && text[i] == '%' {
			if decoded, err := url.PathUnescape(text[i : i+3]); err == nil {
				b.WriteString(decoded)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// cutPort splits host:port. The colons of a bracketed IPv6 address are no port's, and a socket's
// folder may have a port as well.
func cutPort(host string) (name, port string, ok bool) {
	at := strings.LastIndexByte(host, ':')
	if at < 0 || at < strings.LastIndexByte(host, ']') {
		return host, "", false
	}
	return host[:at], host[at+1:], true
}

// foreignParameters are those of libpq and of Python's drivers that pgx does not know: it would
// send them to the server, which refuses a setting that it does not know. client_encoding is always
// UTF-8 here.
func foreignParameters() []string {
	return []string{
		"async_fallback", "client_encoding", "fallback_application_name", "gssdelegation", "gssencmode", "gsslib",
		"hostaddr", "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval",
		"load_balance_hosts", "prepare_threshold", "requirepeer", "requiressl", "replication", "sslcompression",
		"sslcrl", "sslcrldir", "ssl_max_protocol_version", "ssl_min_protocol_version", "tcp_user_timeout",
	}
}

func sortedKeys(values url.Values) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
