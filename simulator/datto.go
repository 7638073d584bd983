package simulator

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// dattoPrefix lies before the paths; error bodies leave it out (D).
	dattoPrefix = "/api"
	// dattoTokenPath lies outside of it.
	dattoTokenPath = "/auth/oauth/token"
	// dattoPage is the default and the largest page; more is cut to it (O).
	dattoPage = 250
	// tokenFormLimit bounds what is read of a token request.
	tokenFormLimit = 64 << 10
)

// dattoRoutes are the endpoints below /api; the first pattern that fits is the one.
func (s *Sim) dattoRoutes() []route {
	return []route{
		{pattern: "/v2/account/sites", serve: listSites},
		{pattern: "/v2/account/devices", serve: listAccountDevices},
		{pattern: "/v2/site/{uid}", serve: viewSite},
		{pattern: "/v2/site/{uid}/variables", serve: listVariables},
		{pattern: "/v2/site/{uid}/devices", serve: listSiteDevices},
		{pattern: "/v2/device/{uid}", serve: viewDevice},
		{pattern: "/v2/device/id/{id}", serve: viewDeviceByID},
		{pattern: "/v2/device/macAddress/{mac}", serve: viewDevicesByMAC},
		{pattern: "/v2/audit/device/{uid}", serve: viewAudit},
		{pattern: "/v2/audit/device/{uid}/software", serve: listSoftware},
		{pattern: "/v3/account/devices", serve: listAccountDevices},
		{pattern: "/v3/site/{uid}/devices", serve: listSiteDevices},
		{pattern: "/v3/device/{uid}", serve: viewDevice},
		{pattern: "/v2/system/status", open: true, serve: systemStatus},
		{pattern: "/v2/system/request_rate", serve: s.requestRate},
		{pattern: "/v2/system/pagination", serve: systemPagination},
	}
}

// DattoHandler serves Datto RMM v2 under /api, and the token endpoint.
func (s *Sim) DattoHandler() http.Handler {
	routes := s.dattoRoutes()
	return s.handle(Datto, func(r *http.Request) admission { return s.admitDatto(routes, r) })
}

// admitDatto finds the endpoint and checks token, limit and method. Answered errors count against
// the limit; what carries no good token is nobody's call and counts nowhere (choice).
func (s *Sim) admitDatto(routes []route, r *http.Request) admission {
	now := s.clock()
	if r.URL.Path == dattoTokenPath {
		granted := s.grantToken(r)
		if granted.status != http.StatusOK {
			return admission{refusal: &granted}
		}
		return admission{reply: &granted}
	}
	path := strings.TrimPrefix(r.URL.Path, dattoPrefix)
	refuse := func(status int) *answer { return new(dattoError(now, status, path)) }

	found, args := match(routes, path)
	if !strings.HasPrefix(r.URL.Path, dattoPrefix+"/") {
		found = nil
	}
	if found != nil && found.open && r.Method == http.MethodGet {
		return admission{route: found, args: args}
	}
	if !s.tokens.good(r, now) {
		return admission{refusal: refuse(http.StatusUnauthorized)}
	}
	admitted := admission{route: found, args: args}
	switch s.dattoLimit.take(now) {
	case blocked:
		admitted.refusal = refuse(http.StatusForbidden)
		return admitted
	case refused:
		admitted.refusal = refuse(http.StatusTooManyRequests) // no Retry-After is documented
		return admitted
	case slowed:
		admitted.wait = dattoSlowDown
	}
	switch {
	case found == nil:
		admitted.refusal = refuse(http.StatusNotFound)
	case r.Method != http.MethodGet:
		admitted.refusal = refuse(http.StatusMethodNotAllowed)
	}
	return admitted
}

// dattoError is the documented error body; its path has no /api.
func dattoError(now time.Time, status int, path string) answer {
	return answer{status: status, body: envelope{
		{"timestamp", now.UnixMilli()}, {"status", status}, {"error", http.StatusText(status)}, {"path", path},
	}}
}

// tokenStore issues access tokens and knows which are good. Whether a new token ends older ones is
// not documented (choice: it does not).
type tokenStore struct {
	seed uint64
	life time.Duration

	mu     sync.Mutex
	issued int
	ends   map[string]time.Time
}

func newTokenStore(seed uint64, life time.Duration) *tokenStore {
	return &tokenStore{seed: seed, life: life, ends: map[string]time.Time{}}
}

// issue makes a token. It only looks like a JWT: its middle is a digest, so that a seed makes the
// same tokens.
func (t *tokenStore) issue(now time.Time) (token, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.issued++
	digest := sha256.Sum256(fmt.Appendf(nil, "datto token %d of seed %d", t.issued, t.seed))
	part := base64.RawURLEncoding.EncodeToString
	token = part([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + part(digest[:]) + "." + part(digest[:8])
	t.ends[token] = now.Add(t.life)
	return token, hex.EncodeToString(digest[:16])
}

// good tells whether a request has a token that is good now.
func (t *tokenStore) good(r *http.Request, now time.Time) bool {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	ends, known := t.ends[strings.TrimSpace(token)]
	return known && now.Before(ends)
}

// ExpireDattoTokens ends every token that was issued so far, as their expiry would.
func (s *Sim) ExpireDattoTokens() {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	clear(s.tokens.ends)
}

// grantToken answers POST /auth/oauth/token: the public client by Basic authentication, and the
// account's key and secret as a password grant in a form.
func (s *Sim) grantToken(r *http.Request) answer {
	if r.Method != http.MethodPost {
		return tokenRefusal(http.StatusMethodNotAllowed, "method_not_allowed", "Request method '"+r.Method+"' not supported")
	}
	if client, secret, ok := r.BasicAuth(); !ok || client != "public-client" || secret != "public" {
		return tokenRefusal(http.StatusUnauthorized, "unauthorized", "Full authentication is required to access this resource")
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return tokenRefusal(http.StatusUnsupportedMediaType, "unsupported_media_type", "Content type is not supported")
	}
	r.Body = http.MaxBytesReader(nil, r.Body, tokenFormLimit)
	if err := r.ParseForm(); err != nil {
		return tokenRefusal(http.StatusBadRequest, "invalid_request", "The form cannot be read")
	}
	if r.PostForm.Get("grant_type") != "password" {
		return tokenRefusal(http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant type")
	}
	same := func(a, b string) int { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) }
	if same(r.PostForm.Get("username"), s.opts.DattoPublicKey)&same(r.PostForm.Get("password"), s.opts.DattoSecretKey) != 1 {
		return tokenRefusal(http.StatusBadRequest, "invalid_grant", "Bad credentials")
	}
	token, id := s.tokens.issue(s.clock())
	return answer{status: http.StatusOK, header: http.Header{"Cache-Control": {"no-store"}}, body: envelope{
		{"access_token", token}, {"token_type", "bearer"}, {"expires_in", int(s.opts.DattoTokenLife.Seconds())},
		{"scope", "rmm"}, {"jti", id},
	}}
}

// tokenRefusal is the token endpoint's error.
func tokenRefusal(status int, code, description string) answer {
	return answer{status: status, body: envelope{{"error", code}, {"error_description", description}}}
}

func systemStatus(c *call) answer {
	return answer{status: http.StatusOK, body: envelope{
		{"version", "14.5.0-235"}, {"status", "OK"}, {"started", c.now.Add(-72 * time.Hour).Format(time.RFC3339)},
	}}
}

func systemPagination(*call) answer {
	return answer{status: http.StatusOK, body: envelope{{"max", dattoPage}}}
}

// requestRate answers with the account's limits and how much of them is used; the call counts itself.
func (s *Sim) requestRate(c *call) answer {
	return answer{status: http.StatusOK, body: envelope{
		{"slidingTimeWindowSizeSeconds", int(dattoWindow.Seconds())},
		{"accountUid", c.world.accountUID},
		{"accountCount", s.dattoLimit.count(s.clock())},
		{"accountRateLimit", s.opts.DattoReadLimit},
		{"accountCutOffRatio", dattoCutOffRatio},
		{"accountWriteRateLimit", 600},
		{"accountWriteCount", 0},
		{"operationWriteStatus", envelope{{"site-create", envelope{{"limit", 100}, {"count", 0}}}}},
	}}
}

// dattoPaged answers with one page: page from 0, max at most 250. The address of the next page is
// absolute and keeps nothing of the request but max and page (O). own is the endpoint's form of the
// last page, unless the switches have another.
func dattoPaged[T any](c *call, key string, records []T, own LastPage, show func(T) any) answer {
	page, size := 0, dattoPage
	for _, p := range []struct {
		name  string
		into  *int
		least int
	}{{"page", &page, 0}, {"max", &size, 1}} {
		if !c.query.Has(p.name) {
			continue
		}
		n, err := strconv.Atoi(c.query.Get(p.name))
		if err != nil || n < p.least || n > 1<<30 {
			return c.dattoRefusal(http.StatusBadRequest)
		}
		*p.into = n
	}
	size = min(size, dattoPage)
	shown := []any{}
	for _, record := range cut(records, page*size, size) {
		shown = append(shown, show(record))
	}
	address := func(page int) *string {
		return new(fmt.Sprintf("%s%s?max=%d&page=%d", c.base, c.path, size, page))
	}
	details := envelope{{"count", len(shown)}}
	if !c.switches.WithoutTotalCount {
		details = append(details, member{"totalCount", len(records)})
	}
	var previous *string
	if page > 0 {
		previous = address(page - 1)
	}
	details = append(details, member{"prevPageUrl", previous})
	last := cmp.Or(c.switches.LastPage, own)
	switch {
	case (page+1)*size < len(records):
		details = append(details, member{"nextPageUrl", address(page + 1)})
	case last == LastPageNull:
		details = append(details, member{"nextPageUrl", nil})
	case last == LastPageBlank:
		details = append(details, member{"nextPageUrl", ""})
	}
	return answer{status: http.StatusOK, body: envelope{{"pageDetails", details}, {key, shown}}}
}
