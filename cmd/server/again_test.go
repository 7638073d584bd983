package main

import (
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/store/storetest"
)

// ids are the ids by which Ledger keeps its overrides: of assets by Datto UID, of contacts by their
// id in Freshservice.
type ids struct{ assets, contacts map[string]string }

func (s *served) ids(token string) ids {
	s.t.Helper()
	got := s.graphQL(token, `{ companies(first: 1000) { nodes { assets { id dattoUid } contacts { id freshserviceId } } } }`)
	type company struct {
		Assets   []struct{ ID, DattoUID string }
		Contacts []struct{ ID, FreshserviceID string }
	}
	found := ids{map[string]string{}, map[string]string{}}
	for _, c := range into[struct {
		Data struct{ Companies struct{ Nodes []company } }
	}](s.t, got.body).Data.Companies.Nodes {
		for _, a := range c.Assets {
			found.assets[a.DattoUID] = a.ID
		}
		for _, p := range c.Contacts {
			found.contacts[p.FreshserviceID] = p.ID
		}
	}
	return found
}

func TestASecondSyncOfTheSameUpstreamsChangesNothing(t *testing.T) {
	for _, dialectName := range storetest.Dialects() {
		t.Run(dialectName, func(t *testing.T) {
			i := install(t, dialectName)
			first := runs(t, i.must("sync", "all", "--json"))
			for _, flags := range [][]string{nil, {"--full-sync"}, {"--dry-run"}} {
				second := runs(t, i.must(append([]string{"sync", "all", "--json"}, flags...)...))
				for feed, run := range second {
					if first[feed]["created"] == 0.0 {
						t.Errorf("%s created nothing the first time", feed)
					}
					if run["created"] != 0.0 || run["updated"] != 0.0 || run["removed"] != 0.0 || run["unchanged"] == 0.0 {
						t.Errorf("%v: %v", flags, run)
					}
				}
				if len(second) != 3 {
					t.Errorf("%v: %d feeds", flags, len(second))
				}
			}
		})
	}
}

func TestIdsNeverChange(t *testing.T) {
	i := install(t, dialect.SQLite)
	i.must("sync", "all")
	s, token := i.serve(), i.token("service")
	before := s.ids(token)
	if len(before.assets) < 100 || len(before.contacts) < 40 {
		t.Fatalf("%d assets, %d contacts", len(before.assets), len(before.contacts))
	}

	// Everything that happens to machines and people: another name, another site, a new system.
	upstream, truth := i.upstream, i.upstream.Truth()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var plain []string // devices that are no fixture's: of Contoso's first site
	sites := map[string]string{}
	for _, d := range truth.Devices {
		if d.SiteUID == nil || d.Hostname == nil || before.assets[d.UID] == "" {
			continue
		}
		sites[d.UID] = *d.SiteUID
		plain = append(plain, d.UID)
	}
	renamed, moved, reimaged := plain[len(plain)-1], plain[len(plain)-2], plain[len(plain)-3]
	must(upstream.RenameDevice(renamed, "NEW-NAME-01"))
	for uid := range sites {
		if sites[uid] != sites[moved] && uid != renamed && uid != reimaged {
			must(upstream.MoveDevice(moved, sites[uid]))
			break
		}
	}
	newUID, err := upstream.ReimageDevice(reimaged)
	must(err)
	for _, r := range truth.Requesters[:3] {
		must(upstream.RenameRequester(r.ID, "Renamed", "Person"))
	}
	i.must("sync", "all")

	after := s.ids(token)
	if after.assets[newUID] != before.assets[reimaged] {
		t.Errorf("the machine %s has id %q after it was re-imaged, and had %q", reimaged, after.assets[newUID], before.assets[reimaged])
	}
	delete(before.assets, reimaged)
	for uid, id := range before.assets {
		if after.assets[uid] != id {
			t.Errorf("machine %s: id %s, then %q", uid, id, after.assets[uid])
		}
	}
	for person, id := range before.contacts {
		if after.contacts[person] != id {
			t.Errorf("person %s: id %s, then %q", person, id, after.contacts[person])
		}
	}
	hostname := s.graphQL(token, `{ asset(id: "`+before.assets[renamed]+`") { hostname } }`)
	if want := `{"data":{"asset":{"hostname":"NEW-NAME-01"}}}` + "\n"; hostname.body != want {
		t.Errorf("%s, want %s", hostname.body, want)
	}
}
