package syncers

import (
	"testing"

	"github.com/hivematrix/codex/clients/freshservice"
)

func TestARequesterIsMappedFieldByField(t *testing.T) {
	full := freshservice.Requester{
		ID: 9, FirstName: "Ana", LastName: "Ruiz", JobTitle: new("CFO"), PrimaryEmail: new(" Ana@Contoso.example "), SecondaryEmails: []string{"a@b"},
		WorkPhoneNumber: new("312"), MobilePhoneNumber: new("313"), Active: new(false),
	}
	tests := []struct {
		name string
		in   freshservice.Requester
		want ContactRecord
		ok   bool
	}{
		{"all fields", full, ContactRecord{Name: "Ana Ruiz", Email: "Ana@Contoso.example", FreshserviceID: some(int64(9)), Title: some("CFO"),
			EmploymentType: "Full Time", Mobile: some("313"), Work: some("312"), Secondary: some(`["a@b"]`)}, true},
		{"nothing but id and address: active unless told", freshservice.Requester{ID: 9, PrimaryEmail: new("ana@x")},
			ContactRecord{Name: "ana", Email: "ana@x", FreshserviceID: some(int64(9)), EmploymentType: "Full Time", Active: true, Secondary: some("[]")}, true},
		{"without address it is none", freshservice.Requester{ID: 9, FirstName: "Ana", WorkPhoneNumber: new("312")}, ContactRecord{}, false},
		{"a blank address is none", freshservice.Requester{ID: 9, PrimaryEmail: new("  ")}, ContactRecord{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, ok := mapRequester(test.in); ok != test.ok || got != test.want {
				t.Errorf("got %t, %+v\nwant %t, %+v", ok, got, test.ok, test.want)
			}
		})
	}
}

func TestANameLeavesOutWhatIsNotTold(t *testing.T) {
	for _, test := range []struct{ first, last, email, want string }{
		{"Ana", "Ruiz", "x@y", "Ana Ruiz"}, {"Ana", "", "x@y", "Ana"}, {"", "Ruiz", "x@y", "Ruiz"}, {" Ana  Maria ", " Ruiz", "x@y", "Ana Maria Ruiz"},
		{"", " ", "ana.ruiz@x", "ana.ruiz"}, {"", "", "", ""},
	} {
		if got := personName(test.first, test.last, test.email); got != test.want {
			t.Errorf("%q %q %q is %q, want %q", test.first, test.last, test.email, got, test.want)
		}
	}
}

func TestTheLastUserNamesOneContactOrNobody(t *testing.T) {
	people := []person{
		{id: 1, emails: []string{"ana@contoso.example", "ana.ruiz@old.example"}},
		{id: 2, emails: []string{"bob@contoso.example"}},
		{id: 3, emails: []string{"bob@fabrikam.example"}},
	}
	for user, want := range map[string]int{
		`CONTOSO\ana`: 1, "ANA": 1, `a\b\Ana `: 1, "Ana@Contoso.Example": 1, "ana.ruiz@old.example": 1,
		"ana.ruiz":                    0, // a secondary address counts whole only
		"bob":                         0, // two
		`CONTOSO\bob@contoso.example`: 0, "bob@contoso.example": 2, "bob@fabrikam.example": 3, "nobody": 0, "": 0, `CONTOSO\`: 0, "@": 0,
	} {
		got, ok := namedBy(user, people)
		if ok != (want != 0) || ok && got != want {
			t.Errorf("%q names %d (%t), want %d", user, got, ok, want)
		}
	}
}

func TestALinkThatAPersonMadeStaysTheirs(t *testing.T) {
	manual, synced := ContactLinkRecord{Account: "A", ContactID: 1, Source: "manual"}, ContactLinkRecord{Account: "B", ContactID: 1, Source: sourceFreshservice}
	follows := func(l *ContactLinkRecord) bool { return l.Source == sourceFreshservice }
	scope := Scope[ContactLinkRecord]{Complete: follows, Gone: follows}
	current := []ContactLinkRecord{manual, synced}
	incoming := []ContactLinkRecord{{Account: "A", ContactID: 1, Source: sourceFreshservice}}
	plan := Plan(contactLinks(), current, incoming, 0, scope)
	if len(plan.Creates)+len(plan.Updates) != 0 || len(plan.Removals) != 1 || plan.Removals[0] != synced {
		t.Errorf("%+v", plan)
	}
	if again := Plan(contactLinks(), []ContactLinkRecord{manual}, nil, 0, scope); len(again.Removals) != 0 {
		t.Errorf("the link made by hand is removed: %+v", again)
	}
}
