package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
)

func (p *program) serveCommand() *cobra.Command {
	var isDemo, newUpstream bool
	addresses := simulatedAddresses()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve GraphQL and REST",
		Long: "Serves the hub until it is stopped (Ctrl-C, SIGTERM): on [server] listen, on [server]\n" +
			"archive_listen, and for the other verbs on codex.sock in the instance folder. The first serve\n" +
			"of a database without tokens writes an admin token to first-admin-token in the instance folder.\n\n" +
			"With --demo it needs no configuration: it starts simulated upstreams, keeps everything in\n" +
			"instance-demo, syncs all feeds and prints a query to begin with.",
		Example: "  codex serve\n" +
			"  codex serve --config /etc/codex/codex.conf --instance /var/lib/codex\n" +
			"  codex serve --demo",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if isDemo {
				return p.demo(cmd.Context(), addresses, newUpstream)
			}
			for _, name := range []string{"demo-freshservice", "demo-datto", "demo-core", "demo-ledger", "demo-keycloak"} {
				if cmd.Flags().Changed(name) {
					return usageError("--%s goes with --demo", name)
				}
			}
			return p.serve(cmd.Context(), newUpstream)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&isDemo, "demo", false, "serve simulated upstreams' data from instance-demo")
	flags.BoolVar(&newUpstream, "new-upstream", false, "take data from another account than before, for good")
	flags.StringVar(&addresses.Freshservice, "demo-freshservice", addresses.Freshservice, "with --demo: where the simulated Freshservice `listens`")
	flags.StringVar(&addresses.Datto, "demo-datto", addresses.Datto, "with --demo: where the simulated Datto RMM `listens`")
	flags.StringVar(&addresses.Core, "demo-core", addresses.Core, "with --demo: where the simulated Core `listens`")
	flags.StringVar(&addresses.Ledger, "demo-ledger", addresses.Ledger, "with --demo: where the simulated Ledger `listens`")
	flags.StringVar(&addresses.Keycloak, "demo-keycloak", addresses.Keycloak, "with --demo: where the simulated Keycloak `listens`")
	return cmd
}

// serve serves the configured instance until ctx ends.
func (p *program) serve(ctx context.Context, newUpstream bool) error {
	c, warnings, err := p.load()
	if err != nil {
		return err
	}
	logger, err := p.logger(c, c.Log.Level)
	if err != nil {
		return err
	}
	for _, warning := range warnings {
		logger.WarnContext(ctx, "configuration", slog.String("where", warning.Where), slog.String("warning", warning.Message))
	}
	return p.serveApp(ctx, appOptions{config: c, logger: logger, now: p.now, newUpstream: newUpstream, serving: true},
		func(ctx context.Context, a *app, at serving) error {
			return errors.Join(p.firstToken(ctx, a), p.announce(a, at))
		})
}

// firstTokenName is the name of the token that the first serve of a database creates, and its file
// in the instance folder.
const (
	firstTokenName = "first-admin"
	firstTokenFile = "first-admin-token"
)

// firstToken writes an admin token to a file that its owner alone may read, if the database has no
// token yet. The file is there before the token is, so that a folder that cannot be written costs no
// token. The secret is made with the token's row, and no second first token is: a process that dies
// before it has written the secret leaves an admin token that nobody has. Then `codex token create`
// makes another, and `codex token revoke` ends this one; both need no token, in their own process or
// over the socket of a serve.
func (p *program) firstToken(ctx context.Context, a *app) (err error) {
	there, err := a.tokens.Any(ctx)
	if err != nil || there {
		return err
	}
	file, err := os.CreateTemp(a.config.InstanceDir, "."+firstTokenFile+"-*") // made with 0600
	if err != nil {
		return fmt.Errorf("writing the first token: %w", err)
	}
	keep := false
	defer func() {
		err = errors.Join(err, file.Close())
		if !keep {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	secret, _, err := a.tokens.Create(ctx, auth.NewToken{Name: firstTokenName, Role: codex.RoleAdmin, CreatedBy: "the first serve"})
	if codex.CodeOf(err) == codex.CodeConflict { // another replica was faster
		return nil
	}
	if err != nil {
		return err
	}
	path := filepath.Join(a.config.InstanceDir, firstTokenFile)
	if err := fileSecret(file, secret, path); err != nil {
		return fmt.Errorf("writing the first token (codex token create makes another, codex token revoke %s ends it): %w", firstTokenName, err)
	}
	keep = true
	fmt.Fprintf(p.stdout, "An admin token for this new database is in %s\n", path)
	return nil
}

// fileSecret writes a secret to file, and when it is there to stay, gives the file its name.
func fileSecret(file *os.File, secret codex.Secret, path string) error {
	if _, err := file.WriteString(secret.Reveal() + "\n"); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// announce tells where the hub listens.
func (p *program) announce(a *app, at serving) error {
	fmt.Fprintf(p.stdout, "codex %s serves %s\n", currentVersion(), a.db.Name())
	fmt.Fprintf(p.stdout, "  hub      %s/\n", at.hub)
	fmt.Fprintf(p.stdout, "  archive  %s/\n", at.archive)
	if feeds := a.engine.Feeds(); len(feeds) > 0 {
		fmt.Fprintf(p.stdout, "  feeds    %v\n", feeds)
	} else {
		fmt.Fprintln(p.stdout, "  feeds    none is configured: codex init writes a configuration")
	}
	return nil
}
