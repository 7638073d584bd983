package auth

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/go-jose/go-jose/v4/json"

	"github.com/hivematrix/codex"
)

// leeway is how far ahead of ours Core's clock may be. An expiry has none: tokens are renewed long
// before.
const leeway = 30 * time.Second

// claims are what a token of Core says, as far as anything depends on it (docs/compatibility.md,
// "Authentication").
type claims struct {
	Issuer    string   `json:"iss"`
	Expires   *seconds `json:"exp"`
	NotBefore *seconds `json:"nbf"`
	IssuedAt  *seconds `json:"iat"`

	Type    string `json:"type"` // "service", or nothing for a user
	Subject string `json:"sub"`
	Session string `json:"jti"` // of a user; some have none

	Email      string `json:"email"`
	Login      string `json:"preferred_username"`
	Permission string `json:"permission_level"`

	Calling string `json:"calling_service"`
	Target  string `json:"target_service"`
}

// seconds are since 1970, perhaps with a fraction (RFC 7519, "NumericDate").
type seconds float64

// maxSeconds is the end of the year 9999; what lies beyond it, or before 1970, is no date.
const maxSeconds = 253402300799

func (s seconds) time() time.Time { return time.Unix(int64(s), 0) }

func (s *seconds) isDate() bool { return s == nil || *s >= 0 && *s <= maxSeconds }

// readClaims reads a payload whose signature was checked. Names count by their letter case, and one
// that comes twice is refused: the reading by which a token was judged shall be the only one.
func readClaims(payload []byte) (claims, error) {
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return claims{}, errors.New("its claims cannot be read") // the cause quotes them
	}
	return c, nil
}

// check is nil when issuer issued it for now.
func (c claims) check(issuer string, now time.Time) error {
	switch {
	case c.Issuer != issuer:
		return fmt.Errorf("its issuer is %.60q", c.Issuer)
	case c.Expires == nil:
		return errors.New("it says no expiry")
	case !c.Expires.isDate() || !c.NotBefore.isDate() || !c.IssuedAt.isDate():
		return errors.New("one of its times is none")
	case !c.Expires.time().After(now):
		return errors.New("it has expired")
	case c.NotBefore != nil && c.NotBefore.time().After(now.Add(leeway)):
		return errors.New("it is not good yet")
	case c.IssuedAt != nil && c.IssuedAt.time().After(now.Add(leeway)):
		return errors.New("it was issued in the future")
	}
	return nil
}

// user is the caller that a user's token stands for. A level that nobody knows is no role.
func (c claims) user() (codex.Caller, error) {
	name, err := c.name()
	if err != nil {
		return codex.Caller{}, err
	}
	switch role := codex.Role(c.Permission); role {
	case codex.RoleAdmin, codex.RoleTechnician, codex.RoleBilling, codex.RoleClient:
		return codex.Caller{Name: name, Role: role}, nil
	case codex.RoleService: // no level of a person's
	}
	return codex.Caller{}, fmt.Errorf("there is no permission_level %.60q", c.Permission)
}

// name is what runs and records keep of a user: the e-mail address, else the login name or the
// subject behind a word that keeps it apart from the names of local tokens and services.
func (c claims) name() (string, error) {
	name := c.Email
	if !strings.Contains(name, "@") {
		name = "user:" + c.Login
		if c.Login == "" {
			name = "user:" + c.Subject
		}
	}
	if name == "user:" || len(name) > maxUserName || strings.ContainsFunc(name, isNoLetter) {
		return "", errors.New("it names nobody")
	}
	return name, nil
}

// maxUserName is what an e-mail address has at most (RFC 5321, section 4.5.3.1), rounded up.
const maxUserName = 320

func isNoLetter(r rune) bool {
	return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar
}

// service is the caller that a service's token stands for, without grants: whom it speaks for, when
// it is meant for us.
func (c claims) service() (codex.Caller, error) {
	if c.Target != "codex" && c.Target != "archive" {
		return codex.Caller{}, fmt.Errorf("it is meant for %.60q", c.Target)
	}
	// What Core's /service-token accepts.
	if !regexp.MustCompile(`^[a-z0-9_-]{1,50}$`).MatchString(c.Calling) {
		return codex.Caller{}, fmt.Errorf("there is no service %.60q", c.Calling)
	}
	return codex.Caller{Name: "service:" + c.Calling, Role: codex.RoleService, Core: c.Calling}, nil
}
