package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex/reconcile"
)

// billReview is a review as GraphQL has it, which is asked for the names that --json writes.
type billReview struct {
	Month     string          `json:"month"`
	At        time.Time       `json:"at"`
	Open      int             `json:"open"`
	Flags     []reviewFlag    `json:"flags"`
	Companies []companyReview `json:"companies"`
}

type companyReview struct {
	AccountNumber string       `json:"account_number"`
	Name          string       `json:"name"`
	LastBilled    *string      `json:"last_billed"`
	Invoices      []string     `json:"invoices"`
	Open          int          `json:"open"`
	Flags         []reviewFlag `json:"flags"`
}

type reviewFlag struct {
	Kind            string           `json:"kind"`
	Item            billItem         `json:"item"`
	Seen            string           `json:"seen"`
	Do              string           `json:"do"`
	Before          *string          `json:"before"`
	Now             *string          `json:"now"`
	Link            *string          `json:"link"`
	Worth           *string          `json:"worth"`
	Fingerprint     string           `json:"fingerprint"`
	Acknowledgement *acknowledgement `json:"acknowledgement"`
}

type billItem struct {
	Entity string `json:"entity"`
	ID     string `json:"id"`
	Name   string `json:"name"`
}

const reviewFlagFields = `{ kind item { entity id name } seen do before now link worth fingerprint acknowledgement ` + acknowledgementFields + ` }`

func (p *program) reviewCommand() *cobra.Command {
	var month billMonth
	var account string
	var asJSON, asCSV bool
	cmd := &cobra.Command{
		Use:   "review --year YEAR --month MONTH",
		Short: "Look at what would go wrong before the bills of a month are made",
		Long: "Lists what should be looked at before the bills of a month are made, company by company: feeds that\n" +
			"were not synced since it ended, what could not be placed, tickets that were billed before, machines\n" +
			"and people that are billed and perhaps should not be. docs/billing-review.md tells what each kind\n" +
			"means and what to do. What is in order is said so by codex acknowledge.",
		Example: "  codex review --year 2025 --month 10\n" +
			"  codex review --year 2025 --month 10 --account 620547\n" +
			"  codex review --year 2025 --month 10 --csv > review.csv",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := month.check(cmd); err != nil {
				return err
			}
			if asJSON && asCSV {
				return usageError("codex review prints --json or --csv, not both")
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				review, err := hub.review(cmd.Context(), month, account)
				switch {
				case err != nil:
					return err
				case asJSON:
					return p.printIndented(review)
				case asCSV:
					return review.csv(p.stdout)
				}
				fmt.Fprint(p.stdout, review.shown(account != ""))
				return nil
			})
		},
	}
	cmd.Flags().SortFlags = false
	month.flags(cmd)
	cmd.Flags().StringVar(&account, "account", "", "only the company with this account `number`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print a table for a spreadsheet")
	return cmd
}

// billMonth is the month that --year and --month name.
type billMonth struct{ year, month int }

func (m *billMonth) flags(cmd *cobra.Command) {
	cmd.Flags().IntVar(&m.year, "year", 0, "the `year` of the month, as 2025")
	cmd.Flags().IntVar(&m.month, "month", 0, "the `month`, 1 to 12")
}

func (m *billMonth) check(cmd *cobra.Command) error {
	if m.year < 1970 || m.year > 9999 || m.month < 1 || m.month > 12 {
		return usageError("%s needs --year and --month, such as --year 2025 --month 10", cmd.CommandPath())
	}
	return nil
}

func (h *hub) review(ctx context.Context, month billMonth, account string) (*billReview, error) {
	var answer struct{ BillReview *billReview }
	variables := map[string]any{"year": month.year, "month": month.month}
	if account != "" {
		variables["account"] = account
	}
	err := h.ask(ctx, `query($year: Int!, $month: Int!, $account: ID) { billReview(year: $year, month: $month, accountNumber: $account) {
		month at open flags `+reviewFlagFields+` companies { account_number: accountNumber name last_billed: lastBilled invoices open flags `+reviewFlagFields+` } } }`,
		variables, &answer)
	return answer.BillReview, err
}

// printIndented prints what a verb with --json prints that people look at too.
func (p *program) printIndented(value any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// shown is a review for people. Of one company it has what is about that company.
func (r *billReview) shown(ofOne bool) string {
	var b strings.Builder
	total, open := 0, 0
	of := func(title string, flags []reviewFlag) {
		b.WriteString(shownFlags(title, flags))
		total += len(flags)
		for _, f := range flags {
			if f.Acknowledgement == nil {
				open++
			}
		}
	}
	if !ofOne {
		of("of no one company", r.Flags)
	}
	for _, c := range r.Companies {
		of(c.AccountNumber+" "+c.Name, c.Flags)
	}
	fmt.Fprintf(&b, "%s: %d to look at, %d acknowledged\n", r.Month, open, total-open)
	if more := len(r.Flags); ofOne && more > 0 {
		fmt.Fprintf(&b, "%d more are of no one company: they are shown without --account\n", more)
	}
	return b.String()
}

func shownFlags(title string, flags []reviewFlag) string {
	if len(flags) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", printable(title))
	for _, f := range flags {
		fmt.Fprintf(&b, "  %s %s", f.Kind, printable(f.Item.Entity+":"+f.Item.ID))
		if f.Item.Name != f.Item.ID {
			fmt.Fprintf(&b, " %s", printable(f.Item.Name))
		}
		if f.Worth != nil {
			fmt.Fprintf(&b, " (%s)", *f.Worth)
		}
		fmt.Fprintf(&b, "\n      %s\n", printable(f.Seen))
		if a := f.Acknowledgement; a != nil {
			fmt.Fprintf(&b, "      acknowledged by %s at %s: %s\n", printable(a.By), second(a.At), printable(a.Note))
			continue
		}
		fmt.Fprintf(&b, "      %s\n", printable(f.Do))
		if f.Link != nil {
			fmt.Fprintf(&b, "      %s\n", printable(*f.Link))
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// csv writes a review as a table, a line a flag.
func (r *billReview) csv(w io.Writer) error {
	rows := [][]string{{"account_number", "company", "kind", "entity", "id", "name", "before", "now", "worth", "seen", "do", "link", "acknowledged_by", "note"}}
	of := func(account, name string, flags []reviewFlag) {
		for _, f := range flags {
			row := []string{account, name, f.Kind, f.Item.Entity, f.Item.ID, f.Item.Name, textOf(f.Before), textOf(f.Now), textOf(f.Worth), f.Seen, f.Do, textOf(f.Link), "", ""}
			if a := f.Acknowledgement; a != nil {
				row[12], row[13] = a.By, a.Note
			}
			rows = append(rows, row)
		}
	}
	of("", "", r.Flags)
	for _, c := range r.Companies {
		of(c.AccountNumber, c.Name, c.Flags)
	}
	return reconcile.WriteCSV(w, rows)
}

func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
