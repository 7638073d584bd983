package proof

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/hivematrix/codex"
)

// Consistency is an exported proof that the log only grew: from a tree of Older leaves, whose
// checkpoint the reader has, to that of the checkpoint in it. It is written as the body of a C2SP
// tlog-witness add-checkpoint request, so that any witness takes it as it is.
type Consistency struct {
	Older      int64
	Hashes     []Hash
	Checkpoint []byte // the newer one, the signed note verbatim
}

// Encode writes the proof, or says with a *codex.Error why it would not be read back.
func (p Consistency) Encode() ([]byte, error) {
	newer, _, err := splitCheckpoint(p.Checkpoint)
	if err != nil {
		return nil, codex.Wrap(codex.CodeBadInput, err, "the log checkpoint is none")
	}
	if p.Older < 0 || p.Older > newer.Size {
		return nil, codex.BadInput("older", "a tree of %d leaves does not begin with one of %d", newer.Size, p.Older)
	}
	if len(p.Hashes) > maxHashes {
		return nil, codex.BadInput("hashes", "it has more than %d hashes", maxHashes)
	}
	var b bytes.Buffer
	b.WriteString("old " + strconv.FormatInt(p.Older, 10) + "\n")
	writeHashes(&b, p.Hashes)
	b.WriteString("\n")
	b.Write(p.Checkpoint)
	return b.Bytes(), nil
}

// DecodeConsistency reads such a proof and verifies nothing but its form: bytes that
// [Consistency.Encode] would not give back are refused. The error is an [*Error] of [PartFile] or
// [PartCheckpoint].
func DecodeConsistency(text []byte) (Consistency, error) {
	head, checkpoint, found := bytes.Cut(text, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	number, isOld := strings.CutPrefix(lines[0], "old ")
	older, err := strconv.ParseInt(number, 10, 64)
	if !found || !isOld || err != nil {
		return Consistency{}, fail(PartFile, "it is no proof of consistency: its first line is not old and a size")
	}
	hashes, err := parseHashes(lines[1:])
	if err != nil {
		return Consistency{}, err
	}
	if _, _, err := splitCheckpoint(checkpoint); err != nil {
		return Consistency{}, err
	}
	proof := Consistency{Older: older, Hashes: hashes, Checkpoint: checkpoint}
	again, err := proof.Encode()
	if err != nil {
		return Consistency{}, &Error{Part: PartFile, Message: "it could not have been exported", Err: err}
	}
	if !bytes.Equal(again, text) {
		return Consistency{}, fail(PartFile, "it is not in canonical form")
	}
	return proof, nil
}

// VerifyConsistency checks, offline, that the log of key still has all that it had at the signed
// checkpoint older, and gives both checkpoints. The error is an [*Error].
func VerifyConsistency(older, file []byte, key VerifierKey) (from, to Checkpoint, err error) {
	proof, err := DecodeConsistency(file)
	if err != nil {
		return Checkpoint{}, Checkpoint{}, err
	}
	if from, err = OpenCheckpoint(older, key); err != nil {
		return Checkpoint{}, Checkpoint{}, err
	}
	if to, err = OpenCheckpoint(proof.Checkpoint, key); err != nil {
		return Checkpoint{}, Checkpoint{}, err
	}
	if proof.Older != from.Size {
		return Checkpoint{}, Checkpoint{}, fail(PartConsistency,
			"the proof begins at %d leaves, the checkpoint is one of %d", proof.Older, from.Size)
	}
	if err := CheckConsistency(from, to, proof.Hashes); err != nil {
		return Checkpoint{}, Checkpoint{}, err
	}
	return from, to, nil
}
