package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/proof"
)

func (p *program) archiveCommand() *cobra.Command {
	return group("archive", "Prove and verify archived bills, and look after their log",
		"  codex archive show 620547-202510\n  codex archive search --company acme --year 2025\n  codex archive proof 620547-202510 --enclose csv -o bill.tlog-proof\n  codex archive checkpoint -o kept.checkpoint\n"+
			"  codex archive key > log.vkey\n  codex archive verify",
		p.archiveAcceptCommand(), p.archiveShowCommand(), p.archiveSearchCommand(), p.archiveTotalsCommand(), p.archiveDiffCommand(), p.archiveReopenCommand(), p.archiveCloseCommand(), p.archiveRefetchCommand(),
		p.archiveProofCommand(), p.archiveCheckpointCommand(), p.archiveConsistencyCommand(), p.archiveKeyCommand(), p.archiveVerifyCommand(), p.archiveStatusCommand(), p.archiveEpochCommand())
}

// outputFlag is where a verb writes what it was asked for.
func outputFlag(cmd *cobra.Command) *string {
	return cmd.Flags().StringP("output", "o", "", "write it to a `file`, and not to standard output")
}

// What an exported file is for: a proof may hold a bill's contents, and is for who asked for it; the
// others are for everybody.
const (
	forOwner    fs.FileMode = 0o600
	forEveryone fs.FileMode = 0o644
)

// deliver writes text to a file, or to standard output where none is named. A file is written beside
// and gets its name when it is whole: one that is there is evidence, too.
func (p *program) deliver(text, file string, mode fs.FileMode) (err error) {
	if file == "" {
		_, err := fmt.Fprint(p.stdout, text)
		return err
	}
	path := p.path(file)
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // a pipe, or a terminal
		return os.WriteFile(path, []byte(text), mode)
	}
	beside, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // made with 0600
	if err != nil {
		return err
	}
	_, err = beside.WriteString(text)
	if err == nil {
		err = beside.Chmod(mode)
	}
	if err == nil {
		err = beside.Sync()
	}
	if err = errors.Join(err, beside.Close()); err == nil {
		err = os.Rename(beside.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(beside.Name()))
	}
	return nil
}

func (p *program) archiveProofCommand() *cobra.Command {
	var revision int
	var enclose []string
	cmd := &cobra.Command{
		Use:   "proof INVOICE",
		Short: "Export the proof that a bill stands in the log",
		Long: "Writes the proof that a bill stands in the log as it was archived: a C2SP tlog-proof, which\n" +
			"docs/archive.md tells how to check without the hub. It holds the leaf with the bill's amounts; the\n" +
			"contents that the leaf commits to (" + strings.Join(contentWords(), ", ") + ") are in it where\n" +
			"--enclose names them.",
		Example: "  codex archive proof 620547-202510 -o bill.tlog-proof\n" +
			"  codex archive proof 620547-202510 --revision 1 --enclose csv,line_items -o bill.tlog-proof",
		Args: exactly("INVOICE"),
	}
	output := outputFlag(cmd)
	cmd.Flags().SortFlags = false
	cmd.Flags().IntVar(&revision, "revision", 0, "which `revision` of the bill, from 1 (default: the newest)")
	cmd.Flags().StringSliceVar(&enclose, "enclose", nil, "the `contents` that are to be in it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		variables := map[string]any{"invoice": args[0]}
		if cmd.Flags().Changed("revision") {
			variables["revision"] = revision
		}
		words := []string{}
		for _, name := range enclose {
			if !slices.Contains(contentWords(), name) {
				return usageError("--enclose takes %s, not %q", strings.Join(contentWords(), ", "), name)
			}
			words = append(words, strings.ToUpper(name))
		}
		variables["enclose"] = words
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var answer struct{ SnapshotProof *struct{ File string } }
			err := hub.ask(cmd.Context(), `query($invoice: ID!, $revision: Int, $enclose: [BillContent!]) {
				snapshotProof(invoiceNumber: $invoice, revision: $revision, enclose: $enclose) { file } }`, variables, &answer)
			if err != nil {
				return err
			}
			if answer.SnapshotProof == nil {
				return codex.Errorf(codex.CodeNotFound, "no bill %s is archived, or it is reopened: --revision names one of its revisions", args[0])
			}
			return p.deliver(answer.SnapshotProof.File, *output, forOwner)
		})
	}
	return cmd
}

func contentWords() []string {
	words := make([]string, len(proof.Contents()))
	for i, name := range proof.Contents() {
		words[i] = string(name)
	}
	return words
}

func (p *program) archiveCheckpointCommand() *cobra.Command {
	var publish bool
	cmd := &cobra.Command{
		Use:   "checkpoint",
		Short: "Print the newest signed log checkpoint",
		Long: "Prints the newest log checkpoint, a C2SP tlog-checkpoint signed with the log's key. Who keeps it\n" +
			"where the database's owner cannot change it can tell later whether anything in the log has changed.",
		Example: "  codex archive checkpoint -o kept.checkpoint\n  codex archive checkpoint --publish",
		Args:    exactly(),
	}
	output := outputFlag(cmd)
	cmd.Flags().BoolVar(&publish, "publish", false, "also take it to where [archive] publish says")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return p.withHub(cmd.Context(), func(hub *hub) error {
			note, err := hub.logCheckpoint(cmd.Context(), publish)
			if err != nil {
				return err
			}
			return p.deliver(note, *output, forEveryone)
		})
	}
	return cmd
}

func (h *hub) logCheckpoint(ctx context.Context, publish bool) (string, error) {
	type checkpoint struct{ Note string }
	if publish {
		var answer struct {
			PublishCheckpoint struct{ Checkpoint checkpoint }
		}
		err := h.ask(ctx, `mutation { publishCheckpoint { checkpoint { note } } }`, nil, &answer)
		return answer.PublishCheckpoint.Checkpoint.Note, err
	}
	var answer struct{ LogCheckpoint checkpoint }
	err := h.ask(ctx, `{ logCheckpoint { note } }`, nil, &answer)
	return answer.LogCheckpoint.Note, err
}

func (p *program) archiveConsistencyCommand() *cobra.Command {
	var check, against, key string
	cmd := &cobra.Command{
		Use:   "consistency SIZE",
		Short: "Export, or check, the proof that the log only grew since it had so many leaves",
		Long: "Writes the proof that the newest log checkpoint's tree begins with that of SIZE leaves, which is the\n" +
			"second line of a log checkpoint: the body of a C2SP add-checkpoint request.\n\n" +
			"With --check it checks such a proof instead, without any database or instance: that the log still had\n" +
			"all that it had at the log checkpoint of --against when the proof was exported.",
		Example: "  codex archive consistency \"$(sed -n 2p kept.checkpoint)\" -o grown.consistency\n" +
			"  codex archive consistency --check grown.consistency --against kept.checkpoint --key log.vkey",
	}
	output := outputFlag(cmd)
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&check, "check", "", "check this proof, a `file`")
	cmd.Flags().StringVar(&against, "against", "", "with --check: the older signed log checkpoint, a `file`")
	cmd.Flags().StringVar(&key, "key", "", "with --check: the log's verifier key, a `file`")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check != "" {
			return exactly()(cmd, args)
		}
		return exactly("SIZE")(cmd, args)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if check != "" {
			if against == "" || key == "" {
				return usageError("--check needs --against and --key")
			}
			return p.checkConsistency(check, against, key)
		}
		from, err := strconv.ParseInt(args[0], 10, 32)
		if err != nil || from < 0 {
			return usageError("SIZE is a number of leaves, not %q", args[0])
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var answer struct{ LogConsistency struct{ File string } }
			if err := hub.ask(cmd.Context(), `query($from: Int!) { logConsistency(from: $from) { file } }`, map[string]any{"from": from}, &answer); err != nil {
				return err
			}
			return p.deliver(answer.LogConsistency.File, *output, forEveryone)
		})
	}
	return cmd
}

// checkConsistency checks a proof of consistency offline.
func (p *program) checkConsistency(file, against, keyFile string) error {
	key, err := p.readKey(keyFile)
	if err != nil {
		return err
	}
	grown, err := os.ReadFile(p.path(file))
	if err != nil {
		return err
	}
	older, err := os.ReadFile(p.path(against))
	if err != nil {
		return err
	}
	from, to, err := proof.VerifyConsistency(older, grown, key)
	if err != nil {
		return notAsLogged("%s does not prove it: %w", file, err)
	}
	fmt.Fprintf(p.stdout, "%s: the log of %d leaves begins with the %d of %s\n", file, to.Size, from.Size, against)
	return nil
}

func (p *program) archiveKeyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Print the key that log checkpoints are verified with",
		Long: "Prints the log's verifier key, which is for everybody. The key that signs stays in the file that\n" +
			"[archive] key_file names.",
		Example: "  codex archive key -o log.vkey",
		Args:    exactly(),
	}
	output := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var answer struct{ LogKey struct{ VerifierKey string } }
			if err := hub.ask(cmd.Context(), `{ logKey { verifierKey } }`, nil, &answer); err != nil {
				return err
			}
			return p.deliver(answer.LogKey.VerifierKey+"\n", *output, forEveryone)
		})
	}
	return cmd
}

func (p *program) archiveEpochCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "new-epoch --reason TEXT",
		Short: "Let the log go on from an older backup of the database",
		Long: "Lets the log go on from a database that came back from an older backup: its next leaf names the log\n" +
			"checkpoint that was lost, and why, for ever. Try to bring the newest database back first. Where\n" +
			"nothing is lost it is refused.",
		Example: "  codex archive new-epoch --reason \"the disk broke, the backup of Sunday was restored\"",
		Args:    exactly(),
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`why`; it stands in the log for ever")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if strings.TrimSpace(reason) == "" {
			return usageError("codex archive new-epoch needs --reason")
		}
		return p.withHub(cmd.Context(), func(hub *hub) error {
			var answer struct {
				OpenEpoch struct {
					Epoch struct{ Epoch, LeafIndex int }
				}
			}
			err := hub.ask(cmd.Context(), `mutation($reason: String!) { openEpoch(reason: $reason) { epoch { epoch leafIndex } } }`,
				map[string]any{"reason": reason}, &answer)
			if err != nil {
				return err
			}
			fmt.Fprintf(p.stdout, "epoch %d begins with leaf %d\n", answer.OpenEpoch.Epoch.Epoch, answer.OpenEpoch.Epoch.LeafIndex)
			return nil
		})
	}
	return cmd
}
