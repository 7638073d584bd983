package httpd

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/hivematrix/codex"
)

func TestWebhooksHaveNoCaller(t *testing.T) {
	h := start(t, func(o *Options, _ *timeouts) {
		o.Webhooks = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, known := codex.CallerFrom(r.Context())
			fmt.Fprintf(w, "%s %t", r.URL.Path, known)
		})
	})
	for _, base := range []string{h.URL(), h.URL() + "/codex", h.URL() + "/archive", h.ArchiveURL(), h.ArchiveURL() + "/codex"} {
		for _, header := range []http.Header{nil, bearer("admin"), bearer("nobody")} {
			expect(t, base, ask(t, http.MethodPost, base+"/webhooks/anything", header), 200, "/webhooks/anything false")
		}
		got := ask(t, http.MethodPost, base+"/webhooks", nil)
		if got.status != http.StatusUnauthorized {
			t.Errorf("%s/webhooks itself: %d", base, got.status)
		}
	}
	foreign := http.Header{"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}
	if got := ask(t, http.MethodPost, h.URL()+"/webhooks/anything", foreign); got.status != http.StatusForbidden {
		t.Errorf("a page of another origin: %d", got.status)
	}
}

func TestWithoutWebhooksThereIsNothingUnderTheirPath(t *testing.T) {
	h := start(t, nil)
	expect(t, "none", ask(t, http.MethodPost, h.URL()+"/webhooks/freshservice", bearer("admin")), 404, `{"error":"Not found"}`+"\n")
}
