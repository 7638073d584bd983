package rest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

func TestASpoolGivesWhatItWasGivenInThatOrder(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		s := newSpool(dir, rapid.IntRange(0, 64).Draw(t, "limit"))
		var written, read []byte
		next := byte(0)
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				p := make([]byte, rapid.IntRange(1, 100).Draw(t, "bytes"))
				for i := range p {
					p[i] = next
					next++
				}
				if n, err := s.Write(p); n != len(p) || err != nil {
					t.Fatalf("Write = %d, %v", n, err)
				}
				written = append(written, p...)
			},
			"read": func(t *rapid.T) {
				if len(read) == len(written) {
					return // a read would wait for the next write
				}
				p := make([]byte, rapid.IntRange(1, 100).Draw(t, "bytes"))
				n, err := s.Read(p)
				if n == 0 || err != nil {
					t.Fatalf("Read = %d, %v", n, err)
				}
				read = append(read, p[:n]...)
			},
			"": func(t *rapid.T) {
				if !bytes.HasPrefix(written, read) {
					t.Fatal("what was read is not what was written")
				}
				if s.memory.Len() > max(s.limit, 100) {
					t.Fatalf("%d bytes in memory, the limit is %d", s.memory.Len(), s.limit)
				}
			},
		})
		s.finish(nil)
		rest, err := io.ReadAll(s)
		if err != nil || !bytes.Equal(append(read, rest...), written) {
			t.Fatalf("the end: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestASpoolsFileHasNoNameAndOnlyWhatTheReaderIsBehind(t *testing.T) {
	dir := t.TempDir()
	s := newSpool(dir, 4)
	for range 3 {
		if _, err := s.Write([]byte("12345678")); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 0 {
		t.Errorf("files: %v, %v", names, err)
	}
	size := func() int64 {
		info, err := s.file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
		return info.Size()
	}
	if got := size(); got != 16 { // the first write is in memory
		t.Errorf("the file has %d bytes", got)
	}
	if _, err := io.ReadFull(s, make([]byte, 24)); err != nil {
		t.Fatal(err)
	}
	if got := size(); got != 0 {
		t.Errorf("read to its end the file has %d bytes", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestASpoolThatFailsTellsTheReaderAtOnce(t *testing.T) {
	s := newSpool(t.TempDir(), 100)
	cause := errors.New("the database went away")
	if _, err := s.Write([]byte("a part")); err != nil {
		t.Fatal(err)
	}
	s.finish(cause)
	s.finish(nil) // too late to make it good
	if n, err := s.Read(make([]byte, 10)); n != 0 || !errors.Is(err, cause) {
		t.Errorf("Read = %d, %v", n, err)
	}
	if _, err := s.Write([]byte("more")); !errors.Is(err, cause) {
		t.Errorf("Write = %v", err)
	}
}

func TestASpoolWithoutReaderTakesNothingMore(t *testing.T) {
	s := newSpool(t.TempDir(), 1)
	for range 2 {
		if _, err := s.Write([]byte("12")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("12")); !errors.Is(err, errReaderGone) {
		t.Errorf("Write = %v", err)
	}
	if _, err := s.Read(make([]byte, 1)); !errors.Is(err, errReaderGone) {
		t.Errorf("Read = %v", err)
	}
}

func TestASpoolThatCannotMakeItsFileSaysSo(t *testing.T) {
	s := newSpool(filepath.Join(t.TempDir(), "not-there"), 1)
	if _, err := s.Write([]byte("12")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("12")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Write = %v", err)
	}
}
