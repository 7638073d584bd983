package loaders

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
)

// SearchColumns are the columns of each kind of record that the fields need which are asked for of it
// by the search that ctx resolves.
func SearchColumns(ctx context.Context) map[query.SearchType][]string {
	op := graphql.GetOperationContext(ctx)
	columns := map[query.SearchType][]string{}
	for _, kind := range query.SearchTypes() {
		object := objectOf(kind)
		var fields []graphql.CollectedField
		for _, f := range graphql.CollectFieldsCtx(ctx, []string{"SearchHit"}) {
			if f.Name == "node" {
				fields = append(fields, graphql.CollectFields(op, f.Selections, typesOf(object))...)
			}
		}
		columns[kind] = columnsOf(object, fields)
	}
	return columns
}

// objectOf is the GraphQL type of a kind of record.
func objectOf(kind query.SearchType) string {
	switch kind {
	case query.SearchCompany:
		return "Company"
	case query.SearchContact:
		return "Contact"
	case query.SearchAsset:
		return "Asset"
	case query.SearchTicket:
		return "Ticket"
	case query.SearchSnapshot:
		return "Snapshot"
	}
	return ""
}

// AnnounceHits is [Announce] of the records that the search that ctx resolves has found.
func AnnounceHits(ctx context.Context, hits []*query.SearchHit) error {
	for _, hit := range hits {
		var err error
		switch record := hit.Node.(type) {
		case *ent.Company:
			err = Announce(ctx, record)
		case *ent.Contact:
			err = Announce(ctx, record)
		case *ent.Asset:
			err = Announce(ctx, record)
		case *ent.Snapshot:
			err = Announce(ctx, record)
		case *ent.Ticket:
			err = Announce(ctx, record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
