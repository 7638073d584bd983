package plans

import (
	"slices"
	"strings"
)

// Import is what a file changes.
type Import struct {
	Plans      Diff[Plan]
	Options    Diff[FeatureOption]
	Categories Diff[FeatureCategory]
}

// Empty tells whether nothing is changed.
func (i Import) Empty() bool { return i.Plans.empty() && i.Options.empty() && i.Categories.empty() }

// Diff is what becomes of the records of one kind, in their order.
type Diff[R any] struct {
	Created   []R
	Changed   []Changed[R]
	Removed   []R // absent from the file, where the caller asked to prune
	Kept      []R // absent from the file, and staying as they are
	Unchanged []R
}

func (d Diff[R]) empty() bool { return len(d.Created)+len(d.Changed)+len(d.Removed) == 0 }

// Changed is a record before and after, and the fields that differ.
type Changed[R any] struct {
	Old, New R
	Fields   []FieldChange
}

// FieldChange is a field, by its key in the file, before and after; nil where it is not there.
type FieldChange struct {
	Field    string
	Old, New *string
}

// FeatureField is what [FieldChange.Field] of a feature begins with; its category follows.
const FeatureField = "features."

// Compare says what making current of incoming takes. What current has and incoming has not is kept, unless
// prune says to remove it; nothing of a kind that the file says nothing of is removed. Records that stay have
// the ids of current. Applied, it leaves nothing to do.
func Compare(current, incoming File, prune bool) Import {
	return Import{
		Plans: diff(current.Plans, incoming.Plans, prune, kind[Plan, Key]{
			key: func(p Plan) Key { return p.Key() }, order: compareKeys, fields: planFields,
			take: func(p Plan, id int) Plan { p.ID = id; return p }, id: func(p Plan) int { return p.ID },
		}),
		Options: diff(current.Options, incoming.Options, prune && incoming.Options != nil, kind[FeatureOption, Key]{
			key: optionKey, order: compareKeys, fields: optionFields,
			take: func(o FeatureOption, id int) FeatureOption { o.ID = id; return o }, id: func(o FeatureOption) int { return o.ID },
		}),
		Categories: diff(current.Categories, incoming.Categories, prune && incoming.Categories != nil, kind[FeatureCategory, string]{
			key: func(c FeatureCategory) string { return c.Category }, order: strings.Compare, fields: categoryFields,
			take: func(c FeatureCategory, id int) FeatureCategory { c.ID = id; return c }, id: func(c FeatureCategory) int { return c.ID },
		}),
	}
}

// kind says how records of type R are compared.
type kind[R any, K comparable] struct {
	key    func(R) K
	order  func(a, b K) int
	fields func(R) []field
	take   func(r R, id int) R
	id     func(R) int
}

// field is a field of a record, by its key in the file.
type field struct{ name, value string }

func diff[R any, K comparable](current, incoming []R, prune bool, of kind[R, K]) Diff[R] {
	byKey := func(a, b R) int { return of.order(of.key(a), of.key(b)) }
	here := make(map[K]R, len(current))
	for _, r := range current {
		here[of.key(r)] = r
	}
	var d Diff[R]
	named := make(map[K]bool, len(incoming))
	for _, next := range slices.SortedFunc(slices.Values(incoming), byKey) {
		named[of.key(next)] = true
		old, found := here[of.key(next)]
		if !found {
			d.Created = append(d.Created, of.take(next, 0))
			continue
		}
		next = of.take(next, of.id(old))
		if changes := changed(of.fields(old), of.fields(next)); len(changes) > 0 {
			d.Changed = append(d.Changed, Changed[R]{Old: old, New: next, Fields: changes})
		} else {
			d.Unchanged = append(d.Unchanged, old)
		}
	}
	for _, old := range slices.SortedFunc(slices.Values(current), byKey) {
		switch {
		case named[of.key(old)]:
		case prune:
			d.Removed = append(d.Removed, old)
		default:
			d.Kept = append(d.Kept, old)
		}
	}
	return d
}

// changed are the fields that differ: those that are there before in their order, then the new ones.
func changed(before, after []field) []FieldChange {
	var changes []FieldChange
	values := make(map[string]string, len(after))
	for _, f := range after {
		values[f.name] = f.value
	}
	known := make(map[string]bool, len(before))
	for _, f := range before {
		known[f.name] = true
		now, still := values[f.name]
		switch {
		case !still:
			changes = append(changes, FieldChange{Field: f.name, Old: &f.value})
		case now != f.value:
			changes = append(changes, FieldChange{Field: f.name, Old: &f.value, New: &now})
		}
	}
	for _, f := range after {
		if !known[f.name] {
			changes = append(changes, FieldChange{Field: f.name, New: &f.value})
		}
	}
	return changes
}

func compareKeys(a, b Key) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.Term, b.Term)
}

func planFields(p Plan) []field {
	fields := []field{{"support_level", p.SupportLevel}}
	for _, price := range Prices() {
		fields = append(fields, field{price.Name, price.Of(&p).String()})
	}
	for _, f := range p.Features {
		fields = append(fields, field{FeatureField + f.Category, f.Value})
	}
	return fields
}

// optionKey is category and value: an option has no other name.
func optionKey(o FeatureOption) Key { return Key{Name: o.Category, Term: o.Value} }

func optionFields(o FeatureOption) []field {
	return append(maybe("display_name", o.DisplayName), maybe("description", o.Description)...)
}

func categoryFields(c FeatureCategory) []field {
	fields := []field{{"display_name", c.DisplayName}}
	return append(append(fields, maybe("full_name", c.FullName)...), maybe("description", c.Description)...)
}

func maybe(name string, value *string) []field {
	if value == nil {
		return nil
	}
	return []field{{name, *value}}
}
