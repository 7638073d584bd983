package simulator

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// What a Core is at first.
const (
	CoreIssuer = "hivematrix-core"
	CoreKeyID  = "hivematrix-signing-key-1"
)

// How long its tokens are good.
const (
	coreUserLife    = time.Hour
	coreServiceLife = 5 * time.Minute
)

// coreKeyBits is the size of the keys that Core makes.
const coreKeyBits = 2048

// coreBodyLimit bounds what a request to Core may send.
const coreBodyLimit = 64 << 10

// coreServices are the services that Core knows.
func coreServices() []string {
	return []string{"archive", "beacon", "brainhair", "codex", "core", "helm", "knowledgetree", "ledger", "nexus"}
}

// coreLevels are the levels of permission that a user may have.
func coreLevels() []string { return []string{"admin", "technician", "billing", "client"} }

// coreState is what Core keeps: its keys and the sessions of users.
type coreState struct {
	mu       sync.Mutex
	keys     []coreKey // the last one signs; empty until one is needed, for making one takes a while
	issued   int
	sessions map[string]bool // by jti; false once it was ended
}

type coreKey struct {
	id      string
	private *rsa.PrivateKey
}

// CoreHandler serves HiveMatrix Core as far as services ask it: /.well-known/jwks.json,
// /service-token, /api/token/validate and /api/token/exchange. It asks no credential, as Core asks
// none. The access tokens that it exchanges are "demo-admin", "demo-technician", "demo-billing" and
// "demo-client".
func (s *Sim) CoreHandler() http.Handler { return s.handle(Core, s.admitCore) }

// admitCore answers a call, faults apart.
func (s *Sim) admitCore(r *http.Request) admission {
	endpoints := map[string]struct {
		method string
		serve  func(sent map[string]string) answer
	}{
		"/.well-known/jwks.json": {http.MethodGet, s.coreKeySet},
		"/service-token":         {http.MethodPost, s.coreServiceToken},
		"/api/token/validate":    {http.MethodPost, s.coreValidate},
		"/api/token/exchange":    {http.MethodPost, s.coreExchange},
	}
	found, known := endpoints[r.URL.Path]
	switch {
	case !known:
		return admission{refusal: new(coreRefusal(http.StatusNotFound, "Not found"))}
	case r.Method != found.method:
		return admission{refusal: new(coreRefusal(http.StatusMethodNotAllowed, "Method not allowed"))}
	}
	var sent map[string]string
	if r.Method == http.MethodPost {
		body := http.MaxBytesReader(nil, r.Body, coreBodyLimit)
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") || json.NewDecoder(body).Decode(&sent) != nil {
			return admission{refusal: new(coreRefusal(http.StatusBadRequest, "JSON body required"))}
		}
	}
	return admission{reply: new(found.serve(sent))}
}

func coreRefusal(status int, text string) answer {
	return answer{status: status, body: envelope{{"error", text}}}
}

func (s *Sim) coreKeySet(map[string]string) answer {
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	s.core.ready()
	shown := []any{}
	part := base64.RawURLEncoding.EncodeToString
	for _, key := range s.core.keys {
		public := key.private.PublicKey
		shown = append(shown, envelope{
			{"kty", "RSA"}, {"alg", "RS256"}, {"kid", key.id}, {"use", "sig"},
			{"n", part(public.N.Bytes())}, {"e", part(big.NewInt(int64(public.E)).Bytes())},
		})
	}
	return answer{status: http.StatusOK, body: envelope{{"keys", shown}}}
}

func (s *Sim) coreServiceToken(sent map[string]string) answer {
	for _, name := range []string{"calling_service", "target_service"} {
		if !regexp.MustCompile(`^[a-z0-9_-]{1,50}$`).MatchString(sent[name]) {
			return coreRefusal(http.StatusBadRequest, name+" is required")
		}
		if !slices.Contains(coreServices(), sent[name]) {
			return coreRefusal(http.StatusBadRequest, "unknown service: "+sent[name])
		}
	}
	return answer{status: http.StatusOK, body: envelope{{"token", s.ServiceToken(sent["calling_service"], sent["target_service"])}}}
}

func (s *Sim) coreValidate(sent map[string]string) answer {
	over := answer{status: http.StatusUnauthorized, body: envelope{{"valid", false}, {"error", "Session expired or revoked"}}}
	parts := strings.Split(sent["token"], ".")
	if len(parts) != 3 {
		return over
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return over
	}
	var said struct {
		Session string  `json:"jti"`
		Expires float64 `json:"exp"`
		Name    string  `json:"name"`
		Email   string  `json:"email"`
		Level   string  `json:"permission_level"`
	}
	if json.Unmarshal(payload, &said) != nil || !s.coreSigned(parts) {
		return over
	}
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	if said.Session == "" || !s.core.sessions[said.Session] || int64(said.Expires) <= s.clock().Unix() {
		return over
	}
	return answer{status: http.StatusOK, body: envelope{{"valid", true}, {"user", envelope{
		{"name", said.Name}, {"email", said.Email}, {"permission_level", said.Level},
	}}}}
}

// coreSigned tells whether one of Core's keys made a token's signature.
func (s *Sim) coreSigned(parts []string) bool {
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	return slices.ContainsFunc(s.core.keys, func(key coreKey) bool {
		return rsa.VerifyPKCS1v15(&key.private.PublicKey, crypto.SHA256, digest[:], signature) == nil
	})
}

func (s *Sim) coreExchange(sent map[string]string) answer {
	access := sent["access_token"]
	if access == "" {
		return coreRefusal(http.StatusBadRequest, "access_token is required")
	}
	level, found := strings.CutPrefix(access, "demo-")
	if !found || !slices.Contains(coreLevels(), level) {
		return coreRefusal(http.StatusUnauthorized, "Invalid access token")
	}
	return answer{status: http.StatusOK, body: envelope{{"token", s.UserToken(CoreUser{Level: level})}}}
}

// CoreUser is a user of Core's. What is empty is made up from the level.
type CoreUser struct {
	Level          string // admin, technician, billing or client; "" is technician
	Subject, Email string
	WithoutSession bool // no jti, as some tokens of Core's
}

// UserToken begins a session of a user and gives its token, as Core does when somebody signs in.
func (s *Sim) UserToken(u CoreUser) string {
	if u.Level == "" {
		u.Level = "technician"
	}
	if u.Subject == "" {
		u.Subject = "kc-" + u.Level
	}
	if u.Email == "" {
		u.Email = u.Level + "@msp.example"
	}
	now := s.clock().Unix()
	claims := map[string]any{
		"iss": CoreIssuer, "sub": u.Subject, "name": "Demo " + u.Level, "email": u.Email,
		"preferred_username": u.Level, "permission_level": u.Level, "groups": []string{u.Level + "s"},
		"iat": now, "exp": now + int64(coreUserLife.Seconds()),
	}
	if !u.WithoutSession {
		s.core.mu.Lock()
		s.core.issued++
		session := fmt.Sprintf("session-%d", s.core.issued)
		s.core.sessions[session] = true
		s.core.mu.Unlock()
		claims["jti"] = session
	}
	return s.SignToken(nil, claims)
}

// ServiceToken is what Core gives to whoever asks in the name of a service.
func (s *Sim) ServiceToken(calling, target string) string {
	now := s.clock().Unix()
	return s.SignToken(nil, map[string]any{
		"iss": CoreIssuer, "sub": "service:" + calling, "type": "service", "calling_service": calling,
		"target_service": target, "iat": now, "exp": now + int64(coreServiceLife.Seconds()),
	})
}

// SignToken signs any claims with Core's key. What header has goes over what is usual there.
func (s *Sim) SignToken(header, claims map[string]any) string {
	full := map[string]any{"alg": "RS256", "typ": "JWT", "kid": s.signingKey().id}
	for name, value := range header {
		full[name] = value
	}
	return s.SignText(coreJSON(full), coreJSON(claims))
}

// SignText signs any header and payload with Core's key, as forgers would who had it.
func (s *Sim) SignText(header, payload string) string {
	key := s.signingKey()
	part := base64.RawURLEncoding.EncodeToString
	signed := part([]byte(header)) + "." + part([]byte(payload))
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key.private, crypto.SHA256, digest[:])
	if err != nil {
		panic(fmt.Sprintf("sign a token: %v", err)) // only for a digest of another length
	}
	return signed + "." + part(signature)
}

func (s *Sim) signingKey() coreKey {
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	s.core.ready()
	return s.core.keys[len(s.core.keys)-1]
}

func coreJSON(value map[string]any) string {
	text, err := encodeJSON(value)
	if err != nil {
		panic(fmt.Sprintf("write a token: %v", err)) // a test's claims are JSON, or the test is wrong
	}
	return string(text)
}

// RotateCoreKey has Core sign with a new key from now on, and show that one alone. An empty kid stays
// what it was, as Core's does when its key file is made anew.
func (s *Sim) RotateCoreKey(kid string) {
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	if kid == "" {
		kid = CoreKeyID
		if n := len(s.core.keys); n > 0 {
			kid = s.core.keys[n-1].id
		}
	}
	s.core.keys = []coreKey{newCoreKey(kid)}
}

// EndCoreSessions ends every user's session, as signing out does.
func (s *Sim) EndCoreSessions() {
	s.core.mu.Lock()
	defer s.core.mu.Unlock()
	for session := range s.core.sessions {
		s.core.sessions[session] = false
	}
}

// ready makes the first key.
func (c *coreState) ready() {
	if len(c.keys) == 0 {
		c.keys = []coreKey{newCoreKey(CoreKeyID)}
	}
}

// newCoreKey is the one thing of a simulator that its seed does not decide.
func newCoreKey(id string) coreKey {
	private, err := rsa.GenerateKey(rand.Reader, coreKeyBits)
	if err != nil {
		panic(fmt.Sprintf("make a key: %v", err)) // only for sizes that are too small
	}
	return coreKey{id, private}
}
