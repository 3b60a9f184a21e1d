package redact

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"devhook/internal/jsonx"
	"devhook/recorder"
)

func (p *pass) request(req recorder.Request) recorder.Request {
	if m, err := req.Message(); err == nil { // else it has no name
		p.kept = p.provider.DeliveryParts(m)
	}
	p.part = "URL"
	req.URL = p.url(req.URL)
	p.part = "header"
	req.Headers = p.headers(req.Headers)
	p.part = "remote"
	if remote := p.ips(req.Remote); p.personal && remote != req.Remote {
		p.note("")
		req.Remote = remote
	}
	req.Body.Bytes, req.Size = p.sized(req.Body.Bytes, req.Headers, req.Size)
	return req
}

// sized replaces in a body; its length goes into h, and into its size.
func (p *pass) sized(b []byte, h http.Header, size int64) ([]byte, int64) {
	p.part = "body"
	out := p.body(b, h)
	if hidden := p.hide(string(out)); hidden != string(out) { // also in what is no text
		p.note("secret")
		out = []byte(hidden)
	}
	if h.Get("Content-Length") == strconv.Itoa(len(b)) {
		h.Set("Content-Length", strconv.Itoa(len(out)))
	}
	return out, size + int64(len(out)-len(b))
}

// url replaces in the user, path, query and fragment of a URL. The host stays.
func (p *pass) url(raw string) string {
	raw, fragment, hasFragment := strings.Cut(raw, "#")
	raw, query, hasQuery := strings.Cut(raw, "?")
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		scheme, rest = "", raw
	} else {
		scheme += "://"
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		slash = len(rest)
	}
	host, path := rest[:slash], rest[slash:]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		p.note("user")
		host = mask(host[:at]) + host[at:]
	}
	if clean := p.hide(p.text(path, inPath)); clean != path {
		p.note("path")
		path = clean
	}
	out := scheme + host + path
	if hasQuery {
		p.part = "query"
		out += "?" + p.form(query)
	}
	if hasFragment {
		p.part = "URL"
		clean := p.form(fragment)
		out += "#" + clean
	}
	return out
}

func (p *pass) headers(h http.Header) http.Header {
	out := h.Clone()
	for _, name := range sortedNames(out) {
		if p.drop && p.isCredential(name) {
			p.note(name)
			delete(out, name)
			continue
		}
		values := out[name]
		for i, v := range values {
			if clean := p.header(name, v); clean != v {
				p.note(name)
				values[i] = clean
			}
		}
	}
	return out
}

// isCredential reports whether a header is a credential by its name.
func (p *pass) isCredential(name string) bool {
	switch name {
	case "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie":
		return true
	}
	return p.rule(name, "").kind == credential
}

func (p *pass) header(name, v string) string {
	switch name {
	case "Authorization", "Proxy-Authorization":
		return maskScheme(v)
	case "Cookie":
		return maskCookies(v, -1)
	case "Set-Cookie":
		return maskCookies(v, 1)
	case "Host":
		return v
	}
	if p.personal && slices.Contains(ipHeaders, name) {
		return p.ips(v)
	}
	return p.value(p.rule(name, ""), v)
}

// body replaces in a body: what begins as JSON is JSON, as it is to verify.
func (p *pass) body(b []byte, h http.Header) []byte {
	switch kind := jsonx.TopKind(b); {
	case !CanSee(b, h):
		return b
	case kind == jsonx.Object || kind == jsonx.Array || kind == jsonx.String:
		if out, err := p.json(b); err == nil {
			return out
		}
	case strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return []byte(p.form(string(b)))
	}
	out := p.text(string(b), inBody)
	if out == string(b) {
		return b
	}
	p.note("text")
	return []byte(out)
}

// CanSee reports whether anything is found in a body that comes with the headers h: not in
// one that is compressed or another that is no text.
func CanSee(b []byte, h http.Header) bool {
	return !isBinary(b) && (h.Get("Content-Encoding") == "" || utf8.Valid(b))
}

// isBinary reports whether b is no text.
func isBinary(b []byte) bool {
	return bytes.IndexByte(b, 0) >= 0 || bytes.HasPrefix(b, []byte{0x1f, 0x8b})
}

func sortedNames(h http.Header) []string {
	list := make([]string, 0, len(h))
	for name := range h {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
