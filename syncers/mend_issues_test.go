package syncers

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// heard are the statements about issues.
type heard struct {
	mu   sync.Mutex
	list []string
}

func (h *heard) hear(statement string) {
	if regexp.MustCompile(`\Wsync_issues\W`).MatchString(statement) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.list = append(h.list, statement)
	}
}

// take gives what was heard since it was asked last.
func (h *heard) take() (list []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, h.list = h.list, nil
	return list
}

// One wrong account number makes an issue of each machine, and closed ones gather for ever: neither
// shall cost a statement each, or be read where they do not matter.
func TestManyIssuesTakeAFewStatementsAndClosedOnesAreReadWhereTheyAreNamed(t *testing.T) {
	t.Parallel()
	const many = 3000
	var statements heard
	var hour int
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		hour = 0
		lease, err := db.Acquire(t.Context(), "sync:datto", "test", 1000*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, db: db, lease: lease}
		issues := make([]Issue, many)
		for i := range issues {
			issues[i] = Issue{Kind: IssueDeviceWithoutCompany, ID: fmt.Sprint("u", i), Reason: "r"}
		}
		write := func(run codex.RunID, issues ...Issue) {
			t.Helper()
			hour++
			statements.take()
			plan := FeedPlan{Issues: issues, Met: func(IssueKind, string) bool { return true }}
			if err := Apply(t.Context(), db, lease, run, codex.FeedDatto, plan); err != nil {
				t.Fatal(err)
			}
			heard := statements.take()
			different := slices.Compact(slices.Sorted(slices.Values(heard))) // to SQLite a row is a call of one statement
			if len(different) > 5 || db.Dialect() == dialect.Postgres && len(heard) > 5 {
				t.Errorf("%d issues took %d statements: %s", len(issues), len(heard), different)
			}
			for _, s := range heard {
				if strings.HasPrefix(s, "SELECT") && !regexp.MustCompile(`closed_at\W* IS NULL|WHERE .*upstream_id\W* (IN|= ANY)`).MatchString(s) {
					t.Errorf("it reads more than what is open or named: %s", s)
				}
			}
		}
		const look = "SELECT kind, reason, company_account_number, first_run_id, first_seen_at, last_seen_at, closed_at, count(*), count(DISTINCT id), min(id) FROM sync_issues GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 7"
		write("one", issues...)
		first := b.rows("SELECT id, upstream_id FROM sync_issues ORDER BY id")
		b.expect(look, fmt.Sprintf("device_without_company r <nil> one 1h 1h <nil> %d %d 1", many, many))
		write("two", issues...)
		b.expect(look, fmt.Sprintf("device_without_company r <nil> one 1h 1h <nil> %d %d 1", many, many))
		write("three") // all are over
		b.expect(look, fmt.Sprintf("device_without_company r <nil> one 1h 1h 3h %d %d 1", many, many))
		for i := range issues { // all are back, for another reason
			issues[i].Reason, issues[i].Account = "s", "620547"
		}
		slices.Reverse(issues)
		write("four", append(issues, Issue{Kind: IssueReimaged, ID: "u1", Reason: "x"})...)
		b.expect("SELECT kind, reason, company_account_number, first_run_id, first_seen_at, last_seen_at, closed_at, count(*) FROM sync_issues GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1",
			fmt.Sprintf("device_without_company s 620547 one 1h 4h <nil> %d", many), "reimaged x <nil> four 4h 4h <nil> 1")
		if again := b.rows("SELECT id, upstream_id FROM sync_issues WHERE kind = 'device_without_company' ORDER BY id"); !slices.Equal(again, first) {
			t.Error("rows that closed and opened again are other rows")
		}
	}, storetest.Now(func() time.Time { return hours(hour) }), storetest.OnStatement(statements.hear))
}

func TestIssuesCountOnceARow(t *testing.T) {
	issues := []Issue{
		{Kind: IssueBadRecord, ID: "7", Reason: "the conversation 1", entity: "tickets"},
		{Kind: IssueBadRecord, ID: "7", Reason: "the conversation 2", entity: "tickets"},
		{Kind: IssueTicketUnread, ID: "7", entity: "tickets"},
		{Kind: IssueBadRecord, ID: "8", entity: "tickets"},
		{Kind: IssueReimaged, ID: "8", entity: "assets"},
	}
	if n := countIssues(issues, "tickets"); n != 3 {
		t.Errorf("they count %d, want 3", n)
	}
}
