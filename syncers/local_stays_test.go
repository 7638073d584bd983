package syncers_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/syncers"
)

// Whatever happens to a company or a person, what somebody said of them stays theirs: it moves along with
// the account number, and is there again when they are.
func TestWhatAPersonSaidStaysWithWhomItIsAbout(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		one, other := h.customers()[1], h.customers()[2]
		h.hire(one.ID, 1)
		_, pc := h.yard(other, 1)
		h.sync()
		account, person := number(other), h.staff(one.ID)[0]
		contact, asset := h.id(h.contactID(person.ID)), h.id(h.assetID(pc[0]))
		h.pass(time.Hour)
		h.edit(account, syncers.CompanyEdit{PhoneSystem: says("3CX"), SupportLevel: says("All In"), ComplianceLevel: says("hipaa")})
		_, _, err := h.engine.UpdateContact(t.Context(), contact, syncers.ContactEdit{EmploymentType: says("Part Time")}, "ann")
		h.must(err)
		_, err = h.engine.LinkContact(t.Context(), contact, codex.AccountNumber(account), "ann")
		h.must(err)
		_, err = h.engine.LinkAsset(t.Context(), asset, contact, "ann")
		h.must(err)
		stays := func(account string) {
			t.Helper()
			h.is("SELECT phone_system AS phone, phone_system_local AS l, support_level AS support, compliance_level AS level FROM companies WHERE account_number = '"+account+"'",
				"phone=3CX l=1 support=All In level=hipaa")
			h.is(fmt.Sprintf("SELECT employment_type AS employed FROM contacts WHERE id = %d", contact), "employed=Part Time")
			h.is(fmt.Sprintf("SELECT company_account_number AS account FROM contact_company_link WHERE contact_id = %d AND source = 'manual'", contact), "account="+account)
			h.is(fmt.Sprintf("SELECT company_account_number AS account FROM contact_company_link_history WHERE contact_id = %d AND source = 'manual' AND seen_to IS NULL", contact), "account="+account)
			h.is(fmt.Sprintf("SELECT asset_id AS asset FROM asset_contact_link WHERE contact_id = %d AND source = 'manual'", contact), fmt.Sprint("asset=", asset))
		}

		h.leave(other)
		h.archive(account)
		h.unchanged("the company is archived")
		stays(account)
		h.world.AddDepartment(simulator.Department{Name: "Back Ltd", CustomFields: map[string]any{"account_number": account, "phone_system": "PBX"}})
		h.pass(time.Hour)
		h.sync()
		h.is("SELECT name FROM companies WHERE archived_at IS NULL AND account_number = '"+account+"'", "name=Back Ltd")
		stays(account)

		h.pass(time.Hour)
		h.rename(account, "NEW-2")
		stays("NEW-2")

		h.must(h.world.RemoveRequester(person.ID))
		h.pass(time.Hour)
		h.sync()
		h.is(fmt.Sprintf("SELECT count(*) AS n FROM contacts WHERE id = %d AND removed_at IS NOT NULL", contact), "n=1")
		stays("NEW-2")
	})
}

// A plan is made of what it has read: what a person changes of that must raise the revision that the plan
// is held to, and no other, for runs that have nothing to do with it go on.
func TestWhatAPersonChangesMakesThosePlansStaleThatWereMadeOfIt(t *testing.T) {
	each(t, tiny(), func(t *testing.T, h *hub) {
		one, other := h.customer(), h.customers()[2]
		h.hire(other.ID, 1)
		h.sync()
		account := codex.AccountNumber(number(one))
		contact := h.id(h.contactID(h.staff(other.ID)[0].ID))
		asset := h.id(h.value("SELECT min(id) FROM assets WHERE company_account_number = '" + string(account) + "'"))
		revisions := func() (all map[string]int64) {
			h.must(h.db.Snapshot(t.Context(), func(ctx context.Context, tx *store.Tx) (err error) {
				all, err = tx.Revisions(ctx, "companies", "contacts", "contact_links", "assets", "asset_links", "locations", "sites", "tickets", "time_entries")
				return err
			}))
			return all
		}
		ctx, e := t.Context(), h.engine
		for _, step := range []struct {
			name   string
			do     func() error
			raises []string
		}{
			{"a company's word", func() error {
				_, _, err := e.UpdateCompany(ctx, account, syncers.CompanyEdit{PhoneSystem: says("3CX")}, "ann")
				return err
			}, []string{"companies"}},
			{"a contact's", func() error {
				_, _, err := e.UpdateContact(ctx, contact, syncers.ContactEdit{EmploymentType: says("Part Time")}, "ann")
				return err
			}, []string{"contacts"}},
			{"a contact's link", func() error { _, err := e.LinkContact(ctx, contact, account, "ann"); return err }, []string{"contact_links"}},
			{"it, again", func() error { _, err := e.LinkContact(ctx, contact, account, "ann"); return err }, nil},
			{"its undoing", func() error { _, err := e.UnlinkContact(ctx, contact, account, "ann"); return err }, []string{"contact_links"}},
			{"a machine's link", func() error { _, err := e.LinkAsset(ctx, asset, contact, "ann"); return err }, []string{"asset_links"}},
			{"its undoing", func() error { _, err := e.UnlinkAsset(ctx, asset, contact, "ann"); return err }, []string{"asset_links"}},
			{"it, again", func() error { _, err := e.UnlinkAsset(ctx, asset, contact, "ann"); return err }, nil},
		} {
			before := revisions()
			h.must(step.do())
			after := revisions()
			maps.DeleteFunc(after, func(entity string, revision int64) bool { return revision == before[entity] })
			if raised := slices.Sorted(maps.Keys(after)); !slices.Equal(raised, step.raises) {
				t.Errorf("%s raises %v, want %v", step.name, raised, step.raises)
			}
		}
	})
}
