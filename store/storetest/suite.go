package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/hivematrix/codex/store"
)

// Subject is a database that keeps the contract of package store, and how it differs.
type Subject struct {
	Dialect string
	// WritersSideBySide: transactions that write different rows do so at the same time, so two can
	// get in each other's way and one is begun again. SQLite has one writer at a time.
	WritersSideBySide bool
	// OneServe: a second `codex serve` is refused. A SQLite file has one process that writes;
	// PostgreSQL is there to be shared.
	OneServe bool
}

// Run holds a database to the contract.
func Run(t *testing.T, subject Subject) {
	for _, group := range []struct {
		name string
		run  func(t *testing.T, s Subject)
	}{
		{"transactions", transactions},
		{"bulk statements", bulkStatements},
		{"keys and order", keysAndOrder},
		{"folding", folding},
		{"values", values},
		{"revisions", revisions},
		{"leases", leases},
		{"holding a lease", holding},
		{"migrating", migrating},
		{"identity and safety", identityAndSafety},
		{"errors", translated},
		{"evidence", evidence},
	} {
		t.Run(group.name, func(t *testing.T) { group.run(t, subject) })
	}
}

// cases runs each of named functions as a subtest.
type testCase struct {
	name string
	run  func(t *testing.T)
}

func runCases(t *testing.T, cases []testCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, c.run)
	}
}

// write is db.Write that must succeed.
func write(t *testing.T, db *store.DB, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// count is the number of rows of a query of one number.
func count(t *testing.T, db *store.DB, query string, args ...any) int {
	t.Helper()
	var n int
	if err := db.SQL().QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// patience is how long a test waits for what happens at once.
const patience = 20 * time.Second

// await gives what comes through ch, and fails the test if nothing does.
func await[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("unreachable")
	}
}

// nothing makes sure that nothing comes through ch for a while.
func nothing[T any](t *testing.T, ch <-chan T, why string) {
	t.Helper()
	select {
	case v := <-ch:
		t.Fatalf("%s: got %v", why, v)
	case <-time.After(150 * time.Millisecond):
	}
}

// background runs fn and gives its error.
func background(fn func() error) <-chan error {
	ch := make(chan error, 1)
	go func() { ch <- fn() }()
	return ch
}

// putCompany writes a company.
func putCompany(ctx context.Context, tx *store.Tx, account, name string) error {
	return tx.Upsert(ctx, companies(), [][]any{{account, name, "standard"}})
}

func companies() store.Table {
	return store.Table{Name: "companies", Key: []string{"account_number"}, Columns: []store.Column{
		{Name: "account_number", Kind: store.Text}, {Name: "name", Kind: store.Text}, {Name: "compliance_level", Kind: store.Text},
	}}
}
