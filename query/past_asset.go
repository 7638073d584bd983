package query

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/assetversion"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/store"
)

// PastAsset is an asset as it was.
type PastAsset struct {
	*ent.AssetVersion
	Past   *Past
	Backup *Backup // nil where it had none, or [ColumnBackup] was not asked for
}

// ColumnBackup is the column to ask for to have a past asset's backup. The history tables have none
// of that name: sizes of backups are kept as readings.
const ColumnBackup = "backup_bytes"

// ID is the asset's id and the moment.
func (a *PastAsset) ID() string { return a.Past.id(strconv.Itoa(a.AssetID)) }

// Asset is the asset with that id; a [codex.CodeNotFound] error where there was none, or its company
// was archived.
func (p *Past) Asset(ctx context.Context, id int, columns ...string) (*PastAsset, error) {
	found, err := p.assets(ctx, columns, assetversion.ByAssetID(), 0, assetversion.AssetID(id), ofServedCompany[predicate.AssetVersion](p.At))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading asset %d of the past: %w", id, err)
	case len(found) == 0:
		return nil, notFound("asset", id)
	}
	return found[0], nil
}

// Assets is a page of the assets that list wants.
func (p *Past) Assets(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*PastAsset], error) {
	v := view{p}
	return pageOf(v, view.assets, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*PastAsset, error) {
		return p.assets(ctx, columns, sort, limit, v.ofServed, which)
	})
}

// CountAssets is how many assets filter wants.
func (p *Past) CountAssets(ctx context.Context, filter Filter) (int, error) {
	v := view{p}
	return countOf(v, view.assets, filter, func(which func(*sql.Selector)) (int, error) {
		return p.reader.client.AssetVersion.Query().Where(seenAt[predicate.AssetVersion](p.At), v.ofServed, which).Count(ctx)
	})
}

// AssetsByCompany are those of the assets that each company had that edge wants.
func (p *Past) AssetsByCompany(ctx context.Context, accounts []codex.AccountNumber, edge Edge, columns ...string) (map[codex.AccountNumber][]*PastAsset, error) {
	v := view{p}
	which, sort, err := edgeOf(v, v.assets(), edge, fieldAccount, nil, accounts, store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	rows, err := p.assets(ctx, columns, sort, 0, which)
	if err != nil {
		return nil, fmt.Errorf("reading assets of the past by company: %w", err)
	}
	return groupBy(rows, func(a *PastAsset) codex.AccountNumber { return a.CompanyAccountNumber }), nil
}

// assets are those that which tells, at most limit; 0: all.
func (p *Past) assets(ctx context.Context, columns []string, sort assetversion.OrderOption, limit int, which ...predicate.AssetVersion) ([]*PastAsset, error) {
	q := p.reader.client.AssetVersion.Query().Where(seenAt[predicate.AssetVersion](p.At)).Where(which...).
		Order(sort)
	if limit > 0 {
		q.Limit(limit)
	}
	backup := len(columns) == 0 || slices.Contains(columns, ColumnBackup)
	if backup {
		q.Where(func(s *sql.Selector) { s.AppendSelectExprAs(readingOf(s, p.lastReading), ColumnBackup) })
	}
	if columns := with(columns, assetversion.FieldAssetID, assetversion.FieldCompanyAccountNumber); columns != nil {
		q.Select(slices.DeleteFunc(columns, func(c string) bool { return c == ColumnBackup })...)
	}
	rows, err := q.All(ctx)
	if err != nil {
		return nil, err
	}
	assets := make([]*PastAsset, len(rows))
	for i, row := range rows {
		assets[i] = &PastAsset{AssetVersion: row, Past: p}
		if !backup {
			continue
		}
		value, err := row.Value(ColumnBackup)
		if err != nil {
			return nil, err
		}
		if bytes, told := value.(int64); told {
			assets[i].Backup = &Backup{Bytes: codex.Bytes(bytes)}
		}
	}
	return assets, nil
}
