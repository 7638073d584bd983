package syncers_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/syncers"
)

// says is the edit of a person who says text, or takes back what was said where it is empty.
func says(text string) syncers.Edit {
	if text == "" {
		return syncers.Edit{Given: true}
	}
	return syncers.Edit{Given: true, Text: &text}
}

// edit changes what is local of a company, and demands that it can be.
func (h *hub) edit(account string, edit syncers.CompanyEdit) (changed bool) {
	h.t.Helper()
	company, changed, err := h.engine.UpdateCompany(h.t.Context(), codex.AccountNumber(account), edit, "ann")
	h.must(err)
	if string(company.ID) != account {
		h.t.Errorf("%s was changed and %s came back", account, company.ID)
	}
	return changed
}

func (h *hub) id(text string) int {
	h.t.Helper()
	n, err := strconv.Atoi(text)
	h.must(err)
	return n
}

// links links or unlinks a contact, and demands that it can be.
func (h *hub) links(
	link func(*syncers.Engine) (syncers.ContactLink, error),
) (changed bool) {
	h.t.Helper()
	linked, err := link(h.engine)
	h.must(err)
	return linked.Changed
}

func TestWhatAPersonSaysOfACompanyOutlastsWhatFreshserviceSays(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		one := h.customers()[1]
		account := number(one)
		local := "SELECT phone_system AS phone, email_system AS email, phone_system_local AS p, email_system_local AS e, support_level AS support, compliance_level AS level FROM companies WHERE account_number = '" + account + "'"
		line := func(phone, email string, p, e int, support, level string) string {
			return fmt.Sprintf("phone=%s email=%s p=%d e=%d support=%s level=%s", phone, email, p, e, support, level)
		}
		freshservice := func(phone, email any) {
			h.must(h.world.SetDepartmentField(one.ID, "phone_system", phone), h.world.SetDepartmentField(one.ID, "email_system", email))
			h.pass(time.Hour)
			h.sync(codex.FeedFreshservice)
		}
		h.must(h.world.SetDepartmentField(one.ID, "email_system", nil))
		h.sync()
		freshservice("Old PBX", nil)
		h.is(local, line("Old PBX", "null", 0, 0, "null", "standard"))

		h.pass(time.Hour)
		if !h.edit(account, syncers.CompanyEdit{PhoneSystem: says(" 3CX "), SupportLevel: says("All In"), ComplianceLevel: says("hipaa")}) {
			t.Error("nothing was changed")
		}
		h.is(local, line("3CX", "null", 1, 0, "All In", "hipaa"))
		h.unchanged("Freshservice says something else still")
		freshservice("New PBX", "M365")
		h.is(local, line("3CX", "M365", 1, 0, "All In", "hipaa"))
		h.edit(account, syncers.CompanyEdit{EmailSystem: says("M365")}) // a person agrees: from now on it is theirs
		h.is(local, line("3CX", "M365", 1, 1, "All In", "hipaa"))
		freshservice(nil, "Exchange")
		h.is(local, line("3CX", "M365", 1, 1, "All In", "hipaa"))
		h.engine.ServeRereads()
		h.hooked()
		h.must(h.world.SetDepartmentField(one.ID, "email_system", "Domino"), h.world.SetDepartmentField(one.ID, "plan_selected", "Other"))
		h.drained()
		h.is(local, line("3CX", "M365", 1, 1, "All In", "hipaa"))
		h.is("SELECT plan_selected AS plan FROM companies WHERE account_number = '"+account+"'", "plan=Other") // the re-read was written
		h.rename(account, "NEW-1")
		h.must(h.world.SetAccountNumber(one.ID, "NEW-1"))
		h.sync(codex.FeedFreshservice)
		local = strings.Replace(local, "'"+account+"'", "'NEW-1'", 1)
		h.is(local, line("3CX", "M365", 1, 1, "All In", "hipaa"))

		h.pass(time.Hour)
		h.edit("NEW-1", syncers.CompanyEdit{PhoneSystem: says(""), EmailSystem: says(""), SupportLevel: says(""), ComplianceLevel: says("")})
		h.is(local, line("null", "null", 0, 0, "null", "standard"))
		h.sync(codex.FeedFreshservice)
		h.is(local, line("null", "Domino", 0, 0, "null", "standard"))
		h.unchanged("it is Freshservice's again")
		h.check()
	})
}

func TestHowAContactIsEmployedIsNoUpstreamsBusiness(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		one := h.customers()[1]
		h.hire(one.ID, 1)
		h.sync()
		person := h.staff(one.ID)[0]
		id := h.id(h.contactID(person.ID))
		employed := fmt.Sprintf("SELECT name, employment_type AS employed FROM contacts WHERE id = %d", id)
		h.pass(time.Hour)
		for _, step := range []struct {
			said, employed string
			changed        bool
		}{{"Part Time", "Part Time", true}, {"Part Time ", "Part Time", false}, {"", "Full Time", true}, {"Full Time", "Full Time", false}, {"Contractor", "Contractor", true}} {
			contact, changed, err := h.engine.UpdateContact(t.Context(), id, syncers.ContactEdit{EmploymentType: says(step.said)}, "ann")
			h.must(err)
			if contact.EmploymentType != step.employed || changed != step.changed {
				t.Errorf("%q: %s, changed %t", step.said, contact.EmploymentType, changed)
			}
			h.unchanged("after " + step.said)
		}
		h.must(h.world.RenameRequester(person.ID, "Ada", "Byron"))
		h.sync(codex.FeedFreshservice)
		h.is(employed, "name=Ada Byron employed=Contractor")
		h.must(h.world.RemoveRequester(person.ID))
		h.sync(codex.FeedFreshservice)
		if _, _, err := h.engine.UpdateContact(t.Context(), id, syncers.ContactEdit{EmploymentType: says("x")}, "ann"); codex.CodeOf(err) != codex.CodeNotFound {
			t.Errorf("a removed contact: %v", err)
		}
	})
}

func TestALinkThatAPersonMadeOutlastsFreshservices(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		one, other := h.customers()[1], h.customers()[2]
		h.hire(one.ID, 1)
		h.sync()
		person := h.staff(one.ID)[0]
		id := h.id(h.contactID(person.ID))
		link := func(account string) func(*syncers.Engine) (syncers.ContactLink, error) {
			return func(e *syncers.Engine) (syncers.ContactLink, error) {
				return e.LinkContact(t.Context(), id, codex.AccountNumber(account), "ann")
			}
		}
		unlink := func(account string) func(*syncers.Engine) (syncers.ContactLink, error) {
			return func(e *syncers.Engine) (syncers.ContactLink, error) {
				return e.UnlinkContact(t.Context(), id, codex.AccountNumber(account), "ben")
			}
		}
		linked := fmt.Sprintf("SELECT company_account_number AS account, source FROM contact_company_link WHERE contact_id = %d", id)
		synced, manual := " source=freshservice", " source=manual"
		first, second := "account="+number(one), "account="+number(other)
		h.pass(time.Hour)

		if !h.links(link(number(other))) || h.links(link(number(other))) {
			t.Error("linking twice is not the same as once")
		}
		h.is(linked, first+synced, second+manual)
		h.unchanged("a link that Freshservice does not know")

		_, err := unlink(number(one))(h.engine)
		want := fmt.Sprintf("the contact %d belongs to %s because Freshservice says so: take the requester off the department %q there, and sync freshservice", id, number(one), one.Name)
		if got := coded(err); got.Code != codex.CodeConflict || got.Message != want {
			t.Errorf("unlinking what is Freshservice's: %v", err)
		}
		h.is(linked, first+synced, second+manual)

		if !h.links(link(number(one))) {
			t.Error("the link is a person's now, and nothing was changed")
		}
		h.unchanged("a link that both have")
		h.must(h.world.SetRequesterDepartments(person.ID)) // Freshservice's link vanishes
		h.pass(time.Hour)
		h.sync(codex.FeedFreshservice)
		h.is(linked, first+manual, second+manual)
		h.engine.ServeRereads()
		h.hooked()
		h.must(h.world.RenameRequester(person.ID, "Ada", "Byron"))
		h.drained()
		h.is(linked, first+manual, second+manual)

		h.pass(time.Hour)
		if !h.links(unlink(number(one))) || h.links(unlink(number(one))) {
			t.Error("unlinking twice is not the same as once")
		}
		h.is(linked, second+manual)
		h.unchanged("nobody has the link")
		h.must(h.world.SetRequesterDepartments(person.ID, other.ID))
		h.sync(codex.FeedFreshservice)
		h.is(linked, second+manual)
		h.links(unlink(number(other)))
		h.sync(codex.FeedFreshservice)
		h.is(linked, second+synced) // it is Freshservice's again, which has it

		h.is(fmt.Sprintf(`SELECT company_account_number AS account, source, changed_by AS made, ended_by AS ended, seen_to IS NULL AS open FROM contact_company_link_history
			WHERE contact_id = %d AND (changed_by IS NOT NULL OR ended_by IS NOT NULL)`, id),
			first+" source=freshservice made=null ended=ann open=0", first+" source=manual made=ann ended=ben open=0",
			second+" source=manual made=ann ended=ben open=0")
	})
}

func TestALinkToAMachineThatAPersonMadeOutlastsTheLastUser(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		one, other := h.customers()[1], h.customers()[2]
		h.hire(one.ID, 2)
		h.hire(other.ID, 1)
		_, pc := h.yard(one, 1)
		staff := h.staff(one.ID)
		uses := func(address *string) {
			h.must(h.world.EditDevice(pc[0], func(d *simulator.Device) { d.LastLoggedInUser = address }))
			h.pass(time.Hour)
			h.sync()
		}
		uses(staff[0].PrimaryEmail)
		asset := h.id(h.assetID(pc[0]))
		first, second, foreign := h.id(h.contactID(staff[0].ID)), h.id(h.contactID(staff[1].ID)), h.id(h.contactID(h.staff(other.ID)[0].ID))
		linked := fmt.Sprintf("SELECT contact_id AS contact, source FROM asset_contact_link WHERE asset_id = %d", asset)
		line := func(contact int, source string) string { return fmt.Sprintf("contact=%d source=%s", contact, source) }
		link := func(contact int) bool {
			made, err := h.engine.LinkAsset(t.Context(), asset, contact, "ann")
			h.must(err)
			if made.Asset.ID != asset || made.Contact.ID != contact {
				t.Errorf("%d came back with %d", made.Asset.ID, made.Contact.ID)
			}
			return made.Changed
		}
		unlink := func(contact int) bool {
			gone, err := h.engine.UnlinkAsset(t.Context(), asset, contact, "ben")
			h.must(err)
			return gone.Changed
		}
		h.is(linked, line(first, "last_user"))
		_, err := h.engine.UnlinkAsset(t.Context(), asset, first, "ann")
		want := fmt.Sprintf("the contact %d uses the asset %d because Datto RMM saw them log in last: the link goes with the next sync of datto after somebody else did", first, asset)
		if got := coded(err); got.Code != codex.CodeConflict || got.Message != want {
			t.Errorf("unlinking the last user: %v", err)
		}
		if !link(first) || link(first) || !link(foreign) {
			t.Error("linking twice is not the same as once")
		}
		h.unchanged("a person says what Datto says, and more")
		uses(staff[1].PrimaryEmail)
		lines := []string{line(first, "manual"), line(second, "last_user"), line(foreign, "manual")}
		slices.Sort(lines)
		h.is(linked, lines...)
		if !unlink(first) || unlink(first) || !unlink(foreign) {
			t.Error("unlinking twice is not the same as once")
		}
		h.is(linked, line(second, "last_user"))
		h.unchanged("they are Datto's again")
		link(first)
		uses(staff[0].PrimaryEmail)
		unlink(first)
		h.is(linked, "")
		h.sync(codex.FeedDatto)
		h.is(linked, line(first, "last_user"))
	})
}

func TestWhatIsNotServedIsNotChangedAndNonsenseChangesNothing(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		one := h.customers()[1]
		h.hire(one.ID, 2)
		_, pc := h.yard(one, 2)
		left := h.leaver("LEFT-1", "Left Ltd")
		_, lost := h.yard(left, 1)
		h.sync()
		gone := h.staff(one.ID)[0]
		h.must(h.world.RemoveRequester(gone.ID), h.world.RemoveDevice(pc[0]))
		h.leave(left)
		h.archive("LEFT-1")
		h.sync(codex.FeedFreshservice, codex.FeedDatto)
		account := codex.AccountNumber(number(one))
		contact, removed := h.id(h.contactID(h.staff(one.ID)[0].ID)), h.id(h.contactID(gone.ID))
		asset, away, orphan := h.id(h.assetID(pc[1])), h.id(h.assetID(pc[0])), h.id(h.assetID(lost[0]))
		before := h.everything()

		ctx, e := t.Context(), h.engine
		phone := func(text string) syncers.CompanyEdit {
			return syncers.CompanyEdit{PhoneSystem: syncers.Edit{Given: true, Text: &text}}
		}
		company := func(account codex.AccountNumber, edit syncers.CompanyEdit) error {
			_, _, err := e.UpdateCompany(ctx, account, edit, "ann")
			return err
		}
		person := func(id int, edit syncers.Edit) error {
			_, _, err := e.UpdateContact(ctx, id, syncers.ContactEdit{EmploymentType: edit}, "ann")
			return err
		}
		contactLink := func(link func() (syncers.ContactLink, error)) error { _, err := link(); return err }
		assetLink := func(link func() (syncers.AssetLink, error)) error { _, err := link(); return err }
		type refusal struct {
			err     error
			code    codex.Code
			field   string
			message string
		}
		const empty, long = "an empty text says nothing: null takes back what was said before", "this text has at most 150 characters"
		const control = "this text is one line without control characters, in UTF-8"
		refusals := map[string]refusal{
			"no such company":          {company("nobody", phone("x")), codex.CodeNotFound, "accountNumber", "there is no company nobody"},
			"an archived company":      {company("LEFT-1", phone("x")), codex.CodeNotFound, "accountNumber", "there is no company LEFT-1"},
			"no number":                {company(" ", phone("x")), codex.CodeBadInput, "accountNumber", "an account number is not empty"},
			"nothing to change":        {company(account, syncers.CompanyEdit{}), codex.CodeBadInput, "input", "say what to change"},
			"a blank text":             {company(account, phone(" \t")), codex.CodeBadInput, "phoneSystem", empty},
			"one that is too long":     {company(account, phone(strings.Repeat("ä", 151))), codex.CodeBadInput, "phoneSystem", long},
			"two lines":                {company(account, phone("a\nb")), codex.CodeBadInput, "phoneSystem", control},
			"two of Unicode's":         {company(account, phone("a\u2028b")), codex.CodeBadInput, "phoneSystem", control},
			"a NUL":                    {company(account, phone("a\x00b")), codex.CodeBadInput, "phoneSystem", control},
			"no UTF-8":                 {company(account, phone("a\xff")), codex.CodeBadInput, "phoneSystem", control},
			"a bad e-mail system":      {company(account, syncers.CompanyEdit{EmailSystem: phone("").PhoneSystem}), codex.CodeBadInput, "emailSystem", empty},
			"a bad level of support":   {company(account, syncers.CompanyEdit{SupportLevel: phone("").PhoneSystem}), codex.CodeBadInput, "supportLevel", empty},
			"a bad compliance":         {company(account, syncers.CompanyEdit{ComplianceLevel: phone("").PhoneSystem}), codex.CodeBadInput, "complianceLevel", empty},
			"no such contact":          {person(999, says("x")), codex.CodeNotFound, "id", "there is no contact 999"},
			"a removed contact":        {person(removed, says("x")), codex.CodeNotFound, "id", fmt.Sprintf("there is no contact %d", removed)},
			"nothing of a contact":     {person(contact, syncers.Edit{}), codex.CodeBadInput, "input", "say what to change"},
			"a bad employment":         {person(contact, phone("").PhoneSystem), codex.CodeBadInput, "employmentType", empty},
			"linking nobody":           {contactLink(func() (syncers.ContactLink, error) { return e.LinkContact(ctx, 999, account, "ann") }), codex.CodeNotFound, "contactId", "there is no contact 999"},
			"linking who is gone":      {contactLink(func() (syncers.ContactLink, error) { return e.LinkContact(ctx, removed, account, "ann") }), codex.CodeNotFound, "contactId", fmt.Sprintf("there is no contact %d", removed)},
			"linking to nobody":        {contactLink(func() (syncers.ContactLink, error) { return e.LinkContact(ctx, contact, "nobody", "ann") }), codex.CodeNotFound, "accountNumber", "there is no company nobody"},
			"linking to who is gone":   {contactLink(func() (syncers.ContactLink, error) { return e.LinkContact(ctx, contact, "LEFT-1", "ann") }), codex.CodeNotFound, "accountNumber", "there is no company LEFT-1"},
			"unlinking nobody":         {contactLink(func() (syncers.ContactLink, error) { return e.UnlinkContact(ctx, 999, account, "ann") }), codex.CodeNotFound, "contactId", "there is no contact 999"},
			"unlinking from a blank":   {contactLink(func() (syncers.ContactLink, error) { return e.UnlinkContact(ctx, contact, "", "ann") }), codex.CodeBadInput, "accountNumber", "an account number is not empty"},
			"no such machine":          {assetLink(func() (syncers.AssetLink, error) { return e.LinkAsset(ctx, 999, contact, "ann") }), codex.CodeNotFound, "assetId", "there is no asset 999"},
			"a removed machine":        {assetLink(func() (syncers.AssetLink, error) { return e.LinkAsset(ctx, away, contact, "ann") }), codex.CodeNotFound, "assetId", fmt.Sprintf("there is no asset %d", away)},
			"an archived one's":        {assetLink(func() (syncers.AssetLink, error) { return e.UnlinkAsset(ctx, orphan, contact, "ann") }), codex.CodeNotFound, "assetId", fmt.Sprintf("there is no asset %d", orphan)},
			"a machine and nobody":     {assetLink(func() (syncers.AssetLink, error) { return e.LinkAsset(ctx, asset, 999, "ann") }), codex.CodeNotFound, "contactId", "there is no contact 999"},
			"a machine and who's gone": {assetLink(func() (syncers.AssetLink, error) { return e.UnlinkAsset(ctx, asset, removed, "ann") }), codex.CodeNotFound, "contactId", fmt.Sprintf("there is no contact %d", removed)},
		}
		for name, r := range refusals {
			if got := coded(r.err); got.Code != r.code || got.Field != r.field || got.Message != r.message {
				t.Errorf("%s: %s %s %q, want %q", name, got.Code, got.Field, got.Message, r.message)
			}
		}
		for name, same := range map[string]func() error{
			"what it is already": func() error {
				return company(account, syncers.CompanyEdit{PhoneSystem: says(""), ComplianceLevel: says("standard")})
			},
			"as employed before": func() error { return person(contact, says("Full Time")) },
			"no link to undo": func() error {
				return assetLink(func() (syncers.AssetLink, error) { return e.UnlinkAsset(ctx, asset, contact, "ann") })
			},
		} {
			if err := same(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if h.everything() != before { // revisions too
			t.Error("rows changed")
		}
	})
}

// A run that has read the upstreams and what is stored before a person changes what is local plans anew, and
// neither is lost. It has read both when it asks for what is absent, one by one.
func TestLocalChangesMeetRunsAtWork(t *testing.T) {
	for feed, path := range map[codex.Feed]string{
		codex.FeedFreshservice: "/api/v2/requesters/*", codex.FeedDatto: "/api/v2/device/*", codex.FeedTickets: "/api/v2/tickets/*/time_entries",
	} {
		t.Run(string(feed), func(t *testing.T) {
			each(t, tiny(), func(t *testing.T, h *hub) {
				one, other := h.customer(), h.customers()[2]
				h.hire(other.ID, 1)
				h.hire(one.ID, 1)
				_, devices := h.yard(one, 2)
				h.sync()
				h.pass(time.Hour)
				account := number(one)
				machine := h.id(h.assetID(devices[0]))
				strangers, user := h.staff(other.ID), h.staff(one.ID)[0]
				stranger, leaver := strangers[0], strangers[len(strangers)-1] // hired last: no ticket is theirs
				person, owner := h.id(h.contactID(stranger.ID)), h.id(h.contactID(user.ID))
				h.must(h.world.RemoveRequester(leaver.ID), h.world.RemoveDevice(devices[1]),
					h.world.EditDevice(devices[0], func(d *simulator.Device) { d.LastLoggedInUser = user.PrimaryEmail }))
				h.must(h.world.SetDepartmentField(one.ID, "phone_system", "PBX"), h.world.SetDepartmentField(one.ID, "plan_selected", "Other"),
					h.world.RenameRequester(stranger.ID, "Ada", "Byron"), h.world.SetRequesterDepartments(stranger.ID, one.ID))
				h.machines(h.sites(account)[0], 1)
				h.closed(one.ID)
				working, goOn := make(chan struct{}), make(chan struct{})
				var once sync.Once
				h.watch(path, func(int, *http.Request) {
					once.Do(func() { close(working) })
					<-goOn
				})
				run := h.start(h.engine, syncers.Request{Feed: feed})
				<-working
				h.edit(account, syncers.CompanyEdit{PhoneSystem: says("3CX"), SupportLevel: says("All In")})
				_, _, err := h.engine.UpdateContact(t.Context(), person, syncers.ContactEdit{EmploymentType: says("Part Time")}, "ann")
				h.must(err)
				_, err = h.engine.LinkContact(t.Context(), person, codex.AccountNumber(account), "ann")
				h.must(err)
				_, err = h.engine.LinkAsset(t.Context(), machine, owner, "ann")
				h.must(err)
				close(goOn)
				h.expect(h.wait(h.engine, run.ID), codex.RunSucceeded)
				h.world.ClearFaults()
				h.pass(time.Hour)
				h.sync()
				h.is("SELECT plan_selected AS plan, phone_system AS phone, support_level AS support FROM companies WHERE account_number = '"+account+"'", "plan=Other phone=3CX support=All In")
				h.is(fmt.Sprintf("SELECT name, employment_type AS employed FROM contacts WHERE id = %d", person), "name=Ada Byron employed=Part Time")
				h.is(fmt.Sprintf("SELECT company_account_number AS account, source FROM contact_company_link WHERE contact_id = %d", person), "account="+account+" source=manual")
				h.is(fmt.Sprintf("SELECT source FROM asset_contact_link WHERE asset_id = %d AND contact_id = %d", machine, owner), "source=manual")
				h.unchanged("after the run and the changes")
				h.check()
				h.sound()
			})
		})
	}
}

func TestThePastKnowsWhoChangedWhatIsLocalAndWhatWasBefore(t *testing.T) {
	each(t, few(), func(t *testing.T, h *hub) {
		one, other := h.customers()[1], h.customers()[2]
		account, second := codex.AccountNumber(number(one)), codex.AccountNumber(number(other))
		h.hire(one.ID, 1)
		h.sync()
		id := h.id(h.contactID(h.staff(one.ID)[0].ID))
		h.pass(time.Hour)
		before := h.clock.now()
		h.pass(time.Hour)
		h.edit(string(account), syncers.CompanyEdit{PhoneSystem: says("3CX")})
		_, _, err := h.engine.UpdateContact(t.Context(), id, syncers.ContactEdit{EmploymentType: says("Part Time")}, "ann")
		h.must(err)
		_, err = h.engine.LinkContact(t.Context(), id, second, "ann")
		h.must(err)
		at := h.clock.now()
		h.pass(time.Hour)
		r := query.New(h.db.Ent(), query.Rules{})
		for _, moment := range []struct {
			at                  time.Time
			phone, type_, links string
		}{{before, "<nil>", "Full Time", "0"}, {at, "3CX", "Part Time", "1"}, {h.clock.now(), "3CX", "Part Time", "1"}} {
			past, err := r.AsOf(t.Context(), moment.at, h.clock.now())
			h.must(err)
			company, err := past.Company(t.Context(), account)
			h.must(err)
			person, err := past.Contact(t.Context(), id)
			h.must(err)
			people, err := past.ContactsByCompany(t.Context(), []codex.AccountNumber{second}, query.Edge{})
			h.must(err)
			phone := "<nil>"
			if company.PhoneSystem != nil {
				phone = *company.PhoneSystem
			}
			if links := fmt.Sprint(len(people[second])); phone != moment.phone || person.EmploymentType != moment.type_ || links != moment.links {
				t.Errorf("at %s: %s, %s, %s", moment.at, phone, person.EmploymentType, links)
			}
		}
		changes, err := r.Changes(t.Context(), query.Page{First: 100}, query.ChangeFilter{From: at})
		h.must(err)
		var got []string
		for _, c := range changes.Rows {
			line := fmt.Sprintf("%s %s %s by %s, run %q", c.Kind, c.Entity, c.RecordID, *c.ChangedBy, c.Run)
			for _, f := range c.Fields {
				line += fmt.Sprintf(", %s is %s", f.Column, *f.New)
			}
			got = append(got, line)
		}
		slices.Sort(got)
		want := []string{
			fmt.Sprintf("changed %s %s by ann, run %q, phone_system is 3CX", query.EntityCompany, account, ""),
			fmt.Sprintf("changed %s %d by ann, run %q, employment_type is Part Time", query.EntityContact, id, ""),
			fmt.Sprintf("created %s %d by ann, run %q", query.EntityContactLink, id, ""),
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("changes %q\nwant    %q", got, want)
		}
		versions, err := r.VersionsOfCompanies(t.Context(), []codex.AccountNumber{account}, true)
		h.must(err)
		if list := versions[account]; len(list) != 2 || !slices.ContainsFunc(list, func(v *query.Version) bool { return v.ChangedBy != nil && *v.ChangedBy == "ann" }) ||
			!slices.ContainsFunc(list, func(v *query.Version) bool { return v.EndedBy != nil && *v.EndedBy == "ann" }) {
			t.Errorf("versions %+v", list)
		}
	})
}
