package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/hivematrix/codex/simulator"
	"github.com/hivematrix/codex/store/storetest"
)

// coreServer serves the signing keys of a Core.
func coreServer(t *testing.T) string {
	sim, err := simulator.New(simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim.CoreHandler())
	t.Cleanup(server.Close)
	return server.URL
}

// startsAndSyncs makes sure that a serve starts with the file that was written, and syncs.
func (i *installation) startsAndSyncs() {
	i.t.Helper()
	info, err := os.Stat(filepath.Join(i.dir, "instance", "codex.conf"))
	if err != nil || info.Mode().Perm() != 0o600 {
		i.t.Fatalf("%v %v", info, err)
	}
	i.env["CODEX_SERVER_LISTEN"], i.env["CODEX_SERVER_ARCHIVE_LISTEN"] = "127.0.0.1:0", "127.0.0.1:0"
	i.serve()
	for feed, run := range runs(i.t, i.must("sync", "all", "--json")) {
		if run["created"] == 0.0 {
			i.t.Errorf("%s: %v", feed, run)
		}
	}
}

func TestInitByFlagsWritesAFileThatServeStartsWith(t *testing.T) {
	i := bare(t)
	i.upstream = simulate(t, i.now)
	dsn := storetest.Empty(t, dialect.Postgres).Options().DSN.Reveal()
	i.env["CODEX_DATTO_SECRET_KEY"] = dattoSecretKey // so that no list of processes shows it
	stdout := i.must("init", "--database", dsn,
		"--freshservice-domain", i.upstream.FreshserviceURL, "--freshservice-api-key", freshserviceKey,
		"--datto-api-endpoint", i.upstream.DattoURL, "--datto-public-key", i.upstream.DattoPublicKey,
		"--core-url", coreServer(t))
	delete(i.env, "CODEX_DATTO_SECRET_KEY")
	for _, works := range []string{"the database works", "Freshservice works", "Datto RMM works", "Core works: it has 1 signing keys", "wrote "} {
		if !strings.Contains(stdout, works) {
			t.Errorf("%q is not in\n%s", works, stdout)
		}
	}
	if strings.Contains(stdout, dsn) {
		t.Errorf("the connection string is shown:\n%s", stdout)
	}
	i.startsAndSyncs()

	before := i.read("instance/codex.conf")
	if again := i.codex("init", "--core-url", coreServer(t)); again.status != exitFailed || !strings.Contains(again.stderr, "--overwrite replaces it") {
		t.Errorf("%+v", again)
	}
	if i.read("instance/codex.conf") != before {
		t.Error("a file that is there was changed")
	}
}

func TestInitAsksForWhatItNeeds(t *testing.T) {
	i := bare(t)
	i.upstream = simulate(t, i.now)
	i.stdin = strings.Join([]string{
		"", // SQLite
		i.upstream.FreshserviceURL, "wrong", "y", i.upstream.FreshserviceURL, freshserviceKey,
		i.upstream.DattoURL, i.upstream.DattoPublicKey, dattoSecretKey,
		"", // no Core
	}, "\n") + "\n"
	stdout := i.must("init")
	if !strings.Contains(stdout, "Freshservice does not work: ") || !strings.Contains(stdout, "Enter it again? [Y/n]: ") {
		t.Errorf("a wrong key was taken:\n%s", stdout)
	}
	i.startsAndSyncs()
}

func TestInitWritesNothingThatDoesNotWork(t *testing.T) {
	i := bare(t)
	i.upstream = simulate(t, i.now)
	tests := []struct {
		name  string
		args  []string
		stdin string
		want  string // in what is printed
	}{
		{"a wrong key", []string{"--freshservice-domain", i.upstream.FreshserviceURL, "--freshservice-api-key", "wrong"}, "",
			"codex: Freshservice does not work: "},
		{"half a section", []string{"--datto-api-endpoint", i.upstream.DattoURL}, "", "[datto] public_key"},
		{"a database that is not there", []string{"--database", "postgresql://codex:hunter2-datto-secret@127.0.0.1:1/codex"}, "",
			"codex: the database does not work: "},
		{"no connection string", []string{"--database", "hunter2-datto-secret"}, "", "must be a connection string"},
		{"no Core", []string{"--core-url", i.upstream.DattoURL}, "", "codex: Core does not work: "},
		{"answers that end too soon", nil, "sqlite\n", "codex: the answers ended before the questions did; nothing was written"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			i.stdin = tt.stdin
			o := i.codex(append([]string{"init"}, tt.args...)...)
			if o.status != exitFailed || !strings.Contains(o.stderr, tt.want) {
				t.Errorf("status %d\n%s%s", o.status, o.stdout, o.stderr)
			}
			if _, err := os.Stat(filepath.Join(i.dir, "instance", "codex.conf")); !os.IsNotExist(err) {
				t.Errorf("a file was written: %v", err)
			}
		})
	}
	i.must("init", "--freshservice-domain", "acme.freshservice.com", "--freshservice-api-key", freshserviceKey, "--no-check")
	if want := "[freshservice]\napi_key = " + freshserviceKey + "\ndomain = acme.freshservice.com\n"; !strings.Contains(i.read("instance/codex.conf"), want) {
		t.Error(i.read("instance/codex.conf"))
	}
}
