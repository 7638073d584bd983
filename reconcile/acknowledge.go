package reconcile

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/acknowledgement"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// acknowledgementsEntity is the name under which acknowledgements have a revision.
const acknowledgementsEntity = "acknowledgements"

// maxNote is how many characters a note may have.
const maxNote = 10_000

// NewAcknowledgement is what is to be acknowledged.
type NewAcknowledgement struct {
	Account  codex.AccountNumber // empty for what concerns no company
	Period   codex.Period
	Kind     string
	Item     Item
	Standing bool
	Note     string
	// Fingerprint is that of what the person looked at; empty takes what is so now.
	Fingerprint string
}

// Acknowledge keeps that by looked at a flag of a month's review, or at a difference of its
// reconciliation, as it is now. What is not there is [codex.CodeNotFound]; what is another one by now
// than by was shown, or is acknowledged already, [codex.CodeConflict].
func (r *Reviewer) Acknowledge(ctx context.Context, wanted NewAcknowledgement, by codex.Caller) (*Acknowledgement, error) {
	if err := checkNote(wanted.Note); err != nil {
		return nil, err
	}
	subject, err := r.find(ctx, wanted)
	if err != nil {
		return nil, err
	}
	if wanted.Fingerprint != "" && wanted.Fingerprint != subject.Fingerprint {
		return nil, codex.Errorf(codex.CodeConflict, "%s of %s has changed since you looked: look again", wanted.Kind, wanted.Item)
	}
	var made *Acknowledgement
	err = r.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Raise(ctx, acknowledgementsEntity); err != nil { // of two at once the second sees the first
			return err
		}
		acknowledged, err := acknowledgedIn(ctx, tx, wanted.Period)
		if err != nil {
			return err
		}
		if holds := acknowledged.Of(*subject); holds != nil {
			return codex.Errorf(codex.CodeConflict, "%s acknowledged it at %s: withdraw that first (%d)", holds.By, shownTime(holds.At), holds.ID)
		}
		id, err := nextID(ctx, tx)
		if err != nil {
			return err
		}
		row, err := tx.Ent().Acknowledgement.Create().SetID(id).SetCompanyAccountNumber(subject.Account).
			SetBillingYear(wanted.Period.Year).SetBillingMonth(int(wanted.Period.Month)).SetKind(subject.Kind).
			SetItemEntity(subject.Item.Entity).SetItemID(subject.Item.ID).SetItemName(subject.Item.Name).
			SetFingerprint(subject.Fingerprint).SetStanding(wanted.Standing).SetNote(strings.TrimSpace(wanted.Note)).
			SetAcknowledgedBy(by.Name).SetAcknowledgedAt(tx.Now()).Save(ctx)
		if err != nil {
			return err
		}
		made = acknowledgementOf(row)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("acknowledging %s of %s: %w", wanted.Kind, wanted.Item, err)
	}
	return made, nil
}

// find is what is to be acknowledged, as it is now: a flag of the review, or a difference of the
// reconciliation. Of two the one with the fingerprint is meant, else the first that nobody acknowledged.
func (r *Reviewer) find(ctx context.Context, wanted NewAcknowledgement) (*Subject, error) {
	asked := Subject{Account: wanted.Account, Kind: wanted.Kind, Item: wanted.Item}.key()
	review, err := r.Review(ctx, wanted.Period)
	if err != nil {
		return nil, err
	}
	var found []*Subject
	open := make(map[*Subject]bool)
	for _, flag := range review.All() {
		found = append(found, &flag.Subject)
		open[&flag.Subject] = flag.Acknowledgement == nil
	}
	if !wanted.Period.Start().After(r.o.Now()) { // a month that lies ahead has no bills to compare
		billed, err := NewReconciler(ReconcileOptions{DB: r.o.DB, Rules: r.o.Rules, Now: r.o.Now}).Reconcile(ctx, wanted.Period)
		if err != nil {
			return nil, err
		}
		for _, difference := range billed.Differences {
			found = append(found, &difference.Subject)
			open[&difference.Subject] = difference.Acknowledgement == nil
		}
	}
	found = slices.DeleteFunc(found, func(s *Subject) bool { return s.key() != asked })
	if len(found) == 0 {
		return nil, codex.Errorf(codex.CodeNotFound, "there is no %s of %s in %s now", wanted.Kind, wanted.Item, wanted.Period)
	}
	if at := slices.IndexFunc(found, func(s *Subject) bool { return s.Fingerprint == wanted.Fingerprint }); at >= 0 {
		return found[at], nil
	}
	if at := slices.IndexFunc(found, func(s *Subject) bool { return open[s] }); at >= 0 {
		return found[at], nil
	}
	return found[0], nil
}

// Withdraw takes an acknowledgement back, which stays in the list. One that is not there is
// [codex.CodeNotFound], one that was withdrawn [codex.CodeConflict].
func (r *Reviewer) Withdraw(ctx context.Context, id int, note string, by codex.Caller) (*Acknowledgement, error) {
	if err := checkNote(note); err != nil {
		return nil, err
	}
	var withdrawn *Acknowledgement
	err := r.o.DB.Write(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := tx.Raise(ctx, acknowledgementsEntity); err != nil {
			return err
		}
		row, err := tx.Ent().Acknowledgement.Get(ctx, id)
		switch {
		case ent.IsNotFound(err):
			return codex.Errorf(codex.CodeNotFound, "there is no acknowledgement %d", id)
		case err != nil:
			return err
		case row.WithdrawnAt != nil:
			return codex.Errorf(codex.CodeConflict, "%s withdrew it already, at %s", valueOf(row.WithdrawnBy), shownTime(*row.WithdrawnAt))
		}
		row, err = row.Update().SetWithdrawnBy(by.Name).SetWithdrawnAt(tx.Now()).SetWithdrawnNote(strings.TrimSpace(note)).Save(ctx)
		if err != nil {
			return err
		}
		withdrawn = acknowledgementOf(row)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("withdrawing acknowledgement %d: %w", id, err)
	}
	return withdrawn, nil
}

func checkNote(note string) error {
	switch {
	case strings.TrimSpace(note) == "":
		return codex.BadInput("note", "say why: it is kept for those who ask later")
	case note != store.CleanText(note), utf8.RuneCountInString(note) > maxNote:
		return codex.BadInput("note", "a note is text of at most %d characters", maxNote)
	}
	return nil
}

// nextID is the id of the next acknowledgement. The revision is locked, so nobody else takes it.
func nextID(ctx context.Context, tx *store.Tx) (int, error) {
	newest, err := tx.Ent().Acknowledgement.Query().Order(acknowledgement.ByID(sql.OrderDesc())).FirstID(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return 0, fmt.Errorf("reading the newest acknowledgement: %w", err)
	}
	return newest + 1, nil
}

// acknowledgedIn reads the acknowledgements that may hold in a month: one statement.
func acknowledgedIn(ctx context.Context, tx *store.Tx, period codex.Period) (*Acknowledged, error) {
	year, month := acknowledgement.FieldBillingYear, acknowledgement.FieldBillingMonth
	rows, err := tx.Ent().Acknowledgement.Query().Where(
		acknowledgement.WithdrawnAtIsNil(),
		acknowledgement.Or(acknowledgement.Standing(true), func(s *sql.Selector) {
			s.Where(sql.And(sql.EQ(s.C(year), period.Year), sql.EQ(s.C(month), int(period.Month))))
		}),
	).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading acknowledgements: %w", err)
	}
	list := make([]*Acknowledgement, len(rows))
	for i, row := range rows {
		list[i] = acknowledgementOf(row)
	}
	return AcknowledgedIn(period, list), nil
}

// AcknowledgementFilter is which acknowledgements are wanted. What is nil or empty is not asked about.
type AcknowledgementFilter struct {
	Account   *codex.AccountNumber // empty: those that concern no company
	Period    *codex.Period
	Kind      string
	Withdrawn *bool
}

// Acknowledgements are a page of what was acknowledged, newest first, withdrawn ones too.
func (r *Reviewer) Acknowledgements(ctx context.Context, page query.Page, filter AcknowledgementFilter) (*query.PageOf[*Acknowledgement], error) {
	if page.First < 1 || page.First > query.MaxPage {
		return nil, codex.BadInput("first", "a page has 1 to %d rows, not %d", query.MaxPage, page.First)
	}
	q := r.o.DB.Ent().Acknowledgement.Query()
	if page.After != "" {
		id, err := idOfCursor(page.After)
		if err != nil {
			return nil, err
		}
		q.Where(acknowledgement.IDLT(id))
	}
	if filter.Account != nil {
		q.Where(acknowledgement.CompanyAccountNumberEQ(*filter.Account))
	}
	if filter.Period != nil {
		q.Where(acknowledgement.BillingYear(filter.Period.Year), acknowledgement.BillingMonth(int(filter.Period.Month)))
	}
	if filter.Kind != "" {
		q.Where(acknowledgement.Kind(filter.Kind))
	}
	switch {
	case filter.Withdrawn == nil:
	case *filter.Withdrawn:
		q.Where(acknowledgement.WithdrawnAtNotNil())
	default:
		q.Where(acknowledgement.WithdrawnAtIsNil())
	}
	rows, err := q.Order(acknowledgement.ByID(sql.OrderDesc())).Limit(page.First + 1).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading acknowledgements: %w", err)
	}
	found := &query.PageOf[*Acknowledgement]{Before: page.After != "", More: len(rows) > page.First}
	for _, row := range rows[:min(len(rows), page.First)] {
		found.Rows = append(found.Rows, acknowledgementOf(row))
		found.Cursors = append(found.Cursors, cursorOfID(row.ID))
	}
	return found, nil
}

// cursorForm begins what a cursor into the list of acknowledgements is made of.
const cursorForm = "acknowledgement "

func cursorOfID(id int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorForm + strconv.Itoa(id)))
}

func idOfCursor(cursor string) (int, error) {
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		number, ours := strings.CutPrefix(string(text), cursorForm)
		if id, err := strconv.Atoi(number); ours && err == nil {
			return id, nil
		}
	}
	return 0, codex.BadInput("after", "this is no cursor of this list: take endCursor or a cursor of an edge, unchanged")
}

func acknowledgementOf(row *ent.Acknowledgement) *Acknowledgement {
	return &Acknowledgement{
		ID: row.ID,
		Subject: Subject{
			Account: row.CompanyAccountNumber, Kind: row.Kind, Fingerprint: row.Fingerprint,
			Item: Item{Entity: row.ItemEntity, ID: row.ItemID, Name: row.ItemName},
		},
		Period: monthOf(row.BillingYear, row.BillingMonth), Standing: row.Standing, Note: row.Note,
		By: row.AcknowledgedBy, At: row.AcknowledgedAt.UTC(),
		WithdrawnBy: row.WithdrawnBy, WithdrawnAt: row.WithdrawnAt, WithdrawnNote: row.WithdrawnNote,
	}
}
