package main

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
)

// snapshotSchedule is when the bills of a month are asked for, as GraphQL has it, which is asked for the
// names that --json writes.
type snapshotSchedule struct {
	Enabled        bool       `json:"enabled"`
	DayOfMonth     int        `json:"day_of_month"`
	Hour           int        `json:"hour"`
	PreviousMonth  bool       `json:"snapshot_previous_month"`
	AllCompanies   bool       `json:"snapshot_all_companies"`
	AccountNumbers []string   `json:"account_numbers"`
	LastRunAt      *time.Time `json:"last_run_at"`
	LastRunStatus  *string    `json:"last_run_status"`
	LastRunCount   *int       `json:"last_run_count"`
}

const snapshotScheduleFields = `{ enabled day_of_month: dayOfMonth hour snapshot_previous_month: snapshotPreviousMonth
	snapshot_all_companies: snapshotAllCompanies account_numbers: accountNumbers
	last_run_at: lastRunAt last_run_status: lastRunStatus last_run_count: lastRunCount }`

// month is the month whose bills the schedule asks for in the month now.
func (s *snapshotSchedule) month(now codex.Period) codex.Period {
	if s.PreviousMonth {
		return codex.PeriodOf(now.Start().AddDate(0, 0, -1))
	}
	return now
}

func (h *hub) snapshotSchedule(ctx context.Context) (*snapshotSchedule, error) {
	var answer struct{ SnapshotSchedule *snapshotSchedule }
	err := h.ask(ctx, `{ snapshotSchedule `+snapshotScheduleFields+` }`, nil, &answer)
	if err == nil && answer.SnapshotSchedule == nil {
		err = codex.Errorf(codex.CodeNotFound, "the schedule of the monthly bills is not configured: codex schedule set")
	}
	return answer.SnapshotSchedule, err
}

// shownSchedule is a schedule as codex schedule shows it.
type shownSchedule struct {
	Name    string     `json:"name"`
	Enabled bool       `json:"enabled"`
	Off     *string    `json:"off"`
	Rule    string     `json:"rule"`
	NextDue *time.Time `json:"next_due"`
	LastDue *time.Time `json:"last_due"`
	LastRun *struct {
		ID    codex.RunID    `json:"id"`
		State codex.RunState `json:"state"`
	} `json:"last_run"`
	LastJob *struct {
		ID      codex.RunID    `json:"id"`
		State   codex.JobState `json:"state"`
		Success *bool          `json:"success"`
	} `json:"last_job"`
}

type missedMonth struct {
	Month string    `json:"month"`
	DueAt time.Time `json:"due_at"`
}

func (p *program) scheduleCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "schedule",
		Short: "Tell when syncs and the monthly bills are due, and how they went last",
		Long: "Tells of each sync and of the monthly bills when they are due next, and how they went last; then the\n" +
			"months whose bills were missed and take a person. When syncs are due stands in the configuration\n" +
			"([scheduler]); codex schedule set changes when the bills are.",
		Example: "  codex schedule\n  codex schedule set --day 1 --hour 2 --previous-month\n  codex schedule dismiss --year 2025 --month 7 --note \"billed by hand\"",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return needVerb(cmd, args)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					Schedules []shownSchedule `json:"schedules"`
					Missed    []missedMonth   `json:"missed_months"`
				}
				err := hub.ask(cmd.Context(), `{ schedules { name enabled off rule next_due: nextDue last_due: lastDue last_run: lastRun { id state } last_job: lastJob { id state success } }
					missed_months: missedMonths { month: billingMonth due_at: dueAt } }`, nil, &answer)
				if err != nil {
					return err
				}
				for i := range answer.Schedules {
					answer.Schedules[i].own()
				}
				if asJSON {
					return p.printIndented(answer)
				}
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				for _, s := range answer.Schedules {
					fmt.Fprintln(table, printable(s.Name)+"\t"+s.stands())
				}
				if err := table.Flush(); err != nil {
					return err
				}
				for _, m := range answer.Missed {
					fmt.Fprintf(p.stdout, "missed: the bills of %s, due at %s\n", m.Month, second(m.DueAt))
				}
				if len(answer.Missed) > 0 {
					fmt.Fprintln(p.stdout, "  codex snapshots --year YEAR --month MONTH --all asks for them, from today's machines; codex schedule dismiss lets them be")
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.AddCommand(p.scheduleSetCommand(), p.scheduleDismissCommand())
	return cmd
}

// own puts GraphQL's enums, the hub's words in capitals, back into small letters.
func (s *shownSchedule) own() {
	s.Name = strings.ToLower(s.Name)
	if s.LastRun != nil {
		s.LastRun.State = codex.RunState(strings.ToLower(string(s.LastRun.State)))
	}
	if s.LastJob != nil {
		s.LastJob.State = codex.JobState(strings.ToLower(string(s.LastJob.State)))
	}
}

// stands is when a schedule is due and how it went last, in the columns of a table.
func (s *shownSchedule) stands() string {
	var b strings.Builder
	if s.Off != nil {
		fmt.Fprintf(&b, "off: %s\t", printable(*s.Off))
	} else {
		fmt.Fprintf(&b, "%s\t", printable(s.Rule))
	}
	moment := func(what string, at *time.Time) {
		if at != nil {
			fmt.Fprintf(&b, "%s %s", what, second(*at))
		}
		b.WriteByte('\t')
	}
	moment("next", s.NextDue)
	moment("last", s.LastDue)
	switch {
	case s.LastRun != nil:
		b.WriteString(string(s.LastRun.State))
	case s.LastJob != nil && s.LastJob.State == codex.JobCompleted && (s.LastJob.Success == nil || !*s.LastJob.Success):
		b.WriteString("completed, but not every company has its bill: codex snapshots show " + string(s.LastJob.ID))
	case s.LastJob != nil:
		b.WriteString(string(s.LastJob.State))
	}
	return b.String()
}

func (p *program) scheduleSetCommand() *cobra.Command {
	var enabled, previous, all bool
	var day, hour int
	var accounts []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "set",
		Short: "Change when the monthly bills are asked for, and for whom",
		Long: "Changes when the monthly bills are asked for by themselves, and for which companies; at once, and in\n" +
			"all replicas. What is not given stays. A day that a month does not have is its last one; nothing is\n" +
			"asked for before 00:00 UTC of the 1st, since a billing month is a month of UTC.",
		Example: "  codex schedule set --day 1 --hour 2\n  codex schedule set --enabled=false\n  codex schedule set --accounts 620547,183729\n  codex schedule set --all",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			input := map[string]any{}
			for flag, value := range map[string]struct {
				field string
				value any
			}{
				"enabled": {"enabled", enabled}, "day": {"dayOfMonth", day}, "hour": {"hour", hour},
				"previous-month": {"snapshotPreviousMonth", previous}, "all": {"snapshotAllCompanies", all}, "accounts": {"accountNumbers", accounts},
			} {
				if cmd.Flags().Changed(flag) {
					input[value.field] = value.value
				}
			}
			if len(input) == 0 {
				return usageError("%s needs --enabled, --day, --hour, --previous-month, --all or --accounts", cmd.CommandPath())
			}
			if accounts != nil {
				input["snapshotAllCompanies"] = false
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					UpdateSnapshotSchedule struct{ Schedule *snapshotSchedule }
				}
				err := hub.ask(cmd.Context(), `mutation($input: UpdateSnapshotScheduleInput!) { updateSnapshotSchedule(input: $input) { schedule `+snapshotScheduleFields+` } }`,
					map[string]any{"input": input}, &answer)
				switch {
				case err != nil:
					return err
				case asJSON:
					return p.printIndented(answer.UpdateSnapshotSchedule.Schedule)
				}
				fmt.Fprintln(p.stdout, answer.UpdateSnapshotSchedule.Schedule.shown())
				return nil
			})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&enabled, "enabled", true, "ask for them by themselves")
	flags.IntVar(&day, "day", 1, "the `day` of the month, 1 to 31")
	flags.IntVar(&hour, "hour", 2, "the `hour` of that day, 0 to 23, in [scheduler] timezone")
	flags.BoolVar(&previous, "previous-month", true, "the bills of the month before, else of the month that it is then")
	flags.BoolVar(&all, "all", true, "for all companies that were served at any time in the month")
	flags.StringSliceVar(&accounts, "accounts", nil, "for the companies with these account `numbers`")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.MarkFlagsMutuallyExclusive("all", "accounts")
	return cmd
}

// shown is the schedule of the bills for people, in a line.
func (s *snapshotSchedule) shown() string {
	if !s.Enabled {
		return "the monthly bills are not asked for by themselves"
	}
	month, companies := "of that month", "of all companies"
	if s.PreviousMonth {
		month = "of the month before"
	}
	if !s.AllCompanies {
		companies = "of " + strings.Join(s.AccountNumbers, ", ")
	}
	return printable(fmt.Sprintf("the bills %s are asked for on day %d at %02d:00, %s", month, s.DayOfMonth, s.Hour, companies))
}

func (p *program) scheduleDismissCommand() *cobra.Command {
	var month billMonth
	var note string
	cmd := &cobra.Command{
		Use:     "dismiss --year YEAR --month MONTH --note TEXT",
		Short:   "Take a month off the list of those whose bills were missed",
		Long:    "Takes a month off the list of those whose bills were missed, without asking for them. Who did so, and\nwhy, is kept.",
		Example: "  codex schedule dismiss --year 2025 --month 7 --note \"billed by hand\"",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := month.check(cmd); err != nil {
				return err
			}
			if strings.TrimSpace(note) == "" {
				return usageError("%s needs --note: it is kept with the month", cmd.CommandPath())
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					DismissMissedMonth struct{ Month struct{ BillingMonth string } }
				}
				err := hub.ask(cmd.Context(), `mutation($year: Int!, $month: Int!, $note: String!) { dismissMissedMonth(year: $year, month: $month, note: $note) { month { billingMonth } } }`,
					map[string]any{"year": month.year, "month": month.month, "note": note}, &answer)
				if err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "%s is no longer listed as missed\n", answer.DismissMissedMonth.Month.BillingMonth)
				return nil
			})
		},
	}
	cmd.Flags().SortFlags = false
	month.flags(cmd)
	cmd.Flags().StringVar(&note, "note", "", "`why` it needs no bills")
	return cmd
}
