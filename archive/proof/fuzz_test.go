package proof_test

import (
	"bytes"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

// What any reader of this package takes, its writer gives back to the last byte.

func FuzzDecodeLeaf(f *testing.F) {
	for _, leaf := range sampleLeaves(f) {
		f.Add(encode(f, leaf))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		leaf, err := proof.DecodeLeaf(text)
		if err != nil {
			wantPart(t, err, proof.PartLeaf)
			return
		}
		if again := encode(t, leaf); !bytes.Equal(again, text) {
			t.Errorf("%q was read as what is written %q", text, again)
		}
	})
}

// The other direction, with the texts that may be anything.
func FuzzEncodeLeaf(f *testing.F) {
	f.Add("4711-202510", "4711", "Müller & Söhne", "Gold", int64(52250), int64(81))
	f.Add("\x00\x1f\"\\", "\u2028", "\xff", "<&>", int64(-1), int64(1<<53))
	f.Fuzz(func(t *testing.T, invoice, account, company, plan string, cents, id int64) {
		bill := sampleBill(t)
		bill.InvoiceNumber, bill.AccountNumber, bill.CompanyName = invoice, codex.AccountNumber(account), company
		bill.BillingPlan, bill.TotalAmount, bill.SnapshotID = &plan, codex.Cents(cents), id
		text, err := proof.EncodeLeaf(bill)
		if err != nil {
			if codex.CodeOf(err) != codex.CodeBadInput {
				t.Error(err)
			}
			return
		}
		leaf, err := proof.DecodeLeaf(text)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		got := leaf.(proof.Bill)
		if got.InvoiceNumber != invoice || string(got.AccountNumber) != account || got.CompanyName != company ||
			*got.BillingPlan != plan || got.TotalAmount != codex.Cents(cents) || got.SnapshotID != id {
			t.Errorf("%s was read as %+v", text, got)
		}
	})
}

func FuzzDecodeLines(f *testing.F) {
	f.Add(contents(f)[proof.LineItems])
	f.Add([]byte("codex-lines/v1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		items, err := proof.DecodeLines(text)
		if err != nil {
			wantPart(t, err, proof.PartCommitment)
			return
		}
		if again, err := proof.EncodeLines(items); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%q was read as what is written %q (%v)", text, again, err)
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	_, signed := sampleCheckpoint(f, 1)
	f.Add(signed)
	_, signed = sampleCheckpoint(f, 2)
	f.Add(signed)
	f.Add([]byte("codex.example.com/archive\n4611686018427387905\n"))
	_, key := logKeys(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		checkpoint, err := proof.OpenCheckpoint(text, key)
		if err == nil && !bytes.HasPrefix(text, []byte(checkpoint.Text()+"\n— ")) {
			t.Errorf("%q was read as %q", text, checkpoint.Text())
		}
	})
}

func FuzzDecodeFile(f *testing.F) {
	f.Add(encodeFile(f, sampleFile(f)))
	_, key := logKeys(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := proof.DecodeFile(text)
		if err != nil {
			return
		}
		if again := encodeFile(t, file); !bytes.Equal(again, text) {
			t.Errorf("%q was read as what is written %q", text, again)
		}
		// Nobody but the log's key can make one that verifies: the fuzzer has it for one tree only.
		if verified, err := proof.VerifyProof(text, key, nil); err == nil && verified.Index != 4 {
			t.Errorf("%q proves %+v", text, verified)
		}
	})
}

func FuzzDecodeConsistency(f *testing.F) {
	signing, _ := logKeys(f)
	var log grown
	log.add(f, "leaf", 9)
	f.Add(log.prove(f, 5, log.sign(f, signing, 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := proof.DecodeConsistency(text)
		if err != nil {
			return
		}
		if again, err := p.Encode(); err != nil || !bytes.Equal(again, text) {
			t.Errorf("%q was read as what is written %q (%v)", text, again, err)
		}
	})
}

func FuzzParseSigningKey(f *testing.F) {
	secret, _ := seededKey(f)
	f.Add(secret.Reveal())
	f.Add(secret.Reveal() + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := proof.ParseSigningKey(codex.Secret(text))
		if err != nil {
			return
		}
		checkpoint := proof.Checkpoint{Origin: key.VerifierKey().Origin(), Epoch: 1, Size: 1}
		signed, err := proof.SignCheckpoint(checkpoint, key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := proof.OpenCheckpoint(signed, key.VerifierKey()); err != nil || got != checkpoint {
			t.Errorf("it signs what it does not open: %+v (%v)", got, err)
		}
	})
}

func FuzzParseVerifierKey(f *testing.F) {
	_, key := seededKey(f)
	f.Add(key.String())
	f.Fuzz(func(t *testing.T, text string) {
		key, err := proof.ParseVerifierKey(text)
		if err == nil && key.String() != text {
			t.Errorf("%q was read as what is written %q", text, key)
		}
	})
}
