package main

import (
	"encoding/json"
	"testing"

	"entgo.io/ent/dialect"
)

func TestTheVerbsChangeWhatIsLocalAndASyncLeavesIt(t *testing.T) {
	i := install(t, dialect.SQLite)
	s := i.serve()
	token := i.token("admin")
	i.must("sync", "all")
	var found struct {
		Data struct {
			Companies struct {
				Nodes []struct {
					AccountNumber, Name string
					Assets              []struct{ ID, Hostname string }
				}
			}
			Contacts struct{ Nodes []struct{ ID, Name string } }
		}
	}
	ask := func(query string) {
		t.Helper()
		if err := json.Unmarshal([]byte(s.graphQL(token, query).body), &found); err != nil {
			t.Fatal(err)
		}
	}
	ask(`{ companies(first: 1, filter: {assets: {some: {}}}) { nodes { accountNumber name assets(first: 1) { id hostname } } } }`)
	company := found.Data.Companies.Nodes[0]
	ask(`{ contacts(first: 1, filter: {companies: {none: {accountNumber: {eq: "` + company.AccountNumber + `"}}}}) { nodes { id name } } }`)
	machine, person := company.Assets[0], found.Data.Contacts.Nodes[0] // neither has heard of the other
	account := company.AccountNumber
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"company", "update", account, "--phone-system", "3CX", "--support-level", "All In"}, account + " is changed: " + company.Name},
		{[]string{"company", "update", account, "--phone-system", "3CX"}, account + " was like that already: " + company.Name},
		{[]string{"company", "update", account, "--support-level", ""}, account + " is changed: " + company.Name},
		{[]string{"contact", "update", person.ID, "--employment-type", "Part Time"}, person.ID + " is Part Time now: " + person.Name},
		{[]string{"contact", "update", person.ID, "--employment-type", "Part Time"}, person.ID + " was Part Time already: " + person.Name},
		{[]string{"contact", "link", person.ID, account}, person.Name + " is one of " + company.Name + "'s people now"},
		{[]string{"contact", "link", person.ID, account}, person.Name + " was linked to " + company.Name + " by hand already"},
		{[]string{"asset", "link", machine.ID, person.ID}, machine.Hostname + " is used by " + person.Name + " now"},
		{[]string{"asset", "link", machine.ID, person.ID}, machine.Hostname + " was linked to " + person.Name + " by hand already"},
	} {
		if got := i.must(step.args...); got != step.want+"\n" {
			t.Errorf("%q: %s, want %s", step.args, got, step.want)
		}
	}
	i.must("sync", "all")
	got := s.graphQL(token, `{ company(accountNumber: "`+account+`") { phoneSystem phoneSystemLocal supportLevel }
		contact(id: `+person.ID+`) { employmentType }
		linked: companies(filter: {accountNumber: {eq: "`+account+`"}, contacts: {some: {id: {eq: "`+person.ID+`"}}}}) { totalCount }
		used: assets(filter: {id: {eq: "`+machine.ID+`"}, contacts: {some: {id: {eq: "`+person.ID+`"}}}}) { totalCount } }`).body
	want := `{"data":{"company":{"phoneSystem":"3CX","phoneSystemLocal":true,"supportLevel":null},` +
		`"contact":{"employmentType":"Part Time"},"linked":{"totalCount":1},"used":{"totalCount":1}}}` + "\n"
	if got != want {
		t.Errorf("after a sync: %s, want %s", got, want)
	}
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"contact", "unlink", person.ID, account}, person.Name + " is none of " + company.Name + "'s people now"},
		{[]string{"contact", "unlink", person.ID, account}, person.Name + " was not linked to " + company.Name},
		{[]string{"asset", "unlink", machine.ID, person.ID}, machine.Hostname + " is not said to be used by " + person.Name + " now"},
		{[]string{"asset", "unlink", machine.ID, person.ID}, machine.Hostname + " was not linked to " + person.Name},
		{[]string{"contact", "update", person.ID, "--employment-type="}, person.ID + " is Full Time now: " + person.Name},
	} {
		if got := i.must(step.args...); got != step.want+"\n" {
			t.Errorf("%q: %s, want %s", step.args, got, step.want)
		}
	}
	by := username(t) + " (local socket)"
	got = s.graphQL(token, `{ changes(entity: CONTACT, first: 1) { nodes { kind changedBy } } }`).body
	if want := `{"data":{"changes":{"nodes":[{"kind":"CHANGED","changedBy":"` + by + `"}]}}}` + "\n"; got != want {
		t.Errorf("the history has %s, want %s", got, want)
	}
}
