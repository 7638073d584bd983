package query

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/assetversion"
	"github.com/hivematrix/codex/ent/companyversion"
	"github.com/hivematrix/codex/ent/contactcompanylinkversion"
	"github.com/hivematrix/codex/ent/contactversion"
	"github.com/hivematrix/codex/ent/locationversion"
	"github.com/hivematrix/codex/ent/migrate"
	"github.com/hivematrix/codex/ent/ticketversion"
)

// Entity is a kind of record that has a history.
type Entity string

// The entities with a history, in the order in which changes of one moment are listed.
const (
	EntityCompany     Entity = "company"
	EntityLocation    Entity = "location"
	EntityContact     Entity = "contact"
	EntityContactLink Entity = "contact_company_link"
	EntityAsset       Entity = "asset"
	EntityTicket      Entity = "ticket"
)

// Entities are all entities with a history, in their order.
func Entities() []Entity {
	return []Entity{EntityCompany, EntityLocation, EntityContact, EntityContactLink, EntityAsset, EntityTicket}
}

// KeptColumns are the columns of e that its history keeps, without the key.
func KeptColumns(e Entity) []string {
	var names []string
	for _, column := range versionsOf(e).kept() {
		names = append(names, column.Name)
	}
	return names
}

// versionTable is the table with the versions of an entity.
type versionTable struct {
	*schema.Table
	entity Entity
	feed   codex.Feed // whose runs write it
	key    []string   // the columns by which its row is told
	label  string     // the column with what people call the row; empty: nothing
}

func versionsOf(e Entity) versionTable {
	switch e {
	case EntityCompany:
		return versionTable{migrate.CompaniesHistoryTable, e, codex.FeedFreshservice, []string{companyversion.FieldAccountNumber}, companyversion.FieldName}
	case EntityLocation:
		return versionTable{migrate.LocationsHistoryTable, e, codex.FeedFreshservice, []string{locationversion.FieldLocationID}, locationversion.FieldName}
	case EntityContact:
		return versionTable{migrate.ContactsHistoryTable, e, codex.FeedFreshservice, []string{contactversion.FieldContactID}, contactversion.FieldName}
	case EntityContactLink:
		return versionTable{migrate.ContactCompanyLinkHistoryTable, e, codex.FeedFreshservice,
			[]string{contactcompanylinkversion.FieldContactID, contactcompanylinkversion.FieldCompanyAccountNumber}, ""}
	case EntityAsset:
		return versionTable{migrate.AssetsHistoryTable, e, codex.FeedDatto, []string{assetversion.FieldAssetID}, assetversion.FieldHostname}
	case EntityTicket:
		return versionTable{migrate.TicketsHistoryTable, e, codex.FeedTickets, []string{ticketversion.FieldTicketID}, ticketversion.FieldSubject}
	}
	return versionTable{Table: &schema.Table{}, entity: e}
}

// kept are the columns that the history keeps of a row beside its key.
func (t versionTable) kept() []*schema.Column {
	var kept []*schema.Column
	for _, column := range t.Columns {
		switch column.Name {
		case fieldVersionID, fieldSeenFrom, fieldSeenTo, fieldRunID, fieldChangedBy, fieldEndedRunID, fieldEndedBy:
		default:
			if !slices.Contains(t.key, column.Name) {
				kept = append(kept, column)
			}
		}
	}
	return kept
}

// differences are the kept columns in which two versions differ, by their values.
func (t versionTable) differences(before, after func(*schema.Column) *string) []*FieldChange {
	var changes []*FieldChange
	for _, column := range t.kept() {
		o, n := before(column), after(column)
		if (o == nil) != (n == nil) || o != nil && *o != *n {
			changes = append(changes, &FieldChange{Column: column.Name, Old: o, New: n})
		}
	}
	return changes
}

// account is the column with the company that a version belongs to; empty where that is in a table
// of its own.
func (t versionTable) account() string {
	switch t.entity {
	case EntityCompany:
		return companyversion.FieldAccountNumber
	case EntityContact:
		return ""
	}
	return fieldAccount
}

// row is a version as it was read, whose columns were all selected under names of their own.
type row interface {
	Value(name string) (ent.Value, error)
}

// versionRows are the versions of an entity that which tells, which also selects what is read.
func (r *Reader) versionRows(ctx context.Context, e Entity, which func(*sql.Selector)) ([]row, error) {
	switch e {
	case EntityCompany:
		q := r.client.CompanyVersion.Query().Where(which)
		q.Select(companyversion.FieldID)
		return rowsOf(q.All(ctx))
	case EntityLocation:
		q := r.client.LocationVersion.Query().Where(which)
		q.Select(locationversion.FieldID)
		return rowsOf(q.All(ctx))
	case EntityContact:
		q := r.client.ContactVersion.Query().Where(which)
		q.Select(contactversion.FieldID)
		return rowsOf(q.All(ctx))
	case EntityContactLink:
		q := r.client.ContactCompanyLinkVersion.Query().Where(which)
		q.Select(contactcompanylinkversion.FieldID)
		return rowsOf(q.All(ctx))
	case EntityAsset:
		q := r.client.AssetVersion.Query().Where(which)
		q.Select(assetversion.FieldID)
		return rowsOf(q.All(ctx))
	case EntityTicket:
		q := r.client.TicketVersion.Query().Where(which)
		q.Select(ticketversion.FieldID)
		return rowsOf(q.All(ctx))
	}
	return nil, codex.BadInput("entity", "there is no history of %q", e)
}

func rowsOf[R row](rows []R, err error) ([]row, error) {
	if err != nil {
		return nil, err
	}
	return wrapped(rows, func(r R) row { return r }), nil
}

// The names under which a version's columns are read: what the history keeps of the row, the same of
// the version before, and the rest.
const (
	asNew  = "new_"
	asOld  = "old_"
	asRead = "read_"
)

// reading takes values of a row that was read, and keeps the first error.
type reading struct {
	row row
	err error
}

func (r *reading) value(name string) any {
	value, err := r.row.Value(name)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("reading the column %s of a version: %w", name, err)
	}
	return value
}

// text is the value under name as [textOf] writes it, nil where there is none.
func (r *reading) text(name string, kind field.Type) *string {
	value := r.value(name)
	text, ok := textOf(value, kind)
	if !ok {
		r.fail(name, value)
	}
	return text
}

// kept are the values of the row's kept columns, which were read under names with prefix.
func (r *reading) kept(prefix string) func(*schema.Column) *string {
	return func(c *schema.Column) *string { return r.text(prefix+c.Name, c.Type) }
}

// time is the moment under name, nil where there is none.
func (r *reading) time(name string) *time.Time {
	switch v := r.value(name).(type) {
	case nil:
		return nil
	case time.Time:
		v = v.UTC()
		return &v
	default:
		r.fail(name, v)
		return nil
	}
}

// moment is the moment under name, where there is always one.
func (r *reading) moment(name string) time.Time {
	t := r.time(name)
	if t == nil {
		r.fail(name, nil)
		return time.Time{}
	}
	return *t
}

func (r *reading) int(name string) int {
	value := r.value(name)
	n, ok := intKey(value)
	if !ok {
		r.fail(name, value)
	}
	return n
}

func (r *reading) fail(name string, value any) {
	if r.err == nil {
		r.err = fmt.Errorf("reading the column %s of a version: the database gave a %T", name, value)
	}
}

// textOf is a value as a text that is alike on both databases: numbers as digits, true or false,
// times in RFC 3339 in UTC, texts as they are; nil for null.
func textOf(value any, kind field.Type) (text *string, ok bool) {
	switch v := value.(type) {
	case nil:
		return nil, true
	case time.Time:
		return new(v.UTC().Format(time.RFC3339Nano)), true
	case bool:
		return new(strconv.FormatBool(v)), true
	case int64:
		if kind == field.TypeBool { // SQLite has no type of its own for them
			return new(strconv.FormatBool(v != 0)), true
		}
		return new(strconv.FormatInt(v, 10)), true
	case []byte:
		return new(string(v)), true
	case string:
		return &v, true
	}
	return nil, false
}
