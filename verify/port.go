package verify

import "strings"

// withPort adds the usual port to a URL that has none.
func withPort(url string) string {
	scheme, host, port, rest, ok := splitURL(url)
	if !ok || port != "" {
		return url
	}
	if port = ":80"; strings.EqualFold(scheme, "https") {
		port = ":443"
	}
	return scheme + "://" + host + port + rest
}

// withoutPort takes the port off a URL.
func withoutPort(url string) string {
	scheme, host, _, rest, ok := splitURL(url)
	if !ok {
		return url
	}
	return scheme + "://" + host + rest
}

// splitURL cuts a URL around its port and changes no byte.
func splitURL(url string) (scheme, host, port, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(url, "://")
	if !ok {
		return "", "", "", "", false
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, rest = rest[:end], rest[end:]
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexAny(host, "]@") {
		host, port = host[:i], host[i:]
	}
	return scheme, host, port, rest, true
}
