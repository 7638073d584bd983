// Package config reads the hub's configuration: instance/codex.conf, the INI file that existing
// installations have, the environment and .flaskenv. It hands on typed values, each checked, and
// remembers where each came from.
//
// # One list
//
// Everything comes from one list of keys ([section] values in keys.go): what is accepted, the names
// of environment variables, defaults, documentation, what is secret and how a text becomes a value.
// The loader, [Config.Effective], [Reference] (docs/configuration.md), [Example]
// (deploy/codex.conf.example) and [Write] all read that list, so that a new key is one field of
// [Config] and one line there. The comments of [Config]'s fields are the same manual, and a test
// holds the two together.
//
// # Precedence
//
// For each key the first of these that has a text, blanks aside:
//
//	CODEX_<SECTION>_<KEY>                              in the environment
//	the configuration file
//	DATABASE_URL, CORE_SERVICE_URL, SERVICE_NAME       in the environment
//	.flaskenv beside the instance folder
//	the default
//
// # Where things are
//
// The configuration file is the one that was named (--config), else codex.conf in the instance
// folder. The instance folder is the one that was named (--instance), else the folder of the named
// file, else instance in the working directory. A named file must exist, the other need not.
//
// # Never
//
// It never writes, but for [Write]; it opens no database and no connection; it logs nothing: what
// it has to say are errors and [Warning] values. No text of it, errors included, holds a secret. A
// key that it does not know is a warning and never an error, for the tools that share the file may
// add theirs.
//
// Load reads and returns: when it dies half-way, nothing has happened. Write makes the whole file
// beside its place and moves it there, so that there is always the old file or the new one.
//
// # Decisions
//
// The INI dialect is that of Python's RawConfigParser, which wrote and read the files so far
// (docs/compatibility.md, "Configuration"). The parser is our own: gopkg.in/ini.v1, with whatever
// options, takes the last of two equal keys without a word, strips back quotes and triple quotes,
// ends a value at a blank line and takes comments inside a value for text; RawConfigParser does
// none of these.
package config
