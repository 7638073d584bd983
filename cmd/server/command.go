package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex/config"
)

// command is the tree of all verbs.
func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "codex",
		Short: "The hub of an MSP's customers, machines and tickets",
		Long: "codex syncs companies, contacts, tickets, machines and backup data from Freshservice and\n" +
			"Datto RMM, and serves them by GraphQL and by the REST paths of the services it replaces.",
		Example: "  codex serve --demo          # simulated upstreams, everything in instance-demo/\n" +
			"  codex init                  # write instance/codex.conf\n" +
			"  codex serve                 # serve what is configured there",
		Args: cobra.ArbitraryArgs,
		RunE: needVerb,
		// Flags that exclude each other; cobra by itself takes it for a failure of the verb.
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := cmd.ValidateFlagGroups(); err != nil {
				return usageError("%w (see: %s --help)", err, cmd.CommandPath())
			}
			return nil
		},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%w (see: %s --help)", err, cmd.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.StringVar(&p.configFile, "config", "", "the configuration `file` (default: codex.conf in the instance folder)")
	flags.StringVar(&p.instanceDir, "instance", "", "the instance `folder` (default: the configuration file's, else instance)")
	root.AddCommand(
		p.serveCommand(), p.syncCommand(), p.companyCommand(), p.contactCommand(), p.assetCommand(), p.archiveCommand(), p.tokenCommand(), p.migrateCommand(),
		p.plansCommand(), p.reviewCommand(), p.snapshotsCommand(), p.scheduleCommand(), p.reconcileCommand(), p.acknowledgeCommand(), p.notifyCommand(),
		p.initCommand(), p.configCommand(), p.simulateCommand(), p.versionCommand(),
	)
	return root
}

// needVerb is what a command does that only groups others.
func needVerb(cmd *cobra.Command, args []string) error {
	var verbs []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			verbs = append(verbs, sub.Name())
		}
	}
	if len(args) == 0 {
		cmd.SetOut(cmd.ErrOrStderr())
		if err := cmd.Help(); err != nil {
			return err
		}
		return &statusError{status: exitUsage}
	}
	return usageError("%s has no verb %q: there are %s", cmd.CommandPath(), args[0], strings.Join(verbs, ", "))
}

// group makes a command that only groups others.
func group(use, short, example string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Example: example, Args: cobra.ArbitraryArgs, RunE: needVerb}
	cmd.AddCommand(verbs...)
	return cmd
}

// exactly takes as many arguments as names has, which an error names.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usageError("%s needs %s (see: %s --help)", cmd.CommandPath(), strings.Join(names[len(args):], " "), cmd.CommandPath())
		case len(args) > len(names):
			return usageError("%s takes no %q (see: %s --help)", cmd.CommandPath(), args[len(names)], cmd.CommandPath())
		}
		return nil
	}
}

// load reads the configuration of the instance that the command line names.
func (p *program) load() (*config.Config, []config.Warning, error) {
	return config.Load(p.source())
}

func (p *program) source() config.Source {
	return config.Source{ConfigFile: p.configFile, InstanceDir: p.instanceDir, WorkDir: p.workDir, Env: p.env}
}
