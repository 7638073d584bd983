package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/hivematrix/codex/archive/proof"
)

// readKey reads the log's key, and decides with which one signatures are verified.
func (v *verifier) readKey(ctx context.Context) error {
	v.key = v.o.Key
	err := v.read(ctx, tableKeys, "ORDER BY id", func(r row) error {
		v.keys = append(v.keys, r)
		return nil
	})
	if err != nil {
		return err
	}
	if v.o.Key.Origin() != "" {
		v.report.KeyGiven = true
	} else if len(v.keys) > 0 {
		v.key, _ = proof.ParseVerifierKey(v.keys[0].get("verifier_key").text) // judged below
	}
	v.report.Key = v.key.String()
	v.moments[1] = moment{}
	return v.openAgainst()
}

// judgeKey compares the row of the log's key with the key that signatures are verified with. It was
// recorded with the log's first leaf, at that leaf's time.
func (v *verifier) judgeKey(context.Context) error {
	if len(v.keys) == 0 {
		if len(v.checkpoints) > 0 || v.report.KeyGiven && v.size > 0 {
			v.add(Finding{Kind: Missing, Table: tableKeys, Row: "1", Message: "the log has a key, and there is no row of it"})
		}
		return nil
	}
	want := map[string]cell{"id": numberCell(int64(1))}
	if first := v.moments[1]; first.known && first.logged != (cell{}) {
		want["recorded_at"] = first.logged
	}
	if v.key.Origin() != "" {
		want["origin"], want["verifier_key"] = textCell(v.key.Origin()), textCell(v.key.String())
	} else {
		v.add(Finding{Kind: Altered, Table: tableKeys, Row: v.keys[0].keyText(), Column: "verifier_key",
			Stands: v.keys[0].get("verifier_key").show(), Message: "it is no verifier key, so no signature could be verified"})
	}
	v.compare(v.keys[0], want, subject{})
	for _, more := range v.keys[1:] {
		v.add(Finding{Kind: Added, Table: tableKeys, Row: more.keyText(), Message: "a log has one key"})
	}
	return nil
}

// checkpoint is a row of a signed log checkpoint.
type checkpoint struct {
	id                    int64
	epoch, size, signedAt cell
	opened                *proof.Checkpoint // nil: it is not one that the key signed
	refused               error
}

// readCheckpoints reads all of them and verifies their signatures.
func (v *verifier) readCheckpoints(ctx context.Context) error {
	return v.read(ctx, tableCheckpoints, "ORDER BY id", func(r row) error {
		c := checkpoint{epoch: r.get("epoch"), size: r.get("size"), signedAt: r.get("signed_at")}
		c.id, _ = r.get("id").integer()
		opened, err := proof.OpenCheckpoint([]byte(r.get("note").text), v.key)
		if c.refused = err; err == nil {
			c.opened = &opened
			v.moments[opened.Size] = moment{}
		}
		v.checkpoints = append(v.checkpoints, c)
		v.report.Checkpoints++
		return nil
	})
}

// judgeCheckpoints compares the checkpoints with the tree, and with each other.
func (v *verifier) judgeCheckpoints(context.Context) error {
	var opened []*checkpoint
	sizes := map[proof.Checkpoint]int64{}
	for i := range v.checkpoints {
		c := &v.checkpoints[i]
		if c.opened != nil {
			opened = append(opened, c)
			if numberCell(c.opened.Size) == c.size {
				sizes[*c.opened] = c.id
			}
		}
	}
	if len(opened) == 0 && len(v.checkpoints) > 0 && !v.report.KeyGiven && v.key.Origin() != "" {
		v.add(Finding{Kind: Altered, Table: tableKeys, Row: v.keys[0].keyText(), Column: "verifier_key",
			Stands: v.keys[0].get("verifier_key").show(), Message: "no log checkpoint that the database keeps was signed with it"})
	}
	if len(opened) > 0 || v.report.KeyGiven || len(v.checkpoints) == 1 {
		for _, c := range v.checkpoints {
			if c.opened == nil {
				v.add(c.finding(Altered, "note", "it is no log checkpoint that the log's key signed: "+c.refused.Error()))
			}
		}
	}
	kept := opened[:0]
	for _, c := range opened {
		// A note that stands in another row, too, was put in the place of what stood here.
		if other, twice := sizes[*c.opened]; twice && other != c.id {
			v.add(c.finding(Altered, "note", fmt.Sprintf("it is that of row %d", other)))
			continue
		}
		v.compareCheckpoint(c)
		kept = append(kept, c)
	}
	v.judgeNumbers(kept)
	v.judgeRoots(kept)
	return nil
}

func (c *checkpoint) finding(kind Kind, column, message string) Finding {
	return Finding{Kind: kind, Table: tableCheckpoints, Row: strconv.FormatInt(c.id, 10), Column: column, Message: message}
}

// compareCheckpoint compares the columns of a row with its note. It bears the time of the last leaf that
// it signs.
func (v *verifier) compareCheckpoint(c *checkpoint) {
	for _, column := range []struct {
		name           string
		stands, logged cell
		judged         bool
	}{
		{"epoch", c.epoch, numberCell(c.opened.Epoch), true},
		{"size", c.size, numberCell(c.opened.Size), true},
		{"signed_at", c.signedAt, v.moments[c.opened.Size].logged, v.moments[c.opened.Size].logged != (cell{})},
	} {
		if column.judged && column.stands != column.logged {
			f := c.finding(Altered, column.name, "it is not that of the signed note")
			f.Stands, f.Logged = column.stands.show(), column.logged.show()
			v.add(f)
		}
	}
}

// judgeNumbers sees that checkpoints are numbered in the order in which the log grew, without gaps.
func (v *verifier) judgeNumbers(opened []*checkpoint) {
	unopened := map[int64]bool{}
	for _, c := range v.checkpoints {
		unopened[c.id] = true
	}
	for _, c := range opened {
		delete(unopened, c.id)
	}
	byTree := slices.SortedFunc(slices.Values(opened), func(a, b *checkpoint) int {
		return cmp.Or(cmp.Compare(a.opened.Epoch, b.opened.Epoch), cmp.Compare(a.opened.Size, b.opened.Size))
	})
	inOrder := rising(byTree)
	last := int64(0)
	for i, c := range byTree {
		if !inOrder[i] {
			last++
			f := c.finding(Altered, "id", "checkpoints are numbered in the order in which the log grew")
			f.Stands, f.Logged = numberCell(c.id).show(), numberCell(last).show()
			v.add(f)
			continue
		}
		first := last + 1
		for first < c.id && unopened[first] {
			first++
		}
		if first < c.id {
			v.add(Finding{Kind: Missing, Table: tableCheckpoints, Row: span(first, c.id-1), Column: "id",
				Message: "checkpoints are numbered without gaps: it was taken away, or the number of the next was altered"})
		}
		last = c.id
	}
}

// rising tells which checkpoints stand in a longest row of rising numbers.
func rising(all []*checkpoint) []bool {
	var tails []int // of the rows of each length, the one that ends lowest
	before := make([]int, len(all))
	for i, c := range all {
		at, _ := slices.BinarySearchFunc(tails, c.id, func(tail int, id int64) int { return cmp.Compare(all[tail].id, id) })
		before[i] = -1
		if at > 0 {
			before[i] = tails[at-1]
		}
		if at == len(tails) {
			tails = append(tails, i)
		} else {
			tails[at] = i
		}
	}
	in := make([]bool, len(all))
	if len(tails) > 0 {
		for i := tails[len(tails)-1]; i >= 0; i = before[i] {
			in[i] = true
		}
	}
	return in
}

// judgeRoots compares what was signed with the tree.
func (v *verifier) judgeRoots(opened []*checkpoint) {
	right := int64(0)
	for _, c := range slices.SortedFunc(slices.Values(opened), func(a, b *checkpoint) int { return cmp.Compare(a.opened.Size, b.opened.Size) }) {
		least, most := v.sizesOf(c.opened.Epoch)
		now := v.moments[c.opened.Size]
		switch {
		case c.opened.Size > v.size:
			v.add(Finding{Kind: Missing, Table: tableLeaves, Row: span(v.size, c.opened.Size-1),
				Message: fmt.Sprintf("the log checkpoint %d was signed over %d leaves, and the log has %d: its end was taken away", c.id, c.opened.Size, v.size)})
			return
		case (c.opened.Size < least || c.opened.Size > most || c.opened.Epoch > 1 && !v.epochKnown(int64(c.opened.Epoch))) && !v.blurred:
			v.add(c.finding(Disordered, "", fmt.Sprintf("epoch %d had no such tree", c.opened.Epoch)))
		case !now.known:
		case now.root != c.opened.Root:
			v.add(Finding{Kind: Altered, Table: tableLeaves, Row: span(right, c.opened.Size-1),
				Message: fmt.Sprintf("among these leaves is one that was altered, added or taken away: the tree of %d leaves is not the one that was signed (log checkpoint %d)",
					c.opened.Size, c.id)})
			return
		default:
			right = c.opened.Size
			v.report.Signed = right
		}
	}
}

// openAgainst opens the log checkpoint from elsewhere.
func (v *verifier) openAgainst() error {
	if v.o.Against == nil {
		return nil
	}
	if v.key.Origin() == "" {
		return errors.New("the database has no verifier key: give the one that the log checkpoint was published with")
	}
	opened, err := proof.OpenCheckpoint(v.o.Against, v.key)
	var refused *proof.Error
	if errors.As(err, &refused) && !v.report.KeyGiven && (refused.Part == proof.PartOrigin || refused.Part == proof.PartSignature) {
		v.add(Finding{Kind: Diverged, Table: tableKeys, Row: v.keys[0].keyText(), Column: "verifier_key", Stands: v.keys[0].get("verifier_key").show(),
			Message: "the log checkpoint that it is compared with was signed with another key: it is another log's, or the key was altered"})
		return nil
	}
	if err != nil {
		return fmt.Errorf("the log checkpoint to compare with: %w", err)
	}
	v.against = &opened
	v.moments[opened.Size] = moment{}
	return nil
}

// judgeAgainst compares the log with a log checkpoint from elsewhere: it must begin with that tree.
func (v *verifier) judgeAgainst() {
	if v.against == nil {
		return
	}
	then, newest := *v.against, v.lastEpoch()
	_, most := v.sizesOf(then.Epoch)
	now := v.moments[then.Size]
	named, isNamed := v.named(then)
	f := Finding{Table: tableLeaves}
	switch {
	case then.Epoch > newest:
		f.Kind, f.Message = Behind, fmt.Sprintf("the log checkpoint is of epoch %d, the database of epoch %d: it is an older copy", then.Epoch, newest)
	case then.Size > most && then.Epoch < newest:
		f.Kind, f.Row = Missing, span(most, then.Size-1)
		f.Message = fmt.Sprintf("epoch %d began behind an older copy of the database, which had %d leaves: what the log checkpoint had beyond them is lost, as leaf %d says",
			v.beganWith(most), most, most)
	case then.Size > v.size:
		f.Kind, f.Row = Behind, span(v.size, then.Size-1)
		f.Message = fmt.Sprintf("the log checkpoint has %d leaves, the database %d: it is an older copy, or its end was taken away", then.Size, v.size)
	case !now.known:
		f.Kind, f.Message = Diverged, "leaves are gone that the log checkpoint had, so its tree cannot be computed"
	case now.root != then.Root && isNamed:
		f.Kind, f.Row = Missing, span(0, then.Size-1)
		f.Message = fmt.Sprintf("the tree of %d leaves is not the one that was signed then: it is lost, as leaf %d says, which begins epoch %d", then.Size, named.leaf, named.number)
	case now.root != then.Root:
		f.Kind, f.Row = Diverged, span(0, then.Size-1)
		f.Message = fmt.Sprintf("the tree of %d leaves is not the one that was signed then: one of them was altered, added or taken away since", then.Size)
	default:
		v.report.Against = &Against{Origin: then.Origin, Epoch: then.Epoch, Size: then.Size, Proven: !v.holed(then.Size)}
		v.judgeKept(then)
		return
	}
	v.report.Against = &Against{Origin: then.Origin, Epoch: then.Epoch, Size: then.Size}
	v.add(f)
}

// holed tells whether one of the first leaves is missing or altered.
func (v *verifier) holed(size int64) bool {
	for hole := range v.holes {
		if hole < size {
			return true
		}
	}
	return v.broken
}

// judgeKept sees that the database still has the row of a checkpoint that it gave away, unless it has a
// later one: of two processes that sign at once the earlier one's is not kept, and a row that was taken
// away left a gap in their numbers.
func (v *verifier) judgeKept(then proof.Checkpoint) {
	if v.o.AgainstOwn {
		return
	}
	for _, c := range v.checkpoints {
		if c.opened != nil && (c.opened.Epoch > then.Epoch || c.opened.Epoch == then.Epoch && c.opened.Size > then.Size) {
			return
		}
		if c.opened != nil && *c.opened == then || c.opened == nil && c.size == numberCell(then.Size) {
			return
		}
	}
	v.add(Finding{Kind: Missing, Table: tableCheckpoints, Message: fmt.Sprintf("the log checkpoint of epoch %d over %d leaves was signed, and there is no row of it", then.Epoch, then.Size)})
}
