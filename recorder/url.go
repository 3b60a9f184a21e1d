package recorder

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"devhook/verify"
)

// SplitURL parts the absolute URL of a [Request] into scheme and host, and path
// and query, as they stand in it. A URL without a path has the path /.
func SplitURL(absolute string) (root, target string) {
	_, rest, ok := strings.Cut(absolute, "://")
	if !ok {
		return absolute, "/"
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return absolute[:len(absolute)-len(rest)+i], rest[i:]
	}
	return absolute, "/"
}

// PathOf returns the path of the absolute URL of a [Request] or of an app, without the
// query, as it stands in it; / if it has none.
func PathOf(absolute string) string {
	_, rest, ok := strings.Cut(absolute, "://")
	i := strings.IndexAny(rest, "/?")
	if !ok || i < 0 {
		return "/"
	}
	path, _, _ := strings.Cut(rest[i:], "?")
	return cmp.Or(path, "/")
}

// Target returns what the request line of r has: path and query as they stand in its
// URL. OPTIONS without a path is a question to the server as a whole, *: RFC 9112 §3.2.4.
func (r *Request) Target() string {
	root, target := SplitURL(r.URL)
	if root == r.URL && r.Method == http.MethodOptions {
		return "*"
	}
	return target
}

// ParseURL parses the URL of a [Request] as a server does with what it gets:
// the path by itself, in which a # is a character like any other, and the host
// as it is, whatever it looks like.
func ParseURL(absolute string) (*url.URL, error) {
	root, target := SplitURL(absolute)
	if strings.HasPrefix(target, "?") {
		target = "/" + target
	}
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Host, _ = strings.Cut(root, "://")
	return u, nil
}

// Message returns what of r a signature can cover. It shares headers and body
// with r. A body in a file is left out.
func (r *Request) Message() (verify.Message, error) {
	u, err := ParseURL(r.URL)
	return verify.Message{Method: r.Method, URL: u, Header: r.Headers, Body: r.Body.Bytes}, err
}

// Detect returns the ID of the provider of c that r is most likely of, "" if none is
// recognised in it.
func (r *Request) Detect(c *verify.Catalog) string {
	m, err := r.Message()
	if err != nil {
		return ""
	}
	if found := c.Detect(m); len(found) > 0 {
		return found[0].ID
	}
	return ""
}
