package web

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPagesAreBuiltOnlyWhenAllOfThemAreThere(t *testing.T) {
	tests := []struct {
		name  string
		files fstest.MapFS
		want  bool
	}{
		{"a fresh clone has only .gitkeep", fstest.MapFS{".gitkeep": {}}, false},
		{"one page is not enough", fstest.MapFS{"index.html": {}}, false},
		{"both pages", fstest.MapFS{"index.html": {}, "playground.html": {}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := built(tt.files); got != tt.want {
				t.Errorf("built = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestTheBinaryHoldsWhatWasBuilt(t *testing.T) {
	want := built(os.DirFS("dist"))
	if got := Built(); got != want {
		t.Errorf("Built() = %v, but the folder dist says %v", got, want)
	}
}

// Each address is relative to its page: nothing from outside, nothing that breaks below a prefix.
func TestPagesNameRelativeAddressesOnly(t *testing.T) {
	address := regexp.MustCompile(`(?:src|href|action)="([^"]*)"`)
	pages, err := fs.Glob(Files(), "*.html")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := fs.Glob(os.DirFS("."), "*.html")
	if err != nil {
		t.Fatal(err)
	}
	if Built() && len(pages) != len(sources) {
		t.Errorf("built pages %v, sources %v", pages, sources)
	}
	for _, page := range pages {
		body, err := fs.ReadFile(Files(), page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range address.FindAllStringSubmatch(string(body), -1) {
			if strings.HasPrefix(m[1], "/") || strings.Contains(m[1], "://") {
				t.Errorf("%s: address %q is not relative", page, m[1])
			}
		}
	}
}
