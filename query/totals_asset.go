package query

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/store"
)

// AssetTotals sums up assets.
type AssetTotals struct {
	Count       int         `sql:"records"`
	WithBackup  int         `sql:"with_backup"`  // those that tell a number
	BackupBytes codex.Bytes `sql:"backup_bytes"` // of those
}

// BackupTB is the sum in units of 1024⁴ bytes.
func (t AssetTotals) BackupTB() float64 { return t.BackupBytes.TB() }

// AssetGroup are assets that have the same values in what they are grouped by. What they are not grouped
// by is nil, as is what they have no value of.
type AssetGroup struct {
	AssetTotals
	Account         *codex.AccountNumber `sql:"by_company_account_number"`
	HardwareType    *string              `sql:"by_hardware_type"`
	DeviceType      *string              `sql:"by_device_type"`
	DeviceClass     *string              `sql:"by_device_class"`
	OperatingSystem *string              `sql:"by_operating_system"`
	DattoSiteName   *string              `sql:"by_datto_site_name"`
	Suspended       *bool                `sql:"by_suspended"`
	Online          *bool                `sql:"by_online"`
}

// PastAssetGroup is a group of assets as they were.
type PastAssetGroup struct {
	AssetGroup
	Past *Past
}

// assetGroups are by what assets are grouped; those of the past by what is kept.
func (v view) assetGroups() []attribute {
	table := v.assets().table
	return slices.DeleteFunc([]attribute{
		{"company", fieldAccount, kindID},
		{"hardwareType", asset.FieldHardwareType, kindText},
		{"deviceType", asset.FieldDeviceType, kindText},
		{"deviceClass", asset.FieldDeviceClass, kindText},
		{"operatingSystem", asset.FieldOperatingSystem, kindText},
		{"dattoSiteName", asset.FieldDattoSiteName, kindText},
		{"suspended", asset.FieldSuspended, kindBool},
		{"online", asset.FieldOnline, kindBool},
	}, func(g attribute) bool { return !hasColumn(table, g.column) })
}

// assetTotals is a question for sums of assets, and the statement that answers it.
func (v view) assetTotals(filter Filter, groupBy []GroupBy) (*totals, func(*sql.Selector), error) {
	t, err := v.totals(v.assets(), v.assetGroups(), filter, groupBy)
	if err != nil {
		return nil, nil, err
	}
	return t, t.read(func(s *sql.Selector) {
		bytes := t.entity.expr(s, asset.FieldBackupBytes)
		aggregate(s, "records", "COUNT", sql.Raw("*"))
		aggregate(s, "with_backup", "COUNT", bytes)
		aggregate(s, "backup_bytes", "SUM", bytes)
	}), nil
}

// AssetTotals adds up the assets that filter wants, by groups, without reading them one by one. Without
// groupBy there is one group. Groups come in the order of what they are grouped by; more than
// [MaxGroups] are a [codex.CodeCostLimit] error.
func (r *Reader) AssetTotals(ctx context.Context, filter Filter, groupBy []GroupBy) ([]*AssetGroup, error) {
	t, read, err := view{}.assetTotals(filter, groupBy)
	if err != nil {
		return nil, err
	}
	var groups []AssetGroup
	err = r.client.Asset.Query().Where(asset.RemovedAtIsNil(), view{}.ofServed, t.listing.filter).
		Limit(MaxGroups+1).Modify(read).Scan(ctx, &groups)
	if err != nil {
		return nil, fmt.Errorf("adding up assets: %w", err)
	}
	return allGroups(groups)
}

// AssetTotalsByCompany adds up those assets of each company that filter wants.
func (r *Reader) AssetTotalsByCompany(ctx context.Context, accounts []codex.AccountNumber, filter Filter) (map[codex.AccountNumber]AssetTotals, error) {
	t, read, err := view{}.assetTotals(filter, []GroupBy{"company"})
	if err != nil {
		return nil, err
	}
	var groups []AssetGroup
	err = r.client.Asset.Query().Where(asset.RemovedAtIsNil(), keyIn[predicate.Asset](fieldAccount, accounts), t.listing.filter).
		Modify(read).Scan(ctx, &groups)
	if err != nil {
		return nil, fmt.Errorf("adding up assets by company: %w", err)
	}
	return assetTotalsOf(groups), nil
}

func assetTotalsOf(groups []AssetGroup) map[codex.AccountNumber]AssetTotals {
	totals := make(map[codex.AccountNumber]AssetTotals, len(groups))
	for _, group := range groups {
		totals[*group.Account] = group.AssetTotals
	}
	return totals
}

// AssetTotals adds up the assets that filter wants as they were; see [Reader.AssetTotals].
func (p *Past) AssetTotals(ctx context.Context, filter Filter, groupBy []GroupBy) ([]*PastAssetGroup, error) {
	v := view{p}
	groups, err := p.assetGroups(ctx, filter, groupBy, MaxGroups+1, v.ofServed)
	if err != nil {
		return nil, err
	}
	all, err := allGroups(groups)
	return wrapped(all, func(g *AssetGroup) *PastAssetGroup { return &PastAssetGroup{*g, p} }), err
}

// AssetTotalsByCompany adds up those assets that each company had that filter wants.
func (p *Past) AssetTotalsByCompany(ctx context.Context, accounts []codex.AccountNumber, filter Filter) (map[codex.AccountNumber]AssetTotals, error) {
	groups, err := p.assetGroups(ctx, filter, []GroupBy{"company"}, len(accounts), store.KeyIn(fieldAccount, accounts))
	if err != nil {
		return nil, err
	}
	return assetTotalsOf(groups), nil
}

func (p *Past) assetGroups(ctx context.Context, filter Filter, groupBy []GroupBy, limit int, among func(*sql.Selector)) ([]AssetGroup, error) {
	t, read, err := view{p}.assetTotals(filter, groupBy)
	if err != nil {
		return nil, err
	}
	var groups []AssetGroup
	err = p.reader.client.AssetVersion.Query().Where(t.entity.served, among, t.listing.filter).
		Limit(limit).Modify(read).Scan(ctx, &groups)
	if err != nil {
		return nil, fmt.Errorf("adding up assets of the past: %w", err)
	}
	return groups, nil
}
