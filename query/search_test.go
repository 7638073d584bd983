package query_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/query/querytest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
)

// searched is a record as the model of a search knows it.
type searched struct {
	kind   query.SearchType
	key    any // as its order goes
	label  string
	fields []searchedField
}

type searchedField struct {
	name   string
	texts  []string
	whole  bool
	number bool
}

// foundAs is how and where a record is found by a text, told once more.
func (s searched) foundAs(text string) (match query.SearchMatch, field string) {
	folded := store.Fold(strings.TrimSpace(text))
	number := regexp.MustCompile(`^#?(?:inc-|sr-)?([0-9]+)$`).FindStringSubmatch(folded)
	for _, match := range query.SearchMatches() {
		for _, f := range s.fields {
			wanted := folded
			if f.number && number != nil {
				wanted = number[1]
			}
			if slices.ContainsFunc(f.texts, func(t string) bool {
				t = store.Fold(t)
				switch {
				case match == query.MatchExact:
					return t == wanted
				case f.whole:
					return false
				case match == query.MatchPrefix:
					return strings.HasPrefix(t, wanted)
				}
				return strings.Contains(t, wanted)
			}) {
				return match, f.name
			}
		}
	}
	return "", ""
}

// hitLine is a hit as tests compare it.
func hitLine(kind query.SearchType, key any, match query.SearchMatch, field string) string {
	return fmt.Sprintf("%s %v %s %s", kind, key, match, field)
}

func toldHits(hits []*query.SearchHit) []string {
	all := []string{}
	for _, hit := range hits {
		var key any
		switch node := hit.Node.(type) {
		case *ent.Company:
			key = node.ID
		case *ent.Contact:
			key = node.ID
		case *ent.Asset:
			key = node.ID
		case *ent.Ticket:
			key = node.ID
		case *ent.Snapshot:
			key = node.InvoiceNumber
		}
		all = append(all, hitLine(hit.Type, key, hit.Match, hit.Field))
	}
	return all
}

// searchedLike are the hits that all records have, in the order of a search.
func searchedLike(all []searched, text string, types []query.SearchType, first int) []string {
	type hit struct {
		searched
		match query.SearchMatch
		field string
	}
	var hits []hit
	for _, s := range all {
		if match, field := s.foundAs(text); match != "" && (types == nil || slices.Contains(types, s.kind)) {
			hits = append(hits, hit{s, match, field})
		}
	}
	kinds := []query.SearchType{query.SearchCompany, query.SearchContact, query.SearchAsset, query.SearchTicket}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(
			cmp.Compare(slices.Index(query.SearchMatches(), a.match), slices.Index(query.SearchMatches(), b.match)),
			cmp.Compare(slices.Index(kinds, a.kind), slices.Index(kinds, b.kind)),
			cmp.Compare(a.label, b.label), byKeys(a.key, b.key),
		)
	})
	lines := []string{}
	for _, h := range hits[:min(first, len(hits))] {
		lines = append(lines, hitLine(h.kind, h.key, h.match, h.field))
	}
	return lines
}

// byKeys is the order of the keys of one kind.
func byKeys(a, b any) int {
	switch a := a.(type) {
	case codex.AccountNumber:
		if b, ok := b.(codex.AccountNumber); ok {
			return cmp.Compare(a, b)
		}
	case int:
		if b, ok := b.(int); ok {
			return cmp.Compare(a, b)
		}
	}
	return 0
}

// pieces are what the texts of the model are made of.
func pieces() []string {
	return []string{
		"a", "A", "ä", "Ä", "ß", "ẞ", "i", "I", "İ", "ı", "σ", "ς", "Σ", "é", "e\u0301", "漢", "😀", "%", "_", `"`, `\`, ",", "<", "@",
		".", " ", "#", "-", "1", "12", "INC-", "sr-", "ab", "\u00a0", "[", "]", "'", "\n",
	}
}

// fillSearched writes records of random texts, many of them alike, and gives those that are served.
func fillSearched(t *testing.T, db *store.DB) []searched {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range random.IntN(4) {
			b.WriteString(pieces()[random.IntN(len(pieces()))])
		}
		return b.String()
	}
	gone := func(i int) bool { return i%9 == 8 }
	var all []searched
	if err := db.Write(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		c := tx.Ent()
		var failed []error
		for i := range 30 {
			account, name := codex.AccountNumber(fmt.Sprintf("%s%d", []string{"A", "a", "1", "Ä"}[i%4], i)), text()
			create := c.Company.Create().SetID(account).SetName(name)
			if gone(i) {
				create.SetArchivedAt(querytest.At(1))
			} else {
				all = append(all, searched{query.SearchCompany, account, name, []searchedField{
					{name: "accountNumber", texts: []string{string(account)}}, {name: "name", texts: []string{name}},
				}})
			}
			failed = append(failed, create.Exec(ctx))
			for j := range 3 {
				id, hostname, uid, subject := i*3+j+1, text(), text(), text()
				machine := c.Asset.Create().SetID(id).SetCompanyAccountNumber(account).SetHostname(hostname)
				uids := []string{}
				if j > 0 {
					uid += fmt.Sprint("-", id)
					uids = append(uids, uid)
					machine.SetDattoUID(codex.DeviceUID(uid))
				}
				if gone(id) {
					machine.SetRemovedAt(querytest.At(1))
				}
				closed := id%7 > 0
				work := c.Ticket.Create().SetID(id * 11).SetCompanyAccountNumber(account).SetSubject(subject).SetClosed(closed).
					SetStatus("x").SetStatusCode(5).SetPriority("Low").SetCreatedAt(querytest.At(1)).SetLastUpdatedAt(querytest.At(1)).
					SetUpstreamUpdatedAt(querytest.At(1)).SetSpentSeconds(0).SetUnbillableSeconds(0).SetDescription("").
					SetDescriptionText("").SetConversations("[]").SetNotes("[]").SetTimerRunning(false)
				if gone(id + 3) {
					work.SetRemovedAt(querytest.At(1))
				}
				failed = append(failed, machine.Exec(ctx), work.Exec(ctx))
				if !gone(i) && !gone(id) {
					all = append(all, searched{query.SearchAsset, id, hostname, []searchedField{
						{name: "hostname", texts: []string{hostname}}, {name: "dattoUid", texts: uids, whole: true},
					}})
				}
				if !gone(i) && !gone(id+3) && closed {
					all = append(all, searched{query.SearchTicket, id * 11, subject, []searchedField{
						{name: "ticketId", texts: []string{fmt.Sprint(id * 11)}, number: true}, {name: "subject", texts: []string{subject}},
					}})
				}
				name, email := text(), fmt.Sprintf("%s@%d", text(), id)
				person := c.Contact.Create().SetID(id).SetName(name).SetEmail(email)
				var more []string
				for range random.IntN(3) {
					more = append(more, text()+string([]rune{0, 'x', '@'}[random.IntN(3)])+text())
				}
				switch list, err := json.Marshal(more); {
				case err != nil:
					return err
				case more != nil:
					person.SetSecondaryEmails(string(list))
				case j > 0:
					person.SetSecondaryEmails([]string{"", "[]"}[j-1])
				}
				if gone(id) {
					person.SetRemovedAt(querytest.At(1))
				} else {
					all = append(all, searched{query.SearchContact, id, name, []searchedField{
						{name: "email", texts: []string{email}}, {name: "name", texts: []string{name}},
						{name: "secondaryEmails", texts: more},
					}})
				}
				failed = append(failed, person.Exec(ctx))
			}
		}
		return errors.Join(failed...)
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestASearchFindsWhatAPlainLookFindsInTheSameOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		all := fillSearched(t, db)
		r := query.New(db.Ent(), rules())
		met := map[query.SearchMatch]int{}
		rapid.Check(t, func(t *rapid.T) {
			text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces()), 1, 3).Draw(t, "text"), "")
			if record := rapid.IntRange(0, 2*len(all)).Draw(t, "of a record"); record < len(all) {
				f := rapid.SampledFrom(all[record].fields).Draw(t, "field")
				text = strings.Join(f.texts, "")
			}
			var types []query.SearchType
			if rapid.Bool().Draw(t, "some types") {
				types = rapid.SliceOfN(rapid.SampledFrom(query.SearchTypes()), 0, 3).Draw(t, "types")
			}
			first := rapid.IntRange(1, 60).Draw(t, "first")
			hits, err := r.Search(context.Background(), query.Search{Text: text, Types: types, First: first})
			if strings.TrimSpace(text) == "" {
				if codex.CodeOf(err) != codex.CodeBadInput {
					t.Fatalf("%q: %v", text, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			for _, hit := range hits {
				met[hit.Match]++
			}
			if got, want := toldHits(hits), searchedLike(all, text, types, first); !slices.Equal(got, want) {
				t.Fatalf("%q\ngot  %s\nwant %s", text, strings.Join(got, ", "), strings.Join(want, ", "))
			}
		})
		for _, match := range query.SearchMatches() {
			if met[match] < 10 {
				t.Errorf("only %d hits were %s", met[match], match)
			}
		}
	})
}

func TestWhatPeopleTypeIsFound(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			name, text string
			want       []string
		}{
			{"an account number, with its newest bills", "620547", []string{
				"company 620547 exact accountNumber", "snapshot 620547-202510 prefix invoiceNumber", "snapshot 620547-202509 prefix invoiceNumber",
			}},
			{"its beginning", "62", []string{
				"company 620547 prefix accountNumber", "snapshot 620547-202510 prefix invoiceNumber", "snapshot 620547-202509 prefix invoiceNumber",
			}},
			{"a number in any letters", "b-2", []string{"company B-2 exact accountNumber", "snapshot B-2-202510 prefix invoiceNumber"}},
			{"an invoice", "620547-202509", []string{"snapshot 620547-202509 exact invoiceNumber"}},
			{"a name", "ACME", []string{"company 620547 exact name", "contact 1 contains email", "contact 2 contains email", "contact 4 contains email"}},
			{"a part of a name", "söHN", []string{"company 900 contains name"}},
			{"a person", "ann acme", []string{"contact 1 exact name"}},
			{"an address", " ANN@acme.EXAMPLE\t", []string{"contact 1 exact email"}},
			{"a further address", "ann@acme.test", []string{"contact 1 exact secondaryEmails"}},
			{"the beginning of both", "ann@acme.", []string{"contact 1 prefix email"}},
			{"a host", "srv-1", []string{"asset 1 exact hostname"}},
			{"hosts", "pc-", []string{"asset 2 prefix hostname", "asset 4 prefix hostname"}},
			{"a device's UID", "UID-1", []string{"asset 1 exact dattoUid"}},
			{"a part of one", "uid-", []string{}},
			{"a ticket", "1001", []string{"ticket 1001 exact ticketId"}},
			{"as mails write it", "#1001", []string{"ticket 1001 exact ticketId"}},
			{"an incident", "INC-1001", []string{"ticket 1001 exact ticketId"}},
			{"a service request", "sr-1001", []string{"ticket 1001 exact ticketId"}},
			{"all of it", "#INC-1001", []string{"ticket 1001 exact ticketId"}},
			{"the beginning of numbers", "#100", []string{"ticket 1001 prefix ticketId", "ticket 1002 prefix ticketId", "ticket 1003 prefix ticketId"}},
			{"a subject and a number", "ticket 1002", []string{"ticket 1002 exact subject"}},
			{"a part of a subject", "on FIRE", []string{"ticket 1001 contains subject"}},
			{"beginnings first, each kind by its names", "a", []string{
				"company 620547 prefix name", "company a-1 prefix accountNumber", "contact 1 prefix email",
				"company B-2 contains name", "company 900 contains name", "contact 2 contains email", "contact 4 contains email",
			}},
			{"an archived company", "Gone", []string{}},
			{"its number", "111", []string{}},
			{"its machine", "PC-5", []string{}},
			{"its ticket", "1006", []string{}},
			{"a removed machine", "PC-3", []string{}},
			{"a removed person", "cid", []string{}},
			{"a removed ticket", "1005", []string{}},
			{"a ticket that was opened again", "1004", []string{}},
			{"a letter that means something elsewhere", "%", []string{}},
			{"nothing", "no such thing", []string{}},
		} {
			hits, err := r.Search(t.Context(), query.Search{Text: tc.text, First: 20})
			if err != nil {
				t.Errorf("%s: %v", tc.name, err)
			}
			if got := toldHits(hits); !slices.Equal(got, tc.want) {
				t.Errorf("%s: %q finds\n%s\nwant\n%s", tc.name, tc.text, strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		}
	})
}

func TestASearchThatCannotBeIsRefusedAndNamesTheArgument(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		for _, tc := range []struct {
			name   string
			search query.Search
			want   string // empty: it is answered
		}{
			{"nothing", query.Search{First: 1}, "text: there is nothing to search for: give it a name, number or address"},
			{"blanks", query.Search{Text: " \t\u00a0\n", First: 1}, "text: there is nothing to search for: give it a name, number or address"},
			{"200 letters", query.Search{Text: " " + strings.Repeat("ä", 200) + " ", First: 1}, ""},
			{"201 letters", query.Search{Text: strings.Repeat("ä", 201), First: 1}, "text: a text to search for has at most 200 letters, not 201"},
			{"no hits", query.Search{Text: "a"}, "first: a search finds 1 to 1000 records, not 0"},
			{"too many hits", query.Search{Text: "a", First: 1001}, "first: a search finds 1 to 1000 records, not 1001"},
			{"no type", query.Search{Text: "a", First: 1, Types: []query.SearchType{}}, ""},
			{"letters that no database holds", query.Search{Text: "a\x00\xff", First: 1000}, ""},
		} {
			hits, err := r.Search(t.Context(), tc.search)
			if tc.want == "" {
				if err != nil || len(hits) != 0 {
					t.Errorf("%s: %v, %v", tc.name, toldHits(hits), err)
				}
				continue
			}
			if codex.CodeOf(err) != codex.CodeBadInput || err.Error() != tc.want {
				t.Errorf("%s: %v", tc.name, err)
			}
		}
	})
}

func TestASearchReadsTheColumnsThatAreAskedFor(t *testing.T) {
	eachWorld(t, func(t *testing.T, r *query.Reader) {
		search := query.Search{Text: "srv-1", First: 1, Columns: map[query.SearchType][]string{query.SearchAsset: {"operating_system"}}}
		hits, err := r.Search(t.Context(), search)
		if err != nil || len(hits) != 1 {
			t.Fatal(hits, err)
		}
		a := hits[0].Node.(*ent.Asset)
		if a.ID != 1 || a.CompanyAccountNumber != "620547" || *a.OperatingSystem != "Windows Server 2022" || a.Hostname != "" {
			t.Errorf("%v", a)
		}
	})
}

func TestWhatIsNoListOfTextsHidesNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		var want []string
		for i, list := range []string{"", "[]", "[ ]", "null", "{}", "no JSON", `["b@x.example"]`} {
			if err := db.Ent().Contact.Create().SetID(i).SetName("Ann").SetEmail(fmt.Sprint(i, "@x.example")).SetSecondaryEmails(list).Exec(t.Context()); err != nil {
				t.Fatal(err)
			}
			want = append(want, hitLine(query.SearchContact, i, query.MatchExact, "name"))
		}
		hits, err := query.New(db.Ent(), rules()).Search(t.Context(), query.Search{Text: "ann", First: 20})
		if got := toldHits(hits); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	})
}

func TestASearchThatCannotBeReadSaysSo(t *testing.T) {
	db := storetest.Open(t, "sqlite3")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, kind := range query.SearchTypes() {
		search := query.Search{Text: "x", First: 1, Types: []query.SearchType{kind}}
		if _, err := query.New(db.Ent(), rules()).Search(ctx, search); err == nil || codex.CodeOf(err) == codex.CodeNotFound {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
