package syncers

import (
	"database/sql/driver"
	"slices"
	"testing"

	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"

	"github.com/hivematrix/codex/ent/migrate"
	"github.com/hivematrix/codex/history"
	"github.com/hivematrix/codex/store"
)

// declared is what an entity says of its table, whatever its record type.
type declared struct {
	name     string
	table    store.Table
	nullable map[string]bool // columns whose field can be NULL
	history  *history.Table
}

func declare[R any](e *Entity[R]) declared {
	d := declared{name: e.Name, table: e.table(), nullable: make(map[string]bool), history: e.History}
	var zero R
	for _, c := range e.Columns {
		_, d.nullable[c.Name] = c.value(&zero).(driver.Valuer)
	}
	return d
}

func everyEntity() []declared {
	return []declared{
		declare(companies()), declare(locations()), declare(contacts()), declare(contactLinks()),
		declare(sites()), declare(assets()), declare(assetLinks()), declare(tickets()), declare(timeEntries()),
	}
}

func tableNamed(t *testing.T, name string) *schema.Table {
	t.Helper()
	at := slices.IndexFunc(migrate.Tables, func(table *schema.Table) bool { return table.Name == name })
	if at < 0 {
		t.Fatalf("the schema has no table %s", name)
	}
	return migrate.Tables[at]
}

func kindOfType(typ field.Type) store.Kind {
	switch typ {
	case field.TypeInt, field.TypeInt64:
		return store.Int
	case field.TypeBool:
		return store.Bool
	case field.TypeTime:
		return store.Time
	}
	return store.Text
}

func TestAnEntityWritesEachColumnOfItsTableInItsTypeAndNoOther(t *testing.T) {
	for _, e := range everyEntity() {
		t.Run(e.table.Name, func(t *testing.T) {
			table := tableNamed(t, e.table.Name)
			for _, c := range e.table.Columns {
				at := slices.IndexFunc(table.Columns, func(s *schema.Column) bool { return s.Name == c.Name })
				if at < 0 {
					t.Errorf("the table has no column %s", c.Name)
					continue
				}
				if want := kindOfType(table.Columns[at].Type); c.Kind != want {
					t.Errorf("%s has the kind %d, the schema's is %d", c.Name, c.Kind, want)
				}
				if e.nullable[c.Name] != table.Columns[at].Nullable {
					t.Errorf("%s: its field can be NULL: %t; its column: %t", c.Name, e.nullable[c.Name], table.Columns[at].Nullable)
				}
			}
			for _, s := range table.Columns {
				if !slices.ContainsFunc(e.table.Columns, func(c store.Column) bool { return c.Name == s.Name }) {
					t.Errorf("the column %s is never written", s.Name)
				}
			}
			key := make([]string, len(table.PrimaryKey))
			for i, c := range table.PrimaryKey {
				key[i] = c.Name
			}
			if got := slices.Sorted(slices.Values(e.table.Key)); !slices.Equal(got, slices.Sorted(slices.Values(key))) {
				t.Errorf("its key is %v, the schema's is %v", got, key)
			}
		})
	}
}

func TestAHistoryTableHasExactlyTheKeyAndTheKeptColumns(t *testing.T) {
	ofVersions := []string{"id", "seen_from", "seen_to", "run_id", "changed_by", "ended_run_id", "ended_by"}
	for _, e := range everyEntity() {
		if e.history == nil {
			continue
		}
		t.Run(e.history.Name, func(t *testing.T) {
			var want []string
			for _, c := range append(slices.Clone(e.history.Key), e.history.Kept...) {
				want = append(want, c.Name)
			}
			var got []string
			for _, c := range tableNamed(t, e.history.Name).Columns {
				if !slices.Contains(ofVersions, c.Name) {
					got = append(got, c.Name)
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("the table keeps %v, the entity %v", got, want)
			}
		})
	}
}

func TestTheRegistryNamesTheEntitiesThatItsFeedsWrite(t *testing.T) {
	var registered []string
	for _, f := range (&Engine{}).registry() {
		registered = append(registered, f.entities...)
	}
	var written []string
	for _, e := range everyEntity() {
		written = append(written, e.name)
	}
	slices.Sort(registered)
	slices.Sort(written)
	if !slices.Equal(registered, written) {
		t.Errorf("the feeds name %v, the entities are %v", registered, written)
	}
}
