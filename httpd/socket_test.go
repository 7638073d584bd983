package httpd

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hivematrix/codex"
)

func listen(t *testing.T, dir string) (*Server, error) {
	t.Helper()
	o := testOptions(t, &logBuffer{})
	o.InstanceDir = dir
	s := New(o)
	return s, s.Listen(t.Context())
}

func closeAll(t *testing.T, s *Server) {
	t.Helper()
	for _, face := range s.faces {
		if err := face.listener.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSocketIsItsOwnersAloneAndGoesWithTheServer(t *testing.T) {
	for name, dir := range map[string]string{
		"a short path":                      shortDir(t),
		"a path longer than a socket's may": filepath.Join(t.TempDir(), strings.Repeat("long", 30)),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			h := start(t, func(o *Options, _ *timeouts) { o.InstanceDir = dir })
			file, err := os.Lstat(filepath.Join(dir, SocketName))
			if err != nil {
				t.Fatal(err)
			}
			if file.Mode() != fs.ModeSocket|0o600 {
				t.Errorf("mode %v", file.Mode())
			}
			expect(t, "over it", askWith(t, overSocket(h), http.MethodGet, "http://codex/health", nil, nil), 200, `{"status": "ok", "service": "codex"}`+"\n")
			if err := h.stop(); err != nil {
				t.Error(err)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if _, err := DialSocket(t.Context(), dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("DialSocket = %v", err)
			}
		})
	}
}

// shortDir is a temporary folder whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestASocketLeftBehindIsReplacedAndALiveOneRefused(t *testing.T) {
	dir := shortDir(t)
	path := filepath.Join(dir, SocketName)
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := DialSocket(t.Context(), dir); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("the socket of a dead process: %v", err)
	}
	first, err := listen(t, dir)
	if err != nil {
		t.Fatal("over a socket left behind: ", err)
	}
	second, err := listen(t, dir)
	if codex.CodeOf(err) != codex.CodeConflict || !strings.HasPrefix(err.Error(), "another codex serve listens on "+path) {
		t.Errorf("beside a live one: %v", err)
	}
	if second.faces != nil {
		t.Error("what was refused listens")
	}
	conn, err := DialSocket(t.Context(), dir)
	if err != nil {
		t.Fatal("the live one was disturbed: ", err)
	}
	conn.Close()
	closeAll(t, first)
	third, err := listen(t, dir)
	if err != nil {
		t.Fatal("after it was closed: ", err)
	}
	closeAll(t, third)
}

func TestAFileThatIsNoSocketIsLeftAlone(t *testing.T) {
	dir := shortDir(t)
	path := filepath.Join(dir, SocketName)
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen(t, dir); codex.CodeOf(err) != codex.CodeConflict || err.Error() != path+" is no socket: move it away" {
		t.Errorf("Listen = %v", err)
	}
	if kept, err := os.ReadFile(path); err != nil || string(kept) != "precious" {
		t.Errorf("the file: %q, %v", kept, err)
	}
}

func TestTheSocketOfAnotherProcessIsNotTakenAway(t *testing.T) {
	dir := shortDir(t)
	path := filepath.Join(dir, SocketName)
	old, err := listenSocket(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil { // somebody thought that it was left behind
		t.Fatal(err)
	}
	s, err := listen(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Error(err)
	}
	conn, err := DialSocket(t.Context(), dir)
	if err != nil {
		t.Fatal("the new one's socket is gone: ", err)
	}
	conn.Close()
	closeAll(t, s)
}

func TestAnAddressThatIsTakenLeavesNothingOpen(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o := testOptions(t, &logBuffer{})
	o.InstanceDir, o.ArchiveListen = shortDir(t), taken.Addr().String()
	s := New(o)
	err = s.Listen(t.Context())
	if !errors.Is(err, syscall.EADDRINUSE) || !strings.HasPrefix(err.Error(), "listening on [server] archive_listen = 127.0.0.1:") {
		t.Errorf("Listen = %v", err)
	}
	if left, err := os.ReadDir(o.InstanceDir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if err := New(o).Serve(t.Context()); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("Serve = %v", err)
	}
}
