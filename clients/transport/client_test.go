package transport_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/transport"
)

// quick is patience for tests.
var quick = transport.Tuning{
	Attempt: 2 * time.Second, Backoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond,
	RetryAfter: time.Millisecond, Spacing: time.Millisecond, MaxBody: 1 << 20,
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newClient(t *testing.T, base string, change func(*transport.Options)) *transport.Client {
	t.Helper()
	options := transport.Options{
		Upstream: "test", BaseURL: base, Now: time.Now, Logger: quiet(), Tuning: quick,
		Authorizer: transport.FixedAuthorization("Basic s3cret"), Secrets: []codex.Secret{"s3cret"},
		Limiter: transport.NewLimiter(transport.LimiterOptions{Now: time.Now, Tuning: quick}),
	}
	if change != nil {
		change(&options)
	}
	client, err := transport.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// serve answers the n-th request (from 1) by what answer does, and counts them.
func serve(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int)) (base string, count *atomic.Int64) {
	t.Helper()
	count = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer(w, r, int(count.Add(1)))
	}))
	t.Cleanup(server.Close)
	return server.URL, count
}

func text(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func json(w http.ResponseWriter, status int, body string) {
	text(w, status, "application/json", body)
}

// breakOff sends the beginning of an answer and cuts the connection.
func breakOff(w http.ResponseWriter) {
	w.Header().Set("Content-Length", "1000")
	_, _ = io.WriteString(w, `{"half":`)
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func TestWhatMayPassIsAskedAgain(t *testing.T) {
	for name, fault := range map[string]func(w http.ResponseWriter){
		"429 without Retry-After": func(w http.ResponseWriter) { json(w, 429, `{"message":"slow down"}`) },
		"429 with Retry-After":    func(w http.ResponseWriter) { w.Header().Set("Retry-After", "0"); json(w, 429, ``) },
		"429 with a date": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "Mon, 01 Jan 2024 00:00:00 GMT")
			json(w, 429, ``)
		},
		"500":                         func(w http.ResponseWriter) { json(w, 500, `{"code":"internal_error"}`) },
		"502 with a page":             func(w http.ResponseWriter) { text(w, 502, "text/html", `<html>Bad Gateway</html>`) },
		"503":                         func(w http.ResponseWriter) { json(w, 503, ``) },
		"504":                         func(w http.ResponseWriter) { json(w, 504, ``) },
		"408":                         func(w http.ResponseWriter) { json(w, 408, ``) },
		"a body that breaks off":      breakOff,
		"a connection that is reset":  func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
		"JSON that ends early":        func(w http.ResponseWriter) { json(w, 200, `{"list":[{"id":1},`) },
		"a page in place of JSON":     func(w http.ResponseWriter) { text(w, 200, "text/html", `<!doctype html>`) },
		"no body":                     func(w http.ResponseWriter) { json(w, 200, ``) },
		"what was not asked for":      func(w http.ResponseWriter) { json(w, 200, `{"other":true}`) },
		"a status text in plain text": func(w http.ResponseWriter) { text(w, 200, "text/plain", `temporarily unavailable`) },
	} {
		t.Run(name, func(t *testing.T) {
			base, count := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
				if n < 5 {
					fault(w)
					return
				}
				json(w, 200, `{"list":[]}`)
			})
			answer, err := newClient(t, base, nil).Do(t.Context(), transport.Request{Path: "/x", Check: hasList})
			if err != nil || string(answer.Body) != `{"list":[]}` || count.Load() != 5 {
				t.Errorf("after %d requests: %s, %v", count.Load(), answer.Body, err)
			}
		})
	}
}

func hasList(body []byte) error {
	if !bytes.HasPrefix(body, []byte(`{"list"`)) {
		return errors.New("no list")
	}
	return nil
}

func TestAfterFiveTriesTheLastFailureIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		fault func(w http.ResponseWriter)
		want  string
	}{
		"status": {
			func(w http.ResponseWriter) { json(w, 503, `{"message":"maintenance"}`) },
			"test: /tickets/{id}: given up after 5 tries: 503 Service Unavailable: maintenance",
		},
		"an HTML page with 200": {
			func(w http.ResponseWriter) { text(w, 200, "text/html", `<html>`) },
			"test: /tickets/{id}: given up after 5 tries: an HTML page where JSON was asked for",
		},
		"an HTML page with 502": {
			func(w http.ResponseWriter) { text(w, 502, "text/html", `<html>`) },
			"test: /tickets/{id}: given up after 5 tries: 502 Bad Gateway: an HTML page",
		},
		"a cut body": {
			breakOff,
			"test: /tickets/{id}: given up after 5 tries: an answer that breaks off: unexpected EOF",
		},
		"a refused answer": {
			func(w http.ResponseWriter) { json(w, 200, `{}`) },
			"test: /tickets/{id}: given up after 5 tries: an answer that is not what was asked for: no list",
		},
	} {
		t.Run(name, func(t *testing.T) {
			base, count := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { test.fault(w) })
			_, err := newClient(t, base, nil).Do(t.Context(), transport.Request{
				Path: "/tickets/12", Endpoint: "/tickets/{id}", Query: url.Values{"email": {"ana@contoso.example"}}, Check: hasList,
			})
			if err == nil || err.Error() != test.want || count.Load() != 5 {
				t.Errorf("after %d requests:\n got %v\nwant %s", count.Load(), err, test.want)
			}
		})
	}
}

func TestWhatAskingAgainCannotMendFailsAtOnce(t *testing.T) {
	huge := `{"list":["` + strings.Repeat("x", 1<<20) + `"]}`
	for name, test := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   string
	}{
		"400 tells the field": {
			func(w http.ResponseWriter) {
				json(w, 400, `{"description":"Validation failed","errors":[{"field":"per_page","message":"It should be a/an Positive Integer","code":"invalid_value"}]}`)
			},
			"test: /x: 400 Bad Request: Validation failed (per_page: invalid_value It should be a/an Positive Integer)",
		},
		"401": {
			func(w http.ResponseWriter) {
				json(w, 401, `{"code":"invalid_credentials","message":"You have to be logged in."}`)
			},
			"test: /x: 401 Unauthorized: invalid_credentials: You have to be logged in.",
		},
		"403": {
			func(w http.ResponseWriter) { json(w, 403, `{"code":"access_denied"}`) },
			"test: /x: 403 Forbidden: access_denied",
		},
		"404 without a body": {
			func(w http.ResponseWriter) { w.WriteHeader(404) },
			"test: /x: 404 Not Found",
		},
		"an error that quotes our key": {
			func(w http.ResponseWriter) { json(w, 400, `{"message":"bad key\n s3cret"}`) },
			"test: /x: 400 Bad Request: bad key ***",
		},
		"an answer too large by its own word": {
			func(w http.ResponseWriter) {
				w.Header().Set("Content-Length", fmt.Sprint(len(huge)))
				json(w, 200, huge)
			},
			"test: /x: an answer of more than 1048576 bytes",
		},
		"an answer too large in fact": {
			func(w http.ResponseWriter) { w.(http.Flusher).Flush(); _, _ = io.WriteString(w, huge) },
			"test: /x: an answer of more than 1048576 bytes",
		},
		"an answer too large once it is unpacked": {
			func(w http.ResponseWriter) {
				w.Header().Set("Content-Encoding", "gzip")
				packed := gzip.NewWriter(w)
				_, _ = io.WriteString(packed, huge)
				_ = packed.Close()
			},
			"test: /x: an answer of more than 1048576 bytes",
		},
		"a pause beyond the longest": {
			func(w http.ResponseWriter) { w.Header().Set("Retry-After", "7200"); json(w, 429, ``) },
			"test: /x: the upstream asks for a longer pause than a run can wait: 2h0m0s: 429 Too Many Requests",
		},
	} {
		t.Run(name, func(t *testing.T) {
			base, count := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { test.answer(w) })
			_, err := newClient(t, base, nil).Do(t.Context(), transport.Request{Path: "/x"})
			if err == nil || err.Error() != test.want || count.Load() != 1 {
				t.Errorf("after %d requests:\n got %v\nwant %s", count.Load(), err, test.want)
			}
		})
	}
}

func TestATricklingUpstreamRunsIntoTheDeadlineOfAnAttempt(t *testing.T) {
	base, count := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		for {
			if _, err := io.WriteString(w, " "); err != nil || r.Context().Err() != nil {
				return
			}
			w.(http.Flusher).Flush()
			time.Sleep(2 * time.Millisecond)
		}
	})
	client := newClient(t, base, func(o *transport.Options) { o.Tuning.Attempt = 20 * time.Millisecond })
	_, err := client.Do(t.Context(), transport.Request{Path: "/x"})
	want := "test: /x: given up after 5 tries: no whole answer within the deadline of 20ms"
	if err == nil || err.Error() != want || count.Load() != 5 {
		t.Errorf("after %d requests: %v", count.Load(), err)
	}
}

func TestACancelledContextEndsACallAtOnce(t *testing.T) {
	t.Run("while the upstream is silent", func(t *testing.T) {
		base, _ := serve(t, func(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := newClient(t, base, nil).Do(ctx, transport.Request{Path: "/x"})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	t.Run("while it waits to ask again", func(t *testing.T) {
		base, count := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { json(w, 500, ``) })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		client := newClient(t, base, func(o *transport.Options) { o.Tuning.Backoff, o.Tuning.MaxBackoff = time.Hour, time.Hour })
		_, err := client.Do(ctx, transport.Request{Path: "/x"})
		if !errors.Is(err, context.DeadlineExceeded) || count.Load() != 1 {
			t.Error(count.Load(), err)
		}
	})
	t.Run("while everything is paused", func(t *testing.T) {
		base, count := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Retry-After", "60")
			json(w, 429, ``)
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		_, err := newClient(t, base, nil).Do(ctx, transport.Request{Path: "/x"})
		if !errors.Is(err, context.DeadlineExceeded) || count.Load() != 1 {
			t.Error(count.Load(), err)
		}
	})
}

func TestWhatAuthenticatesUsNeverGoesToAnotherOrigin(t *testing.T) {
	elsewhere, met := serve(t, func(w http.ResponseWriter, _ *http.Request, _ int) { json(w, 200, `{}`) })
	base, count := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere+"/x", http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/here", http.StatusFound)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		default:
			json(w, 200, fmt.Sprintf(`{"authorization":%q}`, r.Header.Get("Authorization")))
		}
	})
	client := newClient(t, base, nil)
	_, err := client.Do(t.Context(), transport.Request{Path: "/away"})
	if !errors.Is(err, transport.ErrOtherOrigin) || met.Load() != 0 || count.Load() != 1 {
		t.Errorf("a redirect elsewhere: %v, %d requests there", err, met.Load())
	}
	answer, err := client.Do(t.Context(), transport.Request{Path: "/near"})
	if err != nil || string(answer.Body) != `{"authorization":"Basic s3cret"}` {
		t.Errorf("a redirect within the origin: %s, %v", answer.Body, err)
	}
	if _, err = client.Do(t.Context(), transport.Request{Path: "/circle"}); err == nil {
		t.Error("a redirect in circles succeeded")
	}
}

func TestAnOriginIsSchemeHostAndPort(t *testing.T) {
	client := newClient(t, "https://Api.example.com/base/", nil)
	for target, same := range map[string]bool{
		"https://api.example.com/x":      true,
		"https://api.example.com:443/x":  true,
		"HTTPS://API.EXAMPLE.COM/x":      true,
		"http://api.example.com/x":       false,
		"https://api.example.com:8443/x": false,
		"https://example.com/x":          false,
		"https://api.example.com.evil/x": false,
		"/relative":                      false,
	} {
		parsed, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		if client.SameOrigin(parsed) != same {
			t.Errorf("%s: same origin is not %v", target, same)
		}
	}
}

func TestCertificatesAreAlwaysVerified(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { json(w, 200, `{}`) }))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	defer server.Close()
	_, err := newClient(t, server.URL, nil).Do(t.Context(), transport.Request{Path: "/x"})
	var untrusted *tls.CertificateVerificationError
	if !errors.As(err, &untrusted) || strings.Contains(err.Error(), "given up") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	if _, err := newClient(t, server.URL, func(o *transport.Options) { o.HTTPClient = server.Client() }).
		Do(t.Context(), transport.Request{Path: "/x"}); err != nil {
		t.Errorf("a certificate that is trusted: %v", err)
	}
	careless := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // what must be refused
	if _, err := transport.New(transport.Options{
		BaseURL: server.URL, HTTPClient: careless, Now: time.Now, Logger: quiet(),
	}); err == nil {
		t.Error("a transport that verifies nothing was taken")
	}
}

func TestABaseThatIsNoAddressIsRefused(t *testing.T) {
	for _, base := range []string{"", "acme.freshservice.com", "ftp://x", "https://", "https://user:pass@x", "https://x?key=1", "https://x#y", "https://x:port"} {
		_, err := transport.New(transport.Options{BaseURL: base, Now: time.Now, Logger: quiet()})
		if codex.CodeOf(err) != codex.CodeBadInput {
			t.Errorf("%q: %v", base, err)
		}
	}
}

// renewing is an authorizer whose value is refused once.
type renewing struct{ asked, refused atomic.Int64 }

func (r *renewing) Authorization(context.Context) (codex.Secret, error) {
	return codex.Secret(fmt.Sprintf("Bearer %d", r.asked.Add(1))), nil
}

func (r *renewing) Refused(codex.Secret) bool { r.refused.Add(1); return true }

func TestA401IsTriedOnceMoreWithWhatTheAuthorizerThenHas(t *testing.T) {
	base, count := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.Header.Get("Authorization") == "Bearer 1" || r.URL.Path == "/never" {
			json(w, 401, `{"error":"invalid_token"}`)
			return
		}
		json(w, 200, `{}`)
	})
	authorizer := &renewing{}
	client := newClient(t, base, func(o *transport.Options) { o.Authorizer = authorizer })
	if _, err := client.Do(t.Context(), transport.Request{Path: "/x"}); err != nil || count.Load() != 2 {
		t.Errorf("%d requests, %v", count.Load(), err)
	}
	_, err := client.Do(t.Context(), transport.Request{Path: "/never"})
	if !transport.IsUnauthorized(err) || count.Load() != 4 || authorizer.refused.Load() != 2 {
		t.Errorf("refused again: %d requests, %v", count.Load(), err)
	}
}

func TestMetersCountEveryAttempt(t *testing.T) {
	base, _ := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n%3 != 0 {
			json(w, 500, ``)
			return
		}
		json(w, 200, `{}`)
	})
	client := newClient(t, base, nil)
	first, second := &transport.Meter{}, &transport.Meter{}
	for _, meter := range []*transport.Meter{first, second} {
		if _, err := client.Do(transport.WithMeter(t.Context(), meter), transport.Request{Path: "/x"}); err != nil {
			t.Fatal(err)
		}
	}
	if first.Stats().Requests != 3 || second.Stats().Requests != 3 {
		t.Errorf("%+v %+v", first.Stats(), second.Stats())
	}
}

func TestAClosedClientLeavesNoConnectionOpenAndDialsAnewWhereItIsUsedAgain(t *testing.T) {
	states := make(chan http.ConnState, 100)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { json(w, 200, `{}`) }))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) { states <- state }
	server.Start()
	t.Cleanup(server.Close)
	expect := func(want ...http.ConnState) {
		t.Helper()
		for _, state := range want {
			select {
			case got := <-states:
				if got != state {
					t.Fatalf("the connection is %s, not %s", got, state)
				}
			case <-time.After(5 * time.Second):
				t.Fatalf("the connection never was %s", state)
			}
		}
	}
	ask := func(client *transport.Client) {
		t.Helper()
		if _, err := client.Do(t.Context(), transport.Request{Path: "/x"}); err != nil {
			t.Fatal(err)
		}
	}

	client := newClient(t, server.URL, nil)
	ask(client)
	expect(http.StateNew, http.StateActive, http.StateIdle)
	ask(client)
	expect(http.StateActive, http.StateIdle)
	client.Close()
	expect(http.StateClosed)
	ask(client)
	expect(http.StateNew, http.StateActive, http.StateIdle)
	client.Close()
	expect(http.StateClosed)

	lent := &http.Transport{}
	borrower := newClient(t, server.URL, func(o *transport.Options) { o.HTTPClient = &http.Client{Transport: lent} })
	ask(borrower)
	expect(http.StateNew, http.StateActive, http.StateIdle)
	borrower.Close() // what it was lent is its owner's, who asks on by the same connection
	ask(borrower)
	expect(http.StateActive, http.StateIdle)
	lent.CloseIdleConnections()
	expect(http.StateClosed)
}

func TestRequestsOfAFormArePosted(t *testing.T) {
	base, _ := serve(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		_ = r.ParseForm()
		json(w, 200, fmt.Sprintf(`[%q,%q,%q,%q]`, r.Method, r.Header.Get("Content-Type"), r.Header.Get("Authorization"), r.PostForm.Get("a b")))
	})
	answer, err := newClient(t, base, nil).Do(t.Context(), transport.Request{
		Path: "/x", Form: url.Values{"a b": {"c&d"}}, Authorization: "Basic other",
	})
	if want := `["POST","application/x-www-form-urlencoded","Basic other","c&d"]`; err != nil || string(answer.Body) != want {
		t.Errorf("%s, %v", answer.Body, err)
	}
}

// roundTrip answers without a network, so that time can be a test's own.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func response(status int, header map[string]string, body string) *http.Response {
	answer := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
	for key, value := range header {
		answer.Header.Set(key, value)
	}
	return answer
}

func TestHowLongACallWaitsBeforeItAsksAgain(t *testing.T) {
	date := func(at time.Time) string { return at.UTC().Format(http.TimeFormat) }
	for name, test := range map[string]struct {
		status      int
		header      func(now time.Time) map[string]string
		least, most time.Duration // over four waits
	}{
		"500: a doubling wait, at random in its upper half": {500, nil, 7500 * time.Millisecond, 15 * time.Second},
		"429 without Retry-After: the default":              {429, nil, 240 * time.Second, 241 * time.Second},
		"429 with whole seconds": {429, func(time.Time) map[string]string {
			return map[string]string{"Retry-After": "90"}
		}, 360 * time.Second, 361 * time.Second},
		"429 with a date": {429, func(now time.Time) map[string]string {
			return map[string]string{"Retry-After": date(now.Add(90 * time.Second))}
		}, 356 * time.Second, 361 * time.Second},
		"429 with a date by an upstream's clock that is an hour fast": {429, func(now time.Time) map[string]string {
			return map[string]string{"Date": date(now.Add(time.Hour)), "Retry-After": date(now.Add(time.Hour + 90*time.Second))}
		}, 360 * time.Second, 361 * time.Second},
		"429 with nonsense: the default": {429, func(time.Time) map[string]string {
			return map[string]string{"Retry-After": "soon"}
		}, 240 * time.Second, 241 * time.Second},
		"503 with Retry-After": {503, func(time.Time) map[string]string {
			return map[string]string{"Retry-After": "30"}
		}, 120 * time.Second, 121 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests := 0
				client := newClient(t, "http://upstream.example", func(o *transport.Options) {
					o.Tuning = transport.Tuning{}
					o.Limiter = transport.NewLimiter(transport.LimiterOptions{Now: time.Now})
					o.HTTPClient = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
						requests++
						if requests == 5 {
							return response(200, nil, `{}`), nil
						}
						var header map[string]string
						if test.header != nil {
							header = test.header(time.Now())
						}
						return response(test.status, header, ``), nil
					})}
				})
				began := time.Now()
				if _, err := client.Do(t.Context(), transport.Request{Path: "/x"}); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took < test.least || took > test.most {
					t.Errorf("took %s, not between %s and %s", took, test.least, test.most)
				}
			})
		})
	}
}

func TestLogsOfRetriesHoldNeitherQueryNorKey(t *testing.T) {
	var log bytes.Buffer
	base, _ := serve(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			panic(http.ErrAbortHandler)
		}
		json(w, 200, `{}`)
	})
	client := newClient(t, base, func(o *transport.Options) {
		o.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
	})
	if _, err := client.Do(t.Context(), transport.Request{
		Path: "/tickets/7", Endpoint: "/tickets/{id}", Query: url.Values{"email": {"ana@contoso.example"}},
	}); err != nil {
		t.Fatal(err)
	}
	want := `level=WARN msg="an upstream call failed and is tried again" upstream=test attempt=1 err="test: /tickets/{id}: EOF"` + "\n"
	if log.String() != want {
		t.Errorf("got  %swant %s", log.String(), want)
	}
}
