package proof_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

// seededKey is the key of a log called log.example, from a seed of zeroes.
func seededKey(t testing.TB) (codex.Secret, proof.VerifierKey) {
	t.Helper()
	secret, public, err := proof.GenerateKey(bytes.NewReader(make([]byte, 32)), "log.example")
	if err != nil {
		t.Fatal(err)
	}
	return secret, public
}

func TestTheKeyFileIsThatOfSignedNotes(t *testing.T) {
	secret, public := seededKey(t)
	signer, err := note.NewSigner(secret.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public.String())
	if err != nil {
		t.Fatal(err)
	}
	if signer.Name() != "log.example" || verifier.Name() != signer.Name() || verifier.KeyHash() != signer.KeyHash() {
		t.Errorf("%s+%08x signs for %s+%08x", signer.Name(), signer.KeyHash(), verifier.Name(), verifier.KeyHash())
	}
	for _, file := range []codex.Secret{secret, secret + "\n"} {
		key, err := proof.ParseSigningKey(file)
		if err != nil {
			t.Fatal(err)
		}
		if key.VerifierKey() != public {
			t.Errorf("it signs for %s, not for %s", key.VerifierKey(), public)
		}
	}
	again, err := proof.ParseVerifierKey(public.String())
	if err != nil || again != public {
		t.Errorf("%s came back as %s (%v)", public, again, err)
	}
}

func TestASigningKeyIsNeverPrinted(t *testing.T) {
	secret, _ := seededKey(t)
	key, err := proof.ParseSigningKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(map[string]any{"pointer": key, "value": *key})
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("key", slog.Any("pointer", key), slog.Any("value", *key))
	private := secret.Reveal()[strings.LastIndex(secret.Reveal(), "+")+1:]
	seed := fmt.Sprint(make([]byte, 32)) // a seed of zeroes as %v would print it
	texts := map[string]string{"json": string(encoded), "slog": logged.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		texts[verb+" of the pointer"] = fmt.Sprintf(verb, key)
		texts[verb+" of the value"] = fmt.Sprintf(verb, *key)
	}
	for name, text := range texts {
		if strings.Contains(text, private) || strings.Contains(text, strings.Trim(seed, "[]")) {
			t.Errorf("%s prints the private key: %s", name, text)
		}
	}
}

func TestAKeyThatIsNoneIsRefusedAndNotToldOf(t *testing.T) {
	secret, _ := seededKey(t)
	text := secret.Reveal()
	at := strings.LastIndex(text, "+") + 1
	for name, other := range map[string]string{
		"empty":            "",
		"two lines":        text + "\n\n",
		"cut short":        text[:len(text)-4],
		"another log":      strings.Replace(text, "log.example", "another.example", 1),
		"another hash":     text[:at-2] + "x" + text[at-1:],
		"hash in capitals": text[:at-9] + strings.ToUpper(text[at-9:at-1]) + text[at-1:],
		"no algorithm":     text[:at] + "Ag" + text[at+2:],
		"a public key":     strings.TrimPrefix(text, "PRIVATE+KEY+"),
	} {
		t.Run(name, func(t *testing.T) {
			key, err := proof.ParseSigningKey(codex.Secret(other))
			if key != nil {
				t.Error("it was taken for a key")
			}
			var coded *codex.Error
			if !errors.As(err, &coded) || coded.Field != "key_file" {
				t.Errorf("the error is %v", err)
			}
			if private := text[at : len(text)-8]; strings.Contains(fmt.Sprintf("%+v", err), private) {
				t.Errorf("the error tells the key: %v", err)
			}
		})
	}
}

func TestAVerifierKeyHasOneSpelling(t *testing.T) {
	_, public := seededKey(t)
	text := public.String()
	for name, other := range map[string]string{
		"empty":            "",
		"a line":           text + "\n",
		"another log":      strings.Replace(text, "log.example", "another.example", 1),
		"hash in capitals": strings.Replace(text, text[12:20], strings.ToUpper(text[12:20]), 1),
		"cut short":        text[:len(text)-4],
		"an epoch's":       public.ForEpoch(2),
	} {
		t.Run(name, func(t *testing.T) {
			if other == text {
				t.Fatal("nothing was changed")
			}
			if key, err := proof.ParseVerifierKey(other); err == nil {
				t.Errorf("it was taken for %s", key)
			}
		})
	}
	if got := (proof.VerifierKey{}).String(); got != "" {
		t.Errorf("no key is written %q", got)
	}
}

func TestALogHasANameThatNotesCanBear(t *testing.T) {
	for _, origin := range []string{"codex.example.com/archive", "log", "mücke.example", "a/epoch-x", "a/epoch"} {
		if err := proof.CheckOrigin(origin); err != nil {
			t.Errorf("%q: %v", origin, err)
		}
	}
	for _, origin := range []string{
		"", "a b", "a\nb", "a\tb", "a+b", "a\u00a0b", "a\x00b", "a\x7fb", "\xff", "a/epoch-2", "a/epoch-", "a/epoch-01",
	} {
		wantField(t, proof.CheckOrigin(origin), "log_origin")
		if _, _, err := proof.GenerateKey(bytes.NewReader(make([]byte, 32)), origin); err == nil {
			t.Errorf("%q got a key", origin)
		}
	}
	if _, _, err := proof.GenerateKey(bytes.NewReader(nil), "log.example"); err == nil {
		t.Error("a key was made of nothing")
	}
}
