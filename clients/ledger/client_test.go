package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/ledger"
	"github.com/hivematrix/codex/clients/transport"
)

const token = "secret.token.text"

func october() codex.Period { return codex.Period{Year: 2025, Month: time.October} }

// answering is a client of a Ledger that answers so.
func answering(t *testing.T, log io.Writer, answer http.HandlerFunc) *ledger.Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return clientOf(t, server.URL, log)
}

func clientOf(t *testing.T, address string, log io.Writer) *ledger.Client {
	t.Helper()
	client, err := ledger.New(ledger.Options{
		BaseURL: address + "/", CallLimit: 200 * time.Millisecond, Now: time.Now,
		Logger: slog.New(slog.NewTextHandler(log, nil)),
		Tuning: transport.Tuning{Backoff: time.Millisecond, MaxBody: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func saying(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const (
	asJSON = "application/json"
	asHTML = "text/html; charset=utf-8"
)

func TestABillIsAskedForAsDocumented(t *testing.T) {
	for _, c := range []struct {
		notes, body string
	}{
		{"Automated snapshot via scheduler (job 7)", `{"account_number":"620547","year":2025,"month":10,"notes":"Automated snapshot via scheduler (job 7)"}`},
		{"", `{"account_number":"620547","year":2025,"month":10}`},
	} {
		var asked string
		client := answering(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			asked = strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("Authorization"), string(body)}, " ")
			saying(201, asJSON, `{"success":true,"message":"Bill accepted","invoice_number":"620547-202510"}`)(w, r)
		})
		made, err := client.Accept(t.Context(), token, "620547", october(), c.notes)
		if want := (ledger.Accepted{Made: true, Invoice: "620547-202510"}); err != nil || made != want {
			t.Errorf("%+v, %v", made, err)
		}
		if want := "POST /api/bill/accept application/json Bearer " + token + " " + c.body; asked != want {
			t.Errorf("asked %s\nnot   %s", asked, want)
		}
	}
}

func TestOnlyWhatLedgerSaysIsAnAcceptedBill(t *testing.T) {
	type is struct{ usersOnly, transient bool }
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   ledger.Accepted
		status int
		is
		text string // of the error; empty: none
	}{
		{
			name: "there already", answer: saying(409, asJSON, `{"success":false,"error":"Bill already accepted"}`),
			want: ledger.Accepted{Invoice: "620547-202510"},
		},
		{
			name: "no plan", answer: saying(500, asJSON, `{"success": false, "error": "No billing plan found for Gold (1 Year)"}`),
			status: 500, is: is{transient: true},
			text: "Ledger answers 500 Internal Server Error: No billing plan found for Gold (1 Year)",
		},
		{
			name: "broken", answer: saying(500, asHTML, `<h1>Internal Server Error</h1>`), status: 500, is: is{transient: true},
			text: "Ledger answers 500 Internal Server Error: an HTML page",
		},
		{
			name: "behind a gateway that finds it down", answer: saying(502, asHTML, `<html>`), status: 502, is: is{transient: true},
			text: "Ledger answers 502 Bad Gateway: an HTML page",
		},
		{
			name: "busy", answer: saying(429, asJSON, `{}`), status: 429, is: is{transient: true},
			text: "Ledger answers 429 Too Many Requests",
		},
		{
			name: "for users only", answer: saying(403, asJSON, `{"error": "This endpoint is for users only"}`), status: 403,
			is: is{usersOnly: true}, text: "Ledger answers 403 Forbidden: This endpoint is for users only",
		},
		{
			name: "not for that user", answer: saying(403, "application/problem+json", `{"type":"about:blank","title":"Forbidden","status":403,"detail":"Billing access required"}`),
			status: 403, text: "Ledger answers 403 Forbidden: Billing access required",
		},
		{
			name: "no good token, which it quotes", answer: saying(401, asJSON, `{"error": "Invalid token: `+token+`"}`), status: 401,
			text: "Ledger answers 401 Unauthorized: Invalid token: ***",
		},
		{
			name: "a field that it does not like", answer: saying(400, asJSON, `{"error": "account_number is required"}`), status: 400,
			text: "Ledger answers 400 Bad Request: account_number is required",
		},
		{
			name: "a page", answer: saying(200, asHTML, `<!doctype html><title>Log in</title>`), is: is{transient: true},
			text: "Ledger gives an HTML page where JSON was asked for",
		},
		{
			name: "nothing", answer: saying(201, asJSON, ``), is: is{transient: true}, text: "Ledger gives an answer without a body",
		},
		{
			name: "cut off", is: is{transient: true}, text: "Ledger gives an answer that breaks off: unexpected EOF",
			answer: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "500")
				saying(201, asJSON, `{"success":true,"invoice_number":"620547-202510"`)(w, r)
			},
		},
		{
			name: "success without a number", answer: saying(201, asJSON, `{"success":true}`), is: is{transient: true},
			text: `Ledger gives an answer that is not what was asked for: no "success" with an "invoice_number"`,
		},
		{
			name: "a number without success", answer: saying(201, asJSON, `{"success":false,"invoice_number":"620547-202510"}`), is: is{transient: true},
			text: `Ledger gives an answer that is not what was asked for: no "success" with an "invoice_number"`,
		},
		{
			name: "a list", answer: saying(201, asJSON, `["`+token+`"]`), is: is{transient: true},
			text: "Ledger gives an answer that is not what was asked for: no answer about a bill",
		},
		{
			name: "another status", answer: saying(200, asJSON, `{"success":true,"invoice_number":"620547-202510"}`), status: 200,
			text: "Ledger answers 200 where a bill that it made is 201",
		},
		{
			name: "huge", answer: saying(201, asJSON, `{"success":true,"invoice_number":"`+strings.Repeat("9", 2000)+`"}`),
			text: "Ledger gives an answer of more than 1000 bytes",
		},
		{
			name: "slow", is: is{transient: true},
			text: "Ledger cannot be asked: /api/bill/accept: no whole answer within the deadline of 200ms",
			answer: func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.ReadAll(r.Body) // or the server does not notice that the caller has gone
				<-r.Context().Done()
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			var log bytes.Buffer
			client := answering(t, &log, func(w http.ResponseWriter, r *http.Request) { asked++; c.answer(w, r) })
			got, err := client.Accept(t.Context(), token, "620547", october(), "")
			if got != c.want || asked != 1 {
				t.Errorf("%+v after %d calls", got, asked)
			}
			if c.text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var failed *ledger.Error
			if !errors.As(err, &failed) {
				t.Fatal(err)
			}
			if failed.Text != c.text || failed.Status != c.status || (is{failed.UsersOnly, failed.Transient}) != c.is || failed.NeedsUser {
				t.Errorf("%+v", failed)
			}
			if want := "account 620547: " + c.text; failed.Error() != want {
				t.Errorf("it says %s", failed)
			}
			if strings.Contains(log.String(), token) {
				t.Error("the log has the token")
			}
		})
	}
}

func TestALedgerThatIsNotThereIsTransient(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	server.Close()
	_, err := clientOf(t, address, io.Discard).Accept(t.Context(), token, "620547", october(), "")
	var failed *ledger.Error
	if !errors.As(err, &failed) || !failed.Transient || failed.Status != 0 ||
		!strings.HasPrefix(failed.Text, "Ledger cannot be asked: /api/bill/accept: dial tcp ") {
		t.Errorf("%+v", failed)
	}
	if codex.CodeOf(err) != codex.CodeUnavailable {
		t.Errorf("its code is %s", codex.CodeOf(err))
	}
}

func TestATokenGoesToNobodyElse(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked++ }))
	defer elsewhere.Close()
	client := answering(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL+"/api/bill/accept", http.StatusTemporaryRedirect)
	})
	_, err := client.Accept(t.Context(), token, "620547", october(), "")
	var failed *ledger.Error
	if !errors.As(err, &failed) || failed.Transient || !errors.Is(err, transport.ErrOtherOrigin) || asked != 0 {
		t.Errorf("%v after %d calls elsewhere", err, asked)
	}
}

func TestACallThatItsCallerEndsIsNoWordOfLedgers(t *testing.T) {
	client := answering(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-r.Context().Done()
	})
	stopped := errors.New("the job was cancelled")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(stopped) })
	_, err := client.Accept(ctx, token, "620547", october(), "")
	var failed *ledger.Error
	if !errors.Is(err, stopped) || errors.As(err, &failed) {
		t.Error(err)
	}
}

func TestABillIsReadFromALedgerThatKeepsIt(t *testing.T) {
	const object = `{ "invoice_number": "62/0547-202510", "total_amount": 412.27 }`
	const csv = "\xEF\xBB\xBFInvoiceNo,Amount\r\n1,2\r\n"
	client := answering(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			t.Error("asked without the token")
		}
		switch r.Method + " " + r.URL.EscapedPath() + " " + r.Header.Get("Accept") {
		case "GET /archive/api/snapshot/62%2F0547-202510 application/json":
			saying(200, asJSON, object)(w, r)
		case "GET /archive/api/snapshot/62%2F0547-202510/csv text/csv":
			saying(200, "text/csv; charset=utf-8", csv)(w, r)
		default:
			t.Errorf("asked %s %s", r.Method, r.URL)
		}
	})
	if got, err := client.Snapshot(t.Context(), token, "62/0547-202510"); err != nil || string(got) != object {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := client.CSV(t.Context(), token, "62/0547-202510"); err != nil || string(got) != csv {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatIsNotThatBillIsNotRead(t *testing.T) {
	const notThere = "bill 620547-202510: Ledger answers 404 Not Found: Snapshot not found"
	for _, c := range []struct {
		name          string
		answer        http.HandlerFunc
		asked         int // each of the two
		object, csv   string
		objectCode    codex.Code
		onlyTheObject bool
	}{
		{
			name: "there is none", answer: saying(404, asJSON, `{"error": "Snapshot not found"}`), asked: 1,
			object: notThere, csv: notThere, objectCode: codex.CodeNotFound,
		},
		{
			name: "no token that is good", answer: saying(401, asJSON, `{}`), asked: 1, objectCode: codex.CodeUnavailable,
			object: "bill 620547-202510: Ledger answers 401 Unauthorized", csv: "bill 620547-202510: Ledger answers 401 Unauthorized",
		},
		{
			name: "a page", answer: saying(200, asHTML, `<html>`), asked: 3, objectCode: codex.CodeUnavailable,
			object: "bill 620547-202510: Ledger gives an HTML page where JSON was asked for",
			csv:    "bill 620547-202510: Ledger gives an HTML page where text/csv was asked for",
		},
		{
			name: "a page that says that it is none", answer: saying(200, "text/csv", ` <html>`), asked: 3, objectCode: codex.CodeUnavailable,
			object: "bill 620547-202510: Ledger gives an HTML page where JSON was asked for",
			csv:    "bill 620547-202510: Ledger gives an HTML page where text/csv was asked for",
		},
		{
			name: "another bill", answer: saying(200, asJSON, `{"invoice_number":"620547-202509"}`), asked: 3, objectCode: codex.CodeUnavailable,
			object: "bill 620547-202510: Ledger gives an answer that is not what was asked for: it is not the bill of that number",
			csv:    "bill 620547-202510: Ledger gives an answer that is not what was asked for: it is JSON where a CSV was asked for",
		},
		{
			name: "nothing", answer: saying(200, "text/csv", ``), asked: 3, objectCode: codex.CodeUnavailable,
			object: "bill 620547-202510: Ledger gives an answer without a body", csv: "bill 620547-202510: Ledger gives an answer without a body",
		},
		{
			name: "huge", answer: saying(200, "text/csv", strings.Repeat("1", 1001)), asked: 1, objectCode: codex.CodeUnavailable,
			object: "bill 620547-202510: Ledger gives an answer of more than 1000 bytes", csv: "bill 620547-202510: Ledger gives an answer of more than 1000 bytes",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			client := answering(t, io.Discard, func(w http.ResponseWriter, r *http.Request) { asked++; c.answer(w, r) })
			object, err := client.Snapshot(t.Context(), token, "620547-202510")
			if object != nil || fmt.Sprint(err) != c.object || codex.CodeOf(err) != c.objectCode || asked != c.asked {
				t.Errorf("%s, %v (%s) after %d calls", object, err, codex.CodeOf(err), asked)
			}
			asked = 0
			csv, err := client.CSV(t.Context(), token, "620547-202510")
			if csv != nil || fmt.Sprint(err) != c.csv || asked != c.asked {
				t.Errorf("%s, %v after %d calls", csv, err, asked)
			}
		})
	}
}

func TestReadingABillIsTriedAgain(t *testing.T) {
	asked := 0
	client := answering(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked < 3 {
			saying(503, asHTML, "<html>")(w, r)
			return
		}
		saying(200, asJSON, `{"invoice_number":"620547-202510"}`)(w, r)
	})
	if object, err := client.Snapshot(t.Context(), token, "620547-202510"); err != nil || string(object) != `{"invoice_number":"620547-202510"}` {
		t.Errorf("%s, %v", object, err)
	}
}

func TestAnyAnswerButAGatewaysSaysThatLedgerIsThere(t *testing.T) {
	for want, answers := range map[string][]http.HandlerFunc{
		"<nil>": {saying(200, asJSON, `{"status":"ok"}`), saying(200, asHTML, `<html>`), saying(401, asJSON, `{}`), saying(404, asHTML, `<html>`), saying(500, asHTML, ``)},
		"ledger: /health: 502 Bad Gateway: an HTML page": {saying(502, asHTML, `<html>`)},
		"ledger: /health: 504 Gateway Timeout":           {saying(504, "text/plain", ``)},
	} {
		for _, answer := range answers {
			if err := answering(t, io.Discard, answer).Answers(t.Context()); fmt.Sprint(err) != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
	}
}

func TestABillHasOneNumber(t *testing.T) {
	for period, want := range map[codex.Period]string{
		{Year: 2025, Month: time.October}: "620547-202510",
		{Year: 2026, Month: time.January}: "620547-202601",
	} {
		if got := ledger.InvoiceNumber("620547", period); got != want {
			t.Errorf("%s: %s", period, got)
		}
	}
}
