package httpd

import (
	"context"
	"net"
	"os/user"
	"strconv"
)

// UserName is the name of a user of this machine, or the number where it has none, as in a container;
// empty where the system has no numbers for users (uid is negative).
func UserName(uid int) string {
	if uid < 0 {
		return ""
	}
	number := strconv.Itoa(uid)
	if known, err := user.LookupId(number); err == nil && known.Username != "" {
		return known.Username
	}
	return number
}

type userKey struct{}

// withUser is ctx with the user at the other end of a connection of the socket, who stays the same as
// long as that does.
func withUser(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, userKey{}, UserName(peerUID(conn)))
}

// userFrom is the user that [withUser] has found; empty where the system did not tell.
func userFrom(ctx context.Context) string {
	name, _ := ctx.Value(userKey{}).(string)
	return name
}
