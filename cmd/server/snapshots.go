package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/scheduler/jobs"
)

// snapshotFlags are the flags of codex snapshots.
type snapshotFlags struct {
	month    billMonth
	all      bool
	accounts []string
	dryRun   bool
	force    string
	json     bool
}

func (p *program) snapshotsCommand() *cobra.Command {
	var flags snapshotFlags
	cmd := &cobra.Command{
		Use:   "snapshots --year YEAR --month MONTH --all|--accounts NUMBERS",
		Short: "Ask Ledger for the bills of a month, and wait until they are archived",
		Long: "Asks Ledger for the bills of a month, company by company, and archives them. A bill that is there\n" +
			"already stays as it is. A running codex serve of the same instance does the work; where there is none\n" +
			"it is done here. Ctrl-C leaves the job to the serve.\n\n" +
			"--year and --month count only together; without them it is the month of the schedule (codex\n" +
			"schedule), as long as that is switched on. --all are all companies that were served at any time in\n" +
			"the month; with neither it nor --accounts it is for those of the schedule.\n\n" +
			"A dry run makes no job and asks Ledger for nothing. It tells company by company what would be asked\n" +
			"for, what is archived already and what codex review says.\n\n" +
			"Exit status: 0 every company has its bill, a dry run, or the schedule is off and no month was given;\n" +
			"1 a company has none, or it is not said which companies (also in a dry run).",
		Example: "  codex snapshots --year 2025 --month 10 --all --dry-run\n" +
			"  codex snapshots --year 2025 --month 10 --all\n" +
			"  codex snapshots --year 2025 --month 10 --accounts 620547,183729",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return needVerb(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.snapshots(cmd.Context(), flags)
		},
	}
	cmd.Flags().SortFlags = false
	flags.month.flags(cmd)
	cmd.Flags().BoolVar(&flags.all, "all", false, "all companies that were served at any time in the month")
	cmd.Flags().StringSliceVar(&flags.accounts, "accounts", nil, "the companies with these account `numbers`")
	cmd.Flags().BoolVar(&flags.dryRun, "dry-run", false, "tell what would be done, and do nothing")
	cmd.Flags().StringVar(&flags.force, "force", "", "ask for companies too that the review holds back: `why`")
	cmd.Flags().BoolVar(&flags.json, "json", false, "print one JSON object at the end")
	cmd.MarkFlagsMutuallyExclusive("all", "accounts")
	cmd.AddCommand(p.snapshotsListCommand(), p.snapshotsShowCommand(), p.snapshotsWatchCommand(), p.snapshotsRetryCommand(),
		p.snapshotsCancelCommand(), p.snapshotsForceCommand(), p.snapshotsRequestCommand())
	return cmd
}

// snapshots runs a job, or tells what one would do. What decides on the month and on the companies, and the
// exit status, is docs/compatibility.md, "Command line" of Archive.
func (p *program) snapshots(ctx context.Context, flags snapshotFlags) error {
	if flags.month.given() {
		if err := flags.month.inRange("codex snapshots"); err != nil {
			return err
		}
	}
	return p.withHub(ctx, func(hub *hub) error {
		schedule, err := hub.snapshotSchedule(ctx)
		if err != nil {
			return err
		}
		if !flags.month.given() && !schedule.Enabled {
			fmt.Fprintln(p.stdout, "the schedule of the monthly bills is switched off, and no month is given (--year and --month): there is nothing to do")
			return nil
		}
		variables := map[string]any{"year": flags.month.year, "month": flags.month.month, "dryRun": flags.dryRun}
		if !flags.month.given() {
			month := schedule.month(codex.PeriodOf(p.now()))
			variables["year"], variables["month"] = month.Year, int(month.Month)
		}
		accounts, err := flags.companies(schedule)
		if err != nil {
			return err
		}
		if accounts != nil {
			variables["accounts"] = accounts
		}
		if flags.force != "" {
			variables["force"] = flags.force
		}
		return p.runJob(ctx, hub, variables, flags)
	})
}

func (p *program) runJob(ctx context.Context, hub *hub, variables map[string]any, flags snapshotFlags) error {
	var answer struct {
		RunSnapshotJob struct {
			Job     *snapshotJob
			Preview *snapshotPreview
		}
	}
	err := hub.ask(ctx, `mutation($year: Int!, $month: Int!, $accounts: [ID!], $dryRun: Boolean!, $force: String) {
		runSnapshotJob(year: $year, month: $month, accountNumbers: $accounts, dryRun: $dryRun, force: $force) {
			job { `+jobFields+` } preview `+previewFields+` } }`, variables, &answer)
	if err != nil {
		return err
	}
	if preview := answer.RunSnapshotJob.Preview; preview != nil {
		preview.own()
		if flags.json {
			if err := p.printIndented(preview); err != nil {
				return err
			}
		} else {
			fmt.Fprint(p.stdout, preview.shown())
		}
		return preview.status()
	}
	return p.followJob(ctx, hub, answer.RunSnapshotJob.Job.own(), flags.json)
}

// followJob watches a job to its end, and gives its exit status as an error.
func (p *program) followJob(ctx context.Context, hub *hub, job *snapshotJob, asJSON bool) error {
	job, err := p.watchJob(ctx, hub, job, asJSON)
	if err != nil {
		return err
	}
	if asJSON {
		if err := p.printIndented(job); err != nil {
			return err
		}
	}
	return jobStatus(job)
}

// companies are the account numbers that are asked for; nil is all.
func (f snapshotFlags) companies(schedule *snapshotSchedule) ([]string, error) {
	switch {
	case f.all:
		return nil, nil
	case f.accounts != nil:
		var accounts []string
		for _, account := range f.accounts {
			if account = strings.TrimSpace(account); account != "" && !slices.Contains(accounts, account) {
				accounts = append(accounts, account)
			}
		}
		if accounts == nil {
			return nil, codex.Errorf(codex.CodeBadInput, "--accounts names no company")
		}
		return accounts, nil
	case schedule.AllCompanies:
		return nil, nil
	case len(schedule.AccountNumbers) > 0:
		return schedule.AccountNumbers, nil
	}
	return nil, codex.Errorf(codex.CodeBadInput, "say for which companies: --all, --accounts NUMBERS, or by codex schedule set --all")
}

// given tells whether a month was said: year and month count only together.
func (m *billMonth) given() bool { return m.year != 0 && m.month != 0 }

func (m *billMonth) inRange(verb string) error {
	if m.year < 1970 || m.year > 9999 || m.month < 1 || m.month > 12 {
		return usageError("%s takes a month such as --year 2025 --month 10", verb)
	}
	return nil
}

// snapshotPreview is what a job would do, as GraphQL has it, which is asked for the names that --json writes.
type snapshotPreview struct {
	Month string `json:"month"`
	Stale []struct {
		Feed      codex.Feed      `json:"feed"`
		Succeeded *time.Time      `json:"succeeded"`
		Newest    *codex.RunState `json:"newest"`
		Reason    *string         `json:"reason"`
	} `json:"stale"`
	FirstSeen bool                     `json:"first_seen"`
	Companies []snapshotPreviewCompany `json:"companies"`
}

type snapshotPreviewCompany struct {
	AccountNumber string      `json:"account_number"`
	Name          *string     `json:"name"`
	Action        jobs.Action `json:"action"`
	Reason        *string     `json:"reason"`
	InvoiceNumber *string     `json:"invoice_number"`
	Reopened      bool        `json:"reopened"`
	Review        *struct {
		Open  int          `json:"open"`
		Flags []reviewFlag `json:"flags"`
	} `json:"review"`
}

const previewFields = `{ month stale { feed succeeded newest reason } first_seen: firstSeen companies { account_number: accountNumber name action reason
	invoice_number: invoiceNumber reopened review { open flags ` + reviewFlagFields + ` } } }`

// own puts GraphQL's enums, the hub's words in capitals, back into small letters.
func (v *snapshotPreview) own() {
	for i := range v.Stale {
		s := &v.Stale[i]
		s.Feed = codex.Feed(strings.ToLower(string(s.Feed)))
		if s.Newest != nil {
			*s.Newest = codex.RunState(strings.ToLower(string(*s.Newest)))
		}
	}
	for i := range v.Companies {
		v.Companies[i].Action = jobs.Action(strings.ToLower(string(v.Companies[i].Action)))
	}
}

// status is the exit status of a dry run, as an error.
func (v *snapshotPreview) status() error {
	for _, c := range v.Companies {
		if c.Action == jobs.ActionUnknown {
			return &statusError{status: exitFailed}
		}
	}
	return nil
}

// shown is a dry run for people.
func (v *snapshotPreview) shown() string {
	var b strings.Builder
	counts := map[jobs.Action]int{}
	for _, c := range v.Companies {
		counts[c.Action]++
		b.WriteString(c.shown())
	}
	fmt.Fprintf(&b, "%s (dry run: nothing was asked for): %s, %d archived already", v.Month,
		counted(counts[jobs.ActionAsk], "bill would be asked for", "bills would be asked for"), counts[jobs.ActionAlready])
	if n := counts[jobs.ActionHold]; n > 0 {
		fmt.Fprintf(&b, ", %d held", n)
	}
	if n := counts[jobs.ActionUnknown]; n > 0 {
		fmt.Fprintf(&b, ", %d would fail", n)
	}
	b.WriteByte('\n')
	for _, s := range v.Stale {
		fmt.Fprintf(&b, "  %s has not succeeded since the month ended", s.Feed)
		if s.Reason != nil {
			fmt.Fprintf(&b, ": %s", printable(*s.Reason))
		}
		b.WriteByte('\n')
	}
	if v.FirstSeen {
		fmt.Fprintf(&b, "  the hub had seen no company when the month ended: these are those that it serves now\n")
	}
	return b.String()
}

func (c *snapshotPreviewCompany) shown() string {
	var b strings.Builder
	line := c.AccountNumber
	if c.Name != nil {
		line += " " + *c.Name
	}
	switch c.Action {
	case jobs.ActionAlready:
		line += ": " + textOf(c.InvoiceNumber) + " is archived already"
	case jobs.ActionHold:
		line += ": held, " + textOf(c.Reason)
	case jobs.ActionUnknown:
		line += ": would fail, " + textOf(c.Reason)
	default:
		line += ": would be asked for"
		if c.Reopened {
			line += ", since " + textOf(c.InvoiceNumber) + " is reopened"
		}
	}
	fmt.Fprintf(&b, "%s\n", printable(line))
	if c.Review == nil {
		return b.String()
	}
	for _, f := range c.Review.Flags {
		if f.Acknowledgement == nil {
			fmt.Fprintf(&b, "    %s\n", printable(fmt.Sprintf("%s %s:%s: %s", f.Kind, f.Item.Entity, f.Item.ID, f.Seen)))
		}
	}
	if n := len(c.Review.Flags) - c.Review.Open; n > 0 {
		fmt.Fprintf(&b, "    %d acknowledged\n", n)
	}
	return b.String()
}
