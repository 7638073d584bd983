package proof_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

var update = flag.Bool("update", false, "write the golden files anew: the reviewer reads the difference")

// logOrigin is the log of these tests.
const logOrigin = "codex.example.com/archive"

// logKeys are the keys of the log of these tests, made from a seed that everybody can read here.
func logKeys(t testing.TB) (*proof.SigningKey, proof.VerifierKey) {
	t.Helper()
	return keysOf(t, logOrigin)
}

func keysOf(t testing.TB, origin string) (*proof.SigningKey, proof.VerifierKey) {
	t.Helper()
	seed := sha256.Sum256([]byte("the tests' log " + origin))
	secret, public, err := proof.GenerateKey(bytes.NewReader(seed[:]), origin)
	if err != nil {
		t.Fatal(err)
	}
	signing, err := proof.ParseSigningKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	return signing, public
}

// saltOf is a salt that stands in the golden files.
func saltOf(name proof.Committed) proof.Salt {
	return proof.Salt(sha256.Sum256([]byte("the tests' salt of " + string(name))))
}

// contents are those of the sample bill.
func contents(t testing.TB) map[proof.Committed][]byte {
	t.Helper()
	lines, err := proof.EncodeLines([]proof.LineItem{
		{LineType: "user", ItemName: "Zoë Müller", Description: new("regular user"), Quantity: 10_000, Rate: 1_250_000, Amount: 12500},
		{LineType: "asset", ItemName: "SRV-01", Quantity: 10_000, Rate: 1_500_000, Amount: 15000},
		{LineType: "ticket", ItemName: "Hours", Description: new("4 \"late\" tickets"), Quantity: 27_500, Rate: 900_000, Amount: 24750},
	})
	if err != nil {
		t.Fatal(err)
	}
	return map[proof.Committed][]byte{
		proof.BillingData: []byte(`{"receipt_data":{"total":522.5}}`),
		proof.Body:        []byte(`{"invoice_number":"4711-202510","total_amount":522.4999999999984}`),
		proof.CSV:         []byte("InvoiceNo,Customer\r\n4711-202510,Müller & Söhne\r\n"),
		proof.LineItems:   lines,
		proof.Notes:       []byte("agreed by telephone"),
	}
}

func commitments(t testing.TB) map[proof.Committed]proof.Digest {
	t.Helper()
	digests := make(map[proof.Committed]proof.Digest)
	for name, content := range contents(t) {
		digests[name] = proof.Commit(name, saltOf(name), content)
	}
	return digests
}

// loggedAt is when all of these tests' leaves were made.
func loggedAt() time.Time { return time.Date(2025, time.November, 1, 2, 0, 3, 250_000_000, time.UTC) }

func day(t testing.TB, text string) codex.Day {
	t.Helper()
	d, err := codex.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// sampleBill has a value in every field.
func sampleBill(t testing.TB) proof.Bill {
	t.Helper()
	return proof.Bill{
		SnapshotID:           81,
		InvoiceNumber:        "4711-202510",
		Revision:             2,
		AccountNumber:        "4711",
		CompanyName:          "Müller & Söhne <GmbH> \"Süd\"\u2028",
		Period:               codex.Period{Year: 2025, Month: time.October},
		InvoiceDate:          day(t, "2025-10-31"),
		DueDate:              new(day(t, "2025-11-30")),
		BillingPlan:          new("Managed\tGold"),
		ContractTerm:         new("1 Year"),
		SupportLevel:         new("Billed Hourly"),
		TotalAmount:          52250,
		TotalUserCharges:     12500,
		TotalAssetCharges:    15000,
		TotalBackupCharges:   1,
		TotalTicketCharges:   24750,
		TotalLineItemCharges: -1,
		UserCount:            1,
		AssetCount:           2,
		BillableHours:        27_500,
		Origin:               proof.OriginPosted,
		ArchivedAt:           loggedAt(),
		LoggedAt:             loggedAt(),
		AcceptedBy:           "service:ledger",
		CreatedBy:            new("anna@msp.example"),
		Runs: map[codex.Feed]codex.RunID{
			codex.FeedFreshservice: "0b0e6e0e-6f5e-4b53-9b7c-0a8a4c1d2e01",
			codex.FeedDatto:        "0b0e6e0e-6f5e-4b53-9b7c-0a8a4c1d2e02",
			codex.FeedTickets:      "0b0e6e0e-6f5e-4b53-9b7c-0a8a4c1d2e03",
		},
		Marks:       []string{"totals_differ", "unknown_account"},
		Commitments: commitments(t),
	}
}

// bareBill has nothing that a bill may lack.
func bareBill(t testing.TB) proof.Bill {
	t.Helper()
	bill := proof.Bill{
		SnapshotID:    1,
		InvoiceNumber: "1-202312",
		Revision:      1,
		Period:        codex.Period{Year: 2023, Month: time.December},
		InvoiceDate:   day(t, "2023-12-31"),
		Origin:        proof.OriginImported,
		ArchivedAt:    time.Date(2024, time.January, 1, 2, 0, 0, 0, time.UTC),
		LoggedAt:      loggedAt(),
		AcceptedBy:    "bert@msp.example",
		Commitments:   commitments(t),
	}
	delete(bill.Commitments, proof.Body)
	delete(bill.Commitments, proof.Notes)
	return bill
}

// sampleLeaves are one of each kind, by the name of its golden file.
func sampleLeaves(t testing.TB) map[string]proof.Leaf {
	t.Helper()
	signing, _ := logKeys(t)
	lost, err := proof.SignCheckpoint(proof.Checkpoint{
		Origin: logOrigin, Epoch: 1, Size: 9, Root: proof.LeafHash([]byte("nine leaves")),
	}, signing)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]proof.Leaf{
		"bill":      sampleBill(t),
		"bill-bare": bareBill(t),
		"reopen": proof.Reopening{
			InvoiceNumber: "4711-202510", Revision: 1, Reason: "a test bill\nsent by mistake",
			By: "anna@msp.example", LoggedAt: loggedAt(),
		},
		"close": proof.Closing{
			InvoiceNumber: "4711-202510", Revision: 1, By: "anna@msp.example", LoggedAt: loggedAt(),
		},
		"redaction": proof.Redaction{
			LeafIndex: 3, InvoiceNumber: "4711-202510", Revision: 2,
			Redacted: []proof.Committed{proof.BillingData, proof.Body, proof.Notes},
			Reason:   "erasure asked for by a former employee", By: "anna@msp.example", LoggedAt: loggedAt(),
		},
		"epoch": proof.NewEpoch{
			Epoch: 2, LostCheckpoint: string(lost), Reason: "restored from the backup of 30 October",
			By: "anna@msp.example", LoggedAt: loggedAt(),
		},
	}
}

func encode(t testing.TB, leaf proof.Leaf) []byte {
	t.Helper()
	text, err := proof.EncodeLeaf(leaf)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// sampleLog is a log with the given leaf at index, among others, and its signed checkpoint.
func sampleLog(t testing.TB, leaf []byte, index, size int64, signing *proof.SigningKey, epoch int) (proof.Memory, proof.Checkpoint, []byte) {
	t.Helper()
	leaves := make([]proof.Hash, size)
	for i := range leaves {
		leaves[i] = proof.LeafHash(fmt.Appendf(nil, "leaf %d", i))
	}
	leaves[index] = proof.LeafHash(leaf)
	var stored proof.Memory
	added, err := proof.Append(t.Context(), stored, 0, leaves...)
	if err != nil {
		t.Fatal(err)
	}
	if err := stored.Store(added.Stored); err != nil {
		t.Fatal(err)
	}
	checkpoint := proof.Checkpoint{
		Origin: signing.VerifierKey().Origin(), Epoch: epoch, Size: added.Size, Root: added.Root,
	}
	signed, err := proof.SignCheckpoint(checkpoint, signing)
	if err != nil {
		t.Fatal(err)
	}
	return stored, checkpoint, signed
}

// sampleFile is the exported proof of the sample bill, its CSV enclosed and the salts of the rest
// but for the request's body.
func sampleFile(t testing.TB) proof.File {
	t.Helper()
	signing, _ := logKeys(t)
	leaf := encode(t, sampleBill(t))
	stored, _, signed := sampleLog(t, leaf, 4, 11, signing, 1)
	inclusion, err := proof.ProveInclusion(t.Context(), stored, 11, 4)
	if err != nil {
		t.Fatal(err)
	}
	return proof.File{
		Leaf: leaf, Index: 4, Inclusion: inclusion, Checkpoint: signed,
		Openings: map[proof.Committed]proof.Opening{
			proof.BillingData: {Salt: saltOf(proof.BillingData)},
			proof.CSV:         {Salt: saltOf(proof.CSV), Content: contents(t)[proof.CSV]},
			proof.LineItems:   {Salt: saltOf(proof.LineItems)},
			proof.Notes:       {Salt: saltOf(proof.Notes)},
		},
	}
}

func encodeFile(t testing.TB, file proof.File) []byte {
	t.Helper()
	text, err := file.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// golden compares got with a file of testdata, whole.
func golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\ngot\n%s\nwant\n%s", name, got, want)
	}
}

// wantPart fails unless err says that this part of a proof is wrong.
func wantPart(t testing.TB, err error, part proof.Part) {
	t.Helper()
	var failed *proof.Error
	if !errors.As(err, &failed) || failed.Part != part {
		t.Errorf("the error is %v, not one of %s", err, part)
	}
}

// wantField fails unless err is that of a caller who gave that field a value it cannot have.
func wantField(t testing.TB, err error, field string) {
	t.Helper()
	var coded *codex.Error
	if !errors.As(err, &coded) || coded.Code != codex.CodeBadInput || coded.Field != field {
		t.Errorf("the error is %v, not one of %s", err, field)
	}
}
