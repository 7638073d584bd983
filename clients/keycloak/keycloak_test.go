package keycloak_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/keycloak"
	"github.com/hivematrix/codex/clients/transport"
)

const (
	secret   = "the-client-secret"
	password = "the-password"
)

func logIn(t *testing.T, clientSecret codex.Secret, log io.Writer, answer http.HandlerFunc) (codex.Secret, error) {
	t.Helper()
	server := httptest.NewServer(answer)
	defer server.Close()
	client, err := keycloak.New(keycloak.Options{
		ServerURL: server.URL + "/auth/", Realm: "hive matrix", ClientID: "codex", ClientSecret: clientSecret,
		Username: "billing@example.com", Password: password,
		Now: time.Now, Logger: slog.New(slog.NewTextHandler(log, nil)), Tuning: transport.Tuning{Backoff: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return client.AccessToken(t.Context())
}

func TestAnAccountLogsInByThePasswordGrant(t *testing.T) {
	for clientSecret, form := range map[codex.Secret]string{
		secret: "client_id=codex&client_secret=the-client-secret&grant_type=password&password=the-password&scope=openid&username=billing%40example.com",
		"":     "client_id=codex&grant_type=password&password=the-password&scope=openid&username=billing%40example.com",
	} {
		token, err := logIn(t, clientSecret, io.Discard, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			got := r.Method + " " + r.URL.EscapedPath() + " " + r.Header.Get("Content-Type") + " " + string(body)
			if want := "POST /auth/realms/hive%20matrix/protocol/openid-connect/token application/x-www-form-urlencoded " + form; got != want {
				t.Errorf("asked %s\nnot   %s", got, want)
			}
			_, _ = io.WriteString(w, `{"access_token":"an-access-token","expires_in":300,"token_type":"Bearer"}`)
		})
		if err != nil || token.Reveal() != "an-access-token" {
			t.Error(err)
		}
	}
}

func TestALoginThatFailsSaysWhyAndNoSecret(t *testing.T) {
	const asked = "logging in at Keycloak: keycloak: /realms/hive%20matrix/protocol/openid-connect/token: "
	for _, c := range []struct {
		name         string
		status       int
		body         string
		want         string
		unauthorized bool
		asked        int
	}{
		{
			name: "wrong password", status: 401, body: `{"error":"invalid_grant","error_description":"Invalid user credentials"}`,
			want: asked + "401 Unauthorized: invalid_grant: Invalid user credentials", unauthorized: true, asked: 1,
		},
		{
			name: "quoted", status: 400, body: `{"error":"invalid_grant","error_description":"not ` + password + ` of ` + secret + `"}`,
			want: asked + "400 Bad Request: invalid_grant: not *** of ***", unauthorized: true, asked: 1,
		},
		{name: "no such realm", status: 404, body: `{"error":"Realm does not exist"}`, want: asked + "404 Not Found: Realm does not exist", asked: 1},
		{name: "starting", status: 503, body: `<html>`, want: asked + "given up after 2 tries: 503 Service Unavailable: an HTML page", asked: 2},
		{name: "no token", status: 200, body: `{"token":"x"}`, want: asked + `given up after 2 tries: an answer that is not what was asked for: no "access_token"`, asked: 2},
		{name: "a page", status: 200, body: `<html>`, want: asked + "given up after 2 tries: an HTML page where JSON was asked for", asked: 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			times := 0
			token, err := logIn(t, secret, &log, func(w http.ResponseWriter, _ *http.Request) {
				times++
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			if token != "" || fmt.Sprint(err) != c.want || transport.IsUnauthorized(err) != c.unauthorized || times != c.asked {
				t.Errorf("%v after %d calls", err, times)
			}
			if strings.Contains(log.String(), password) || strings.Contains(log.String(), secret) {
				t.Error("the log has a secret")
			}
		})
	}
}
