package archive_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// now is the time of these tests.
func now() time.Time { return time.Date(2025, 11, 1, 2, 0, 3, 250_000_000, time.UTC) }

// salts are bytes that look random and are the same each time.
type salts struct{ at uint64 }

func (s *salts) Read(p []byte) (int, error) {
	for i := range p {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, s.at))
		p[i], s.at = sum[0], s.at+1
	}
	return len(p), nil
}

func open(t *testing.T, db *store.DB, change ...func(o *archive.Options)) *archive.Archive {
	t.Helper()
	o := archive.Options{
		DB: db, Random: &salts{}, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		KeyFile: filepath.Join(t.TempDir(), "archive.key"), NewOrigin: "codex.example.com/archive",
	}
	for _, change := range change {
		change(&o)
	}
	return archive.New(o)
}

// each runs fn on both databases, with the company of the bill in testdata.
func each(t *testing.T, fn func(t *testing.T, db *store.DB)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		if err := db.Ent().Company.Create().SetID("620547").SetName("Example Ltd").Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		fn(t, db)
	}, storetest.Now(now))
}

func ledger() codex.Caller {
	return codex.Caller{Name: "service:ledger", Role: codex.RoleService, Core: "ledger", Grants: codex.GrantBills}
}

// bill is what Ledger sends, with pairs of texts replaced.
func bill(t testing.TB, replace ...string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/ledger.json")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !bytes.Contains(text, []byte(replace[i])) {
			t.Fatalf("the bill has no %s", replace[i])
		}
		text = bytes.Replace(text, []byte(replace[i]), []byte(replace[i+1]), 1)
	}
	return text
}

func parse(t testing.TB, body []byte) *archive.Submission {
	t.Helper()
	s, err := archive.ParseSubmission(body)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func accept(t testing.TB, a *archive.Archive, body []byte) *archive.Accepted {
	t.Helper()
	accepted, err := a.Accept(t.Context(), parse(t, body), ledger())
	if err != nil {
		t.Fatal(err)
	}
	return accepted
}

// refused compares an error's code and what its caller is told.
func refused(t *testing.T, err error, code codex.Code, message string) {
	t.Helper()
	var coded *codex.Error
	if !asCoded(err, &coded) || coded.Code != code {
		t.Errorf("%v, want %s", err, code)
		return
	}
	told := coded.Message
	if coded.Field != "" {
		told = coded.Field + ": " + told
	}
	if told != message {
		t.Errorf("it says\n     %s\nwant %s", told, message)
	}
}

func count(t *testing.T, db *store.DB, table string) (n int) {
	t.Helper()
	if err := db.SQL().QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func succeeded(t *testing.T, db *store.DB, id string, feed codex.Feed, ended time.Time, change func(c *ent.SyncRunCreate)) {
	t.Helper()
	c := db.Ent().SyncRun.Create().SetID(codex.RunID(id)).SetFeed(feed).SetMode(codex.ModeIncremental).SetTrigger(codex.TriggerAPI).
		SetRequestedBy("x").SetDryRun(false).SetForced(false).SetState(codex.RunSucceeded).SetQueuedAt(ended).SetEndedAt(ended)
	if change != nil {
		change(c)
	}
	if err := c.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}
