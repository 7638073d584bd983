package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"github.com/hivematrix/codex"
)

// Source says where [Load] looks.
type Source struct {
	ConfigFile  string            // --config; empty: codex.conf in the instance folder
	InstanceDir string            // --instance; empty: see the package's documentation
	WorkDir     string            // the working directory, absolute, from which relative paths begin
	Env         map[string]string // the environment, as OSEnviron gives it
}

// paths are the absolute paths of the instance folder and of the configuration file.
func (s Source) paths() (instanceDir, file string) {
	absolute := func(path string) string {
		if filepath.IsAbs(path) {
			return filepath.Clean(path)
		}
		return filepath.Join(s.WorkDir, path)
	}
	switch {
	case s.InstanceDir != "":
		instanceDir = absolute(s.InstanceDir)
	case s.ConfigFile != "":
		instanceDir = filepath.Dir(absolute(s.ConfigFile))
	default:
		instanceDir = absolute("instance")
	}
	if s.ConfigFile != "" {
		return instanceDir, absolute(s.ConfigFile)
	}
	return instanceDir, filepath.Join(instanceDir, "codex.conf")
}

// Load reads the configuration from src. The warnings are for a person to see; they come with an
// error too. The error, several joined where there are several, consists of *codex.Error with
// [codex.CodeBadInput] whose Field is "[section] key" and whose Message names the place and says
// what to do; a file that cannot be read is [codex.CodeUnavailable].
func Load(src Source) (*Config, []Warning, error) {
	instanceDir, path := src.paths()
	l := &loader{
		config: &Config{InstanceDir: instanceDir},
		path:   path, ini: &iniFile{},
		env: src.Env, dotenvPath: filepath.Join(filepath.Dir(instanceDir), ".flaskenv"),
	}
	if err := l.readFiles(src.ConfigFile != ""); err != nil {
		return nil, nil, err
	}
	l.evaluate()
	l.unknownInFile()
	l.unknownInEnvironment()
	l.unusedFiles()
	if len(l.errs) > 0 {
		return nil, l.warnings, errors.Join(l.errs...)
	}
	return l.config, l.warnings, nil
}

// loader is a Load at work.
type loader struct {
	config     *Config
	path       string // of the configuration file
	ini        *iniFile
	env        map[string]string
	dotenvPath string
	dotenv     map[string]string
	warnings   []Warning
	errs       []error
}

func (l *loader) readFiles(mustExist bool) error {
	text, err := os.ReadFile(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !mustExist:
	case err != nil:
		return codex.Wrap(codex.CodeUnavailable, err, "read the configuration file %s", l.path)
	default:
		l.config.File = l.path
		if l.ini, err = parseINI(string(text)); err != nil {
			return located(l.path, err)
		}
	}
	text, err = os.ReadFile(l.dotenvPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return codex.Wrap(codex.CodeUnavailable, err, "read %s", l.dotenvPath)
	}
	// The parser's error shows the line, which may hold a secret.
	if l.dotenv, err = godotenv.UnmarshalBytes(text); err != nil {
		return codex.Errorf(codex.CodeBadInput, "%s cannot be read: its lines must be NAME=value", l.dotenvPath)
	}
	return nil
}

// located is an error of parseINI with the file's name in each of its messages.
func located(path string, err error) error {
	var line *iniError
	var several interface{ Unwrap() []error }
	switch {
	case errors.As(err, &several):
		errs := make([]error, 0, len(several.Unwrap()))
		for _, one := range several.Unwrap() {
			errs = append(errs, located(path, one))
		}
		return errors.Join(errs...)
	case errors.As(err, &line):
		return codex.Errorf(codex.CodeBadInput, "%s:%d %s", path, line.line, line.reason)
	}
	return codex.Wrap(codex.CodeBadInput, err, "%s cannot be read", path)
}

// evaluate reads every key, and looks at what only several keys together can get wrong.
func (l *loader) evaluate() {
	for _, s := range sections() {
		l.section(s)
	}
	l.statuses()
	l.listeners()
	l.account()
}

// setting is the text of a key and where it came from. [Config] keeps it as it may be shown: fmt
// cannot ask what it prints of an unexported field to hide itself.
type setting struct {
	section, key string
	text         string
	given        bool   // it is not the default
	where        string // the place, for messages: a file with its line, or a variable
}

// EnvName is the environment variable that sets key of section.
func EnvName(section, key string) string {
	return "CODEX_" + strings.ToUpper(section) + "_" + strings.ToUpper(key)
}

// find is the setting of a key: the first place that has a text other than blanks.
func (l *loader) find(s section, k key) setting {
	inEnv := func(name string) (setting, bool) {
		text := strings.TrimFunc(l.env[name], isSpace)
		return setting{text: text, given: true, where: name + " in the environment"}, name != "" && text != ""
	}
	inFile := func() (setting, bool) {
		entry, ok := l.ini.lookup(s.name, k.name)
		text := strings.TrimFunc(entry.value, isSpace) // it may begin on a line of its own
		return setting{text: text, given: true, where: l.at(entry.line)}, ok && text != ""
	}
	inDotenv := func(name string) (setting, bool) {
		text := strings.TrimFunc(l.dotenv[name], isSpace)
		return setting{text: text, given: true, where: name + " in " + l.dotenvPath}, name != "" && text != ""
	}
	byDefault := func() (setting, bool) {
		text := k.def
		if k.derived != nil {
			text = k.derived(l.config)
		}
		return setting{text: text, where: "the default"}, true
	}
	var found setting
	for _, look := range []func() (setting, bool){
		func() (setting, bool) { return inEnv(EnvName(s.name, k.name)) },
		inFile,
		func() (setting, bool) { return inEnv(k.env) },
		func() (setting, bool) { return inDotenv(k.env) },
		func() (setting, bool) { return inDotenv(k.flask) },
		byDefault,
	} {
		var ok bool
		if found, ok = look(); ok {
			break
		}
	}
	found.section, found.key = s.name, k.name
	return found
}

// section reads all keys of s and sees that it is whole.
func (l *loader) section(s section) {
	given, missing := 0, []string{}
	for _, k := range s.keys {
		found := l.find(s, k)
		if found.given {
			given++
		} else if slices.Contains(s.required, k.name) {
			missing = append(missing, k.name)
		}
		if found.text != "" {
			if err := k.value(l.config).set(found.text); err != nil {
				l.fail(found, k, err)
			}
		}
		found.text = l.config.shown(k, found.text)
		l.config.settings = append(l.config.settings, found)
	}
	if len(s.required) == 0 || len(missing) == 0 {
		return
	}
	if given > 0 {
		for _, name := range missing {
			l.errs = append(l.errs, codex.BadInput("["+s.name+"] "+name,
				"is missing in %s: [%s] needs %s; without any key of it %s",
				l.path, s.name, strings.Join(s.required, ", "), s.without))
		}
	} else if in := l.ini.section(s.name); in != nil {
		l.warn(l.at(in.line), "[%s] has no value: %s", s.name, s.without)
	}
}

// fail keeps what is wrong with a setting. A secret's text, and a connection string's, stay unsaid,
// and so does what may be an address with a password in it.
func (l *loader) fail(found setting, k key, err error) {
	shown := fmt.Sprintf("%q", found.text)
	if k.secret || k.mask != nil || strings.Contains(found.text, "@") {
		shown = "the value"
	}
	l.errs = append(l.errs, codex.BadInput("["+found.section+"] "+found.key,
		"%s of %s must be %s", shown, found.where, err))
}

// statuses refuses a ticket status that is told to be both closed and open.
func (l *loader) statuses() {
	for _, status := range l.config.Freshservice.OpenStatuses {
		if status == 5 || slices.Contains(l.config.Freshservice.ClosedStatuses, status) {
			found := l.config.setting("freshservice", "open_statuses")
			l.errs = append(l.errs, codex.BadInput("[freshservice] open_statuses",
				"status %d of %s is closed already, as 5 and closed_statuses are: remove it from one", status, found.where))
		}
	}
}

func (l *loader) listeners() {
	if listen := l.config.Server.Listen; listen != "" && listen == l.config.Server.ArchiveListen &&
		!strings.HasSuffix(listen, ":0") {
		found := l.config.setting("server", "archive_listen")
		l.errs = append(l.errs, codex.BadInput("[server] archive_listen",
			"%q of %s must not be the address of listen as well", found.text, found.where))
	}
}

// account refuses an account of Keycloak's without the Core that would know it.
func (l *loader) account() {
	if l.config.Keycloak.Enabled() && l.config.Core.URL == "" {
		l.errs = append(l.errs, codex.BadInput("[core] url",
			"is missing in %s: the account of [keycloak] needs a Core, which exchanges its login for a token", l.path))
	}
}

func (l *loader) at(line int) string { return fmt.Sprintf("%s:%d", l.path, line) }

func (l *loader) warn(where, format string, args ...any) {
	l.warnings = append(l.warnings, Warning{Where: where, Message: fmt.Sprintf(format, args...)})
}

// setting is the setting of a key of the list.
func (c *Config) setting(section, key string) setting {
	for _, s := range c.settings {
		if s.section == section && s.key == key {
			return s
		}
	}
	return setting{}
}
