package query

import (
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex/store"
)

// pageOf is a page of the records of an entity, which read reads.
func pageOf[T row](v view, of func(view) entity, page Page, list List, read func(limit int, which, sort func(*sql.Selector)) ([]T, error)) (*PageOf[T], error) {
	limit, err := page.limit()
	if err != nil {
		return nil, err
	}
	l, err := v.listing(of(v), list)
	if err != nil {
		return nil, err
	}
	which, err := l.page(page)
	if err != nil {
		return nil, err
	}
	rows, err := read(limit, which, l.sort)
	if err != nil {
		return nil, fmt.Errorf("reading a page of %s: %w", l.entity.table.Name, err)
	}
	return cutListing(l, page, rows)
}

// countOf is how many records of an entity filter wants, which count counts.
func countOf(v view, of func(view) entity, filter Filter, count func(which func(*sql.Selector)) (int, error)) (int, error) {
	l, err := v.listing(of(v), List{Filter: filter})
	if err != nil {
		return 0, err
	}
	n, err := count(l.filter)
	if err != nil {
		return 0, fmt.Errorf("counting %s: %w", l.entity.table.Name, err)
	}
	return n, nil
}

// Edge says which of the records at an edge are wanted: those of List, and of these the First of each
// parent (1 to [MaxPage]); 0: all.
type Edge struct {
	List
	First int
}

// edgeOf is an edge as it is read: the first ones of each of keys by a numbered view, all by what all
// tells, which holds the parents' keys.
func edgeOf[K store.Key](v view, e entity, edge Edge, parent string, through *link, keys []K, all func(*sql.Selector)) (which, sort func(*sql.Selector), err error) {
	l, err := v.listing(e, edge.List)
	if err != nil {
		return nil, nil, err
	}
	if edge.First > 0 {
		return limitedTo(l, parent, through, keys, edge.First), l.sort, nil
	}
	return func(s *sql.Selector) { all(s); l.filter(s) }, l.sort, nil
}
