package ledger_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/ledger"
	"github.com/hivematrix/codex/clients/transport"
)

// till is a token of a person that ends then.
func till(at time.Time) codex.Secret {
	text := base64.RawURLEncoding.EncodeToString
	return codex.Secret(text([]byte(`{"alg":"RS256"}`)) + "." + text(fmt.Appendf(nil, `{"exp":%d}`, at.Unix())) + "." + text([]byte("signature")))
}

// giving is an Authorizer that gives these tokens, each until it is refused; an error stands for none.
type giving struct {
	tokens []string
	err    error
	asked  int
}

func (g *giving) Authorization(context.Context) (codex.Secret, error) {
	g.asked++
	if g.err != nil {
		return "", g.err
	}
	return codex.Secret("Bearer " + g.tokens[0]), nil
}

func (g *giving) Refused(codex.Secret) bool {
	g.tokens = append(g.tokens[1:], g.tokens[0])
	return true
}

func now() time.Time { return time.Date(2025, time.November, 1, 2, 0, 0, 0, time.UTC) }

// The tokens by which the Ledger of these tests knows who asks.
const (
	service = "service"
	account = "account"
	wrong   = "wrong"
)

func TestLedgerIsAskedWithATokenThatItTakes(t *testing.T) {
	person := till(now().Add(time.Hour))
	const (
		usersOnly = `{"error": "This endpoint is for users only"}`
		wanted    = `account 620547: Ledger answers a service token with "users only"; `
		made      = "made 620547-202510"
	)
	down := errors.New("asking Core for a token for ledger: core: /service-token: 500 Internal Server Error")
	for _, c := range []struct {
		name             string
		service, account *giving
		person           codex.Secret
		answers          map[string]http.HandlerFunc // by token; all others are accepted
		asked            []string                    // with which tokens, in order
		want             string
		needsUser        bool
		code             codex.Code
	}{
		{
			name: "services are welcome", service: &giving{tokens: []string{service}}, account: &giving{tokens: []string{account}}, person: person,
			asked: []string{service}, want: made,
		},
		{
			name: "a service token that is not good any more", service: &giving{tokens: []string{wrong, service}},
			asked: []string{wrong, service}, want: made,
			answers: map[string]http.HandlerFunc{wrong: saying(401, asJSON, `{}`)},
		},
		{
			name: "no service token is good", service: &giving{tokens: []string{wrong}}, account: &giving{tokens: []string{account}}, person: person,
			asked: []string{wrong, wrong}, want: "account 620547: Ledger answers 401 Unauthorized: Invalid token", code: codex.CodeUnavailable,
			answers: map[string]http.HandlerFunc{wrong: saying(401, asJSON, `{"error": "Invalid token"}`)},
		},
		{
			name: "users only, and a person", service: &giving{tokens: []string{service}}, account: &giving{tokens: []string{account}}, person: person,
			asked: []string{service, string(person)}, want: made,
			answers: map[string]http.HandlerFunc{service: saying(403, asJSON, usersOnly)},
		},
		{
			name: "users only, and an account", service: &giving{tokens: []string{service}}, account: &giving{tokens: []string{account}},
			asked: []string{service, account}, want: made,
			answers: map[string]http.HandlerFunc{service: saying(403, asJSON, usersOnly)},
		},
		{
			name: "users only, and nobody", service: &giving{tokens: []string{service}},
			asked: []string{service}, want: wanted + "start the run as a person, or configure [keycloak]", needsUser: true, code: codex.CodeConflict,
			answers: map[string]http.HandlerFunc{service: saying(403, asJSON, usersOnly)},
		},
		{
			name: "a service that may not, and nobody", service: &giving{tokens: []string{service}},
			asked: []string{service}, want: "account 620547: Ledger answers 403 Forbidden: not you; start the run as a person, or configure [keycloak]",
			needsUser: true, code: codex.CodeConflict,
			answers: map[string]http.HandlerFunc{service: saying(403, asJSON, `{"error": "not you"}`)},
		},
		{
			name: "a person whose hour is over", service: &giving{tokens: []string{service}}, person: till(now()),
			asked:     []string{service},
			want:      "account 620547: the token of the person who started this ends at 2025-11-01T02:00:00Z, too soon to ask Ledger with it; start it again as a person, or configure [keycloak]",
			needsUser: true, code: codex.CodeConflict,
			answers: map[string]http.HandlerFunc{service: saying(403, asJSON, usersOnly)},
		},
		{
			name: "a person whose hour is nearly over, and an account", service: &giving{tokens: []string{service}}, account: &giving{tokens: []string{account}},
			person: till(now().Add(30 * time.Second)), asked: []string{service, account}, want: made,
			answers: map[string]http.HandlerFunc{service: saying(403, asJSON, usersOnly)},
		},
		{
			name: "a person who was logged out", service: &giving{tokens: []string{service}}, person: "opaque",
			asked:     []string{service, "opaque"},
			want:      "account 620547: the token of the person who started this is not good any more, Ledger answers 401 Unauthorized: Session revoked; start it again as a person, or configure [keycloak]",
			needsUser: true, code: codex.CodeConflict,
			answers: map[string]http.HandlerFunc{
				service: saying(403, asJSON, usersOnly), "opaque": saying(401, asJSON, `{"error": "Session revoked"}`),
			},
		},
		{
			name: "a person who was logged out, and an account", service: &giving{tokens: []string{service}}, account: &giving{tokens: []string{account}},
			person: "opaque", asked: []string{service, "opaque", account}, want: made,
			answers: map[string]http.HandlerFunc{service: saying(403, asJSON, usersOnly), "opaque": saying(401, asJSON, `{}`)},
		},
		{
			name: "a person whom Ledger refuses is not replaced", service: &giving{tokens: []string{service}}, account: &giving{tokens: []string{account}},
			person: person, asked: []string{service, string(person)}, want: "account 620547: Ledger answers 403 Forbidden: Billing access required", code: codex.CodeForbidden,
			answers: map[string]http.HandlerFunc{
				service: saying(403, asJSON, usersOnly), string(person): saying(403, asJSON, `{"error": "Billing access required"}`),
			},
		},
		{
			name: "a bill that cannot be made", service: &giving{tokens: []string{service}}, account: &giving{tokens: []string{account}},
			person: person, asked: []string{service, string(person)}, want: "account 620547: Ledger answers 500 Internal Server Error: no plan", code: codex.CodeUnavailable,
			answers: map[string]http.HandlerFunc{
				service: saying(403, asJSON, usersOnly), string(person): saying(500, asJSON, `{"success": false, "error": "no plan"}`),
			},
		},
		{
			name: "without Core", asked: nil, needsUser: true, code: codex.CodeConflict,
			want: "account 620547: Ledger takes tokens of Core alone, and no Core is configured ([core] url); start the run as a person, or configure [keycloak]",
		},
		{
			name: "Core is down", service: &giving{err: down}, asked: nil, code: codex.CodeUnavailable,
			want: "account 620547: no service token for Ledger is to be had: " + down.Error(),
		},
		{name: "Core is down, and a person", service: &giving{err: down}, person: person, asked: []string{string(person)}, want: made},
		{
			name: "the account cannot log in", service: &giving{tokens: []string{service}}, account: &giving{err: errors.New("logging in at Keycloak: 401")},
			asked: []string{service}, code: codex.CodeUnavailable,
			want:    "account 620547: the account of [keycloak] cannot be used: logging in at Keycloak: 401",
			answers: map[string]http.HandlerFunc{service: saying(403, asJSON, usersOnly)},
		},
		{
			name: "the account's token is not good any more", service: &giving{tokens: []string{service}}, account: &giving{tokens: []string{wrong, account}},
			asked: []string{service, wrong, account}, want: made,
			answers: map[string]http.HandlerFunc{service: saying(403, asJSON, usersOnly), wrong: saying(401, asJSON, `{}`)},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked []string
			desk := deskOf(c.service, c.account, now, answering(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
				as := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
				asked = append(asked, as)
				if answer := c.answers[as]; answer != nil {
					answer(w, r)
					return
				}
				saying(201, asJSON, `{"success":true,"invoice_number":"620547-202510"}`)(w, r)
			}))
			accepted, err := desk.Accept(t.Context(), c.person, "620547", october(), "")
			got := fmt.Sprint(err)
			if err == nil {
				got = map[bool]string{true: "made ", false: "there "}[accepted.Made] + accepted.Invoice
			}
			if got != c.want {
				t.Errorf("%s\nnot %s", got, c.want)
			}
			if !reflect.DeepEqual(asked, c.asked) {
				t.Errorf("asked as %v, not %v", asked, c.asked)
			}
			var failed *ledger.Error
			if needs := errors.As(err, &failed) && failed.NeedsUser; needs != c.needsUser || codex.CodeOf(err) != c.code {
				t.Errorf("it needs a user: %v; %s", needs, codex.CodeOf(err))
			}
		})
	}
}

func deskOf(service, account *giving, now func() time.Time, client *ledger.Client) *ledger.Desk {
	o := ledger.DeskOptions{Client: client, Now: now}
	if service != nil {
		o.Service = transport.Authorizer(service)
	}
	if account != nil {
		o.Account = transport.Authorizer(account)
	}
	return ledger.NewDesk(o)
}

func TestWhatLedgerWantsIsRememberedForAWhile(t *testing.T) {
	at := now()
	var asked []string
	desk := deskOf(&giving{tokens: []string{service}}, &giving{tokens: []string{account}}, func() time.Time { return at },
		answering(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
			as := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			asked = append(asked, r.Method+" "+as)
			switch {
			case r.Method == http.MethodGet:
				saying(200, asJSON, `{"invoice_number":"620547-202510"}`)(w, r)
			case as == service:
				saying(403, asJSON, `{"error": "This endpoint is for users only"}`)(w, r)
			default:
				saying(409, asJSON, `{"success":false,"error":"there"}`)(w, r)
			}
		}))
	accept := func() {
		t.Helper()
		if got, err := desk.Accept(t.Context(), "", "620547", october(), ""); err != nil || got.Invoice != "620547-202510" {
			t.Error(got, err)
		}
	}
	accept()
	accept()
	if _, err := desk.Snapshot(t.Context(), "", "620547-202510"); err != nil { // which services may read
		t.Error(err)
	}
	at = at.Add(10 * time.Minute)
	accept()
	want := []string{"POST service", "POST account", "POST account", "GET service", "POST service", "POST account"}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("asked %v", asked)
	}
}

func TestABillAndItsCSVBelongTogether(t *testing.T) {
	const csv = "InvoiceNo\r\n"
	object := func(total int) string {
		return fmt.Sprintf(`{"invoice_number":"620547-202510","total_amount":%d}`, total)
	}
	for _, c := range []struct {
		name   string
		totals []int // of the object, each time that it is read
		want   string
	}{
		{"it stays as it is", []int{1, 1}, object(1)},
		{"it is corrected meanwhile", []int{1, 2, 2}, object(2)},
		{"it does not come to rest", []int{1, 2, 3, 4}, "bill 620547-202510: Ledger gives another bill each time that it is asked for it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			desk := deskOf(&giving{tokens: []string{service}}, nil, now, answering(t, io.Discard, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/csv") {
					saying(200, "text/csv", csv)(w, r)
					return
				}
				saying(200, asJSON, object(c.totals[0]))(w, r)
				c.totals = c.totals[1:]
			}))
			got, bytes, err := desk.Fetch(t.Context(), "", "620547-202510")
			if err != nil {
				got, bytes = []byte(err.Error()), []byte(csv)
			}
			if string(got) != c.want || string(bytes) != csv || len(c.totals) != 0 {
				t.Errorf("%s, %q, %v", got, bytes, c.totals)
			}
		})
	}
}
