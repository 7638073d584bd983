package resolvers

import (
	"context"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/graph/model"
)

func (r queryResolver) SnapshotProof(ctx context.Context, invoiceNumber string, revision *int, enclose []proof.Committed) (*model.SnapshotProof, error) {
	which, err := revisionOf("revision", revision)
	if err != nil {
		return nil, err
	}
	p, err := r.log.Prove(ctx, invoiceNumber, which, enclose...)
	switch {
	case codex.CodeOf(err) == codex.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &model.SnapshotProof{
		LeafIndex: int(p.LeafIndex), Leaf: p.Leaf, Hashes: hashTexts(p.Hashes), Checkpoint: p.Checkpoint, File: string(p.File),
	}, nil
}

func (r queryResolver) LogCheckpoint(ctx context.Context) (*ent.LogCheckpoint, error) {
	signed, err := r.log.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	return logCheckpoint(signed), nil
}

// logCheckpoint is a signed one as the database would have it.
func logCheckpoint(signed *archive.SignedCheckpoint) *ent.LogCheckpoint {
	return &ent.LogCheckpoint{Epoch: signed.Epoch, Size: signed.Size, Note: signed.Note, SignedAt: signed.SignedAt}
}

func (r logCheckpointResolver) Root(_ context.Context, c *ent.LogCheckpoint) (string, error) {
	lines := strings.SplitN(c.Note, "\n", 4) // origin, size, root
	if len(lines) < 4 {
		return "", codex.Errorf(codex.CodeConflict, "a log checkpoint of the database is none: the database was altered")
	}
	return lines[2], nil
}

func (r queryResolver) LogCheckpoints(ctx context.Context, first *int, after *string) (*model.LogCheckpointConnection, error) {
	asked, err := pageOf(first, after)
	if err != nil {
		return nil, err
	}
	page, err := r.reader.LogCheckpoints(ctx, asked)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.LogCheckpointEdge, len(page.Rows))
	for i, row := range page.Rows {
		edges[i] = &model.LogCheckpointEdge{Cursor: page.Cursors[i], Node: row}
	}
	return &model.LogCheckpointConnection{Edges: edges, Nodes: page.Rows, PageInfo: pageInfo(page)}, nil
}

func (r logCheckpointConnectionResolver) TotalCount(ctx context.Context, _ *model.LogCheckpointConnection) (int, error) {
	return r.reader.CountLogCheckpoints(ctx)
}

func (r queryResolver) LogConsistency(ctx context.Context, from int) (*model.LogConsistency, error) {
	p, err := r.log.ProveConsistency(ctx, int64(from))
	if err != nil {
		return nil, err
	}
	file, err := p.Encode()
	if err != nil {
		return nil, err
	}
	return &model.LogConsistency{
		Older: int(p.Older), Hashes: hashTexts(p.Hashes), Checkpoint: string(p.Checkpoint), File: string(file),
	}, nil
}

func (r queryResolver) LogEpochs(ctx context.Context) ([]*ent.LogEpoch, error) {
	return r.log.Epochs(ctx)
}

func (r queryResolver) LogKey(ctx context.Context) (*ent.LogKey, error) {
	key, err := r.log.VerifierKey(ctx)
	if err != nil {
		return nil, err
	}
	return &ent.LogKey{Origin: key.Origin(), VerifierKey: key.String()}, nil
}

func (r queryResolver) LogStop(ctx context.Context) (*model.LogStop, error) {
	stop, err := r.log.Stopped(ctx)
	if stop == nil || err != nil {
		return nil, err
	}
	return &model.LogStop{Reason: string(stop.Reason), Message: stop.Message}, nil
}

func (r mutationResolver) OpenEpoch(ctx context.Context, reason string) (*model.OpenEpochPayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	epoch, err := r.log.OpenEpoch(ctx, reason, caller)
	if err != nil {
		return nil, err
	}
	return &model.OpenEpochPayload{Epoch: epoch}, nil
}

func (r mutationResolver) PublishCheckpoint(ctx context.Context) (*model.PublishCheckpointPayload, error) {
	signed, err := r.log.Publish(ctx)
	if err != nil {
		return nil, err
	}
	return &model.PublishCheckpointPayload{Checkpoint: logCheckpoint(signed)}, nil
}

func hashTexts(hashes []proof.Hash) []string {
	texts := make([]string, len(hashes))
	for i, hash := range hashes {
		texts[i] = hash.String()
	}
	return texts
}
