package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex/reconcile"
)

// acknowledgement is an acknowledgement as GraphQL has it, which is asked for the names that --json
// writes.
type acknowledgement struct {
	ID            string     `json:"id"`
	AccountNumber *string    `json:"account_number"`
	Month         string     `json:"month"`
	Kind          string     `json:"kind"`
	Item          billItem   `json:"item"`
	Standing      bool       `json:"standing"`
	Note          string     `json:"note"`
	By            string     `json:"by"`
	At            time.Time  `json:"at"`
	WithdrawnBy   *string    `json:"withdrawn_by"`
	WithdrawnAt   *time.Time `json:"withdrawn_at"`
	WithdrawnNote *string    `json:"withdrawn_note"`
}

const acknowledgementFields = `{ id account_number: accountNumber month kind item { entity id name } standing note by at
	withdrawn_by: withdrawnBy withdrawn_at: withdrawnAt withdrawn_note: withdrawnNote }`

func (p *program) acknowledgeCommand() *cobra.Command {
	var month billMonth
	var account, kind, item, note, fingerprint string
	var standing bool
	cmd := &cobra.Command{
		Use:   "acknowledge --year YEAR --month MONTH --kind KIND --item ENTITY:ID --note TEXT",
		Short: "Say that something the review or the reconciliation shows is in order",
		Long: "Says that you looked at something that codex review (or codex reconcile) shows, and that it is in\n" +
			"order. It holds for that company, month, kind and item until what it is about changes, with\n" +
			"--standing for later months too. What concerns no company is acknowledged without --account.\n\n" +
			"Where codex reconcile shows several of one kind and item, --fingerprint says which one is meant.",
		Example: "  codex acknowledge --account 620547 --year 2025 --month 10 --kind unseen --item assets:12 --note \"spare\" --standing\n" +
			"  codex acknowledge list --account 620547\n" +
			"  codex acknowledge withdraw 3 --note \"sold\"",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := month.check(cmd); err != nil {
				return err
			}
			about, err := reconcile.ParseItem(item)
			if kind == "" || err != nil {
				return usageError("%s needs --kind and --item as codex review prints them, such as --kind unseen --item assets:12", cmd.CommandPath())
			}
			input := map[string]any{
				"year": month.year, "month": month.month, "kind": kind, "note": note, "standing": standing,
				"item": map[string]any{"entity": about.Entity, "id": about.ID},
			}
			if account != "" {
				input["accountNumber"] = account
			}
			if fingerprint != "" {
				input["fingerprint"] = fingerprint
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					Acknowledge struct{ Acknowledgement acknowledgement }
				}
				err := hub.ask(cmd.Context(), `mutation($input: AcknowledgeInput!) { acknowledge(input: $input) { acknowledgement `+acknowledgementFields+` } }`,
					map[string]any{"input": input}, &answer)
				if err != nil {
					return err
				}
				made := answer.Acknowledge.Acknowledgement
				fmt.Fprintf(p.stdout, "acknowledged (%s): %s of %s\n", made.ID, printable(made.Kind), printable(made.Item.Name))
				return nil
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&account, "account", "", "the company's account `number`")
	month.flags(cmd)
	cmd.Flags().StringVar(&kind, "kind", "", "its `kind`, as codex review prints it")
	cmd.Flags().StringVar(&item, "item", "", "its `item`, as codex review prints it: assets:12")
	cmd.Flags().StringVar(&note, "note", "", "`why` it is in order")
	cmd.Flags().StringVar(&fingerprint, "fingerprint", "", "the `fingerprint` of what you looked at, as --json prints it: what has changed since is refused")
	cmd.Flags().BoolVar(&standing, "standing", false, "for later months too")
	cmd.AddCommand(p.acknowledgeListCommand(), p.acknowledgeWithdrawCommand())
	return cmd
}

func (p *program) acknowledgeListCommand() *cobra.Command {
	var account string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List what was acknowledged, newest first, withdrawn ones too",
		Example: "  codex acknowledge list\n  codex acknowledge list --account 620547 --json",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				all := []acknowledgement{}
				variables := map[string]any{"first": changesAtOnce}
				if account != "" {
					variables["account"] = account
				}
				for {
					var answer struct {
						Acknowledgements struct {
							Nodes    []acknowledgement
							PageInfo struct {
								HasNextPage bool
								EndCursor   *string
							}
						}
					}
					err := hub.ask(cmd.Context(), `query($account: ID, $first: Int, $after: String) {
						acknowledgements(accountNumber: $account, first: $first, after: $after) { nodes `+acknowledgementFields+` pageInfo { hasNextPage endCursor } } }`,
						variables, &answer)
					if err != nil {
						return err
					}
					all = append(all, answer.Acknowledgements.Nodes...)
					if !answer.Acknowledgements.PageInfo.HasNextPage {
						break
					}
					variables["after"] = answer.Acknowledgements.PageInfo.EndCursor
				}
				if asJSON {
					return p.printIndented(all)
				}
				for _, a := range all {
					fmt.Fprint(p.stdout, a.shown())
				}
				return nil
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&account, "account", "", "only those of the company with this account `number`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

// shown is an acknowledgement for people, in a line or two.
func (a *acknowledgement) shown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s %s of %s:%s (%s)", a.ID, a.Month, textOf(a.AccountNumber), a.Kind, a.Item.Entity, a.Item.ID, a.Item.Name)
	if a.Standing {
		b.WriteString(", for later months too")
	}
	fmt.Fprintf(&b, ": %s, %s: %s", a.By, second(a.At), a.Note)
	line := printable(b.String()) + "\n"
	if a.WithdrawnAt != nil {
		line += printable(fmt.Sprintf("    withdrawn by %s, %s: %s", textOf(a.WithdrawnBy), second(*a.WithdrawnAt), textOf(a.WithdrawnNote))) + "\n"
	}
	return line
}

func (p *program) acknowledgeWithdrawCommand() *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use:     "withdraw ID --note TEXT",
		Short:   "Take an acknowledgement back",
		Long:    "Takes an acknowledgement back. What it was about is to be looked at again; it stays in the list.",
		Example: "  codex acknowledge withdraw 3 --note \"the machine was sold\"",
		Args:    exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					WithdrawAcknowledgement struct{ Acknowledgement acknowledgement }
				}
				err := hub.ask(cmd.Context(), `mutation($id: ID!, $note: String!) {
					withdrawAcknowledgement(id: $id, note: $note) { acknowledgement `+acknowledgementFields+` } }`,
					map[string]any{"id": args[0], "note": note}, &answer)
				if err != nil {
					return err
				}
				withdrawn := answer.WithdrawAcknowledgement.Acknowledgement
				fmt.Fprintf(p.stdout, "withdrawn (%s): %s of %s\n", withdrawn.ID, printable(withdrawn.Kind), printable(withdrawn.Item.Name))
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&note, "note", "", "`why`")
	return cmd
}
