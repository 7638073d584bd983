package reconcile_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/reconcile"
	"github.com/hivematrix/codex/store/storetest"
)

func ana() codex.Caller { return codex.Caller{Name: "ana", Role: codex.RoleBilling} }

// idle is a hub with one flag: a machine of Acme that was not seen since August.
func idle(h *hub) reconcile.NewAcknowledgement {
	h.usual()
	h.must(h.db.Ent().Asset.UpdateOneID(12).SetLastSeen(at(time.August, 1, 0)).Exec(h.t.Context()))
	return reconcile.NewAcknowledgement{
		Account: "620547", Period: october(), Kind: "unseen", Item: reconcile.Item{Entity: "assets", ID: "12"}, Note: "a spare one",
	}
}

func (h *hub) acknowledge(wanted reconcile.NewAcknowledgement) *reconcile.Acknowledgement {
	h.t.Helper()
	made, err := h.reviews.Acknowledge(h.t.Context(), wanted, ana())
	h.must(err)
	return made
}

// open says how many flags of a month are open, and whose acknowledgements show.
func (h *hub) open(month codex.Period) (open int, holds, lapsed []int) {
	h.t.Helper()
	review, err := h.reviews.Review(h.t.Context(), month)
	h.must(err)
	for _, flag := range review.Companies[0].Flags {
		if flag.Acknowledgement != nil {
			holds = append(holds, flag.Acknowledgement.ID)
		}
		if flag.Lapsed != nil {
			lapsed = append(lapsed, flag.Lapsed.ID)
		}
	}
	return review.Companies[0].Open(), holds, lapsed
}

func TestAnAcknowledgementKeepsWhoSaidWhatOfWhat(t *testing.T) {
	eachHub(t, func(h *hub) {
		made := h.acknowledge(idle(h))
		want := reconcile.Acknowledgement{
			ID: 1, Period: october(), Note: "a spare one", By: "ana", At: sixOClock(),
			Subject: reconcile.Subject{
				Account: "620547", Kind: "unseen", Fingerprint: h.review().Companies[0].Flags[0].Fingerprint,
				Item: reconcile.Item{Entity: "assets", ID: "12", Name: "PC-1"},
			},
		}
		if *made != want {
			t.Errorf("it is %+v", made)
		}
		page, err := h.reviews.Acknowledgements(t.Context(), query.Page{First: 10}, reconcile.AcknowledgementFilter{})
		if err != nil || len(page.Rows) != 1 || *page.Rows[0] != want {
			t.Errorf("the list is %+v, %v", page, err)
		}
		if open, holds, _ := h.open(october()); open != 0 || len(holds) != 1 {
			t.Errorf("%d are open, %v hold", open, holds)
		}
	})
}

func TestAnAcknowledgementLapsesWhenWhatItIsAboutChanges(t *testing.T) {
	eachHub(t, func(h *hub) {
		wanted := idle(h)
		h.acknowledge(wanted)
		h.must(h.db.Ent().Asset.UpdateOneID(12).SetLastSeen(at(time.August, 2, 0)).Exec(t.Context()))
		if open, holds, lapsed := h.open(october()); open != 1 || len(holds) != 0 || len(lapsed) != 1 {
			t.Errorf("%d are open, %v hold, %v have lapsed", open, holds, lapsed)
		}
		if again := h.acknowledge(wanted); again.ID != 2 {
			t.Errorf("the next has the id %d", again.ID)
		}
		if open, holds, lapsed := h.open(october()); open != 0 || len(holds) != 1 || holds[0] != 2 || len(lapsed) != 0 {
			t.Errorf("%d are open, %v hold, %v have lapsed", open, holds, lapsed)
		}
	})
}

func TestAnAcknowledgementOfAMonthHoldsForLaterOnesIfItIsToStand(t *testing.T) {
	november, august := codex.Period{Year: 2025, Month: time.November}, codex.Period{Year: 2025, Month: time.August}
	eachHub(t, func(h *hub) {
		wanted := idle(h)
		first := h.acknowledge(wanted)
		if open, _, _ := h.open(november); open != 1 {
			t.Errorf("in November, %d are open", open)
		}
		if _, err := h.reviews.Withdraw(t.Context(), first.ID, "to stand", ana()); err != nil {
			t.Fatal(err)
		}
		wanted.Standing = true
		h.acknowledge(wanted)
		if open, _, _ := h.open(november); open != 0 {
			t.Errorf("in November, %d are open", open)
		}
		review, err := h.reviews.Review(t.Context(), august)
		if err != nil || review.Companies[0].Open() != 0 { // it was seen in August
			t.Errorf("in August: %+v, %v", review, err)
		}
	})
}

func TestAWithdrawnAcknowledgementHoldsNoLongerAndStaysInTheList(t *testing.T) {
	eachHub(t, func(h *hub) {
		wanted := idle(h)
		h.acknowledge(wanted)
		withdrawn, err := h.reviews.Withdraw(t.Context(), 1, " it was sold ", codex.Caller{Name: "bob", Role: codex.RoleAdmin})
		if err != nil || *withdrawn.WithdrawnBy != "bob" || *withdrawn.WithdrawnNote != "it was sold" || !withdrawn.WithdrawnAt.Equal(sixOClock()) {
			t.Errorf("it is %+v, %v", withdrawn, err)
		}
		if open, holds, lapsed := h.open(october()); open != 1 || len(holds)+len(lapsed) != 0 {
			t.Errorf("%d are open, %v hold, %v have lapsed", open, holds, lapsed)
		}
		if _, err := h.reviews.Withdraw(t.Context(), 1, "again", ana()); codex.CodeOf(err) != codex.CodeConflict {
			t.Errorf("withdrawing it again is %v", err)
		}
		h.acknowledge(wanted)
		for _, c := range []struct {
			filter reconcile.AcknowledgementFilter
			want   int
		}{
			{reconcile.AcknowledgementFilter{}, 2},
			{reconcile.AcknowledgementFilter{Withdrawn: ptr(true)}, 1},
			{reconcile.AcknowledgementFilter{Withdrawn: ptr(false)}, 1},
			{reconcile.AcknowledgementFilter{Account: ptr(codex.AccountNumber("620547")), Period: ptr(october()), Kind: "unseen"}, 2},
			{reconcile.AcknowledgementFilter{Account: ptr(codex.AccountNumber(""))}, 0},
			{reconcile.AcknowledgementFilter{Period: ptr(september())}, 0},
			{reconcile.AcknowledgementFilter{Kind: "reimaged"}, 0},
		} {
			page, err := h.reviews.Acknowledgements(t.Context(), query.Page{First: 10}, c.filter)
			if err != nil || len(page.Rows) != c.want {
				t.Errorf("%+v finds %+v, %v", c.filter, page, err)
			}
		}
	})
}

func TestAcknowledgementsComeInPagesNewestFirst(t *testing.T) {
	eachHub(t, func(h *hub) {
		wanted := idle(h)
		for id := 1; id <= 3; id++ {
			h.acknowledge(wanted)
			if _, err := h.reviews.Withdraw(t.Context(), id, "again", ana()); err != nil {
				t.Fatal(err)
			}
		}
		first, err := h.reviews.Acknowledgements(t.Context(), query.Page{First: 2}, reconcile.AcknowledgementFilter{})
		if err != nil || len(first.Rows) != 2 || first.Rows[0].ID != 3 || !first.More || first.Before {
			t.Fatalf("the first page is %+v, %v", first, err)
		}
		second, err := h.reviews.Acknowledgements(t.Context(), query.Page{First: 2, After: first.Cursors[1]}, reconcile.AcknowledgementFilter{})
		if err != nil || len(second.Rows) != 1 || second.Rows[0].ID != 1 || second.More || !second.Before {
			t.Fatalf("the second page is %+v, %v", second, err)
		}
		for _, page := range []query.Page{{First: 0}, {First: 1001}, {First: 1, After: "MTI"}, {First: 1, After: "no cursor"}} {
			if _, err := h.reviews.Acknowledgements(t.Context(), page, reconcile.AcknowledgementFilter{}); codex.CodeOf(err) != codex.CodeBadInput {
				t.Errorf("%+v is %v", page, err)
			}
		}
	})
}

func TestWhatCannotBeAcknowledgedSaysWhy(t *testing.T) {
	db := storetest.Open(t, "sqlite3", storetest.Now(sixOClock))
	h := newHub(t, db)
	wanted := idle(h)
	for _, c := range []struct {
		name   string
		change func(a *reconcile.NewAcknowledgement)
		code   codex.Code
	}{
		{"without note", func(a *reconcile.NewAcknowledgement) { a.Note = " " }, codex.CodeBadInput},
		{"a note that is no text", func(a *reconcile.NewAcknowledgement) { a.Note = "a\x00" }, codex.CodeBadInput},
		{"a note without end", func(a *reconcile.NewAcknowledgement) { a.Note = strings.Repeat("a", 10_001) }, codex.CodeBadInput},
		{"another kind", func(a *reconcile.NewAcknowledgement) { a.Kind = "reimaged" }, codex.CodeNotFound},
		{"another item", func(a *reconcile.NewAcknowledgement) { a.Item.ID = "13" }, codex.CodeNotFound},
		{"another company", func(a *reconcile.NewAcknowledgement) { a.Account = "" }, codex.CodeNotFound},
		{"another month", func(a *reconcile.NewAcknowledgement) { a.Period.Month = time.August }, codex.CodeNotFound},
		{"another fingerprint", func(a *reconcile.NewAcknowledgement) { a.Fingerprint = "0123" }, codex.CodeConflict},
		{"as it was shown", func(a *reconcile.NewAcknowledgement) {
			a.Fingerprint = h.review().Companies[0].Flags[0].Fingerprint
		}, ""},
		{"once more", func(*reconcile.NewAcknowledgement) {}, codex.CodeConflict},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := wanted
			c.change(&asked)
			if _, err := h.reviews.Acknowledge(t.Context(), asked, ana()); codex.CodeOf(err) != c.code {
				t.Errorf("it is %v", err)
			}
		})
	}
	if _, err := h.reviews.Withdraw(t.Context(), 99, "no", ana()); codex.CodeOf(err) != codex.CodeNotFound {
		t.Errorf("one that is not there: %v", err)
	}
	if _, err := h.reviews.Withdraw(t.Context(), 1, "", ana()); codex.CodeOf(err) != codex.CodeBadInput {
		t.Errorf("without note: %v", err)
	}
}

func TestOfSeveralWhoAcknowledgeTheSameAtOnceOneDoes(t *testing.T) {
	eachHub(t, func(h *hub) {
		wanted := idle(h)
		h.review() // reads the bill
		const callers = 5
		codes := make(chan codex.Code, callers)
		var all sync.WaitGroup
		for range callers {
			all.Go(func() {
				_, err := h.reviews.Acknowledge(t.Context(), wanted, ana())
				codes <- codex.CodeOf(err)
			})
		}
		all.Wait()
		close(codes)
		count := map[codex.Code]int{}
		for code := range codes {
			count[code]++
		}
		if count[""] != 1 || count[codex.CodeConflict] != callers-1 {
			t.Errorf("they end as %v", count)
		}
		if rows, err := h.db.Ent().Acknowledgement.Query().All(t.Context()); err != nil || len(rows) != 1 {
			t.Errorf("there are %d, %v", len(rows), err)
		}
	})
}

// What the reconciliation shows is acknowledged as what the review does.
func TestADifferenceIsAcknowledgedToo(t *testing.T) {
	eachHub(t, func(h *hub) {
		h.usual()
		h.bill("620547", october(), []row{{12, "PC-1", "Workstation", 30}, {12, "PC-1", "Workstation", 30}}, []row{{7, "Ana", "Paid", 15}}, nil)
		after := func() *reconcile.Difference {
			made, err := reconcile.NewReconciler(reconcile.ReconcileOptions{DB: h.db, Now: sixOClock}).Reconcile(t.Context(), october())
			h.must(err)
			twice := slices.IndexFunc(made.Differences, func(d *reconcile.Difference) bool { return d.Kind == reconcile.DiffBilledTwice })
			if twice < 0 {
				t.Fatalf("the differences are %+v", made.Differences)
			}
			return made.Differences[twice]
		}
		difference := after()
		made := h.acknowledge(reconcile.NewAcknowledgement{
			Account: "620547", Period: october(), Kind: difference.Kind, Item: difference.Item, Note: "agreed", Fingerprint: difference.Fingerprint,
		})
		if holds := after().Acknowledgement; holds == nil || holds.ID != made.ID {
			t.Errorf("%s is acknowledged by %+v", difference.Kind, holds)
		}
	})
}
