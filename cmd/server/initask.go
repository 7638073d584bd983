package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"golang.org/x/term"
)

// asker asks a person questions. On a terminal, secrets are not shown while they are typed.
type asker struct {
	in    io.Reader
	lines *bufio.Reader
	out   io.Writer
}

func newAsker(in io.Reader, out io.Writer) *asker {
	return &asker{in: in, lines: bufio.NewReader(in), out: out}
}

// errNoAnswer is what an end of input is that comes before the last answer.
var errNoAnswer = errors.New("the answers ended before the questions did; nothing was written")

// line asks for a line; an empty one is otherwise.
func (a *asker) line(question, otherwise string) (string, error) {
	if otherwise != "" {
		question += " [" + otherwise + "]"
	}
	fmt.Fprint(a.out, question+": ")
	text, err := a.lines.ReadString('\n')
	if errors.Is(err, io.EOF) && text == "" {
		return "", errNoAnswer
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading an answer: %w", err)
	}
	if text = strings.TrimSpace(text); text == "" {
		return otherwise, nil
	}
	return text, nil
}

// secret asks for a line that is not shown.
func (a *asker) secret(question string) (string, error) {
	if !isTerminal(a.in) {
		return a.line(question, "")
	}
	fmt.Fprint(a.out, question+" (not shown): ")
	text, err := term.ReadPassword(int(a.in.(*os.File).Fd())) //nolint:forcetypeassert // isTerminal has looked
	fmt.Fprintln(a.out)
	if err != nil {
		return "", fmt.Errorf("reading a secret: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// yes asks a question whose empty answer is yes.
func (a *asker) yes(question string) (bool, error) {
	text, err := a.line(question+" [Y/n]", "")
	return text == "" || strings.HasPrefix(strings.ToLower(text), "y"), err
}

// askAll asks for everything, part by part, and tries each part before it goes on.
func (p *program) askAll(ctx context.Context, path string, noCheck bool) (answers, error) {
	ask := newAsker(p.stdin, p.stdout)
	given := answers{}
	questionsOf := map[string]func(*asker) (answers, error){
		"database": askDatabase, "freshservice": askFreshservice, "datto": askDatto, "core": askCore,
	}
	for _, part := range initParts() {
		for again := true; again; {
			said, err := questionsOf[part.section](ask)
			if err != nil {
				return nil, err
			}
			for at, text := range said {
				given[at] = text
			}
			again = false
			if noCheck {
				continue
			}
			if err := p.tryPart(ctx, path, part, given); err != nil {
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				fmt.Fprintln(p.stdout, err)
				if again, err = ask.yes("Enter it again?"); err != nil {
					return nil, err
				}
			}
		}
	}
	return given, nil
}

func askDatabase(ask *asker) (answers, error) {
	kind, err := ask.line("Database: sqlite, or postgresql", "sqlite")
	if err != nil {
		return nil, err
	}
	said := answers{}
	said.set("database", "connection_string", "")
	if !strings.HasPrefix(strings.ToLower(kind), "p") {
		return said, nil
	}
	u := url.URL{Scheme: "postgresql"}
	if u.Host, err = ask.line("  Host", "localhost:5432"); err != nil {
		return nil, err
	}
	name, err := ask.line("  Database name", "codex")
	if err != nil {
		return nil, err
	}
	user, err := ask.line("  User", "codex")
	if err != nil {
		return nil, err
	}
	password, err := ask.secret("  Password")
	if err != nil {
		return nil, err
	}
	u.Path, u.User = "/"+name, url.User(user)
	if password != "" {
		u.User = url.UserPassword(user, password)
	}
	said.set("database", "connection_string", u.String())
	return said, nil
}

func askFreshservice(ask *asker) (answers, error) {
	said := answers{}
	domain, err := ask.line("Freshservice account, such as acme.freshservice.com (empty: none)", "")
	if err != nil {
		return nil, err
	}
	said.set("freshservice", "domain", domain)
	said.set("freshservice", "api_key", "")
	if domain == "" {
		return said, nil
	}
	key, err := ask.secret("  API key")
	said.set("freshservice", "api_key", key)
	return said, err
}

func askDatto(ask *asker) (answers, error) {
	said := answers{}
	endpoint, err := ask.line("Datto RMM's API, such as https://pinotage-api.centrastage.net (empty: none)", "")
	if err != nil {
		return nil, err
	}
	said.set("datto", "api_endpoint", endpoint)
	said.set("datto", "public_key", "")
	said.set("datto", "secret_key", "")
	if endpoint == "" {
		return said, nil
	}
	public, err := ask.line("  API key", "")
	if err != nil {
		return nil, err
	}
	secret, err := ask.secret("  API secret key")
	said.set("datto", "public_key", public)
	said.set("datto", "secret_key", secret)
	return said, err
}

func askCore(ask *asker) (answers, error) {
	said := answers{}
	address, err := ask.line("Core's address, such as http://localhost:5000 (empty: none)", "")
	said.set("core", "url", address)
	return said, err
}
