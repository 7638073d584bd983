package web

import (
	"embed"
	"fmt"
	"io/fs"
)

// ContentSecurityPolicy is the header under which the pages work, and which the browser tests
// serve them with: nothing from outside. Styles are inline because CodeMirror, the editor inside
// GraphiQL, positions its lines so; fonts and icons are data: addresses in the bundled style sheet.
const ContentSecurityPolicy = "default-src 'self'; script-src 'self'; " +
	"style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"connect-src 'self'; worker-src 'self' blob:; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// HowToBuild is what to tell a person who opens a page of a binary that was built without them.
const HowToBuild = "This codex was built without its web pages. Build them in with: make build"

// The prefix all: takes in .gitkeep, so that the folder can be embedded before the first build.
//
//go:embed all:dist
var dist embed.FS

// Files returns the built pages and their assets: index.html, playground.html, assets/…. Names of
// assets carry a hash of their content, so they may be cached for ever; the pages may not.
func Files() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		// Only an ill-formed path can be refused, and this one is a constant.
		panic(fmt.Sprintf("web: open the embedded pages: %v", err))
	}
	return files
}

// Built tells whether this binary has the pages; see [HowToBuild] where it has not.
func Built() bool {
	return built(Files())
}

// built asks for the pages, not for the folder, which is always there.
func built(files fs.FS) bool {
	for _, page := range []string{"index.html", "playground.html"} {
		if _, err := fs.Stat(files, page); err != nil {
			return false
		}
	}
	return true
}
