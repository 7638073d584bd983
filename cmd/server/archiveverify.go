package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/config"
	"github.com/hivematrix/codex/store"
)

// verifyFlags are those of codex archive verify.
type verifyFlags struct {
	against, key, proof, csv string
	contents                 []string
	json                     bool
}

func (p *program) archiveVerifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Recompute the archive from its rows, or check one exported proof",
		Long: "Recomputes every leaf, hash, signature and content of the archive from the rows of the database and\n" +
			"names each that was altered, is missing or was added. It opens the database itself, only reads, and\n" +
			"never asks a running serve.\n\n" +
			"With --against it shows, too, that nothing which existed at a signed log checkpoint has changed since;\n" +
			"without it the newest one is taken that this instance keeps outside the database, where there is one.\n" +
			"Signatures are verified with the key of --key, else of the instance's key file, else of the database.\n\n" +
			"With --proof it checks an exported proof instead, without any database or instance.\n\n" +
			"Exit status: 0 all is as it was logged, 5 something is not, 1 it could not be found out.",
		Example: "  codex archive verify\n" +
			"  codex archive verify --against checkpoint.txt --key log.vkey   # both from elsewhere\n" +
			"  codex archive verify --proof bill.tlog-proof --key log.vkey --csv bill.csv",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case f.proof == "" && (f.csv != "" || len(f.contents) > 0):
				return usageError("--csv and --content go with --proof")
			case f.proof != "" && f.against != "":
				return usageError("--proof and --against do not go together")
			case f.proof != "" && f.key == "":
				return usageError("--proof needs --key: the log's verifier key, as it was published")
			case f.proof != "":
				return p.verifyProof(f)
			}
			return p.verifyArchive(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.against, "against", "", "a signed log checkpoint that was received earlier: a `file`")
	flags.StringVar(&f.key, "key", "", "the log's verifier key as it was published: a `file` with that one line")
	flags.StringVar(&f.proof, "proof", "", "check this exported proof, a `file`, and no database")
	flags.StringVar(&f.csv, "csv", "", "with --proof: the bill's CSV, a `file`")
	flags.StringArrayVar(&f.contents, "content", nil, "with --proof: another content of the bill, `name=file`, which may be given again")
	flags.BoolVar(&f.json, "json", false, "print what was found as JSON")
	return cmd
}

// notAsLogged ends the program when something was verified and is not as it was logged.
func notAsLogged(format string, args ...any) error {
	return &statusError{status: exitAltered, err: fmt.Errorf(format, args...)}
}

func (p *program) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.workDir, name)
}

// readKey reads a file with a verifier key.
func (p *program) readKey(name string) (proof.VerifierKey, error) {
	text, err := os.ReadFile(p.path(name))
	if err != nil {
		return proof.VerifierKey{}, err
	}
	key, err := proof.ParseVerifierKey(strings.TrimSuffix(string(text), "\n"))
	if err != nil {
		return proof.VerifierKey{}, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}

func (p *program) verifyArchive(ctx context.Context, f verifyFlags) error {
	c, _, err := p.load()
	if err != nil {
		return err
	}
	if !databaseThere(c) {
		return codex.Errorf(codex.CodeNotFound, "%s is not there", c.Database.Path)
	}
	o, err := p.trusted(c, f)
	if err != nil {
		return err
	}
	return p.withDatabase(ctx, c, func(ctx context.Context, db *store.DB) error {
		status, err := db.MigrationStatus(ctx)
		if err != nil {
			return err
		}
		if len(status.Pending) > 0 {
			return codex.Errorf(codex.CodeConflict, "the database lacks the migration %s: codex migrate makes it, then it can be verified", status.Pending[0])
		}
		report, err := audit.Verify(ctx, db, o)
		if err != nil {
			return err
		}
		return p.printReport(report, f.json)
	})
}

// trusted are the key and the checkpoint to verify by: those that were given, else those that the
// instance keeps outside the database.
func (p *program) trusted(c *config.Config, f verifyFlags) (o audit.Options, err error) {
	if f.key != "" {
		o.Key, err = p.readKey(f.key)
	} else {
		o.Key, err = ownKey(c.Archive.KeyFile)
	}
	if err != nil {
		return audit.Options{}, err
	}
	if f.against != "" {
		o.Against, err = os.ReadFile(p.path(f.against))
		return o, err
	}
	return withOwnCheckpoint(o, c.Archive.CheckpointFile)
}

// trustedFiles are the key and the checkpoint that a hub keeps outside its database.
func trustedFiles(keyFile, checkpointFile string) (o audit.Options, err error) {
	if o.Key, err = ownKey(keyFile); err != nil {
		return audit.Options{}, err
	}
	return withOwnCheckpoint(o, checkpointFile)
}

// ownKey is the key of the hub's own file; the zero value where there is none.
func ownKey(file string) (proof.VerifierKey, error) {
	secret, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return proof.VerifierKey{}, nil
	case err != nil:
		return proof.VerifierKey{}, fmt.Errorf("reading the log's key (--key gives another): %w", err)
	}
	key, err := proof.ParseSigningKey(codex.Secret(secret))
	if err != nil {
		return proof.VerifierKey{}, err
	}
	return key.VerifierKey(), nil
}

// withOwnCheckpoint compares with the hub's own newest log checkpoint, where there is one.
func withOwnCheckpoint(o audit.Options, file string) (_ audit.Options, err error) {
	o.Against, err = os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		o.Against = nil
	case err != nil:
		return audit.Options{}, fmt.Errorf("reading the hub's own log checkpoint (--against gives another): %w", err)
	}
	o.AgainstOwn = true
	return o, nil
}

func (p *program) printReport(report *audit.Report, asJSON bool) error {
	if asJSON {
		if err := p.printJSON(struct {
			OK bool `json:"ok"`
			*audit.Report
		}{report.OK(), report}); err != nil {
			return err
		}
	} else {
		p.printFindings(report)
	}
	if !report.OK() {
		return &statusError{status: exitAltered}
	}
	return nil
}

func (p *program) printJSON(value any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

func (p *program) printFindings(report *audit.Report) {
	print := func(format string, args ...any) { fmt.Fprintf(p.stdout, format+"\n", args...) }
	for _, finding := range report.Findings {
		print("%s", finding)
	}
	if report.Unlisted > 0 {
		print("and %d more", report.Unlisted)
	}
	print("epoch %d, %s, root %s", report.Epoch, count(report.Size, "leaf", "leaves"), report.Root)
	print("%s, %s, %s, %s, %s, %s", count(report.Bills, "bill", "bills"), count(report.Events, "event", "events"),
		count(report.Redactions, "redaction", "redactions"), count(report.Contents, "content", "contents"),
		count(report.Lines, "line", "lines"), count(report.Checkpoints, "log checkpoint", "log checkpoints"))
	switch {
	case report.Key == "":
		print("no key: no signature was verified")
	case report.KeyGiven:
		print("signatures verified with %s", report.Key)
	default:
		print("signatures verified with the database's own key, %s: --key takes one from elsewhere, which proves more", report.Key)
	}
	if report.Signed < report.Size {
		print("signed over %s: what came later is proven by no signature yet", count(report.Signed, "leaf", "leaves"))
	}
	if then := report.Against; then != nil && then.Proven {
		print("nothing has changed that existed at the log checkpoint of epoch %d with %s", then.Epoch, count(then.Size, "leaf", "leaves"))
	}
	if report.Untried != "" {
		print("not tried whether changes are refused: %s", report.Untried)
	}
	if report.OK() {
		print("all is as it was logged")
		return
	}
	print("NOT as it was logged: %s", count(report.Failures(), "finding", "findings"))
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// verifyProof checks an exported proof, with nothing but files.
func (p *program) verifyProof(f verifyFlags) error {
	key, err := p.readKey(f.key)
	if err != nil {
		return err
	}
	file, err := os.ReadFile(p.path(f.proof))
	if err != nil {
		return err
	}
	files := f.contents
	if f.csv != "" {
		files = append([]string{string(proof.CSV) + "=" + f.csv}, files...)
	}
	shown := map[proof.Committed][]byte{}
	for _, content := range files {
		name, path, ok := strings.Cut(content, "=")
		if !ok {
			return usageError("--content %s: it is name=file, with the name one of %v", content, proof.Contents())
		}
		if shown[proof.Committed(name)], err = os.ReadFile(p.path(path)); err != nil {
			return err
		}
	}
	verified, err := proof.VerifyProof(file, key, shown)
	var refused *proof.Error
	switch {
	case errors.As(err, &refused) && f.json:
		if err := p.printJSON(map[string]any{"ok": false, "part": refused.Part, "content": refused.Committed, "message": refused.Error()}); err != nil {
			return err
		}
		return &statusError{status: exitAltered}
	case errors.As(err, &refused):
		return notAsLogged("the proof is refused: %w", err)
	case err != nil:
		return err
	case f.json:
		return p.printJSON(provenJSON(verified))
	}
	p.printProven(verified)
	return nil
}

func provenJSON(v *proof.Verified) any {
	text, _ := proof.EncodeLeaf(v.Leaf) // it was read from that
	return struct {
		OK     bool              `json:"ok"`
		Origin string            `json:"origin"`
		Epoch  int               `json:"epoch"`
		Size   int64             `json:"size"`
		Index  int64             `json:"leaf_index"`
		Leaf   string            `json:"leaf"`
		Opened []proof.Committed `json:"opened"`
		Unseen []proof.Committed `json:"unseen"`
	}{true, v.Checkpoint.Origin, v.Checkpoint.Epoch, v.Checkpoint.Size, v.Index, string(text), orEmpty(v.Opened), orEmpty(v.Unseen)}
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (p *program) printProven(v *proof.Verified) {
	text, _ := proof.EncodeLeaf(v.Leaf) // it was read from that
	fmt.Fprintf(p.stdout, "%sis leaf %d of the %s that %s signed, epoch %d\n", text, v.Index, count(v.Checkpoint.Size, "leaf", "leaves"), v.Checkpoint.Origin, v.Checkpoint.Epoch)
	for _, name := range v.Opened {
		fmt.Fprintf(p.stdout, "%s: it is what the leaf commits to\n", name)
	}
	for _, name := range v.Unseen {
		fmt.Fprintf(p.stdout, "%s: not shown, so nothing is proven about it\n", name)
	}
}
