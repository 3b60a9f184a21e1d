package tunnel

import (
	"cmp"
	"net"
	"net/netip"
	"strings"
)

// ProxyFromEnvironment returns the URL of the proxy to reach connectURL by (see
// NgrokOptions.ConnectURL): HTTPS_PROXY or https_proxy, of which the latter
// wins, unless NO_PROXY or no_proxy names the host. Empty means none.
//
// Unlike [net/http.ProxyFromEnvironment], it leads to loopback addresses
// through the proxy, too: NO_PROXY can name them.
func ProxyFromEnvironment(getenv func(string) string, connectURL string) string {
	via := strings.TrimSpace(cmp.Or(getenv("https_proxy"), getenv("HTTPS_PROXY")))
	address, err := parseConnectURL(connectURL)
	if via == "" || err != nil || exempt(cmp.Or(getenv("no_proxy"), getenv("NO_PROXY")), address) {
		return ""
	}
	return via
}

// exempt reports whether a list of NO_PROXY names address, HOST:PORT. An entry
// is *, an IP address, a range of them (CIDR), or a domain, which names its
// subdomains as well; .domain and *.domain name only those. Any but a range can
// be followed by a port.
func exempt(list, address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip, _ := netip.ParseAddr(host)
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if entry == "*" {
			return true
		}
		if block, err := netip.ParsePrefix(entry); err == nil {
			if ip.IsValid() && block.Contains(ip.Unmap()) {
				return true
			}
			continue
		}
		name := entry
		if n, p, err := net.SplitHostPort(entry); err == nil {
			if p != port {
				continue
			}
			name = n
		}
		if named, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
			if ip.IsValid() && named.Unmap() == ip.Unmap() {
				return true
			}
			continue
		}
		if ip.IsValid() {
			continue
		}
		name = strings.TrimPrefix(name, "*")
		parent := strings.HasPrefix(name, ".")
		name = strings.TrimPrefix(name, ".")
		if name != "" && (!parent && host == name || strings.HasSuffix(host, "."+name)) {
			return true
		}
	}
	return false
}
