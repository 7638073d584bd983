package resolvers_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/reconcile"
)

// fakeReviews has one review, with everything that a review may have, of every month, and two
// acknowledgements. It says no to what concerns no company.
type fakeReviews struct{}

func (fakeReviews) Review(_ context.Context, period codex.Period) (*reconcile.Review, error) {
	worth, last := codex.Cents(12050), codex.Period{Year: 2025, Month: time.September}
	item := reconcile.Item{Entity: "assets", ID: "1", Name: "SRV-1"}
	return &reconcile.Review{
		Period: period, At: time.Date(2025, 11, 1, 6, 0, 0, 0, time.UTC),
		Flags: []*reconcile.Flag{{
			Subject: reconcile.Subject{Kind: "feed_not_synced", Item: reconcile.Item{Entity: "feeds", ID: "datto", Name: "datto"}, Fingerprint: "f1"},
			Seen:    "datto has not been synced.", Do: "Sync it.", Lapsed: acknowledgements()[1],
		}, {
			Subject: reconcile.Subject{Kind: "site_without_account", Item: reconcile.Item{Entity: "sites", ID: "s1", Name: "s1"}, Fingerprint: "f4"},
			Seen:    "The site has no account number.", Do: "Give it one.", Acknowledgement: acknowledgements()[1],
		}},
		Companies: []*reconcile.CompanyReview{
			{Account: "620547", Name: "Acme", Last: &last, Billed: []string{"620547-202510"}, Flags: []*reconcile.Flag{
				{
					Subject: reconcile.Subject{Account: "620547", Kind: "type_differs", Item: item, Fingerprint: "f2"},
					Seen:    "SRV-1 was billed as Workstation.", Do: "Set its type.", Before: "Workstation", Now: "Server",
					Link: "https://datto.example/device/1", Worth: &worth, Acknowledgement: acknowledgements()[1],
				},
				{
					Subject: reconcile.Subject{Account: "620547", Kind: "unseen", Item: item, Fingerprint: "f3"},
					Seen:    "SRV-1 was not seen.", Do: "Delete it.", Lapsed: acknowledgements()[1],
				},
			}},
			{Account: "B-2", Name: "Beta"},
		},
	}, nil
}

// acknowledgements are two, the newest first, which was withdrawn.
func acknowledgements() []*reconcile.Acknowledgement {
	by, note, at := "bob", "sold", time.Date(2025, 11, 1, 8, 0, 0, 0, time.UTC)
	made := func(id int, account codex.AccountNumber) *reconcile.Acknowledgement {
		return &reconcile.Acknowledgement{
			ID: id, Period: codex.Period{Year: 2025, Month: time.October}, Standing: true, Note: "a lab", By: "ana", At: at.Add(-time.Hour),
			Subject: reconcile.Subject{Account: account, Kind: "type_differs", Fingerprint: "f2", Item: reconcile.Item{Entity: "assets", ID: "1", Name: "SRV-1"}},
		}
	}
	newest := made(2, "")
	newest.WithdrawnBy, newest.WithdrawnNote, newest.WithdrawnAt = &by, &note, &at
	return []*reconcile.Acknowledgement{newest, made(1, "620547")}
}

func (fakeReviews) Acknowledge(_ context.Context, wanted reconcile.NewAcknowledgement, by codex.Caller) (*reconcile.Acknowledgement, error) {
	if wanted.Account == "" {
		return nil, codex.Errorf(codex.CodeNotFound, "there is no such flag")
	}
	return &reconcile.Acknowledgement{
		ID: 3, Period: wanted.Period, Standing: wanted.Standing, Note: wanted.Note, By: by.Name, At: time.Date(2025, 11, 1, 9, 0, 0, 0, time.UTC),
		Subject: reconcile.Subject{Account: wanted.Account, Kind: wanted.Kind, Item: wanted.Item, Fingerprint: wanted.Fingerprint},
	}, nil
}

func (fakeReviews) Withdraw(_ context.Context, id int, note string, by codex.Caller) (*reconcile.Acknowledgement, error) {
	withdrawn := *acknowledgements()[0]
	withdrawn.ID, withdrawn.WithdrawnBy, withdrawn.WithdrawnNote = id, &by.Name, &note
	return &withdrawn, nil
}

func (fakeReviews) Acknowledgements(_ context.Context, page query.Page, filter reconcile.AcknowledgementFilter) (*query.PageOf[*reconcile.Acknowledgement], error) {
	found := &query.PageOf[*reconcile.Acknowledgement]{Before: page.After != "", More: page.First == 1}
	for i, a := range acknowledgements()[:min(2, page.First)] {
		if filter.Account == nil || *filter.Account == a.Account {
			found.Rows, found.Cursors = append(found.Rows, a), append(found.Cursors, []string{"c2", "c1"}[i])
		}
	}
	return found, nil
}

func TestTheReviewIsAnsweredAsItIs(t *testing.T) {
	g := onWorld(t)
	for _, c := range []struct{ name, text, want string }{
		{"companies with flags",
			`{ billReview(year: 2025, month: 9) { month at open flags { kind accountNumber before link worth } companies { accountNumber lastBilled open } } }`,
			`{"data":{"billReview":{"month":"2025-09","at":"2025-11-01T06:00:00Z","open":2,"flags":[{"kind":"feed_not_synced","accountNumber":null,"before":null,"link":null,"worth":null},{"kind":"site_without_account","accountNumber":null,"before":null,"link":null,"worth":null}],"companies":[{"accountNumber":"620547","lastBilled":"2025-09","open":1}]}}}`},
		{"all companies",
			`{ billReview(year: 2025, month: 9) { companies(flagged: false) { accountNumber lastBilled invoices } } }`,
			`{"data":{"billReview":{"companies":[{"accountNumber":"620547","lastBilled":"2025-09","invoices":["620547-202510"]},{"accountNumber":"B-2","lastBilled":null,"invoices":[]}]}}}`},
		{"one company",
			`{ billReview(year: 2025, month: 9, accountNumber: "620547") { companies { flags { kind item { entity id name } worth acknowledgement { id } lapsed { id note } } } } }`,
			`{"data":{"billReview":{"companies":[{"flags":[{"kind":"type_differs","item":{"entity":"assets","id":"1","name":"SRV-1"},"worth":"120.50","acknowledgement":{"id":"1"},"lapsed":null},{"kind":"unseen","item":{"entity":"assets","id":"1","name":"SRV-1"},"worth":null,"acknowledgement":null,"lapsed":{"id":"1","note":"a lab"}}]}]}}}`},
		{"a page of acknowledgements",
			`{ acknowledgements(first: 1, month: "2025-10") { nodes { id accountNumber month } pageInfo { hasNextPage endCursor } } }`,
			`{"data":{"acknowledgements":{"nodes":[{"id":"2","accountNumber":null,"month":"2025-10"}],"pageInfo":{"hasNextPage":true,"endCursor":"c2"}}}}`},
		{"acknowledging",
			`mutation { acknowledge(input: {accountNumber: "620547", year: 2025, month: 10, kind: "unseen", item: {entity: "assets", id: "1"}, note: "spare", standing: true, fingerprint: "f3"}) { acknowledgement { id by note standing fingerprint item { id } } } }`,
			`{"data":{"acknowledge":{"acknowledgement":{"id":"3","by":"the billing","note":"spare","standing":true,"fingerprint":"f3","item":{"id":"1"}}}}}`},
		{"withdrawing",
			`mutation { withdrawAcknowledgement(id: 2, note: "sold") { acknowledgement { id withdrawnBy withdrawnNote } } }`,
			`{"data":{"withdrawAcknowledgement":{"acknowledgement":{"id":"2","withdrawnBy":"the billing","withdrawnNote":"sold"}}}}`},
	} {
		if got := strings.TrimSpace(g.ask(as(codex.RoleBilling), c.text, nil)); got != c.want {
			t.Errorf("%s: %s\nwant %s", c.name, got, c.want)
		}
	}
	for text, want := range map[string]string{
		`{ billReview(year: 2025, month: 13) { open } }`:                                     "BAD_USER_INPUT",
		`{ billReview(year: 25, month: 1) { open } }`:                                        "BAD_USER_INPUT",
		`{ billReview(year: 2025, month: 1, accountNumber: "0") { open } }`:                  "NOT_FOUND",
		`{ acknowledgements(month: "October") { nodes { id } } }`:                            "BAD_USER_INPUT",
		`{ acknowledgements(after: "") { nodes { id } } }`:                                   "BAD_USER_INPUT",
		`mutation { withdrawAcknowledgement(id: "x", note: "") { acknowledgement { id } } }`: "BAD_USER_INPUT",
	} {
		if got := codes(t, g.ask(as(codex.RoleBilling), text, nil)); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}
