// Package neterr tells what befell a connection by the same questions, and in the same
// words, on each system. Windows has numbers and sentences of its own for it, and the
// constants of package syscall that bear the names of POSIX are inventions there, which
// no call returns.
package neterr

import (
	"errors"
	"strings"
	"syscall"
)

// known are the errors of sockets, by POSIX and by Winsock:
// https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2
var known = []struct {
	posix, winsock syscall.Errno
	words          string
}{
	{syscall.ECONNREFUSED, 10061, "connection refused"},
	{syscall.ECONNRESET, 10054, "connection reset by peer"},
	{syscall.ECONNABORTED, 10053, "software caused connection abort"},
	{syscall.EPIPE, 10058, "broken pipe"},
	{syscall.ETIMEDOUT, 10060, "connection timed out"},
	{syscall.EHOSTUNREACH, 10065, "no route to host"},
	{syscall.ENETUNREACH, 10051, "network is unreachable"},
	{syscall.EADDRINUSE, 10048, "address already in use"},
	{syscall.EADDRNOTAVAIL, 10049, "cannot assign requested address"},
}

// Is is [errors.Is] for one of the errors of sockets that package syscall has by POSIX's
// name: on Windows it knows Winsock's number of it, too.
func Is(err error, posix syscall.Errno) bool {
	if errors.Is(err, posix) {
		return true
	}
	for _, k := range known {
		if k.posix == posix {
			return errors.Is(err, k.winsock)
		}
	}
	return false
}

// Broke reports whether err says that the other side has closed the connection that was
// written to or read from.
func Broke(err error) bool {
	return Is(err, syscall.ECONNRESET) || Is(err, syscall.EPIPE) || Is(err, syscall.ECONNABORTED)
}

// Text returns the text of err, in which what the system says of a socket is said in the
// words of POSIX, and what else it says has no full stop.
func Text(err error) string {
	text := err.Error()
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return text
	}
	said := errno.Error()
	words := strings.TrimSuffix(said, ".")
	for _, k := range known {
		if errno == k.posix || errno == k.winsock {
			words = k.words
		}
	}
	return strings.Replace(text, said, words, 1)
}
