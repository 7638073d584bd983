package auth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/auth"
	"github.com/hivematrix/codex/clients/core"
	"github.com/hivematrix/codex/clients/transport"
	"github.com/hivematrix/codex/simulator"
)

const (
	jwks    = "/.well-known/jwks.json"
	refused = "the token is unknown, expired or revoked"
)

// hive is a Core with those who take its tokens.
type hive struct {
	*simulator.Sim
	*auth.Callers
	client *core.Client
	mu     sync.Mutex
	at     time.Time
}

func (h *hive) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *hive) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

func newHive(t testing.TB, change func(*auth.CoreOptions)) *hive {
	h := &hive{at: time.Date(2025, time.October, 20, 9, 0, 0, 0, time.UTC)}
	var err error
	h.Sim, err = simulator.New(simulator.Options{Companies: -1, Assets: -1, Contacts: -1, Tickets: -1, Now: h.now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.CoreHandler())
	t.Cleanup(server.Close)
	h.client, err = core.New(core.Options{BaseURL: server.URL, ServiceName: "codex", Now: h.now,
		Logger: slog.New(slog.DiscardHandler), Tuning: transport.Tuning{Attempt: 400 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.client.Close)
	o := auth.CoreOptions{Core: h.client, Issuer: simulator.CoreIssuer, SyncServices: []string{"ledger", "helm"},
		Now: h.now, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	h.Callers = auth.NewCallers(nil, nil, auth.NewCoreTokens(o), h.now) // no local token, no session: no database
	return h
}

// is asks who holds a token.
func (h *hive) is(t testing.TB, token string) (codex.Caller, error) {
	t.Helper()
	known, err := h.Authenticate(context.Background(), auth.Proof{Bearer: token, Peer: netip.MustParseAddr("192.0.2.7")})
	return known.Caller, err
}

// letsIn, refuses and cannotTell are the three answers that there are.
func (h *hive) letsIn(t testing.TB, what, token string) {
	t.Helper()
	if caller, err := h.is(t, token); err != nil || caller.Name == "" {
		t.Errorf("%s: %+v, %v", what, caller, err)
	}
}

func (h *hive) refuses(t testing.TB, what, token string) {
	t.Helper()
	caller, err := h.is(t, token)
	if codex.CodeOf(err) != codex.CodeUnauthenticated || caller != (codex.Caller{}) || told(err) != refused {
		t.Errorf("%s: %+v, %v", what, caller, err)
	}
	if err != nil && len(token) > 20 && strings.Contains(err.Error(), token) {
		t.Errorf("%s: the log would hold the token", what)
	}
}

func (h *hive) cannotTell(t testing.TB, what, token string) {
	t.Helper()
	if caller, err := h.is(t, token); codex.CodeOf(err) != codex.CodeUnavailable || caller != (codex.Caller{}) {
		t.Errorf("%s: %+v, %v", what, caller, err)
	}
}

func (h *hive) fault(t testing.TB, path string, fault simulator.Fault) {
	t.Helper()
	if _, err := h.AddFault(simulator.FaultRule{Upstream: simulator.Core, Path: path, Fault: fault}); err != nil {
		t.Fatal(err)
	}
}

func TestATokenOfCoreStandsForWhomItNames(t *testing.T) {
	h := newHive(t, nil)
	user := func(name string, role codex.Role) codex.Caller { return codex.Caller{Name: name, Role: role} }
	service := func(name string, grants codex.Grants) codex.Caller {
		return codex.Caller{Name: "service:" + name, Role: codex.RoleService, Core: name, Grants: grants}
	}
	now := h.now().Unix()
	for _, tc := range []struct {
		name, token string
		want        codex.Caller
	}{
		{"an admin", h.UserToken(simulator.CoreUser{Level: "admin"}), user("admin@msp.example", codex.RoleAdmin)},
		{"a technician", h.UserToken(simulator.CoreUser{}), user("technician@msp.example", codex.RoleTechnician)},
		{"somebody of billing", h.UserToken(simulator.CoreUser{Level: "billing"}), user("billing@msp.example", codex.RoleBilling)},
		{"a customer, who may nothing", h.UserToken(simulator.CoreUser{Level: "client"}), user("client@msp.example", codex.RoleClient)},
		{"a user without session", h.UserToken(simulator.CoreUser{Level: "admin", WithoutSession: true}), user("admin@msp.example", codex.RoleAdmin)},
		{"a user without e-mail address", h.SignToken(nil, map[string]any{"iss": simulator.CoreIssuer, "exp": now + 9, "preferred_username": "ann",
			"permission_level": "billing"}), user("user:ann", codex.RoleBilling)},
		{"a user with a subject alone", h.SignToken(nil, map[string]any{"iss": simulator.CoreIssuer, "exp": now + 9, "sub": "9f1c", "email": nil,
			"permission_level": "billing"}), user("user:9f1c", codex.RoleBilling)},
		{"a service", h.ServiceToken("knowledgetree", "codex"), service("knowledgetree", 0)},
		{"one that may start syncs", h.ServiceToken("helm", "codex"), service("helm", codex.GrantSyncs)},
		{"the one that bills, to Archive", h.ServiceToken("ledger", "archive"), service("ledger", codex.GrantSyncs|codex.GrantBills)},
		{"a service that calls itself an admin", h.SignToken(nil, map[string]any{"iss": simulator.CoreIssuer, "exp": now + 9, "type": "service",
			"calling_service": "nexus", "target_service": "codex", "permission_level": "admin", "email": "a@b.c"}), service("nexus", 0)},
		{"a clock that is half a minute ahead", h.SignToken(nil, map[string]any{"iss": simulator.CoreIssuer, "iat": now + 30, "nbf": now + 30, "exp": now + 60,
			"email": "a@b.c", "permission_level": "admin"}), user("a@b.c", codex.RoleAdmin)},
		{"times with a fraction", h.SignToken(nil, map[string]any{"iss": simulator.CoreIssuer, "iat": float64(now) - 0.5, "exp": float64(now) + 1.5,
			"email": "a@b.c", "permission_level": "admin"}), user("a@b.c", codex.RoleAdmin)},
	} {
		if got, err := h.is(t, tc.token); err != nil || got != tc.want {
			t.Errorf("%s: %+v, %v; want %+v", tc.name, got, err, tc.want)
		}
	}
	if n := h.CountRequests(simulator.Core, jwks); n != 1 {
		t.Errorf("Core was asked for its keys %d times", n)
	}
}

// Every other claim is as it should be, so that each of these is refused for the one thing that its
// name says.
func TestAForgedTokenIsRefused(t *testing.T) {
	h := newHive(t, nil)
	good := h.UserToken(simulator.CoreUser{Level: "admin"})
	h.letsIn(t, "the real one", good)
	keys, err := h.client.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := h.now().Unix()
	claims := func(change map[string]any) map[string]any {
		all := map[string]any{"iss": simulator.CoreIssuer, "sub": "s", "email": "a@b.c", "permission_level": "admin", "iat": now, "exp": now + 3000}
		for name, value := range change {
			if all[name] = value; value == "absent" {
				delete(all, name)
			}
		}
		return all
	}
	said := func(change map[string]any) string { return h.SignToken(nil, claims(change)) }
	head := func(change map[string]any) string { return h.SignToken(change, claims(nil)) }
	h.letsIn(t, "what all below are made from", said(nil))
	payload := toJSON(t, claims(nil))
	parts := strings.Split(good, ".")
	strangers, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := keys[0].Public
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	service := func(change map[string]any) string {
		all := claims(map[string]any{"type": "service", "calling_service": "ledger", "target_service": "codex"})
		for name, value := range change {
			if all[name] = value; value == "absent" {
				delete(all, name)
			}
		}
		return h.SignToken(nil, all)
	}
	h.letsIn(t, "what the services' are made from", service(nil))
	own := fmt.Sprintf(`{"kty":"RSA","kid":%q,"n":%q,"e":"AQAB"}`, simulator.CoreKeyID, b64(strangers.N.Bytes()))

	for name, token := range map[string]string{
		"alg none":                              b64([]byte(`{"alg":"none","kid":"`+simulator.CoreKeyID+`"}`)) + "." + parts[1] + ".",
		"alg None, with the signature":          b64([]byte(`{"alg":"None","kid":"`+simulator.CoreKeyID+`"}`)) + "." + parts[1] + "." + parts[2],
		"no alg":                                b64([]byte(`{"kid":"`+simulator.CoreKeyID+`"}`)) + "." + parts[1] + "." + parts[2],
		"HS256 with the key's PEM as secret":    hs256(payload, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"HS256 with the key's DER as secret":    hs256(payload, der),
		"HS256 with the modulus as secret":      hs256(payload, public.N.Bytes()),
		"HS256 with no secret":                  hs256(payload, nil),
		"RS384 in the header":                   head(map[string]any{"alg": "RS384"}),
		"PS256 in the header":                   head(map[string]any{"alg": "PS256"}),
		"ES256 in the header":                   head(map[string]any{"alg": "ES256"}),
		"rs256 in small letters":                head(map[string]any{"alg": "rs256"}),
		"a stranger's key under Core's kid":     rs256(t, strangers, fmt.Sprintf(`{"alg":"RS256","kid":%q}`, simulator.CoreKeyID), payload),
		"a stranger's key brought along as jwk": rs256(t, strangers, fmt.Sprintf(`{"alg":"RS256","kid":%q,"jwk":%s}`, simulator.CoreKeyID, own), payload),
		"a stranger's key at an address as jku": rs256(t, strangers, fmt.Sprintf(`{"alg":"RS256","kid":%q,"jku":"http://127.0.0.1:1/k"}`, simulator.CoreKeyID), payload),
		"a stranger's certificate as x5u":       rs256(t, strangers, fmt.Sprintf(`{"alg":"RS256","kid":%q,"x5u":"http://127.0.0.1:1/k"}`, simulator.CoreKeyID), payload),
		"no kid":                                h.SignText(`{"alg":"RS256"}`, payload),
		"an empty kid":                          head(map[string]any{"kid": ""}),
		"an unknown kid":                        head(map[string]any{"kid": "hivematrix-signing-key-2"}),
		"a kid that is a path":                  head(map[string]any{"kid": "../../../dev/null"}),
		"a kid that is a number":                head(map[string]any{"kid": 1}),
		"two kids":                              h.SignText(`{"alg":"RS256","kid":"hivematrix-signing-key-1","kid":"hivematrix-signing-key-1"}`, payload),
		"two algs":                              h.SignText(`{"alg":"none","alg":"RS256","kid":"hivematrix-signing-key-1"}`, payload),
		"an extension that must be understood":  head(map[string]any{"crit": []string{"exp"}, "exp": now}),
		"another issuer":                        said(map[string]any{"iss": "hivematrix.core"}),
		"an issuer in capitals":                 said(map[string]any{"iss": "HIVEMATRIX-CORE"}),
		"no issuer":                             said(map[string]any{"iss": "absent"}),
		"two issuers in a list":                 said(map[string]any{"iss": []string{simulator.CoreIssuer, "x"}}),
		"expired this second":                   said(map[string]any{"exp": now}),
		"expired long ago":                      said(map[string]any{"exp": 1}),
		"no expiry":                             said(map[string]any{"exp": "absent"}),
		"an expiry of null":                     said(map[string]any{"exp": nil}),
		"an expiry as text":                     said(map[string]any{"exp": fmt.Sprint(now + 3000)}),
		"an expiry beyond all dates":            h.SignText(header(), strings.Replace(payload, fmt.Sprint(now+3000), "1e300", 1)),
		"a negative expiry":                     said(map[string]any{"exp": -1}),
		"not good yet":                          said(map[string]any{"nbf": now + 2000}),
		"issued in the future":                  said(map[string]any{"iat": now + 2000}),
		"no permission":                         said(map[string]any{"permission_level": "absent"}),
		"a permission that nobody knows":        said(map[string]any{"permission_level": "root"}),
		"a user who calls himself a service":    said(map[string]any{"permission_level": "service"}),
		"permissions as a list":                 said(map[string]any{"permission_level": []string{"admin"}}),
		"a permission in capitals":              said(map[string]any{"permission_level": "ADMIN"}),
		"nobody's name":                         said(map[string]any{"email": "absent", "sub": "absent"}),
		"a name with a line's end":              said(map[string]any{"email": "a@b.c\nlevel=ERROR"}),
		"the name of the socket's caller":       said(map[string]any{"email": "local socket@"}),
		"a name without end":                    said(map[string]any{"email": strings.Repeat("a", 320) + "@b.c"}),
		"another type of token":                 said(map[string]any{"type": "refresh"}),
		"a claim that comes twice":              h.SignText(header(), strings.Replace(payload, `{`, `{"permission_level":"client",`, 1)),
		"a claim that nobody reads, twice":      h.SignText(header(), strings.Replace(payload, `{`, `{"x":1,"x":2,`, 1)),
		"a claim in another letter case":        h.SignText(header(), strings.Replace(payload, `"exp"`, `"EXP"`, 1)),
		"a service's, for another service":      service(map[string]any{"target_service": "ledger"}),
		"a service's, for nobody":               service(map[string]any{"target_service": "absent"}),
		"a service's, of nobody":                service(map[string]any{"calling_service": "absent"}),
		"a service's, of a name that cannot be": service(map[string]any{"calling_service": "local socket"}),
		"a service's, expired":                  service(map[string]any{"exp": now}),
		"truncated in the signature":            good[:len(good)-8],
		"truncated in the payload":              good[:len(parts[0])+20],
		"without its signature":                 parts[0] + "." + parts[1] + ".",
		"two parts":                             parts[0] + "." + parts[1],
		"four parts":                            good + "." + parts[2],
		"another payload under the signature":   parts[0] + "." + b64([]byte(payload)) + "." + parts[2],
		"a letter of the signature changed":     parts[0] + "." + parts[1] + "." + swapped(parts[2]),
		"padding":                               parts[0] + "." + parts[1] + "." + parts[2] + "==",
		"a payload that is no object":           h.SignText(header(), `["admin"]`),
		"a payload that is no JSON":             h.SignText(header(), `admin`),
		"a payload with something behind it":    h.SignText(header(), payload+`{}`),
		"an empty payload":                      h.SignText(header(), ``),
		"oversized":                             said(map[string]any{"x": strings.Repeat("x", 20_000)}),
		"JSON serialisation":                    fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, parts[1], parts[0], parts[2]),
		"dots":                                  "..",
		"one word":                              "secret",
	} {
		h.pass(6 * time.Second) // so that Core may be asked for each
		h.refuses(t, name, token)
	}
	h.letsIn(t, "the real one, after all of them", good)
}

func TestAFloodOfForgedTokensAsksCoreOnceInFiveSeconds(t *testing.T) {
	h := newHive(t, nil)
	good := h.UserToken(simulator.CoreUser{})
	h.letsIn(t, "before it", good)
	flood := func(n int) {
		var all sync.WaitGroup
		for i := range n {
			token := h.SignToken(map[string]any{"kid": fmt.Sprint("k", i)}, map[string]any{"iss": simulator.CoreIssuer, "exp": h.now().Unix() + 60})
			all.Go(func() { h.refuses(t, "an unknown kid", token) })
		}
		all.Wait()
	}
	h.pass(5 * time.Second)
	flood(60)
	if n := h.CountRequests(simulator.Core, jwks); n != 2 {
		t.Errorf("60 at once made Core be asked %d times, the first one counted", n)
	}
	for range 60 {
		h.pass(time.Second)
		flood(3)
	}
	if n := h.CountRequests(simulator.Core, jwks); n > 2+12 {
		t.Errorf("a minute of it made Core be asked %d times", n)
	}
	h.letsIn(t, "in the middle of it", good)
}

func TestANewKeyOfCoresCountsAtOnceAndAnOldOneNoLonger(t *testing.T) {
	for name, kid := range map[string]string{"under another kid": "hivematrix-signing-key-2", "under the same kid": ""} {
		t.Run(name, func(t *testing.T) {
			h := newHive(t, nil)
			before := h.UserToken(simulator.CoreUser{})
			h.letsIn(t, "before", before)
			h.RotateCoreKey(kid)
			h.pass(6 * time.Second)
			h.letsIn(t, "of the new key", h.UserToken(simulator.CoreUser{}))
			h.refuses(t, "of the old key", before)
		})
	}
}

func TestAKeyThatCoreWithdrewGoesWithTheNextGoodAnswer(t *testing.T) {
	h := newHive(t, nil)
	claims := map[string]any{"iss": simulator.CoreIssuer, "email": "a@b.c", "permission_level": "admin", "exp": h.now().Unix() + 86400}
	before := h.SignToken(nil, claims)
	h.letsIn(t, "before", before)
	h.RotateCoreKey("hivematrix-signing-key-2")
	h.letsIn(t, "before anybody asked Core again", before)
	h.pass(10*time.Minute + time.Second)
	h.refuses(t, "when the keys are looked at again", before)
}

// Whatever Core answers, who was let in goes on being so, and nobody else is.
func TestACoreThatIsDownOrLiesLetsNobodyInAndLocksNobodyOut(t *testing.T) {
	strangers := func(body []byte) []byte { // an answer without any key of use
		return bytes.ReplaceAll(body, []byte(`"RS256"`), []byte(`"HS256"`))
	}
	small := func([]byte) []byte {
		return []byte(`{"keys":[{"kty":"RSA","kid":"hivematrix-signing-key-1","n":"AQAB","e":"AQAB"}]}`)
	}
	text := func(s string) func([]byte) []byte { return func([]byte) []byte { return []byte(s) } }
	for name, fault := range map[string]simulator.Fault{
		"no connection":           {Kind: simulator.FaultReset},
		"slow":                    {Kind: simulator.FaultDelay, Delay: 2 * time.Second},
		"a failure":               {Kind: simulator.FaultRefuse, Status: 500},
		"a proxy's page":          {Kind: simulator.FaultHTML},
		"a page that says 200":    {Kind: simulator.FaultHTML, Status: 200},
		"nothing there":           {Kind: simulator.FaultRefuse, Status: 404},
		"cut":                     {Kind: simulator.FaultCut},
		"no JSON":                 {Kind: simulator.FaultMalformed},
		"an endless answer":       {Kind: simulator.FaultHuge, Size: 3 << 20},
		"no keys":                 {Kind: simulator.FaultRewrite, Rewrite: text(`{"keys":[]}`)},
		"keys of null":            {Kind: simulator.FaultRewrite, Rewrite: text(`{"keys":null}`)},
		"an object":               {Kind: simulator.FaultRewrite, Rewrite: text(`{}`)},
		"a list":                  {Kind: simulator.FaultRewrite, Rewrite: text(`[]`)},
		"keys of another use":     {Kind: simulator.FaultRewrite, Rewrite: strangers},
		"a key that is too small": {Kind: simulator.FaultRewrite, Rewrite: small},
		"a secret as key":         {Kind: simulator.FaultRewrite, Rewrite: text(`{"keys":[{"kty":"oct","kid":"hivematrix-signing-key-1","k":"AAAA"}]}`)},
		"keys that are numbers":   {Kind: simulator.FaultRewrite, Rewrite: text(`{"keys":[1,2]}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the slow one waits
			h := newHive(t, nil)
			valid := map[string]any{"iss": simulator.CoreIssuer, "email": "a@b.c", "permission_level": "admin", "exp": h.now().Unix() + 86400}
			good := h.SignToken(nil, valid)
			forged := h.SignToken(map[string]any{"kid": "unknown"}, valid)
			h.fault(t, jwks, fault)
			h.cannotTell(t, "before there were any keys", good)
			h.pass(6 * time.Second)
			h.ClearFaults()
			h.letsIn(t, "once Core answers", good)
			h.fault(t, jwks, fault)
			for range 3 {
				h.pass(11 * time.Minute) // the keys at hand are old each time
				h.letsIn(t, "while it does not", good)
			}
			h.pass(6 * time.Second)
			h.cannotTell(t, "of a key that nobody knows", forged)
			h.ClearFaults()
			h.pass(6 * time.Second)
			h.refuses(t, "of a key that Core does not know either", forged)
			h.letsIn(t, "at the end", good)
		})
	}
}

func TestAServicesTokenComesFromWhereItMay(t *testing.T) {
	for _, tc := range []struct {
		name string
		from []string
		peer string
		want codex.Code
	}{
		{"anywhere, where nothing is said", nil, "203.0.113.9", ""},
		{"from the network", []string{"10.20.0.0/16", "::1/128"}, "10.20.3.4", ""},
		{"from the network, over a socket of both kinds", []string{"10.20.0.0/16"}, "::ffff:10.20.3.4", ""},
		{"from this machine", []string{"10.20.0.0/16", "::1/128"}, "::1", ""},
		{"with a zone", []string{"fe80::/10"}, "fe80::1%eth0", ""},
		{"from elsewhere", []string{"10.20.0.0/16"}, "10.21.3.4", codex.CodeForbidden},
		{"from elsewhere, the other kind", []string{"10.20.0.0/16"}, "::1", codex.CodeForbidden},
		{"from nowhere that one can tell", []string{"0.0.0.0/0", "::/0"}, "", codex.CodeForbidden},
	} {
		h := newHive(t, func(o *auth.CoreOptions) {
			for _, text := range tc.from {
				o.ServiceAddresses = append(o.ServiceAddresses, netip.MustParsePrefix(text))
			}
		})
		var peer netip.Addr
		if tc.peer != "" {
			peer = netip.MustParseAddr(tc.peer)
		}
		_, err := h.Authenticate(t.Context(), auth.Proof{Bearer: h.ServiceToken("ledger", "codex"), Peer: peer})
		if codex.CodeOf(err) != tc.want {
			t.Errorf("%s: %v", tc.name, err)
		}
		if _, err := h.Authenticate(t.Context(), auth.Proof{Bearer: h.UserToken(simulator.CoreUser{}), Peer: peer}); err != nil {
			t.Errorf("%s: a user is held to it too: %v", tc.name, err)
		}
	}
}

func TestASessionThatCoreEndedEndsHere(t *testing.T) {
	const validate = "/api/token/validate"
	h := newHive(t, func(o *auth.CoreOptions) { o.CheckRevocation = true })
	token, other := h.UserToken(simulator.CoreUser{}), h.UserToken(simulator.CoreUser{Level: "billing"})
	for range 5 {
		h.letsIn(t, "while it goes on", token)
	}
	h.letsIn(t, "another", other)
	if n := h.CountRequests(simulator.Core, validate); n != 2 {
		t.Errorf("Core was asked %d times about two sessions", n)
	}
	h.letsIn(t, "a service, about which Core is never asked", h.ServiceToken("ledger", "codex"))
	h.refuses(t, "a user without session", h.UserToken(simulator.CoreUser{WithoutSession: true}))
	if n := h.CountRequests(simulator.Core, validate); n != 2 {
		t.Errorf("Core was asked about what has no session: %d", n)
	}

	h.fault(t, validate, simulator.Refuse(502))
	h.pass(31 * time.Second)
	h.letsIn(t, "while Core is down", token)
	h.cannotTell(t, "one of whom Core never said anything", h.UserToken(simulator.CoreUser{Level: "admin"}))
	h.ClearFaults()
	h.fault(t, validate, simulator.Fault{Kind: simulator.FaultRewrite, Rewrite: func([]byte) []byte { return []byte(`{"valid":"yes"}`) }})
	h.cannotTell(t, "while Core says nothing that can be understood", h.UserToken(simulator.CoreUser{Level: "admin"}))
	h.ClearFaults()

	h.EndCoreSessions()
	h.pass(31 * time.Second)
	h.refuses(t, "once it was ended", token)
	h.fault(t, validate, simulator.Refuse(502))
	h.pass(31 * time.Second)
	h.refuses(t, "and while Core is down", token)
}

// FuzzCoreTokens: no text is a token but those that Core signed, and none of it makes a panic.
func FuzzCoreTokens(f *testing.F) {
	h := newHive(f, nil)
	good := h.UserToken(simulator.CoreUser{Level: "admin"})
	h.letsIn(f, "the real one", good)
	for _, seed := range []string{good, good[1:], good + ".", "a.b.c", "..", `{"payload":"","signatures":[]}`, h.ServiceToken("ledger", "ledger"),
		b64([]byte(`{"alg":"none"}`)) + ".e30.", h.SignText(header(), `{"exp":1e400}`)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if strings.HasPrefix(token, "codex_") || token == good || token == "" {
			return // local tokens and sessions are looked up in a database
		}
		h.refuses(t, "a text", token)
	})
}

// header is that of Core's own tokens.
func header() string { return `{"alg":"RS256","typ":"JWT","kid":"` + simulator.CoreKeyID + `"}` }

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func toJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func hs256(payload string, secret []byte) string {
	signed := b64([]byte(`{"alg":"HS256","kid":"`+simulator.CoreKeyID+`"}`)) + "." + b64([]byte(payload))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(signed))
	return signed + "." + b64(mac.Sum(nil))
}

func rs256(t *testing.T, key *rsa.PrivateKey, header, payload string) string {
	t.Helper()
	signed := b64([]byte(header)) + "." + b64([]byte(payload))
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + b64(signature)
}

// swapped changes the first letter.
func swapped(text string) string {
	if text[0] == 'A' {
		return "B" + text[1:]
	}
	return "A" + text[1:]
}
