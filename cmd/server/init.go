package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/core"
	"github.com/hivematrix/codex/config"
	"github.com/hivematrix/codex/telemetry"
)

// initFlags are the answers that codex init was given on the command line.
type initFlags struct {
	answers            answers
	overwrite, noCheck bool
}

func (p *program) initCommand() *cobra.Command {
	var flags initFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write instance/codex.conf",
		Long: "Asks for database, Freshservice, Datto RMM and Core, or takes them by flags, tries each, and\n" +
			"writes the configuration file, which its owner alone may read. What is asked for in secret is\n" +
			"not shown. With any flag that answers a question nothing is asked: what has no flag is left\n" +
			"out, and the secrets may come from CODEX_FRESHSERVICE_API_KEY and CODEX_DATTO_SECRET_KEY, so\n" +
			"that no list of processes shows them.",
		Example: "  codex init\n" +
			"  codex init --freshservice-domain acme.freshservice.com --freshservice-api-key KEY \\\n" +
			"    --datto-api-endpoint https://pinotage-api.centrastage.net --datto-public-key KEY --datto-secret-key KEY\n" +
			"  codex init --database postgresql://codex:password@localhost/codex --no-check",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask := true
			for _, q := range questions() {
				ask = ask && !cmd.Flags().Changed(q.flag)
			}
			return p.init(cmd.Context(), flags, ask)
		},
	}
	set := cmd.Flags()
	set.SortFlags = false
	flags.answers = answers{}
	for _, q := range questions() {
		set.Var(answerFlag{flags.answers, q.section, q.key}, q.flag, q.usage)
	}
	set.BoolVar(&flags.overwrite, "overwrite", false, "replace a configuration file that is there")
	set.BoolVar(&flags.noCheck, "no-check", false, "write without trying anything")
	return cmd
}

// question is what codex init wants to know, by a flag or by asking.
type question struct {
	section, key string
	flag, usage  string
	secret       bool
}

func questions() []question {
	return []question{
		{"database", "connection_string", "database", "the `connection string` of PostgreSQL or SQLite (default: SQLite in the instance folder)", true},
		{"freshservice", "domain", "freshservice-domain", "the Freshservice `account`, such as acme.freshservice.com", false},
		{"freshservice", "api_key", "freshservice-api-key", "the API `key` of a Freshservice agent", true},
		{"datto", "api_endpoint", "datto-api-endpoint", "the `address` of Datto RMM's API", false},
		{"datto", "public_key", "datto-public-key", "the API `key` of a Datto RMM user", false},
		{"datto", "secret_key", "datto-secret-key", "the API secret `key` of that user", true},
		{"core", "url", "core-url", "the `address` of Core", false},
	}
}

// answers are texts by section and key.
type answers map[[2]string]string

func (a answers) get(section, key string) string { return a[[2]string{section, key}] }

func (a answers) set(section, key, text string) { a[[2]string{section, key}] = text }

// section is what was said of one section, for a file of its own.
func (a answers) section(name string) answers {
	part := answers{}
	for at, text := range a {
		if at[0] == name {
			part[at] = text
		}
	}
	return part
}

func (a answers) values() []config.Value {
	values := make([]config.Value, 0, len(a))
	for at, text := range a {
		values = append(values, config.Value{Section: at[0], Key: at[1], Text: text})
	}
	return values
}

// answerFlag is the flag that answers a question. Its text is not shown as a default.
type answerFlag struct {
	answers      answers
	section, key string
}

func (f answerFlag) String() string { return "" }
func (f answerFlag) Type() string   { return "string" }
func (f answerFlag) Set(text string) error {
	f.answers.set(f.section, f.key, text)
	return nil
}

func (p *program) init(ctx context.Context, flags initFlags, ask bool) error {
	path := p.initPath()
	if _, err := os.Lstat(path); err == nil && !flags.overwrite {
		return codex.Errorf(codex.CodeConflict, "%s is there already: --overwrite replaces it", path)
	}
	given := flags.answers
	if ask {
		var err error
		if given, err = p.askAll(ctx, path, flags.noCheck); err != nil {
			return err
		}
	} else {
		p.secretsFromEnvironment(given)
		if !flags.noCheck {
			for _, part := range initParts() {
				if err := p.tryPart(ctx, path, part, given); err != nil {
					return fmt.Errorf("%w\nnothing was written; --no-check writes without trying", err)
				}
			}
		}
	}
	if err := config.Write(path, given.values(), flags.overwrite); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "wrote %s\n", path)
	return nil
}

// initPath is the file that codex init writes.
func (p *program) initPath() string {
	path := p.configFile
	if path == "" {
		path = filepath.Join(p.instanceDir, "codex.conf")
		if p.instanceDir == "" {
			path = filepath.Join("instance", "codex.conf")
		}
	}
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.workDir, path)
}

// secretsFromEnvironment takes the secrets of the upstreams that have flags from the environment.
func (p *program) secretsFromEnvironment(given answers) {
	for _, q := range questions() {
		if text := p.env[config.EnvName(q.section, q.key)]; q.secret && text != "" &&
			given.get(q.section, q.key) == "" && len(given.section(q.section)) > 0 {
			given.set(q.section, q.key, text)
		}
	}
}

// initPart is one thing that codex init tries.
type initPart struct {
	section, name string
	try           func(ctx context.Context, p *program, c *config.Config, logger *slog.Logger) (string, error)
}

func initParts() []initPart {
	return []initPart{
		{"database", "the database", tryDatabase},
		{"freshservice", "Freshservice", tryFreshservice},
		{"datto", "Datto RMM", tryDatto},
		{"core", "Core", tryCore},
	}
}

// tryPart makes sure that what was said of a section works. Nothing said of it is fine, but for the
// database, which then has its default.
func (p *program) tryPart(ctx context.Context, path string, part initPart, given answers) error {
	said := given.section(part.section)
	for at, text := range said {
		if text == "" {
			delete(said, at)
		}
	}
	if len(said) == 0 && part.section != "database" {
		return nil
	}
	c, err := configOf(path, said)
	if err != nil {
		return err
	}
	logger, err := telemetry.NewLogger(p.stderr, slog.LevelError, "text")
	if err != nil {
		return err
	}
	works, err := part.try(ctx, p, c, logger)
	if err != nil {
		return fmt.Errorf("%s does not work: %w", part.name, err)
	}
	fmt.Fprintf(p.stdout, "%s works: %s\n", part.name, works)
	return nil
}

// configOf is the configuration that the file at path would be with said alone. What may be there
// already, and is to be replaced, is not read: an empty file stands for it.
func configOf(path string, said answers) (*config.Config, error) {
	env := map[string]string{}
	for at, text := range said {
		env[config.EnvName(at[0], at[1])] = text
	}
	c, _, err := config.Load(config.Source{
		ConfigFile: os.DevNull, InstanceDir: filepath.Dir(path), WorkDir: filepath.Dir(path), Env: env,
	})
	return c, err
}

func tryDatabase(ctx context.Context, p *program, c *config.Config, logger *slog.Logger) (string, error) {
	db, err := openDatabase(ctx, c, logger, p.now)
	if err != nil {
		return "", err
	}
	_, err = db.MigrationStatus(ctx)
	return c.Database.Display, errors.Join(err, db.Close())
}

func tryFreshservice(ctx context.Context, p *program, c *config.Config, logger *slog.Logger) (string, error) {
	client, err := freshserviceClient(c.Freshservice, logger, p.now)
	if err != nil {
		return "", err
	}
	me, err := client.Me(ctx)
	if err != nil {
		return "", err
	}
	if me.Email == nil {
		return "the key is that of agent " + strconv.FormatInt(me.ID, 10), nil
	}
	return "the key is that of " + *me.Email, nil
}

func tryDatto(ctx context.Context, p *program, c *config.Config, logger *slog.Logger) (string, error) {
	client, err := dattoClient(c.Datto, logger, p.now)
	if err != nil {
		return "", err
	}
	rate, err := client.RequestRate(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d reads in %s are allowed", rate.Limit, rate.Window), nil
}

func tryCore(ctx context.Context, p *program, c *config.Config, logger *slog.Logger) (string, error) {
	keys, err := core.CheckKeys(ctx, core.Options{BaseURL: c.Core.URL, Now: p.now, Logger: logger})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("it has %d signing keys", keys), nil
}
