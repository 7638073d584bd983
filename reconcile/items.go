package reconcile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	// SourceNames is a receipt that has other entries than there are machines, or than there are people, so
	// that of these the names alone tell which they are.
	SourceNames Source = "names"
	// SourceServed are the bill's lines and its machines and people, since there is no receipt: who has no
	// line costs nothing.
	SourceServed Source = "served"
	// SourceLines are the bill's lines, since its billing data says nothing or was erased. What costs nothing
	// is not among them, nor are tickets.
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
	Source  Source
	Lines   []ItemLine
	Tickets []TicketLine
	Rates   map[string]codex.Quantity // effective_rates: per_user_cost and so on, all but support_level
}

// ItemLine is a person, a machine or anything else that a bill is for, at no cost too.
type ItemLine struct {
	Kind     string
	ID       *int // of a user contacts.id, of an asset assets.id; nil where the bill does not say
	Name     string
	Type     string // empty where only a line of the bill tells of it
	Quantity codex.Quantity
	Rate     codex.Quantity
	Amount   codex.Cents
	Unread   bool        // its cost could not be read: the amount is none
	ByName   bool        // its name alone tells what it is, and it is none that was added in Ledger by hand
	Backup   codex.Bytes // of a machine, as it was served
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
	ManualAssets []servedRow                `json:"manual_assets"`
	ManualUsers  []servedRow                `json:"manual_users"`
	Tickets      []ticketRow                `json:"tickets_for_billing_period"`
	Receipt      *receipt                   `json:"receipt_data"`
	Rates        map[string]json.RawMessage `json:"effective_rates"`
}

// servedRow is a machine or a person as the hub served it, or as it was added by hand.
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
// what can be: of billing data that is not as Ledger makes it nothing is.
func DeriveItems(billing string, lines []proof.LineItem) (Items, error) {
	var data billingData
	r := &reading{}
	if err := json.Unmarshal([]byte(billing), &data); err != nil {
		r.keep("billing_data_json", err)
		data = billingData{}
	}
	items := Items{Source: SourceReceipt, Rates: r.rates(data.Rates)}
	for i, row := range data.Tickets {
		items.Tickets = append(items.Tickets, r.ticket(fmt.Sprintf("tickets_for_billing_period[%d]", i), row))
	}
	if data.Receipt == nil {
		items.Source, items.Lines = r.sent(lines, data)
		return items, r.err
	}
	items.Source, items.Lines = r.lines(data)
	return items, r.err
}

// reading keeps the first thing that could not be read.
type reading struct{ err error }

func (r *reading) keep(path string, err error) {
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", path, err)
	}
}

// rates are effective_rates. What is no rate there, support_level alone is text that holds no number.
func (r *reading) rates(sent map[string]json.RawMessage) map[string]codex.Quantity {
	rates := make(map[string]codex.Quantity, len(sent))
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if name == "support_level" || !given(sent[name]) {
			continue
		}
		rate, err := archive.QuantityOf(sent[name])
		if err != nil { // there is none, rather than one of 0
			r.keep("effective_rates."+name, err)
			continue
		}
		rates[name] = rate
	}
	return rates
}

// lines are what a receipt has, and by what its machines and people are told.
func (r *reading) lines(data billingData) (Source, []ItemLine) {
	source := SourceReceipt
	var lines []ItemLine
	for _, of := range []struct {
		kind   string
		path   string
		billed []billedRow
		served []servedRow
		byHand []servedRow
	}{
		{KindUser, "billed_users", data.Receipt.Users, data.Users, data.ManualUsers},
		{KindAsset, "billed_assets", data.Receipt.Assets, data.Assets, data.ManualAssets},
		{KindCustom, "billed_line_items", data.Receipt.LineItems, nil, nil},
	} {
		rows := newRows(of.served, of.byHand)
		positions := len(of.billed) == len(of.served)+len(of.byHand)
		if !positions && of.kind != KindCustom {
			source = SourceNames
		}
		for i, row := range of.billed {
			line := r.billed(fmt.Sprintf("receipt_data.%s[%d].cost", of.path, i), of.kind, row)
			switch {
			case of.kind == KindCustom:
			case !positions:
				r.named(&line, rows)
			case i < len(of.served):
				r.is(&line, of.served, i)
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
	return source, lines
}

func (r *reading) billed(path, kind string, row billedRow) ItemLine {
	line := ItemLine{Kind: kind, Name: valueOr(row.Name), Type: valueOr(row.Type), Quantity: 1_0000}
	if !given(row.Cost) {
		return line
	}
	var err error
	if line.Amount, err = archive.CentsOf(row.Cost); err != nil {
		r.keep(path, err)
		line.Unread = true
		return line
	}
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

// sent are the lines of a bill without a receipt, those of machines and people with the ids that their
// names tell. Whoever was served and has no line costs nothing, where billing data says who was served.
func (r *reading) sent(lines []proof.LineItem, data billingData) (Source, []ItemLine) {
	source := SourceServed
	if data.Assets == nil || data.Users == nil || data.Tickets == nil {
		source = SourceLines
	}
	rows := map[string]*namedRows{
		KindUser: newRows(data.Users, data.ManualUsers), KindAsset: newRows(data.Assets, data.ManualAssets),
	}
	items := make([]ItemLine, 0, len(lines))
	for _, line := range lines {
		item := ItemLine{
			Kind: line.LineType, Name: line.ItemName, Quantity: line.Quantity, Rate: line.Rate, Amount: line.Amount,
		}
		if of := rows[item.Kind]; of != nil {
			r.named(&item, of)
		}
		items = append(items, item)
	}
	if source == SourceLines {
		return source, items
	}
	for _, kind := range []string{KindUser, KindAsset} {
		of := rows[kind]
		for i, row := range of.served {
			if slices.Contains(of.waiting[row.name()], i) {
				item := ItemLine{Kind: kind, Name: row.name(), Quantity: 1_0000}
				r.is(&item, of.served, i)
				items = append(items, item)
			}
		}
	}
	return source, items
}

// namedRows are machines, or people, that a bill tells by their names. Of two of one name the first that
// is billed is taken for the first that was served.
type namedRows struct {
	served  []servedRow
	waiting map[string][]int // the places of those that no line was taken for yet, by name
	byHand  map[string]bool  // the names of what was added in Ledger by hand
}

func newRows(served, byHand []servedRow) *namedRows {
	rows := &namedRows{served: served, waiting: make(map[string][]int, len(served)), byHand: make(map[string]bool, len(byHand))}
	for i, row := range served {
		rows.waiting[row.name()] = append(rows.waiting[row.name()], i)
	}
	for _, row := range byHand {
		rows.byHand[row.name()] = true
	}
	return rows
}

// named finds the row of a line's name.
func (r *reading) named(line *ItemLine, rows *namedRows) {
	waiting := rows.waiting[line.Name]
	if len(waiting) == 0 {
		line.ByName = !rows.byHand[line.Name]
		return
	}
	line.ByName = true
	r.is(line, rows.served, waiting[0])
	rows.waiting[line.Name] = waiting[1:]
}

// is says which machine or person a line is for.
func (r *reading) is(line *ItemLine, served []servedRow, i int) {
	line.ID = served[i].id()
	line.Backup = r.bytes(fmt.Sprintf("assets[%d].backup_data_bytes", i), served[i].BackupBytes)
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
