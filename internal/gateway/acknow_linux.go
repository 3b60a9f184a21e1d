package gateway

import (
	"net"
	"syscall"
)

// ackNow has the kernel confirm at once what came on c, and for a while what comes:
// TCP_QUICKACK of tcp(7).
func ackNow(c net.Conn) {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { // if it fails, the app waits as it would have
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
}
