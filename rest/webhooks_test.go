package rest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/rest"
	"github.com/hivematrix/codex/syncers"
)

const hookSecret = "hunter2-hunter2-hunter2"

// hearer keeps what it was told.
type hearer struct {
	told []syncers.UpstreamRecord
	err  error
}

func (h *hearer) Announce(_ context.Context, records []syncers.UpstreamRecord) error {
	h.told = append(h.told, records...)
	return h.err
}

// hook is a webhook, good but for what a test changes.
type hook struct {
	method, path, kind, body string
	secrets                  []string
	bearer                   string
}

func goodHook() hook {
	return hook{
		method: http.MethodPost, path: "/webhooks/freshservice", kind: "application/json", body: `{"ticket_id":"INC-4711"}`,
		secrets: []string{hookSecret},
	}
}

func send(t *testing.T, handler http.Handler, h hook) response {
	t.Helper()
	request := httptest.NewRequest(h.method, h.path, strings.NewReader(h.body))
	if h.kind != "" {
		request.Header.Set("Content-Type", h.kind)
	}
	for _, secret := range h.secrets {
		request.Header.Add("X-Webhook-Secret", secret)
	}
	if h.bearer != "" {
		request.Header.Set("Authorization", "Bearer "+h.bearer)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, request)
	answer := w.Result()
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{status: answer.StatusCode, header: answer.Header, body: string(body)}
}

func TestAWebhookIsTakenWithItsSecretAlone(t *testing.T) {
	const (
		accepted = `{"accepted":true,"records":["ticket 4711"]}` + "\n"
		refused  = `{"error":"this needs the header X-Webhook-Secret with the secret of [freshservice] webhook_secret"}` + "\n"
		notFound = `{"error":"Not found"}` + "\n"
		noJSON   = `{"error":"this takes JSON: send it with the header Content-Type: application/json"}` + "\n"
		noObject = `{"error":"the body must be a JSON object such as {\"ticket_id\": \"INC-4711\"}"}` + "\n"
		noID     = `{"error":"the body names no record: one of the keys ticket_id_numeric, ticket_id, requester_id, department_id must have an id such as 4711 or \"INC-4711\", at the top or in freshdesk_webhook"}` + "\n"
	)
	tests := []struct {
		name   string
		change func(*hook)
		status int
		body   string
	}{
		{"as it should be", func(*hook) {}, 202, accepted},
		{"under its other path", func(h *hook) { h.path += "/ticket" }, 202, accepted},
		{"with a charset", func(h *hook) { h.kind = "application/json; charset=utf-8" }, 202, accepted},
		{"without secret", func(h *hook) { h.secrets = nil }, 401, refused},
		{"with another secret", func(h *hook) { h.secrets = []string{hookSecret + "x"} }, 401, refused},
		{"with an empty secret", func(h *hook) { h.secrets = []string{""} }, 401, refused},
		{"with two secrets", func(h *hook) { h.secrets = []string{hookSecret, hookSecret} }, 401, refused},
		{"with a token in its place", func(h *hook) { h.secrets, h.bearer = nil, hookSecret }, 401, refused},
		{"without secret and with nonsense", func(h *hook) { h.secrets, h.body = nil, "nonsense" }, 401, refused},
		{"by GET", func(h *hook) { h.method = http.MethodGet }, 405, `{"error":"Method not allowed"}` + "\n"},
		{"elsewhere", func(h *hook) { h.path += "/requester" }, 404, notFound},
		{"with a slash behind", func(h *hook) { h.path += "/" }, 404, notFound},
		{"as a form", func(h *hook) { h.kind = "application/x-www-form-urlencoded" }, 415, noJSON},
		{"as nothing in particular", func(h *hook) { h.kind = "" }, 415, noJSON},
		{"of 16 KiB", func(h *hook) { h.body += strings.Repeat(" ", 16<<10-len(h.body)) }, 202, accepted},
		{"larger than that", func(h *hook) { h.body += strings.Repeat(" ", 16<<10-len(h.body)+1) }, 413, `{"error":"a webhook's body has at most 16384 bytes"}` + "\n"},
		{"empty", func(h *hook) { h.body = "" }, 400, noObject},
		{"cut", func(h *hook) { h.body = `{"ticket_id":"INC-4711"` }, 400, noObject},
		{"followed by more", func(h *hook) { h.body += `{}` }, 400, noObject},
		{"a list", func(h *hook) { h.body = `["INC-4711"]` }, 400, noObject},
		{"a negative text", func(h *hook) { h.body = `{"ticket_id":"-5"}` }, 400, noID},
		{"a negative text with a blank", func(h *hook) { h.body = `{"ticket_id":" - 5"}` }, 400, noID},
		{"a negative number", func(h *hook) { h.body = `{"ticket_id":-5}` }, 400, noID},
		{"a negative number behind a prefix", func(h *hook) { h.body = `{"ticket_id":"INC--5"}` }, 400, noID},
		{"null", func(h *hook) { h.body = `null` }, 400, noObject},
		{"about nothing", func(h *hook) { h.body = `{"event":"ticket_updated"}` }, 400, noID},
		{"with its placeholders as they stand", func(h *hook) { h.body = `{"ticket_id":"{{ticket.id}}","requester_id":""}` }, 400, noID},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			heard := &hearer{}
			handler := rest.NewWebhookHandler(rest.WebhookOptions{Secret: hookSecret, Announce: heard, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			h := goodHook()
			test.change(&h)
			got := send(t, handler, h)
			expect(t, test.name, got, test.status, test.body)
			if want := test.status == 202; (len(heard.told) > 0) != want {
				t.Errorf("announced: %v", heard.told)
			}
			if (got.header.Get("WWW-Authenticate") != "") != (test.status == 401) || (got.header.Get("Allow") != "") != (test.status == 405) {
				t.Errorf("headers %v", got.header)
			}
			if log.Len() > 0 {
				t.Errorf("what a caller gets wrong is logged: %s", log.String())
			}
		})
	}
}

func TestWebhooksAreOffWithoutASecretOrWithoutFreshservice(t *testing.T) {
	for name, o := range map[string]rest.WebhookOptions{
		"no secret": {Announce: &hearer{}}, "no feed": {Secret: hookSecret}, "neither": {},
	} {
		o.Logger = slog.New(slog.DiscardHandler)
		for _, secrets := range [][]string{{hookSecret}, {""}, nil} {
			h := goodHook()
			h.secrets = secrets
			expect(t, name, send(t, rest.NewWebhookHandler(o), h), 404, `{"error":"Not found"}`+"\n")
		}
	}
}

func TestAWebhookThatCannotBeKeptIsNotAccepted(t *testing.T) {
	var log bytes.Buffer
	heard := &hearer{err: codex.Wrap(codex.CodeUnavailable, errors.New("no connection"), "the database does not answer")}
	handler := rest.NewWebhookHandler(rest.WebhookOptions{Secret: hookSecret, Announce: heard, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	expect(t, "without database", send(t, handler, goodHook()), 503, `{"error":"Try again later"}`+"\n")
	if !strings.Contains(log.String(), "no connection") || strings.Contains(log.String(), hookSecret) {
		t.Errorf("the log: %s", log.String())
	}
}

func TestAWebhookNamesRecordsHoweverItsAutomatorWritesThem(t *testing.T) {
	ticket := func(id int64) syncers.UpstreamRecord {
		return syncers.UpstreamRecord{Kind: syncers.RecordTicket, ID: id}
	}
	requester := syncers.UpstreamRecord{Kind: syncers.RecordRequester, ID: 21001099209}
	department := syncers.UpstreamRecord{Kind: syncers.RecordDepartment, ID: 21000418006}
	tests := []struct {
		name, body string
		want       []syncers.UpstreamRecord
	}{
		{"the ticket as people see it", `{"ticket_id":"INC-4711"}`, []syncers.UpstreamRecord{ticket(4711)}},
		{"a service request", `{"ticket_id":"SR-12"}`, []syncers.UpstreamRecord{ticket(12)}},
		{"a change, with a prefix of the account's own", `{"ticket_id":"MSP-CHN-9"}`, []syncers.UpstreamRecord{ticket(9)}},
		{"the bare number", `{"ticket_id":"4711"}`, []syncers.UpstreamRecord{ticket(4711)}},
		{"a number", `{"ticket_id":4711}`, []syncers.UpstreamRecord{ticket(4711)}},
		{"both, once", `{"event":"ticket_updated","ticket_id":"INC-4711","ticket_id_numeric":"4711"}`, []syncers.UpstreamRecord{ticket(4711)}},
		{"both, and they differ", `{"ticket_id":"INC-1","ticket_id_numeric":"2"}`, []syncers.UpstreamRecord{ticket(2), ticket(1)}},
		{"the simple content", `{"freshdesk_webhook":{"ticket_id":"INC-4711"}}`, []syncers.UpstreamRecord{ticket(4711)}},
		{"a requester", `{"event":"requester_created","requester_id":"21001099209"}`, []syncers.UpstreamRecord{requester}},
		{"a department", `{"department_id":21000418006}`, []syncers.UpstreamRecord{department}},
		{"several", `{"department_id":21000418006,"requester_id":21001099209,"ticket_id":"INC-3"}`, []syncers.UpstreamRecord{ticket(3), requester, department}},
		{"beyond 2^53, exact", `{"ticket_id_numeric":9007199254740993,"ticket_id":"INC-9007199254740995"}`, []syncers.UpstreamRecord{ticket(9007199254740993), ticket(9007199254740995)}},
		{"the largest", `{"ticket_id":9223372036854775807}`, []syncers.UpstreamRecord{ticket(9223372036854775807)}},
		{"beside what is no id", `{"ticket_id":"INC-4711","requester_id":"","department_id":null}`, []syncers.UpstreamRecord{ticket(4711)}},
		{"with blanks", `{"ticket_id":" INC-4711 "}`, []syncers.UpstreamRecord{ticket(4711)}},
		{"too large", `{"ticket_id":9223372036854775808}`, nil},
		{"negative", `{"ticket_id":-4711}`, nil},
		{"zero", `{"ticket_id":0}`, nil},
		{"a fraction", `{"ticket_id":4711.5}`, nil},
		{"with an exponent", `{"ticket_id":4e3}`, nil},
		{"no digits behind the dash", `{"ticket_id":"4711-INC"}`, nil},
		{"digits of another script", `{"ticket_id":"٤٧"}`, nil},
		{"an object in its place", `{"ticket_id":{"id":4711}}`, nil},
		{"an envelope that is none", `{"freshdesk_webhook":"INC-4711"}`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := rest.ParseWebhook([]byte(test.body))
			if !reflect.DeepEqual(got, test.want) || (err == nil) != (test.want != nil) {
				t.Errorf("%v, %v; want %v", got, err, test.want)
			}
		})
	}
}

func FuzzAWebhooksBody(f *testing.F) {
	for _, body := range []string{
		`{"event":"ticket_updated","ticket_id":"INC-4711","ticket_id_numeric":"4711"}`, `{"freshdesk_webhook":{"ticket_id":"INC-4711"}}`,
		`{"requester_id":21001099209,"department_id":null}`, `{"ticket_id":9223372036854775808}`, `[]`, `null`, `{"ticket_id":"\ud800-1"}`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		records, err := rest.ParseWebhook(body)
		if (err == nil) != (len(records) > 0) {
			t.Fatalf("%v, %v", records, err)
		}
		if err != nil && codex.CodeOf(err) != codex.CodeBadInput {
			t.Fatalf("a body can only be the caller's fault: %v", err)
		}
		for i, r := range records {
			if r.ID <= 0 || slices.Contains(records[:i], r) {
				t.Fatalf("%v", records)
			}
		}
	})
}

// What the guide has an automator send is taken, once Freshservice has put values in the place of its
// placeholders; and so is what it has an operator send.
func TestTheBodiesOfTheGuideNameTheirRecords(t *testing.T) {
	guide, err := os.ReadFile("../docs/sync.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(guide), "\n## Webhooks\n")
	section, _, _ = strings.Cut(section, "\n## ")
	values := strings.NewReplacer("{{ticket.id}}", "INC-4711", "{{requester.id}}", "21001099209", "{{department.id}}", "21000418006")
	handler := rest.NewWebhookHandler(rest.WebhookOptions{Secret: hookSecret, Announce: &hearer{}, Logger: slog.New(slog.DiscardHandler)})
	var got []string
	for _, body := range regexp.MustCompile("(?s)```json\n(.*?)```|-d '(.*?)'").FindAllStringSubmatch(section, -1) {
		h := goodHook()
		h.body = values.Replace(body[1] + body[2])
		answer := send(t, handler, h)
		got = append(got, strings.TrimSpace(answer.body))
		if answer.body == `{"accepted":true,"records":["ticket 4711"]}`+"\n" && !strings.Contains(section, strings.TrimSpace(answer.body)) {
			t.Errorf("the guide does not show the answer %s", answer.body)
		}
	}
	accepted := func(record string) string { return `{"accepted":true,"records":["` + record + `"]}` }
	want := []string{accepted("ticket 4711"), accepted("requester 21001099209"), accepted("department 21000418006"), accepted("ticket 4711")}
	if !slices.Equal(got, want) {
		t.Errorf("the guide's bodies are answered\n%v\nwant\n%v", got, want)
	}
}
