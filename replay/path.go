package replay

import (
	"net/url"
	"strings"

	"devhook/recorder"
)

// ChangesPath reports whether m changes the path of a request. Such a mutation
// needs nothing of it but the URL.
func ChangesPath(m Mutation) bool {
	_, ok := m.(path)
	return ok
}

// A path is another path, and another query if there is one behind it: none if
// there is only a ?.
type path struct{ target string }

func parsePath(rest string) (Mutation, error) {
	if !strings.HasPrefix(rest, "/") {
		return nil, bad("write --path /"+rest, "path %q does not begin with a /", rest)
	}
	for i := range len(rest) {
		if c := rest[i]; c <= ' ' || c == 0x7f || c == '#' {
			return nil, bad("write %20 for a space and %23 for a #", "path %q: %q cannot stand in a path", rest, rest[i:i+1])
		}
	}
	at, _, _ := strings.Cut(rest, "?")
	if _, err := url.PathUnescape(at); err != nil { // no request can have it
		return nil, bad("write %25 for a %", "path %q: %v", rest, err)
	}
	return path{rest}, nil
}

func (p path) String() string { return "path " + p.target }

func (p path) Apply(req *recorder.Request) error {
	root, old := recorder.SplitURL(req.URL)
	if path, ok := strings.CutSuffix(p.target, "?"); ok && !strings.Contains(path, "?") { // no query any more
		req.URL = root + path
		return nil
	}
	if _, query, ok := strings.Cut(old, "?"); ok && !strings.Contains(p.target, "?") {
		req.URL = root + p.target + "?" + query
		return nil
	}
	req.URL = root + p.target
	return nil
}
