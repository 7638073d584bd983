package resolvers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
)

// A checkpoint of the log of the tests, whose root is that of any leaf, and a verifier key.
const (
	logNote = "codex.example.com/archive\n2\nmZipX47hOlXHOULv5saP2Wlo+xR8RzTObBSZ83Nxqnw=\n\n" +
		"— codex.example.com/archive 7a/i3wFjAvXUKDg0TzMvRQ9fgxmo8yr8OMFqJ4nUzKrUFqgsWUjtGsrPZzAAaOj44pjx3O4YHPjpgcYfoJCQ3rKoFgM=\n"
	logVerifierKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
)

// fakeLog proves the bill 620547-202510 and keeps what it was asked to do.
type fakeLog struct {
	asked []string
	stop  *archive.StoppedError
	err   error
}

func (f *fakeLog) checkpoint() *archive.SignedCheckpoint {
	return &archive.SignedCheckpoint{
		Checkpoint: proof.Checkpoint{Origin: "codex.example.com/archive", Epoch: 1, Size: 2}, Note: logNote, SignedAt: querytest.At(3),
	}
}

func (f *fakeLog) Prove(_ context.Context, invoice string, revision int, enclose ...proof.Committed) (*archive.Proof, error) {
	f.asked = append(f.asked, fmt.Sprintf("prove %s, revision %d, with %v", invoice, revision, enclose))
	if invoice != "620547-202510" {
		return nil, codex.Errorf(codex.CodeNotFound, "Snapshot not found")
	}
	return &archive.Proof{LeafIndex: 1, Leaf: "codex-bill/v1\n{}\n", Hashes: []proof.Hash{{1}}, Checkpoint: logNote, File: []byte("the file\n")}, f.err
}

func (f *fakeLog) Checkpoint(context.Context) (*archive.SignedCheckpoint, error) {
	return f.checkpoint(), f.err
}

func (f *fakeLog) ProveConsistency(_ context.Context, older int64) (*proof.Consistency, error) {
	if older > 2 {
		return nil, codex.BadInput("from", "the log has 2 leaves: it does not begin with %d", older)
	}
	return &proof.Consistency{Older: older, Hashes: []proof.Hash{{2}}, Checkpoint: []byte(logNote)}, f.err
}

func (f *fakeLog) Epochs(context.Context) ([]*ent.LogEpoch, error) {
	return []*ent.LogEpoch{{ID: 2, LeafIndex: 1, LostCheckpoint: logNote, Reason: "the disk broke", OpenedBy: "ana", OpenedAt: querytest.At(2)}}, f.err
}

func (f *fakeLog) VerifierKey(context.Context) (proof.VerifierKey, error) {
	key, err := proof.ParseVerifierKey(logVerifierKey)
	if err != nil {
		return key, err
	}
	return key, f.err
}

func (f *fakeLog) Stopped(context.Context) (*archive.StoppedError, error) { return f.stop, f.err }

func (f *fakeLog) OpenEpoch(_ context.Context, reason string, by codex.Caller) (*ent.LogEpoch, error) {
	f.asked = append(f.asked, fmt.Sprintf("open an epoch by %s: %s", by.Name, reason))
	return &ent.LogEpoch{ID: 2, LeafIndex: 1, LostCheckpoint: logNote, Reason: reason, OpenedBy: by.Name, OpenedAt: querytest.At(2)}, f.err
}

func (f *fakeLog) Publish(context.Context) (*archive.SignedCheckpoint, error) {
	f.asked = append(f.asked, "publish")
	return f.checkpoint(), f.err
}

// logWorld is a log checkpoint in the database: the list of them is read there.
func logWorld(t testing.TB, db *store.DB) {
	t.Helper()
	for i, size := range []int64{1, 2} {
		if err := db.Ent().LogCheckpoint.Create().SetID(i + 1).SetEpoch(1).SetSize(size).SetNote(strings.Replace(logNote, "\n2\n", fmt.Sprintf("\n%d\n", size), 1)).
			SetSignedAt(querytest.At(2 + i)).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestABillIsProvenOverGraphQL(t *testing.T) {
	g := onWorld(t)
	note, err := json.Marshal(logNote)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ ask, want, asked string }{
		{
			`{ snapshotProof(invoiceNumber: "620547-202510", revision: 2, enclose: [CSV, LINE_ITEMS]) { leafIndex leaf hashes checkpoint file } }`,
			`{"data":{"snapshotProof":{"leafIndex":1,"leaf":"codex-bill/v1\n{}\n","hashes":["AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="],"checkpoint":` + string(note) + `,"file":"the file\n"}}}`,
			"prove 620547-202510, revision 2, with [csv line_items]",
		},
		{`{ snapshotProof(invoiceNumber: "1") { leafIndex } }`, `{"data":{"snapshotProof":null}}`, "prove 1, revision 0, with []"},
		{
			`{ snapshotProof(invoiceNumber: "1", revision: 0) { leafIndex } }`,
			`{"errors":[{"message":"revisions count from 1","path":["snapshotProof"],"locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","field":"revision"}}],"data":{"snapshotProof":null}}`, "",
		},
		{
			`{ logConsistency(from: 3) { older } }`,
			`{"errors":[{"message":"the log has 2 leaves: it does not begin with 3","path":["logConsistency"],"locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","field":"from"}}],"data":null}`, "",
		},
		{
			`mutation { openEpoch(reason: "the disk broke") { epoch { epoch openedBy } } }`,
			`{"data":{"openEpoch":{"epoch":{"epoch":2,"openedBy":"the admin"}}}}`, "open an epoch by the admin: the disk broke",
		},
		{`mutation { publishCheckpoint { checkpoint { size } } }`, `{"data":{"publishCheckpoint":{"checkpoint":{"size":2}}}}`, "publish"},
		{`{ logStop { reason message } }`, `{"data":{"logStop":null}}`, ""},
	} {
		g.archiveLog.asked, g.archiveLog.stop = nil, nil
		if got := g.ask(as(codex.RoleAdmin), c.ask, nil); got != c.want+"\n" {
			t.Errorf("%s\ngave %swant %s", c.ask, got, c.want)
		}
		if got := strings.Join(g.archiveLog.asked, "; "); got != c.asked {
			t.Errorf("%s: the log was asked to %q, want %q", c.ask, got, c.asked)
		}
	}
}

func TestWhoAsksIsToldWhyNothingIsArchived(t *testing.T) {
	g := onWorld(t)
	g.archiveLog.stop = &archive.StoppedError{Reason: archive.StopBehind, Message: "nothing is archived now: it came back from an older backup"}
	want := `{"data":{"logStop":{"reason":"behind","message":"nothing is archived now: it came back from an older backup"}}}` + "\n"
	if got := g.ask(as(codex.RoleTechnician), `{ logStop { reason message } }`, nil); got != want {
		t.Errorf("%swant %s", got, want)
	}
}

func TestLogCheckpointsComeInPages(t *testing.T) {
	eachWorld(t, func(t *testing.T, g *graph) {
		first := g.data(as(codex.RoleBilling), `{ logCheckpoints(first: 1) { totalCount nodes { size } pageInfo { hasNextPage endCursor } } }`)
		connection, ok := first["logCheckpoints"].(map[string]any)
		if !ok {
			t.Fatal(first)
		}
		info, ok := connection["pageInfo"].(map[string]any)
		if !ok || info["hasNextPage"] != true || fmt.Sprint(connection["totalCount"], connection["nodes"]) != "2 [map[size:2]]" {
			t.Fatal(first)
		}
		second := g.ask(as(codex.RoleBilling), fmt.Sprintf(
			`{ logCheckpoints(after: %q) { nodes { epoch size root signedAt } pageInfo { hasNextPage hasPreviousPage } } }`, info["endCursor"]), nil)
		want := `{"data":{"logCheckpoints":{"nodes":[{"epoch":1,"size":1,"root":"mZipX47hOlXHOULv5saP2Wlo+xR8RzTObBSZ83Nxqnw=","signedAt":"` +
			querytest.At(2).Format("2006-01-02T15:04:05Z07:00") + `"}],"pageInfo":{"hasNextPage":false,"hasPreviousPage":true}}}}` + "\n"
		if second != want {
			t.Errorf("%swant %s", second, want)
		}
	})
}
