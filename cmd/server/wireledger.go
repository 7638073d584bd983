package main

import (
	"log/slog"
	"time"

	"github.com/hivematrix/codex/clients/core"
	"github.com/hivematrix/codex/clients/keycloak"
	"github.com/hivematrix/codex/clients/ledger"
	"github.com/hivematrix/codex/config"
)

// askLedger makes the desk at which Ledger is asked, where one is configured: with service tokens and the
// configured account's where there is a Core.
func (a *app) askLedger(o appOptions) error {
	if o.config.Services.LedgerURL == "" {
		return nil
	}
	client, err := ledgerClient(o.config.Services, o.logger, o.now)
	if err != nil {
		return err
	}
	a.disconnect = append(a.disconnect, client.Close)
	options := ledger.DeskOptions{Client: client, Now: o.now}
	if a.core != nil {
		options.Service = a.core.For("ledger")
	}
	if o.config.Keycloak.Enabled() {
		account, err := keycloakClient(o.config.Keycloak, o.logger, o.now)
		if err != nil {
			return err
		}
		a.disconnect = append(a.disconnect, account.Close)
		options.Account = a.core.ForUser(account.AccessToken)
	}
	a.ledger = ledger.NewDesk(options)
	return nil
}

func ledgerClient(c config.Services, logger *slog.Logger, now func() time.Time) (*ledger.Client, error) {
	return ledger.New(ledger.Options{BaseURL: c.LedgerURL, CallLimit: c.LedgerTimeLimit, Now: now, Logger: logger})
}

func keycloakClient(c config.Keycloak, logger *slog.Logger, now func() time.Time) (*keycloak.Client, error) {
	return keycloak.New(keycloak.Options{
		ServerURL: c.ServerURL, Realm: c.Realm, ClientID: c.ClientID, ClientSecret: c.ClientSecret,
		Username: c.Username, Password: c.Password, Now: now, Logger: logger,
	})
}

func coreClient(c config.Core, logger *slog.Logger, now func() time.Time) (*core.Client, error) {
	return core.New(core.Options{BaseURL: c.URL, ServiceName: c.ServiceName, Now: now, Logger: logger})
}
