package register

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"
)

// Reachable reports whether a provider can reach the callback over the
// internet, as far as its address tells: it is neither of this machine nor of
// a network of one's own.
func Reachable(callback string) bool {
	u, err := url.Parse(callback)
	if err != nil {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return ip.IsGlobalUnicast() && !ip.IsPrivate() && !shared.Contains(ip)
	}
	for _, own := range []string{"localhost", "local", "internal", "home.arpa"} { // RFC 6761, 6762, 8375
		if host == own || strings.HasSuffix(host, "."+own) {
			return false
		}
	}
	return strings.Contains(host, ".")
}

// shared is between a provider of internet access and its customers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// CheckURL refuses a callback that no provider can reach over the internet.
func CheckURL(callback string) error {
	u, err := url.Parse(callback)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("a callback is to be like https://example.ngrok.app/hooks")
	case u.User != nil || u.Fragment != "" || strings.ContainsAny(callback, "{}\" \\"):
		return errors.New("a callback has no user, no fragment, and no braces, quotes or spaces")
	}
	return nil
}
