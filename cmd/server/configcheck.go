package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) configCommand() *cobra.Command {
	return group("config", "Look at the configuration", "  codex config check", &cobra.Command{
		Use:   "check",
		Short: "Check the configuration and show what is in force",
		Long: "Checks the configuration and prints what is in force, with where each value came from and\n" +
			"secrets as ***. Warnings and settings that are not used stand above it. What the hub cannot\n" +
			"start with is an error that names file, section and key; the exit status is then 1.",
		Example: "  codex config check\n" +
			"  codex --config /etc/codex/codex.conf config check",
		Args: exactly(),
		RunE: func(*cobra.Command, []string) error { return p.checkConfig() },
	})
}

func (p *program) checkConfig() error {
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
	return c.Effective(p.stdout)
}
