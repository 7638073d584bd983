package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// Addresses are where Start listens; an empty one is a free port of 127.0.0.1.
type Addresses struct {
	Freshservice string
	Datto        string
	Core         string
	Ledger       string
	Keycloak     string
}

// Server is a simulator with its listeners.
type Server struct {
	*Sim

	// The bases that clients are configured with: http, host and port, no path. FreshserviceURL also has
	// the control face, under /_simulator/.
	FreshserviceURL string
	DattoURL        string
	CoreURL         string
	LedgerURL       string
	KeycloakURL     string

	// The credentials that are accepted.
	FreshserviceKey, DattoPublicKey, DattoSecretKey string

	servers []*http.Server
	failed  chan error
	detach  func() bool // unhooks Close from the context
}

// shutdownTime is how long answers under way may take when the server stops.
const shutdownTime = 3 * time.Second

// Start makes a simulator and serves it until Close, or until the context ends.
func Start(ctx context.Context, opts Options, addresses Addresses) (*Server, error) {
	sim, err := New(opts)
	if err != nil {
		return nil, err
	}
	return Serve(ctx, sim, addresses)
}

// Serve puts an existing simulator on listeners until Close, or until the context ends.
func Serve(ctx context.Context, sim *Sim, addresses Addresses) (*Server, error) {
	s := &Server{
		Sim: sim, failed: make(chan error, 5),
		FreshserviceKey: sim.opts.FreshserviceKey, DattoPublicKey: sim.opts.DattoPublicKey, DattoSecretKey: sim.opts.DattoSecretKey,
	}
	mux := http.NewServeMux()
	mux.Handle("/", sim.FreshserviceHandler())
	mux.Handle(controlPrefix, sim.ControlHandler())

	var err error
	if s.FreshserviceURL, err = s.listen(ctx, addresses.Freshservice, mux); err != nil {
		return nil, fmt.Errorf("serve the simulated Freshservice: %w", err)
	}
	if s.DattoURL, err = s.listen(ctx, addresses.Datto, sim.DattoHandler()); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the simulated Datto RMM: %w", err), s.Close())
	}
	if s.CoreURL, err = s.listen(ctx, addresses.Core, sim.CoreHandler()); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the simulated Core: %w", err), s.Close())
	}
	if s.LedgerURL, err = s.listen(ctx, addresses.Ledger, sim.LedgerHandler()); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the simulated Ledger: %w", err), s.Close())
	}
	if s.KeycloakURL, err = s.listen(ctx, addresses.Keycloak, sim.KeycloakHandler()); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the simulated Keycloak: %w", err), s.Close())
	}
	s.detach = context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

func (s *Server) listen(ctx context.Context, address string, handler http.Handler) (base string, err error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	s.servers = append(s.servers, server)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return "http://" + listener.Addr().String(), nil
}

// Failed tells when a listener stopped by itself, and why.
func (s *Server) Failed() <-chan error { return s.failed }

// Close stops listening and gives answers under way three seconds. Announcements that wait are dropped.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if s.detach != nil {
		s.detach()
	}
	s.webhooks.drop()
	s.ledger.client.CloseIdleConnections()
	var errs []error
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, err, server.Close())
		}
	}
	return errors.Join(errs...)
}

// onLoopback tells whether a request comes from this machine, under one of its loopback names.
func onLoopback(r *http.Request) bool {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	named := net.ParseIP(host)
	address := net.ParseIP(from)
	return address != nil && address.IsLoopback() &&
		(host == "localhost" || named != nil && named.IsLoopback())
}
