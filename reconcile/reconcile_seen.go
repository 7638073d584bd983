package reconcile

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/ent"
	"github.com/hivematrix/codex/ent/asset"
	"github.com/hivematrix/codex/ent/assetversion"
	"github.com/hivematrix/codex/ent/backupreading"
	"github.com/hivematrix/codex/ent/companyversion"
	"github.com/hivematrix/codex/ent/contactcompanylinkversion"
	"github.com/hivematrix/codex/ent/contactversion"
	"github.com/hivematrix/codex/ent/ticketversion"
	"github.com/hivematrix/codex/query"
	"github.com/hivematrix/codex/store"
)

// readSeen reads what the hub saw from a moment on.
func (r *Reconciler) readSeen(ctx context.Context, tx *store.Tx, facts *ReconcileFacts, from time.Time) (err error) {
	if facts.Machines, err = readMachinesSeen(ctx, tx, from); err != nil {
		return err
	}
	if facts.Backups, err = readBackups(ctx, tx, facts.Period); err != nil {
		return err
	}
	if facts.People, err = readPeopleSeen(ctx, tx, from); err != nil {
		return err
	}
	if facts.Links, err = readLinksSeen(ctx, tx, from); err != nil {
		return err
	}
	billed := make([]int, 0)
	for _, bill := range facts.Bills {
		for _, ticket := range bill.Tickets {
			if ticket.ID != nil {
				billed = append(billed, *ticket.ID)
			}
		}
	}
	if facts.Tickets, err = r.readTicketsSeen(ctx, tx, facts.Period, billed, from); err != nil {
		return err
	}
	for id := range facts.Tickets {
		billed = append(billed, id)
	}
	if facts.Elsewhere, err = readTicketBills(ctx, tx, billed, otherThan(facts.Period)); err != nil {
		return err
	}
	if facts.Next, err = readNext(ctx, tx, facts.Period); err != nil {
		return err
	}
	facts.Ended, err = readEnded(ctx, tx, facts.Period)
	return err
}

// since tells the versions that held at a moment or later. The tables of versions have the same columns
// for that.
func since(from time.Time) func(*sql.Selector) {
	return func(s *sql.Selector) {
		to := s.C(assetversion.FieldSeenTo)
		s.Where(sql.Or(sql.IsNull(to), sql.GT(to, from)))
	}
}

// readCompaniesSeen reads what companies ever were, which is little: so it is known of one that was
// renumbered long ago which number it was billed under.
func readCompaniesSeen(ctx context.Context, tx *store.Tx) (map[codex.AccountNumber][]CompanySeen, error) {
	rows, err := tx.Ent().CompanyVersion.Query().Order(companyversion.BySeenFrom()).Select(
		companyversion.FieldAccountNumber, companyversion.FieldName, companyversion.FieldFreshserviceID,
		companyversion.FieldSeenFrom, companyversion.FieldSeenTo).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading companies of the past: %w", err)
	}
	seen := make(map[codex.AccountNumber][]CompanySeen)
	for _, row := range rows {
		seen[row.AccountNumber] = append(seen[row.AccountNumber], CompanySeen{
			Span: Span{row.SeenFrom, row.SeenTo}, Name: row.Name, FreshserviceID: row.FreshserviceID,
		})
	}
	return seen, nil
}

func readMachinesSeen(ctx context.Context, tx *store.Tx, from time.Time) (map[int][]MachineSeen, error) {
	rows, err := tx.Ent().AssetVersion.Query().Where(since(from)).Order(assetversion.BySeenFrom()).Select(
		assetversion.FieldAssetID, assetversion.FieldCompanyAccountNumber, assetversion.FieldHostname,
		assetversion.FieldHardwareType, assetversion.FieldSeenFrom, assetversion.FieldSeenTo).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading machines of the past: %w", err)
	}
	now, err := tx.Ent().Asset.Query().Where(asset.DeviceClassNotNil()).Select(asset.FieldDeviceClass).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading classes of machines: %w", err)
	}
	classes := make(map[int]string, len(now))
	for _, row := range now {
		classes[row.ID] = valueOf(row.DeviceClass)
	}
	seen := make(map[int][]MachineSeen)
	for _, row := range rows {
		seen[row.AssetID] = append(seen[row.AssetID], MachineSeen{
			Span: Span{row.SeenFrom, row.SeenTo}, Account: row.CompanyAccountNumber, Hostname: row.Hostname,
			Category: valueOf(row.HardwareType), Class: classes[row.AssetID],
		})
	}
	return seen, nil
}

// readBackups reads the newest backup reading of each machine by the end of a month.
func readBackups(ctx context.Context, tx *store.Tx, period codex.Period) (map[int]codex.Bytes, error) {
	last := int(codex.DayOf(period.End())) - 1
	rows, err := tx.Ent().BackupReading.Query().Where(backupreading.DayLTE(last), func(s *sql.Selector) {
		newer := sql.Table(backupreading.Table).As("newer")
		s.Where(sql.NotExists(sql.Dialect(s.Dialect()).Select(newer.C(backupreading.FieldID)).From(newer).Where(sql.And(
			sql.ColumnsEQ(newer.C(backupreading.FieldAssetID), s.C(backupreading.FieldAssetID)),
			sql.ColumnsGT(newer.C(backupreading.FieldDay), s.C(backupreading.FieldDay)),
			sql.LTE(newer.C(backupreading.FieldDay), last),
		))))
	}).Select(backupreading.FieldAssetID, backupreading.FieldBytes).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading sizes of backups: %w", err)
	}
	sizes := make(map[int]codex.Bytes, len(rows))
	for _, row := range rows {
		sizes[row.AssetID] = codex.Bytes(valueOf(row.Bytes))
	}
	return sizes, nil
}

func readPeopleSeen(ctx context.Context, tx *store.Tx, from time.Time) (map[int][]PersonSeen, error) {
	rows, err := tx.Ent().ContactVersion.Query().Where(since(from)).Order(contactversion.BySeenFrom()).Select(
		contactversion.FieldContactID, contactversion.FieldName, contactversion.FieldSeenFrom, contactversion.FieldSeenTo).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading people of the past: %w", err)
	}
	seen := make(map[int][]PersonSeen)
	for _, row := range rows {
		seen[row.ContactID] = append(seen[row.ContactID], PersonSeen{Span: Span{row.SeenFrom, row.SeenTo}, Name: row.Name})
	}
	return seen, nil
}

func readLinksSeen(ctx context.Context, tx *store.Tx, from time.Time) (map[PersonOf][]Span, error) {
	rows, err := tx.Ent().ContactCompanyLinkVersion.Query().Where(since(from)).Order(contactcompanylinkversion.BySeenFrom()).Select(
		contactcompanylinkversion.FieldContactID, contactcompanylinkversion.FieldCompanyAccountNumber,
		contactcompanylinkversion.FieldSeenFrom, contactcompanylinkversion.FieldSeenTo).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading people's companies of the past: %w", err)
	}
	seen := make(map[PersonOf][]Span)
	for _, row := range rows {
		link := PersonOf{row.CompanyAccountNumber, row.ContactID}
		seen[link] = append(seen[link], Span{row.SeenFrom, row.SeenTo})
	}
	return seen, nil
}

// readTicketsSeen reads the tickets that were of the month, or are on a bill of it.
func (r *Reconciler) readTicketsSeen(ctx context.Context, tx *store.Tx, period codex.Period, billed []int, from time.Time) (map[int][]TicketSeen, error) {
	hours := query.New(tx.Ent(), r.o.Rules)
	seen := make(map[int][]TicketSeen)
	known := make(map[int]bool)
	for _, which := range []func(*sql.Selector){
		store.KeyIn(ticketversion.FieldTicketID, billed),
		func(s *sql.Selector) {
			updated := s.C(ticketversion.FieldLastUpdatedAt)
			s.Where(sql.And(sql.GTE(updated, period.Start()), sql.LT(updated, period.End())))
		},
	} {
		rows, err := tx.Ent().TicketVersion.Query().Where(since(from), ticketversion.Closed(true), which).Order(ticketversion.BySeenFrom()).Select(
			ticketversion.FieldTicketID, ticketversion.FieldCompanyAccountNumber, ticketversion.FieldSubject, ticketversion.FieldLastUpdatedAt,
			ticketversion.FieldSpentSeconds, ticketversion.FieldUnbillableSeconds, ticketversion.FieldSeenFrom, ticketversion.FieldSeenTo).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading tickets of the past: %w", err)
		}
		for _, row := range rows {
			if known[row.ID] {
				continue
			}
			known[row.ID] = true
			spent := hours.TicketSeconds(&ent.Ticket{SpentSeconds: row.SpentSeconds, UnbillableSeconds: row.UnbillableSeconds})
			seen[row.TicketID] = append(seen[row.TicketID], TicketSeen{
				Span: Span{row.SeenFrom, row.SeenTo}, Account: row.CompanyAccountNumber, Subject: row.Subject,
				Month: codex.PeriodOf(row.LastUpdatedAt), Hours: spent.Quantity(),
			})
		}
	}
	return seen, nil
}
