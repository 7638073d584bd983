package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (p *program) archiveRefetchCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "refetch INVOICE --reason TEXT",
		Short: "Read a bill once more from a Ledger that keeps its bills",
		Long: "Reads a bill from a Ledger that keeps its bills itself. Where it differs from what is archived, since\n" +
			"it was corrected there, it becomes the bill's next revision, with the reason in the log for ever; the\n" +
			"fields that differ are told. A bill that is not archived yet is its first revision.",
		Example: "  codex archive refetch 620547-202510 --reason \"a server was forgotten\"",
		Args:    exactly("INVOICE"),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`why`; it stands in the log for ever")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if strings.TrimSpace(reason) == "" {
			return usageError("%s needs --reason", cmd.CommandPath())
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var did struct {
				Snapshot        archivedBill
				Unchanged       bool
				DifferingFields []string
			}
			_, err := hub.asked(cmd.Context(), `mutation($invoice: ID!, $reason: String!) {
				answer: refetchBill(invoiceNumber: $invoice, reason: $reason) {
					snapshot { `+billFields+` } unchanged differingFields } }`,
				map[string]any{"invoice": args[0], "reason": reason}, &did)
			if err != nil {
				return err
			}
			invoice, revision := printable(did.Snapshot.InvoiceNumber), did.Snapshot.Revision
			switch {
			case did.Unchanged:
				fmt.Fprintf(p.stdout, "%s is unchanged: Ledger has what revision %d says\n", invoice, revision)
			case len(did.DifferingFields) == 0:
				fmt.Fprintf(p.stdout, "%s is archived with revision %d\n", invoice, revision)
			default:
				fmt.Fprintf(p.stdout, "%s is archived with revision %d; it differs in %s\n", invoice, revision, strings.Join(did.DifferingFields, ", "))
			}
			return nil
		})
	}
	return cmd
}
