package publish_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/publish"
)

const note = "codex.example.com/archive\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— codex.example.com/archive AAAA\n"

func TestANoteIsPostedUntilItIsTakenOrAskingAgainCannotHelp(t *testing.T) {
	for _, c := range []struct {
		name     string
		statuses []int // as answered; the last one for ever
		posts    int
		err      string
	}{
		{name: "taken", statuses: []int{200}, posts: 1},
		{name: "taken without words", statuses: []int{204}, posts: 1},
		{name: "busy, then taken", statuses: []int{503, 429, 408, 201}, posts: 4},
		{name: "busy for ever", statuses: []int{500}, posts: 5, err: "UNAVAILABLE: it answered 500"},
		{name: "refused", statuses: []int{403}, posts: 1, err: "UNAVAILABLE: it answered 403"},
		{name: "sent elsewhere", statuses: []int{307}, posts: 1, err: "UNAVAILABLE: it answered 307"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var posted []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				posted = append(posted, r.Method+" "+r.URL.String()+" "+r.Header.Get("Content-Type")+"\n"+string(body))
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.statuses[min(len(posted), len(c.statuses))-1])
			}))
			defer server.Close()
			client := open(t, server.URL+"/take", io.Discard)
			err := client.Publish(t.Context(), []byte(note))
			if got := told(err); got != c.err {
				t.Errorf("it says %q, want %q", got, c.err)
			}
			if want := slices.Repeat([]string{"POST /take text/plain; charset=utf-8\n" + note}, c.posts); !slices.Equal(posted, want) {
				t.Errorf("%d posts: %q", len(posted), posted)
			}
		})
	}
}

func TestNeitherErrorNorLogHoldsTheAddress(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close() // now nobody is there
	var log bytes.Buffer
	err := open(t, address+"/hidden-place", &log).Publish(t.Context(), []byte(note))
	if err == nil || codex.CodeOf(err) != codex.CodeUnavailable {
		t.Fatal(err)
	}
	if said := err.Error() + log.String(); strings.Contains(said, "hidden-place") || !strings.Contains(log.String(), "attempt=4") {
		t.Error(said)
	}
	if _, err := publish.New(publish.Options{URL: "ftp://example.com/hidden-place"}); err == nil || strings.Contains(err.Error(), "hidden-place") {
		t.Error(err)
	}
}

func open(t *testing.T, address string, log io.Writer) *publish.Client {
	t.Helper()
	client, err := publish.New(publish.Options{
		URL: address, Wait: time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// told is an error's code with its cause; the message names the host, whose port is another each time.
func told(err error) string {
	coded, ok := err.(*codex.Error) //nolint:errorlint // it is not wrapped
	if !ok {
		return ""
	}
	return string(coded.Code) + ": " + coded.Err.Error()
}
