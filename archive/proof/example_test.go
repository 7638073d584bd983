package proof_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

// must keeps the example to what it shows.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// A bill is accepted, logged between two others, exported, and verified by somebody who has the
// file, the log's public key and the CSV that came with the invoice.
func Example() {
	ctx := context.Background()
	constant := bytes.NewReader(make([]byte, 1<<10)) // an archive takes crypto/rand.Reader

	// The key of the log, made once. The first half goes into the key file.
	secret, public, err := proof.GenerateKey(constant, "codex.example.com/archive")
	if err != nil {
		panic(err)
	}
	fmt.Println("key file:", secret)
	fmt.Println("published:", public)

	// The archive takes a bill and commits to what is in it.
	contents := map[proof.Committed][]byte{
		proof.BillingData: []byte(`{"receipt_data":{"total":125}}`),
		proof.CSV:         []byte("InvoiceNo,Amount\r\n4711-202510,125.00\r\n"),
		proof.LineItems: must(proof.EncodeLines([]proof.LineItem{
			{LineType: "user", ItemName: "Zoë Müller", Quantity: 1_0000, Rate: 125_0000, Amount: 125_00},
		})),
	}
	fmt.Printf("\n%s", contents[proof.LineItems])
	openings := make(map[proof.Committed]proof.Opening)
	commitments := make(map[proof.Committed]proof.Digest)
	for name, content := range contents {
		salt := must(proof.NewSalt(constant))
		openings[name] = proof.Opening{Salt: salt}
		commitments[name] = proof.Commit(name, salt, content)
	}
	accepted := time.Date(2025, time.November, 1, 2, 0, 3, 250_000_000, time.UTC)
	leaf := must(proof.EncodeLeaf(proof.Bill{
		SnapshotID: 81, InvoiceNumber: "4711-202510", Revision: 1, AccountNumber: "4711", CompanyName: "Müller & Söhne",
		Period:      codex.Period{Year: 2025, Month: time.October},
		InvoiceDate: must(codex.ParseDay("2025-10-31")),
		TotalAmount: 125_00, TotalUserCharges: 125_00, UserCount: 1,
		Origin: proof.OriginPosted, ArchivedAt: accepted, LoggedAt: accepted, AcceptedBy: "service:ledger",
		Runs:        map[codex.Feed]codex.RunID{codex.FeedDatto: "0b0e6e0e-6f5e-4b53-9b7c-0a8a4c1d2e02"},
		Commitments: commitments,
	}))
	fmt.Printf("\n%s", leaf)

	// It appends the leaf and signs the tree.
	var stored proof.Memory
	tree := must(proof.Append(ctx, stored, 0,
		proof.LeafHash([]byte("one")), proof.LeafHash(leaf), proof.LeafHash([]byte("another"))))
	if err := stored.Store(tree.Stored); err != nil {
		panic(err)
	}
	checkpoint := must(proof.SignCheckpoint(proof.Checkpoint{
		Origin: public.Origin(), Epoch: 1, Size: tree.Size, Root: tree.Root,
	}, must(proof.ParseSigningKey(secret))))
	fmt.Printf("\n%s", checkpoint)

	// It exports the proof.
	file := must(proof.File{
		Leaf: leaf, Index: 1, Inclusion: must(proof.ProveInclusion(ctx, stored, tree.Size, 1)),
		Checkpoint: checkpoint, Openings: openings,
	}.Encode())

	// The customer verifies it, offline.
	key := must(proof.ParseVerifierKey(public.String()))
	verified := must(proof.VerifyProof(file, key, map[proof.Committed][]byte{
		proof.CSV: []byte("InvoiceNo,Amount\r\n4711-202510,125.00\r\n"),
	}))
	bill := verified.Leaf.(proof.Bill)
	fmt.Println("\nproven:", bill.InvoiceNumber, bill.TotalAmount, "in leaf", verified.Index, "of", verified.Checkpoint.Size)
	fmt.Println("opened:", verified.Opened, "unseen:", verified.Unseen)

	// Another CSV is not the one that was archived.
	_, err = proof.VerifyProof(file, key, map[proof.Committed][]byte{
		proof.CSV: []byte("InvoiceNo,Amount\r\n4711-202510,99.00\r\n"),
	})
	var failed *proof.Error
	fmt.Println("refused:", errors.As(err, &failed), failed.Part, failed.Committed)

	// Output:
	// key file: ***
	// published: codex.example.com/archive+5582a405+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop
	//
	// codex-lines/v1
	// {"amount":"125.00","description":null,"item_name":"Zoë Müller","line_type":"user","quantity":"1.0000","rate":"125.0000"}
	//
	// codex-bill/v1
	// {"accepted_by":"service:ledger","archived_at":"2025-11-01T02:00:03.250000Z","asset_count":0,"billable_hours":"0.0000","billing_month":10,"billing_plan":null,"billing_year":2025,"commitments":{"billing_data":"23696b8b477631ff1ce50eba09f150f57f2bb6dd4ac06e51432fe62ffdf06188","csv":"a1b335f668247ae8e82a1dbbb9df4a2089f1badf762cc991d499b943a8394a70","line_items":"706658eb301e207fc8c7ab553c65f75563735655264b16bd4ef78d11e8c3730e"},"company_account_number":"4711","company_name":"Müller & Söhne","contract_term":null,"created_by":null,"due_date":null,"invoice_date":"2025-10-31","invoice_number":"4711-202510","logged_at":"2025-11-01T02:00:03.250000Z","marks":[],"origin":"posted","revision":1,"runs":{"datto":"0b0e6e0e-6f5e-4b53-9b7c-0a8a4c1d2e02"},"snapshot_id":81,"support_level":null,"total_amount":"125.00","total_asset_charges":"0.00","total_backup_charges":"0.00","total_line_item_charges":"0.00","total_ticket_charges":"0.00","total_user_charges":"125.00","user_count":1}
	//
	// codex.example.com/archive
	// 3
	// TXjBAzCdum0wJn9Q5/D62NCIumNTe5hx48QTg/G9S7E=
	//
	// — codex.example.com/archive VYKkBUSgjy/4C2CXQXMxKXSVlEO2Dv/WBsZ/qDv30Wug3maiTglIZTovy321Xw0ghwJnjG/qD4VHEy41r+2ZJqWpawI=
	//
	// proven: 4711-202510 125.00 in leaf 1 of 3
	// opened: [csv] unseen: [billing_data line_items]
	// refused: true commitment csv
}
