package config

import (
	"fmt"
	"strings"
)

// Reference is docs/configuration.md: every key, its default and what it means, in markdown.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, s := range sections() {
		if len(s.keys) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## [%s]\n\n%s\n\n| key | default | meaning |\n|---|---|---|\n", s.name, s.doc)
		for _, k := range s.keys {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.name, k.defaultInWords(s), k.doc)
		}
	}
	b.WriteString(referenceTail)
	return b.String()
}

// manual is all there is to say of k, in sentences.
func (k key) manual(s section) string {
	if k.def == "" && k.defDoc == "" {
		return k.doc + " No default."
	}
	return k.doc + " Default: " + k.defaultInWords(s) + "."
}

// defaultInWords is the default for a reader.
func (k key) defaultInWords(s section) string {
	switch {
	case k.def != "":
		return "`" + k.def + "`"
	case k.defDoc != "":
		return k.defDoc
	}
	return "needed for [" + s.name + "]"
}

const referenceHead = `<!-- Written by "go test ./config -update" from config/keys.go. -->

# Configuration

The hub reads ` + "`instance/codex.conf`" + `, an INI file, as existing installations have it. Without
the file everything has its default. ` + "`codex config check`" + ` says whether the configuration is
valid and prints what is in force, secrets masked, and where each value came from; ` + "`codex init`" + `
writes a new file. An example with every key is ` + "`deploy/codex.conf.example`" + `.

` + "`--config FILE`" + ` names another file and ` + "`--instance DIR`" + ` another instance folder. Without
` + "`--instance`" + ` the instance folder is the one of the named file, else ` + "`instance`" + ` in the working
directory.

For each key the first of these that is not blank counts:

1. ` + "`CODEX_<SECTION>_<KEY>`" + ` in the environment, such as ` + "`CODEX_FRESHSERVICE_API_KEY`" + `;
2. the file;
3. ` + "`DATABASE_URL`, `CORE_SERVICE_URL` and `SERVICE_NAME`" + ` in the environment, for
   ` + "`[database] connection_string`, `[core] url` and `[core] service_name`" + `;
4. ` + "`.flaskenv`" + ` beside the instance folder: the same three, ` + "`SERVICE_PORT` for `[server] listen`" + ` and
   ` + "`LOG_LEVEL` for `[log] level`" + `;
5. the default.

The file is read as Python's ` + "`RawConfigParser`" + ` reads it: ` + "`key = value` or `key: value`" + `, keys in any
case, sections in this one; lines that begin with ` + "`#` or `;`" + ` are comments, and nowhere else do those
characters begin one; a ` + "`%`" + ` is a ` + "`%`" + `; deeper lines continue a value; ` + "`[DEFAULT]`" + ` holds what the other
sections inherit; a section or key that comes twice is an error. The file is UTF-8.

Truths are ` + "`true`, `yes`, `on`, `1` and `false`, `no`, `off`, `0`" + `.
`

const referenceTail = `
## What is accepted and not used

` + "`codex config check`" + ` lists these when it meets them: the sections ` + "`[database_credentials]`" + ` (keys
` + "`db_*`), `[psa]`, `[rmm]` and `[webhooks]`" + `; the keys ` + "`sync_*` of `[scheduler]`" + `; ` + "`FLASK_*`, `PYTHON*` and\n`HELM_SERVICE_URL` in `.flaskenv`" + `; ` + "`instance/archive.conf`" + `, the file of the Archive service that the
hub replaces. ` + "`VERIFY_SSL`" + ` never turns the verification of certificates off: a warning says so. Put a
private authority into the system's certificates, or name its file in ` + "`SSL_CERT_FILE`" + `.

## What is not known

An unknown section, key, ` + "`CODEX_`" + ` variable or variable of ` + "`.flaskenv`" + ` is a warning with the nearest name
that is known, and the hub starts. A bad value, or a section that lacks some of what it needs, is an
error that names the place, and the hub does not start. A feed whose section is missing is off.
`

// Example is deploy/codex.conf.example: every section, and every key behind a #, with its default
// or a made-up value.
func Example() string {
	var b strings.Builder
	b.WriteString("# The configuration of a hub. Copy this file to instance/codex.conf, readable by its owner\n" +
		"# alone, and take the # away from the lines that you change. What is said here of a key stands\n" +
		"# in docs/configuration.md too.\n")
	for _, s := range sections() {
		if len(s.keys) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s[%s]\n", comment(s.doc), s.name)
		for _, k := range s.keys {
			text := k.def
			if k.example != "" {
				text = k.example
			}
			fmt.Fprintf(&b, "\n%s#%s = %s\n", comment(k.manual(s)), k.name, text)
		}
	}
	return b.String()
}

// comment is text as comment lines of at most 98 characters.
func comment(text string) string {
	var b strings.Builder
	line := "#"
	for word := range strings.FieldsSeq(strings.ReplaceAll(text, "`", "")) {
		if len(line)+1+len(word) > 98 {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
	return b.String()
}
