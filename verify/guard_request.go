package verify

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// address gives the URL that the sender addressed, as far as it is known.
func (h *guarded) address(r *http.Request) *url.URL {
	u := *r.URL
	if strings.HasPrefix(r.RequestURI, "/") { // a router may have cut r.URL
		if sent, err := url.ParseRequestURI(r.RequestURI); err == nil {
			u = *sent
		}
	}
	u.Scheme, u.Host, u.User = "http", r.Host, nil
	if r.TLS != nil {
		u.Scheme = "https"
	}
	switch {
	case h.BaseURL != nil:
		u.Scheme, u.Host = h.BaseURL.Scheme, h.BaseURL.Host
		if before := strings.TrimSuffix(h.BaseURL.EscapedPath(), "/"); before != "" {
			u.RawPath = before + u.EscapedPath()
			u.Path = strings.TrimSuffix(h.BaseURL.Path, "/") + u.Path
		}
	case h.TrustForwarded:
		if proto, ok := forwarded(r, "X-Forwarded-Proto"); ok && (proto == "http" || proto == "https") {
			u.Scheme = proto
		}
		if host, ok := forwarded(r, "X-Forwarded-Host"); ok {
			u.Host = host
		}
	}
	return &u
}

// forwarded gives what one proxy says. ok is false if several may have said
// something.
func forwarded(r *http.Request, name string) (value string, ok bool) {
	values := r.Header[name]
	if len(values) != 1 || values[0] == "" || strings.ContainsAny(values[0], ", /\\@?#") {
		return "", false
	}
	return values[0], true
}

// readBody takes in the body of r, or the first limit+1 bytes. One that says
// that it is larger is not read at all, so that a sender that waits for 100
// Continue never sends it.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength > limit {
		return nil, nil
	}
	const first = 64 << 10 // bytes; what is declared costs nothing, so it is not believed beyond that
	var b bytes.Buffer
	b.Grow(int(min(max(r.ContentLength, 0), first)) + bytes.MinRead)
	_, err := b.ReadFrom(io.LimitReader(r.Body, limit+1))
	return b.Bytes(), err
}

// giveBody makes body that of r again.
func giveBody(r *http.Request, body []byte) {
	r.ContentLength, r.TransferEncoding, r.Body = int64(len(body)), nil, http.NoBody
	if len(body) > 0 {
		again := &whole{}
		again.Reset(body)
		r.Body = again
	}
}

// A whole body was read, and can be read again.
type whole struct{ bytes.Reader }

func (*whole) Close() error { return nil }

// The rest of a body is what was read of it, and what comes.
type rest struct {
	io.Reader
	io.Closer
}
