package httpd

import (
	"net"
	"syscall"
)

// peerUID is the number of the user at the other end of a socket's connection, as the kernel kept it
// when that was made (unix(7), SO_PEERCRED); -1 where it does not tell.
func peerUID(conn net.Conn) int {
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return -1
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return -1
	}
	uid := -1
	err = control.Control(func(fd uintptr) {
		if peer, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
			uid = int(peer.Uid)
		}
	})
	if err != nil {
		return -1
	}
	return uid
}
