package simulator_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"

	"github.com/hivematrix/codex/simulator"
)

// askCore sends body, as JSON where there is one, and gives status and answer.
func askCore(t *testing.T, s *simulator.Server, method, path, body string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.CoreURL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatalf("%s: %v in %s", path, err, text)
	}
	return response.StatusCode, answer
}

// claimsOf checks a token against the key set, as a service would, and gives what it says.
func claimsOf(t *testing.T, s *simulator.Server, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no token", token)
	}
	decode := func(part string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	_, set := askCore(t, s, "GET", "/.well-known/jwks.json", "")
	key := set["keys"].([]any)[0].(map[string]any)
	var header map[string]any
	if err := json.Unmarshal(decode(parts[0]), &header); err != nil || header["kid"] != key["kid"] || header["alg"] != "RS256" || key["alg"] != "RS256" {
		t.Fatalf("%v by the key %v", header, key)
	}
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(decode(key["n"].(string))), E: int(new(big.Int).SetBytes(decode(key["e"].(string))).Int64())}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], decode(parts[2])); err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(decode(parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestCoreGivesTokensThatItsKeysFit(t *testing.T) {
	s, err := simulator.Start(t.Context(), simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1}, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	now := float64(simulator.StandingClock().Unix())

	status, answer := askCore(t, s, "POST", "/service-token", `{"calling_service":"codex","target_service":"ledger"}`)
	if status != 200 {
		t.Fatalf("%d %v", status, answer)
	}
	for name, want := range map[string]any{"iss": "hivematrix-core", "type": "service", "sub": "service:codex",
		"calling_service": "codex", "target_service": "ledger", "iat": now, "exp": now + 300, "jti": nil} {
		if got := claimsOf(t, s, answer["token"].(string))[name]; got != want {
			t.Errorf("a service's %s: %v, want %v", name, got, want)
		}
	}
	service := answer["token"].(string)

	status, answer = askCore(t, s, "POST", "/api/token/exchange", `{"access_token":"demo-billing"}`)
	if status != 200 {
		t.Fatalf("%d %v", status, answer)
	}
	user := answer["token"].(string)
	for name, want := range map[string]any{"iss": "hivematrix-core", "type": nil, "email": "billing@msp.example",
		"permission_level": "billing", "iat": now, "exp": now + 3600, "jti": "session-1"} {
		if got := claimsOf(t, s, user)[name]; got != want {
			t.Errorf("a user's %s: %v, want %v", name, got, want)
		}
	}

	valid := func(token string) int {
		t.Helper()
		status, answer := askCore(t, s, "POST", "/api/token/validate", `{"token":"`+token+`"}`)
		if answer["valid"] != (status == 200) {
			t.Errorf("%d %v", status, answer)
		}
		return status
	}
	for name, tc := range map[string]struct {
		token string
		want  int
	}{
		"a session": {user, 200}, "a service's, which has none": {service, 401}, "a changed one": {user[:len(user)-6] + "AAAAAA", 401}, "a word": {"word", 401},
		"a user without session": {s.UserToken(simulator.CoreUser{WithoutSession: true}), 401},
	} {
		if got := valid(tc.token); got != tc.want {
			t.Errorf("%s: %d", name, got)
		}
	}
	s.EndCoreSessions()
	if got := valid(user); got != 401 {
		t.Errorf("a session that was ended: %d", got)
	}

	before := s.UserToken(simulator.CoreUser{})
	s.RotateCoreKey("")
	if got := valid(before); got != 401 {
		t.Errorf("a token of a key that is gone: %d", got)
	}
	claimsOf(t, s, s.UserToken(simulator.CoreUser{}))
	s.RotateCoreKey("another")
	claimsOf(t, s, s.UserToken(simulator.CoreUser{}))

	for _, tc := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"POST", "/service-token", `{"calling_service":"codex"}`, 400, "target_service is required"},
		{"POST", "/service-token", `{"calling_service":"Codex!","target_service":"ledger"}`, 400, "calling_service is required"},
		{"POST", "/service-token", `{"calling_service":"stranger","target_service":"ledger"}`, 400, "unknown service: stranger"},
		{"POST", "/service-token", `[]`, 400, "JSON body required"},
		{"GET", "/service-token", "", 405, "Method not allowed"},
		{"POST", "/api/token/exchange", `{}`, 400, "access_token is required"},
		{"POST", "/api/token/exchange", `{"access_token":"demo-root"}`, 401, "Invalid access token"},
		{"GET", "/login", "", 404, "Not found"},
	} {
		if status, answer := askCore(t, s, tc.method, tc.path, tc.body); status != tc.status || answer["error"] != tc.text {
			t.Errorf("%s %s %s: %d %v", tc.method, tc.path, tc.body, status, answer)
		}
	}
}

func TestCoreHasTheFaultsOfTheOthers(t *testing.T) {
	s, err := simulator.Start(t.Context(), simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1}, simulator.Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	remove, err := s.AddFault(simulator.FaultRule{Upstream: simulator.Core, Path: "/.well-known/*", Fault: simulator.Refuse(500)})
	if err != nil {
		t.Fatal(err)
	}
	if status, answer := askCore(t, s, "GET", "/.well-known/jwks.json", ""); status != 500 || answer["error"] != "Internal Server Error" {
		t.Errorf("%d %v", status, answer)
	}
	remove()
	if status, _ := askCore(t, s, "GET", "/.well-known/jwks.json", ""); status != 200 {
		t.Errorf("without it: %d", status)
	}
	if n := s.CountRequests(simulator.Core, "/.well-known/jwks.json"); n != 2 {
		t.Errorf("%d requests in the log", n)
	}
}
