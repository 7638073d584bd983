package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
)

func (p *program) plansCommand() *cobra.Command {
	return group("plans", "Keep the billing plans that Ledger bills with",
		"  codex plans import plans.json --dry-run\n  codex plans list\n  codex plans list --missing\n  codex plans export plans.json",
		p.plansListCommand(), p.plansShowCommand(), p.plansImportCommand(), p.plansExportCommand(), p.plansDeleteCommand())
}

// billingPlan is a plan as GraphQL has it, which is asked for the names that --json writes.
type billingPlan struct {
	Name         string `json:"plan_name"`
	Term         string `json:"term_length"`
	SupportLevel string `json:"support_level"`
	Companies    int    `json:"companies"`

	PerUserCost        string `json:"per_user_cost"`
	PerWorkstationCost string `json:"per_workstation_cost"`
	PerServerCost      string `json:"per_server_cost"`
	PerVMCost          string `json:"per_vm_cost"`
	PerSwitchCost      string `json:"per_switch_cost"`
	PerFirewallCost    string `json:"per_firewall_cost"`
	PerHourTicketCost  string `json:"per_hour_ticket_cost"`

	BackupBaseFeeWorkstation string `json:"backup_base_fee_workstation"`
	BackupBaseFeeServer      string `json:"backup_base_fee_server"`
	BackupIncludedTB         string `json:"backup_included_tb"`
	BackupPerTBFee           string `json:"backup_per_tb_fee"`

	Features []planFeature `json:"features"`
}

type planFeature struct {
	Category string `json:"category"`
	Value    string `json:"value"`
}

const billingPlanFields = `{ plan_name: name term_length: termLength support_level: supportLevel companies: companyCount
	per_user_cost: perUserCost per_workstation_cost: perWorkstationCost per_server_cost: perServerCost per_vm_cost: perVmCost
	per_switch_cost: perSwitchCost per_firewall_cost: perFirewallCost per_hour_ticket_cost: perHourTicketCost
	backup_base_fee_workstation: backupBaseFeeWorkstation backup_base_fee_server: backupBaseFeeServer
	backup_included_tb: backupIncludedTb backup_per_tb_fee: backupPerTbFee features { category value } }`

// withoutPlan is a company that no plan fits.
type withoutPlan struct {
	Company struct {
		AccountNumber string `json:"account_number"`
		Name          string `json:"name"`
	} `json:"company"`
	BillingPlan *string  `json:"billing_plan"`
	Term        string   `json:"term_length"`
	OtherTerms  []string `json:"other_terms"`
}

func (p *program) plansListCommand() *cobra.Command {
	var missing, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the billing plans, or with --missing the companies that none fits",
		Long: "Lists the billing plans with how many companies have each. With --missing it lists the companies that\n" +
			"no plan fits, which Ledgers since November 2025 cannot bill.",
		Example: "  codex plans list\n  codex plans list --missing",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				if missing {
					return p.listWithoutPlan(cmd.Context(), hub, asJSON)
				}
				var all []billingPlan
				raw, err := hub.asked(cmd.Context(), "{ answer: plans "+billingPlanFields+" }", nil, &all)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printAnswer(raw)
				}
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "PLAN\tTERM\tUSER\tWORKSTATION\tSERVER\tHOUR\tCOMPANIES")
				for _, plan := range all {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", printable(plan.Name), printable(plan.Term), plan.PerUserCost,
						plan.PerWorkstationCost, plan.PerServerCost, plan.PerHourTicketCost, plan.Companies)
				}
				return table.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&missing, "missing", false, "list the companies that no plan fits")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	return cmd
}

func (p *program) listWithoutPlan(ctx context.Context, hub *hub, asJSON bool) error {
	var all []withoutPlan
	raw, err := hub.asked(ctx, `{ answer: companiesWithoutPlan { company { account_number: accountNumber name }
		billing_plan: billingPlan term_length: termLength other_terms: otherTerms } }`, nil, &all)
	if err != nil {
		return err
	}
	if asJSON {
		return p.printAnswer(raw)
	}
	for _, c := range all {
		why := "no billing plan is selected"
		if c.BillingPlan != nil && *c.BillingPlan != "" {
			why = fmt.Sprintf("there is no plan %s (%s)", *c.BillingPlan, c.Term)
			if len(c.OtherTerms) > 0 {
				why += "; there is one for " + strings.Join(c.OtherTerms, ", ")
			}
		}
		fmt.Fprintln(p.stdout, printable(fmt.Sprintf("%s %s: %s", c.Company.AccountNumber, c.Company.Name, why)))
	}
	return nil
}

func (p *program) plansShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show NAME TERM",
		Short:   "Show a billing plan with its prices and what it includes",
		Example: "  codex plans show Gold '1 Year'",
		Args:    exactly("NAME", "TERM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var plan billingPlan
				raw, err := hub.asked(cmd.Context(), "query($name: String!, $term: String!) { answer: plan(name: $name, termLength: $term) "+billingPlanFields+" }",
					map[string]any{"name": args[0], "term": args[1]}, &plan)
				switch {
				case err != nil:
					return err
				case raw == nil:
					return codex.Errorf(codex.CodeNotFound, "there is no plan %s (%s)", args[0], args[1])
				case asJSON:
					return p.printAnswer(raw)
				}
				return plan.shown(p.stdout)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func (plan *billingPlan) shown(w io.Writer) error {
	fmt.Fprintf(w, "%s (%s), %s, %s\n", printable(plan.Name), printable(plan.Term), printable(plan.SupportLevel), counted(plan.Companies, "company", "companies"))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range [][2]string{
		{"user", plan.PerUserCost}, {"workstation", plan.PerWorkstationCost}, {"server", plan.PerServerCost}, {"VM", plan.PerVMCost},
		{"switch", plan.PerSwitchCost}, {"firewall", plan.PerFirewallCost}, {"hour of tickets", plan.PerHourTicketCost},
		{"backup of a workstation", plan.BackupBaseFeeWorkstation}, {"backup of a server", plan.BackupBaseFeeServer},
		{"TB included", plan.BackupIncludedTB}, {"TB beyond", plan.BackupPerTBFee},
	} {
		fmt.Fprintf(table, "  %s\t%s\n", line[0], line[1])
	}
	for _, f := range plan.Features {
		fmt.Fprintf(table, "  %s\t%s\n", printable(f.Category), printable(f.Value))
	}
	return table.Flush()
}

// planName is which plan it is.
type planName struct {
	Name string `json:"plan_name"`
	Term string `json:"term_length"`
}

func (n planName) String() string { return printable(n.Name + " (" + n.Term + ")") }

// importedPlans is what an import did, as GraphQL has it.
type importedPlans struct {
	Created []planName
	Changed []struct {
		planName
		Changes []struct {
			Field    string
			Old, New *string
		}
	}
	Removed, Kept []planName
	Unchanged     int
	Options       importedCounts
	Categories    importedCounts
}

type importedCounts struct{ Created, Changed, Removed, Kept, Unchanged int }

const importedPlansFields = `{ dry_run: dryRun created { plan_name: name term_length: termLength }
	changed { plan_name: name term_length: termLength changes { field old new } }
	removed { plan_name: name term_length: termLength } kept { plan_name: name term_length: termLength } unchanged
	options { created changed removed kept unchanged } categories { created changed removed kept unchanged } }`

func (p *program) plansImportCommand() *cobra.Command {
	var dryRun, prune, asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Make the billing plans those of a file, all of it or nothing",
		Long: "Makes the billing plans those of a file as codex plans export and the HiveMatrix services write it\n" +
			"(- is the standard input), and says what that changes. Plans that the file does not name stay as\n" +
			"they are, unless --prune removes them.",
		Example: "  codex plans import plans.json --dry-run\n  codex plans import plans.json",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			content, err := p.readFileOrInput(args[0])
			if err != nil {
				return err
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var made importedPlans
				raw, err := hub.asked(cmd.Context(), `mutation($file: String!, $dryRun: Boolean!, $prune: Boolean!) {
					answer: importPlans(file: $file, dryRun: $dryRun, prune: $prune) `+importedPlansFields+` }`,
					map[string]any{"file": string(content), "dryRun": dryRun, "prune": prune}, &made)
				if err != nil {
					return err
				}
				if asJSON {
					return p.printAnswer(raw)
				}
				made.shown(p.stdout, dryRun)
				return nil
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be changed")
	cmd.Flags().BoolVar(&prune, "prune", false, "remove the plans that the file does not name")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was done as JSON")
	return cmd
}

func (p *program) readFileOrInput(name string) ([]byte, error) {
	if name == "-" {
		content, err := io.ReadAll(p.stdin)
		if err != nil {
			return nil, fmt.Errorf("reading the standard input: %w", err)
		}
		return content, nil
	}
	content, err := os.ReadFile(p.path(name))
	if err != nil {
		return nil, usageError("the file cannot be read: %w", err)
	}
	return content, nil
}

func (made *importedPlans) shown(w io.Writer, dryRun bool) {
	for _, plan := range made.Created {
		fmt.Fprintf(w, "new: %s\n", plan)
	}
	for _, plan := range made.Changed {
		fmt.Fprintf(w, "changed: %s\n", plan)
		for _, change := range plan.Changes {
			fmt.Fprintf(w, "  %s\n", printable(fmt.Sprintf("%s: %s → %s", change.Field, orDash(change.Old), orDash(change.New))))
		}
	}
	for _, plan := range made.Removed {
		fmt.Fprintf(w, "removed: %s\n", plan)
	}
	for _, plan := range made.Kept {
		fmt.Fprintf(w, "kept: %s is not in the file\n", plan)
	}
	fmt.Fprintf(w, "%s as before\n", counted(made.Unchanged, "plan", "plans"))
	for _, other := range []struct {
		name string
		importedCounts
	}{{"feature options", made.Options}, {"feature categories", made.Categories}} {
		if other.importedCounts != (importedCounts{}) {
			fmt.Fprintf(w, "%s: %d new, %d changed, %d removed, %d kept, %d as before\n",
				other.name, other.Created, other.Changed, other.Removed, other.Kept, other.Unchanged)
		}
	}
	if dryRun {
		fmt.Fprintln(w, "a dry run: nothing was changed")
	}
}

func orDash(text *string) string {
	if text == nil {
		return "-"
	}
	return *text
}

// counted is a count with its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func (p *program) plansExportCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "export FILE",
		Short:   "Write all billing plans and feature options into a file (- is the standard output)",
		Example: "  codex plans export plans.json",
		Args:    exactly("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct{ PlansFile string }
				if err := hub.ask(cmd.Context(), "{ plansFile }", nil, &answer); err != nil {
					return err
				}
				file := args[0]
				if file == "-" {
					file = ""
				}
				return p.deliver(answer.PlansFile, file, forOwner)
			})
		},
	}
}

func (p *program) plansDeleteCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "delete NAME TERM",
		Short:   "Take a billing plan away; its history stays",
		Example: "  codex plans delete Gold '3 Year'",
		Args:    exactly("NAME", "TERM"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var deleted struct{ Companies int }
				_, err := hub.asked(cmd.Context(), "mutation($name: String!, $term: String!) { answer: deletePlan(name: $name, termLength: $term) { companies } }",
					map[string]any{"name": args[0], "term": args[1]}, &deleted)
				if err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "deleted: %s\n", planName{args[0], args[1]})
				if deleted.Companies > 0 {
					fmt.Fprintf(p.stdout, "%s with this plan cannot be billed until there is one again\n", counted(deleted.Companies, "company", "companies"))
				}
				return nil
			})
		},
	}
}
