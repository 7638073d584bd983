package httpd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/web"
)

// pages serves what a person opens in a browser. It holds no data, so it is open to all.
type pages struct{ files fs.FS }

func newPages(files fs.FS) pages { return pages{files} }

// has tells whether path is a page's or an asset's.
func (pages) has(path string) bool {
	return path == "/" || path == "/playground" || strings.HasPrefix(path, "/assets/")
}

// ServeHTTP implements http.Handler.
func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	switch name {
	case "":
		name = "index.html"
	case "playground":
		name = "playground.html"
	}
	header := w.Header()
	if p.files == nil {
		send(w, http.StatusServiceUnavailable, "text/html; charset=utf-8",
			[]byte("<!doctype html>\n<title>Codex</title>\n<p>"+html.EscapeString(web.HowToBuild)+"</p>\n"))
		return
	}
	content, err := fs.ReadFile(p.files, name)
	if err != nil { // also a name that is none, such as one with ..
		rest.WriteError(w, http.StatusNotFound, "Not found")
		return
	}
	policy := web.ContentSecurityPolicy
	if prefix := forwardedPrefix(r.Header); prefix != "" && name == "index.html" {
		content, policy = based(content, prefix), strings.Replace(policy, "base-uri 'none'", "base-uri 'self'", 1)
	}
	header.Set("Content-Security-Policy", policy)
	header.Set("Content-Type", contentType(name))
	if strings.HasPrefix(name, "assets/") { // its name changes with its content
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		revalidated(header, content)
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

// revalidated has content kept by who likes, and asked for again each time.
func revalidated(header http.Header, content []byte) {
	sum := sha256.Sum256(content)
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
}

// based has the links of the first page begin at the gateway's prefix. They stand beside the page, and
// the gateway serves it under /codex as well as under /codex/, which it does not tell apart for us. Other
// pages have a name of their own, beside which their links are right.
func based(page []byte, prefix string) []byte {
	const head = "<head>"
	return bytes.Replace(page, []byte(head), []byte(head+`<base href="`+html.EscapeString(prefix)+`/">`), 1)
}

// contentType is our own list: with nosniff it must be right, and the system's tables differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".woff2":
		return "font/woff2"
	case ".ttf":
		return "font/ttf"
	case ".wasm":
		return "application/wasm"
	default:
		return "application/octet-stream"
	}
}
