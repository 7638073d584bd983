package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
)

func (p *program) approveCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "approve RUN --reason TEXT",
		Short: "Let the removals go that a run holds",
		Long: "Approves the removals, and moves to another company, that a held run holds back: those very\n" +
			"records and no others. The next run of the feed makes those of them that still are, and holds\n" +
			"whatever is new beyond the guard. Who approved them, and why, is kept on the run. A run that has\n" +
			"looked since, and holds removals or none, takes this one's place: approve that.\n\n" +
			"Prints the removals that were approved. codex sync show RUN prints them without approving.",
		Example: "  codex sync approve 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11 --reason \"Contoso left, ticket 4711\"",
		Args:    exactly("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return usageError("codex sync approve needs --reason: it is kept with the removals")
			}
			return p.withHub(cmd.Context(), func(hub *hub) error {
				return p.approve(cmd.Context(), hub, codex.RunID(args[0]), reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why they are right: a `text` for those who ask later")
	return cmd
}

func (p *program) approve(ctx context.Context, hub *hub, id codex.RunID, reason string) error {
	var answer struct{ ApproveRemovals struct{ Run syncRun } }
	err := hub.ask(ctx, `mutation($run: ID!, $reason: String!) { approveRemovals(run: $run, reason: $reason) { run `+runFields+` } }`,
		map[string]any{"run": id, "reason": reason}, &answer)
	if err != nil {
		return err
	}
	run := answer.ApproveRemovals.Run.own()
	held, err := hub.held(ctx, run.ID)
	if err != nil {
		return fmt.Errorf("they are approved, but cannot be listed: %w", err)
	}
	for i := range held {
		held[i].Kind = kindWillGo
	}
	fmt.Fprintf(p.stdout, "%s: %d removals of run %s are approved. The next run makes those that still are:\n%s",
		run.Feed, len(held), run.ID, listed(held))
	return nil
}

func (p *program) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel RUN",
		Short: "Stop a run",
		Long: "Stops a run: one that waits at once, one that works within seconds, whichever process works on\n" +
			"it. What it has written stays, and nothing is half done; the next run of tickets goes on behind\n" +
			"the last batch.",
		Example: "  codex sync cancel 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11",
		Args:    exactly("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct{ CancelSync struct{ Run syncRun } }
				err := hub.ask(cmd.Context(), `mutation($run: ID!) { cancelSync(run: $run) { run `+runFields+` } }`,
					map[string]any{"run": args[0]}, &answer)
				if err != nil {
					return err
				}
				run := answer.CancelSync.Run.own()
				if run.State.Final() {
					fmt.Fprintf(p.stdout, "%s: run %s is %s\n", run.Feed, run.ID, run.State)
				} else {
					fmt.Fprintf(p.stdout, "%s: run %s stops\n", run.Feed, run.ID)
				}
				return nil
			})
		},
	}
}

func (p *program) showCommand() *cobra.Command {
	var asJSON, output bool
	cmd := &cobra.Command{
		Use:   "show RUN",
		Short: "Tell how a run went, what it changed and what it holds",
		Long: "Tells who asked for a run and how it went, or how it goes, with its counts and its reason, then each\n" +
			"change: of a dry run what it would have changed, of another what it did change and what it holds\n" +
			"back. Of a run that wrote, that is what the history keeps. At last come the lines that it said, the\n" +
			"last ones where there are many: --output prints all of them.",
		Example: "  codex sync show 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11\n" +
			"  codex sync show 5b0c2f6e-8d8a-4c52-9d0e-0a1f6a3f7c11 --json",
		Args: exactly("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				return p.show(cmd.Context(), hub, codex.RunID(args[0]), asJSON, output)
			})
		},
	}
	cmd.Flags().BoolVar(&output, "output", false, "print all lines that the run said")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func (p *program) show(ctx context.Context, hub *hub, id codex.RunID, asJSON, output bool) error {
	run, err := hub.detailed(ctx, id)
	if err != nil {
		return err
	}
	if run.Changes, err = hub.changes(ctx, id); err != nil {
		return err
	}
	if !run.DryRun { // its plan has what it would hold
		held, err := hub.held(ctx, id)
		if err != nil {
			return err
		}
		run.Changes = append(run.Changes, held...)
	}
	if asJSON {
		fmt.Fprintf(p.stdout, "%s\n", object(runJSON(run), run.detailJSON()))
	} else {
		fmt.Fprint(p.stdout, shown(run), listed(run.Changes), said(run, output))
	}
	return nil
}
