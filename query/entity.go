package query

import (
	"slices"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/assetcontactlink"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/contact"
	"github.com/hivematrix/codex/ent/contactcompanylink"
	"github.com/hivematrix/codex/ent/contactcompanylinkversion"
	"github.com/hivematrix/codex/ent/location"
	"github.com/hivematrix/codex/ent/migrate"
	"github.com/hivematrix/codex/ent/syncissue"
	"github.com/hivematrix/codex/ent/syncrun"
	"github.com/hivematrix/codex/ent/ticket"
)

// kind is what a field's values are, which decides by what it is filtered.
type kind string

// The kinds, each named after what filters it in the graph.
const (
	kindText  kind = "StringFilter"
	kindID    kind = "IDFilter" // a text that tells a record
	kindIntID kind = "IDFilter of digits"
	kindInt   kind = "IntFilter"
	kindBytes kind = "BytesFilter"
	kindBool  kind = "BooleanFilter"
	kindTime  kind = "TimeFilter"
	kindDate  kind = "DateFilter"         // of texts YYYY-MM-DD
	kindMonth kind = "MonthFilter"        // of texts YYYY-MM
	kindList  kind = "TextListFilter"     // of a JSON array of texts, by which nothing is sorted
	kindDay   kind = "DateFilter of days" // since 1970
	kindCents kind = "DecimalFilter of hundredths"
	kindFeed  kind = "FeedFilter"
	kindMode  kind = "RunModeFilter"
	kindState kind = "RunStateFilter"
	kindWhy   kind = "RunTriggerFilter"

	kindQuantity kind = "DecimalFilter"
	kindOrigin   kind = "SnapshotOriginFilter"
)

// texts tells the kinds whose columns are texts.
func (k kind) texts() bool {
	return slices.Contains([]kind{kindText, kindID, kindDate, kindMonth, kindFeed, kindMode, kindState, kindWhy, kindOrigin}, k)
}

// attribute is something by which records are filtered and sorted: its name in the graph, its column and
// its kind.
type attribute struct {
	name   string
	column string
	kind   kind
}

// entity is a kind of record that is listed, in the present or in the past.
type entity struct {
	table  *schema.Table
	key    string // its column
	served func(*sql.Selector)
	fields []attribute
	edges  []edge
	// computed are columns that are no columns of the table.
	computed map[string]computed
	// months are what a condition about the field billingMonth asks for, where it has one.
	months months
	// order is how it is listed where nobody says otherwise, the key last.
	order []sorting
	// tag tells cursors of different sets of the same records apart.
	tag string
}

// months tells records by their month: of that one or a later one, and of an earlier one.
type months struct{ since, before func(codex.Period) condition }

// computed is what a column is made of that no table has.
type computed struct {
	expr     func(*sql.Selector) sql.Querier
	nullable bool
}

// edge leads from a record to others, by whose fields it is filtered too.
type edge struct {
	name  string
	to    func(view) entity
	one   bool   // there is always exactly one
	here  string // the column of this entity, and
	there string // the column of the other in which its value is; empty: its key
	link  *pairs // the table between them; nil: there is none
}

// pairs is a table between two entities.
type pairs struct {
	table       string
	here, there string
	seen        func(*sql.Selector) // nil: all count
}

// view is the present, or the past at a moment.
type view struct{ past *Past } // nil: the present

// The tables of fields. One line is all that a field takes here; the history has it where it keeps
// the column.

func (v view) companies() entity {
	return v.in(EntityCompany, entity{
		table: migrate.CompaniesTable, key: company.FieldID, served: isNull(company.FieldArchivedAt),
		fields: []attribute{
			{"accountNumber", company.FieldID, kindID},
			{"name", company.FieldName, kindText},
			{"freshserviceId", company.FieldFreshserviceID, kindIntID},
			{"description", company.FieldDescription, kindText},
			{"billingPlan", company.FieldPlanSelected, kindText},
			{"profitOrNonProfit", company.FieldProfitOrNonProfit, kindText},
			{"companyMainNumber", company.FieldCompanyMainNumber, kindText},
			{"companyStartDate", company.FieldCompanyStartDate, kindText},
			{"headName", company.FieldHeadName, kindText},
			{"primaryContactName", company.FieldPrimaryContactName, kindText},
			{"domains", company.FieldDomains, kindList},
			{"phoneSystem", company.FieldPhoneSystem, kindText},
			{"emailSystem", company.FieldEmailSystem, kindText},
			{"contractTermLength", company.FieldContractTermLength, kindText},
			{"contractStartDate", company.FieldContractStartDate, kindDate},
			{"contractEndDate", company.FieldContractEndDate, kindDate},
			{"supportLevel", company.FieldSupportLevel, kindText},
			{"complianceLevel", company.FieldComplianceLevel, kindText},
		},
		edges: v.present([]edge{
			{name: "snapshots", to: view.currentSnapshots, here: company.FieldID, there: fieldAccount},
		},
			edge{name: "assets", to: view.assets, here: company.FieldID, there: fieldAccount},
			edge{name: "contacts", to: view.contacts, here: company.FieldID,
				link: v.belongs(contactcompanylink.FieldCompanyAccountNumber, contactcompanylink.FieldContactID)},
			edge{name: "locations", to: view.locations, here: company.FieldID, there: fieldAccount},
			edge{name: "tickets", to: view.tickets, here: company.FieldID, there: fieldAccount},
		),
	})
}

func (v view) assets() entity {
	assets := v.in(EntityAsset, entity{
		table: migrate.AssetsTable, key: asset.FieldID, served: isNull(asset.FieldRemovedAt),
		fields: []attribute{
			{"id", asset.FieldID, kindIntID},
			{"hostname", asset.FieldHostname, kindText},
			{"dattoUid", asset.FieldDattoUID, kindID},
			{"dattoId", asset.FieldDattoID, kindIntID},
			{"dattoSiteUid", asset.FieldDattoSiteUID, kindID},
			{"dattoSiteName", asset.FieldDattoSiteName, kindText},
			{"hardwareType", asset.FieldHardwareType, kindText},
			{"operatingSystem", asset.FieldOperatingSystem, kindText},
			{"deviceType", asset.FieldDeviceType, kindText},
			{"deviceClass", asset.FieldDeviceClass, kindText},
			{"domain", asset.FieldDomain, kindText},
			{"description", asset.FieldDescription, kindText},
			{"suspended", asset.FieldSuspended, kindBool},
			{"online", asset.FieldOnline, kindBool},
			{"lastSeen", asset.FieldLastSeen, kindTime},
			{"lastReboot", asset.FieldLastReboot, kindTime},
			{"lastAuditDate", asset.FieldLastAuditDate, kindTime},
			{"lastLoggedInUser", asset.FieldLastLoggedInUser, kindText},
			{"antivirusProduct", asset.FieldAntivirusProduct, kindText},
			{"extIpAddress", asset.FieldExtIPAddress, kindText},
			{"intIpAddress", asset.FieldIntIPAddress, kindText},
			{"patchStatus", asset.FieldPatchStatus, kindText},
			{"enabledAdministrators", asset.FieldEnabledAdministrators, kindText},
			{"backupBytes", asset.FieldBackupBytes, kindBytes},
		},
		edges: v.present([]edge{
			{name: "contacts", to: view.contacts, here: asset.FieldID,
				link: &pairs{assetcontactlink.Table, assetcontactlink.FieldAssetID, assetcontactlink.FieldContactID, nil}},
		}, edge{name: "company", to: view.companies, one: true, here: fieldAccount}),
	})
	if v.past != nil { // the history has no column for it
		assets.fields = append(assets.fields, attribute{"backupBytes", ColumnBackup, kindBytes})
		assets.computed = map[string]computed{ColumnBackup: {
			expr:     func(s *sql.Selector) sql.Querier { return readingOf(s, v.past.lastReading) },
			nullable: true,
		}}
	}
	return assets
}

func (v view) contacts() entity {
	return v.in(EntityContact, entity{
		table: migrate.ContactsTable, key: contact.FieldID, served: isNull(contact.FieldRemovedAt),
		fields: []attribute{
			{"id", contact.FieldID, kindIntID},
			{"name", contact.FieldName, kindText},
			{"email", contact.FieldEmail, kindText},
			{"freshserviceId", contact.FieldFreshserviceID, kindIntID},
			{"title", contact.FieldTitle, kindText},
			{"employmentType", contact.FieldEmploymentType, kindText},
			{"active", contact.FieldActive, kindBool},
			{"mobilePhoneNumber", contact.FieldMobilePhoneNumber, kindText},
			{"workPhoneNumber", contact.FieldWorkPhoneNumber, kindText},
			{"secondaryEmails", contact.FieldSecondaryEmails, kindList},
		},
		edges: v.present([]edge{
			{name: "assets", to: view.assets, here: contact.FieldID,
				link: &pairs{assetcontactlink.Table, assetcontactlink.FieldContactID, assetcontactlink.FieldAssetID, nil}},
		}, edge{name: "companies", to: view.companies, here: contact.FieldID,
			link: v.belongs(contactcompanylink.FieldContactID, contactcompanylink.FieldCompanyAccountNumber)}),
	})
}

func (v view) locations() entity {
	return v.in(EntityLocation, entity{
		table: migrate.LocationsTable, key: location.FieldID, served: isNull(location.FieldRemovedAt),
		fields: []attribute{
			{"id", location.FieldID, kindIntID},
			{"name", location.FieldName, kindText},
			{"address", location.FieldAddress, kindText},
			{"phoneNumber", location.FieldPhoneNumber, kindText},
		},
		edges: []edge{{name: "company", to: view.companies, one: true, here: fieldAccount}},
	})
}

func (v view) tickets() entity {
	return withMonth(v.in(EntityTicket, entity{
		table: migrate.TicketsTable, key: ticket.FieldID,
		served: func(s *sql.Selector) {
			s.Where(sql.And(sql.IsNull(s.C(ticket.FieldRemovedAt)), sql.EQ(s.C(ticket.FieldClosed), true)))
		},
		fields: []attribute{
			{"ticketId", ticket.FieldID, kindIntID},
			{"subject", ticket.FieldSubject, kindText},
			{"status", ticket.FieldStatus, kindText},
			{"statusCode", ticket.FieldStatusCode, kindInt},
			{"priority", ticket.FieldPriority, kindText},
			{"requesterId", ticket.FieldRequesterID, kindIntID},
			{"requesterEmail", ticket.FieldRequesterEmail, kindText},
			{"requesterName", ticket.FieldRequesterName, kindText},
			{"createdAt", ticket.FieldCreatedAt, kindTime},
			{"lastUpdatedAt", ticket.FieldLastUpdatedAt, kindTime},
			{"closedAt", ticket.FieldClosedAt, kindTime},
			{"spentSeconds", ticket.FieldSpentSeconds, kindInt},
			{"unbillableSeconds", ticket.FieldUnbillableSeconds, kindInt},
			{"timerRunning", ticket.FieldTimerRunning, kindBool},
		},
		edges: []edge{{name: "company", to: view.companies, one: true, here: fieldAccount}},
	}))
}

func (v view) runs() entity {
	return entity{
		table: migrate.SyncRunsTable, key: syncrun.FieldID, served: everything,
		fields: []attribute{
			{"id", syncrun.FieldID, kindID},
			{"feed", syncrun.FieldFeed, kindFeed},
			{"mode", syncrun.FieldMode, kindMode},
			{"trigger", syncrun.FieldTrigger, kindWhy},
			{"requestedBy", syncrun.FieldRequestedBy, kindText},
			{"dryRun", syncrun.FieldDryRun, kindBool},
			{"forced", syncrun.FieldForced, kindBool},
			{"state", syncrun.FieldState, kindState},
			{"queuedAt", syncrun.FieldQueuedAt, kindTime},
			{"startedAt", syncrun.FieldStartedAt, kindTime},
			{"endedAt", syncrun.FieldEndedAt, kindTime},
			{"error", syncrun.FieldError, kindText},
			{"resumed", syncrun.FieldResumed, kindBool},
			{"approvedBy", syncrun.FieldApprovedBy, kindText},
			{"approvedAt", syncrun.FieldApprovedAt, kindTime},
		},
		order: []sorting{
			{attribute{"queuedAt", syncrun.FieldQueuedAt, kindTime}, true}, {attribute{"id", syncrun.FieldID, kindID}, true},
		},
	}
}

func (v view) issues() entity {
	return entity{
		table: migrate.SyncIssuesTable, key: syncissue.FieldID, served: everything,
		fields: []attribute{
			{"id", syncissue.FieldID, kindIntID},
			{"feed", syncissue.FieldFeed, kindFeed},
			{"kind", syncissue.FieldKind, kindText},
			{"upstreamId", syncissue.FieldUpstreamID, kindID},
			{"reason", syncissue.FieldReason, kindText},
			{"accountNumber", syncissue.FieldCompanyAccountNumber, kindID},
			{"firstSeenAt", syncissue.FieldFirstSeenAt, kindTime},
			{"firstRunId", syncissue.FieldFirstRunID, kindID},
			{"closedAt", syncissue.FieldClosedAt, kindTime},
		},
		order: []sorting{
			{attribute{"firstSeenAt", syncissue.FieldFirstSeenAt, kindTime}, true}, {attribute{"id", syncissue.FieldID, kindIntID}, true},
		},
	}
}

// belongs is the table of who belongs to which company.
func (v view) belongs(here, there string) *pairs {
	if v.past != nil {
		return &pairs{contactcompanylinkversion.Table, here, there, seenAt[func(*sql.Selector)](v.past.At)}
	}
	return &pairs{contactcompanylink.Table, here, there, nil}
}

// present are edges that the present has alone, and others.
func (v view) present(alone []edge, others ...edge) []edge {
	if v.past != nil {
		return others
	}
	return append(alone, others...)
}

// in is e in v. Its past is in a table of its own, which has no field whose column is not kept.
func (v view) in(name Entity, e entity) entity {
	if v.past != nil {
		t := versionsOf(name)
		renamed := func(column string) string {
			if column == e.key {
				return t.key[0]
			}
			return column
		}
		var fields []attribute
		for _, f := range e.fields {
			if f.name == "id" { // there it tells the moment too
				f.name = string(name) + "Id"
			}
			if f.column = renamed(f.column); hasColumn(t.Table, f.column) {
				fields = append(fields, f)
			}
		}
		edges := slices.Clone(e.edges)
		for i := range edges {
			edges[i].here = renamed(edges[i].here)
		}
		e.table, e.key, e.fields, e.edges = t.Table, t.key[0], fields, edges
		e.served = seenAt[func(*sql.Selector)](v.past.At)
		if name == EntityTicket {
			e.served = func(s *sql.Selector) {
				seenAt[func(*sql.Selector)](v.past.At)(s)
				s.Where(sql.EQ(s.C(ticket.FieldClosed), true))
			}
		}
	}
	e.order = []sorting{{field: e.fields[0]}} // the key stands first
	return e
}

func hasColumn(t *schema.Table, name string) bool {
	return slices.ContainsFunc(t.Columns, func(c *schema.Column) bool { return c.Name == name })
}

// expr is a column of e in s.
func (e entity) expr(s *sql.Selector, column string) sql.Querier {
	if c, ok := e.computed[column]; ok {
		return c.expr(s)
	}
	return sql.Raw(s.C(column))
}

// nullable tells whether a column of e may be null.
func (e entity) nullable(column string) bool {
	if c, ok := e.computed[column]; ok {
		return c.nullable
	}
	return slices.ContainsFunc(e.table.Columns, func(c *schema.Column) bool { return c.Name == column && c.Nullable })
}

func (e entity) field(name string) (attribute, bool) {
	i := slices.IndexFunc(e.fields, func(f attribute) bool { return f.name == name })
	if i < 0 {
		return attribute{}, false
	}
	return e.fields[i], true
}

func (e entity) edge(name string) (edge, bool) {
	i := slices.IndexFunc(e.edges, func(l edge) bool { return l.name == name })
	if i < 0 {
		return edge{}, false
	}
	return e.edges[i], true
}

// ofServed tells the records whose company is served.
func (v view) ofServed(s *sql.Selector) {
	companies := v.companies()
	served := sql.Dialect(s.Dialect()).Select().From(sql.Table(companies.table.Name))
	served.Select(served.C(companies.key))
	companies.served(served)
	s.Where(sql.In(s.C(fieldAccount), served))
}

func isNull(column string) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(sql.IsNull(s.C(column))) }
}

func everything(*sql.Selector) {}
