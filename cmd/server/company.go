package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) companyCommand() *cobra.Command {
	return group("company", "Decide on companies what no sync may",
		"  codex company rename 620547 620548\n  codex company archive 620547\n  codex company update 620547 --phone-system 3CX",
		p.companyRenameCommand(), p.companyArchiveCommand(), p.companyUpdateCommand())
}

// companyNames is a company as the verbs tell of it.
type companyNames struct{ AccountNumber, Name string }

func (p *program) companyRenameCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "rename OLD NEW",
		Short: "Give a company another account number, for good",
		Long: "Gives a company another account number. Its machines, people, places, sites, tickets and history\n" +
			"move along, and keep their ids; bills that are archived keep the old number. This is for a\n" +
			"department whose account number was changed in Freshservice for good (the issue\n" +
			"account_number_changed): a sync keeps the old one, which bills name.",
		Example: "  codex company rename 620547 620548",
		Args:    exactly("OLD", "NEW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					RenameCompany struct{ Company companyNames }
				}
				err := hub.ask(cmd.Context(), `mutation($from: ID!, $to: ID!) {
					renameCompany(accountNumber: $from, to: $to) { company { accountNumber name } } }`,
					map[string]any{"from": args[0], "to": args[1]}, &answer)
				if err != nil {
					return err
				}
				company := answer.RenameCompany.Company
				fmt.Fprintf(p.stdout, "%s is %s now: %s\n", printable(args[0]), printable(company.AccountNumber), printable(company.Name))
				return nil
			})
		},
	}
}

func (p *program) companyArchiveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "archive NUMBER",
		Short: "Serve a company no longer that has left",
		Long: "Takes a company out of what is served and billed, with what belongs to it. It must have left\n" +
			"Freshservice (the issue company_leaving): a sync never does that by itself. Its past stays. When\n" +
			"a department has its account number again it is back, with the ids that it had.",
		Example: "  codex company archive 620547",
		Args:    exactly("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					ArchiveCompany struct{ Company companyNames }
				}
				err := hub.ask(cmd.Context(), `mutation($account: ID!) {
					archiveCompany(accountNumber: $account) { company { accountNumber name } } }`,
					map[string]any{"account": args[0]}, &answer)
				if err != nil {
					return err
				}
				company := answer.ArchiveCompany.Company
				fmt.Fprintf(p.stdout, "%s is archived: %s\n", printable(company.AccountNumber), printable(company.Name))
				return nil
			})
		},
	}
}
