package proof

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hivematrix/codex"
)

// linesKind is the first line of a bill's line items.
const linesKind = "codex-lines/v1"

// LineItem is one line of a bill.
type LineItem struct {
	LineType    string // user, asset, backup, ticket or custom, and what a Ledger may invent
	ItemName    string
	Description *string
	Quantity    codex.Quantity
	Rate        codex.Quantity
	Amount      codex.Cents
}

// EncodeLines gives the bytes that a bill's leaf commits to as [LineItems]: a first line
// codex-lines/v1, then an object a line, in the bill's order. The error is a *codex.Error.
func EncodeLines(items []LineItem) ([]byte, error) {
	var b strings.Builder
	b.WriteString(linesKind + "\n")
	for i, item := range items {
		var c checks
		c.text("line_type", item.LineType)
		c.text("item_name", item.ItemName)
		c.textOrNull("description", item.Description)
		if c.err != nil {
			c.err.Field = fmt.Sprintf("line_items[%d].%s", i, c.err.Field)
			return nil, c.err
		}
		b.WriteString(object(members{
			"amount":      quote(item.Amount.String()),
			"description": quoteOrNull(item.Description),
			"item_name":   quote(item.ItemName),
			"line_type":   quote(item.LineType),
			"quantity":    quote(item.Quantity.String()),
			"rate":        quote(item.Rate.String()),
		}) + "\n")
	}
	return []byte(b.String()), nil
}

// DecodeLines reads line items. Bytes that [EncodeLines] would not give back are refused; the error
// is an [*Error] of [PartCommitment].
func DecodeLines(text []byte) ([]LineItem, error) {
	refused := func(format string, args ...any) ([]LineItem, error) {
		err := fail(PartCommitment, format, args...)
		err.Committed = LineItems
		return nil, err
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	if first != linesKind {
		return refused("the first line is not %s", linesKind)
	}
	var items []LineItem
	for line := range strings.Lines(rest) {
		item, err := decodeLine(line)
		if err != nil {
			return refused("line %d: %v", len(items)+1, err)
		}
		items = append(items, item)
	}
	again, err := EncodeLines(items)
	if err != nil {
		return refused("%v", err)
	}
	if string(again) != string(text) {
		return refused("the lines are not in canonical form")
	}
	return items, nil
}

func decodeLine(line string) (LineItem, error) {
	var fields struct {
		Amount      string  `json:"amount"`
		Description *string `json:"description"`
		ItemName    string  `json:"item_name"`
		LineType    string  `json:"line_type"`
		Quantity    string  `json:"quantity"`
		Rate        string  `json:"rate"`
	}
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		return LineItem{}, err
	}
	var r reading
	return LineItem{
		LineType:    fields.LineType,
		ItemName:    fields.ItemName,
		Description: fields.Description,
		Quantity:    read(&r, "quantity", fields.Quantity, codex.ParseQuantity),
		Rate:        read(&r, "rate", fields.Rate, codex.ParseQuantity),
		Amount:      read(&r, "amount", fields.Amount, codex.ParseCents),
	}, r.err
}
