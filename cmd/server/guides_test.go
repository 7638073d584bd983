package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
)

// guided is a serve with a simulated Core, as the guides' examples find it.
func guided(t *testing.T) *served {
	t.Helper()
	i := install(t, dialect.SQLite)
	i.configure(dialect.SQLite, "[core]\nurl = "+i.upstream.CoreURL, "[auth]\nsync_services = helm, ledger",
		"[archive]\nlog_origin = codex.example.com/archive\npublish = published.checkpoint")
	s := i.serve()
	i.must("sync", "all")
	return s
}

// billedByLedgerC is a serve whose Ledger keeps the bills itself, and knows what machines are servers.
func billedByLedgerC(t *testing.T) *served {
	t.Helper()
	s := billing(t, dialect.SQLite, simulator.LedgerC)
	if err := s.upstream.DecideTypes(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// The examples of a guide run in one shell, in their order: what one sets, a later one has. The block
// behind an example is what it prints.
func TestTheShellExamplesOfTheGuidesRun(t *testing.T) {
	for guide, atLeast := range map[string]int{"archive.md": 9, "auth.md": 10, "billing.md": 8, "billing-review.md": 3, "bills.md": 4, "notifications.md": 1, "graphql.md": 5, "plans.md": 4, "rest.md": 5} {
		t.Run(guide, func(t *testing.T) { runGuide(t, guide, atLeast) })
	}
}

func runGuide(t *testing.T, name string, atLeast int) {
	t.Helper()
	guide, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```sh\n(.*?)```(?:\n\n```(?:json|text)\n(.*?)```)").FindAllStringSubmatch(string(guide), -1)
	if begun := strings.Count(string(guide), "```sh"); len(examples) != begun || begun < atLeast {
		t.Fatalf("%d of %d examples can be run", len(examples), begun)
	}
	s := guided(t)
	if name == "billing.md" {
		s = billedByLedgerC(t)
	}
	programs(t, "curl", "jq", "openssl")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	const end = "the end of an example"
	var script strings.Builder
	script.WriteString("set -euo pipefail\ncodex() { " + asProgram + "=1 '" + self + "' --config '" + filepath.Join(s.dir, "instance", "codex.conf") + "' \"$@\"; }\n")
	for _, example := range examples {
		script.WriteString(example[1] + "echo; echo '" + end + "'\n")
	}
	here := strings.NewReplacer("http://127.0.0.1:5001", s.url, "http://127.0.0.1:5012", s.archive, "http://127.0.0.1:5093", s.upstream.CoreURL)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "plans.json"), simulator.PlansFile(), 0o600); err != nil {
		t.Fatal(err)
	}
	out := runScript(t, dir, here.Replace(script.String()))
	printed := strings.Split(out, end+"\n")
	if len(printed) != len(examples)+1 {
		t.Fatalf("it ended after %d examples:\n%s", len(printed)-1, out)
	}
	blank := regexp.MustCompile(`\n+`) // whether an answer ends its line is nobody's business
	for i, example := range examples {
		got := strings.TrimSpace(blank.ReplaceAllString(printed[i], "\n"))
		if want := strings.TrimSpace(example[2]); got != want {
			t.Errorf("%s\nprinted\n%s\nwant\n%s", example[1], got, want)
		}
	}
}

// programs makes sure that the programs are there which the guides use, as the Makefile does for what it
// needs.
func programs(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if out, err := exec.CommandContext(t.Context(), "../../scripts/debian-package", name).CombinedOutput(); err != nil {
			t.Fatalf("there is no %s: %v\n%s", name, err, out)
		}
	}
}

// runScript runs a script in a folder and gives what it prints.
func runScript(t *testing.T, dir, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, stderr.String())
	}
	return string(out)
}
