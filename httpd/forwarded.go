package httpd

import (
	"net/http"
	"net/url"
	"strings"
)

// maxPrefix is longer than any path that a gateway serves a service under.
const maxPrefix = 256

// forwardedPrefix is the path under which the gateway serves what is at / here, without a slash at its
// end; empty where it tells none, or what is no plain path: a link made of it stays on this host, which one
// that begins with several slashes does not in a browser, that takes what follows them for a host. That a
// proxy's header is believed gives nobody anything: it decides on the links and the cookie of the caller
// who sent it.
func forwardedPrefix(header http.Header) string {
	prefix := header.Get("X-Forwarded-Prefix")
	u, err := url.Parse(prefix)
	plain := strings.TrimRight(prefix, "/")
	if err != nil || len(plain) > maxPrefix || !strings.HasPrefix(plain, "/") || strings.Contains(plain, "//") || u.EscapedPath() != prefix || strings.ContainsAny(plain, ";, '") {
		return ""
	}
	return plain
}

// root is the path of what is at / here, as the caller sees it: behind the gateway's prefix and the
// service's name, empty where there was none. It has no slash at its end.
func root(header http.Header, named string) string {
	if named != "" {
		named = "/" + named
	}
	return forwardedPrefix(header) + named
}
