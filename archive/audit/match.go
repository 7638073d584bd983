package audit

import (
	"context"
	"fmt"

	"github.com/hivematrix/codex/archive/proof"
)

// Rows are found by their primary keys, all of which the log tells. A row that is not found (lost) and
// one that nobody looked for (a stray) are the same one where they agree in another key: then its
// primary key was altered.

// lost is a row that the log tells of and that was not found.
type lost struct {
	table string
	want  map[string]cell
	hash  string // of a leaf, by which it is known again
	of    subject
	leaf  int64 // of the bill that a content is of
	name  proof.Committed
}

// stray is a row that nobody looked for.
type stray struct {
	row row
	of  subject
}

// maxPending bounds what is kept to be matched at the end.
const maxPending = 100_000

func (v *verifier) lose(l lost) {
	if len(v.lost) < maxPending {
		v.lost = append(v.lost, l)
		return
	}
	v.add(v.missing(l))
}

// compare reports each column of a row that is not as it must be. What is not in want is not judged.
func (v *verifier) compare(r row, want map[string]cell, of subject) {
	for _, column := range r.table.columns {
		logged, judged := want[column]
		stands := r.get(column)
		if !judged || stands == logged {
			continue
		}
		f := Finding{Kind: Altered, Table: r.table.name, Row: r.keyText(), Invoice: of.invoice, Revision: of.revision, Column: column,
			Stands: stands.show(), Logged: logged.show(), Message: "it is not what was logged"}
		if r.table.hidden[column] {
			f.Stands, f.Logged = stands.hide(), logged.hide()
		}
		v.add(f)
	}
}

func (v *verifier) missing(l lost) Finding {
	return Finding{Kind: Missing, Table: l.table, Row: l.want[v.tables[l.table].key].text, Invoice: l.of.invoice, Revision: l.of.revision,
		Message: "the log tells of it, and there is no such row"}
}

// otherKeys are what a row of a table is known by besides its primary key.
func otherKeys(table string) [][]string {
	return map[string][][]string{
		tableSnapshots: {{"leaf_index"}, {"invoice_number", "revision"}},
		tableEvents:    {{"leaf_index"}},
		tableEpochs:    {{"leaf_index"}},
		tableContents:  {{"snapshot_id", "name"}},
		tableItems:     {{"snapshot_id", "position"}},
		tableLeaves:    {{"leaf"}},
		tableHashes:    {{"hash"}},
		tableHeads:     {{"root"}},
	}[table]
}

// keysOf are the other keys of a row, as texts.
func keysOf(table string, get func(column string) (cell, bool)) []string {
	var keys []string
	for i, columns := range otherKeys(table) {
		key, whole := fmt.Sprintf("%s %d", table, i), true
		for _, column := range columns {
			value, there := get(column)
			whole = whole && there
			key += fmt.Sprintf(" %d %q", value.kind, value.text)
		}
		if whole {
			keys = append(keys, key)
		}
	}
	return keys
}

// settleRows matches what was lost with the strays, and reports the rest of both.
func (v *verifier) settleRows(context.Context) error {
	byKey := map[string]int{}
	for i, s := range v.strays {
		for _, key := range keysOf(s.row.table.name, func(column string) (cell, bool) {
			value := s.row.get(column)
			if s.row.table.name == tableLeaves && column == "leaf" {
				value = textCell(leafHash([]byte(value.text)).String())
			}
			return value, true
		}) {
			if _, taken := byKey[key]; !taken {
				byKey[key] = i
			}
		}
	}
	found := map[int]bool{}
	for _, l := range v.lost {
		at, there := v.find(l, byKey, found)
		if !there {
			v.add(v.missing(l))
			continue
		}
		found[at] = true
		v.compare(v.strays[at].row, l.want, l.of)
	}
	for i, s := range v.strays {
		if !found[i] {
			v.add(Finding{Kind: Added, Table: s.row.table.name, Row: s.row.keyText(), Invoice: s.of.invoice, Revision: s.of.revision,
				Message: "nothing in the log tells of it"})
		}
	}
	return nil
}

func (v *verifier) find(l lost, byKey map[string]int, found map[int]bool) (int, bool) {
	keys := keysOf(l.table, func(column string) (cell, bool) {
		if l.table == tableLeaves && column == "leaf" {
			return textCell(l.hash), l.hash != ""
		}
		value, there := l.want[column]
		return value, there
	})
	for _, key := range keys {
		if at, there := byKey[key]; there && !found[at] {
			return at, true
		}
	}
	return 0, false
}

// findStrays reads the keys of all rows and keeps the rows that nobody looked for.
func (v *verifier) findStrays(ctx context.Context) error {
	for _, look := range []struct {
		table string
		known func(key int64) bool
	}{
		{tableSnapshots, func(id int64) bool { return v.bills[id] != nil || v.unproven[id] }},
		{tableEvents, func(id int64) bool { return v.eventIDs[id] }},
		{tableEpochs, v.epochKnown},
		{tableContents, v.contentKnown},
		{tableItems, v.itemKnown},
		{tableLeaves, func(index int64) bool { return 0 <= index && index < v.size }},
		{tableHashes, func(index int64) bool { return 0 <= index && index < storedCount(v.size) }},
		{tableHeads, func(size int64) bool { return 1 <= size && size <= v.size }},
	} {
		name := look.table
		key := v.tables[name].key
		var keys []int64
		err := v.scan(ctx, "SELECT "+key+" FROM "+name, 1, func(cells []cell) error {
			id, _ := cells[0].integer()
			if look.known(id) {
				return nil
			}
			if len(keys) == maxPending {
				v.add(Finding{Kind: Added, Table: name, Row: cells[0].text, Message: "nothing in the log tells of it"})
				return nil
			}
			keys = append(keys, id)
			return nil
		})
		if err != nil {
			return err
		}
		for len(keys) > 0 {
			some := keys[:min(batch, len(keys))]
			keys = keys[len(some):]
			if err := v.read(ctx, name, "WHERE "+key+" IN "+in(some)+" ORDER BY "+key, v.stray); err != nil {
				return err
			}
		}
	}
	return nil
}

// stray keeps a row, unless it belongs to a leaf that is not known any more.
func (v *verifier) stray(r row) error {
	s := stray{row: r}
	switch r.table.name {
	case tableSnapshots, tableEvents:
		revision, _ := r.get("revision").integer()
		s.of = subject{r.get("invoice_number").text, revision}
		fallthrough
	case tableEpochs:
		if leaf, ok := r.get("leaf_index").integer(); ok && v.holes[leaf] {
			return nil
		}
	case tableContents, tableItems:
		if id, ok := r.get("snapshot_id").integer(); ok && v.unproven[id] {
			return nil
		}
		if r.table.name == tableContents {
			r.cells[r.table.at["content"]] = cell{} // it may be large, and is not needed
		}
	}
	v.strays = append(v.strays, s)
	return nil
}
