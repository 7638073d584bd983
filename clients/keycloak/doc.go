// Package keycloak logs an account in at the Keycloak that HiveMatrix Core trusts
// ([Client.AccessToken]). Core exchanges the access token for a user's token of its own (clients/core,
// Client.ForUser), by which services know who is calling; docs/compatibility.md, "Authentication".
//
// It is the password grant of OAuth 2.0 (RFC 6749, section 4.3) at the realm's token endpoint, as
// Keycloak documents it ("OpenID Connect", "Direct Access Grants"), which must be enabled for the client.
//
// It keeps no token and refreshes none: an access token is exchanged at once, and Core's token is what
// is kept. It sends account and secret to Keycloak alone
// ([github.com/hivematrix/codex/clients/transport] pins the origin), and prints neither. It has no state,
// so that nothing can be left half done.
package keycloak
