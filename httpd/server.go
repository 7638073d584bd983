package httpd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"github.com/hivematrix/codex/archive"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/rest"
)

const (
	maxHeadBytes = 64 << 10
	maxBodyBytes = archive.MaxBodyBytes // an outer bound: what takes bodies has a narrower one of its own
)

// timeouts are how long things may take.
type timeouts struct {
	head      time.Duration // the head of a request
	body      time.Duration // the whole body of a request
	write     time.Duration // each write of an answer
	idle      time.Duration // until the next request of a connection
	token     time.Duration // between two looks at whether the token of a stream is still good
	grace     time.Duration // requests under way when the server is stopped
	lastGrace time.Duration // their handlers, to notice that they were broken off
}

func defaultTimeouts() timeouts {
	return timeouts{
		head: 10 * time.Second, body: time.Minute, write: time.Minute, idle: 2 * time.Minute, token: 30 * time.Second,
		grace: 10 * time.Second, lastGrace: 2 * time.Second,
	}
}

// Options say what is served, and where.
type Options struct {
	// Listen and ArchiveListen are the addresses of the two listeners, as [net.Listen] takes them.
	Listen, ArchiveListen string
	// InstanceDir is the folder of the socket.
	InstanceDir string

	// GraphQL serves /graphql and REST all that is not served here. Both find the caller in the
	// request's context and decide what it may.
	GraphQL, REST http.Handler
	// Webhooks serves what lies under /webhooks/. It finds no caller and no token is looked at: it
	// authenticates by itself. Nil: there is nothing.
	Webhooks http.Handler
	// Pages are index.html, playground.html and assets/… whose names carry a hash; nil where the
	// program was built without them.
	Pages fs.FS
	// Callers know who is calling.
	Callers Callers

	// OnStop is called when the server is told to stop: it ends answers that last as long as they may,
	// for which the grace would be waited in vain. Nil: there are none.
	OnStop func()

	Logger *slog.Logger
	Now    func() time.Time // the real clock
}

// Callers know who is calling: [*auth.Callers] is one.
type Callers interface {
	// Authenticate is who brings proof; a [codex.CodeUnauthenticated] error where nobody does.
	Authenticate(ctx context.Context, proof auth.Proof) (auth.Known, error)
	// SignIn begins a session with a token that came from peer, SignOut ends one.
	SignIn(ctx context.Context, token string, peer netip.Addr) (auth.Session, error)
	SignOut(ctx context.Context, value string) error
}

// Server is the HTTP face.
type Server struct {
	Options
	timeouts timeouts
	faces    []*face
	// handlers are the requests that are being answered.
	handlers sync.WaitGroup
}

// face is one of the listeners.
type face struct {
	service  string // what /health says
	local    bool   // the socket: callers are users of this machine and bring no token
	listener net.Listener
	server   *http.Server
}

// New makes a server, which listens nowhere yet.
func New(o Options) *Server {
	if o.OnStop == nil {
		o.OnStop = func() {}
	}
	if o.Webhooks == nil {
		o.Webhooks = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			rest.WriteError(w, http.StatusNotFound, "Not found")
		})
	}
	return &Server{Options: o, timeouts: defaultTimeouts()}
}

// Listen opens the socket and both addresses, or none of them. It is apart from [Server.Serve] so
// that one knows where, and that one can, before anything else is begun.
func (s *Server) Listen(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			for _, face := range s.faces {
				err = errors.Join(err, face.listener.Close())
			}
			s.faces = nil
		}
	}()
	socket, err := listenSocket(ctx, filepath.Join(s.InstanceDir, SocketName))
	if err != nil {
		return err
	}
	s.faces = append(s.faces, &face{service: "codex", local: true, listener: socket})
	for _, one := range []struct{ service, key, address string }{
		{"codex", "listen", s.Options.Listen}, {"archive", "archive_listen", s.ArchiveListen},
	} {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", one.address)
		if err != nil {
			return fmt.Errorf("listening on [server] %s = %s: %w", one.key, one.address, err)
		}
		s.faces = append(s.faces, &face{service: one.service, listener: listener})
	}
	return nil
}

// URL is where the hub is after Listen, such as http://127.0.0.1:5001.
func (s *Server) URL() string { return "http://" + s.faces[1].listener.Addr().String() }

// ArchiveURL is where the hub stands in the place of Archive, after Listen.
func (s *Server) ArchiveURL() string { return "http://" + s.faces[2].listener.Addr().String() }

// Serve answers requests until ctx ends, or a listener fails. It listens first where that was not
// done yet. When it returns, nothing of it is at work any more, but for handlers that do not heed
// their context.
func (s *Server) Serve(ctx context.Context) error {
	if s.faces == nil {
		if err := s.Listen(ctx); err != nil {
			return err
		}
	}
	// Not ctx itself: requests under way outlast it by the grace.
	base, breakOff := context.WithCancel(context.WithoutCancel(ctx))
	defer breakOff()
	failed := make(chan error, len(s.faces))
	for _, face := range s.faces {
		face.server = &http.Server{
			Handler:           s.handler(face),
			ReadHeaderTimeout: s.timeouts.head,
			IdleTimeout:       s.timeouts.idle,
			MaxHeaderBytes:    maxHeadBytes,
			BaseContext:       func(net.Listener) context.Context { return base },
			ErrorLog:          slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
		}
		if face.local {
			face.server.ConnContext = withUser
		}
		go func() {
			err := face.server.Serve(face.listener)
			if !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serving on %s: %w", face.listener.Addr(), err)
			}
		}()
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, s.stop(base, breakOff))
}

// stop takes no new request and waits for those under way, as long as the grace lasts.
func (s *Server) stop(base context.Context, breakOff func()) error {
	s.OnStop()
	within, cancel := context.WithTimeout(base, s.timeouts.grace)
	defer cancel()
	var all sync.WaitGroup
	for _, face := range s.faces {
		all.Go(func() {
			if err := face.server.Shutdown(within); err != nil {
				s.Logger.WarnContext(base, "requests are broken off, the time to finish them is over",
					slog.String("service", face.service), slog.String("err", err.Error()))
			}
		})
	}
	all.Wait()
	breakOff()
	var err error
	for _, face := range s.faces {
		if closed := face.server.Close(); closed != nil && !errors.Is(closed, net.ErrClosed) {
			err = errors.Join(err, closed)
		}
	}
	ended := make(chan struct{})
	go func() {
		s.handlers.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(s.timeouts.lastGrace):
		s.Logger.WarnContext(base, "a request does not end although it was broken off")
	}
	return err
}
