package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hivematrix/codex/simulator"
)

// Where simulated upstreams listen unless told otherwise. The ports are the same each time, since a
// database remembers where its data comes from.
const (
	simulatedFreshservice = "127.0.0.1:5091"
	simulatedDatto        = "127.0.0.1:5092"
	simulatedCore         = "127.0.0.1:5093"
	simulatedLedger       = "127.0.0.1:5094"
	simulatedKeycloak     = "127.0.0.1:5095"
)

// simulatedAddresses are all of them.
func simulatedAddresses() simulator.Addresses {
	return simulator.Addresses{
		Freshservice: simulatedFreshservice, Datto: simulatedDatto, Core: simulatedCore, Ledger: simulatedLedger, Keycloak: simulatedKeycloak,
	}
}

func (p *program) simulateCommand() *cobra.Command {
	var options simulator.Options
	var tier, generation string
	addresses := simulatedAddresses()
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Serve simulated upstreams",
		Long: "Serves a simulated Freshservice and a simulated Datto RMM over HTTP, with data made from a\n" +
			"seed, a simulated Core with its Keycloak, and a simulated Ledger that bills what the hub at\n" +
			"--codex-url serves, until it is stopped, and prints the sections of codex.conf with which a hub\n" +
			"uses them. This Core gives tokens to whoever asks: for no hub with real data. The plans that the\n" +
			"companies have are for codex plans import, at /_simulator/plans on Freshservice's address.",
		Example: "  codex simulate\n" +
			"  codex simulate --companies 200 --assets 20000 --tier pro\n" +
			"  codex simulate --ledger-generation B --codex-url http://127.0.0.1:5001",
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Tier, err = simulator.ParseTier(tier); err != nil {
				return usageError("--tier: %w", err)
			}
			if options.Ledger.Generation, err = simulator.ParseLedgerGeneration(generation); err != nil {
				return usageError("--ledger-generation: %w", err)
			}
			options.Now = p.now
			return p.simulate(cmd.Context(), options, addresses)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&addresses.Freshservice, "listen-freshservice", addresses.Freshservice, "where the simulated Freshservice `listens`")
	flags.StringVar(&addresses.Datto, "listen-datto", addresses.Datto, "where the simulated Datto RMM `listens`")
	flags.StringVar(&addresses.Core, "listen-core", addresses.Core, "where the simulated Core `listens`")
	flags.StringVar(&addresses.Ledger, "listen-ledger", addresses.Ledger, "where the simulated Ledger `listens`")
	flags.StringVar(&addresses.Keycloak, "listen-keycloak", addresses.Keycloak, "where the simulated Keycloak `listens`")
	flags.StringVar(&generation, "ledger-generation", string(simulator.LedgerC), "which Ledger it is: A, B or C (docs/compatibility.md)")
	flags.StringVar(&options.Ledger.CodexURL, "codex-url", "http://127.0.0.1:5001", "the hub's address, which Ledger bills from (and sends to: A and B)")
	flags.Uint64Var(&options.Seed, "seed", 1, "the `seed` of everything random")
	flags.IntVar(&options.Companies, "companies", simulator.DefaultCompanies, "how many companies there are")
	flags.IntVar(&options.Assets, "assets", simulator.DefaultAssets, "how many machines there are")
	flags.IntVar(&options.Contacts, "contacts", simulator.DefaultContacts, "how many people there are")
	flags.IntVar(&options.Tickets, "tickets", simulator.DefaultTickets, "how many tickets there are")
	flags.BoolVar(&options.Plain, "plain", false, "leave the awkward cases out")
	flags.StringVar(&tier, "tier", string(simulator.TierNone), "the Freshservice `plan` whose limits hold: none, starter, growth, pro, enterprise")
	flags.DurationVar(&options.Latency, "latency", 0, "wait so long before each answer")
	return cmd
}

func (p *program) simulate(ctx context.Context, options simulator.Options, addresses simulator.Addresses) error {
	server, err := simulator.Start(ctx, options, addresses)
	if err != nil {
		return fmt.Errorf("starting the simulator (--listen-freshservice, --listen-datto, --listen-core, --listen-ledger and --listen-keycloak take other addresses): %w", err)
	}
	fmt.Fprintf(p.stdout, "# Simulated upstreams; faults and changes: %s/_simulator/\n", server.FreshserviceURL)
	fmt.Fprintf(p.stdout, "[freshservice]\ndomain = %s\napi_key = %s\n\n", server.FreshserviceURL, server.FreshserviceKey)
	fmt.Fprintf(p.stdout, "[datto]\napi_endpoint = %s\npublic_key = %s\nsecret_key = %s\n\n", server.DattoURL, server.DattoPublicKey, server.DattoSecretKey)
	fmt.Fprintf(p.stdout, "[services]\nledger_url = %s\n\n", server.LedgerURL)
	fmt.Fprintf(p.stdout, "[keycloak]\nserver_url = %s\nclient_id = %s\nclient_secret = %s\nusername = billing\npassword = %s\n\n",
		server.KeycloakURL, simulator.KeycloakClientID, simulator.KeycloakClientSecret, simulator.KeycloakUserPassword)
	fmt.Fprintf(p.stdout, "[core]\nurl = %s\n", server.CoreURL)
	select {
	case <-ctx.Done():
		return closeUpstreams(server)
	case err := <-server.Failed():
		return fmt.Errorf("the simulator stopped: %w", err)
	}
}

// closeUpstreams stops simulated upstreams. That connections had to be broken off is no failure: one
// that never carried a request, as Go's client opens them in reserve, counts as busy for five seconds
// ([http.Server.Shutdown]), which is longer than the simulator waits.
func closeUpstreams(server *simulator.Server) error {
	if err := server.Close(); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// shownTime is t as tables have it.
func shownTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// shownTimeOr is t as tables have it, or otherwise where there is none.
func shownTimeOr(t *time.Time, otherwise string) string {
	if t == nil {
		return otherwise
	}
	return shownTime(*t)
}
