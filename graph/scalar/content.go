package scalar

import (
	"github.com/99designs/gqlgen/graphql"

	"github.com/hivematrix/codex/archive/proof"
)

func billContents() enum[proof.Committed] {
	return enum[proof.Committed]{"BillContent", []word[proof.Committed]{
		{"BILLING_DATA", proof.BillingData},
		{"BODY", proof.Body},
		{"CSV", proof.CSV},
		{"LINE_ITEMS", proof.LineItems},
		{"NOTES", proof.Notes},
	}}
}

// MarshalBillContent writes a content's word.
func MarshalBillContent(name proof.Committed) graphql.Marshaler { return billContents().marshal(name) }

// UnmarshalBillContent takes a content's word.
func UnmarshalBillContent(v any) (proof.Committed, error) { return billContents().unmarshal(v) }
