package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hivematrix/codex"
)

func whole() []Value {
	return []Value{
		{"datto", "secret_key", "s#e;c=r:e%t"},
		{"datto", "public_key", "ABC"},
		{"datto", "api_endpoint", "https://d.example"},
		{"core", "url", " "},
		{"database", "connection_string", "postgresql://u:p%40w@h/d"},
		{"sync", "default_hours", "0.5"},
	}
}

func TestWhatIsWrittenIsOwnerOnlyAndReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hub", "instance", "codex.conf")
	if err := Write(path, whole(), false); err != nil {
		t.Fatal(err)
	}
	want := `# The configuration of a hub. docs/configuration.md has every key.

[database]
connection_string = postgresql://u:p%40w@h/d

[datto]
api_endpoint = https://d.example
public_key = ABC
secret_key = s#e;c=r:e%t

[sync]
default_hours = 0.5
`
	if got := read(t, path); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for file, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): os.ModeDir | 0o700} {
		info, err := os.Stat(file)
		if err != nil || info.Mode() != mode {
			t.Errorf("%s has mode %v, want %v (error %v)", file, info.Mode(), mode, err)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, want one file (error %v)", entries, err)
	}
	cfg, warnings, err := Load(Source{ConfigFile: path})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("error %v, warnings %v", err, warnings)
	}
	if cfg.Datto.SecretKey.Reveal() != "s#e;c=r:e%t" || cfg.Sync.DefaultHours != 1800 {
		t.Errorf("read back as %+v, %+v", cfg.Datto.SecretKey.Reveal(), cfg.Sync)
	}
}

func TestAFileThatIsThereIsReplacedOnlyWhenTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "codex.conf")
	if err := os.WriteFile(path, []byte("[core]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := Write(path, whole(), false)
	if codex.CodeOf(err) != codex.CodeConflict || err.Error() != path+" is there already" {
		t.Errorf("error %v", err)
	}
	if got := read(t, path); got != "[core]\n" {
		t.Errorf("the file is now\n%s", got)
	}
	if err := Write(path, whole(), true); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 || !strings.Contains(read(t, path), "s#e;c=r:e%t") {
		t.Errorf("the file has mode %v (error %v) and says\n%s", info.Mode(), err, read(t, path))
	}
}

func TestWhatLoadWouldRefuseIsNotWritten(t *testing.T) {
	for _, test := range []struct {
		name   string
		values []Value
		want   string
	}{
		{"an unknown key", []Value{{"datto", "secret", "s"}}, "[datto] secret: is no setting of the hub"},
		{"two lines", []Value{{"core", "issuer", "a\n[datto]"}}, "[core] issuer: must be one line without blanks around it"},
		{"blanks around it", []Value{{"core", "issuer", " a"}}, "[core] issuer: must be one line without blanks around it"},
		{"a bad value", []Value{{"rest", "ticket_days", "x"}}, `[rest] ticket_days: "x" of FILE:4 must be a whole number from 1 to 36500`},
		{"half a section", []Value{{"freshservice", "domain", "d.example"}},
			"[freshservice] api_key: is missing in FILE: [freshservice] needs api_key, domain; without any key of it that feed is off"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "codex.conf")
			err := Write(path, test.values, false)
			if err == nil {
				t.Fatal("it is written")
			}
			if got := strings.ReplaceAll(err.Error(), path, "FILE"); got != test.want || codex.CodeOf(err) != codex.CodeBadInput {
				t.Errorf("error\n%s\nwant\n%s", got, test.want)
			}
			if exists(path) {
				t.Error("the file is there")
			}
		})
	}
}

func TestAFolderThatCannotBeWrittenIsAnErrorAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "codex.conf"), 0o700); err != nil { // a folder in the file's place
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "codex.conf"), whole(), true); codex.CodeOf(err) != codex.CodeUnavailable {
		t.Errorf("error %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v (error %v)", entries, err)
	}
}

// TestAnyTextComesBackAsItWasWritten: of a key that takes any text.
func TestAnyTextComesBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~äß€]{1,40}`).Draw(t, "text")
		written, err := format("/hub/codex.conf", []Value{{"core", "issuer", text}})
		if err != nil {
			if text == strings.TrimSpace(text) {
				t.Fatalf("%q is refused: %v", text, err)
			}
			return
		}
		ini, err := parseINI(written)
		if err != nil {
			t.Fatal(err)
		}
		entry, ok := ini.lookup("core", "issuer")
		if want := strings.TrimSpace(text); entry.value != want || ok != (want != "") {
			t.Fatalf("%q comes back as %q", text, entry.value)
		}
		if got := ini.plain(); len(got) > 2 || !reflect.DeepEqual(got[defaultSection], map[string]string{}) {
			t.Fatalf("%q also says %v", text, got)
		}
	})
}
