package query

import (
	"context"
	"fmt"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/logcheckpoint"
)

// LogCheckpoints are the signed checkpoints of the log of archived bills, newest first.
func (r *Reader) LogCheckpoints(ctx context.Context, p Page) (*PageOf[*ent.LogCheckpoint], error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	query := r.client.LogCheckpoint.Query()
	if p.After != "" {
		keys, err := decodeCursor(p.After, byNewestEpoch, 2)
		if err != nil {
			return nil, err
		}
		epoch, epochErr := strconv.Atoi(keys[0])
		size, sizeErr := strconv.ParseInt(keys[1], 10, 64)
		if epochErr != nil || sizeErr != nil {
			return nil, codex.BadInput("after", noSuchCursor)
		}
		query.Where(logcheckpoint.Or(
			logcheckpoint.EpochLT(epoch),
			logcheckpoint.And(logcheckpoint.Epoch(epoch), logcheckpoint.SizeLT(size)),
		))
	}
	rows, err := query.Order(logcheckpoint.ByEpoch(sql.OrderDesc()), logcheckpoint.BySize(sql.OrderDesc())).Limit(limit).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading log checkpoints: %w", err)
	}
	return cut(p, rows, func(row *ent.LogCheckpoint) string {
		return encodeCursor(byNewestEpoch, strconv.Itoa(row.Epoch), strconv.FormatInt(row.Size, 10))
	}), nil
}

// CountLogCheckpoints is how many there are.
func (r *Reader) CountLogCheckpoints(ctx context.Context) (int, error) {
	n, err := r.client.LogCheckpoint.Query().Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("counting log checkpoints: %w", err)
	}
	return n, nil
}
