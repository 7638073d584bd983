package proof_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

// What an auditor types: (printf 'codex-commitment/v1\ncsv\n%s\n' "$salt"; cat bill.csv) | sha256sum
func TestACommitmentIsTheSHA256OfThreeLinesAndTheContent(t *testing.T) {
	salt := proof.Salt{0xab, 0xcd}
	hashed := "codex-commitment/v1\ncsv\nabcd" + strings.Repeat("0", 60) + "\nInvoiceNo\r\n"
	want := fmt.Sprintf("%x", sha256.Sum256([]byte(hashed)))
	if got := proof.Commit(proof.CSV, salt, []byte("InvoiceNo\r\n")).String(); got != want {
		t.Errorf("it is %s, not %s", got, want)
	}
}

func TestACommitmentOpensForItsOwnNameSaltAndContentAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string) (proof.Committed, proof.Salt, []byte) {
			name := rapid.SampledFrom(proof.Contents()).Draw(t, "name "+label)
			salt := proof.Salt{rapid.Byte().Draw(t, "salt "+label)}
			return name, salt, rapid.SliceOf(rapid.Byte()).Draw(t, "content "+label)
		}
		name, salt, content := draw("committed to")
		otherName, otherSalt, other := draw("shown")
		same := name == otherName && salt == otherSalt && bytes.Equal(content, other)
		err := proof.CheckOpening(otherName, otherSalt, other, proof.Commit(name, salt, content))
		if (err == nil) != same {
			t.Fatalf("the same: %v; %v", same, err)
		}
	})
}

func TestASaltIsReadFromRandomBytesAndHasOneSpelling(t *testing.T) {
	salt, err := proof.NewSalt(bytes.NewReader(bytes.Repeat([]byte{0x1f}, 33)))
	if err != nil || salt.String() != strings.Repeat("1f", 32) {
		t.Fatalf("it is %s (%v)", salt, err)
	}
	if again, err := proof.ParseSalt(salt.String()); err != nil || again != salt {
		t.Errorf("it came back as %s (%v)", again, err)
	}
	if _, err := proof.NewSalt(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("31 random bytes were enough")
	}
	for _, text := range []string{"", "1f", strings.Repeat("1F", 32), strings.Repeat("1f", 33), strings.Repeat("1g", 32)} {
		if _, err := proof.ParseSalt(text); err == nil {
			t.Errorf("%q was taken for a salt", text)
		}
	}
}

func TestTheLinesOfABillAreWhatTheyHaveAlwaysBeen(t *testing.T) {
	golden(t, "bill.lines", contents(t)[proof.LineItems])
}

func TestEveryLineIsReadBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := rapid.Custom(func(t *rapid.T) proof.LineItem {
			return proof.LineItem{
				LineType:    rapid.String().Draw(t, "type"),
				ItemName:    rapid.String().Draw(t, "name"),
				Description: rapid.Ptr(rapid.String(), true).Draw(t, "description"),
				Quantity:    codex.Quantity(rapid.Int64().Draw(t, "quantity")),
				Rate:        codex.Quantity(rapid.Int64().Draw(t, "rate")),
				Amount:      codex.Cents(rapid.Int64().Draw(t, "amount")),
			}
		})
		items := rapid.SliceOf(item).Draw(t, "items")
		text, err := proof.EncodeLines(items)
		if err != nil {
			t.Fatal(err)
		}
		got, err := proof.DecodeLines(text)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(items) || len(items) > 0 && !reflect.DeepEqual(got, items) {
			t.Fatalf("got %+v\nwant %+v", got, items)
		}
	})
}

func TestLinesHaveOneSpelling(t *testing.T) {
	text := string(contents(t)[proof.LineItems])
	for name, other := range map[string]string{
		"empty":               "",
		"a later version":     strings.Replace(text, "/v1", "/v2", 1),
		"no last line feed":   strings.TrimSuffix(text, "\n"),
		"an empty line":       text + "\n",
		"white space":         strings.Replace(text, ":", ": ", 1),
		"an amount as number": strings.Replace(text, `"125.00"`, `125.00`, 1),
		"a short rate":        strings.Replace(text, `"125.0000"`, `"125.00"`, 1),
		"a field left out":    strings.Replace(text, `"description":null,`, ``, 1),
		"bytes":               strings.Replace(text, "Zoë", "Zo\xeb", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if other == text {
				t.Fatal("nothing was changed")
			}
			if items, err := proof.DecodeLines([]byte(other)); err == nil {
				t.Errorf("they were read: %+v", items)
			} else {
				wantPart(t, err, proof.PartCommitment)
			}
		})
	}
	_, err := proof.EncodeLines([]proof.LineItem{{}, {ItemName: "\xff"}})
	wantField(t, err, "line_items[1].item_name")
}
