package audit

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hivematrix/codex/archive/proof"
)

// findSize decides how many leaves the log has: what at least two of leaves, stored hashes and heads
// say, so that one row that was moved far off, or taken away at the end, does not decide it.
func (v *verifier) findSize(ctx context.Context) error {
	var sizes []int64
	for _, query := range []string{
		"SELECT MAX(leaf_index) + 1 FROM log_leaves",
		"SELECT MAX(hash_index) + 1 FROM log_hashes",
		"SELECT MAX(size) FROM log_heads",
	} {
		n, _, err := v.one(ctx, query)
		if err != nil {
			return err
		}
		sizes = append(sizes, max(0, min(n, 2*proof.MaxSize)))
	}
	sizes[1] = sizeOf(sizes[1])
	slices.Sort(sizes)
	v.size = sizes[1]
	return nil
}

// entry is a leaf that is as it was logged.
type entry struct {
	index int64
	leaf  proof.Leaf // nil for a hole
}

// log verifies the leaves from low up to high, and the rows that they stand for. It gives where the
// next ones begin, which is further on where there is nothing.
func (v *verifier) log(ctx context.Context, low, high int64) (next int64, err error) {
	read, err := v.readLog(ctx, low, high)
	if err != nil {
		return 0, err
	}
	if len(read.leaves) == 0 && len(read.hashes) == 0 {
		return v.gap(ctx, low)
	}
	var entries []entry
	var holes []Finding
	for i := low; i < high; i++ {
		leaf, hole := v.judgeLeaf(i, read)
		entries = append(entries, entry{i, leaf})
		if leaf == nil {
			v.holes[i], v.blurred = true, true
			holes = append(holes, hole)
			continue
		}
		v.follow(i, leaf)
	}
	if err := v.explainHoles(ctx, holes); err != nil {
		return 0, err
	}
	return high, v.rows(ctx, entries)
}

// gap is about leaves of which nothing is left.
func (v *verifier) gap(ctx context.Context, low int64) (next int64, err error) {
	next, there, err := v.one(ctx, fmt.Sprintf("SELECT MIN(leaf_index) FROM log_leaves WHERE leaf_index >= %d", low))
	if err != nil {
		return 0, err
	}
	if !there || next > v.size {
		next = v.size
	}
	v.broken, v.blurred = true, true
	v.add(Finding{Kind: Missing, Table: tableLeaves, Row: span(low, next-1), Message: "these leaves and their hashes are gone, so nothing is proven of what comes after"})
	// Of the rows that stood for them nothing is known.
	for _, name := range []string{tableSnapshots, tableEvents, tableEpochs} {
		query := fmt.Sprintf("SELECT %s, leaf_index FROM %s WHERE leaf_index >= %d AND leaf_index < %d", v.tables[name].key, name, low, next)
		err := v.scan(ctx, query, 2, func(cells []cell) error {
			id, _ := cells[0].integer()
			leaf, _ := cells[1].integer()
			v.holes[leaf] = true
			switch name {
			case tableSnapshots:
				v.unproven[id] = true
			case tableEvents:
				v.events++
				v.eventIDs[v.events] = true
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return next, nil
}

func span(first, last int64) string {
	if first == last {
		return strconv.FormatInt(first, 10)
	}
	return strconv.FormatInt(first, 10) + " to " + strconv.FormatInt(last, 10)
}

// logRows are the rows of the log for some leaves, by their keys.
type logRows struct {
	leaves, hashes, heads map[int64]row
}

func (v *verifier) readLog(ctx context.Context, low, high int64) (*logRows, error) {
	read := &logRows{leaves: map[int64]row{}, hashes: map[int64]row{}, heads: map[int64]row{}}
	for _, from := range []struct {
		table     string
		low, high int64
		into      map[int64]row
	}{
		{tableLeaves, low, high, read.leaves},
		{tableHashes, storedCount(low), storedCount(high), read.hashes},
		{tableHeads, low + 1, high + 1, read.heads},
	} {
		key := v.tables[from.table].key
		condition := fmt.Sprintf("WHERE %s >= %d AND %s < %d ORDER BY %s", key, from.low, key, from.high, key)
		err := v.read(ctx, from.table, condition, func(r row) error {
			n, _ := r.get(key).integer()
			if _, twice := from.into[n]; twice {
				v.twice(r, subject{})
				return nil
			}
			from.into[n] = r
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return read, nil
}

// twice is about a second row with a key: who could take the key's index away could add one.
func (v *verifier) twice(r row, of subject) {
	v.add(Finding{Kind: Added, Table: r.table.name, Row: r.keyText(), Invoice: of.invoice, Revision: of.revision, Message: "there is another row with that key"})
}

// judgeLeaf verifies the leaf at i and the hashes and the head that it brought. It gives the leaf, or
// nil and what is wrong with it.
func (v *verifier) judgeLeaf(i int64, read *logRows) (proof.Leaf, Finding) {
	stands, there := read.leaves[i]
	leaf, hash, hole := v.chooseLeaf(i, stands, there, read)
	if v.broken {
		return leaf, hole
	}
	grown, added := v.tree.add(hash)
	v.tree = grown
	for k, hash := range added {
		v.expect(tableHashes, read.hashes, storedCount(i)+int64(k), map[string]cell{
			"hash_index": numberCell(storedCount(i) + int64(k)), "hash": textCell(hash.String()),
		})
	}
	logged := cell{}
	if leaf != nil {
		logged = timeCell(loggedAt(leaf))
	}
	v.judgeHead(i, read, logged)
	v.note(v.tree, logged)
	return leaf, hole
}

// chooseLeaf decides between a leaf and its stored hash where they differ: the head of the tree that
// it brought says which of them was there.
func (v *verifier) chooseLeaf(i int64, stands row, there bool, read *logRows) (proof.Leaf, proof.Hash, Finding) {
	stored, hasStored := parseHash(cellAt(read.hashes, storedCount(i), "hash"))
	if !there {
		// Without its hash nothing can be computed from here on.
		v.broken = v.broken || !hasStored
		return nil, stored, Finding{Kind: Missing, Table: tableLeaves, Row: strconv.FormatInt(i, 10), Logged: stored.String()}
	}
	body := stands.get("leaf")
	hash := leafHash([]byte(body.text))
	altered := Finding{Kind: Altered, Table: tableLeaves, Row: strconv.FormatInt(i, 10), Column: "leaf",
		Message: "it is not the leaf that was hashed into the tree; nothing is proven of the row that it stands for"}
	if body.kind != text {
		return nil, stored, altered
	}
	if hasStored && hash != stored {
		head, _ := parseHash(cellAt(read.heads, i+1, "root"))
		if grown, _ := v.tree.add(hash); v.broken || grown.root() != head {
			return nil, stored, altered
		}
	}
	leaf, err := proof.DecodeLeaf([]byte(body.text))
	if err != nil {
		return nil, hash, Finding{Kind: Disordered, Table: tableLeaves, Row: strconv.FormatInt(i, 10), Column: "leaf", Message: "it is no leaf: " + err.Error()}
	}
	return leaf, hash, Finding{}
}

func cellAt(rows map[int64]row, key int64, column string) cell {
	if r, there := rows[key]; there {
		return r.get(column)
	}
	return cell{}
}

// expect compares the row with a key with what it must be.
func (v *verifier) expect(name string, rows map[int64]row, key int64, want map[string]cell) {
	if r, there := rows[key]; there {
		v.compare(r, want, subject{})
		return
	}
	v.lose(lost{table: name, want: want})
}

// judgeHead verifies the head that leaf i brought.
func (v *verifier) judgeHead(i int64, read *logRows, logged cell) {
	root := v.tree.root()
	want := map[string]cell{"size": numberCell(i + 1)}
	if logged != (cell{}) {
		want["appended_at"] = logged
	}
	head, there := read.heads[i+1]
	if !there {
		want["root"] = textCell(root.String())
		v.lose(lost{table: tableHeads, want: want})
		return
	}
	v.compare(head, want, subject{})
	v.run.head(v, i+1, head.get("root"), root)
}

// headRun is a run of heads whose root is not the tree's. Where it ends these heads were altered; where
// it lasts to the end of the log, it is the tree that was altered, from the leaf before the first on.
type headRun struct {
	first, last int64
	altered     []Finding
}

// maxRun is how many heads of a run are named one by one.
const maxRun = 16

func (h *headRun) head(v *verifier, size int64, stands cell, root proof.Hash) {
	if stands == textCell(root.String()) {
		h.flush(v)
		return
	}
	if h.first == 0 {
		h.first = size
	}
	h.last = size
	if len(h.altered) < maxRun {
		h.altered = append(h.altered, Finding{Kind: Altered, Table: tableHeads, Row: strconv.FormatInt(size, 10), Column: "root",
			Stands: stands.show(), Logged: textCell(root.String()).show(), Message: "it is not the root of the tree of so many leaves"})
	}
}

func (h *headRun) flush(v *verifier) {
	for _, finding := range h.altered {
		v.add(finding)
	}
	if rest := h.first + int64(len(h.altered)); h.first > 0 && rest <= h.last {
		v.add(Finding{Kind: Altered, Table: tableHeads, Row: span(rest, h.last), Column: "root", Message: "they are not the roots of trees of so many leaves"})
	}
	*h = headRun{}
}

func (h *headRun) end(v *verifier) {
	if h.last > h.first {
		v.add(Finding{Kind: Altered, Table: tableLeaves, Row: strconv.FormatInt(h.first-1, 10), Column: "leaf",
			Message: "from this leaf on the tree is another than its heads say: the leaf and its hash were altered, put in or exchanged"})
	}
	h.flush(v)
}

// note keeps the tree at a size that a checkpoint is about.
func (v *verifier) note(t tree, logged cell) {
	if _, asked := v.moments[t.size]; asked && !v.broken {
		v.moments[t.size] = moment{known: true, root: t.root(), logged: logged}
	}
}

// loggedAt is when a leaf was made.
func loggedAt(leaf proof.Leaf) time.Time {
	switch leaf := leaf.(type) {
	case proof.Bill:
		return leaf.LoggedAt
	case proof.Reopening:
		return leaf.LoggedAt
	case proof.Closing:
		return leaf.LoggedAt
	case proof.Redaction:
		return leaf.LoggedAt
	case proof.NewEpoch:
		return leaf.LoggedAt
	}
	return time.Time{}
}

// explainHoles names the bills of leaves that are holes by the rows that stand for them, which nothing
// proves, and reports them.
func (v *verifier) explainHoles(ctx context.Context, holes []Finding) error {
	if len(holes) == 0 {
		return nil
	}
	indexes := make([]int64, len(holes))
	for i, hole := range holes {
		indexes[i], _ = strconv.ParseInt(hole.Row, 10, 64)
	}
	of := map[string]subject{}
	for _, name := range []string{tableSnapshots, tableEvents} {
		err := v.read(ctx, name, "WHERE leaf_index IN "+in(indexes), func(r row) error {
			revision, _ := r.get("revision").integer()
			of[r.get("leaf_index").text] = subject{r.get("invoice_number").text, revision}
			if id, ok := r.get("id").integer(); ok && name == tableSnapshots {
				v.unproven[id] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, hole := range holes {
		hole.Invoice, hole.Revision = of[hole.Row].invoice, of[hole.Row].revision
		if hole.Kind != Missing {
			v.add(hole)
			continue
		}
		index, _ := strconv.ParseInt(hole.Row, 10, 64)
		v.lose(lost{table: tableLeaves, want: map[string]cell{"leaf_index": numberCell(index)}, hash: hole.Logged, of: of[hole.Row]})
	}
	return nil
}

// state is how a bill stands after the leaves so far.
type state struct {
	revision int64
	open     bool
}

// follow verifies that a leaf may come after those before it.
func (v *verifier) follow(i int64, leaf proof.Leaf) {
	disorder := func(invoice string, revision int64, message string) {
		if !v.blurred {
			v.add(Finding{Kind: Disordered, Table: tableLeaves, Row: strconv.FormatInt(i, 10), Invoice: invoice, Revision: revision, Message: message})
		}
	}
	switch leaf := leaf.(type) {
	case proof.Bill:
		before := v.states[leaf.InvoiceNumber]
		switch {
		case leaf.Revision != before.revision+1:
			disorder(leaf.InvoiceNumber, leaf.Revision, fmt.Sprintf("revision %d came before it", before.revision))
		case before.revision > 0 && !before.open:
			disorder(leaf.InvoiceNumber, leaf.Revision, "no reopening came before it")
		}
		v.states[leaf.InvoiceNumber] = state{revision: leaf.Revision}
	case proof.Reopening:
		v.event(leaf.InvoiceNumber, leaf.Revision, true, disorder)
	case proof.Closing:
		v.event(leaf.InvoiceNumber, leaf.Revision, false, disorder)
	case proof.Redaction:
		v.redact(i, leaf)
	case proof.NewEpoch:
		// One that is passed over began behind the backup, and was lost with what is named here.
		if last := v.lastEpoch(); leaf.Epoch <= last {
			disorder("", 0, fmt.Sprintf("epoch %d came before it", last))
		}
		v.epochs = append(v.epochs, epoch{number: leaf.Epoch, leaf: i, opening: leaf})
	}
}

func (v *verifier) event(invoice string, revision int64, opens bool, disorder func(string, int64, string)) {
	before := v.states[invoice]
	switch {
	case before.revision != revision:
		disorder(invoice, revision, fmt.Sprintf("the newest revision was %d", before.revision))
	case before.open == opens:
		disorder(invoice, revision, "the bill stood so already")
	}
	v.states[invoice] = state{revision: max(before.revision, revision), open: opens}
}

// epoch is an epoch after the first.
type epoch struct {
	number  int
	leaf    int64
	opening proof.NewEpoch
}

// lastEpoch is the number of the newest epoch.
func (v *verifier) lastEpoch() int {
	if len(v.epochs) == 0 {
		return 1
	}
	return v.epochs[len(v.epochs)-1].number
}

// beganWith is the number of the epoch whose first leaf this is.
func (v *verifier) beganWith(leaf int64) int {
	for _, e := range v.epochs {
		if e.leaf == leaf {
			return e.number
		}
	}
	return 1
}

// sizesOf are the sizes that the checkpoints of an epoch may have, both included.
func (v *verifier) sizesOf(number int) (least, most int64) {
	most = v.size
	for _, e := range v.epochs {
		if e.number == number {
			least = e.leaf + 1
		}
		if e.number > number {
			most = min(most, e.leaf)
		}
	}
	return least, most
}

// named is the epoch by which the log itself says that a log checkpoint is of another tree: it names
// that very one as lost, or a later one of the same epoch although the database had as many leaves. Then
// an older copy had been continued, and what is earlier in the lost tree may contradict this one, too.
func (v *verifier) named(then proof.Checkpoint) (epoch, bool) {
	for _, e := range v.epochs {
		lost, err := proof.OpenCheckpoint([]byte(e.opening.LostCheckpoint), v.key)
		if err == nil && (lost == then || lost.Epoch == then.Epoch && then.Size <= lost.Size && lost.Size <= e.leaf) {
			return e, true
		}
	}
	return epoch{}, false
}
