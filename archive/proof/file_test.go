package proof_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

func TestAnExportedProofIsWhatItHasAlwaysBeen(t *testing.T) {
	_, key := logKeys(t)
	golden(t, "bill.tlog-proof", encodeFile(t, sampleFile(t)))
	golden(t, "log.vkey", []byte(key.String()+"\n"))
}

// The file and the key in testdata were written once. They must verify with every later version of
// this package, which is why this test makes nothing itself; -update is no way to mend it.
func TestAProofThatWasExportedOnceVerifiesForEver(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("testdata", "bill.tlog-proof"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "log.vkey"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := proof.ParseVerifierKey(strings.TrimSuffix(string(text), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(filepath.Join("testdata", "bill.lines"))
	if err != nil {
		t.Fatal(err)
	}
	verified, err := proof.VerifyProof(file, key, map[proof.Committed][]byte{proof.LineItems: lines})
	if err != nil {
		t.Fatal(err)
	}
	bill := verified.Leaf.(proof.Bill)
	if bill.InvoiceNumber != "4711-202510" || bill.TotalAmount.String() != "522.50" {
		t.Errorf("it is about %s, %s", bill.InvoiceNumber, bill.TotalAmount)
	}
	if want := []proof.Committed{proof.CSV, proof.LineItems}; !slices.Equal(verified.Opened, want) {
		t.Errorf("opened are %v, not %v", verified.Opened, want)
	}
	if want := []proof.Committed{proof.BillingData, proof.Body, proof.Notes}; !slices.Equal(verified.Unseen, want) {
		t.Errorf("unseen are %v, not %v", verified.Unseen, want)
	}
	if verified.Index != 4 || verified.Checkpoint.Size != 11 || verified.Checkpoint.Origin != logOrigin {
		t.Errorf("it is leaf %d of %+v", verified.Index, verified.Checkpoint)
	}
}

// The same again with nothing of this package and nothing of tlog: what doc.go tells an auditor to do.
func TestAnAuditorVerifiesAProofFromItsDescriptionAlone(t *testing.T) {
	_, key := logKeys(t)
	head, checkpoint, _ := strings.Cut(string(encodeFile(t, sampleFile(t))), "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		t.Fatalf("the file begins with %s", lines[0])
	}
	extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		t.Fatal(err)
	}
	kind, object, _ := strings.Cut(string(extra), "\n")
	var fields struct {
		Leaf     string
		Openings map[string]struct {
			Content []byte
			Salt    string
		}
	}
	if err := json.Unmarshal([]byte(object), &fields); err != nil || kind != "codex-proof/v1" {
		t.Fatalf("the extra data are %s (%v)", kind, err)
	}

	// The tree: RFC 9162, section 2.1.3.2, which is RFC 6962's proof, read upwards.
	index, err := strconv.ParseUint(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	note3 := strings.Split(checkpoint, "\n")
	size, err := strconv.ParseUint(note3[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("\x00" + fields.Leaf))
	at, last := index, size-1
	for _, line := range lines[3:] {
		sibling, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			t.Fatal(err)
		}
		if at%2 == 1 || at == last {
			hash = sha256.Sum256(slices.Concat([]byte{1}, sibling, hash[:]))
			for at%2 == 0 && at > 0 {
				at, last = at/2, last/2
			}
		} else {
			hash = sha256.Sum256(slices.Concat([]byte{1}, hash[:], sibling))
		}
		at, last = at/2, last/2
	}
	if root := base64.StdEncoding.EncodeToString(hash[:]); last != 0 || root != note3[2] {
		t.Errorf("the hashes lead to %s, the checkpoint says %s", root, note3[2])
	}

	// The signature.
	verifier, err := note.NewVerifier(key.String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open([]byte(checkpoint), note.VerifierList(verifier)); err != nil {
		t.Error(err)
	}

	// The CSV.
	_, object, _ = strings.Cut(fields.Leaf, "\n")
	var bill struct{ Commitments map[string]string }
	if err := json.Unmarshal([]byte(object), &bill); err != nil {
		t.Fatal(err)
	}
	opening := fields.Openings["csv"]
	sum := sha256.Sum256([]byte("codex-commitment/v1\ncsv\n" + opening.Salt + "\n" + string(opening.Content)))
	if got := proof.Digest(sum).String(); got != bill.Commitments["csv"] {
		t.Errorf("the CSV's commitment is %s, the leaf says %s", got, bill.Commitments["csv"])
	}
}

func TestAnExportedProofIsReadBackAsItWasWritten(t *testing.T) {
	file := sampleFile(t)
	file.Openings[proof.Notes] = proof.Opening{Salt: saltOf(proof.Notes), Content: []byte{}}
	got, err := proof.DecodeFile(encodeFile(t, file))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, file) {
		t.Errorf("got %+v\nwant %+v", got, file)
	}
}

func TestAProofOfEachKindOfLeafVerifies(t *testing.T) {
	signing, key := logKeys(t)
	for name, leaf := range sampleLeaves(t) {
		t.Run(name, func(t *testing.T) {
			text := encode(t, leaf)
			stored, checkpoint, signed := sampleLog(t, text, 2, 5, signing, 3)
			inclusion, err := proof.ProveInclusion(t.Context(), stored, 5, 2)
			if err != nil {
				t.Fatal(err)
			}
			file := encodeFile(t, proof.File{Leaf: text, Index: 2, Inclusion: inclusion, Checkpoint: signed})
			verified, err := proof.VerifyProof(file, key, nil)
			if err != nil {
				t.Fatal(err)
			}
			want, err := proof.DecodeLeaf(text)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(verified.Leaf, want) || verified.Checkpoint != checkpoint || len(verified.Opened) != 0 {
				t.Errorf("it proves %+v", verified)
			}
		})
	}
}

func TestAProofThatFailsNamesThePartThatDoes(t *testing.T) {
	signing, key := logKeys(t)
	another, anotherKey := keysOf(t, "another.example")
	good := sampleFile(t)
	edited := func(change func(*proof.File)) []byte {
		file := good
		file.Openings = maps.Clone(good.Openings)
		file.Inclusion = slices.Clone(good.Inclusion)
		change(&file)
		return encodeFile(t, file)
	}
	leaf := func(change func(*proof.Bill)) []byte {
		bill := sampleBill(t)
		change(&bill)
		return encode(t, bill)
	}
	cheaper := leaf(func(b *proof.Bill) { b.TotalAmount-- })
	_, _, elsewhere := sampleLog(t, cheaper, 4, 11, another, 1)
	_, _, forged := sampleLog(t, cheaper, 4, 11, signing, 1)
	forged = bytes.Replace(forged, forged[bytes.Index(forged, []byte("\n\n")):],
		good.Checkpoint[bytes.Index(good.Checkpoint, []byte("\n\n")):], 1)
	text := string(encodeFile(t, good))
	reextra := func(old, replacement string) []byte {
		lines := strings.Split(text, "\n")
		extra, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
		if err != nil || !bytes.Contains(extra, []byte(old)) {
			t.Fatalf("%q is not in the extra data (%v)", old, err)
		}
		lines[1] = "extra " + base64.StdEncoding.EncodeToString(bytes.Replace(extra, []byte(old), []byte(replacement), 1))
		return []byte(strings.Join(lines, "\n"))
	}

	for name, row := range map[string]struct {
		file      []byte
		key       proof.VerifierKey
		shown     map[proof.Committed][]byte
		part      proof.Part
		committed proof.Committed
	}{
		"no proof at all":              {file: []byte("InvoiceNo\r\n"), part: proof.PartFile},
		"a proof of something else":    {file: []byte(strings.Replace(text, text[strings.Index(text, "extra"):strings.Index(text, "index")], "", 1)), part: proof.PartFile},
		"an index with a zero":         {file: []byte(strings.Replace(text, "index 4", "index 04", 1)), part: proof.PartFile},
		"an index out of the tree":     {file: []byte(strings.Replace(text, "index 4", "index 11", 1)), part: proof.PartFile},
		"a salt in capitals":           {file: reextra(saltOf(proof.CSV).String(), strings.ToUpper(saltOf(proof.CSV).String())), part: proof.PartCommitment, committed: proof.CSV},
		"an altered leaf":              {file: reextra("522.50", "522.49"), part: proof.PartLeaf},
		"a leaf of two spellings":      {file: reextra(`\"user_count\":1`, `\"user_count\": 1`), part: proof.PartLeaf},
		"another bill":                 {file: edited(func(f *proof.File) { f.Leaf = cheaper }), part: proof.PartInclusion},
		"another place":                {file: edited(func(f *proof.File) { f.Index = 5 }), part: proof.PartInclusion},
		"a hash less":                  {file: edited(func(f *proof.File) { f.Inclusion = f.Inclusion[1:] }), part: proof.PartInclusion},
		"a hash more":                  {file: edited(func(f *proof.File) { f.Inclusion = append(f.Inclusion, proof.Hash{}) }), part: proof.PartInclusion},
		"an altered hash":              {file: edited(func(f *proof.File) { f.Inclusion[0][0] ^= 1 }), part: proof.PartInclusion},
		"another tree, signed as ours": {file: edited(func(f *proof.File) { f.Leaf, f.Checkpoint = cheaper, forged }), part: proof.PartSignature},
		"another log":                  {file: edited(func(f *proof.File) { f.Leaf, f.Checkpoint = cheaper, elsewhere }), part: proof.PartOrigin},
		"another log's key":            {file: []byte(text), key: anotherKey, part: proof.PartOrigin},
		"an unsigned checkpoint":       {file: []byte(text[:strings.LastIndex(text, "— ")]), part: proof.PartCheckpoint},
		"another salt":                 {file: edited(func(f *proof.File) { f.Openings[proof.CSV] = proof.Opening{Content: f.Openings[proof.CSV].Content} }), part: proof.PartCommitment, committed: proof.CSV},
		"another content": {file: edited(func(f *proof.File) {
			f.Openings[proof.CSV] = proof.Opening{Salt: f.Openings[proof.CSV].Salt, Content: []byte{}}
		}), part: proof.PartCommitment, committed: proof.CSV},
		"another content beside it":      {file: []byte(text), shown: map[proof.Committed][]byte{proof.Notes: []byte("nothing was agreed")}, part: proof.PartCommitment, committed: proof.Notes},
		"one right, one wrong":           {file: []byte(text), shown: map[proof.Committed][]byte{proof.CSV: []byte("InvoiceNo")}, part: proof.PartCommitment, committed: proof.CSV},
		"a content without its salt":     {file: []byte(text), shown: map[proof.Committed][]byte{proof.Body: contents(t)[proof.Body]}, part: proof.PartCommitment, committed: proof.Body},
		"a content that is none":         {file: []byte(text), shown: map[proof.Committed][]byte{"receipt": nil}, part: proof.PartCommitment, committed: "receipt"},
		"one content in another's place": {file: edited(func(f *proof.File) { f.Openings[proof.Body] = f.Openings[proof.CSV] }), part: proof.PartCommitment, committed: proof.Body},
	} {
		t.Run(name, func(t *testing.T) {
			if row.key == (proof.VerifierKey{}) {
				row.key = key
			}
			verified, err := proof.VerifyProof(row.file, row.key, row.shown)
			if verified != nil {
				t.Errorf("it proves %+v", verified)
			}
			wantPart(t, err, row.part)
			var failed *proof.Error
			if errors.As(err, &failed) && failed.Committed != row.committed {
				t.Errorf("it is about %q, not %q: %v", failed.Committed, row.committed, err)
			}
		})
	}
}

func TestACommitmentThatTheLeafDoesNotHaveCannotBeOpened(t *testing.T) {
	signing, key := logKeys(t)
	leaf := encode(t, bareBill(t))
	stored, _, signed := sampleLog(t, leaf, 0, 1, signing, 1)
	inclusion, err := proof.ProveInclusion(t.Context(), stored, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := encodeFile(t, proof.File{
		Leaf: leaf, Inclusion: inclusion, Checkpoint: signed,
		Openings: map[proof.Committed]proof.Opening{proof.Notes: {Salt: saltOf(proof.Notes)}},
	})
	_, err = proof.VerifyProof(file, key, nil)
	wantPart(t, err, proof.PartCommitment)
}

// Every content is shown here. Of one that is not, the salt is a byte string like any other, and
// nothing is proven.
func TestNoByteOfAnExportedProofCanBeChanged(t *testing.T) {
	_, key := logKeys(t)
	file, shown := sampleFile(t), contents(t)
	file.Openings[proof.Body] = proof.Opening{Salt: saltOf(proof.Body)}
	text := encodeFile(t, file)
	if verified, err := proof.VerifyProof(text, key, shown); err != nil || len(verified.Unseen) > 0 {
		t.Fatalf("%+v (%v)", verified, err)
	}
	for i := range text {
		for _, flip := range []byte{0x01, 0x20, 0x80} {
			changed := bytes.Clone(text)
			changed[i] ^= flip
			if _, err := proof.VerifyProof(changed, key, shown); err == nil {
				t.Fatalf("byte %d may be %q instead of %q", i, changed[i], text[i])
			}
		}
		if _, err := proof.VerifyProof(slices.Delete(bytes.Clone(text), i, i+1), key, shown); err == nil {
			t.Fatalf("byte %d may be left out", i)
		}
	}
}

func TestNoFileIsWrittenThatWouldNotBeRead(t *testing.T) {
	for name, change := range map[string]func(*proof.File){
		"no leaf":              func(f *proof.File) { f.Leaf = []byte("a bill") },
		"no checkpoint":        func(f *proof.File) { f.Checkpoint = nil },
		"an index below 0":     func(f *proof.File) { f.Index = -1 },
		"an index behind all":  func(f *proof.File) { f.Index = 11 },
		"too many hashes":      func(f *proof.File) { f.Inclusion = make([]proof.Hash, 64) },
		"a content unheard of": func(f *proof.File) { f.Openings = map[proof.Committed]proof.Opening{"receipt": {}} },
		"contents beyond count": func(f *proof.File) {
			f.Openings = map[proof.Committed]proof.Opening{proof.CSV: {Content: make([]byte, proof.MaxFileBytes*9/16+1)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := sampleFile(t)
			change(&file)
			text, err := file.Encode()
			if text != nil || codex.CodeOf(err) != codex.CodeBadInput {
				t.Errorf("%d bytes were written (%v)", len(text), err)
			}
		})
	}
	_, err := proof.DecodeFile(make([]byte, proof.MaxFileBytes+1))
	wantPart(t, err, proof.PartFile)
}
