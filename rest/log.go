package rest

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
)

// Log proves archived bills: *archive.Archive is one.
type Log interface {
	// Prove proves a revision, 0 the one that is served; what there is not is [codex.CodeNotFound].
	Prove(ctx context.Context, invoice string, revision int, enclose ...proof.Committed) (*archive.Proof, error)
	// Checkpoint gives the newest signed log checkpoint.
	Checkpoint(ctx context.Context) (*archive.SignedCheckpoint, error)
	// ProveConsistency proves that its tree begins with that of older leaves.
	ProveConsistency(ctx context.Context, older int64) (*proof.Consistency, error)
	// VerifierKey is what checkpoints are verified with.
	VerifierKey(ctx context.Context) (proof.VerifierKey, error)
}

// plain is the type of what is checked offline: lines of text, to the last byte.
const plain = "text/plain; charset=utf-8"

// billProof answers the exported proof of an archived bill, which others' tools read.
func (s *service) billProof(w http.ResponseWriter, r *http.Request) error {
	revision, err := revisionAsked(r)
	if err != nil {
		return err
	}
	text, _, err := parameter(r, "enclose")
	if err != nil {
		return err
	}
	var enclose []proof.Committed
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			enclose = append(enclose, proof.Committed(name))
		}
	}
	proven, err := s.Log.Prove(r.Context(), r.PathValue("invoice_number"), revision, enclose...)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="bill.tlog-proof"`)
	return s.hashed(w, r, plain, proven.File)
}

// logCheckpoint answers the newest signed log checkpoint.
func (s *service) logCheckpoint(w http.ResponseWriter, r *http.Request) error {
	signed, err := s.Log.Checkpoint(r.Context())
	if err != nil {
		return err
	}
	return s.hashed(w, r, plain, []byte(signed.Note))
}

// logConsistency answers the proof that the log only grew since it had so many leaves.
func (s *service) logConsistency(w http.ResponseWriter, r *http.Request) error {
	text, _, err := parameter(r, "from")
	if err != nil {
		return err
	}
	from, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return codex.BadInput("from", "give the second line of a log checkpoint: how many leaves it has")
	}
	proven, err := s.Log.ProveConsistency(r.Context(), from)
	if err != nil {
		return err
	}
	file, err := proven.Encode()
	if err != nil {
		return err
	}
	return s.hashed(w, r, plain, file)
}

// logKey answers the log's verifier key, which is for everybody who may ask at all.
func (s *service) logKey(w http.ResponseWriter, r *http.Request) error {
	key, err := s.Log.VerifierKey(r.Context())
	if err != nil {
		return err
	}
	return s.hashed(w, r, plain, []byte(key.String()+"\n"))
}
