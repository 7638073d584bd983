package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/company"
	"github.com/hivematrix/codex/ent/contact"
	"github.com/hivematrix/codex/ent/snapshot"
	"github.com/hivematrix/codex/ent/ticket"
	"github.com/hivematrix/codex/store"
)

const (
	// MaxSearchText is how many letters a searched text has at most.
	MaxSearchText = 200
	// DefaultSearch is how many hits a search has at most when nobody says otherwise.
	DefaultSearch = 20
)

// SearchType is a kind of record that is searched.
type SearchType string

// The kinds, in the order in which hits of one match are listed.
const (
	SearchCompany SearchType = "company"
	SearchContact SearchType = "contact"
	SearchAsset   SearchType = "asset"
	SearchTicket  SearchType = "ticket"

	SearchSnapshot SearchType = "snapshot"
)

// SearchMatch is how a text was found in a field.
type SearchMatch string

// The ways, the best first.
const (
	MatchExact    SearchMatch = "exact"    // the field is the text
	MatchPrefix   SearchMatch = "prefix"   // it begins with it
	MatchContains SearchMatch = "contains" // it has it somewhere
)

// SearchMatches are all ways, the best first.
func SearchMatches() []SearchMatch { return []SearchMatch{MatchExact, MatchPrefix, MatchContains} }

// SearchTypes are all kinds that are searched, in their order.
func SearchTypes() []SearchType {
	var types []SearchType
	for _, s := range searchables() {
		types = append(types, s.kind)
	}
	return types
}

// Search asks for records by a text that people type.
type Search struct {
	Text  string       // without blanks around it 1 to [MaxSearchText] letters
	Types []SearchType // in any order; nil: all, empty: none
	First int          // how many hits, 1 to [MaxPage]
	// Columns are those that are read of each kind, its key in any case; none: all.
	Columns map[SearchType][]string
}

// SearchHit is a record in which a text was found.
type SearchHit struct {
	Type  SearchType
	Match SearchMatch
	Field string       // the first field, by its name in the graph, in which the text was found so
	Node  SearchRecord // an *ent.Company, *ent.Contact, *ent.Asset, *ent.Ticket or *ent.Snapshot
}

// SearchRecord is a record that was found.
type SearchRecord interface {
	Value(name string) (ent.Value, error)
}

// searchable is a kind of record, and by what it is found.
type searchable struct {
	kind   SearchType
	entity func(view) entity
	label  string // the column with what people call it, by which hits are sorted
	down   bool   // the greatest first
	fields []searchField
	read   func(ctx context.Context, r *Reader, limit int, which, sort func(*sql.Selector), columns []string) ([]row, error)
}

// searchables are all kinds. One line is all that a field takes here.
func searchables() []searchable {
	return []searchable{
		{SearchCompany, view.companies, company.FieldName, false, []searchField{
			{"accountNumber", company.FieldID, searchedText},
			{"name", company.FieldName, searchedText},
		}, foundCompanies},
		{SearchContact, view.contacts, contact.FieldName, false, []searchField{
			{"email", contact.FieldEmail, searchedText},
			{"name", contact.FieldName, searchedText},
			{"secondaryEmails", contact.FieldSecondaryEmails, searchedTexts},
		}, foundContacts},
		{SearchAsset, view.assets, asset.FieldHostname, false, []searchField{
			{"hostname", asset.FieldHostname, searchedText},
			{"dattoUid", asset.FieldDattoUID, searchedWhole},
		}, foundAssets},
		{SearchTicket, view.tickets, ticket.FieldSubject, false, []searchField{
			{"ticketId", ticket.FieldID, searchedNumber},
			{"subject", ticket.FieldSubject, searchedText},
		}, foundTickets},
		// Their numbers end with the month, and what is looked for is more often a late one.
		{SearchSnapshot, view.newestSnapshots, snapshot.FieldInvoiceNumber, true, []searchField{
			{"invoiceNumber", snapshot.FieldInvoiceNumber, searchedText},
		}, foundSnapshots},
	}
}

func foundCompanies(ctx context.Context, r *Reader, limit int, which, sort func(*sql.Selector), columns []string) ([]row, error) {
	q := r.client.Company.Query().Where(which).Order(sort).Limit(limit)
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	return rowsOf(q.All(ctx))
}

func foundContacts(ctx context.Context, r *Reader, limit int, which, sort func(*sql.Selector), columns []string) ([]row, error) {
	q := r.client.Contact.Query().Where(which).Order(sort).Limit(limit)
	if columns := with(columns); columns != nil {
		q.Select(columns...)
	}
	return rowsOf(q.All(ctx))
}

func foundAssets(ctx context.Context, r *Reader, limit int, which, sort func(*sql.Selector), columns []string) ([]row, error) {
	q := r.client.Asset.Query().Where(which, view{}.ofServed).Order(sort).Limit(limit)
	if columns := with(columns, asset.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	return rowsOf(q.All(ctx))
}

func foundTickets(ctx context.Context, r *Reader, limit int, which, sort func(*sql.Selector), columns []string) ([]row, error) {
	q := r.client.Ticket.Query().Where(which, view{}.ofServed).Order(sort).Limit(limit)
	if columns := with(columns, ticket.FieldCompanyAccountNumber); columns != nil {
		q.Select(columns...)
	}
	return rowsOf(q.All(ctx))
}

func foundSnapshots(ctx context.Context, r *Reader, limit int, which, sort func(*sql.Selector), columns []string) ([]row, error) {
	q := r.client.Snapshot.Query().Where(which).Order(sort).Limit(limit)
	if columns := withBill(columns); columns != nil {
		q.Select(columns...)
	}
	return rowsOf(q.All(ctx))
}

// Search finds what is served by what people type: exact matches before those of a beginning, and
// these before all others, each by the order of kinds, then by what records are called (by bytes), then
// by their keys. The case of letters makes no difference ([store.Fold]). A ticket is found by its number
// as it is written in mails too: #1234, INC-1234, SR-1234.
//
// It takes one statement for each kind that is asked for. A text that is empty or too long, and a
// number of hits out of bounds, are [codex.CodeBadInput] errors about text and first.
func (r *Reader) Search(ctx context.Context, search Search) ([]*SearchHit, error) {
	text := strings.TrimSpace(search.Text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return nil, codex.BadInput("text", "there is nothing to search for: give it a name, number or address")
	case n > MaxSearchText:
		return nil, codex.BadInput("text", "a text to search for has at most %d letters, not %d", MaxSearchText, n)
	case search.First < 1 || search.First > MaxPage:
		return nil, codex.BadInput("first", "a search finds 1 to %d records, not %d", MaxPage, search.First)
	}
	searched := searchedFor{folded: store.Fold(text), number: ticketNumber(store.Fold(text))}
	var hits []*SearchHit
	for _, s := range searchables() {
		if search.Types != nil && !slices.Contains(search.Types, s.kind) {
			continue
		}
		found, err := s.hits(ctx, r, searched, search.First, search.Columns[s.kind])
		if err != nil {
			return nil, err
		}
		hits = append(hits, found...)
	}
	// Each kind came in its order, and the kinds in theirs.
	slices.SortStableFunc(hits, func(a, b *SearchHit) int {
		return cmp.Compare(slices.Index(SearchMatches(), a.Match), slices.Index(SearchMatches(), b.Match))
	})
	return hits[:min(search.First, len(hits))], nil
}

// hits are the first hits of a kind, in their order.
func (s searchable) hits(ctx context.Context, r *Reader, text searchedFor, first int, columns []string) ([]*SearchHit, error) {
	e := s.entity(view{})
	which := func(sel *sql.Selector) {
		e.served(sel)
		sel.Where(sql.P(func(b *sql.Builder) {
			b.Join(s.best(sel, text, false)).WriteString(fmt.Sprintf(" < %d", notFoundRank))
		}))
		sel.AppendSelectExprAs(s.best(sel, text, true), searchPlaceColumn)
	}
	sort := func(sel *sql.Selector) {
		sel.OrderExpr(s.best(sel, text, false))
		label := store.OrderText(sel.Dialect(), sel.C(s.label))
		if s.down {
			label += " DESC"
		}
		sel.OrderExpr(sql.Raw(label))
		if key := sel.C(e.key); e.fields[0].kind.texts() {
			sel.OrderExpr(sql.Raw(store.OrderText(sel.Dialect(), key)))
		} else {
			sel.OrderBy(key)
		}
	}
	rows, err := s.read(ctx, r, first, which, sort, columns)
	if err != nil {
		return nil, fmt.Errorf("searching %s: %w", e.table.Name, err)
	}
	hits := make([]*SearchHit, len(rows))
	for i, row := range rows {
		read := &reading{row: row}
		place := read.int(searchPlaceColumn)
		if read.err != nil {
			return nil, read.err
		}
		match, field := place/len(s.fields), place%len(s.fields)
		hits[i] = &SearchHit{Type: s.kind, Match: SearchMatches()[match], Field: s.fields[field].name, Node: row}
	}
	return hits, nil
}

// searchPlaceColumn is the name under which is read how and where a text was found best: the place in
// [SearchMatches] times the number of the kind's fields, and the place among these.
const searchPlaceColumn = "search_place"

// best is the best rank of text in the fields of a record; with places, also in which field that is.
func (s searchable) best(sel *sql.Selector, text searchedFor, places bool) sql.Querier {
	return sql.ExprFunc(func(b *sql.Builder) {
		switch {
		case len(s.fields) == 1: // of which SQLite's min would be an aggregate
			b.WriteString("(")
		case b.Dialect() == dialect.Postgres:
			b.WriteString("LEAST(")
		default:
			b.WriteString("min(")
		}
		for i, f := range s.fields {
			if i > 0 {
				b.Comma()
			}
			rank := f.rank(sel, text)
			if places {
				b.WriteString("(").Join(rank).WriteString(fmt.Sprintf(") * %d + %d", len(s.fields), i))
			} else {
				b.Join(rank)
			}
		}
		b.WriteString(")")
	})
}
