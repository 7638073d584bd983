package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/hivematrix/codex"
	"github.com/hivematrix/codex/clients/core"
)

// Core is what is asked of HiveMatrix Core: a [*core.Client] is one.
type Core interface {
	// Keys are the keys that its tokens are signed with, at least one.
	Keys(ctx context.Context) ([]core.SigningKey, error)
	// Validate tells whether the session of a user's token goes on.
	Validate(ctx context.Context, token codex.Secret) (bool, error)
}

// CoreOptions say which of Core's tokens count, and for what.
type CoreOptions struct {
	Core   Core
	Issuer string // the iss of its tokens
	// CheckRevocation has Core asked whether a user's session goes on. A user's token without session
	// is then refused.
	CheckRevocation bool
	// SyncServices are the services whose tokens start syncs.
	SyncServices []string
	// ServiceAddresses are where services' tokens may come from; none is anywhere.
	ServiceAddresses []netip.Prefix

	Now    func() time.Time
	Logger *slog.Logger
}

// CoreTokens knows the tokens that Core signs. It is safe for concurrent use.
type CoreTokens struct {
	options  CoreOptions
	keys     *keyring
	sessions *revocations
}

// NewCoreTokens asks Core nothing yet.
func NewCoreTokens(o CoreOptions) *CoreTokens {
	return &CoreTokens{
		options:  o,
		keys:     newKeyring(o.Core.Keys, o.Now, o.Logger),
		sessions: newRevocations(o.Core.Validate, o.Now),
	}
}

// billingService is the one service that may hand in bills with a token of Core's.
const billingService = "ledger"

// identify is whom token speaks for, when it comes from peer.
func (t *CoreTokens) identify(ctx context.Context, token string, peer netip.Addr) (identity, error) {
	said, err := t.verify(ctx, token)
	if err != nil {
		return identity{}, err
	}
	now := t.options.Now()
	if err := said.check(t.options.Issuer, now); err != nil {
		return identity{}, refuse(fmt.Errorf("a token of Core: %w", err))
	}
	var who identity
	switch said.Type {
	case "":
		who.person = codex.Secret(token)
		who.caller, err = t.user(ctx, said, token)
	case "service":
		who.caller, err = t.service(said, peer)
	default:
		err = refuse(fmt.Errorf("a token of Core: there is no type %.60q", said.Type))
	}
	if err != nil {
		return identity{}, err
	}
	ends := said.Expires.time()
	who.ends = &ends
	return who, nil
}

// verify reads what token says, once it is sure that Core signed it. Of its header nothing counts but
// kid, and that alg is RS256: keys and addresses of keys that it brings along are not looked at.
func (t *CoreTokens) verify(ctx context.Context, token string) (claims, error) {
	if len(token) > maxTokenBytes {
		return claims{}, refuse(errors.New("it is too long for a token"))
	}
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || len(signed.Signatures) != 1 {
		return claims{}, refuse(errors.New("it is neither a local token nor one of Core's form and algorithm"))
	}
	kid := signed.Signatures[0].Protected.KeyID
	if kid == "" {
		return claims{}, refuse(errors.New("a token of Core: it names no key"))
	}
	var payload []byte
	err = t.keys.try(ctx, func(keys []core.SigningKey) bool {
		for _, key := range keys {
			if key.ID != kid {
				continue
			}
			if verified, err := signed.Verify(key.Public); err == nil {
				payload = verified
				return true
			}
		}
		return false
	})
	if err != nil {
		return claims{}, err
	}
	said, err := readClaims(payload)
	if err != nil {
		return claims{}, refuse(fmt.Errorf("a token of Core: %w", err))
	}
	return said, nil
}

func (t *CoreTokens) user(ctx context.Context, said claims, token string) (codex.Caller, error) {
	caller, err := said.user()
	if err != nil {
		return codex.Caller{}, refuse(fmt.Errorf("a token of Core: %w", err))
	}
	if !t.options.CheckRevocation {
		return caller, nil
	}
	if said.Session == "" {
		return codex.Caller{}, refuse(errors.New("a token of Core: it names no session, and [core] check_revocation is on"))
	}
	goesOn, err := t.sessions.goesOn(ctx, codex.Secret(token), said.Expires.time())
	switch {
	case err != nil:
		return codex.Caller{}, codex.Wrap(codex.CodeUnavailable, err, "Core cannot be asked whether this session goes on")
	case !goesOn:
		return codex.Caller{}, refuse(errors.New("a token of Core: its session is over"))
	}
	return caller, nil
}

func (t *CoreTokens) service(said claims, peer netip.Addr) (codex.Caller, error) {
	caller, err := said.service()
	if err != nil {
		return codex.Caller{}, refuse(fmt.Errorf("a service's token of Core: %w", err))
	}
	from := t.options.ServiceAddresses
	inside := func(p netip.Prefix) bool { return p.Contains(peer.Unmap().WithZone("")) }
	if len(from) > 0 && !slices.ContainsFunc(from, inside) {
		return codex.Caller{}, codex.Errorf(codex.CodeForbidden, "services' tokens are not taken from %s ([auth] service_addresses)", peer)
	}
	if slices.Contains(t.options.SyncServices, said.Calling) {
		caller.Grants |= codex.GrantSyncs
	}
	if said.Calling == billingService {
		caller.Grants |= codex.GrantBills
	}
	return caller, nil
}
