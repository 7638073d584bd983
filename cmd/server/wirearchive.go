package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"

	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/archive/audit"
	"github.com/hivematrix/codex/archive/proof"
	"github.com/hivematrix/codex/archive/vigil"
	"github.com/hivematrix/codex/clients/publish"
)

// keepBills makes the archive, with its log's key and where its checkpoints go.
func (a *app) keepBills(o appOptions) error {
	c := o.config.Archive
	options := archive.Options{
		DB:            a.db,
		RejectUnknown: c.UnknownAccounts == "reject",
		RejectTotals:  c.Totals == "reject",
		KeyFile:       c.KeyFile, CheckpointFile: c.CheckpointFile,
		Origin: c.LogOrigin,
		Notify: a.outbox, Random: rand.Reader, Logger: o.logger,
	}
	if c.LogOrigin == "" {
		var err error
		if options.NewOrigin, err = newOrigin(); err != nil {
			return err
		}
	}
	if a.ledger != nil {
		options.Ledger = a.ledger
	}
	switch {
	case strings.Contains(c.Publish, "://"):
		client, err := publish.New(publish.Options{URL: c.Publish, Logger: o.logger})
		if err != nil {
			return err
		}
		a.disconnect = append(a.disconnect, client.Close)
		options.Publish = client
	case c.Publish != "":
		options.Publish = archive.PublishFile(c.Publish)
	}
	a.bills = archive.New(options)
	a.verifier = vigil.New(vigil.Options{
		DB: a.db, Every: c.VerifyEvery, Notify: a.outbox, Logger: o.logger,
		Trust: func() (audit.Options, error) { return trustedFiles(c.KeyFile, c.CheckpointFile) },
	})
	return nil
}

// newOrigin is what a log is called where nobody said how: after the machine on which its key is made.
func newOrigin() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("naming the log of archived bills: %w", err)
	}
	if origin := host + "/archive"; proof.CheckOrigin(origin) == nil {
		return origin, nil
	}
	return "codex/archive", nil
}

// keepLog looks at the log before anything is archived, and after it until the app is closed.
func (a *app) keepLog(ctx context.Context) {
	a.bills.Start(ctx)
	a.attend(ctx, a.bills.Keep)
	a.attend(ctx, a.verifier.Serve)
}

// attend has fn work until the app is closed.
func (a *app) attend(ctx context.Context, fn func(ctx context.Context)) {
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		fn(ctx)
	}()
	before := a.endWork
	a.endWork = func() {
		end()
		before()
		<-ended
	}
}
