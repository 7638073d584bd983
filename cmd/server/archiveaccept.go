package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
)

// maxBillFile bounds what is read of a file. What a request may have, [graphql] says, and it is less.
const maxBillFile = 16 << 20

func (p *program) archiveAcceptCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "accept FILE",
		Short: "Archive a bill, for ever",
		Long: "Archives the bill in a file, for ever: a JSON object with the fields of GraphQL's AcceptBillInput\n" +
			"(docs/bills.md), amounts as texts. - is standard input. A bill that is there already, and is not\n" +
			"reopened, stays as it is.",
		Example: "  codex archive accept bill.json\n  jq '.notes = \"by hand\"' bill.json | codex archive accept -",
		Args:    exactly("FILE"),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was archived as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		bill, err := p.readBill(args[0])
		if err != nil {
			return err
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var accepted struct {
				Existing  bool          `json:"existing"`
				Differing []string      `json:"differing_fields"`
				Bill      *archivedBill `json:"bill"`
			}
			raw, err := hub.asked(cmd.Context(), `mutation($bill: AcceptBillInput!) {
				answer: acceptBill(input: $bill) { existing differing_fields: differingFields bill: snapshot { `+billFields+` } } }`,
				map[string]any{"bill": bill}, &accepted)
			switch {
			case err != nil:
				return err
			case asJSON:
				return p.printAnswer(raw)
			case !accepted.Existing:
				fmt.Fprint(p.stdout, "archived: ")
			default:
				fmt.Fprint(p.stdout, "there already: ")
			}
			accepted.Bill.print(p.stdout)
			for _, field := range accepted.Differing {
				fmt.Fprintf(p.stdout, "  the file has another %s\n", field)
			}
			return nil
		})
	}
	return cmd
}

// readBill reads the object in a file, or in standard input, as it stands there: what its fields may be
// is the hub's word.
func (p *program) readBill(name string) (json.RawMessage, error) {
	file := io.NopCloser(p.stdin)
	if name != "-" {
		opened, err := os.Open(p.path(name))
		if err != nil {
			return nil, err
		}
		file = opened
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxBillFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(text) > maxBillFile {
		return nil, codex.BadInput("FILE", "%s is larger than %d MiB", name, maxBillFile>>20)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return nil, codex.BadInput("FILE", "%s holds no JSON object: a bill is one with the fields of AcceptBillInput", name)
	}
	return text, nil
}
