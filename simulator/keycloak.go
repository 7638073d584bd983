package simulator

import (
	"crypto/subtle"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// What the simulated Keycloak knows. Its users are named after Core's levels: admin, technician,
// billing and client.
const (
	KeycloakRealm          = "hivematrix"
	KeycloakClientID       = "codex"
	KeycloakClientSecret   = "demo-client-secret"
	KeycloakUserPassword   = "demo-password"
	keycloakTokenLife      = 300 // seconds
	keycloakFormLimitBytes = 64 << 10
)

// KeycloakHandler serves Keycloak's token endpoint, /realms/hivematrix/protocol/openid-connect/token, for
// the password grant. The access tokens are those that the simulated Core exchanges.
func (s *Sim) KeycloakHandler() http.Handler { return s.handle(Keycloak, s.admitKeycloak) }

func (s *Sim) admitKeycloak(r *http.Request) admission {
	reply := func(status int, body envelope) admission {
		return admission{reply: &answer{status: status, header: http.Header{"Cache-Control": {"no-store"}}, body: body}}
	}
	refuse := func(status int, code, text string) admission {
		return reply(status, envelope{{"error", code}, {"error_description", text}})
	}
	realm, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/realms/"), "/")
	switch {
	case !strings.HasPrefix(r.URL.Path, "/realms/"):
		return reply(http.StatusNotFound, envelope{{"error", "Unable to find matching target resource method"}})
	case realm != KeycloakRealm:
		return reply(http.StatusNotFound, envelope{{"error", "Realm does not exist"}})
	case rest != "protocol/openid-connect/token":
		return reply(http.StatusNotFound, envelope{{"error", "Unable to find matching target resource method"}})
	case r.Method != http.MethodPost:
		return reply(http.StatusMethodNotAllowed, envelope{{"error", "HTTP 405 Method Not Allowed"}})
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, keycloakFormLimitBytes))
	if err != nil {
		return refuse(http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("grant_type") == "" || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return refuse(http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type")
	}
	client, secret := form.Get("client_id"), form.Get("client_secret")
	if name, password, ok := r.BasicAuth(); ok { // the other way that a client may name itself
		client, secret = name, password
	}
	level, password := form.Get("username"), form.Get("password")
	switch {
	case client != KeycloakClientID || !same(secret, KeycloakClientSecret):
		return refuse(http.StatusUnauthorized, "invalid_client", "Invalid client or Invalid client credentials")
	case form.Get("grant_type") != "password":
		return refuse(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type")
	case !slices.Contains(coreLevels(), level) || !same(password, KeycloakUserPassword):
		return refuse(http.StatusUnauthorized, "invalid_grant", "Invalid user credentials")
	}
	return reply(http.StatusOK, envelope{
		{"access_token", "demo-" + level}, {"expires_in", keycloakTokenLife}, {"refresh_expires_in", 1800},
		{"token_type", "Bearer"}, {"not-before-policy", 0}, {"scope", "profile email"},
	})
}

// same compares secrets without telling by the time how much of them agrees.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// keycloakRefusal is Keycloak's own error of a status.
func keycloakRefusal(status int) answer {
	if status == http.StatusUnauthorized {
		return answer{status: status, body: envelope{{"error", "invalid_grant"}, {"error_description", "Invalid user credentials"}}}
	}
	return answer{status: status, body: envelope{{"error", "unknown_error"}, {"error_description", "For more on this error consult the server log."}}}
}
