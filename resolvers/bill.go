package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/graph/model"
)

func (r mutationResolver) AcceptBill(ctx context.Context, input map[string]any) (*model.AcceptBillPayload, error) {
	caller, _ := codex.CallerFrom(ctx) // roles.go has seen to it that there is one
	body, err := bodyOf(input)
	if err != nil {
		return nil, err
	}
	bill, err := archive.ParseSubmission(body)
	if err != nil {
		return nil, ofInput(err)
	}
	accepted, err := r.bills.Accept(ctx, bill, caller)
	if err != nil {
		return nil, ofInput(err)
	}
	payload := &model.AcceptBillPayload{Snapshot: accepted.Snapshot, Existing: accepted.Existing, DifferingFields: []string{}}
	for _, key := range accepted.Differing {
		payload.DifferingFields = append(payload.DifferingFields, inputOf(key))
	}
	return payload, nil
}

func (r mutationResolver) ReopenBill(ctx context.Context, invoiceNumber, reason string) (*model.ReopenBillPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	bill, err := r.bills.Reopen(ctx, invoiceNumber, reason, caller)
	if err != nil {
		return nil, ofBill(err)
	}
	return &model.ReopenBillPayload{Snapshot: bill}, nil
}

func (r mutationResolver) CloseBill(ctx context.Context, invoiceNumber, reason string) (*model.CloseBillPayload, error) {
	caller, _ := codex.CallerFrom(ctx)
	bill, err := r.bills.Close(ctx, invoiceNumber, reason, caller)
	if err != nil {
		return nil, ofBill(err)
	}
	return &model.CloseBillPayload{Snapshot: bill}, nil
}

// ofBill is an error of a bill that is to be there, with the argument that names it.
func ofBill(err error) error {
	if codex.CodeOf(err) != codex.CodeNotFound {
		return err
	}
	return &codex.Error{Code: codex.CodeNotFound, Field: "invoiceNumber", Message: "no such bill is archived", Err: err}
}

// inputNames are the fields of AcceptBillInput and of its lines whose keys in POST /api/snapshot are called
// otherwise, by the latter.
func inputNames() map[string]string {
	return map[string]string{
		"company_account_number": "accountNumber", "billing_year": "year", "billing_month": "month",
		"billing_data_json": "billingData", "invoice_csv": "csv", "line_items": "lines",
	}
}

// inputOf is the field of the input for a key: line_items[3].item_name is lines[3].itemName.
func inputOf(key string) string {
	parts := strings.Split(key, ".")
	for i, part := range parts {
		name, index, indexed := strings.Cut(part, "[")
		if other, ok := inputNames()[name]; ok {
			name = other
		} else {
			words := strings.Split(name, "_")
			for j, word := range words[1:] {
				words[j+1] = strings.ToUpper(word[:1]) + word[1:]
			}
			name = strings.Join(words, "")
		}
		if indexed {
			name += "[" + index
		}
		parts[i] = name
	}
	return strings.Join(parts, ".")
}

// keyOf is the reverse of [inputOf], of one name.
func keyOf(field string) string {
	for key, name := range inputNames() {
		if name == field {
			return key
		}
	}
	var key strings.Builder
	for _, letter := range []byte(field) {
		if 'A' <= letter && letter <= 'Z' {
			key.WriteByte('_')
			letter += 'a' - 'A'
		}
		key.WriteByte(letter)
	}
	return key.String()
}

// ofInput is an error of the archive with the field of the input at fault.
func ofInput(err error) error {
	if told, ok := errors.AsType[*codex.Error](err); ok && told.Field != "" {
		return &codex.Error{Code: told.Code, Field: inputOf(told.Field), Message: told.Message, Err: told.Err}
	}
	return err
}

// bodyOf is an input of acceptBill as the body of POST /api/snapshot, so that it goes through the very
// checks of that. What is left out is absent there, and what is null is null.
func bodyOf(input map[string]any) ([]byte, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(ofKeys(input)); err != nil {
		return nil, fmt.Errorf("writing an input as a body: %w", err)
	}
	return bytes.TrimRight(body.Bytes(), "\n"), nil
}

// ofKeys is an input with the names and values of a body.
func ofKeys(input map[string]any) map[string]any {
	values := make(map[string]any, len(input))
	for field, given := range input {
		values[keyOf(field)] = ofBody(given)
	}
	return values
}

// ofBody is a value of an input as a body has it. Decimals and days are texts there.
func ofBody(given any) any {
	v := reflect.ValueOf(given)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if !v.IsValid() {
		return nil
	}
	switch actual := v.Interface().(type) {
	case []map[string]any:
		if actual == nil {
			return nil
		}
		lines := make([]map[string]any, len(actual))
		for i, line := range actual {
			lines[i] = ofKeys(line)
		}
		return lines
	case fmt.Stringer:
		return actual.String()
	}
	return v.Interface()
}
