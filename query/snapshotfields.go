package query

import (
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/migrate"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/snapshotitem"
)

// Revisions says which revisions of archived bills are wanted.
type Revisions string

// The sets of revisions. The zero value is [RevisionsCurrent].
const (
	RevisionsCurrent Revisions = "current" // of each bill the newest, unless that is reopened: what services are served
	RevisionsOpen    Revisions = "open"    // of each bill the newest, where that is reopened
	RevisionsNewest  Revisions = "newest"  // of each bill the newest
	RevisionsAll     Revisions = "all"
)

// wanted tells the revisions of the set.
func (r Revisions) wanted(s *sql.Selector) {
	switch r {
	case RevisionsAll:
	case RevisionsNewest:
		s.Where(sql.ExprP(newest(s)))
	case RevisionsOpen:
		s.Where(sql.And(sql.ExprP(newest(s)), sql.ExprP(reopened(s))))
	default:
		StandingSnapshots(s)
	}
}

// CurrentSnapshots keeps the newest revision of each bill, unless the last that happened to it is that it
// was reopened. The views of the migrations have the same condition.
func CurrentSnapshots(s *sql.Selector) {
	s.Where(sql.And(sql.ExprP(newest(s)), sql.ExprP("NOT "+reopened(s))))
}

// StandingSnapshots keeps revisions unless the last that happened to them is that they were reopened. Those
// are the current ones, since a next revision is stored behind a reopening alone, and only the newest is
// closed; so lists ask for no more. To look for a newer revision of each of some thousand bills
// PostgreSQL would join the whole table with itself. Events are few.
func StandingSnapshots(s *sql.Selector) { s.Where(sql.ExprP("NOT " + reopened(s))) }

// newest is that a bill has no revision after this one.
func newest(s *sql.Selector) string {
	return "NOT EXISTS (SELECT 1 FROM snapshots AS newer WHERE newer.invoice_number = " + s.C(snapshot.FieldInvoiceNumber) +
		" AND newer.revision > " + s.C(snapshot.FieldRevision) + ")"
}

// reopened is that the last that happened to a revision is that it was reopened.
func reopened(s *sql.Selector) string {
	return "EXISTS (SELECT 1 FROM bill_events AS e WHERE e.invoice_number = " + s.C(snapshot.FieldInvoiceNumber) +
		" AND e.revision = " + s.C(snapshot.FieldRevision) + " AND e.kind = 'reopened' AND NOT EXISTS (SELECT 1 FROM bill_events AS l" +
		" WHERE l.invoice_number = e.invoice_number AND l.revision = e.revision AND l.id > e.id))"
}

// columnBillMonth is the name of a bill's month, YYYY-MM, which the table has as two numbers.
const columnBillMonth = "bill_month"

// snapshots are the revisions of archived bills that are wanted. They have no past: they never change.
func (v view) snapshots(which Revisions) entity {
	key := attribute{"id", snapshot.FieldID, kindIntID}
	archived := attribute{"archivedAt", snapshot.FieldArchivedAt, kindTime}
	return entity{
		table: migrate.SnapshotsTable, key: snapshot.FieldID, served: which.wanted, tag: string(which),
		fields: []attribute{
			key,
			{"invoiceNumber", snapshot.FieldInvoiceNumber, kindText},
			{"revision", snapshot.FieldRevision, kindInt},
			{"accountNumber", snapshot.FieldCompanyAccountNumber, kindID},
			{"companyName", snapshot.FieldCompanyName, kindText},
			{"year", snapshot.FieldBillingYear, kindInt},
			{"month", snapshot.FieldBillingMonth, kindInt},
			{"billingMonth", columnBillMonth, kindMonth},
			{"invoiceDate", snapshot.FieldInvoiceDate, kindDay},
			{"dueDate", snapshot.FieldDueDate, kindDay},
			{"billingPlan", snapshot.FieldBillingPlan, kindText},
			{"contractTerm", snapshot.FieldContractTerm, kindText},
			{"supportLevel", snapshot.FieldSupportLevel, kindText},
			{"totalAmount", snapshot.FieldTotalAmountCents, kindCents},
			{"totalUserCharges", snapshot.FieldTotalUserChargesCents, kindCents},
			{"totalAssetCharges", snapshot.FieldTotalAssetChargesCents, kindCents},
			{"totalBackupCharges", snapshot.FieldTotalBackupChargesCents, kindCents},
			{"totalTicketCharges", snapshot.FieldTotalTicketChargesCents, kindCents},
			{"totalLineItemCharges", snapshot.FieldTotalLineItemChargesCents, kindCents},
			{"userCount", snapshot.FieldUserCount, kindInt},
			{"assetCount", snapshot.FieldAssetCount, kindInt},
			{"billableHours", snapshot.FieldBillableHoursE4, kindQuantity},
			{"origin", snapshot.FieldOrigin, kindOrigin},
			archived,
			{"acceptedBy", snapshot.FieldAcceptedBy, kindText},
			{"createdBy", snapshot.FieldCreatedBy, kindText},
			{"marks", snapshot.FieldMarks, kindList},
			{"leafIndex", snapshot.FieldLeafIndex, kindInt},
		},
		edges: []edge{
			{name: "company", to: view.companies, one: true, here: snapshot.FieldCompanyAccountNumber},
			{name: "lines", to: view.snapshotLines, here: snapshot.FieldID, there: snapshotitem.FieldSnapshotID},
		},
		computed: map[string]computed{columnBillMonth: {expr: billMonth}},
		months:   months{since: billSince, before: billBefore},
		order:    []sorting{{archived, true}, {key, true}},
	}
}

func (v view) currentSnapshots() entity { return v.snapshots(RevisionsCurrent) }

func (v view) newestSnapshots() entity { return v.snapshots(RevisionsNewest) }

// snapshotLines are the lines of bills, in their order.
func (v view) snapshotLines() entity {
	key := attribute{"id", snapshotitem.FieldID, kindIntID}
	position := attribute{"position", snapshotitem.FieldPosition, kindInt}
	return entity{
		table: migrate.SnapshotItemsTable, key: snapshotitem.FieldID, served: everything,
		fields: []attribute{
			key, position,
			{"lineType", snapshotitem.FieldLineType, kindText},
			{"itemName", snapshotitem.FieldItemName, kindText},
			{"description", snapshotitem.FieldDescription, kindText},
			{"quantity", snapshotitem.FieldQuantityE4, kindQuantity},
			{"rate", snapshotitem.FieldRateE4, kindQuantity},
			{"amount", snapshotitem.FieldAmountCents, kindCents},
		},
		order: []sorting{{field: position}, {field: key}},
	}
}

// billMonth is the month of a bill of s, YYYY-MM.
func billMonth(s *sql.Selector) sql.Querier {
	year, month := s.C(snapshot.FieldBillingYear), s.C(snapshot.FieldBillingMonth)
	if s.Dialect() == dialect.Postgres {
		return sql.Raw("(to_char(" + year + ", 'FM0000') || '-' || to_char(" + month + ", 'FM00'))")
	}
	return sql.Raw("printf('%04d-%02d', " + year + ", " + month + ")")
}

// billSince is that a bill is of a month or a later one, billBefore that it is of an earlier one. There is
// an index of the year.
func billSince(month codex.Period) condition {
	return func(s *sql.Selector) *sql.Predicate {
		year := s.C(snapshot.FieldBillingYear)
		return sql.And(sql.GTE(year, month.Year), sql.Or(sql.GT(year, month.Year), sql.GTE(s.C(snapshot.FieldBillingMonth), int(month.Month))))
	}
}

func billBefore(month codex.Period) condition {
	return func(s *sql.Selector) *sql.Predicate {
		year := s.C(snapshot.FieldBillingYear)
		return sql.And(sql.LTE(year, month.Year), sql.Or(sql.LT(year, month.Year), sql.LT(s.C(snapshot.FieldBillingMonth), int(month.Month))))
	}
}
