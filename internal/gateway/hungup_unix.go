//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package gateway

import (
	"errors"
	"net"
	"syscall"
)

// tellsHungUp says that hungUp knows.
const tellsHungUp = true

// hungUp reports whether the far end of c has closed it, or has said something
// that nobody asked for, as servers do before they close, as far as is known here
// by now. Nothing is read.
func hungUp(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		gone = err == nil || errors.Is(err, syscall.ECONNRESET)
	})
	return err == nil && gone
}
