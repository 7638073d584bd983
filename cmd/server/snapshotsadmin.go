package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
)

func (p *program) snapshotsListCommand() *cobra.Command {
	var first int
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the jobs that asked for bills, newest first",
		Example: "  codex snapshots list\n  codex snapshots list --first 5 --json",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					SnapshotJobs struct {
						TotalCount int
						Nodes      []*snapshotJob
					}
				}
				err := hub.ask(cmd.Context(), `query($first: Int) { snapshotJobs(first: $first) { totalCount nodes { `+jobFields+` } } }`,
					map[string]any{"first": first}, &answer)
				if err != nil {
					return err
				}
				jobs := answer.SnapshotJobs.Nodes
				for _, job := range jobs {
					job.own()
				}
				if asJSON {
					return p.printIndented(jobs)
				}
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				for _, job := range jobs {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d/%d\t%s\n", job.ID, job.Month, second(job.StartedAt), job.stands(), job.Completed, job.Total, printable(job.TriggeredBy))
				}
				if err := table.Flush(); err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "%d of %d\n", len(jobs), answer.SnapshotJobs.TotalCount)
				return nil
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().IntVar(&first, "first", 50, "at most so many, 1 to 1000")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON array")
	return cmd
}

// stands is a job's state for people, in a word or two.
func (j *snapshotJob) stands() string {
	switch {
	case j.State != codex.JobCompleted:
		return string(j.State)
	case j.well():
		return "complete"
	}
	return "not complete"
}

func (p *program) snapshotsShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show JOB",
		Short:   "Tell how a job goes, or went, company by company",
		Example: "  codex snapshots show 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11\n  codex snapshots show 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11 --json",
		Args:    exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				job, err := hub.job(cmd.Context(), codex.RunID(args[0]), allCompanies()...)
				switch {
				case err != nil:
					return err
				case asJSON:
					return p.printIndented(job)
				}
				fmt.Fprint(p.stdout, job.detailed())
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// detailed is a job for people, with its companies.
func (j *snapshotJob) detailed() string {
	var b strings.Builder
	b.WriteString(j.summary())
	fmt.Fprintf(&b, "  %s, asked for by %s at %s", j.JobType, printable(j.TriggeredBy), second(j.StartedAt))
	if j.DueAt != nil {
		fmt.Fprintf(&b, ", due at %s", second(*j.DueAt))
	}
	if j.CompletedAt != nil {
		fmt.Fprintf(&b, ", ended at %s", second(*j.CompletedAt))
	}
	if j.Round > 1 {
		fmt.Fprintf(&b, ", round %d", j.Round)
	}
	b.WriteByte('\n')
	if j.ForcedBy != nil {
		fmt.Fprintf(&b, "  forced by %s: %s\n", printable(*j.ForcedBy), printable(textOf(j.ForceReason)))
	}
	if j.CancelRequestedBy != nil {
		fmt.Fprintf(&b, "  cancelled by %s\n", printable(*j.CancelRequestedBy))
	}
	for _, c := range j.Companies {
		b.WriteString(c.shown())
	}
	return b.String()
}

func (p *program) snapshotsWatchCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "watch JOB",
		Short: "Watch a job to its end",
		Long: "Watches a job to its end. Where no codex serve is running, and the process is gone that worked on it,\n" +
			"it is gone on with here.\n\n" +
			"Exit status: 0 every company has its bill, 1 a company has none.",
		Example: "  codex snapshots watch 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11",
		Args:    exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				job, err := hub.job(cmd.Context(), codex.RunID(args[0]))
				if err != nil {
					return err
				}
				return p.followJob(cmd.Context(), hub, job, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object at the end")
	return cmd
}

func (p *program) snapshotsRetryCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "retry JOB",
		Short: "Ask again for those of a job's companies that have no bill",
		Long: "Takes a job up again that has ended, for those of its companies that have no bill, and watches it to\n" +
			"its end.\n\n" +
			"Exit status: 0 every company has its bill, 1 a company has none.",
		Example: "  codex snapshots retry 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11",
		Args:    exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				job, err := hub.changeJob(cmd.Context(), `mutation($id: ID!) { did: retrySnapshotJob(id: $id) { job { `+jobFields+` } } }`,
					map[string]any{"id": args[0]})
				if err != nil {
					return err
				}
				return p.followJob(cmd.Context(), hub, job, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object at the end")
	return cmd
}

func (p *program) snapshotsCancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "cancel JOB",
		Short:   "Stop a job",
		Long:    "Stops a job between two companies, whichever process works on it. Bills that were made stay.",
		Example: "  codex snapshots cancel 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11",
		Args:    exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				job, err := hub.changeJob(cmd.Context(), `mutation($id: ID!) { did: cancelSnapshotJob(id: $id) { job { `+jobFields+` } } }`,
					map[string]any{"id": args[0]})
				if err != nil {
					return err
				}
				if job.State.Final() {
					fmt.Fprintf(p.stdout, "%s: job %s is %s\n", job.Month, job.ID, job.State)
				} else {
					fmt.Fprintf(p.stdout, "%s: job %s stops\n", job.Month, job.ID)
				}
				return nil
			})
		},
	}
}

func (p *program) snapshotsForceCommand() *cobra.Command {
	var reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "force JOB --reason TEXT",
		Short: "Have a blocked job go on with what there is",
		Long: "Has a job go on that is blocked because a feed has not succeeded since the month ended, and watches\n" +
			"it to its end. Who forced it, and why, is kept with the job.\n\n" +
			"Exit status: 0 every company has its bill, 1 a company has none.",
		Example: "  codex snapshots force 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11 --reason \"Datto is down for days, nothing changed there\"",
		Args:    exactly("JOB"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(reason) == "" {
				return usageError("codex snapshots force needs --reason: it is kept with the job")
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				job, err := hub.changeJob(cmd.Context(), `mutation($id: ID!, $reason: String!) { did: forceSnapshotJob(id: $id, reason: $reason) { job { `+jobFields+` } } }`,
					map[string]any{"id": args[0], "reason": reason})
				if err != nil {
					return err
				}
				return p.followJob(cmd.Context(), hub, job, asJSON)
			})
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&reason, "reason", "", "`why`: a text for those who ask later")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object at the end")
	return cmd
}

func (p *program) snapshotsRequestCommand() *cobra.Command {
	var month billMonth
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "request NUMBER --year YEAR --month MONTH",
		Short: "Ask Ledger for one bill",
		Long: "Asks Ledger for the bill of one company, and waits until it is archived.\n\n" +
			"Exit status: 0 the bill is archived, 1 it is not.",
		Example: "  codex snapshots request 620547 --year 2025 --month 10",
		Args:    exactly("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := month.check(cmd); err != nil {
				return err
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				job, err := hub.changeJob(cmd.Context(), `mutation($account: ID!, $year: Int!, $month: Int!) {
					did: requestBill(accountNumber: $account, year: $year, month: $month) { job { `+jobFields+` } } }`,
					map[string]any{"account": args[0], "year": month.year, "month": month.month})
				if err != nil {
					return err
				}
				return p.followJob(cmd.Context(), hub, job, asJSON)
			})
		},
	}
	cmd.Flags().SortFlags = false
	month.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object at the end")
	return cmd
}
