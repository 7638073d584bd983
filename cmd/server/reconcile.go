package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// reconciliation is a reconciliation as GraphQL has it. --json writes the tags.
type reconciliation struct {
	Month string    `json:"month"`
	At    time.Time `json:"at"`
	Open  int       `json:"open"`
	Bills []struct {
		InvoiceNumber string   `json:"invoice_number"`
		AccountNumber string   `json:"account_number"`
		Company       string   `json:"company"`
		Source        string   `json:"source"`
		Problem       *string  `json:"problem"`
		NotCompared   []string `json:"not_compared"`
	} `json:"bills"`
	Differences []billDifference  `json:"differences"`
	Later       []laterChange     `json:"later"`
	Unbilled    []unbilledCompany `json:"unbilled"`
}

type billDifference struct {
	Kind            string           `json:"kind"`
	AccountNumber   string           `json:"account_number"`
	Company         string           `json:"company"`
	InvoiceNumber   string           `json:"invoice_number"`
	Item            billItem         `json:"item"`
	Seen            string           `json:"seen"`
	Before          *string          `json:"before"`
	Now             *string          `json:"now"`
	Worth           *string          `json:"worth"`
	UpTo            *string          `json:"up_to"`
	Fingerprint     string           `json:"fingerprint"`
	Acknowledgement *acknowledgement `json:"acknowledgement"`
}

type laterChange struct {
	Kind          string    `json:"kind"`
	AccountNumber string    `json:"account_number"`
	Company       string    `json:"company"`
	Item          billItem  `json:"item"`
	At            time.Time `json:"at"`
	Seen          string    `json:"seen"`
	UpTo          *string   `json:"up_to"`
}

type unbilledCompany struct {
	AccountNumber string  `json:"account_number"`
	Company       string  `json:"company"`
	LastBilled    *string `json:"last_billed"`
	Machines      int     `json:"machines"`
	People        int     `json:"people"`
	Hours         string  `json:"hours"`
	Worth         *string `json:"worth"`
	UpTo          *string `json:"up_to"`
}

const reconciliationFields = `month at open bills { invoice_number: invoiceNumber account_number: accountNumber company source problem not_compared: notCompared }
	differences { kind account_number: accountNumber company invoice_number: invoiceNumber item { entity id name } seen before now
		worth up_to: upTo fingerprint acknowledgement ` + acknowledgementFields + ` }
	later { kind account_number: accountNumber company item { entity id name } at seen up_to: upTo }
	unbilled { account_number: accountNumber company last_billed: lastBilled machines people hours worth up_to: upTo }`

func (p *program) reconcileCommand() *cobra.Command {
	var month billMonth
	var accounts []string
	var asJSON, asCSV, rebuild bool
	cmd := &cobra.Command{
		Use:   "reconcile --year YEAR --month MONTH",
		Short: "Compare the bills of a month with what the hub had seen",
		Long: "Lists what was billed for a month otherwise than the hub had seen in the runs that the bills were\n" +
			"made from, the largest first; what changed after those runs; and the companies without a\n" +
			"bill. docs/reconciliation.md tells what each kind means and what to do. What is in order is said so\n" +
			"by codex acknowledge.\n\n" +
			"--rebuild reads all archived bills anew into the tables that this works on, without a month.",
		Example: "  codex reconcile --year 2025 --month 10\n" +
			"  codex reconcile --year 2025 --month 10 --account 620547 --account 9931\n" +
			"  codex reconcile --year 2025 --month 10 --csv > october.csv",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if rebuild {
				return p.withHub(cmd.Context(), func(hub *hub) error { return hub.rebuildBilledItems(cmd.Context(), p) })
			}
			if err := month.check(cmd); err != nil {
				return err
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				if asCSV {
					var made struct{ CSV string }
					if err := hub.reconciliation(cmd.Context(), month, accounts, "csv", &made); err != nil {
						return err
					}
					fmt.Fprint(p.stdout, made.CSV)
					return nil
				}
				var made reconciliation
				if err := hub.reconciliation(cmd.Context(), month, accounts, reconciliationFields, &made); err != nil {
					return err
				}
				if asJSON {
					return p.printIndented(made)
				}
				fmt.Fprint(p.stdout, made.shown())
				return nil
			})
		},
	}
	cmd.Flags().SortFlags = false
	month.flags(cmd)
	cmd.Flags().StringArrayVar(&accounts, "account", nil, "only the company with this account `number`; may be given more than once")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print a table for a spreadsheet")
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "read all archived bills anew, and compare nothing")
	for _, other := range []string{"year", "month", "account", "json", "csv"} {
		cmd.MarkFlagsMutuallyExclusive("rebuild", other)
	}
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	return cmd
}

// reconciliation asks for fields of a month's reconciliation.
func (h *hub) reconciliation(ctx context.Context, month billMonth, accounts []string, fields string, into any) error {
	answer := struct{ Reconciliation any }{into}
	variables := map[string]any{"year": month.year, "month": month.month}
	if accounts != nil {
		variables["accounts"] = accounts
	}
	return h.ask(ctx, `query($year: Int!, $month: Int!, $accounts: [ID!]) {
		reconciliation(year: $year, month: $month, accountNumbers: $accounts) { `+fields+` } }`, variables, &answer)
}

func (h *hub) rebuildBilledItems(ctx context.Context, p *program) error {
	var answer struct{ RebuildBilledItems struct{ Bills int } }
	if err := h.ask(ctx, `mutation { rebuildBilledItems { bills } }`, nil, &answer); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "read anew, archived revisions of bills: %d\n", answer.RebuildBilledItems.Bills)
	return nil
}

// shown is a reconciliation for people.
func (r *reconciliation) shown() string {
	var b strings.Builder
	type key struct{ account, kind, entity, id string }
	of := func(d *billDifference) key { return key{d.AccountNumber, d.Kind, d.Item.Entity, d.Item.ID} }
	alike := make(map[key]int) // how many only their fingerprints tell apart
	for i := range r.Differences {
		alike[of(&r.Differences[i])]++
	}
	for _, d := range r.Differences {
		fmt.Fprintf(&b, "%s %s: %s %s%s\n      %s\n", printable(d.AccountNumber), printable(d.Company), d.Kind,
			printable(d.Item.Entity+":"+d.Item.ID), shownWorth(d.Worth, d.UpTo), printable(d.Seen))
		if a := d.Acknowledgement; a != nil {
			fmt.Fprintf(&b, "      acknowledged by %s at %s: %s\n", printable(a.By), second(a.At), printable(a.Note))
		} else if alike[of(&d)] > 1 {
			fmt.Fprintf(&b, "      --fingerprint %s\n", d.Fingerprint)
		}
	}
	if len(r.Unbilled) > 0 {
		fmt.Fprintf(&b, "\nwithout a bill\n")
	}
	for _, u := range r.Unbilled {
		fmt.Fprintf(&b, "  %s %s: %d machines, %d people, %s hours%s\n", printable(u.AccountNumber), printable(u.Company),
			u.Machines, u.People, u.Hours, shownWorth(u.Worth, u.UpTo))
	}
	if len(r.Later) > 0 {
		fmt.Fprintf(&b, "\nchanged after the runs that the bills were made from\n")
	}
	for _, l := range r.Later {
		fmt.Fprintf(&b, "  %s %s: %s %s%s %s\n", printable(l.AccountNumber), second(l.At), l.Kind,
			printable(l.Item.Entity+":"+l.Item.ID), shownWorth(nil, l.UpTo), printable(l.Seen))
	}
	for _, bill := range r.Bills {
		if len(bill.NotCompared) > 0 {
			fmt.Fprintf(&b, "\n%s was accepted before a sync of %s had succeeded: that was not compared\n",
				printable(bill.InvoiceNumber), strings.ToLower(strings.Join(bill.NotCompared, ", ")))
		}
	}
	for _, bill := range r.Bills {
		if bill.Problem != nil {
			fmt.Fprintf(&b, "\n%s could not be read wholly, and that was not compared: %s\n", printable(bill.InvoiceNumber), printable(*bill.Problem))
		}
		if bill.Source == "lines" {
			fmt.Fprintf(&b, "\n%s has its lines alone: neither what it lacks nor its tickets were compared\n", printable(bill.InvoiceNumber))
		}
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s: %d bills compared, %d differences to look at, %d acknowledged\n",
		r.Month, len(r.Bills), r.Open, len(r.Differences)-r.Open)
	return b.String()
}

// shownWorth is what something is worth, in brackets.
func shownWorth(worth, upTo *string) string {
	switch {
	case worth != nil && upTo != nil:
		return " (" + *worth + ", and up to " + *upTo + ")"
	case worth != nil:
		return " (" + *worth + ")"
	case upTo != nil:
		return " (up to " + *upTo + ")"
	}
	return ""
}
