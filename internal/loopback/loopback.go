// Package loopback tells which hosts are this machine by their name alone: it asks
// no resolver.
package loopback

import (
	"net"
	"net/netip"
	"strings"
)

// Is reports whether host, with or without a port, can be no machine but this one:
// an address of the loopback, or localhost and the names below it, which nobody
// can register (RFC 6761 §6.3). It is what keeps a page elsewhere out that has had
// its own name led here.
func Is(host string) bool {
	name, ip := parse(host)
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || ip.IsLoopback()
}

// Dials reports whether who dials host, with or without a port, comes to this
// machine: as [Is], or by the address that means all, as in 0.0.0.0:3000.
func Dials(host string) bool {
	_, ip := parse(host)
	return Is(host) || ip.IsUnspecified()
}

// parse returns the name and, unless it is the zero one, the address in host.
func parse(host string) (string, netip.Addr) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	ip, _ := netip.ParseAddr(host)
	return strings.ToLower(strings.TrimSuffix(host, ".")), ip.Unmap()
}
