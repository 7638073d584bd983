package main

import (
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestEveryVerbHelpsWithAnExample(t *testing.T) {
	i := bare(t)
	var visit func(cmd *cobra.Command)
	verbs := 0
	visit = func(cmd *cobra.Command) {
		verbs++
		if !strings.Contains(cmd.Example, cmd.CommandPath()) {
			t.Errorf("%s has no example of itself", cmd.CommandPath())
		}
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		help := i.must(args...)
		for _, want := range []string{"Examples:\n" + cmd.Example, "--config file", "--instance folder"} {
			if !strings.Contains(help, want) {
				t.Errorf("%s --help does not say %q:\n%s", cmd.CommandPath(), want, help)
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(i.program(nil, nil).command())
	if verbs < 13 {
		t.Errorf("only %d verbs", verbs)
	}
}

func TestVersionIsOneLine(t *testing.T) {
	if got := bare(t).must("version"); !strings.HasPrefix(got, "codex ") || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
}

func TestNoVerbAtAllIsAUsageError(t *testing.T) {
	for _, args := range [][]string{nil, {"token"}, {"config"}} {
		o := bare(t).codex(args...)
		if o.status != exitUsage || o.stdout != "" || !strings.Contains(o.stderr, "Examples:") {
			t.Errorf("%v: %+v", args, o)
		}
	}
}

func TestWhenATokenExpires(t *testing.T) {
	now := time.Date(2026, 6, 15, 12, 30, 0, 5, time.FixedZone("", 3600))
	tests := []struct{ text, want string }{
		{"30d", "2026-07-15T11:30:00Z"},
		{"12h", "2026-06-15T23:30:00Z"},
		{"2027-01-31", "2027-01-31T00:00:00Z"},
		{"2027-01-31T10:00:00+02:00", "2027-01-31T08:00:00Z"},
		{"0d", ""}, {"d", ""}, {"-1d", ""}, {"1w", ""}, {"2027-13-01", ""}, {"", ""}, {"999999d", ""},
	}
	for _, tt := range tests {
		at, err := parseExpiry(tt.text, now)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%q is %s", tt.text, at)
			}
		} else if err != nil || shownTime(at) != tt.want {
			t.Errorf("%q is %s (%v), want %s", tt.text, at, err, tt.want)
		}
	}
}
