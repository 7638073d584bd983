package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/graph/scalar"
)

// archivedBill is a revision of a bill as the verbs tell of it. --json prints what was asked for under the
// names of the tags.
type archivedBill struct {
	InvoiceNumber string   `json:"invoice_number"`
	Revision      int      `json:"revision"`
	Current       bool     `json:"current"`
	Open          bool     `json:"open"`
	AccountNumber string   `json:"account_number"`
	CompanyName   string   `json:"company_name"`
	BillingMonth  string   `json:"billing_month"`
	TotalAmount   string   `json:"total_amount"`
	ArchivedAt    string   `json:"archived_at"`
	AcceptedBy    string   `json:"accepted_by"`
	Marks         []string `json:"marks"`
	Lines         []struct {
		LineType string `json:"line_type"`
		ItemName string `json:"item_name"`
		Quantity string `json:"quantity"`
		Rate     string `json:"rate"`
		Amount   string `json:"amount"`
	} `json:"lines"`
	Events []struct {
		Kind   string `json:"kind"`
		Reason string `json:"reason"`
		By     string `json:"by"`
		At     string `json:"at"`
	} `json:"events"`
}

const (
	billFields = `invoice_number: invoiceNumber revision current open account_number: accountNumber company_name: companyName
		billing_month: billingMonth total_amount: totalAmount archived_at: archivedAt accepted_by: acceptedBy marks`
	billLineFields = `{ line_type: lineType item_name: itemName description quantity rate amount }`
	billDetails    = `invoice_date: invoiceDate due_date: dueDate billing_plan: billingPlan contract_term: contractTerm
		support_level: supportLevel total_user_charges: totalUserCharges total_asset_charges: totalAssetCharges
		total_backup_charges: totalBackupCharges total_ticket_charges: totalTicketCharges
		total_line_item_charges: totalLineItemCharges user_count: userCount asset_count: assetCount
		billable_hours: billableHours origin created_by: createdBy leaf_index: leafIndex notes
		runs { feed run_id: runId } lines ` + billLineFields + ` events { kind reason by at }`
)

// standing is how a revision stands, for people.
func (b *archivedBill) standing() string {
	switch {
	case b.Open:
		return "reopened"
	case b.Current:
		return "current"
	}
	return "replaced"
}

// asked asks for one field, answer, and decodes it; null is nothing.
func (h *hub) asked(ctx context.Context, query string, variables map[string]any, into any) (raw json.RawMessage, err error) {
	var answer struct{ Answer json.RawMessage }
	if err := h.ask(ctx, query, variables, &answer); err != nil {
		return nil, err
	}
	if len(answer.Answer) == 0 || string(answer.Answer) == "null" {
		return nil, nil
	}
	if err := json.Unmarshal(answer.Answer, into); err != nil {
		return nil, fmt.Errorf("reading an answer: %w", err)
	}
	return answer.Answer, nil
}

// printAnswer prints an answer as it came, for people's eyes too.
func (p *program) printAnswer(raw json.RawMessage) error {
	var text bytes.Buffer
	if err := json.Indent(&text, raw, "", "  "); err != nil {
		return fmt.Errorf("writing an answer: %w", err)
	}
	_, err := fmt.Fprintln(p.stdout, text.String())
	return err
}

func noBill(invoice string) error {
	return codex.Errorf(codex.CodeNotFound, "no bill %s is archived, or it is reopened: --revision names one of its revisions", invoice)
}

func (p *program) archiveShowCommand() *cobra.Command {
	var revision int
	var asJSON, asCSV bool
	cmd := &cobra.Command{
		Use:   "show INVOICE",
		Short: "Show an archived bill",
		Long: "Shows an archived bill with its lines and what happened to it: the newest revision, unless that is\n" +
			"reopened.",
		Example: "  codex archive show 620547-202510\n  codex archive show 620547-202510 --revision 1 --json",
		Args:    exactly("INVOICE"),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().IntVar(&revision, "revision", 0, "which `revision` of the bill, from 1 (default: the newest)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print all of it as JSON")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print the archived CSV, to its last letter")
	cmd.MarkFlagsMutuallyExclusive("json", "csv")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		variables := map[string]any{"invoice": args[0]}
		if cmd.Flags().Changed("revision") {
			variables["revision"] = revision
		}
		fields := billFields + " " + billDetails
		switch {
		case asCSV:
			fields = "csv"
		case asJSON:
			fields += " billing_data: billingData"
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var bill struct {
				archivedBill
				CSV *string `json:"csv"`
			}
			raw, err := hub.asked(cmd.Context(), `query($invoice: ID!, $revision: Int) {
				answer: snapshot(invoiceNumber: $invoice, revision: $revision) { `+fields+` } }`, variables, &bill)
			switch {
			case err != nil:
				return err
			case raw == nil:
				return noBill(args[0])
			case asJSON:
				return p.printAnswer(raw)
			case asCSV && bill.CSV == nil:
				return codex.Errorf(codex.CodeNotFound, "the CSV of %s is erased", args[0])
			case asCSV:
				_, err := io.WriteString(p.stdout, *bill.CSV)
				return err
			}
			bill.print(p.stdout)
			return nil
		})
	}
	return cmd
}

func (b *archivedBill) print(w io.Writer) {
	fmt.Fprintf(w, "%s, revision %d (%s): %s %s, %s, %s\n", printable(b.InvoiceNumber), b.Revision, b.standing(),
		printable(b.AccountNumber), printable(b.CompanyName), b.BillingMonth, b.TotalAmount)
	fmt.Fprintf(w, "  archived %s by %s\n", b.ArchivedAt, printable(b.AcceptedBy))
	if len(b.Marks) > 0 {
		fmt.Fprintf(w, "  marks: %s\n", strings.Join(b.Marks, ", "))
	}
	for _, event := range b.Events {
		fmt.Fprintf(w, "  %s %s by %s: %s\n", strings.ToLower(event.Kind), event.At, printable(event.By), printable(event.Reason))
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range b.Lines {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\n", printable(line.LineType), printable(line.ItemName), line.Quantity, line.Rate, line.Amount)
	}
	_ = table.Flush() // what w does with it is found out where more is printed
}

// billFilter are the flags that say which bills are wanted.
type billFilter struct {
	account, company, month, text, mark, from, to, least, most, year string
}

func (f *billFilter) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.account, "account", "", "the account `number` on the bill")
	flags.StringVar(&f.company, "company", "", "a part of the company's `name` on the bill")
	flags.StringVar(&f.month, "month", "", "the `month` that it is for, YYYY-MM")
	flags.StringVar(&f.year, "year", "", "the `year` of that month")
	flags.StringVar(&f.from, "archived-from", "", "archived on that `day` of UTC or later")
	flags.StringVar(&f.to, "archived-to", "", "archived on that `day` of UTC or earlier")
	flags.StringVar(&f.least, "at-least", "", "it comes to this `amount` or more")
	flags.StringVar(&f.most, "at-most", "", "it comes to this `amount` or less")
	flags.StringVar(&f.text, "line", "", "a `text` in one of its lines")
	flags.StringVar(&f.mark, "mark", "", "it has this `mark`")
}

// filter is the flags as GraphQL's filter.
func (f *billFilter) filter() (map[string]any, error) {
	filter := map[string]any{}
	set := func(field, condition string, value any) {
		conditions, ok := filter[field].(map[string]any)
		if !ok {
			conditions = map[string]any{}
			filter[field] = conditions
		}
		conditions[condition] = value
	}
	for _, flag := range []struct {
		name, text, takes string
		ok                func(string) bool
	}{
		{"month", f.month, "a month as YYYY-MM", isMonth}, {"year", f.year, "a year as YYYY", func(year string) bool { return isMonth(year + "-01") }},
		{"at-least", f.least, "an amount such as 412.28", isAmount}, {"at-most", f.most, "an amount such as 412.28", isAmount},
	} {
		if flag.text != "" && !flag.ok(flag.text) {
			return nil, usageError("--%s takes %s, not %q", flag.name, flag.takes, flag.text)
		}
	}
	for _, flag := range []struct{ text, field, condition string }{
		{f.account, "accountNumber", "eq"}, {f.company, "companyName", "contains"}, {f.month, "billingMonth", "eq"},
		{f.least, "totalAmount", "gte"}, {f.most, "totalAmount", "lte"}, {f.mark, "marks", "has"},
	} {
		if flag.text != "" {
			set(flag.field, flag.condition, flag.text)
		}
	}
	if f.year != "" {
		set("billingMonth", "gte", f.year+"-01")
		set("billingMonth", "lte", f.year+"-12")
	}
	for _, flag := range []struct {
		name, text, condition string
		days                  codex.Day
	}{{"archived-from", f.from, "gte", 0}, {"archived-to", f.to, "lt", 1}} {
		if flag.text == "" {
			continue
		}
		day, err := codex.ParseDay(flag.text)
		if err != nil {
			return nil, usageError("--%s takes a day as YYYY-MM-DD, not %q", flag.name, flag.text)
		}
		set("archivedAt", flag.condition, second((day + flag.days).Start()))
	}
	if f.text != "" {
		contains := func(field string) map[string]any { return map[string]any{field: map[string]any{"contains": f.text}} }
		filter["lines"] = map[string]any{"some": map[string]any{"or": []any{contains("itemName"), contains("description")}}}
	}
	return filter, nil
}

func isMonth(text string) bool {
	_, err := codex.ParsePeriod(text)
	return err == nil
}

func isAmount(text string) bool {
	_, err := scalar.UnmarshalCents(text)
	return err == nil
}

func (p *program) archiveSearchCommand() *cobra.Command {
	var wanted billFilter
	var first int
	var all, open, asJSON bool
	cmd := &cobra.Command{
		Use:   "search",
		Short: "Find archived bills",
		Long: "Lists archived bills, the newest archived first: of each the newest revision, unless that is\n" +
			"reopened. All that is said of them must hold.",
		Example: "  codex archive search --company acme --year 2025\n  codex archive search --line \"SRV-DC01\" --at-least 1000\n" +
			"  codex archive search --reopened",
		Args: exactly(),
	}
	wanted.flags(cmd)
	cmd.Flags().BoolVar(&open, "reopened", false, "those that are reopened and wait for their next revision")
	cmd.Flags().BoolVar(&all, "all", false, "all revisions")
	cmd.Flags().IntVar(&first, "first", 50, "at most so many, 1 to 1000")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	cmd.MarkFlagsMutuallyExclusive("reopened", "all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		filter, err := wanted.filter()
		if err != nil {
			return err
		}
		revisions := "CURRENT"
		switch {
		case open:
			revisions = "OPEN"
		case all:
			revisions = "ALL"
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var found struct {
				TotalCount int `json:"total"`
				Nodes      []*archivedBill
			}
			raw, err := hub.asked(cmd.Context(), `query($filter: SnapshotFilter, $revisions: SnapshotRevisions!, $first: Int) {
				answer: snapshots(filter: $filter, revisions: $revisions, first: $first) { total: totalCount nodes { `+billFields+` } } }`,
				map[string]any{"filter": filter, "revisions": revisions, "first": first}, &found)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printAnswer(raw)
			}
			table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			for _, bill := range found.Nodes {
				fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", printable(bill.InvoiceNumber), bill.Revision, bill.standing(),
					bill.BillingMonth, bill.TotalAmount, printable(bill.CompanyName), strings.Join(bill.Marks, ","))
			}
			if err := table.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "%d of %d\n", len(found.Nodes), found.TotalCount)
			return nil
		})
	}
	return cmd
}

func (p *program) archiveTotalsCommand() *cobra.Command {
	var wanted billFilter
	var by []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "totals",
		Short: "Add up archived bills",
		Long: "Adds up the bills that services are served, exactly: all of them, or by company, month, year or\n" +
			"plan.",
		Example: "  codex archive totals --by month\n  codex archive totals --by company,month --year 2025",
		Args:    exactly(),
	}
	wanted.flags(cmd)
	cmd.Flags().StringSliceVar(&by, "by", nil, "by what they are grouped: `company, month, year, plan`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print them as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		filter, err := wanted.filter()
		if err != nil {
			return err
		}
		words := map[string]string{"company": "COMPANY", "month": "BILLING_MONTH", "year": "YEAR", "plan": "BILLING_PLAN"}
		groupBy := []string{}
		for _, name := range by {
			word, ok := words[name]
			if !ok {
				return usageError("--by takes company, month, year and plan, not %q", name)
			}
			groupBy = append(groupBy, word)
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var groups []struct {
				AccountNumber *string `json:"account_number"`
				BillingMonth  *string `json:"billing_month"`
				Year          *int    `json:"year"`
				BillingPlan   *string `json:"billing_plan"`
				Count         int     `json:"count"`
				TotalAmount   string  `json:"total_amount"`
			}
			raw, err := hub.asked(cmd.Context(), `query($filter: SnapshotFilter, $by: [SnapshotGroupBy!]) {
				answer: snapshotTotals(filter: $filter, groupBy: $by) { account_number: accountNumber billing_month: billingMonth year
				billing_plan: billingPlan count total_amount: totalAmount } }`, map[string]any{"filter": filter, "by": groupBy}, &groups)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printAnswer(raw)
			}
			table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			for _, group := range groups {
				for _, name := range by {
					key := "-"
					switch {
					case name == "company" && group.AccountNumber != nil:
						key = *group.AccountNumber
					case name == "month" && group.BillingMonth != nil:
						key = *group.BillingMonth
					case name == "year" && group.Year != nil:
						key = fmt.Sprint(*group.Year)
					case name == "plan" && group.BillingPlan != nil:
						key = *group.BillingPlan
					}
					fmt.Fprintf(table, "%s\t", printable(key))
				}
				fmt.Fprintf(table, "%d\t%s\n", group.Count, group.TotalAmount)
			}
			return table.Flush()
		})
	}
	return cmd
}

// billRef is a bill as the command line names it: INVOICE, or INVOICE@REVISION. An invoice number may have
// an @ itself: it is followed by its revision then.
func billRef(text string) (map[string]any, error) {
	at := strings.LastIndexByte(text, '@')
	if at < 0 {
		return map[string]any{"invoiceNumber": text}, nil
	}
	revision, err := strconv.ParseInt(text[at+1:], 10, 32)
	if err != nil || revision < 1 {
		return nil, usageError("a bill is INVOICE or INVOICE@REVISION, not %q", text)
	}
	return map[string]any{"invoiceNumber": text[:at], "revision": revision}, nil
}

func (p *program) archiveDiffCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff INVOICE[@REVISION] INVOICE[@REVISION]",
		Short: "Compare two bills of a company, or two revisions of one",
		Long: "Tells what is different between two bills of a company, or two revisions of one: the bill's own\n" +
			"fields, and the lines that were added (+), removed (-) and changed (~).",
		Example: "  codex archive diff 620547-202510@1 620547-202510\n  codex archive diff 620547-202509 620547-202510",
		Args:    exactly("INVOICE", "INVOICE"),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		from, err := billRef(args[0])
		if err != nil {
			return err
		}
		to, err := billRef(args[1])
		if err != nil {
			return err
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			type line struct {
				ItemName string `json:"item_name"`
				Amount   string `json:"amount"`
			}
			var diff struct {
				Fields []struct {
					Field    string
					Old, New *string
				}
				Added, Removed []line
				Changed        []struct {
					Old, New   line
					Fields     []string
					Difference string `json:"amount_difference"`
				}
				Unchanged  int
				Documents  []string
				Difference string `json:"total_difference"`
			}
			raw, err := hub.asked(cmd.Context(), `query($from: SnapshotRef!, $to: SnapshotRef!) { answer: snapshotDiff(from: $from, to: $to) {
				fields { field old new } added `+billLineFields+` removed `+billLineFields+`
				changed { old `+billLineFields+` new `+billLineFields+` fields amount_difference: amountDifference }
				unchanged documents total_difference: totalDifference lines_difference: linesDifference } }`, map[string]any{"from": from, "to": to}, &diff)
			switch {
			case err != nil:
				return err
			case raw == nil:
				return codex.Errorf(codex.CodeNotFound, "one of the bills is not archived, or it is reopened: INVOICE@REVISION names a revision")
			case asJSON:
				return p.printAnswer(raw)
			}
			said := func(text *string) string {
				if text == nil {
					return "nothing"
				}
				return printable(*text)
			}
			for _, field := range diff.Fields {
				fmt.Fprintf(p.stdout, "%s: %s, then %s\n", field.Field, said(field.Old), said(field.New))
			}
			for _, line := range diff.Removed {
				fmt.Fprintf(p.stdout, "- %s: %s\n", printable(line.ItemName), line.Amount)
			}
			for _, line := range diff.Added {
				fmt.Fprintf(p.stdout, "+ %s: %s\n", printable(line.ItemName), line.Amount)
			}
			for _, change := range diff.Changed {
				fmt.Fprintf(p.stdout, "~ %s: %s, then %s (%s)\n", printable(change.New.ItemName), change.Old.Amount, change.New.Amount,
					strings.Join(change.Fields, ", "))
			}
			for _, name := range diff.Documents {
				fmt.Fprintf(p.stdout, "%s: not the same to the last letter\n", strings.ToLower(name))
			}
			fmt.Fprintf(p.stdout, "lines that are the same: %d; the total differs by %s\n", diff.Unchanged, diff.Difference)
			return nil
		})
	}
	return cmd
}

// archiveCorrectCommand is reopen or close.
func (p *program) archiveCorrectCommand(verb, short, long, example, mutation, done string) *cobra.Command {
	var reason string
	cmd := &cobra.Command{Use: verb + " INVOICE --reason TEXT", Short: short, Long: long, Example: example, Args: exactly("INVOICE")}
	cmd.Flags().StringVar(&reason, "reason", "", "`why`; it stands in the log for ever")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if strings.TrimSpace(reason) == "" {
			return usageError("%s needs --reason", cmd.CommandPath())
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var did struct{ Snapshot archivedBill }
			_, err := hub.asked(cmd.Context(), `mutation($invoice: ID!, $reason: String!) {
				answer: `+mutation+`(invoiceNumber: $invoice, reason: $reason) { snapshot { `+billFields+` } } }`,
				map[string]any{"invoice": args[0], "reason": reason}, &did)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, done+"\n", printable(did.Snapshot.InvoiceNumber), did.Snapshot.Revision)
			return nil
		})
	}
	return cmd
}

func (p *program) archiveReopenCommand() *cobra.Command {
	return p.archiveCorrectCommand("reopen", "Say that an archived bill is wrong, so that it can be billed again",
		"Says in the log that an archived bill is wrong. It stays as it is, but services no longer find it, and\n"+
			"the next bill with its number is its next revision.",
		"  codex archive reopen 620547-202510 --reason \"a server was forgotten\"", "reopenBill",
		"%s is reopened: the next bill of that number follows revision %d")
}

func (p *program) archiveCloseCommand() *cobra.Command {
	return p.archiveCorrectCommand("close", "Withdraw a reopening",
		"Withdraws a reopening: the bill stands as it was.",
		"  codex archive close 620547-202510 --reason \"it was right\"", "closeBill",
		"%s stands again with revision %d")
}
