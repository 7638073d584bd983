package proof_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hivematrix/codex/archive/proof"
)

// grown is a log whose tree of size leaves goes on; what is lost lies behind size in the branch.
type grown struct {
	proof.Memory
	size int64
}

func (g *grown) add(t testing.TB, label string, count int) {
	t.Helper()
	hashes := make([]proof.Hash, count)
	for i := range hashes {
		hashes[i] = proof.LeafHash(fmt.Appendf(nil, "%s %d", label, i))
	}
	added, err := proof.Append(t.Context(), g.Memory, g.size, hashes...)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Store(added.Stored); err != nil {
		t.Fatal(err)
	}
	g.size = added.Size
}

func (g *grown) sign(t testing.TB, key *proof.SigningKey, epoch int) []byte {
	t.Helper()
	root, err := proof.Root(t.Context(), g.Memory, g.size)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := proof.SignCheckpoint(proof.Checkpoint{
		Origin: key.VerifierKey().Origin(), Epoch: epoch, Size: g.size, Root: root,
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (g *grown) prove(t testing.TB, older int64, newer []byte) []byte {
	t.Helper()
	hashes, err := proof.ProveConsistency(t.Context(), g.Memory, older, g.size)
	if err != nil {
		t.Fatal(err)
	}
	text, err := proof.Consistency{Older: older, Hashes: hashes, Checkpoint: newer}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestALogThatOnlyGrewProvesIt(t *testing.T) {
	signing, key := logKeys(t)
	for _, row := range []struct {
		older, more         int
		olderEpoch, inEpoch int
	}{
		{0, 0, 1, 1}, {0, 7, 1, 1}, {1, 0, 1, 1}, {5, 3, 1, 1}, {8, 8, 1, 1}, {6, 1, 1, 2}, {6, 9, 2, 5},
	} {
		t.Run(fmt.Sprintf("%d and %d more", row.older, row.more), func(t *testing.T) {
			var log grown
			log.add(t, "old", row.older)
			older := log.sign(t, signing, row.olderEpoch)
			log.add(t, "new", row.more)
			newer := log.sign(t, signing, row.inEpoch)
			file := log.prove(t, int64(row.older), newer)
			from, to, err := proof.VerifyConsistency(older, file, key)
			if err != nil {
				t.Fatal(err)
			}
			if from.Size != int64(row.older) || to.Size != log.size || to.Epoch != row.inEpoch {
				t.Errorf("it leads from %+v to %+v", from, to)
			}
		})
	}
}

func TestAProofOfConsistencyIsTheRequestThatWitnessesTake(t *testing.T) {
	signing, _ := logKeys(t)
	var log grown
	log.add(t, "old", 6)
	log.add(t, "new", 5)
	golden(t, "grown.consistency", log.prove(t, 6, log.sign(t, signing, 1)))
}

func TestALogThatChangedItsPastCannotProveThatItDidNot(t *testing.T) {
	signing, key := logKeys(t)
	another, _ := keysOf(t, "another.example")

	var honest, restored, rewritten grown
	honest.add(t, "common", 6)
	before := honest.sign(t, signing, 1)
	honest.add(t, "lost", 4)
	published := honest.sign(t, signing, 1)

	restored.add(t, "common", 6)
	restored.add(t, "the next epoch", 1)
	nextEpoch := restored.sign(t, signing, 2)
	restored.add(t, "after it", 9)
	longer := restored.sign(t, signing, 2)

	rewritten.add(t, "rewritten", 16)
	rewrittenNow := rewritten.sign(t, signing, 1)

	file := func(older int64, log *grown, checkpoint []byte) string {
		size := log.size
		defer func() { log.size = size }()
		switch string(checkpoint) {
		case string(nextEpoch):
			log.size = 7
		}
		return string(log.prove(t, older, checkpoint))
	}
	good := file(6, &restored, longer)
	if _, _, err := proof.VerifyConsistency(before, []byte(good), key); err != nil {
		t.Fatal(err)
	}
	at := strings.Index(good, "\n") + 1
	for name, row := range map[string]struct {
		older []byte
		file  string
		part  proof.Part
	}{
		"no proof at all":              {before, "", proof.PartFile},
		"a size with a zero":           {before, strings.Replace(good, "old 6", "old 06", 1), proof.PartFile},
		"older beyond newer":           {before, strings.Replace(good, "old 6", "old 17", 1), proof.PartFile},
		"a hash that is none":          {before, good[:at] + "x" + good[at:], proof.PartFile},
		"a hash of other bits":         {before, good[:at+42] + "B=" + good[at+44:], proof.PartFile},
		"no checkpoint":                {before, good[:strings.Index(good, "\n\n")+2], proof.PartCheckpoint},
		"a hash less":                  {before, good[:at] + good[at+45:], proof.PartConsistency},
		"a hash twice":                 {before, good[:at] + good[at:at+45] + good[at:], proof.PartConsistency},
		"a proof from elsewhere":       {published, good, proof.PartConsistency},
		"a past that was lost":         {published, file(10, &restored, longer), proof.PartConsistency},
		"a past that was rewritten":    {before, file(6, &rewritten, rewrittenNow), proof.PartConsistency},
		"an epoch back":                {nextEpoch, file(7, &honest, published), proof.PartConsistency},
		"another log's past":           {honest.sign(t, another, 1), file(10, &restored, longer), proof.PartOrigin},
		"a past that nobody signed":    {[]byte(strings.Replace(string(before), "\n6\n", "\n5\n", 1)), good, proof.PartSignature},
		"a present that nobody signed": {before, strings.Replace(good, "\n16\n", "\n17\n", 1), proof.PartSignature},
	} {
		t.Run(name, func(t *testing.T) {
			from, to, err := proof.VerifyConsistency(row.older, []byte(row.file), key)
			if from != (proof.Checkpoint{}) || to != (proof.Checkpoint{}) {
				t.Errorf("it leads from %+v to %+v", from, to)
			}
			wantPart(t, err, row.part)
		})
	}

	lost, err := proof.OpenCheckpoint(published, key)
	if err != nil {
		t.Fatal(err)
	}
	short, err := proof.OpenCheckpoint(nextEpoch, key)
	if err != nil {
		t.Fatal(err)
	}
	wantPart(t, proof.CheckConsistency(lost, short, nil), proof.PartConsistency)
	short.Epoch = 1
	wantPart(t, proof.CheckConsistency(lost, short, nil), proof.PartConsistency)
	wantPart(t, proof.CheckConsistency(proof.Checkpoint{Origin: "a"}, proof.Checkpoint{Origin: "b"}, nil), proof.PartOrigin)
	wantPart(t, proof.CheckConsistency(proof.Checkpoint{}, proof.Checkpoint{}, make([]proof.Hash, 1)), proof.PartConsistency)
}

func TestNoProofOfConsistencyIsWrittenThatWouldNotBeRead(t *testing.T) {
	_, signed := sampleCheckpoint(t, 1)
	for name, p := range map[string]proof.Consistency{
		"no checkpoint":      {Older: 1},
		"older than nothing": {Older: -1, Checkpoint: signed},
		"older beyond newer": {Older: 12, Checkpoint: signed},
		"too many hashes":    {Older: 1, Checkpoint: signed, Hashes: make([]proof.Hash, 64)},
	} {
		t.Run(name, func(t *testing.T) {
			if text, err := p.Encode(); err == nil {
				t.Errorf("it was written:\n%s", text)
			}
		})
	}
}
