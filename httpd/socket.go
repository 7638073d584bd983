package httpd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hivematrix/codex"
)

// SocketName is the name of the socket in the instance folder.
const SocketName = "codex.sock"

// maxSocketPath is the longest path that every system takes for a socket (Linux 107 bytes, the BSDs
// 103).
const maxSocketPath = 103

// DialSocket connects to the process that serves the instance folder. Nobody listens where the error
// is [fs.ErrNotExist] or [syscall.ECONNREFUSED].
func DialSocket(ctx context.Context, instanceDir string) (net.Conn, error) {
	return dialSocket(ctx, filepath.Join(instanceDir, SocketName))
}

func dialSocket(ctx context.Context, path string) (conn net.Conn, err error) {
	err = withShortPath(path, func(short string) error {
		conn, err = (&net.Dialer{}).DialContext(ctx, "unix", short)
		return err
	})
	return conn, err
}

// socket is a listener that takes its file away when it is closed.
type socket struct {
	net.Listener
	path string
	file fs.FileInfo
}

// listenSocket listens on a socket at path that only its owner can open. The file of a process that
// died is replaced; where somebody listens, it is a [codex.CodeConflict] error.
//
// The socket is made in a folder of its own, closed to others, and moved to its place once its
// rights are set: at no time can anybody else open it, and the umask, which is all the process's,
// stays as it is.
func listenSocket(ctx context.Context, path string) (_ net.Listener, err error) {
	if err := free(ctx, path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".socket-*")
	if err != nil {
		return nil, fmt.Errorf("making the socket %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	made := filepath.Join(dir, "s")
	var listener *net.UnixListener
	err = withShortPath(made, func(short string) error {
		listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: short, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listening on the socket %s: %w", path, err)
	}
	listener.SetUnlinkOnClose(false) // it would unlink the name under which it was made
	file, err := settle(made, path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making the socket %s: %w", path, err), listener.Close())
	}
	return &socket{listener, path, file}, nil
}

func settle(made, path string) (fs.FileInfo, error) {
	if err := os.Chmod(made, 0o600); err != nil {
		return nil, err
	}
	if err := os.Rename(made, path); err != nil {
		return nil, err
	}
	return os.Lstat(path)
}

// free makes sure that nobody listens at path, and that what is there may be replaced.
func free(ctx context.Context, path string) error {
	file, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("making the socket: %w", err)
	case file.Mode().Type() != fs.ModeSocket:
		return codex.Errorf(codex.CodeConflict, "%s is no socket: move it away", path)
	}
	conn, err := dialSocket(ctx, path)
	switch {
	case err == nil:
		return errors.Join(
			codex.Errorf(codex.CodeConflict, "another codex serve listens on %s: stop it, or give this one an instance folder of its own", path),
			conn.Close())
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil // left behind by a process that died, or just taken away
	default:
		return fmt.Errorf("asking whether somebody listens on %s: %w", path, err)
	}
}

// Close stops listening and removes the file, unless it is another process's by now.
func (s *socket) Close() error {
	err := s.Listener.Close()
	if now, statErr := os.Lstat(s.path); statErr == nil && os.SameFile(now, s.file) {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}

// withShortPath calls use with a path to the same place that is short enough for a socket: where it
// is not short already, by way of the open folder (Linux has that in /proc).
func withShortPath(path string, use func(short string) error) error {
	if len(path) <= maxSocketPath {
		return use(path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close() //nolint:errcheck // nothing was written
	short := fmt.Sprintf("/proc/self/fd/%d", dir.Fd())
	if _, err := os.Stat(short); err != nil {
		return codex.Errorf(codex.CodeBadInput, "the path of the socket %s has %d bytes and may have %d: choose a shorter instance folder", path, len(path), maxSocketPath)
	}
	return use(filepath.Join(short, filepath.Base(path)))
}
