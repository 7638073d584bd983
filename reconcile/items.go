package reconcile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/proof"
)

// Source says by what the items of a bill are told.
type Source string

const (
	// SourceReceipt is a receipt that has an entry for each machine and person, in their order. What has no
	// id was added in Ledger by hand.
	SourceReceipt Source = "receipt"
	// SourceNames is a receipt that has other entries than there are machines and people, so that their
	// names alone tell which they are.
	SourceNames Source = "names"
	// SourceLines are the bill's lines, since there is no receipt. They are without what costs nothing.
	SourceLines Source = "lines"
)

// What a bill's items are: the words of its lines (docs/compatibility.md, "Archive").
const (
	KindUser   = "user"
	KindAsset  = "asset"
	KindBackup = "backup"
	KindTicket = "ticket"
	KindCustom = "custom"
)

// Items are what a bill is for.
type Items struct {
	Source      Source
	Lines       []ItemLine
	Tickets     []TicketLine
	Rates       map[string]codex.Quantity // effective_rates: per_user_cost and so on, as far as they are numbers
	BackupBytes codex.Bytes               // of its machines, as they were served
}

// ItemLine is a person, a machine or anything else that a bill is for, at no cost too.
type ItemLine struct {
	Kind     string
	ID       *int // of a user contacts.id, of an asset assets.id; nil where the bill does not say
	Name     string
	Type     string
	Quantity codex.Quantity
	Rate     codex.Quantity
	Amount   codex.Cents
}

// TicketLine is a ticket that a bill is for.
type TicketLine struct {
	ID      *int // nil where its number is none
	Number  string
	Subject string
	Hours   codex.Quantity
}

// billingData is as much of a bill's billing data as is looked at (docs/compatibility.md, "Ledger").
type billingData struct {
	Assets       []servedRow                `json:"assets"`
	Users        []servedRow                `json:"users"`
	ManualAssets []json.RawMessage          `json:"manual_assets"`
	ManualUsers  []json.RawMessage          `json:"manual_users"`
	Tickets      []ticketRow                `json:"tickets_for_billing_period"`
	Receipt      *receipt                   `json:"receipt_data"`
	Rates        map[string]json.RawMessage `json:"effective_rates"`
}

// servedRow is a machine or a person as the hub served it.
type servedRow struct {
	ID          json.RawMessage `json:"id"`
	Hostname    *string         `json:"hostname"`
	FullName    *string         `json:"full_name"`
	Name        *string         `json:"name"`
	BackupBytes json.RawMessage `json:"backup_data_bytes"`
}

// id is nil where it has none.
func (r servedRow) id() *int { return wholeNumber(string(r.ID)) }

// name is what Ledger calls it: hostname, of people full_name, else name.
func (r servedRow) name() string {
	for _, name := range []*string{r.Hostname, r.FullName, r.Name} {
		if name != nil && *name != "" {
			return *name
		}
	}
	return ""
}

type receipt struct {
	Assets        []billedRow     `json:"billed_assets"`
	Users         []billedRow     `json:"billed_users"`
	LineItems     []billedRow     `json:"billed_line_items"`
	BackupCharge  json.RawMessage `json:"backup_charge"`
	OverageTB     json.RawMessage `json:"overage_tb"`
	TicketCharge  json.RawMessage `json:"ticket_charge"`
	BillableHours json.RawMessage `json:"billable_hours"`
}

type billedRow struct {
	Name *string         `json:"name"`
	Type *string         `json:"type"`
	Cost json.RawMessage `json:"cost"`
}

type ticketRow struct {
	Number  json.RawMessage `json:"ticket_number"`
	Subject *string         `json:"subject"`
	Hours   json.RawMessage `json:"total_hours_spent"`
}

// DeriveItems tells what a bill is for from its billing data, a JSON object as Ledger makes it, and its
// lines, which count where that has no receipt. What cannot be read is an error, and the items then are
// what can be.
func DeriveItems(billing string, lines []proof.LineItem) (Items, error) {
	var data billingData
	r := &reading{}
	r.keep("billing_data_json", json.Unmarshal([]byte(billing), &data))
	items := Items{Source: SourceReceipt, Rates: map[string]codex.Quantity{}}
	for name, raw := range data.Rates {
		if len(raw) == 0 || !bytes.ContainsAny(raw[:1], "-0123456789") {
			continue // support_level is among them
		}
		rate, err := archive.QuantityOf(raw)
		r.keep("effective_rates."+name, err)
		items.Rates[name] = rate
	}
	for i, row := range data.Tickets {
		items.Tickets = append(items.Tickets, r.ticket(fmt.Sprintf("tickets_for_billing_period[%d]", i), row))
	}
	for i, row := range data.Assets {
		items.BackupBytes += r.bytes(fmt.Sprintf("assets[%d].backup_data_bytes", i), row.BackupBytes)
	}
	if data.Receipt == nil {
		items.Source = SourceLines
		items.Lines = linesOf(lines, data)
		return items, r.err
	}
	if len(data.Receipt.Assets) != len(data.Assets)+len(data.ManualAssets) ||
		len(data.Receipt.Users) != len(data.Users)+len(data.ManualUsers) {
		items.Source = SourceNames
	}
	items.Lines = r.lines(data, items.Source)
	return items, r.err
}

// reading keeps the first thing that could not be read.
type reading struct{ err error }

func (r *reading) keep(path string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", path, err)
	}
}

func (r *reading) lines(data billingData, source Source) []ItemLine {
	var lines []ItemLine
	for _, of := range []struct {
		kind   string
		path   string
		billed []billedRow
		served []servedRow
	}{
		{KindUser, "billed_users", data.Receipt.Users, data.Users},
		{KindAsset, "billed_assets", data.Receipt.Assets, data.Assets},
		{KindCustom, "billed_line_items", data.Receipt.LineItems, nil},
	} {
		names := idsByName(of.served)
		for i, row := range of.billed {
			line := r.billed(fmt.Sprintf("receipt_data.%s[%d].cost", of.path, i), of.kind, row)
			switch {
			case source == SourceReceipt && i < len(of.served):
				line.ID = of.served[i].id()
			case source == SourceNames:
				line.ID = names[line.Name]
			}
			lines = append(lines, line)
		}
	}
	if charge := r.cents("receipt_data.backup_charge", data.Receipt.BackupCharge); charge != 0 {
		lines = append(lines, ItemLine{
			Kind: KindBackup, Name: "Backup", Amount: charge,
			Quantity: r.quantity("receipt_data.overage_tb", data.Receipt.OverageTB),
		})
	}
	if charge := r.cents("receipt_data.ticket_charge", data.Receipt.TicketCharge); charge != 0 {
		lines = append(lines, ItemLine{
			Kind: KindTicket, Name: "Hours", Amount: charge,
			Quantity: r.quantity("receipt_data.billable_hours", data.Receipt.BillableHours),
		})
	}
	return lines
}

func (r *reading) billed(path, kind string, row billedRow) ItemLine {
	line := ItemLine{Kind: kind, Name: valueOr(row.Name), Type: valueOr(row.Type), Quantity: 1_0000}
	line.Amount = r.cents(path, row.Cost)
	line.Rate = r.quantity(path, row.Cost)
	return line
}

func (r *reading) ticket(path string, row ticketRow) TicketLine {
	line := TicketLine{
		Number: numberText(row.Number), Subject: valueOr(row.Subject),
		Hours: r.quantity(path+".total_hours_spent", row.Hours),
	}
	line.ID = wholeNumber(line.Number)
	return line
}

func (r *reading) cents(path string, raw json.RawMessage) codex.Cents {
	if !given(raw) {
		return 0
	}
	cents, err := archive.CentsOf(raw)
	r.keep(path, err)
	return cents
}

func (r *reading) quantity(path string, raw json.RawMessage) codex.Quantity {
	if !given(raw) {
		return 0
	}
	quantity, err := archive.QuantityOf(raw)
	r.keep(path, err)
	return quantity
}

func (r *reading) bytes(path string, raw json.RawMessage) codex.Bytes {
	if !given(raw) {
		return 0
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 {
		r.keep(path, errors.New("it is no count of bytes"))
		return 0
	}
	return codex.Bytes(n)
}

// linesOf are the lines of a bill, those of machines and people with the ids that their names tell.
func linesOf(sent []proof.LineItem, data billingData) []ItemLine {
	names := map[string]map[string]*int{KindUser: idsByName(data.Users), KindAsset: idsByName(data.Assets)}
	lines := make([]ItemLine, 0, len(sent))
	for _, line := range sent {
		item := ItemLine{
			Kind: line.LineType, ID: names[line.LineType][line.ItemName], Name: line.ItemName,
			Quantity: line.Quantity, Rate: line.Rate, Amount: line.Amount,
		}
		if item.Kind == KindUser || item.Kind == KindAsset { // Ledger has the type there
			item.Type = valueOr(line.Description)
		}
		lines = append(lines, item)
	}
	return lines
}

// idsByName are the ids of the rows whose name no other has.
func idsByName(rows []servedRow) map[string]*int {
	ids := make(map[string]*int, len(rows))
	for _, row := range rows {
		if _, twice := ids[row.name()]; twice {
			ids[row.name()] = nil
			continue
		}
		ids[row.name()] = row.id()
	}
	return ids
}

func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// numberText is a ticket's number, which may be a number or a text.
func numberText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// wholeNumber is nil where text is none.
func wholeNumber(text string) *int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return nil
	}
	return &n
}

func valueOr(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
