package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/hivematrix/codex/httpd"
	"github.com/hivematrix/codex/web"
)

// serving is where a hub listens.
type serving struct{ hub, archive string }

// serveApp wires an app and serves it until ctx ends; then runs beside it, once it listens. A hub
// that was told to stop has no error, whatever that broke off.
func (p *program) serveApp(ctx context.Context, o appOptions, then func(ctx context.Context, a *app, at serving) error) (err error) {
	if err := os.MkdirAll(o.config.InstanceDir, 0o700); err != nil {
		return fmt.Errorf("making the instance folder: %w", err)
	}
	a, err := newApp(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	server := httpd.New(httpd.Options{
		Listen: o.config.Server.Listen, ArchiveListen: o.config.Server.ArchiveListen,
		InstanceDir: o.config.InstanceDir,
		GraphQL:     a.graphql, REST: a.rest, Webhooks: a.webhooks, Pages: builtPages(),
		Callers: a.callers,
		OnStop:  a.graphql.EndStreams,
		Logger:  o.logger,
		Now:     time.Now, // deadlines of connections go by the real clock
	})
	if err := server.Listen(ctx); err != nil {
		return err
	}
	return serveBeside(ctx, server, func(ctx context.Context) error {
		return then(ctx, a, serving{hub: server.URL(), archive: server.ArchiveURL()})
	})
}

// serveBeside serves until ctx ends, and runs then meanwhile: if that fails, the server stops.
func serveBeside(ctx context.Context, server *httpd.Server, then func(context.Context) error) error {
	serveCtx, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() {
		defer stop() // a listener that failed ends then, too
		served <- server.Serve(serveCtx)
	}()
	err := then(serveCtx)
	if ctx.Err() != nil { // told to stop: what that broke off is no failure
		err = nil
	}
	if err != nil {
		stop()
	}
	return errors.Join(<-served, err)
}

// builtPages are the web pages, or nil where this program was built without them.
func builtPages() fs.FS {
	if !web.Built() {
		return nil
	}
	return web.Files()
}
