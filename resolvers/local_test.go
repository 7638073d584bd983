package resolvers_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/hivematrix/codex"
)

func TestATechnicianChangesWhatIsLocalAndTheHistoryHasTheirName(t *testing.T) {
	eachWorld(t, func(t *testing.T, g *graph) {
		ctx := as(codex.RoleTechnician)
		for _, step := range []struct{ text, want string }{
			{`mutation { updateCompany(accountNumber: "900", input: {phoneSystem: "3CX", complianceLevel: "hipaa"}) {
				changed company { accountNumber phoneSystem phoneSystemLocal emailSystem emailSystemLocal supportLevel complianceLevel } } }`,
				`{"data":{"updateCompany":{"changed":true,"company":{"accountNumber":"900","phoneSystem":"3CX","phoneSystemLocal":true,"emailSystem":null,"emailSystemLocal":false,"supportLevel":null,"complianceLevel":"hipaa"}}}}`},
			{`mutation { updateCompany(accountNumber: "900", input: {phoneSystem: null, supportLevel: "Gold"}) {
				changed company { phoneSystem phoneSystemLocal supportLevel complianceLevel } } }`,
				`{"data":{"updateCompany":{"changed":true,"company":{"phoneSystem":null,"phoneSystemLocal":false,"supportLevel":"Gold","complianceLevel":"hipaa"}}}}`},
			{`mutation { updateCompany(accountNumber: "900", input: {supportLevel: "Gold"}) { changed } }`,
				`{"data":{"updateCompany":{"changed":false}}}`},
			{`mutation { updateContact(id: 2, input: {employmentType: "Contractor"}) { changed contact { id employmentType } } }`,
				`{"data":{"updateContact":{"changed":true,"contact":{"id":"2","employmentType":"Contractor"}}}}`},
			{`mutation { updateContact(id: 2, input: {employmentType: null}) { changed contact { employmentType } } }`,
				`{"data":{"updateContact":{"changed":true,"contact":{"employmentType":"Full Time"}}}}`},
			{`mutation { linkContact(contactId: 2, accountNumber: "B-2") { changed contact { id companies { accountNumber } } company { name contacts { id } } } }`,
				`{"data":{"linkContact":{"changed":true,"contact":{"id":"2","companies":[{"accountNumber":"620547"},{"accountNumber":"B-2"}]},"company":{"name":"Beta","contacts":[{"id":"2"}]}}}}`},
			{`mutation { again: linkContact(contactId: 2, accountNumber: "B-2") { changed } undone: unlinkContact(contactId: 2, accountNumber: "B-2") { changed company { contacts { id } } } }`,
				`{"data":{"again":{"changed":false},"undone":{"changed":true,"company":{"contacts":[]}}}}`},
			{`mutation { linkAsset(assetId: 2, contactId: 2) { changed asset { hostname contacts { id } } contact { name assets { id } } } }`,
				`{"data":{"linkAsset":{"changed":true,"asset":{"hostname":"PC-2","contacts":[{"id":"1"},{"id":"2"}]},"contact":{"name":"bob","assets":[{"id":"1"},{"id":"2"}]}}}}`},
			{`mutation { undone: unlinkAsset(assetId: 2, contactId: 2) { changed asset { contacts { id } } } again: unlinkAsset(assetId: 2, contactId: 2) { changed } }`,
				`{"data":{"undone":{"changed":true,"asset":{"contacts":[{"id":"1"}]}},"again":{"changed":false}}}`},
			{`{ company(accountNumber: "900") { history { changedBy changes { field old new } } } }`,
				`{"data":{"company":{"history":[{"changedBy":null,"changes":[]},` +
					`{"changedBy":"the technician","changes":[{"field":"phoneSystem","old":null,"new":"3CX"},{"field":"complianceLevel","old":"standard","new":"hipaa"}]},` +
					`{"changedBy":"the technician","changes":[{"field":"phoneSystem","old":"3CX","new":null},{"field":"supportLevel","old":null,"new":"Gold"}]}]}}}`},
		} {
			if got := g.ask(ctx, step.text, nil); got != step.want+"\n" {
				t.Errorf("%s\ngot  %swant %s", step.text, got, step.want)
			}
		}
	})
}

// What a variable leaves out is left as it is, what it says is null is taken back.
func TestAVariableThatIsLeftOutIsNotNull(t *testing.T) {
	const one = `mutation ($phone: String, $email: String) { updateCompany(accountNumber: "620547", input: {phoneSystem: $phone, emailSystem: $email}) { company { phoneSystem emailSystem } } }`
	const whole = `mutation ($input: UpdateCompanyInput!) { updateCompany(accountNumber: "620547", input: $input) { company { phoneSystem emailSystem } } }`
	for _, tc := range []struct {
		text, variables, phone, email string
	}{
		{one, `{"phone":"Teams"}`, `"Teams"`, `"M365"`},
		{one, `{"phone":"Teams","email":null}`, `"Teams"`, `null`},
		{one, `{"email":null}`, `"3CX"`, `null`},
		{whole, `{"input":{"phoneSystem":"Teams"}}`, `"Teams"`, `"M365"`},
		{whole, `{"input":{"phoneSystem":"Teams","emailSystem":null}}`, `"Teams"`, `null`},
	} {
		var variables map[string]any
		if err := json.Unmarshal([]byte(tc.variables), &variables); err != nil {
			t.Fatal(err)
		}
		got := onWorld(t).ask(as(codex.RoleAdmin), tc.text, variables)
		if want := `{"data":{"updateCompany":{"company":{"phoneSystem":` + tc.phone + `,"emailSystem":` + tc.email + `}}}}` + "\n"; got != want {
			t.Errorf("%s: got %swant %s", tc.variables, got, want)
		}
	}
}

func TestWhatCannotBeChangedIsToldWithTheArgumentAtFault(t *testing.T) {
	g := onWorld(t)
	for _, tc := range []struct{ field, call, message, extensions string }{
		{"updateCompany", `updateCompany(accountNumber: "111", input: {phoneSystem: "x"})`, "there is no company 111", `{"code":"NOT_FOUND","field":"accountNumber"}`},
		{"updateCompany", `updateCompany(accountNumber: "900", input: {})`, "say what to change", `{"code":"BAD_USER_INPUT","field":"input"}`},
		{"updateCompany", `updateCompany(accountNumber: "900", input: {emailSystem: " "})`, "an empty text says nothing: null takes back what was said before", `{"code":"BAD_USER_INPUT","field":"emailSystem"}`},
		{"updateContact", `updateContact(id: "x", input: {employmentType: "y"})`, "this id is a string of digits", `{"code":"BAD_USER_INPUT","field":"id"}`},
		{"updateContact", `updateContact(id: 3, input: {employmentType: "y"})`, "there is no contact 3", `{"code":"NOT_FOUND","field":"id"}`},
		{"linkContact", `linkContact(contactId: "x", accountNumber: "900")`, "this id is a string of digits", `{"code":"BAD_USER_INPUT","field":"contactId"}`},
		{"unlinkContact", `unlinkContact(contactId: "x", accountNumber: "900")`, "this id is a string of digits", `{"code":"BAD_USER_INPUT","field":"contactId"}`},
		{"unlinkContact", `unlinkContact(contactId: 1, accountNumber: "900")`, `the contact 1 belongs to 900 because Freshservice says so: take the requester off the department \"Zebra \u0026 Söhne\" there, and sync freshservice`, `{"code":"CONFLICT"}`},
		{"linkAsset", `linkAsset(assetId: "x", contactId: 1)`, "this id is a string of digits", `{"code":"BAD_USER_INPUT","field":"assetId"}`},
		{"linkAsset", `linkAsset(assetId: 3, contactId: 1)`, "there is no asset 3", `{"code":"NOT_FOUND","field":"assetId"}`},
		{"linkAsset", `linkAsset(assetId: 5, contactId: 1)`, "there is no asset 5", `{"code":"NOT_FOUND","field":"assetId"}`},
		{"unlinkAsset", `unlinkAsset(assetId: 1, contactId: "x")`, "this id is a string of digits", `{"code":"BAD_USER_INPUT","field":"contactId"}`},
		{"unlinkAsset", `unlinkAsset(assetId: 1, contactId: 1)`, "the contact 1 uses the asset 1 because Datto RMM saw them log in last: the link goes with the next sync of datto after somebody else did", `{"code":"CONFLICT"}`},
	} {
		got := g.ask(as(codex.RoleAdmin), "mutation { "+tc.call+" { changed } }", nil)
		want := `{"errors":[{"message":"` + tc.message + `","path":["` + tc.field + `"],"locations":[{"line":1,"column":12}],"extensions":` + tc.extensions + `}],"data":null}` + "\n"
		if got != want {
			t.Errorf("%s\ngot  %swant %s", tc.call, got, want)
		}
	}
	if g.log.Len() > 0 {
		t.Errorf("logged %s", g.log)
	}
}

// Nothing that is local is a service's business, whether Core vouches for it or a person made its token.
func TestNoServiceChangesWhatIsLocal(t *testing.T) {
	g := onWorld(t)
	core := codex.WithCaller(context.Background(), codex.Caller{Name: "service:ledger", Role: codex.RoleService, Core: "ledger"})
	for name, ctx := range map[string]context.Context{"Core's": core, "a local one": as(codex.RoleService)} {
		for _, field := range []string{"updateCompany", "updateContact", "linkContact", "unlinkContact", "linkAsset", "unlinkAsset"} {
			if got := codes(t, g.ask(ctx, "mutation { "+calls()["Mutation."+field]+" }", nil)); got != "FORBIDDEN" {
				t.Errorf("%s, %s: %s", name, field, got)
			}
		}
	}
}
