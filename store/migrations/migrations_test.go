package migrations

import (
	"io/fs"
	"maps"
	"path"
	"testing"
	"testing/fstest"
)

func TestOnlyWhatWasSealedIsRead(t *testing.T) {
	sealed := fstest.MapFS{}
	names, err := fs.Glob(embedded, "sqlite/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := fs.ReadFile(embedded, name)
		if err != nil {
			t.Fatal(err)
		}
		sealed[path.Base(name)] = &fstest.MapFile{Data: content}
	}
	if files, err := read(sealed); err != nil || len(files) != len(names)-1 {
		t.Errorf("as sealed: %d files, %v", len(files), err)
	}
	for name, change := range map[string]func(fstest.MapFS){
		"a changed file": func(dir fstest.MapFS) {
			dir["0001_schema.sql"] = &fstest.MapFile{Data: append([]byte("-- x\n"), dir["0001_schema.sql"].Data...)}
		},
		"an added file": func(dir fstest.MapFS) { dir["0009_x.sql"] = &fstest.MapFile{Data: []byte("SELECT 1;")} },
		"a lost file":   func(dir fstest.MapFS) { delete(dir, "0002_ticket_details.sql") },
		"a lost seal":   func(dir fstest.MapFS) { delete(dir, "atlas.sum") },
	} {
		dir := maps.Clone(sealed)
		change(dir)
		if _, err := read(dir); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
