package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex/config"
)

func (p *program) configCommand() *cobra.Command {
	return group("config", "Look at the configuration", "  codex config check", &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and show what is in force",
		Long: "Checks the configuration and prints what is in force, with where each value came from and\n" +
			"secrets as ***. Warnings and settings that are not used stand above it. What the hub cannot\n" +
			"start with is an error that names file, section and key; the exit status is then 1. A Ledger and\n" +
			"an account of Keycloak that are configured are tried; one that does not answer is a warning.",
		Example: "  codex config check\n" +
			"  codex --config /etc/codex/codex.conf config check",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.checkConfig(cmd.Context()) },
	})
}

func (p *program) checkConfig(ctx context.Context) error {
	c, warnings, err := p.load()
	for _, warning := range warnings {
		fmt.Fprintf(p.stdout, "# warning: %s\n", warning)
	}
	if err != nil {
		return err
	}
	for _, unused := range c.Unused {
		fmt.Fprintf(p.stdout, "# not used: %s\n", unused)
	}
	for _, try := range []func(context.Context, *config.Config) (string, error){p.tryLedger, p.tryAccount} {
		said, err := try(ctx, c)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			fmt.Fprintf(p.stdout, "# warning: %s: %s\n", said, printable(err.Error()))
		case said != "":
			fmt.Fprintf(p.stdout, "# %s\n", printable(said))
		}
	}
	return c.Effective(p.stdout)
}

// tryLimit is how long a neighbour has to answer.
const tryLimit = 5 * time.Second

// tryLedger says that Ledger answers, or of which setting an error is; nothing where none is configured.
func (p *program) tryLedger(ctx context.Context, c *config.Config) (string, error) {
	if c.Services.LedgerURL == "" {
		return "", nil
	}
	const setting = "[services] ledger_url"
	c.Services.LedgerTimeLimit = min(c.Services.LedgerTimeLimit, tryLimit)
	client, err := ledgerClient(c.Services, slog.New(slog.DiscardHandler), p.now)
	if err != nil {
		return setting, err
	}
	defer client.Close()
	if err := client.Answers(ctx); err != nil {
		return setting, err
	}
	return "Ledger answers at " + c.Services.LedgerURL, nil
}

// tryAccount logs the account in, up to the token of Core's.
func (p *program) tryAccount(ctx context.Context, c *config.Config) (string, error) {
	if !c.Keycloak.Enabled() {
		return "", nil
	}
	const setting = "[keycloak]"
	logger := slog.New(slog.DiscardHandler)
	account, err := keycloakClient(c.Keycloak, logger, p.now)
	if err != nil {
		return setting, err
	}
	defer account.Close()
	core, err := coreClient(c.Core, logger, p.now)
	if err != nil {
		return setting, err
	}
	defer core.Close()
	if _, err := core.ForUser(account.AccessToken).Authorization(ctx); err != nil {
		return setting, err
	}
	return "Keycloak logs " + c.Keycloak.Username + " in, and Core gives a token for it", nil
}
