package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
)

// logStatus is how the log of archived bills stands. --json writes the tags.
type logStatus struct {
	Stop *struct {
		Reason  string `json:"reason"`
		Message string `json:"message"`
	} `json:"stop"`
	Signed struct {
		Nodes []struct {
			Epoch    int    `json:"epoch"`
			Size     int    `json:"size"`
			SignedAt string `json:"signed_at"`
		} `json:"nodes"`
	} `json:"signed"`
	Epochs []struct {
		Epoch     int    `json:"epoch"`
		LeafIndex int    `json:"leaf_index"`
		Reason    string `json:"reason"`
		OpenedBy  string `json:"opened_by"`
		OpenedAt  string `json:"opened_at"`
	} `json:"epochs"`
}

func (p *program) archiveStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell whether bills are archived and signed now, and which epochs the log has had",
		Long: "Tells how far the log is signed, in which epochs it went on from an older backup, and whether\n" +
			"anything keeps the hub from archiving or signing now, which is a failure.",
		Example: "  codex archive status",
		Args:    exactly(),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var status logStatus
			err := hub.ask(cmd.Context(), `{ stop: logStop { reason message }
				signed: logCheckpoints(first: 1) { nodes { epoch size signed_at: signedAt } }
				epochs: logEpochs { epoch leaf_index: leafIndex reason opened_by: openedBy opened_at: openedAt } }`, nil, &status)
			if err != nil {
				return err
			}
			if asJSON {
				err = p.printIndented(status)
			} else {
				status.print(p.stdout)
			}
			if err == nil && status.Stop != nil {
				err = codex.Errorf(codex.CodeUnavailable, "%s", status.Stop.Message)
			}
			return err
		})
	}
	return cmd
}

func (s *logStatus) print(w io.Writer) {
	if len(s.Signed.Nodes) == 0 {
		fmt.Fprintln(w, "nothing is signed")
	}
	for _, last := range s.Signed.Nodes {
		fmt.Fprintf(w, "signed %s: %d leaves, epoch %d\n", last.SignedAt, last.Size, last.Epoch)
	}
	for _, epoch := range s.Epochs {
		fmt.Fprintf(w, "epoch %d began %s with leaf %d, by %s: %s\n", epoch.Epoch, epoch.OpenedAt, epoch.LeafIndex,
			printable(epoch.OpenedBy), printable(epoch.Reason))
	}
	if s.Stop == nil {
		fmt.Fprintln(w, "bills are archived and signed")
	}
}
