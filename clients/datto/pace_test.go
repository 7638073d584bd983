package datto

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hivematrix/codex/clients/transport"
)

// rolling imitates Datto's limits: reads in a sliding minute, 429 beyond, a second's wait above the
// cut-off.
type rolling struct {
	mu      sync.Mutex
	limit   int
	others  int // reads of somebody else in every window
	reads   []time.Time
	refused int
	slowed  int
	rates   int
}

func (u *rolling) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == tokenPath {
		return reply(200, `{"access_token":"t"}`), nil
	}
	time.Sleep(100 * time.Millisecond)
	u.mu.Lock()
	count := u.others
	for _, at := range u.reads {
		if time.Since(at) < time.Minute {
			count++
		}
	}
	if count >= u.limit {
		u.refused++
		u.mu.Unlock()
		return reply(429, ``), nil
	}
	u.reads = append(u.reads, time.Now())
	count++
	slow := float64(count) > 0.9*float64(u.limit)
	if slow {
		u.slowed++
	}
	rate := strings.HasSuffix(r.URL.Path, "/request_rate")
	if rate {
		u.rates++
	}
	u.mu.Unlock()
	if slow {
		time.Sleep(time.Second)
	}
	if rate {
		return reply(200, fmt.Sprintf(`{"slidingTimeWindowSizeSeconds":60,"accountCount":%d,"accountRateLimit":%d,"accountCutOffRatio":0.9}`, count, u.limit)), nil
	}
	return reply(200, `{"pageDetails":{"totalCount":0},"variables":[]}`), nil
}

func reply(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}
}

func TestAnAccountIsReadBelowItsCutOffWithout429s(t *testing.T) {
	for name, test := range map[string]struct {
		others      int
		least, most time.Duration // for 2000 reads
	}{
		"alone":                     {0, 3 * time.Minute, 4*time.Minute + 30*time.Second},
		"beside others who use 200": {200, 5 * time.Minute, 7 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := &rolling{limit: 600, others: test.others}
				client, err := New(Options{
					BaseURL: "https://merlot-api.centrastage.net", PublicKey: "p", SecretKey: "s",
					HTTPClient: &http.Client{Transport: u}, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
				})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				meter := &transport.Meter{}
				ctx := transport.WithMeter(t.Context(), meter)
				var all sync.WaitGroup
				for site := range 2000 {
					all.Go(func() {
						if _, err := client.SiteVariables(ctx, fmt.Sprint(site)); err != nil {
							t.Error(err)
						}
					})
				}
				all.Wait()
				took := time.Since(began)
				if u.refused != 0 || u.slowed != 0 {
					t.Errorf("%d reads were refused, %d slowed", u.refused, u.slowed)
				}
				if took < test.least || took > test.most {
					t.Errorf("took %s, not between %s and %s", took, test.least, test.most)
				}
				minutes := int(took.Minutes()) + 1
				if u.rates < minutes-1 || u.rates > minutes+1 {
					t.Errorf("the figures were read %d times in %s", u.rates, took)
				}
				if waited := meter.Stats().Waited; waited > took || waited < took/2 {
					t.Errorf("waited %s of %s", waited, took)
				}
			})
		})
	}
}

// Whatever a record holds: it is understood or refused, with a reason that quotes none of it.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{
		`{"uid":"u1","id":1,"udf":{"udf1":null,"udf6":17,"udf300":"x","other":[]},"lastSeen":1736937000000}`,
		`{"uid":"u1","lastSeen":"0001-01-01T00:00:00Z","deviceType":{},"online":"true","antivirus":null}`,
		`{"uid":7,"devicesStatus":{"numberOfDevices":"42"}}`, `{"name":"AccountNumber","value":620547,"masked":"false"}`, `null`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return // no list would have let it through
		}
		for _, decode := range []func(json.RawMessage) error{
			func(raw json.RawMessage) error { _, err := decodeDevice(raw); return err },
			func(raw json.RawMessage) error { _, err := decodeSite(raw); return err },
			func(raw json.RawMessage) error { _, err := decodeVariable(raw); return err },
		} {
			if err := decode(raw); err != nil && len(err.Error()) > 100 && !strings.HasPrefix(err.Error(), "udf.") {
				t.Errorf("a reason of %d bytes: %v", len(err.Error()), err)
			}
		}
	})
}

// Wherever a page claims that the next one is: it is asked of our own origin or not at all.
func FuzzParsePage(f *testing.F) {
	for _, seed := range []string{"https://merlot-api.centrastage.net/api/v2/account/devices?max=250&page=1", "", "//evil.example", "https://merlot-api.centrastage.net@evil.example/", "\x00", "?page=2"} {
		f.Add(seed)
	}
	base := &url.URL{Scheme: "https", Host: "merlot-api.centrastage.net"}
	client, err := New(Options{BaseURL: base.String(), PublicKey: "p", SecretKey: "s", Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, next string) {
		quoted, err := json.Marshal(next)
		if err != nil {
			return
		}
		body := fmt.Sprintf(`{"pageDetails":{"nextPageUrl":%s},"devices":[]}`, quoted)
		read, err := parsePage([]byte(body), "devices", url.Values{"max": {"250"}, "page": {"0"}}, client.api.SameOrigin)
		if err == nil && read.next != nil && !strings.Contains(strings.ToLower(next), "https://merlot-api.centrastage.net") {
			t.Errorf("%q was taken as %v", next, read.next)
		}
		if err == nil && read.next != nil && !read.next.Has("max") {
			t.Errorf("%q lost the page size: %v", next, read.next)
		}
	})
}
