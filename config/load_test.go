package config

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds got to a file, or writes the file with -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want := read(t, file); got != want {
		t.Errorf("%s is not what it was; got\n%s\nwant\n%s", file, got, want)
	}
}

// TestAnExistingInstallationLoads: the files of every version that docs/compatibility.md names, as
// they stand. The golden file has what the hub makes of them and all that it says, and no secret.
func TestAnExistingInstallationLoads(t *testing.T) {
	for _, name := range []string{
		"2025-10-03", "2025-10-28", "2025-11-19-psycopg", "psycopg2", "sqlite-windows", "nothing",
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := filepath.Abs("testdata/installations/" + name)
			if err != nil {
				t.Fatal(err)
			}
			cfg, warnings, err := Load(Source{WorkDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := cfg.Effective(&b); err != nil {
				t.Fatal(err)
			}
			for _, w := range warnings {
				fmt.Fprintf(&b, "\n# warning: %s\n", w)
			}
			for _, u := range cfg.Unused {
				fmt.Fprintf(&b, "\n# unused: %s\n", u)
			}
			said := strings.ReplaceAll(b.String(), dir, "/hub")
			golden(t, "testdata/installations/"+name+".golden", said)
			if _, err := parseINI(said); err != nil {
				t.Errorf("what is printed is no INI text: %v", err)
			}
			for _, text := range []string{said, fmt.Sprintf("%v %+v %#v", cfg, cfg.Database, *cfg)} {
				if strings.Contains(text, "hunter") {
					t.Errorf("a secret is told:\n%s", text)
				}
			}
		})
	}
}

func TestASecretReachesWhoAuthenticatesUnchanged(t *testing.T) {
	dir, err := filepath.Abs("testdata/installations/2025-10-03")
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, err := Load(Source{WorkDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{cfg.Freshservice.APIKey.Reveal(), cfg.Datto.SecretKey.Reveal(), cfg.Database.DSN.Reveal()}
	want := []string{"hunter2-freshservice;#%(x)s", "hunter2=datto:secret",
		"postgresql://codex_user:hunter%402%2Fpg%25@localhost:5432/codex_db"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// hub makes an installation in a new folder and gives its paths.
func hub(t *testing.T, conf, dotenv string) Source {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "instance"), 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"instance/codex.conf": conf, ".flaskenv": dotenv} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Source{WorkDir: dir}
}

func TestEachPlaceGivesWayToTheOneBeforeIt(t *testing.T) {
	places := []struct {
		name             string
		env, dotenv      string // NAME=value
		conf             string
		url              string
		service, connect string
	}{
		{
			name: "CODEX_ in the environment",
			env: "CODEX_CORE_URL=http://1 CODEX_CORE_SERVICE_NAME=name1 " +
				"CODEX_DATABASE_CONNECTION_STRING=postgresql://h/d1",
			url: "http://1", service: "name1", connect: "d1",
		}, {
			name: "the file",
			conf: "[core]\nurl = http://2\nservice_name = name2\n[database]\nconnection_string = postgresql://h/d2\n",
			url:  "http://2", service: "name2", connect: "d2",
		}, {
			name: "other names in the environment",
			env:  "CORE_SERVICE_URL=http://3 SERVICE_NAME=name3 DATABASE_URL=postgresql://h/d3",
			url:  "http://3", service: "name3", connect: "d3",
		}, {
			name:   ".flaskenv",
			dotenv: "CORE_SERVICE_URL='http://4'\nSERVICE_NAME=\"name4\"\nDATABASE_URL=postgresql://h/d4\n",
			url:    "http://4", service: "name4", connect: "d4",
		}, {
			name: "the default", url: "", service: "codex", connect: "codex.db",
		},
	}
	for i, first := range places {
		t.Run(first.name, func(t *testing.T) {
			var conf, dotenv string
			env := map[string]string{}
			for _, place := range places[i:] {
				conf, dotenv = conf+place.conf, dotenv+place.dotenv
				for _, pair := range strings.Fields(place.env) {
					name, value, _ := strings.Cut(pair, "=")
					env[name] = value
				}
			}
			if i > 0 { // a blank one is none, wherever it stands
				env["CODEX_CORE_URL"] = "  "
			}
			src := hub(t, conf, dotenv)
			src.Env = env
			cfg, warnings, err := Load(src)
			if err != nil || len(warnings) > 0 {
				t.Fatalf("error %v, warnings %v", err, warnings)
			}
			got := []string{cfg.Core.URL, cfg.Core.ServiceName, cfg.Database.Name}
			if want := []string{first.url, first.service, first.connect}; !reflect.DeepEqual(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestFlaskenvGivesPortAndLogLevelUnlessTheFileDoes(t *testing.T) {
	const dotenv = "SERVICE_PORT=5010\nLOG_LEVEL=DEBUG\n"
	for _, test := range []struct{ name, conf, want string }{
		{"the file says nothing", "", "127.0.0.1:5010 DEBUG"},
		{"the file says", "[server]\nlisten = :5001\n[log]\nlevel = error\n", ":5001 ERROR"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, warnings, err := Load(hub(t, test.conf, dotenv))
			if err != nil || len(warnings) > 0 {
				t.Fatalf("error %v, warnings %v", err, warnings)
			}
			if got := cfg.Server.Listen + " " + cfg.Log.Level.String(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestTheInstanceFolderFollowsTheFileUnlessItIsNamed(t *testing.T) {
	for _, test := range []struct{ name, config, instance, wantInstance, wantFile string }{
		{"neither", "", "", "w/instance", "w/instance/codex.conf"},
		{"--instance", "", "other", "w/other", "w/other/codex.conf"},
		{"--config", "etc/hub.conf", "", "w/etc", "w/etc/hub.conf"},
		{"both", "etc/hub.conf", "../other/", "other", "w/etc/hub.conf"},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			for _, path := range []string{"w/instance/codex.conf", "w/other/codex.conf", "w/etc/hub.conf"} {
				path = filepath.Join(root, path)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			cfg, _, err := Load(Source{ConfigFile: test.config, InstanceDir: test.instance, WorkDir: root + "/w"})
			if err != nil {
				t.Fatal(err)
			}
			got := []string{cfg.InstanceDir, cfg.File}
			if want := []string{filepath.Join(root, test.wantInstance), filepath.Join(root, test.wantFile)}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestAFileThatWasNamedMustBeThere(t *testing.T) {
	dir := t.TempDir()
	_, _, err := Load(Source{ConfigFile: "none.conf", WorkDir: dir})
	want := fmt.Sprintf("read the configuration file %[1]s/none.conf: open %[1]s/none.conf: no such file or directory", dir)
	if err == nil || err.Error() != want || codex.CodeOf(err) != codex.CodeUnavailable {
		t.Errorf("error\n%v, want\n%s", err, want)
	}
}

func TestAFeedWithoutItsSectionIsOff(t *testing.T) {
	const (
		freshservice = "[freshservice]\napi_key = k\ndomain = acme.freshservice.com\n"
		datto        = "[datto]\napi_endpoint = d.example\npublic_key = p\nsecret_key = s\n"
	)
	for _, test := range []struct {
		name, conf          string
		freshservice, datto bool
	}{
		{"neither", "", false, false},
		{"Freshservice alone", freshservice, true, false},
		{"Datto alone", datto, false, true},
		{"both", freshservice + datto, true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, warnings, err := Load(hub(t, test.conf, ""))
			if err != nil || len(warnings) > 0 {
				t.Fatalf("error %v, warnings %v", err, warnings)
			}
			if cfg.Freshservice.Enabled() != test.freshservice || cfg.Datto.Enabled() != test.datto {
				t.Errorf("freshservice %v, datto %v", cfg.Freshservice.Enabled(), cfg.Datto.Enabled())
			}
		})
	}
}

func TestWhatNobodyKnowsIsAWarningWithTheNearestName(t *testing.T) {
	for _, test := range []struct {
		name, conf, dotenv string
		env                map[string]string
		warnings, unused   []string // DIR is the working directory
	}{
		{
			name: "a section", conf: "[databse]\nconnection_string = hunter2\n",
			warnings: []string{"DIR/instance/codex.conf:1: section [databse] is not known and not used; the nearest that is known is [database]"},
		}, {
			name: "a section in another case", conf: "\n[Datto]\nsecret_key = hunter2\n",
			warnings: []string{"DIR/instance/codex.conf:2: section [Datto] is not known and not used; the nearest that is known is [datto]"},
		}, {
			name: "a key", conf: "[sync]\nmax_removal = 30\n",
			warnings: []string{"DIR/instance/codex.conf:2: [sync] max_removal is not known and not used; the nearest that is known is max_removal_percent"},
		}, {
			name: "a key of another section", conf: "[rest]\nlisten = 1\n",
			warnings: []string{"DIR/instance/codex.conf:2: [rest] listen is not known and not used; the nearest that is known is ticket_days"},
		}, {
			name: "a key in [DEFAULT]", conf: "[DEFAULT]\ntimezon = UTC\n",
			warnings: []string{"DIR/instance/codex.conf:2: [DEFAULT] timezon is not known and not used; the nearest that is known is timezone"},
		}, {
			name: "a key in an old section", conf: "[database_credentials]\ndb_host = x\nhost = y\n",
			warnings: []string{"DIR/instance/codex.conf:3: [database_credentials] host is not known and not used"},
			unused:   []string{"DIR/instance/codex.conf:2: [database_credentials] db_host is accepted and not used"},
		}, {
			name: "an empty old section", conf: "[webhooks]\n",
			unused: []string{"DIR/instance/codex.conf:1: [webhooks] is accepted and not used"},
		}, {
			name: "a section without a value", conf: "[datto]\nsecret_key =\n",
			warnings: []string{"DIR/instance/codex.conf:1: [datto] has no value: that feed is off"},
		}, {
			name: "a variable", env: map[string]string{"CODEX_DATO_SECRET_KEY": "hunter2", "PATH": "/bin"},
			warnings: []string{"the environment: CODEX_DATO_SECRET_KEY is not known and not used; the nearest that is known is CODEX_DATTO_SECRET_KEY"},
		}, {
			name: "a variable of .flaskenv", dotenv: "CORE_SERVICE_URI=x\nFLASK_DEBUG=1\nHELM_SERVICE_URL=x\n",
			warnings: []string{"DIR/.flaskenv: CORE_SERVICE_URI is not known and not used; the nearest that is known is CORE_SERVICE_URL"},
			unused: []string{
				"DIR/.flaskenv: FLASK_DEBUG is accepted and not used",
				"DIR/.flaskenv: HELM_SERVICE_URL is accepted and not used",
			},
		}, {
			name: "verification turned off", dotenv: "VERIFY_SSL=0\n",
			warnings: []string{"DIR/.flaskenv: VERIFY_SSL does not turn verification off: certificates are always verified; " +
				"add a private authority to the system's certificates, or name it in SSL_CERT_FILE"},
		}, {
			name: "verification left on", dotenv: "VERIFY_SSL=True\n",
			unused: []string{"DIR/.flaskenv: VERIFY_SSL is accepted and not used"},
		}, {
			name: "a parameter of another driver", conf: "[database]\nconnection_string = postgresql://h/d?keepalives=1\n",
			warnings: []string{"DIR/instance/codex.conf:2: parameter keepalives of the connection string is another driver's and not used"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			src := hub(t, test.conf, test.dotenv)
			src.Env = test.env
			cfg, warnings, err := Load(src)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range warnings {
				got = append(got, strings.ReplaceAll(w.String(), src.WorkDir, "DIR"))
			}
			if !slices.Equal(got, test.warnings) {
				t.Errorf("warnings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.warnings, "\n"))
			}
			var unused []string
			for _, u := range cfg.Unused {
				unused = append(unused, strings.ReplaceAll(u, src.WorkDir, "DIR"))
			}
			if !slices.Equal(unused, test.unused) {
				t.Errorf("unused\n%s\nwant\n%s", strings.Join(unused, "\n"), strings.Join(test.unused, "\n"))
			}
		})
	}
}
