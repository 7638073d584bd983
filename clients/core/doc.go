// Package core asks HiveMatrix Core, the identity service, for its signing keys: only to tell, when
// a hub is set up, whether the address is Core's. It authenticates nobody and keeps no state.
package core
