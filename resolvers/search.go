package resolvers

import (
	"context"

	"github.com/hivematrix/codex/loaders"
	"github.com/hivematrix/codex/query"
)

func (r queryResolver) Search(ctx context.Context, text string, types []query.SearchType, first *int) ([]*query.SearchHit, error) {
	search := query.Search{Text: text, Types: types, First: query.DefaultSearch, Columns: loaders.SearchColumns(ctx)}
	if first != nil {
		search.First = *first
	}
	hits, err := r.reader.Search(ctx, search)
	if err != nil {
		return nil, err
	}
	return hits, loaders.AnnounceHits(ctx, hits)
}
