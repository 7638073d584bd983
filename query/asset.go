package query

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/assetcontactlink"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/store"
)

// Backup is what an asset has in backup.
type Backup struct {
	Bytes codex.Bytes
}

// UsageTB is the size in units of 1024⁴ bytes.
func (b Backup) UsageTB() float64 { return b.Bytes.TB() }

// BackupOf is the backup of a, nil where it has none. It reads the column backup_bytes.
func BackupOf(a *ent.Asset) *Backup {
	if a.BackupBytes == nil {
		return nil
	}
	return &Backup{Bytes: codex.Bytes(*a.BackupBytes)}
}

// Asset is the asset with that id; a [codex.CodeNotFound] error where there is none, or its company
// is archived.
func (r *Reader) Asset(ctx context.Context, id int, columns ...string) (*ent.Asset, error) {
	q := r.client.Asset.Query().
		Where(asset.ID(id), asset.RemovedAtIsNil(), asset.HasCompanyWith(company.ArchivedAtIsNil()))
	if columns := with(columns, asset.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	found, err := q.Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return nil, notFound("asset", id)
	case err != nil:
		return nil, fmt.Errorf("reading asset %d: %w", id, err)
	}
	return found, nil
}

// Assets is a page of the assets that list wants.
func (r *Reader) Assets(ctx context.Context, page Page, list List, columns ...string) (*PageOf[*ent.Asset], error) {
	return pageOf(view{}, view.assets, page, list, func(limit int, which, sort func(*sql.Selector)) ([]*ent.Asset, error) {
		q := r.client.Asset.Query().Where(asset.RemovedAtIsNil(), view{}.ofServed, which).Order(sort).Limit(limit)
		if columns := with(columns, asset.FieldCompanyAccountNumber); columns != nil {
			q.Select(columns...)
		}
		return q.All(ctx)
	})
}

// CountAssets is how many assets filter wants.
func (r *Reader) CountAssets(ctx context.Context, filter Filter) (int, error) {
	return countOf(view{}, view.assets, filter, func(which func(*sql.Selector)) (int, error) {
		return r.client.Asset.Query().Where(asset.RemovedAtIsNil(), view{}.ofServed, which).Count(ctx)
	})
}

// AssetsByCompany are the assets of each company.
func (r *Reader) AssetsByCompany(ctx context.Context, accounts []codex.AccountNumber, columns ...string) (map[codex.AccountNumber][]*ent.Asset, error) {
	return r.AssetsByCompanyWhere(ctx, accounts, Edge{}, columns...)
}

// AssetsByCompanyWhere are those of each company that edge wants.
func (r *Reader) AssetsByCompanyWhere(ctx context.Context, accounts []codex.AccountNumber, edge Edge, columns ...string) (map[codex.AccountNumber][]*ent.Asset, error) {
	which, sort, err := edgeOf(view{}, view{}.assets(), edge, fieldAccount, nil, accounts, store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	rows, err := r.assets(ctx, columns, sort, which)
	if err != nil {
		return nil, fmt.Errorf("reading assets by company: %w", err)
	}
	return groupBy(rows, func(a *ent.Asset) codex.AccountNumber { return a.CompanyAccountNumber }), nil
}

// AssetsByContact are the assets that each contact uses.
func (r *Reader) AssetsByContact(ctx context.Context, contacts []int, columns ...string) (map[int][]*ent.Asset, error) {
	rows, err := r.assets(ctx, columns, asset.ByID(),
		asset.HasCompanyWith(company.ArchivedAtIsNil()),
		linked[predicate.Asset](link{
			table: assetcontactlink.Table, child: assetcontactlink.FieldAssetID,
			parent: assetcontactlink.FieldContactID, key: asset.FieldID,
		}, contacts))
	if err != nil {
		return nil, fmt.Errorf("reading assets by contact: %w", err)
	}
	return groupByParent(rows, intKey)
}

func (r *Reader) assets(ctx context.Context, columns []string, sort asset.OrderOption, which ...predicate.Asset) ([]*ent.Asset, error) {
	q := r.client.Asset.Query().Where(asset.RemovedAtIsNil()).Where(which...).Order(sort)
	if columns := with(columns, asset.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	return q.All(ctx)
}
