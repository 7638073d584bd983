package query

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/predicate"
	"github.com/hivematrix/codex/ent/snapshot"
)

// SnapshotGroup are archived bills that have the same values in what they are grouped by, added up. What they
// are not grouped by is nil.
type SnapshotGroup struct {
	Account      *codex.AccountNumber `sql:"by_company_account_number"`
	BillingMonth *string              `sql:"by_bill_month"` // YYYY-MM
	Year         *int                 `sql:"by_billing_year"`
	BillingPlan  *string              `sql:"by_billing_plan"`

	Count                int            `sql:"records"`
	TotalAmount          codex.Cents    `sql:"total_amount_cents"`
	TotalUserCharges     codex.Cents    `sql:"total_user_charges_cents"`
	TotalAssetCharges    codex.Cents    `sql:"total_asset_charges_cents"`
	TotalBackupCharges   codex.Cents    `sql:"total_backup_charges_cents"`
	TotalTicketCharges   codex.Cents    `sql:"total_ticket_charges_cents"`
	TotalLineItemCharges codex.Cents    `sql:"total_line_item_charges_cents"`
	BillableHours        codex.Quantity `sql:"billable_hours_e4"`
}

// snapshotGroups are by what archived bills are grouped.
func (v view) snapshotGroups() []attribute {
	return []attribute{
		{"company", snapshot.FieldCompanyAccountNumber, kindID},
		{"billingMonth", columnBillMonth, kindMonth},
		{"year", snapshot.FieldBillingYear, kindInt},
		{"billingPlan", snapshot.FieldBillingPlan, kindText},
	}
}

// SnapshotTotals adds up those of the bills that are current which filter wants, by groups, as
// [Reader.AssetTotals] does. Sums are of whole cents and ten-thousandths.
func (r *Reader) SnapshotTotals(ctx context.Context, filter Filter, groupBy []GroupBy) ([]*SnapshotGroup, error) {
	v := view{}
	t, err := v.totals(v.currentSnapshots(), v.snapshotGroups(), filter, groupBy)
	if err != nil {
		return nil, err
	}
	read := t.read(func(s *sql.Selector) {
		aggregate(s, "records", "COUNT", sql.Raw("*"))
		for _, column := range []string{
			snapshot.FieldTotalAmountCents, snapshot.FieldTotalUserChargesCents, snapshot.FieldTotalAssetChargesCents,
			snapshot.FieldTotalBackupChargesCents, snapshot.FieldTotalTicketChargesCents, snapshot.FieldTotalLineItemChargesCents,
			snapshot.FieldBillableHoursE4,
		} {
			aggregate(s, column, "SUM", sql.Raw(s.C(column)))
		}
	})
	var groups []SnapshotGroup
	err = r.client.Snapshot.Query().Where(predicate.Snapshot(t.entity.served), t.listing.filter).
		Limit(MaxGroups+1).Modify(read).Scan(ctx, &groups)
	if err != nil {
		return nil, fmt.Errorf("adding up bills: %w", err)
	}
	return allGroups(groups)
}
