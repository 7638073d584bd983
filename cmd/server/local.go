package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// localText is a flag that gives a local text: nothing where the flag is not given, null where it is
// empty.
type localText struct{ flag, field, text string }

// edits are the flags of cmd that were given, as an input has them.
func edits(cmd *cobra.Command, texts []localText) (map[string]any, error) {
	input := map[string]any{}
	var names []string
	for _, t := range texts {
		names = append(names, "--"+t.flag)
		if !cmd.Flags().Changed(t.flag) {
			continue
		}
		input[t.field] = nil
		if t.text != "" {
			input[t.field] = t.text
		}
	}
	if len(input) == 0 {
		return nil, usageError("%s needs %s", cmd.CommandPath(), strings.Join(names, " or "))
	}
	return input, nil
}

// told says what was done, or that it was so already.
func (p *program) told(changed bool, done, already string, args ...any) {
	format := already
	if changed {
		format = done
	}
	for i, arg := range args {
		args[i] = printable(fmt.Sprint(arg))
	}
	fmt.Fprintf(p.stdout, format+"\n", args...)
}

func (p *program) companyUpdateCommand() *cobra.Command {
	texts := []localText{
		{flag: "phone-system", field: "phoneSystem"}, {flag: "email-system", field: "emailSystem"},
		{flag: "support-level", field: "supportLevel"}, {flag: "compliance-level", field: "complianceLevel"},
	}
	cmd := &cobra.Command{
		Use:   "update NUMBER",
		Short: "Change what is said of a company here",
		Long: "Changes a company's telephone and e-mail system and its levels of support and compliance. No sync\n" +
			"changes what is said here. What is not given stays; an empty text takes back what was said: the\n" +
			"systems are Freshservice's again from the next sync on, the level of compliance is standard.",
		Example: "  codex company update 620547 --phone-system 3CX\n  codex company update 620547 --phone-system \"\"",
		Args:    exactly("NUMBER"),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	for i, what := range []string{"its telephone `system`", "its e-mail `system`", "the `level` of support that was agreed on", "the `level` of compliance that is kept for it"} {
		flags.StringVar(&texts[i].text, texts[i].flag, "", what)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		input, err := edits(cmd, texts)
		if err != nil {
			return err
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var answer struct {
				UpdateCompany struct {
					Changed bool
					Company companyNames
				}
			}
			err := hub.ask(cmd.Context(), `mutation($account: ID!, $input: UpdateCompanyInput!) {
				updateCompany(accountNumber: $account, input: $input) { changed company { accountNumber name } } }`,
				map[string]any{"account": args[0], "input": input}, &answer)
			if err != nil {
				return err
			}
			did := answer.UpdateCompany
			p.told(did.Changed, "%s is changed: %s", "%s was like that already: %s", did.Company.AccountNumber, did.Company.Name)
			return nil
		})
	}
	return cmd
}

func (p *program) contactCommand() *cobra.Command {
	return group("contact", "Say of people what no sync knows",
		"  codex contact update 12 --employment-type \"Part Time\"\n  codex contact link 12 620547\n  codex contact unlink 12 620547",
		p.contactUpdateCommand(),
		p.linkCommand("link ID NUMBER", "Make a contact one of a company's people",
			"Makes a contact one of a company's people, whatever Freshservice says: no sync takes that away.",
			"  codex contact link 12 620547", `mutation($one: ID!, $other: ID!) {
			did: linkContact(contactId: $one, accountNumber: $other) { changed one: contact { name } other: company { name } } }`,
			"%s is one of %s's people now", "%s was linked to %s by hand already"),
		p.linkCommand("unlink ID NUMBER", "Take back a contact's link to a company",
			"Takes back what codex contact link did. If Freshservice has the contact among the company's people,\n"+
				"the next sync links them again; what Freshservice alone says is changed there.",
			"  codex contact unlink 12 620547", `mutation($one: ID!, $other: ID!) {
			did: unlinkContact(contactId: $one, accountNumber: $other) { changed one: contact { name } other: company { name } } }`,
			"%s is none of %s's people now", "%s was not linked to %s"))
}

func (p *program) contactUpdateCommand() *cobra.Command {
	texts := []localText{{flag: "employment-type", field: "employmentType"}}
	cmd := &cobra.Command{
		Use:   "update ID",
		Short: "Change what is said of a contact here",
		Long: "Changes how a contact is employed. No sync changes it. An empty text takes back what was said: Full\n" +
			"Time.",
		Example: "  codex contact update 12 --employment-type \"Part Time\"",
		Args:    exactly("ID"),
	}
	cmd.Flags().StringVar(&texts[0].text, texts[0].flag, "", "how the person is `employed`")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		input, err := edits(cmd, texts)
		if err != nil {
			return err
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var answer struct {
				UpdateContact struct {
					Changed bool
					Contact struct{ ID, Name, EmploymentType string }
				}
			}
			err := hub.ask(cmd.Context(), `mutation($id: ID!, $input: UpdateContactInput!) {
				updateContact(id: $id, input: $input) { changed contact { id name employmentType } } }`,
				map[string]any{"id": args[0], "input": input}, &answer)
			if err != nil {
				return err
			}
			did := answer.UpdateContact
			p.told(did.Changed, "%s is %s now: %s", "%s was %s already: %s", did.Contact.ID, did.Contact.EmploymentType, did.Contact.Name)
			return nil
		})
	}
	return cmd
}

func (p *program) assetCommand() *cobra.Command {
	return group("asset", "Say of machines what no sync knows",
		"  codex asset link 7 12\n  codex asset unlink 7 12",
		p.linkCommand("link ID CONTACT", "Say who uses a machine",
			"Says that a contact uses a machine, whoever logged in last: no sync takes that away.",
			"  codex asset link 7 12", `mutation($one: ID!, $other: ID!) {
			did: linkAsset(assetId: $one, contactId: $other) { changed one: asset { name: hostname } other: contact { name } } }`,
			"%s is used by %s now", "%s was linked to %s by hand already"),
		p.linkCommand("unlink ID CONTACT", "Take back who uses a machine",
			"Takes back what codex asset link did. If the contact is the machine's last user, the next sync links\n"+
				"them again; a link that is the last user's alone goes when somebody else has logged in.",
			"  codex asset unlink 7 12", `mutation($one: ID!, $other: ID!) {
			did: unlinkAsset(assetId: $one, contactId: $other) { changed one: asset { name: hostname } other: contact { name } } }`,
			"%s is not said to be used by %s now", "%s was not linked to %s"))
}

// linkCommand is a verb that links two records or undoes that, by a mutation with the variables one
// and other.
func (p *program) linkCommand(use, short, long, example, mutation, done, already string) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Long: long, Example: example,
		Args: exactly(strings.Fields(use)[1:]...),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					Did struct {
						Changed    bool
						One, Other struct{ Name string }
					}
				}
				if err := hub.ask(cmd.Context(), mutation, map[string]any{"one": args[0], "other": args[1]}, &answer); err != nil {
					return err
				}
				p.told(answer.Did.Changed, done, already, answer.Did.One.Name, answer.Did.Other.Name)
				return nil
			})
		},
	}
}
