package config

import (
	"fmt"
	"io"
	"strings"

	"github.com/hivematrix/codex"
)

// Effective writes the configuration as it is in force: every key with its text, secrets and the
// passwords of the connection string as ***, and above it where the text came from. What it writes
// is an INI text itself.
func (c *Config) Effective(w io.Writer) error {
	var b strings.Builder
	file := c.File
	if file == "" {
		file = "none"
	}
	fmt.Fprintf(&b, "# configuration file: %s\n# instance folder: %s\n", file, c.InstanceDir)
	for _, s := range sections() {
		if len(s.keys) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n[%s]\n", s.name)
		for _, k := range s.keys {
			set := c.setting(s.name, k.name)
			line := k.name + " = " + set.text
			fmt.Fprintf(&b, "# %s\n%s\n", set.where, strings.TrimRight(line, " "))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write the effective configuration: %w", err)
	}
	return nil
}

// shown is text as it may be shown, on one line.
func (c *Config) shown(k key, text string) string {
	switch {
	case k.secret:
		return codex.Secret(text).String()
	case k.mask != nil:
		return k.mask(c)
	}
	return strings.Join(strings.Fields(text), " ")
}
