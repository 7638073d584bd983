package httpd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/rest/openapitest"
	"github.com/hivematrix/codex/store"
	"github.com/hivematrix/codex/store/storetest"
	"github.com/hivematrix/codex/syncers"
)

// announcer takes what is announced, or gives its error.
type announcer struct{ err error }

func (a *announcer) Announce(context.Context, []syncers.UpstreamRecord) error { return a.err }

// Every answer of what this package serves by itself, and of webhooks, is the described one.
func TestTheAnswersWithoutDataAreTheDescribedOnes(t *testing.T) {
	const hook = "/webhooks/freshservice"
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		tokens := auth.NewTokens(db, time.Now)
		t.Cleanup(tokens.Wait)
		secret, _, err := tokens.Create(t.Context(), auth.NewToken{Name: "t", Role: codex.RoleBilling, CreatedBy: "test"})
		if err != nil {
			t.Fatal(err)
		}
		announced := &announcer{}
		h := start(t, func(o *Options, _ *timeouts) {
			o.Callers = auth.NewCallers(db, tokens, nil, time.Now)
			o.Webhooks = rest.NewWebhookHandler(rest.WebhookOptions{Secret: "hunter2", Announce: announced, Logger: slog.New(slog.DiscardHandler)})
		})
		off := start(t, func(o *Options, _ *timeouts) {
			o.Webhooks = rest.NewWebhookHandler(rest.WebhookOptions{Logger: slog.New(slog.DiscardHandler)})
		})
		description := openapitest.Load(t)
		check := func(h *hub, method, path, body string, status int, header ...string) answer {
			t.Helper()
			all := http.Header{"Accept-Encoding": {"identity"}}
			if body != "" {
				all.Set("Content-Type", "application/json")
			}
			for i := 0; i < len(header); i += 2 {
				all.Set(header[i], header[i+1])
			}
			got := askWith(t, client(nil), method, h.URL()+path, all, strings.NewReader(body))
			if got.status != status {
				t.Errorf("%s %s %s: %d %s, want %d", method, path, body, got.status, got.body, status)
			}
			description.Check(t, method, path, got.status, got.header, got.body)
			return got
		}
		const foreign = "Sec-Fetch-Site"
		check(h, "GET", "/health", "", 200)
		tag := check(h, "GET", "/openapi.json", "", 200).header.Get("ETag")
		check(h, "GET", "/openapi.json", "", 304, "If-None-Match", tag)
		good := `{"token":"` + secret.Reveal() + `"}`
		check(h, "POST", "/session", good, 200)
		check(h, "POST", "/session", `{}`, 400)
		check(h, "POST", "/session", `{"token":"x"}`, 401)
		check(h, "POST", "/session", good, 403, foreign, "cross-site")
		check(h, "DELETE", "/session", "", 204)
		check(h, "DELETE", "/session", "", 403, foreign, "cross-site")
		for _, path := range []string{hook, hook + "/ticket"} {
			const ticket, named = `{"ticket_id":"INC-4711"}`, "X-Webhook-Secret"
			announced.err = nil
			check(h, "POST", path, ticket, 202, named, "hunter2")
			check(h, "POST", path, `{}`, 400, named, "hunter2")
			check(h, "POST", path, ticket, 401, named, "hunter3")
			check(h, "POST", path, ticket, 403, named, "hunter2", foreign, "cross-site")
			check(off, "POST", path, ticket, 404, named, "hunter2")
			check(h, "POST", path, `{"x":"`+strings.Repeat("x", 20<<10)+`"}`, 413, named, "hunter2")
			check(h, "POST", path, ticket, 415, named, "hunter2", "Content-Type", "text/plain")
			announced.err = errors.New("a defect")
			check(h, "POST", path, ticket, 500, named, "hunter2")
			announced.err = codex.Errorf(codex.CodeUnavailable, "the database does not answer")
			check(h, "POST", path, ticket, 503, named, "hunter2")
		}
		begun := signedIn(t, h.URL(), secret.Reveal(), nil)
		if _, err := db.SQL().ExecContext(t.Context(), "ALTER TABLE sessions RENAME TO sessions_elsewhere"); err != nil {
			t.Fatal(err)
		}
		check(h, "POST", "/session", good, 500)
		check(h, "DELETE", "/session", "", 500, "Cookie", begun.Name+"="+begun.Value)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		check(h, "POST", "/session", good, 503)
		check(h, "DELETE", "/session", "", 503, "Cookie", begun.Name+"="+begun.Value)
		here := func(operation string) bool {
			_, path, _ := strings.Cut(operation, " ")
			return path == "/health" || path == "/openapi.json" || path == "/session" || strings.HasPrefix(path, hook)
		}
		if unseen := description.Unseen(here); len(unseen) > 0 {
			t.Errorf("described, and never answered: %v", unseen)
		}
	})
}

func TestTheDescriptionIsOpenAndNamesWhereItsReaderIs(t *testing.T) {
	h := start(t, nil)
	gate := gateway(t, h)
	for url, want := range map[string]string{
		h.URL() + "/openapi.json":            "/",
		h.URL() + "/codex/openapi.json":      "/codex/",
		h.ArchiveURL() + "/openapi.json":     "/",
		gate + "/codex/openapi.json":         "/codex/",
		gate + "/codex/archive/openapi.json": "/codex/archive/",
	} {
		got := ask(t, http.MethodGet, url, http.Header{"Accept-Encoding": {"identity"}})
		var document struct{ Servers []struct{ URL string } }
		if err := json.Unmarshal([]byte(got.body), &document); err != nil || got.status != 200 || len(document.Servers) != 1 || document.Servers[0].URL != want {
			t.Errorf("%s: %d %+v, %v", url, got.status, document, err)
		}
		if got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", url, got.header)
		}
		zipped := ask(t, http.MethodGet, url, http.Header{"Accept-Encoding": {"gzip"}})
		if !bytes.Equal([]byte(unzipped(t, zipped.body)), []byte(got.body)) {
			t.Errorf("%s is another document by gzip", url)
		}
	}
	expect(t, "POST", ask(t, http.MethodPost, h.URL()+"/openapi.json", nil), 405, `{"error":"Method not allowed"}`+"\n")
}
