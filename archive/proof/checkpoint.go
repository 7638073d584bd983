package proof

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/hivematrix/codex"
)

// Checkpoint is a log checkpoint: the log's tree as it was at some size. Signed, it is a C2SP
// tlog-checkpoint without extension lines, which others' tools could not audit: the epoch is in the
// origin line instead, so that each epoch is a log of its own to them, and no log ever takes back
// what it signed.
type Checkpoint struct {
	Origin string // the log's, without an epoch
	Epoch  int    // 1, and one more each time that an older backup was continued
	Size   int64  // leaves
	Root   Hash
}

const epochMark = "/epoch-"

// originLine is the first line of an epoch's checkpoints, and the name under which they are signed.
func originLine(origin string, epoch int) string {
	if epoch == 1 {
		return origin
	}
	return origin + epochMark + strconv.Itoa(epoch)
}

func endsInEpoch(origin string) bool {
	at := strings.LastIndex(origin, epochMark)
	return at >= 0 && strings.Trim(origin[at+len(epochMark):], "0123456789") == ""
}

// parseOriginLine is the inverse of originLine.
func parseOriginLine(line string) (origin string, epoch int, err error) {
	origin, epoch = line, 1
	if at := strings.LastIndex(line, epochMark); at >= 0 && endsInEpoch(line) {
		origin = line[:at]
		epoch, err = strconv.Atoi(line[at+len(epochMark):])
	}
	if err == nil {
		err = CheckOrigin(origin)
	}
	if err == nil && (epoch < 1 || originLine(origin, epoch) != line) {
		err = errors.New("no epoch is spelled like that")
	}
	return origin, epoch, err
}

// Text is what is signed: three lines, the origin (with /epoch-N behind it from the second epoch
// on), the number of leaves, and the root in standard base64.
func (c Checkpoint) Text() string {
	return originLine(c.Origin, c.Epoch) + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n"
}

// parseText is the inverse of Text; its error is an *Error of PartCheckpoint.
func parseText(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, fail(PartCheckpoint, "it has three lines: origin, size, root")
	}
	origin, epoch, err := parseOriginLine(lines[0])
	if err != nil {
		return Checkpoint{}, &Error{Part: PartCheckpoint, Message: "its first line is no origin", Err: err}
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || size > MaxSize {
		return Checkpoint{}, fail(PartCheckpoint, "its second line is no size of a tree")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return Checkpoint{}, &Error{Part: PartCheckpoint, Message: "its third line is no root", Err: err}
	}
	checkpoint := Checkpoint{Origin: origin, Epoch: epoch, Size: size, Root: root}
	if checkpoint.Text() != text {
		return Checkpoint{}, fail(PartCheckpoint, "it is not in canonical form")
	}
	if empty, _ := tlog.TreeHash(0, nil); size == 0 && root != empty {
		return Checkpoint{}, fail(PartCheckpoint, "an empty tree has another root")
	}
	return checkpoint, nil
}

// SignCheckpoint gives the signed note. It never signs for another log than the key's: the error is
// a *codex.Error then.
func SignCheckpoint(checkpoint Checkpoint, key *SigningKey) ([]byte, error) {
	if checkpoint.Origin != key.verifier.origin {
		return nil, codex.BadInput("log_origin", "the key is that of %s, the log is %s", key.verifier.origin, checkpoint.Origin)
	}
	if again, err := parseText(checkpoint.Text()); err != nil || again != checkpoint {
		return nil, codex.Wrap(codex.CodeBadInput, err, "this checkpoint has no form in which it could be signed")
	}
	verifier, err := key.verifier.verifier(checkpoint.Epoch)
	if err != nil {
		return nil, fmt.Errorf("name the key of epoch %d: %w", checkpoint.Epoch, err)
	}
	signed, err := note.Sign(&note.Note{Text: checkpoint.Text()}, epochSigner{Verifier: verifier, sign: key.sign})
	if err != nil {
		return nil, fmt.Errorf("sign a checkpoint: %w", err)
	}
	return signed, nil
}

// OpenCheckpoint verifies a signed log checkpoint of the log whose key is given. Signatures of keys
// that are not known here, like those of witnesses, are ignored, as C2SP wants it. The error is an
// [*Error] of [PartCheckpoint], [PartOrigin] or [PartSignature].
func OpenCheckpoint(signed []byte, key VerifierKey) (Checkpoint, error) {
	checkpoint, signatures, err := splitCheckpoint(signed)
	if err != nil {
		return Checkpoint{}, err
	}
	if checkpoint.Origin != key.origin {
		return Checkpoint{}, fail(PartOrigin, "it is one of %s, not of %s", checkpoint.Origin, key.origin)
	}
	verifier, err := key.verifier(checkpoint.Epoch)
	if err != nil {
		return Checkpoint{}, &Error{Part: PartSignature, Message: "the key verifies nothing", Err: err}
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return Checkpoint{}, &Error{Part: PartSignature, Message: "the log's key did not sign it", Err: err}
	}
	if len(opened.Sigs)+len(opened.UnverifiedSigs) != signatures {
		return Checkpoint{}, fail(PartCheckpoint, "a signature stands in it twice")
	}
	return checkpoint, nil
}

// ReadCheckpoint reads a signed note as a checkpoint and verifies no signature: by it checkpoints are
// ordered, nothing is trusted. The error is an [*Error] of [PartCheckpoint].
func ReadCheckpoint(signed []byte) (Checkpoint, error) {
	checkpoint, _, err := splitCheckpoint(signed)
	return checkpoint, err
}

// splitCheckpoint reads a signed note as a checkpoint and counts its signature lines. It verifies no
// signature. A note has no second spelling: base64 has to be canonical, which note.Open lets pass.
func splitCheckpoint(signed []byte) (Checkpoint, int, error) {
	text, block, found := bytes.Cut(signed, []byte("\n\n"))
	if !found {
		return Checkpoint{}, 0, fail(PartCheckpoint, "it is no signed note")
	}
	checkpoint, err := parseText(string(text) + "\n")
	if err != nil {
		return Checkpoint{}, 0, err
	}
	// Without a known key Open tells notes from other texts, and then that it knows none.
	var unverified *note.UnverifiedNoteError
	if _, err := note.Open(signed, nil); !errors.As(err, &unverified) {
		return Checkpoint{}, 0, &Error{Part: PartCheckpoint, Message: "it is no signed note", Err: err}
	}
	if unverified.Note.Text != checkpoint.Text() {
		return Checkpoint{}, 0, fail(PartCheckpoint, "there is more than one block of signatures in it")
	}
	for _, signature := range unverified.Note.UnverifiedSigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(signature.Base64); err != nil {
			return Checkpoint{}, 0, &Error{Part: PartCheckpoint, Message: "a signature is not in canonical form", Err: err}
		}
	}
	return checkpoint, bytes.Count(block, []byte("\n")), nil
}
