package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/config"
	"github.com/hivematrix/codex/plans"
	"github.com/hivematrix/codex/simulator"
)

// demoInstance is the instance folder of demos: never that of a real hub.
const demoInstance = "instance-demo"

// demo serves simulated upstreams' data until ctx ends.
func (p *program) demo(ctx context.Context, addresses simulator.Addresses, newUpstream bool) (err error) {
	source, err := p.demoSource()
	if err != nil {
		return err
	}
	upstreams, err := simulator.Start(ctx, simulator.Options{Now: p.now}, addresses)
	if err != nil {
		return fmt.Errorf("%w\n--demo-freshservice, --demo-datto, --demo-core, --demo-ledger and --demo-keycloak take other addresses", err)
	}
	defer func() { err = errors.Join(err, closeUpstreams(upstreams)) }()
	source.Env = p.demoEnv(upstreams)
	c, _, err := config.Load(source)
	if err != nil {
		return err
	}
	logger, err := p.logger(c, slog.LevelWarn)
	if err != nil {
		return err
	}
	return p.serveApp(ctx, appOptions{config: c, logger: logger, now: p.now, newUpstream: newUpstream, serving: true},
		func(ctx context.Context, a *app, at serving) error {
			return p.showDemo(ctx, a, at, upstreams)
		})
}

// demoSource is where the demo's configuration comes from: its own instance folder. One that has a
// configuration file belongs to a hub, and is refused.
func (p *program) demoSource() (config.Source, error) {
	if p.configFile != "" {
		return config.Source{}, usageError("--demo takes no --config: it has a configuration of its own")
	}
	source := p.source()
	if source.InstanceDir == "" {
		source.InstanceDir = demoInstance
	}
	file := filepath.Join(source.InstanceDir, "codex.conf")
	if !filepath.IsAbs(file) {
		file = filepath.Join(p.workDir, file)
	}
	if _, err := os.Lstat(file); err == nil {
		return config.Source{}, codex.Errorf(codex.CodeConflict, "%s is there: a demo never touches the instance of a hub", file)
	}
	return source, nil
}

// demoEnv is the environment that configures a demo. Of the real one it has where to listen and how
// to log; the database and the upstreams are the demo's own, whatever else is set.
func (p *program) demoEnv(upstreams *simulator.Server) map[string]string {
	env := map[string]string{}
	for name, value := range p.env {
		if strings.HasPrefix(name, "CODEX_SERVER_") || strings.HasPrefix(name, "CODEX_LOG_") {
			env[name] = value
		}
	}
	for _, v := range []config.Value{
		{Section: "database", Key: "connection_string", Text: "sqlite:///codex.db"},
		{Section: "freshservice", Key: "domain", Text: upstreams.FreshserviceURL},
		{Section: "freshservice", Key: "api_key", Text: upstreams.FreshserviceKey},
		{Section: "datto", Key: "api_endpoint", Text: upstreams.DattoURL},
		{Section: "datto", Key: "public_key", Text: upstreams.DattoPublicKey},
		{Section: "datto", Key: "secret_key", Text: upstreams.DattoSecretKey},
		{Section: "core", Key: "url", Text: upstreams.CoreURL},
		{Section: "services", Key: "ledger_url", Text: upstreams.LedgerURL},
		{Section: "keycloak", Key: "server_url", Text: upstreams.KeycloakURL},
		{Section: "keycloak", Key: "client_id", Text: simulator.KeycloakClientID},
		{Section: "keycloak", Key: "client_secret", Text: simulator.KeycloakClientSecret},
		{Section: "keycloak", Key: "username", Text: "billing"},
		{Section: "keycloak", Key: "password", Text: simulator.KeycloakUserPassword},
	} {
		env[config.EnvName(v.Section, v.Key)] = v.Text
	}
	return env
}

// showDemo imports the plans that the companies have, syncs all feeds, lets Ledger know where the hub is,
// and shows the way in.
func (p *program) showDemo(ctx context.Context, a *app, at serving, upstreams *simulator.Server) error {
	if err := importDemoPlans(ctx, a); err != nil {
		return err
	}
	secret, err := p.demoToken(ctx, a)
	if err != nil {
		return err
	}
	err = syncFeeds(ctx, localHub(a, theDemo()), codex.Feeds(), syncFlags{}, p.reporter(false))
	if ended, ok := errors.AsType[*statusError](err); ok && ended.status != exitFailed {
		err = nil // partial or held: there is something to show, and the summary says what is missing
	}
	if err != nil {
		return err
	}
	if err := upstreams.SetLedger(simulator.LedgerSettings{Generation: simulator.LedgerC, CodexURL: at.hub, ArchiveURL: at.archive}); err != nil {
		return err
	}
	if err := upstreams.DecideTypes(ctx); err != nil {
		return err
	}
	query := demoQuery(p.now().UTC().AddDate(0, -1, 0).Year())
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return fmt.Errorf("writing the demo's query: %w", err)
	}
	answer, err := askOver(ctx, at.hub+"/graphql", secret, body)
	if err != nil {
		return fmt.Errorf("asking the demo's query: %w", err)
	}
	fmt.Fprintf(p.stdout, "\nThe nested query below, asked of %s/graphql just now:\n\n%s\n\n", at.hub, answer)
	fmt.Fprintf(p.stdout, "Start here     %s/\n", at.hub)
	fmt.Fprintf(p.stdout, "Playground     %s/playground\n", at.hub)
	fmt.Fprintf(p.stdout, "GraphQL        %s/graphql\n", at.hub)
	fmt.Fprintf(p.stdout, "REST           %s/api/companies   (as the Archive service: %s/)\n", at.hub, at.archive)
	fmt.Fprintf(p.stdout, "Simulator      %s/_simulator/\n", a.config.Freshservice.URL)
	fmt.Fprintf(p.stdout, "Core           %s/   (simulated; docs/auth.md)\n", a.config.Core.URL)
	fmt.Fprintf(p.stdout, "Ledger         %s/   (simulated: it bills what the hub serves)\n", a.config.Services.LedgerURL)
	fmt.Fprintf(p.stdout, "Token (admin)  %s\n\n", secret.Reveal())
	fmt.Fprintf(p.stdout, "curl -s %s/graphql -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '%s'\n\n", at.hub, secret.Reveal(), body)
	fmt.Fprintln(p.stdout, "Ctrl-C stops it.")
	return nil
}

// importDemoPlans imports the plans that the simulated companies have. The same file again changes nothing.
func importDemoPlans(ctx context.Context, a *app) error {
	file, err := plans.ParseFile(simulator.PlansFile())
	if err != nil {
		return fmt.Errorf("reading the demo's plans: %w", err)
	}
	_, err = plans.New(plans.Options{DB: a.db, Logger: a.logger}).Import(ctx, file, plans.ImportOptions{}, theDemo().Name)
	return err
}

// demoQuery is the question that everybody asks, of a year of tickets.
func demoQuery(year int) string {
	return fmt.Sprintf(`{ company(accountNumber: %q) { name assets { id hostname online backup { bytes usageTb } contacts { email } } `+
		`assetsTotal { count backupBytes } contacts { id name email } locations { name address } tickets(year: %d) { ticketId subject hours } } }`,
		simulator.ContosoAccountNumber, year)
}

// demoTokenPrefix begins the names of demos' tokens.
const demoTokenPrefix = "demo-"

// demoToken is a new admin token; those of earlier demos are revoked.
func (p *program) demoToken(ctx context.Context, a *app) (codex.Secret, error) {
	tokens, err := a.tokens.List(ctx)
	if err != nil {
		return "", err
	}
	for _, t := range tokens {
		if strings.HasPrefix(t.Name, demoTokenPrefix) && t.RevokedAt == nil {
			if _, err := a.tokens.Revoke(ctx, t.Name); err != nil {
				return "", err
			}
		}
	}
	name := demoTokenPrefix + p.now().UTC().Format("20060102-150405.000000")
	secret, _, err := a.tokens.Create(ctx, auth.NewToken{Name: name, Role: codex.RoleAdmin, CreatedBy: theDemo().Name})
	return secret, err
}

// askOver asks a GraphQL endpoint over HTTP, as the curl that is shown does, and gives the answer
// for people to read.
func askOver(ctx context.Context, url string, token codex.Secret, body []byte) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+token.Reveal())
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var data json.RawMessage
	if err := readAnswer(response, &data); err != nil {
		return "", err
	}
	return shortened(data)
}

// demoShown is how many records of a list a demo shows.
const demoShown = 3

// shortened is the answer to the demo's query for people: a record a line, and of each list the
// first few.
func shortened(data json.RawMessage) (string, error) {
	var answer struct {
		Company struct {
			Name                                 json.RawMessage
			Assets, Contacts, Locations, Tickets []json.RawMessage
			AssetsTotal                          json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	c := answer.Company
	var b strings.Builder
	list := func(name string, records []json.RawMessage) {
		fmt.Fprintf(&b, "    %q: [\n", name)
		for _, record := range records[:min(len(records), demoShown)] {
			fmt.Fprintf(&b, "      %s\n", record)
		}
		if more := len(records) - demoShown; more > 0 {
			fmt.Fprintf(&b, "      … and %d more\n", more)
		}
		b.WriteString("    ]\n")
	}
	fmt.Fprintf(&b, "{ \"company\": {\n    \"name\": %s\n", c.Name)
	list("assets", c.Assets)
	fmt.Fprintf(&b, "    \"assetsTotal\": %s\n", c.AssetsTotal)
	list("contacts", c.Contacts)
	list("locations", c.Locations)
	list("tickets", c.Tickets)
	b.WriteString("} }")
	return b.String(), nil
}
