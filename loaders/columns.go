package loaders

import (
	"context"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/assetversion"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/companyversion"
	"github.com/hivematrix/codex/ent/contact"
	"github.com/hivematrix/codex/ent/contactversion"
	"github.com/hivematrix/codex/ent/dattositelink"
	"github.com/hivematrix/codex/ent/location"
	"github.com/hivematrix/codex/ent/locationversion"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/snapshotitem"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/ent/ticket"
	"github.com/hivematrix/codex/ent/ticketversion"
	"github.com/hivematrix/codex/ent/timeentry"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/query"
)

// Columns are those that the fields need which are asked for of an object (a GraphQL type) by the
// field that ctx resolves, its key among them; none, which means all, where a field is unknown.
func Columns(ctx context.Context, object string) []string {
	return columnsOf(object, graphql.CollectFieldsCtx(ctx, typesOf(object)))
}

// typesOf are the types whose fragments apply to an object: its own, and the unions that it is in.
func typesOf(object string) []string {
	switch object {
	case "Company", "Contact", "Asset", "Ticket", "Snapshot":
		return []string{object, "SearchRecord"}
	}
	return []string{object}
}

// PageColumns are the same where ctx resolves a connection of such objects.
func PageColumns(ctx context.Context, object string) []string {
	op := graphql.GetOperationContext(ctx)
	var fields []graphql.CollectedField
	collect := func(f graphql.CollectedField) {
		fields = append(fields, graphql.CollectFields(op, f.Selections, typesOf(object))...)
	}
	for _, f := range graphql.CollectFieldsCtx(ctx, []string{object + "Connection"}) {
		switch f.Name {
		case "nodes":
			collect(f)
		case "edges":
			for _, inner := range graphql.CollectFields(op, f.Selections, []string{object + "Edge"}) {
				if inner.Name == "node" {
					collect(inner)
				}
			}
		}
	}
	return columnsOf(object, fields)
}

func columnsOf(object string, fields []graphql.CollectedField) []string {
	t, ok := tableOf(object)
	if !ok {
		return nil
	}
	columns := []string{t.key}
	for _, f := range fields {
		needed, ok := fieldColumns(object, f.Name)
		if !ok {
			return nil
		}
		columns = append(columns, needed...)
	}
	slices.Sort(columns) // the same fields in another order are the same statement
	return slices.Compact(columns)
}

// fieldColumns are the columns that a field of an object is made of, beside the key and the
// parent's key, which are read in any case. Most fields have a column of their own name; the others
// stand here. False where nothing is known of the field.
func fieldColumns(object, field string) ([]string, bool) {
	switch object + "." + field {
	case "Company.assets", "Company.assetsTotal", "Company.contacts", "Company.locations",
		"Company.tickets", "Company.ticketsTotal", "Company.dattoSites", "Contact.companies", "Contact.assets",
		"Asset.company", "Asset.contacts", "Location.company", "DattoSiteLink.company",
		"Ticket.company", "Ticket.timeEntries",
		"Company.history", "Contact.history", "Asset.history", "Asset.backupHistory", "Location.history",
		"Ticket.history",
		"SyncRun.changes", "SyncRun.held", "Company.snapshots",
		"Snapshot.current", "Snapshot.open", "Snapshot.company", "Snapshot.lines", "Snapshot.billingData", "Snapshot.csv",
		"Snapshot.notes", "Snapshot.revisions", "Snapshot.events",
		"PastCompany.id", "PastCompany.assets", "PastCompany.assetsTotal", "PastCompany.contacts",
		"PastCompany.locations", "PastCompany.tickets", "PastCompany.ticketsTotal", "PastAsset.id", "PastAsset.company", "PastContact.id",
		"PastContact.companies", "PastLocation.id", "PastLocation.company", "PastTicket.id", "PastTicket.company":
		return nil, true
	case "Company.billingPlan", "PastCompany.billingPlan":
		return []string{company.FieldPlanSelected}, true
	case "Company.plan":
		return []string{company.FieldPlanSelected, company.FieldContractTermLength}, true
	case "Asset.backup":
		return []string{asset.FieldBackupBytes}, true
	case "PastAsset.backup":
		return []string{query.ColumnBackup}, true
	case "Ticket.hours", "Ticket.seconds", "PastTicket.hours", "PastTicket.seconds":
		return []string{ticket.FieldSpentSeconds, ticket.FieldUnbillableSeconds}, true
	case "Ticket.billingMonth", "PastTicket.billingMonth":
		return []string{ticket.FieldLastUpdatedAt}, true
	case "Snapshot.accountNumber":
		return []string{snapshot.FieldCompanyAccountNumber}, true
	case "Snapshot.year":
		return []string{snapshot.FieldBillingYear}, true
	case "Snapshot.month":
		return []string{snapshot.FieldBillingMonth}, true
	case "Snapshot.billingMonth":
		return []string{snapshot.FieldBillingYear, snapshot.FieldBillingMonth}, true
	case "TimeEntry.hours":
		return []string{timeentry.FieldSpentSeconds}, true
	case "SyncRun.approvalRun":
		return []string{syncrun.FieldApprovalRunID}, true
	}
	if field == "__typename" {
		return nil, true
	}
	t, ok := tableOf(object)
	if !ok {
		return nil, false
	}
	column := snakeCase(field)
	for _, unit := range []string{"", "_cents", "_e4"} { // what a column of money or hours is called
		if t.has(column + unit) {
			return []string{column + unit}, true
		}
	}
	return nil, false
}

// table is where an object is stored.
type table struct {
	key string
	has func(column string) bool
}

func tableOf(object string) (table, bool) {
	switch object {
	case "Company":
		return table{company.FieldID, company.ValidColumn}, true
	case "Contact":
		return table{contact.FieldID, contact.ValidColumn}, true
	case "Asset":
		return table{asset.FieldID, asset.ValidColumn}, true
	case "Ticket":
		return table{ticket.FieldID, ticket.ValidColumn}, true
	case "TimeEntry":
		return table{timeentry.FieldID, timeentry.ValidColumn}, true
	case "Location":
		return table{location.FieldID, location.ValidColumn}, true
	case "DattoSiteLink":
		return table{dattositelink.FieldID, dattositelink.ValidColumn}, true
	case "PastCompany":
		return table{companyversion.FieldAccountNumber, companyversion.ValidColumn}, true
	case "PastContact":
		return table{contactversion.FieldContactID, contactversion.ValidColumn}, true
	case "PastAsset":
		return table{assetversion.FieldAssetID, func(column string) bool {
			return column == query.ColumnBackup || assetversion.ValidColumn(column)
		}}, true
	case "PastTicket":
		return table{ticketversion.FieldTicketID, ticketversion.ValidColumn}, true
	case "PastLocation":
		return table{locationversion.FieldLocationID, locationversion.ValidColumn}, true
	case "Snapshot":
		return table{snapshot.FieldID, snapshot.ValidColumn}, true
	case "SnapshotLine":
		return table{snapshotitem.FieldID, snapshotitem.ValidColumn}, true
	case "SyncRun":
		return table{syncrun.FieldID, syncrun.ValidColumn}, true
	}
	return table{}, false
}

// FieldOf is the name in the graph of a column that the history keeps.
func FieldOf(column string) string {
	if strings.HasPrefix(column, plans.FeatureField) {
		return column // what follows is no column, but a category in people's words
	}
	switch column {
	case company.FieldPlanSelected:
		return "billingPlan"
	case asset.FieldCompanyAccountNumber:
		return "accountNumber"
	}
	var b strings.Builder
	for i, word := range strings.Split(column, "_") {
		if i > 0 {
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		b.WriteString(word)
	}
	return b.String()
}

// ColumnOf is the reverse of [FieldOf]. What it makes of another text is no column.
func ColumnOf(field string) string {
	switch field {
	case "billingPlan":
		return company.FieldPlanSelected
	case "accountNumber":
		return asset.FieldCompanyAccountNumber
	}
	return snakeCase(field)
}

// snakeCase is lastSeenAt as last_seen_at.
func snakeCase(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if 'A' <= c && c <= 'Z' {
			b.WriteByte('_')
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}
