package proof_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/hivematrix/codex/archive/proof"
)

func sampleCheckpoint(t testing.TB, epoch int) (proof.Checkpoint, []byte) {
	t.Helper()
	signing, _ := logKeys(t)
	checkpoint := proof.Checkpoint{Origin: logOrigin, Epoch: epoch, Size: 11, Root: proof.LeafHash([]byte("eleven"))}
	signed, err := proof.SignCheckpoint(checkpoint, signing)
	if err != nil {
		t.Fatal(err)
	}
	return checkpoint, signed
}

func TestACheckpointIsWhatItHasAlwaysBeen(t *testing.T) {
	for epoch, name := range map[int]string{1: "epoch1.checkpoint", 2: "epoch2.checkpoint"} {
		_, signed := sampleCheckpoint(t, epoch)
		golden(t, name, signed)
	}
}

func TestOthersToolsOpenOurCheckpoints(t *testing.T) {
	_, key := logKeys(t)
	for epoch, name := range map[int]string{1: logOrigin, 2: logOrigin + "/epoch-2"} {
		checkpoint, signed := sampleCheckpoint(t, epoch)
		verifier, err := note.NewVerifier(key.ForEpoch(epoch))
		if err != nil {
			t.Fatal(err)
		}
		opened, err := note.Open(signed, note.VerifierList(verifier))
		if err != nil {
			t.Fatal(err)
		}
		want := name + "\n11\n" + tlog.Hash(checkpoint.Root).String() + "\n"
		if opened.Text != want || opened.Sigs[0].Name != name {
			t.Errorf("epoch %d: signed by %s:\n%s\nwant\n%s", epoch, opened.Sigs[0].Name, opened.Text, want)
		}
	}
}

func TestEveryCheckpointIsOpenedAsItWasSigned(t *testing.T) {
	signing, key := logKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		checkpoint := proof.Checkpoint{
			Origin: logOrigin,
			Epoch:  rapid.IntRange(1, 1<<40).Draw(t, "epoch"),
			Size:   rapid.Int64Range(1, proof.MaxSize).Draw(t, "size"),
			Root:   proof.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "root")),
		}
		signed, err := proof.SignCheckpoint(checkpoint, signing)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := proof.OpenCheckpoint(signed, key); err != nil || got != checkpoint {
			t.Fatalf("%+v came back as %+v (%v)", checkpoint, got, err)
		}
	})
}

func TestSignaturesOfOthersAreIgnored(t *testing.T) {
	checkpoint, signed := sampleCheckpoint(t, 1)
	_, key := logKeys(t)
	var opened *note.UnverifiedNoteError
	if _, err := note.Open(signed, nil); !errors.As(err, &opened) {
		t.Fatal(err)
	}
	secret, _, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{7}, 32)), "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	witness, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(opened.Note, witness)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := proof.OpenCheckpoint(cosigned, key); err != nil || got != checkpoint {
		t.Errorf("it is %+v (%v) in\n%s", got, err, cosigned)
	}
}

func TestACheckpointThatIsNoneIsRefused(t *testing.T) {
	_, key := logKeys(t)
	another, anotherKey := keysOf(t, "another.example")
	checkpoint, signed := sampleCheckpoint(t, 1)
	text, signature, _ := strings.Cut(string(signed), "\n\n")
	lines := strings.Split(text, "\n")
	with := func(line int, other string) string {
		changed := append([]string(nil), lines...)
		changed[line] = other
		return strings.Join(changed, "\n") + "\n\n" + signature
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(signature[strings.LastIndex(signature, " "):]))
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	resigned := signature[:strings.LastIndex(signature, " ")+1] + base64.StdEncoding.EncodeToString(raw) + "\n"
	checkpoint.Origin = "another.example"
	others, err := proof.SignCheckpoint(checkpoint, another)
	if err != nil {
		t.Fatal(err)
	}
	empty := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, row := range map[string]struct {
		text string
		part proof.Part
	}{
		"empty":                  {"", proof.PartCheckpoint},
		"unsigned":               {text + "\n", proof.PartCheckpoint},
		"signed by nobody":       {text + "\n\n", proof.PartCheckpoint},
		"an extension line":      {with(2, lines[2]+"\nmore"), proof.PartCheckpoint},
		"a line less":            {lines[0] + "\n" + lines[1] + "\n\n" + signature, proof.PartCheckpoint},
		"no origin":              {with(0, ""), proof.PartCheckpoint},
		"an origin of two words": {with(0, "a b"), proof.PartCheckpoint},
		"the first epoch named":  {with(0, logOrigin+"/epoch-1"), proof.PartCheckpoint},
		"an epoch with a zero":   {with(0, logOrigin+"/epoch-02"), proof.PartCheckpoint},
		"an epoch of an epoch":   {with(0, logOrigin+"/epoch-2/epoch-2"), proof.PartCheckpoint},
		"an epoch beyond count":  {with(0, logOrigin+"/epoch-99999999999999999999"), proof.PartCheckpoint},
		"a size with a zero":     {with(1, "011"), proof.PartCheckpoint},
		"a size with a plus":     {with(1, "+11"), proof.PartCheckpoint},
		"a size below zero":      {with(1, "-1"), proof.PartCheckpoint},
		"a size beyond bounds":   {with(1, "4611686018427387905"), proof.PartCheckpoint},
		"nothing, with a root":   {with(1, "0"), proof.PartCheckpoint},
		"a short root":           {with(2, "AAAA"), proof.PartCheckpoint},
		"a root in other bits":   {with(2, lines[2][:42]+"F="), proof.PartCheckpoint},
		"two blocks":             {text + "\n\n" + signature + "\n" + signature, proof.PartCheckpoint},
		"a signature twice":      {text + "\n\n" + signature + signature, proof.PartCheckpoint},
		"CRLF":                   {strings.ReplaceAll(string(signed), "\n", "\r\n"), proof.PartCheckpoint},
		"another log":            {string(others), proof.PartOrigin},
		"another size":           {with(1, "12"), proof.PartSignature},
		"another root":           {with(2, empty), proof.PartSignature},
		"another epoch":          {with(0, logOrigin+"/epoch-2"), proof.PartSignature},
		"another signature":      {text + "\n\n" + resigned, proof.PartSignature},
		"signed by another":      {text + "\n\n" + string(others[bytes.Index(others, []byte("\n\n"))+2:]), proof.PartSignature},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := proof.OpenCheckpoint([]byte(row.text), key)
			if got != (proof.Checkpoint{}) {
				t.Errorf("it was opened: %+v", got)
			}
			wantPart(t, err, row.part)
		})
	}
	_, err = proof.OpenCheckpoint(signed, anotherKey)
	wantPart(t, err, proof.PartOrigin)
	_, err = proof.OpenCheckpoint(signed, proof.VerifierKey{})
	wantPart(t, err, proof.PartOrigin)
}

func TestAKeySignsForItsOwnLogAndWhatItWouldOpenAlone(t *testing.T) {
	signing, _ := logKeys(t)
	good, _ := sampleCheckpoint(t, 1)
	for name, change := range map[string]func(*proof.Checkpoint){
		"another log":      func(c *proof.Checkpoint) { c.Origin = "another.example" },
		"no epoch":         func(c *proof.Checkpoint) { c.Epoch = 0 },
		"an epoch below 0": func(c *proof.Checkpoint) { c.Epoch = -1 },
		"less than empty":  func(c *proof.Checkpoint) { c.Size = -1 },
		"beyond bounds":    func(c *proof.Checkpoint) { c.Size = proof.MaxSize + 1 },
		"empty, with root": func(c *proof.Checkpoint) { c.Size = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			checkpoint := good
			change(&checkpoint)
			if signed, err := proof.SignCheckpoint(checkpoint, signing); err == nil {
				t.Errorf("it was signed:\n%s", signed)
			}
		})
	}
}
