package audit_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// world is an archive with a bill of every kind, and what its auditor has.
type world struct {
	db      *store.DB
	archive *archive.Archive
	key     proof.VerifierKey
	signing *proof.SigningKey
	outside string // the file of the newest checkpoint
	// signed are the log checkpoints that were given away, by how many leaves they have.
	signed map[int64][]byte
}

// salts are bytes that look random and are the same each time.
type salts struct{ at uint64 }

func (s *salts) Read(p []byte) (int, error) {
	for i := range p {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, s.at))
		p[i], s.at = sum[0], s.at+1
	}
	return len(p), nil
}

// clock goes on by a second and a bit each time that it is asked.
func clock() func() time.Time {
	now := time.Date(2025, 11, 1, 2, 0, 3, 250_000_000, time.UTC)
	return func() time.Time {
		now = now.Add(1_000_001 * time.Microsecond)
		return now
	}
}

// begin makes an empty archive. Two of them that do the same are the same to the last byte, but for
// their keys where they do not share one.
func begin(t *testing.T, dialectName string) *world {
	t.Helper()
	folder := t.TempDir()
	secret, key, err := proof.GenerateKey(&salts{at: 1000}, "codex.example.com/archive")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "archive.key"), []byte(secret.Reveal()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	signing, err := proof.ParseSigningKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: storetest.Open(t, dialectName, storetest.Now(clock())), key: key, signing: signing, signed: map[int64][]byte{}}
	w.outside = filepath.Join(folder, "archive.checkpoint")
	w.archive = archive.New(archive.Options{
		DB: w.db, KeyFile: filepath.Join(folder, "archive.key"), Random: &salts{}, Logger: slog.New(slog.DiscardHandler),
	})
	if err := w.db.Ent().Company.Create().SetID("620547").SetName("Example Ltd").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, run := range []struct {
		id   string
		feed codex.Feed
	}{{"run-1", codex.FeedDatto}, {"run-2", codex.FeedTickets}} {
		err := w.db.Ent().SyncRun.Create().SetID(codex.RunID(run.id)).SetFeed(run.feed).SetMode(codex.ModeIncremental).
			SetTrigger(codex.TriggerAPI).SetRequestedBy("x").SetDryRun(false).SetForced(false).SetState(codex.RunSucceeded).
			SetQueuedAt(w.db.Now()).SetEndedAt(w.db.Now()).Exec(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// full is a bill with all that one may have.
func full(invoice string, total float64) map[string]any {
	return map[string]any{
		"company_account_number": "620547", "company_name": "Example Ltd", "invoice_number": invoice, "billing_year": 2025, "billing_month": 10,
		"invoice_date": "2025-10-31", "due_date": "2025-11-30", "billing_plan": "Gold", "contract_term": "1-Year", "support_level": "Billed Hourly",
		"total_amount": total, "total_user_charges": 1.5, "total_asset_charges": 59, "total_backup_charges": 2, "total_ticket_charges": 3,
		"total_line_item_charges": 4, "user_count": 1, "asset_count": 2, "billable_hours": 1.7166666666666666,
		"billing_data_json": map[string]any{"assets": []any{map[string]any{"id": 7}}}, "invoice_csv": "InvoiceNo,Amount\r\n" + invoice + ",59.00\r\n",
		"created_by": "ana@example.com", "notes": "paid late, as ever",
		"line_items": []any{
			map[string]any{"line_type": "asset", "item_name": "PC-1", "description": "Workstation", "quantity": 1, "rate": 59, "amount": 59},
			map[string]any{"line_type": "ticket", "item_name": "Hourly Labor", "description": nil, "quantity": 1.7167, "rate": 125, "amount": total - 59},
			map[string]any{"item_name": "Cable", "rate": 2, "amount": 2},
		},
	}
}

// bare is a bill with nothing but what it must have.
func bare(invoice string) map[string]any {
	return map[string]any{
		"company_account_number": "nobody", "invoice_number": invoice, "billing_year": 2025, "billing_month": 11,
		"total_amount": 0, "billing_data_json": map[string]any{}, "invoice_csv": "",
	}
}

func (w *world) accept(t *testing.T, bill map[string]any) int {
	t.Helper()
	body, err := json.Marshal(bill)
	if err != nil {
		t.Fatal(err)
	}
	submission, err := archive.ParseSubmission(body)
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := w.archive.Accept(t.Context(), submission, codex.Caller{Name: "service:ledger"})
	if err != nil {
		t.Fatal(err)
	}
	if accepted.Existing {
		t.Fatalf("%s was there", submission.InvoiceNumber)
	}
	w.remember(t)
	return accepted.Snapshot.ID
}

// remember keeps the newest checkpoint, as somebody does who gets it.
func (w *world) remember(t *testing.T) {
	t.Helper()
	signed, err := w.archive.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.signed[signed.Size] = []byte(signed.Note)
}

func admin() codex.Caller { return codex.Caller{Name: "admin@example.com", Role: codex.RoleAdmin} }

func (w *world) reopen(t *testing.T, invoice string) {
	t.Helper()
	if _, err := w.archive.Reopen(t.Context(), invoice, "the rate was wrong", admin()); err != nil {
		t.Fatal(err)
	}
	w.remember(t)
}

func (w *world) close(t *testing.T, invoice string) {
	t.Helper()
	if _, err := w.archive.Close(t.Context(), invoice, "", admin()); err != nil {
		t.Fatal(err)
	}
	w.remember(t)
}

// Bills of the fixture.
const (
	first  = "620547-202510"
	second = "nobody-1"
	third  = "620547-x"
)

// early fills an archive with bills of every kind, six leaves: the first bill, a bare one, the first
// reopened, closed and reopened again, and its second revision.
func (w *world) early(t *testing.T) {
	t.Helper()
	w.accept(t, full(first, 273.58))
	w.accept(t, bare(second))
	w.reopen(t, first)
	w.close(t, first)
	w.reopen(t, first)
	w.accept(t, full(first, 280))
}

// late adds an epoch, as after an older backup, and two bills: nine leaves in all. The second is open.
func (w *world) late(t *testing.T) {
	t.Helper()
	lost := proof.Checkpoint{Origin: w.key.Origin(), Epoch: 1, Size: 8, Root: proof.LeafHash([]byte("lost"))}
	note, err := proof.SignCheckpoint(lost, w.signing)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.outside, note, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.archive.OpenEpoch(t.Context(), "the disk broke", admin()); err != nil {
		t.Fatal(err)
	}
	w.remember(t)
	w.accept(t, full(third, 100))
	w.reopen(t, second)
}

// filled is the whole fixture.
func filled(t *testing.T, dialectName string) *world {
	t.Helper()
	w := begin(t, dialectName)
	w.early(t)
	w.late(t)
	return w
}

func (w *world) verify(t *testing.T, o audit.Options) *audit.Report {
	t.Helper()
	report, err := audit.Verify(t.Context(), w.db, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// told are the findings of a report without those about the triggers, which a test took away.
func told(report *audit.Report) []string {
	var lines []string
	for _, f := range report.Findings {
		if f.Kind != audit.Unprotected {
			lines = append(lines, f.String())
		}
	}
	return lines
}

func (w *world) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := w.db.SQL().ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// unprotect takes the triggers away, as a superuser may.
func (w *world) unprotect(t *testing.T) {
	t.Helper()
	for _, table := range store.AppendOnlyTables() {
		if w.db.Dialect() == "postgres" {
			w.exec(t, "ALTER TABLE "+table+" DISABLE TRIGGER append_only")
			continue
		}
		for _, event := range []string{"update", "delete", "insert"} {
			w.exec(t, "DROP TRIGGER "+table+"_append_only_"+event)
		}
	}
}

func equalLines(t *testing.T, what string, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s: it says\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func eachDialect(t *testing.T, fn func(t *testing.T, dialectName string)) {
	t.Helper()
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) { fn(t, dialectName) })
	}
}

// write is a transaction of the test's own.
func (w *world) write(t *testing.T, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	if err := w.db.Write(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
