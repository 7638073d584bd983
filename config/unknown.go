package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What is there and means nothing to the hub: the settings of the old tools, which are listed, and
// what nobody knows, which is a warning with the nearest name that is known.

// names are the keys of s.
func (s section) names() []string {
	names := make([]string, 0, len(s.keys))
	for _, k := range s.keys {
		names = append(names, k.name)
	}
	return names
}

// matches tells whether one of patterns is name, or its beginning where the pattern ends in *.
func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		prefix, open := strings.CutSuffix(pattern, "*")
		return pattern == name || open && strings.HasPrefix(name, prefix)
	})
}

func (l *loader) unknownInFile() {
	known := sections()
	var names []string // of sections that have keys
	var keys []string  // of all sections
	for _, s := range known {
		if len(s.keys) > 0 {
			names = append(names, s.name)
			keys = append(keys, s.names()...)
		}
	}
	for _, in := range l.ini.sections {
		at := slices.IndexFunc(known, func(s section) bool { return s.name == in.name })
		if at < 0 {
			l.warn(l.at(in.line), "section [%s] is not known and not used; the nearest that is known is [%s]",
				in.name, nearest(in.name, names))
			continue
		}
		l.unknownKeys(known[at], in)
	}
	for _, entry := range l.ini.defaults.entries {
		if !slices.Contains(keys, entry.key) {
			l.warn(l.at(entry.line), "[%s] %s is not known and not used; the nearest that is known is %s",
				defaultSection, entry.key, nearest(entry.key, keys))
		}
	}
}

func (l *loader) unknownKeys(s section, in iniSection) {
	for _, entry := range in.entries {
		switch {
		case slices.Contains(s.names(), entry.key):
		case matches(s.unused, entry.key):
			l.unused(l.at(entry.line), "["+s.name+"] "+entry.key)
		case len(s.keys) == 0:
			l.warn(l.at(entry.line), "[%s] %s is not known and not used", s.name, entry.key)
		default:
			l.warn(l.at(entry.line), "[%s] %s is not known and not used; the nearest that is known is %s",
				s.name, entry.key, nearest(entry.key, s.names()))
		}
	}
	if len(s.keys) == 0 && len(in.entries) == 0 {
		l.unused(l.at(in.line), "["+s.name+"]")
	}
}

func (l *loader) unknownInEnvironment() {
	var ours, second []string // CODEX_… names; the second names, valid in .flaskenv
	for _, s := range sections() {
		for _, k := range s.keys {
			ours = append(ours, EnvName(s.name, k.name))
			for _, name := range []string{k.env, k.flask} {
				if name != "" {
					second = append(second, name)
				}
			}
		}
	}
	for _, name := range sortedNames(l.env) {
		if strings.HasPrefix(name, "CODEX_") && !slices.Contains(ours, name) {
			l.warn("the environment", "%s is not known and not used; the nearest that is known is %s",
				name, nearest(name, ours))
		}
	}
	for _, name := range sortedNames(l.dotenv) {
		switch {
		case slices.Contains(second, name):
		case name == "VERIFY_SSL":
			l.verifySSL()
		case matches(unusedFlaskenv(), name):
			l.unused(l.dotenvPath, name)
		default:
			l.warn(l.dotenvPath, "%s is not known and not used; the nearest that is known is %s",
				name, nearest(name, second))
		}
	}
}

// verifySSL answers VERIFY_SSL, with which the old services could be told to trust any certificate.
func (l *loader) verifySSL() {
	if on, err := readBool(l.dotenv["VERIFY_SSL"]); err == nil && on {
		l.unused(l.dotenvPath, "VERIFY_SSL")
		return
	}
	l.warn(l.dotenvPath, "VERIFY_SSL does not turn verification off: certificates are always verified; "+
		"add a private authority to the system's certificates, or name it in SSL_CERT_FILE")
}

// unusedFiles names files of the old services in the instance folder, and what was dropped from the
// connection string.
func (l *loader) unusedFiles() {
	if path := filepath.Join(l.config.InstanceDir, "archive.conf"); exists(path) && path != l.path {
		l.config.Unused = append(l.config.Unused, path+": the Archive service's file is not needed")
	}
	found := l.config.setting("database", "connection_string")
	for _, name := range l.config.Database.Ignored {
		l.warn(found.where, "parameter %s of the connection string is another driver's and not used", name)
	}
}

func (l *loader) unused(where, what string) {
	l.config.Unused = append(l.config.Unused, where+": "+what+" is accepted and not used")
}

// exists tells whether something is at path; what cannot be looked at is not there for us either.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func sortedNames(values map[string]string) []string {
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
