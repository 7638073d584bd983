package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// pythonSays is a golden file: what CPython's RawConfigParser made of the text.
type pythonSays struct {
	Error    string                       `json:"error"`
	Defaults map[string]string            `json:"defaults"`
	Sections map[string]map[string]string `json:"sections"`
}

func TestItReadsWhatRawConfigParserReads(t *testing.T) {
	files, err := filepath.Glob("testdata/ini/*.ini")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".ini")
		t.Run(name, func(t *testing.T) {
			text := read(t, file)
			var want pythonSays
			if err := json.Unmarshal([]byte(read(t, strings.TrimSuffix(file, ".ini")+".json")), &want); err != nil {
				t.Fatal(err)
			}
			got, err := parseINI(text)
			if (err != nil) != (want.Error != "") {
				t.Fatalf("error %v, Python's %q", err, want.Error)
			}
			if err != nil {
				return
			}
			if defaults := asMap(got.defaults); !reflect.DeepEqual(defaults, want.Defaults) {
				t.Errorf("defaults\n%q, Python's\n%q", defaults, want.Defaults)
			}
			sections := map[string]map[string]string{}
			for _, s := range got.sections {
				sections[s.name] = asMap(s)
			}
			if !reflect.DeepEqual(sections, want.Sections) {
				t.Errorf("sections\n%q, Python's\n%q", sections, want.Sections)
			}
		})
	}
}

func TestEachBadLineIsNamedWithoutItsText(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"a key before any section", "\n\nsecret = 1\n",
			"line 3: stands before the first section: begin the file with a line such as [database]"},
		{"a section twice", "[a]\n\n[b]\n[a]\n", "line 4: section [a] is there already, at line 1: join the two"},
		{"a key twice, in another case", "[a]\nk = secret\nK = secret\n",
			"line 3: [a] k is there already, at line 2: remove one of the two"},
		{"two lines that are nothing", "[a]\nsecret\nk = v\n= secret\n",
			"line 2: has neither = nor : and is neither a [section] nor a comment: write key = value\n" +
				"line 4: has no key before its = or :"},
		{"bytes that are no text", "[a]\nk = v\nj = \xff\n", "line 3: is not UTF-8: save the file as UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseINI(test.text)
			if err == nil || err.Error() != test.want {
				t.Errorf("error\n%v, want\n%s", err, test.want)
			}
		})
	}
}

func TestAByteOrderMarkIsNoText(t *testing.T) {
	got, err := parseINI("\ufeff[a]\r\nk = v\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if entry, ok := got.lookup("a", "k"); !ok || entry.value != "v" || entry.line != 2 {
		t.Errorf("got %+v, %v", entry, ok)
	}
}

func TestASectionInheritsFromDefaultOnlyWhereItIsThere(t *testing.T) {
	got, err := parseINI("[DEFAULT]\nk = d\nj = d\n[a]\nj = v\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		section, key, want string
		there              bool
	}{
		{"a", "j", "v", true},
		{"a", "k", "d", true},
		{"a", "l", "", false},
		{"b", "k", "", false},
	} {
		entry, there := got.lookup(test.section, test.key)
		if entry.value != test.want || there != test.there {
			t.Errorf("[%s] %s = %q, %v; want %q, %v", test.section, test.key, entry.value, there, test.want, test.there)
		}
	}
}

// FuzzINI: whatever the text, it is read or refused, and what was read can be written and is then
// read as the same.
func FuzzINI(f *testing.F) {
	files, err := filepath.Glob("testdata/ini/*.ini")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(read(f, file))
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, err := parseINI(text)
		if err != nil {
			return
		}
		second, err := parseINI(first.format())
		if err != nil {
			t.Fatalf("%q, written as\n%s\nis refused: %v", text, first.format(), err)
		}
		if !reflect.DeepEqual(second.plain(), first.plain()) {
			t.Errorf("%q, written as\n%s\nis read as\n%q, want\n%q", text, first.format(), second.plain(), first.plain())
		}
	})
}

// format writes f as a text that says the same.
func (f *iniFile) format() string {
	var b strings.Builder
	for _, s := range append([]iniSection{f.defaults}, f.sections...) {
		b.WriteString("[" + s.name + "]\n")
		for _, e := range s.entries {
			b.WriteString(e.key + " = " + strings.ReplaceAll(e.value, "\n", "\n ") + "\n")
		}
	}
	return b.String()
}

// plain is f without its line numbers.
func (f *iniFile) plain() map[string]map[string]string {
	all := map[string]map[string]string{defaultSection: asMap(f.defaults)}
	for _, s := range f.sections {
		all[s.name] = asMap(s)
	}
	return all
}

func asMap(s iniSection) map[string]string {
	entries := map[string]string{}
	for _, e := range s.entries {
		entries[e.key] = e.value
	}
	return entries
}

func read(t testing.TB, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
