package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"
	"testing"
)

func TestThePublishedReferenceIsWhatTheHubReads(t *testing.T) {
	golden(t, "../docs/configuration.md", Reference())
}

func TestThePublishedExampleIsWhatTheHubReads(t *testing.T) {
	golden(t, "../deploy/codex.conf.example", Example())
}

func TestTheExampleIsTheDefaultAndLoadsWithEveryKeyTakenIn(t *testing.T) {
	bare, _, err := Load(hub(t, "", ""))
	if err != nil {
		t.Fatal(err)
	}
	example, _, err := Load(hub(t, Example(), ""))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range bare.settings {
		want.text = strings.ReplaceAll(want.text, bare.InstanceDir, example.InstanceDir)
		if got := example.settings[i]; got.given || got.text != want.text {
			t.Errorf("the example as it is has %+v, without it %+v", got, want)
		}
	}

	var all strings.Builder
	for line := range strings.Lines(Example()) {
		if !strings.HasPrefix(line, "# ") {
			line = strings.TrimPrefix(line, "#")
		}
		all.WriteString(line)
	}
	full, warnings, err := Load(hub(t, all.String(), ""))
	if err != nil || len(warnings) > 0 {
		t.Fatalf("error %v, warnings %v", err, warnings)
	}
	for _, set := range full.settings {
		if !set.given {
			t.Errorf("[%s] %s is not in the example", set.section, set.key)
		}
	}
}

// TestTheCommentsOfConfigAreTheManual: what the fields' comments say is what the list says.
func TestTheCommentsOfConfigAreTheManual(t *testing.T) {
	comments := fieldComments(t)
	var cfg Config
	for _, s := range sections() {
		for _, k := range s.keys {
			name := fieldOf(reflect.ValueOf(&cfg).Elem(), "", k.value(&cfg).target())
			if name == "" {
				t.Errorf("[%s] %s goes to no field of Config", s.name, k.name)
				continue
			}
			want := k.manual(s)
			if got := comments[name]; got != want {
				t.Errorf("[%s] %s: the comment of %s says\n%s\nand the list\n%s", s.name, k.name, name, got, want)
			}
		}
	}
}

// fieldOf is the path of the field at address, such as Datto.BackupUDF.
func fieldOf(v reflect.Value, path string, address any) string {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		if v.Field(i).Addr().Interface() == address {
			return path + field.Name
		}
		if v.Field(i).Kind() == reflect.Struct {
			if found := fieldOf(v.Field(i), path+field.Name+".", address); found != "" {
				return found
			}
		}
	}
	return ""
}

// fieldComments are the comments in config.go by field: those of Config's own bare, the others'
// with their struct's name, which is the field's in Config too.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range of.Fields.List {
				for _, name := range field.Names {
					path := strings.TrimPrefix(spec.Name.Name+"."+name.Name, "Config.")
					comments[path] = strings.Join(strings.Fields(field.Doc.Text()), " ")
				}
			}
		}
		return false
	})
	return comments
}

func TestEveryKeyIsDescribedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sections() {
		for _, k := range s.keys {
			name := EnvName(s.name, k.name)
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
			if k.name != strings.ToLower(k.name) || !strings.HasSuffix(k.doc, ".") || k.def == "" && k.example == "" {
				t.Errorf("%s: its name, its documentation or its example is not as it must be", name)
			}
		}
	}
}
