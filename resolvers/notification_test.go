package resolvers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/notify"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
)

// fakeNotifier knows the notification n1 and keeps what it was asked to do.
type fakeNotifier struct {
	asked []string
	tried notify.Tried
}

func (f *fakeNotifier) Redeliver(_ context.Context, id string) (*ent.Notification, error) {
	f.asked = append(f.asked, "redeliver "+id)
	if id != "n1" {
		return nil, codex.Errorf(codex.CodeNotFound, "there is no notification %s", id)
	}
	at := querytest.At(3)
	return &ent.Notification{ID: id, Kind: "sync.failed", Subject: "feed/datto", Body: `{"id":"n1"}`, CreatedAt: at, NextAt: &at}, nil
}

func (f *fakeNotifier) Try(_ context.Context, by codex.Caller) (*notify.Tried, error) {
	f.asked = append(f.asked, "try by "+by.Name)
	return &f.tried, nil
}

// notificationWorld is one notification of each state, the newest last: delivered, given up, waiting.
func notificationWorld(t *testing.T, db *store.DB) {
	t.Helper()
	for i, id := range []string{"n1", "n2", "n3"} {
		create := db.Ent().Notification.Create().SetID(id).SetKind("sync.failed").SetSubject("feed/datto").
			SetBody(fmt.Sprintf(`{"id":%q,"facts":{"<n>":1.50}}`, id)).SetCreatedAt(querytest.At(1 + i/2)).SetAttempts(i + 1)
		switch id {
		case "n1":
			create.SetDeliveredAt(querytest.At(2))
		case "n2":
			create.SetGaveUpAt(querytest.At(3)).SetLastError("it answered 500")
		case "n3":
			create.SetNextAt(querytest.At(4)).SetLastError("it answered 500")
		}
		if err := create.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNotificationsThatNobodyHasAreListedNewestFirst(t *testing.T) {
	eachWorld(t, func(t *testing.T, g *graph) {
		notificationWorld(t, g.sync.db)
		const ask = "query($after: String, $all: Boolean) { notifications(first: 1, after: $after, delivered: $all) { totalCount pageInfo { hasNextPage endCursor } nodes { id } } }"
		type page struct {
			Data struct {
				Notifications struct {
					TotalCount int
					PageInfo   struct {
						HasNextPage bool
						EndCursor   string
					}
					Nodes []struct{ ID string }
				}
			}
		}
		for _, c := range []struct {
			all  bool
			want string
		}{{false, "n3 n2 of 2"}, {true, "n3 n2 n1 of 3"}} {
			var got []string
			variables := map[string]any{"all": c.all}
			for more := true; more; {
				var p page
				if err := json.Unmarshal([]byte(g.ask(as(codex.RoleAdmin), ask, variables)), &p); err != nil {
					t.Fatal(err)
				}
				list := p.Data.Notifications
				got = append(got, list.Nodes[0].ID)
				if more = list.PageInfo.HasNextPage; !more {
					got = append(got, "of", fmt.Sprint(list.TotalCount))
				}
				variables["after"] = list.PageInfo.EndCursor
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("delivered %v: %s, want %s", c.all, text, c.want)
			}
		}
		want := `{"data":{"notifications":{"nodes":[{"id":"n2","kind":"sync.failed","subject":"feed/datto","body":{"id":"n2","facts":{"<n>":1.50}},` +
			`"createdAt":"2025-10-01T12:00:00Z","nextAt":null,"attempts":2,"deliveredAt":null,"gaveUpAt":"2025-10-03T12:00:00Z","lastError":"it answered 500"}]}}}`
		got := g.ask(as(codex.RoleAdmin), `{ notifications(first: 1, after: "`+cursorOf(t, g)+`") { nodes { id kind subject body createdAt nextAt attempts deliveredAt gaveUpAt lastError } } }`, nil)
		if got != want+"\n" {
			t.Errorf("got %swant %s", got, want)
		}
		bad := g.ask(as(codex.RoleAdmin), `{ notifications(after: "x") { totalCount } }`, nil)
		if !strings.Contains(bad, `"extensions":{"code":"BAD_USER_INPUT","field":"after"}`) {
			t.Error(bad)
		}
	})
}

// cursorOf is the cursor of the newest notification.
func cursorOf(t *testing.T, g *graph) string {
	t.Helper()
	var p struct {
		Data struct {
			Notifications struct{ Edges []struct{ Cursor string } }
		}
	}
	if err := json.Unmarshal([]byte(g.ask(as(codex.RoleAdmin), "{ notifications(first: 1) { edges { cursor } } }", nil)), &p); err != nil {
		t.Fatal(err)
	}
	return p.Data.Notifications.Edges[0].Cursor
}

func TestANotificationIsTriedAndRedelivered(t *testing.T) {
	g := onWorld(t)
	for _, c := range []struct {
		tried            notify.Tried
		ask, want, asked string
	}{
		{notify.Tried{}, `mutation { redeliverNotification(id: "n1") { notification { id attempts nextAt } } }`,
			`{"data":{"redeliverNotification":{"notification":{"id":"n1","attempts":0,"nextAt":"2025-10-03T12:00:00Z"}}}}`, "redeliver n1"},
		{notify.Tried{}, `mutation { redeliverNotification(id: "n9") { notification { id } } }`,
			`{"errors":[{"message":"there is no notification n9","path":["redeliverNotification"],"locations":[{"line":1,"column":12}],"extensions":{"code":"NOT_FOUND"}}],"data":null}`, "redeliver n9"},
		{notify.Tried{ID: "t1", Delivered: true, Status: 204, Message: "it answered 204"}, "mutation { testNotification { id delivered status message } }",
			`{"data":{"testNotification":{"id":"t1","delivered":true,"status":204,"message":"it answered 204"}}}`, "try by the admin"},
		{notify.Tried{ID: "t2", Message: "connection refused"}, "mutation { testNotification { id delivered status message } }",
			`{"data":{"testNotification":{"id":"t2","delivered":false,"status":null,"message":"connection refused"}}}`, "try by the admin"},
	} {
		g.notifier.asked, g.notifier.tried = nil, c.tried
		if got := g.ask(as(codex.RoleAdmin), c.ask, nil); got != c.want+"\n" {
			t.Errorf("%s\ngave %swant %s", c.ask, got, c.want)
		}
		if got := strings.Join(g.notifier.asked, "; "); got != c.asked {
			t.Errorf("%s: asked was %q, want %q", c.ask, got, c.asked)
		}
	}
}

func TestTheLastVerificationOfTheLogIsShown(t *testing.T) {
	eachWorld(t, func(t *testing.T, g *graph) {
		const ask = "{ logVerification { at ok failures findings epoch size error } }"
		shows := func(want string) {
			t.Helper()
			if got := g.ask(as(codex.RoleTechnician), ask, nil); got != want+"\n" {
				t.Errorf("got %swant %s", got, want)
			}
		}
		shows(`{"data":{"logVerification":null}}`)
		create := g.sync.db.Ent().LogVerification.Create
		if err := create().SetBeganAt(querytest.At(1)).SetEndedAt(querytest.At(2)).SetOk(false).SetFailures(22).
			SetFindings(`["altered: snapshots 1"]`).SetEpoch(1).SetSize(9).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		shows(`{"data":{"logVerification":{"at":"2025-10-02T12:00:00Z","ok":false,"failures":22,"findings":["altered: snapshots 1"],"epoch":1,"size":9,"error":null}}}`)
		if err := create().SetBeganAt(querytest.At(2)).SetEndedAt(querytest.At(3)).SetOk(false).SetFailures(0).
			SetFindings("[]").SetEpoch(0).SetSize(0).SetError("It could not be found out.").Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		shows(`{"data":{"logVerification":{"at":"2025-10-03T12:00:00Z","ok":false,"failures":0,"findings":[],"epoch":0,"size":0,"error":"It could not be found out."}}}`)
	})
}
