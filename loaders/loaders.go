package loaders

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vikstrous/dataloadgen"

	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// wait is how long a batch collects keys. Each level of a query waits that long, so it is the
// smallest wait at which siblings still come together: at 100 µs, measured with 2,000 siblings on
// two cores, batches were split and the database worked 30 % more, at 1 ms they were not. The
// number of statements does not depend on it: see the package's description.
const wait = time.Millisecond

// Loaders are those of one request. They are safe for concurrent use.
type Loaders struct {
	reader *query.Reader

	mu      sync.Mutex
	batches map[string]any // a *batch by place
	rows    map[any]any    // what was read, a []P by placed[P]
}

// placed is where rows of type P were read: a search reads several types at one place.
type placed[P any] struct{ place string }

// New makes the loaders of a request.
func New(reader *query.Reader) *Loaders {
	return &Loaders{reader: reader, batches: map[string]any{}, rows: map[any]any{}}
}

type contextKey struct{}

// With is ctx with the loaders of the request.
func With(ctx context.Context, l *Loaders) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

func from(ctx context.Context) (*Loaders, error) {
	l, ok := ctx.Value(contextKey{}).(*Loaders)
	if !ok {
		return nil, errors.New("the request has no loaders")
	}
	return l, nil
}

// Announce says that rows were read by the root field that ctx resolves, so that the edges below it
// know who is about to ask.
func Announce[P any](ctx context.Context, rows ...P) error {
	l, err := from(ctx)
	if err != nil {
		return err
	}
	note(l, placeOf(ctx), rows)
	return nil
}

// placeOf is where the field that ctx resolves stands in the query: response keys, without the
// positions in lists, each with the object that it is of. In a union's members one key may stand for
// fields that have nothing in common, with other arguments and selections.
func placeOf(ctx context.Context) string {
	var names []string
	for fc := graphql.GetFieldContext(ctx); fc != nil; fc = fc.Parent {
		if fc.Field.Field != nil {
			names = append(names, fc.Object+":"+fc.Field.Alias)
		}
	}
	var place strings.Builder
	for i := len(names) - 1; i >= 0; i-- {
		place.WriteString(names[i])
		if i > 0 {
			place.WriteByte('.')
		}
	}
	return place.String()
}

// note keeps rows as read at place.
func note[P any](l *Loaders, place string, rows []P) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := placed[P]{place}
	before, _ := l.rows[key].([]P)
	l.rows[key] = append(before, rows...)
}

// above are the rows of type P that were read at the nearest place above place.
func above[P any](l *Loaders, place string) []P {
	l.mu.Lock()
	defer l.mu.Unlock()
	for cut := strings.LastIndexByte(place, '.'); cut > 0; cut = strings.LastIndexByte(place[:cut], '.') {
		if rows, ok := l.rows[placed[P]{place[:cut]}].([]P); ok {
			return rows
		}
	}
	return nil
}

// edge leads from a P to a V, by a key of P.
type edge[P any, K store.Key, V any] struct {
	object string // the GraphQL type that it leads to, whose columns are looked for; empty: none
	key    func(P) K
	fetch  func(ctx context.Context, r *query.Reader, keys []K, columns []string) (map[K]V, error)
	// noted keeps what was found as read at its place, for the edges below; nil: there are none.
	noted func(l *Loaders, place string, found []V)
}

// batch is an edge at a place.
type batch[P any, K store.Key, V any] struct {
	edge    edge[P, K, V]
	loaders *Loaders
	place   string
	columns []string
	loader  *dataloadgen.Loader[K, V]

	fetching sync.Mutex
	found    map[K]V // zero where there is nothing
	failed   error   // what went wrong once is not tried again in the same request
}

// load is where the edge e leads from parent, at the place that ctx resolves.
func load[P any, K store.Key, V any](ctx context.Context, e edge[P, K, V], parent P) (V, error) {
	l, err := from(ctx)
	if err != nil {
		var none V
		return none, err
	}
	return batchAt(ctx, l, e).loader.Load(ctx, e.key(parent))
}

func batchAt[P any, K store.Key, V any](ctx context.Context, l *Loaders, e edge[P, K, V]) *batch[P, K, V] {
	place := placeOf(ctx)
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.batches[place].(*batch[P, K, V]); ok {
		return b
	}
	b := &batch[P, K, V]{edge: e, loaders: l, place: place, found: map[K]V{}}
	if e.object != "" {
		b.columns = Columns(ctx, e.object)
	}
	b.loader = dataloadgen.NewLoader(b.fetch, dataloadgen.WithWait(wait))
	l.batches[place] = b
	return b
}

// fetch answers a batch of keys, and with the first one all that are going to be asked for.
func (b *batch[P, K, V]) fetch(ctx context.Context, keys []K) ([]V, []error) {
	b.fetching.Lock()
	defer b.fetching.Unlock()
	if b.failed != nil {
		return nil, []error{b.failed}
	}
	if missing := b.missing(keys); len(missing) > 0 {
		got, err := b.edge.fetch(ctx, b.loaders.reader, missing, b.columns)
		if err != nil {
			b.failed = err
			return nil, []error{err}
		}
		values := make([]V, 0, len(missing))
		for _, key := range missing {
			b.found[key] = got[key]
			values = append(values, got[key])
		}
		if b.edge.noted != nil {
			b.edge.noted(b.loaders, b.place, values)
		}
	}
	values := make([]V, len(keys))
	for i, key := range keys {
		values[i] = b.found[key]
	}
	return values, nil
}

// missing are those of keys that were not read yet and, if there are any, also those that the rows
// above are going to ask for.
func (b *batch[P, K, V]) missing(keys []K) []K {
	var missing []K
	seen := make(map[K]bool)
	add := func(key K) {
		if _, known := b.found[key]; !known && !seen[key] {
			seen[key] = true
			missing = append(missing, key)
		}
	}
	for _, key := range keys {
		add(key)
	}
	if len(missing) > 0 {
		for _, parent := range above[P](b.loaders, b.place) {
			add(b.edge.key(parent))
		}
	}
	return missing
}

// notedLists keeps the rows of lists, notedOnes those of single objects.
func notedLists[C any](l *Loaders, place string, lists [][]C) {
	for _, list := range lists {
		note(l, place, list)
	}
}

func notedOnes[C any](l *Loaders, place string, ones []*C) {
	for _, one := range ones {
		if one != nil {
			note(l, place, []*C{one})
		}
	}
}
