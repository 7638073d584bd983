package rest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// errReaderGone is what a writer hears when nobody wants the rest.
var errReaderGone = errors.New("the reader has gone")

// spool is a pipe that never makes its writer wait: what the reader has not taken is kept in memory
// up to a limit, and beyond it in a temporary file that has no name. One goroutine writes, one
// reads.
type spool struct {
	dir   string // of the file; empty is the system's
	limit int    // bytes kept in memory, but for a single write that is larger

	mu     sync.Mutex
	change sync.Cond
	// What is unread is first memory, then file from read to written: memory takes more only while
	// the file is empty.
	memory  bytes.Buffer
	file    *os.File // nil until it is needed
	read    int64
	written int64
	err     error // why nothing more comes: io.EOF at the end
}

func newSpool(dir string, limit int) *spool {
	s := &spool{dir: dir, limit: limit}
	s.change.L = &s.mu
	return s
}

// Write keeps p for the reader and does not wait for it.
func (s *spool) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.change.Signal()
	if s.err != nil {
		return 0, s.err
	}
	inMemory := s.read == s.written && (s.memory.Len() == 0 || s.memory.Len()+len(p) <= s.limit)
	if inMemory {
		return s.memory.Write(p)
	}
	if s.file == nil {
		file, err := temporary(s.dir)
		if err != nil {
			return 0, err
		}
		s.file = file
	}
	n, err := s.file.WriteAt(p, s.written)
	if err != nil {
		return 0, fmt.Errorf("spooling an answer: %w", err)
	}
	s.written += int64(n)
	return n, nil
}

// finish says that nothing more comes. With an error the reader gets it at once, in the place of
// what it has not read: a part of an answer is of no use to anybody.
func (s *spool) finish(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	if err == nil {
		err = io.EOF
	}
	s.err = err
	s.change.Signal()
}

// Read waits until there is something, or nothing more comes.
func (s *spool) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.memory.Len() == 0 && s.read == s.written && s.err == nil {
		s.change.Wait()
	}
	switch {
	case s.err != nil && !errors.Is(s.err, io.EOF):
		return 0, s.err
	case s.memory.Len() > 0:
		return s.memory.Read(p)
	case s.read < s.written:
		return s.readFile(p)
	default:
		return 0, io.EOF
	}
}

// readFile is called with the lock, when the file has something unread. Once all of it was read, it
// is begun anew, so that it is never larger than what a reader was behind.
func (s *spool) readFile(p []byte) (int, error) {
	p = p[:min(int64(len(p)), s.written-s.read)]
	n, err := s.file.ReadAt(p, s.read)
	s.read += int64(n)
	if err != nil {
		return n, fmt.Errorf("reading a spooled answer: %w", err)
	}
	if s.read == s.written {
		s.read, s.written = 0, 0
		if err := s.file.Truncate(0); err != nil {
			return n, fmt.Errorf("emptying a spooled answer: %w", err)
		}
	}
	return n, nil
}

// Close is the reader's: it wants nothing more, and the writer hears so. The file is gone with it.
func (s *spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = errReaderGone
	s.memory = bytes.Buffer{}
	s.read, s.written = 0, 0
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	if err := file.Close(); err != nil {
		return fmt.Errorf("closing a spooled answer: %w", err)
	}
	return nil
}

// temporary makes a file without a name, readable by nobody else: it ends with its last handle,
// whatever becomes of the process.
func temporary(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "codex-answer-*")
	if err != nil {
		return nil, fmt.Errorf("making a file to spool an answer: %w", err)
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("taking the name from a spooled answer: %w", err), file.Close())
	}
	return file, nil
}
