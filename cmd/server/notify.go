package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
)

func (p *program) notifyCommand() *cobra.Command {
	return group("notify", "Tell people what needs them", "  codex notify test", p.notifyTestCommand())
}

func (p *program) notifyTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test",
		Short: "Send a test event to the webhook of [notify]",
		Long: "Sends an event of the kind test to [notify] url at once, signed as all are, and says what came back. It is\n" +
			"not tried again.\n\n" +
			"Exit status: 0 the webhook answered 2xx, 1 it did not, or there is no section [notify].",
		Example: "  codex notify test",
		Args:    exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withHub(cmd.Context(), func(hub *hub) error {
				var answer struct {
					TestNotification struct {
						ID        string
						Delivered bool
						Message   string
					}
				}
				err := hub.ask(cmd.Context(), "mutation { testNotification { id delivered message } }", nil, &answer)
				if err != nil {
					return err
				}
				got := answer.TestNotification
				if !got.Delivered {
					return codex.Errorf(codex.CodeUnavailable, "the webhook did not take the event %s: %s", got.ID, printable(got.Message))
				}
				fmt.Fprintf(p.stdout, "the webhook took the event %s: %s\n", got.ID, printable(got.Message))
				return nil
			})
		},
	}
}
