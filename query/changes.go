package query

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"entgo.io/ent/dialect/sql"
	"entgo.io/ent/schema/field"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent/contactcompanylinkversion"
)

// ChangeKind says what happened to a record.
type ChangeKind string

// The kinds.
const (
	ChangeCreated  ChangeKind = "created"  // it was seen for the first time
	ChangeChanged  ChangeKind = "changed"  // fields of it changed
	ChangeRemoved  ChangeKind = "removed"  // it was found gone
	ChangeReturned ChangeKind = "returned" // it was back, as the same record
)

// Change is what happened to a record at a moment, as the hub saw it.
type Change struct {
	At        time.Time
	Entity    Entity
	Kind      ChangeKind
	RecordID  string               // the record's key; of a link: the contact's
	Account   *codex.AccountNumber // the company that it belongs to; nil for contacts
	Label     *string              // what people call it; nil for links
	Fields    []*FieldChange       // of what changed or returned
	Run       RunRef               // what did it; empty where no run did
	ChangedBy *string              // the person who did it, where no run did

	id    int // of the version
	ended bool
}

// ChangeFilter says which changes are wanted; its zero value: all.
type ChangeFilter struct {
	Company  codex.AccountNumber // of the company itself and of what belonged to it then; empty: any
	Entity   Entity              // empty: any
	Column   string              // only changes of this kept column; empty: any
	Run      codex.RunID         // empty: any
	From, To time.Time           // at or after, and before; zero: any
}

// Changes is a page of the changes that filter wants, newest first. Those of one moment are ordered
// by entity, what is gone last, and by when they were written.
//
// A record that was removed before it was kept what ended a version is ascribed to the run of its feed
// that was at work at that moment.
func (r *Reader) Changes(ctx context.Context, page Page, filter ChangeFilter) (*PageOf[*Change], error) {
	limit, err := page.limit()
	if err != nil {
		return nil, err
	}
	after, err := changeAfter(page.After)
	if err != nil {
		return nil, err
	}
	question, err := r.question(ctx, filter)
	if err != nil || question == nil {
		return cut(page, []*Change{}, changeCursor), err
	}
	var all []*Change
	for _, t := range question.tables {
		begun, err := r.begun(ctx, t, question, after, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, begun...)
	}
	slices.SortFunc(all, newestFirst)
	for _, t := range question.tables {
		if filter.Column != "" {
			break // what is removed has changed no field
		}
		var since time.Time // removals are few among the versions that ended: look no further than needed
		if len(all) >= limit {
			since = all[limit-1].At
		}
		gone, err := r.gone(ctx, t, question, after, since, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, gone...)
		slices.SortFunc(all, newestFirst)
	}
	return cut(page, all[:min(len(all), limit)], changeCursor), nil
}

// CountChanges is how many changes filter wants.
func (r *Reader) CountChanges(ctx context.Context, filter ChangeFilter) (int, error) {
	question, err := r.question(ctx, filter)
	if err != nil || question == nil {
		return 0, err
	}
	total := 0
	for _, t := range question.tables {
		for _, ended := range []bool{false, true} {
			if ended && filter.Column != "" {
				continue
			}
			rows, err := r.versionRows(ctx, t.entity, func(s *sql.Selector) {
				question.narrow(s, t, ended, question.Column != "" || question.Company != "")
				s.Select()
				s.AppendSelectExprAs(sql.Raw("COUNT(*)"), asRead+"count")
			})
			if err != nil {
				return 0, fmt.Errorf("counting changes of %s: %w", t.entity, err)
			}
			for _, row := range rows {
				counted := &reading{row: row}
				total += counted.int(asRead + "count")
				if counted.err != nil {
					return 0, counted.err
				}
			}
		}
	}
	return total, nil
}

// question is a filter that was looked at: the tables it asks, and the runs it is about.
type question struct {
	ChangeFilter
	tables []versionTable
	runs   *writers // nil: whatever did it
}

// question looks at a filter. It is nil where nothing can match.
func (r *Reader) question(ctx context.Context, filter ChangeFilter) (*question, error) {
	q := &question{ChangeFilter: filter}
	for _, e := range Entities() {
		t := versionsOf(e)
		if (filter.Entity == "" || filter.Entity == e) && (filter.Column == "" || slices.Contains(KeptColumns(e), filter.Column)) {
			q.tables = append(q.tables, t)
		}
	}
	if len(q.tables) == 0 {
		return nil, codex.BadInput("field", "the history keeps no such field of these records")
	}
	if filter.Run == "" {
		return q, nil
	}
	run, err := r.Run(ctx, filter.Run, writerColumns()...)
	switch {
	case codex.CodeOf(err) == codex.CodeNotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	if q.runs = writersOf(run); q.runs == nil {
		return nil, nil
	}
	q.tables = slices.DeleteFunc(q.tables, func(t versionTable) bool { return !q.runs.wrote(t) })
	return q, nil
}

// momentOf is the column with the time of a change.
func momentOf(ended bool) string {
	if ended {
		return fieldSeenTo
	}
	return fieldSeenFrom
}

// narrow tells the versions that began, or ended and were the last for then, in a change that q
// asks for. Versions that began get the one before them joined where withBefore says that it is
// needed: for its values, or for a column or company that is asked for.
func (q *question) narrow(s *sql.Selector, t versionTable, ended, withBefore bool) *sql.SelectTable {
	before := sql.Table(t.Name).As("before")
	at := s.C(momentOf(ended))
	switch {
	case ended:
		s.Where(sql.And(sql.NotNull(at), sql.NotExists(t.sibling(s, "next", func(next *sql.SelectTable) *sql.Predicate {
			return sql.ColumnsEQ(next.C(fieldSeenFrom), at)
		}))))
	case withBefore:
		last := t.sibling(s, "earlier", func(earlier *sql.SelectTable) *sql.Predicate {
			return sql.ColumnsLT(earlier.C(fieldSeenFrom), at)
		})
		last.OrderBy(sql.Desc(last.C(fieldSeenFrom))).Limit(1)
		s.LeftJoin(before).OnP(sql.P(func(b *sql.Builder) {
			b.Ident(before.C(fieldVersionID)).WriteString(" = (").Join(last).WriteString(")")
		}))
	}
	if q.Column != "" {
		s.Where(sql.And(sql.NotNull(before.C(fieldSeenFrom)), sql.P(func(b *sql.Builder) {
			b.Ident(before.C(q.Column)).WriteString(" IS DISTINCT FROM ").Ident(s.C(q.Column))
		})))
	}
	if q.Company != "" {
		q.narrowToCompany(s, t, before, ended)
	}
	if q.runs != nil {
		q.runs.narrow(s, t, ended)
	}
	if !q.From.IsZero() {
		s.Where(sql.GTE(at, q.From))
	}
	if !q.To.IsZero() {
		s.Where(sql.LT(at, q.To))
	}
	return before
}

// narrowToCompany tells the versions of a company itself and of what belonged to it, or has just
// left it.
func (q *question) narrowToCompany(s *sql.Selector, t versionTable, before *sql.SelectTable, ended bool) {
	column, account := t.account(), string(q.Company)
	switch {
	case column == "": // contacts: by their links at that moment, of which an index finds the few
		at := s.C(momentOf(ended))
		ever := sql.Table(contactcompanylinkversion.Table).As("ever")
		then := sql.Table(contactcompanylinkversion.Table).As("then")
		s.Where(sql.And(
			sql.In(s.C(t.key[0]), sql.Dialect(s.Dialect()).Select(ever.C(t.key[0])).From(ever).Where(sql.EQ(ever.C(fieldAccount), account))),
			sql.Exists(sql.Dialect(s.Dialect()).Select(then.C(fieldVersionID)).From(then).Where(sql.And(
				sql.ColumnsEQ(then.C(t.key[0]), s.C(t.key[0])),
				sql.EQ(then.C(fieldAccount), account),
				sql.ColumnsLTE(then.C(fieldSeenFrom), at),
				sql.Or(sql.IsNull(then.C(fieldSeenTo)), sql.ColumnsGTE(then.C(fieldSeenTo), at)),
			))),
		))
	case ended || slices.Contains(t.key, column):
		s.Where(sql.EQ(s.C(column), account))
	default: // an index finds what was ever of that company; few of them are not of it now
		ever := sql.Table(t.Name).As("ever")
		s.Where(sql.And(
			sql.In(s.C(t.key[0]), sql.Dialect(s.Dialect()).Select(ever.C(t.key[0])).From(ever).Where(sql.EQ(ever.C(column), account))),
			sql.Or(sql.EQ(s.C(column), account), sql.EQ(before.C(column), account)),
		))
	}
}

// sibling are the ids of those other versions of the same row that which tells.
func (t versionTable) sibling(s *sql.Selector, as string, which func(*sql.SelectTable) *sql.Predicate) *sql.Selector {
	other := sql.Table(t.Name).As(as)
	same := []*sql.Predicate{which(other)}
	for _, key := range t.key {
		same = append(same, sql.ColumnsEQ(other.C(key), s.C(key)))
	}
	return sql.Dialect(s.Dialect()).Select(other.C(fieldVersionID)).From(other).Where(sql.And(same...))
}

// begun are the newest changes after a cursor with which a version of t began.
func (r *Reader) begun(ctx context.Context, t versionTable, q *question, after *Change, limit int) ([]*Change, error) {
	return r.changesOf(ctx, t, false, func(s *sql.Selector) {
		before := q.narrow(s, t, false, true)
		after.narrow(s, t.entity, false)
		for _, column := range t.ofBefore() {
			s.AppendSelectAs(before.C(column), asOld+column)
		}
		s.Limit(limit)
	})
}

// ofBefore are the columns that tell what changed against the version before.
func (t versionTable) ofBefore() []string {
	columns := []string{fieldSeenTo, fieldSeenFrom}
	for _, column := range t.kept() {
		columns = append(columns, column.Name)
	}
	return columns
}

// gone are the newest changes after a cursor, and not before since, with which a version of t ended
// and no other followed.
func (r *Reader) gone(ctx context.Context, t versionTable, q *question, after *Change, since time.Time, limit int) ([]*Change, error) {
	return r.changesOf(ctx, t, true, func(s *sql.Selector) {
		q.narrow(s, t, true, false)
		after.narrow(s, t.entity, true)
		if !since.IsZero() {
			s.Where(sql.GTE(s.C(fieldSeenTo), since))
		}
		s.Limit(limit)
	})
}

func (r *Reader) changesOf(ctx context.Context, t versionTable, ended bool, which func(*sql.Selector)) ([]*Change, error) {
	rows, err := r.versionRows(ctx, t.entity, func(s *sql.Selector) {
		which(s)
		t.read(s, ended)
		s.OrderBy(sql.Desc(s.C(momentOf(ended))), sql.Desc(s.C(fieldVersionID)))
	})
	if err != nil {
		return nil, fmt.Errorf("reading changes of %s: %w", t.entity, err)
	}
	return t.changes(rows, ended)
}

// read reads what [versionTable.change] takes of the version itself.
func (t versionTable) read(s *sql.Selector, ended bool) {
	s.AppendSelectAs(s.C(fieldVersionID), asRead+fieldVersionID)
	for _, column := range []string{momentOf(ended), fieldRunID, fieldChangedBy, fieldEndedRunID, fieldEndedBy} {
		s.AppendSelectAs(s.C(column), asRead+column)
	}
	for _, key := range t.key {
		s.AppendSelectAs(s.C(key), asNew+key)
	}
	for _, column := range t.kept() {
		s.AppendSelectAs(s.C(column.Name), asNew+column.Name)
	}
}

func (t versionTable) changes(rows []row, ended bool) ([]*Change, error) {
	changes := make([]*Change, len(rows))
	for i, row := range rows {
		var err error
		if changes[i], err = t.change(&reading{row: row}, ended); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// change is what the row of a version that began or ended tells.
func (t versionTable) change(row *reading, ended bool) (*Change, error) {
	plain := func(name string) *string { return row.text(name, field.TypeString) }
	c := &Change{
		At: row.moment(asRead + momentOf(ended)), Entity: t.entity, Kind: ChangeRemoved, ended: ended,
		id: row.int(asRead + fieldVersionID), RecordID: *row.text(asNew+t.key[0], field.TypeString),
	}
	if column := t.account(); column != "" {
		c.Account = (*codex.AccountNumber)(plain(asNew + column))
	}
	if t.label != "" {
		c.Label = plain(asNew + t.label)
	}
	if ended {
		c.Run, c.ChangedBy = t.endOf(row, c.At)
		return c, row.err
	}
	c.ChangedBy = plain(asRead + fieldChangedBy)
	if run := plain(asRead + fieldRunID); run != nil {
		c.Run = RunRefOf(codex.RunID(*run))
	}
	if row.time(asOld+fieldSeenFrom) == nil {
		c.Kind = ChangeCreated
		return c, row.err
	}
	c.Kind = ChangeReturned
	if until := row.time(asOld + fieldSeenTo); until != nil && until.Equal(c.At) {
		c.Kind = ChangeChanged
	}
	c.Fields = t.differences(row.kept(asOld), row.kept(asNew))
	return c, row.err
}

// endOf is what ended a version at a moment, whose columns of that were read: a run, or a person. Where
// neither is kept it was the run of its feed that was at work then.
func (t versionTable) endOf(row *reading, at time.Time) (run RunRef, by *string) {
	id := row.text(asRead+fieldEndedRunID, field.TypeString)
	by = row.text(asRead+fieldEndedBy, field.TypeString)
	switch {
	case id != nil:
		run = RunRefOf(codex.RunID(*id))
	case by == nil:
		run = runAtWork(t.feed, at)
	}
	return run, by
}

// newestFirst is the order of changes.
func newestFirst(a, b *Change) int {
	return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.rank(), b.rank()), cmp.Compare(b.id, a.id))
}

// rank orders the changes of one moment: by entity, and what is gone behind what began.
func (c *Change) rank() int { return rankOf(c.Entity, c.ended) }

func rankOf(e Entity, ended bool) int {
	rank := slices.Index(Entities(), e)
	if ended {
		rank += len(Entities())
	}
	return rank
}

// narrow tells those versions of an entity, begun or ended, that come after c in [newestFirst].
func (c *Change) narrow(s *sql.Selector, e Entity, ended bool) {
	if c == nil {
		return
	}
	at := s.C(momentOf(ended))
	switch rank := rankOf(e, ended); {
	case rank < c.rank():
		s.Where(sql.LT(at, c.At))
	case rank > c.rank():
		s.Where(sql.LTE(at, c.At))
	default:
		s.Where(sql.And(sql.LTE(at, c.At), sql.Or(sql.LT(at, c.At), sql.LT(s.C(fieldVersionID), c.id))))
	}
}

func changeCursor(c *Change) string {
	return encodeCursor(byNewestChange, c.At.UTC().Format(cursorTimeForm), string(c.Entity), strconv.FormatBool(c.ended), strconv.Itoa(c.id))
}

// changeAfter is the place of a cursor in the list, nil for its beginning.
func changeAfter(cursor string) (*Change, error) {
	if cursor == "" {
		return nil, nil
	}
	keys, err := decodeCursor(cursor, byNewestChange, 4)
	if err != nil {
		return nil, err
	}
	at, err := timeKey(keys[0])
	if err != nil {
		return nil, err
	}
	ended, endedErr := strconv.ParseBool(keys[2])
	id, idErr := strconv.Atoi(keys[3])
	if endedErr != nil || idErr != nil || !slices.Contains(Entities(), Entity(keys[1])) {
		return nil, codex.BadInput("after", noSuchCursor)
	}
	return &Change{At: at, Entity: Entity(keys[1]), ended: ended, id: id}, nil
}
