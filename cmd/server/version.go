package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker, which can set nothing but a variable: make build takes it from git.
var version = ""

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Tell which codex this is",
		Example: "  codex version",
		Args:    exactly(),
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintf(p.stdout, "codex %s (%s, %s/%s)\n", currentVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

// currentVersion is what the linker was told, else what Go knows of the sources.
func currentVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
