package core_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hivematrix/codex/clients/core"
)

func TestCoreIsKnownByItsKeys(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		keys   int
		err    string
	}{
		"one key":  {200, `{"keys":[{"kty":"RSA","alg":"RS256","kid":"hivematrix-signing-key-1","use":"sig","n":"x","e":"AQAB"}]}`, 1, ""},
		"two keys": {200, `{"keys":[{"kid":"a"},{"kid":"b"}]}`, 2, ""},
		"no keys": {200, `{"keys":[]}`, 0,
			"reading Core's signing keys: core: /.well-known/jwks.json: an answer that is not what was asked for: there are no keys"},
		"another service": {200, `{"status":"ok"}`, 0,
			"reading Core's signing keys: core: /.well-known/jwks.json: an answer that is not what was asked for: the answer does not hold what was asked for: no list \"keys\""},
		"nothing there": {404, `<html>`, 0, "reading Core's signing keys: core: /.well-known/jwks.json: 404 Not Found: an HTML page"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/.well-known/jwks.json" || r.Header.Get("Authorization") != "" {
					t.Errorf("asked %s with %q", r.URL, r.Header.Get("Authorization"))
				}
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.body)
			}))
			defer server.Close()
			keys, err := core.CheckKeys(t.Context(), options(server.URL+"/"))
			if keys != test.keys || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
				t.Errorf("%d keys, %v", keys, err)
			}
		})
	}
}

func options(base string) core.Options {
	return core.Options{BaseURL: base, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
}

func ExampleCheckKeys() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"keys":[{"kid":"hivematrix-signing-key-1"}]}`)
	}))
	defer server.Close()
	keys, err := core.CheckKeys(context.Background(), core.Options{BaseURL: server.URL, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	fmt.Println(keys, err)
	// Output: 1 <nil>
}
