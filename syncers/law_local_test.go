package syncers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/syncers"
)

// TestLawNoSyncTouchesWhatIsLocal: whatever the world does, what persons say in between, in whatever
// order, is as they said it after every sync, and no run has written a version of it.
func TestLawNoSyncTouchesWhatIsLocal(t *testing.T) {
	law(t, func(r *rapid.T, h *shaken) {
		said := newWords()
		for n := range rapid.IntRange(2, 4).Draw(r, "steps") {
			h.pass(time.Hour)
			for range rapid.IntRange(1, 5).Draw(r, "changes of persons") {
				h.speak(r, said)
			}
			h.heeds("right after", said)
			h.change(r, n+1, true)
			fields := []any{nil, "PBX", "Cloud"}
			for _, customer := range h.customers() {
				h.must(h.world.SetDepartmentField(customer.ID, "phone_system", rapid.SampledFrom(fields).Draw(r, "Freshservice's phone system")))
			}
			for _, feed := range codex.Feeds() {
				h.run(syncers.Request{Feed: feed, Force: rapid.Bool().Draw(r, "force")})
				h.heeds("after "+string(feed), said)
			}
			h.sound()
		}
		for _, feed := range codex.Feeds() { // what was held, or unread, is done by now
			h.run(syncers.Request{Feed: feed, Force: true})
			run := h.run(syncers.Request{Feed: feed, DryRun: true})
			if c := syncers.Total(h.counts(run)); run.State != codex.RunSucceeded || c.Created+c.Updated+c.Removed+c.Held != 0 {
				h.t.Errorf("planning %s again: %s, %+v", feed, run.State, h.counts(run))
			}
		}
		h.heeds("in the end", said)
	})
}

// words is what persons have said and not taken back, by row: the line that the row must show.
type words struct{ phones, supports, employments, contactLinks, assetLinks map[string]string }

func newWords() *words {
	return &words{
		phones: map[string]string{}, supports: map[string]string{}, employments: map[string]string{},
		contactLinks: map[string]string{}, assetLinks: map[string]string{},
	}
}

// speak has a person change something that is local, drawn from what is served.
func (h *shaken) speak(r *rapid.T, said *words) {
	h.t.Helper()
	ctx := h.t.Context()
	draw := func(what, query string) string {
		lines := strings.Split(h.dump(query), "\n")
		slices.Sort(lines)
		return strings.TrimPrefix(rapid.SampledFrom(lines).Draw(r, what), "k=")
	}
	account := draw("company", "SELECT account_number AS k FROM companies WHERE archived_at IS NULL")
	contact := draw("contact", "SELECT id AS k FROM contacts WHERE removed_at IS NULL")
	asset := draw("asset", "SELECT id AS k FROM assets WHERE removed_at IS NULL")
	whose, user := contact, contact
	if rapid.Bool().Draw(r, "an upstream has the link") {
		whose, account, _ = strings.Cut(draw("contact's link", `SELECT l.contact_id || ' ' || l.company_account_number AS k FROM contact_company_link l
			JOIN contacts c ON c.id = l.contact_id JOIN companies o ON o.account_number = l.company_account_number WHERE c.removed_at IS NULL AND o.archived_at IS NULL`), " ")
		asset, user, _ = strings.Cut(draw("asset's link", `SELECT l.asset_id || ' ' || l.contact_id AS k FROM asset_contact_link l
			JOIN contacts c ON c.id = l.contact_id JOIN assets a ON a.id = l.asset_id WHERE c.removed_at IS NULL AND a.removed_at IS NULL`), " ")
	}
	word := rapid.SampledFrom([]string{"", "3CX", "Teams"}).Draw(r, "word")
	keep := func(kept map[string]string, key, line string) {
		if kept[key] = line; word == "" {
			delete(kept, key)
		}
	}
	switch rapid.SampledFrom([]string{"phone", "support", "employment", "contact", "asset", "contact", "asset"}).Draw(r, "what") {
	case "phone":
		h.edit(account, syncers.CompanyEdit{PhoneSystem: says(word)})
		keep(said.phones, account, "v="+word+" l=1")
	case "support":
		h.edit(account, syncers.CompanyEdit{SupportLevel: says(word)})
		keep(said.supports, account, "v="+word)
	case "employment":
		_, _, err := h.engine.UpdateContact(ctx, h.id(contact), syncers.ContactEdit{EmploymentType: says(word)}, "ann")
		h.must(err)
		keep(said.employments, contact, "v="+word)
	case "contact":
		link := h.engine.LinkContact
		if word == "" {
			link = h.engine.UnlinkContact
		}
		if _, err := link(ctx, h.id(whose), codex.AccountNumber(account), "ann"); codex.CodeOf(err) != codex.CodeConflict || word != "" {
			h.must(err)
			keep(said.contactLinks, whose+" "+account, "v=manual")
		}
	case "asset":
		link := h.engine.LinkAsset
		if word == "" {
			link = h.engine.UnlinkAsset
		}
		if _, err := link(ctx, h.id(asset), h.id(user), "ann"); codex.CodeOf(err) != codex.CodeConflict || word != "" {
			h.must(err)
			keep(said.assetLinks, asset+" "+user, "v=manual")
		}
	}
}

// heeds demands that everything is as persons said it, that no other row claims to be, and that no run
// has made or ended a version of a link that is a person's.
func (h *shaken) heeds(when string, said *words) {
	h.t.Helper()
	for _, part := range []struct {
		query string
		want  map[string]string
	}{
		{"SELECT phone_system AS v, phone_system_local AS l FROM companies WHERE account_number = $1", said.phones},
		{"SELECT support_level AS v FROM companies WHERE account_number = $1", said.supports},
		{"SELECT employment_type AS v FROM contacts WHERE id = $1", said.employments},
		{"SELECT source AS v FROM contact_company_link WHERE contact_id = $1 AND company_account_number = $2", said.contactLinks},
		{"SELECT source AS v FROM asset_contact_link WHERE asset_id = $1 AND contact_id = $2", said.assetLinks},
	} {
		for key, want := range part.want {
			var args []any
			for word := range strings.FieldsSeq(key) {
				args = append(args, word)
			}
			if got := h.dump(part.query, args...); got != want {
				h.t.Errorf("%s, %s of %s: %q, want %q", when, part.query, key, got, want)
			}
		}
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM companies WHERE phone_system_local":                                                                        len(said.phones),
		"SELECT count(*) FROM companies WHERE support_level IS NOT NULL":                                                                 len(said.supports),
		"SELECT count(*) FROM contacts WHERE employment_type <> 'Full Time'":                                                             len(said.employments),
		"SELECT count(*) FROM contact_company_link WHERE source = 'manual'":                                                              len(said.contactLinks),
		"SELECT count(*) FROM asset_contact_link WHERE source = 'manual'":                                                                len(said.assetLinks),
		"SELECT count(*) FROM contact_company_link_history WHERE source = 'manual' AND (changed_by IS NULL OR ended_run_id IS NOT NULL)": 0,
	} {
		if got := h.value(query); got != fmt.Sprint(want) {
			h.t.Errorf("%s, %s is %s, want %d", when, query, got, want)
		}
	}
}
