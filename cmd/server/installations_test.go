package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesOfExistingInstallationsStartTheHub takes the files that package config holds its loader
// to. Their databases and upstreams are elsewhere, and need not answer.
func TestFilesOfExistingInstallationsStartTheHub(t *testing.T) {
	const installations = "../../config/testdata/installations"
	entries, err := os.ReadDir(installations)
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		tried++
		t.Run(entry.Name(), func(t *testing.T) {
			i := bare(t)
			if err := os.CopyFS(i.dir, os.DirFS(filepath.Join(installations, entry.Name()))); err != nil {
				t.Fatal(err)
			}
			i.env = map[string]string{
				"CODEX_DATABASE_CONNECTION_STRING": "sqlite:///codex.db",
				"CODEX_SERVER_LISTEN":              "127.0.0.1:0", "CODEX_SERVER_ARCHIVE_LISTEN": "127.0.0.1:0",
			}
			s := i.serve()
			if got := get(t, s.url+"/health", ""); got.status != 200 {
				t.Errorf("%d %s", got.status, got.body)
			}
			token := i.token("service")
			if got := get(t, s.archive+"/archive/api/companies", token); got.body != "[]\n" {
				t.Errorf("%d %s", got.status, got.body)
			}
			stopped := s.stop()
			if stopped.status != exitOK || strings.Contains(stopped.stdout+stopped.stderr, "hunter2") {
				t.Errorf("%+v", stopped)
			}
			check := i.must("config", "check")
			if strings.Contains(check, "hunter2") {
				t.Errorf("config check shows a secret:\n%s", check)
			}
			if _, err := os.Stat(filepath.Join(i.dir, "instance", "archive.conf")); err == nil && !strings.Contains(check, "archive.conf: the Archive service's file is not needed") {
				t.Errorf("config check does not name archive.conf:\n%s", check)
			} else if err != nil && !os.IsNotExist(err) {
				t.Error(err)
			}
		})
	}
	if tried < 5 {
		t.Errorf("only %d installations: %v", tried, fs.ErrNotExist)
	}
}
