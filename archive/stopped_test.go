package archive

import (
	"testing"

	"github.com/hivematrix/codex/archive/proof"
)

func TestADatabaseThatLacksWhatWasSignedIsStopped(t *testing.T) {
	one, two := proof.Hash{1}, proof.Hash{2}
	at := func(epoch int, size int64) proof.Checkpoint {
		return proof.Checkpoint{Origin: "o", Epoch: epoch, Size: size, Root: one}
	}
	epochs := func(pairs ...int) (all []epoch) {
		for i := 0; i < len(pairs); i += 2 {
			all = append(all, epoch{number: pairs[i], leafIndex: int64(pairs[i+1])})
		}
		return all
	}
	// The second epoch, from so many leaves, which names that of so many as lost.
	naming := func(leaves, size int64) []epoch {
		return []epoch{{number: 2, leafIndex: leaves, lost: at(1, size)}}
	}
	for _, c := range []struct {
		name   string
		head   proof.Checkpoint
		epochs []epoch
		known  proof.Checkpoint
		root   *proof.Hash // of the database at known's size
		want   StopReason
	}{
		{"nothing was ever signed but the empty tree", at(1, 0), nil, at(1, 0), nil, ""},
		{"the same", at(1, 5), nil, at(1, 5), &one, ""},
		{"grown", at(1, 9), nil, at(1, 5), &one, ""},
		{"an older backup", at(1, 4), nil, at(1, 5), nil, StopBehind},
		{"an empty database", at(1, 0), nil, at(1, 5), nil, StopBehind},
		{"an older backup that was continued", at(1, 9), nil, at(1, 5), &two, StopContradicts},
		{"one that was continued by more leaves at a time", at(1, 9), nil, at(1, 5), nil, StopContradicts},
		{"a backup from before the epoch", at(1, 9), nil, at(2, 5), &one, StopBehind},
		{"a second epoch, and what is known came after its beginning", at(2, 9), epochs(2, 4), at(2, 6), &one, ""},
		{"a second epoch, and what is known came before the backup", at(2, 9), epochs(2, 4), at(1, 4), &one, ""},
		{"a second epoch, and what is known was altered", at(2, 9), epochs(2, 4), at(1, 3), &two, StopContradicts},
		{"a backup that was continued, and the epoch names what is known", at(2, 9), naming(4, 3), at(1, 3), &two, ""},
		{"a backup that was continued, and what is known is an earlier one of the lost tree", at(2, 9), naming(4, 3), at(1, 2), &two, ""},
		{"a backup that was continued, and what is known is later than what the epoch names", at(2, 9), naming(4, 3), at(1, 4), &two, StopContradicts},
		{"a backup that was not continued, and what is known was altered", at(2, 9), naming(4, 7), at(1, 3), &two, StopContradicts},
		{"a second epoch that was altered", at(2, 9), naming(4, 3), at(2, 6), &two, StopContradicts},
		{"a second epoch, and what is known was lost then", at(2, 5), epochs(2, 4), at(1, 7), nil, ""},
		{"a second epoch that has grown beyond what was lost", at(2, 9), epochs(2, 4), at(1, 7), &two, ""},
		{"a third epoch that went back further than the second", at(3, 9), epochs(2, 6, 3, 4), at(1, 5), &two, ""},
		{"a third epoch that the second one stands before", at(3, 9), epochs(2, 4, 3, 6), at(2, 5), &two, StopContradicts},
	} {
		t.Run(c.name, func(t *testing.T) {
			stop := lost(standing{head: c.head, epochs: c.epochs}, c.known, c.root)
			switch {
			case stop == nil && c.want != "":
				t.Errorf("it goes on, want %s", c.want)
			case stop != nil && (stop.Reason != c.want || stop.Known != c.known || stop.Have != c.head):
				t.Errorf("it is %s (%+v, %+v), want %q", stop.Reason, stop.Known, stop.Have, c.want)
			}
		})
	}
}
