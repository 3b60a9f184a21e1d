package replay

import (
	"net/http"
	"slices"
	"strings"

	"devhook/recorder"
)

// A header sets a header, in place of all values that it has, or adds a value.
type header struct {
	name, value string
	add         bool
}

// parseHeader reads `NAME: VALUE`.
func parseHeader(add bool) func(string) (Mutation, error) {
	return func(rest string) (Mutation, error) {
		name, value, ok := strings.Cut(rest, ":")
		if !ok {
			return nil, bad("write NAME: VALUE, as in 'Content-Type: text/plain'", "header %q: there is no colon", rest)
		}
		if name = strings.TrimSpace(name); !isToken(name) {
			return nil, bad("write NAME: VALUE, as in 'Content-Type: text/plain'", "header %q: this is not the name of a header", name)
		}
		if err := checkOwn(name); err != nil {
			return nil, err
		}
		value = strings.Trim(value, " \t")
		if strings.ContainsAny(value, "\r\n\x00") {
			return nil, bad("", "header %s: a value has no line breaks and no zero bytes", name)
		}
		return header{http.CanonicalHeaderKey(name), value, add}, nil
	}
}

// checkOwn refuses the headers that follow from the rest of a message, and
// those of one connection.
func checkOwn(name string) error {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Length":
		return bad("", "header Content-Length: it follows from the body, and cannot be set")
	case "Transfer-Encoding", "Connection", "Keep-Alive", "Te", "Trailer", "Upgrade", "Proxy-Connection":
		return bad("", "header %s: it is of one connection only, and is not passed on", name)
	}
	return nil
}

func (h header) header() string { return h.name }

func (h header) String() string {
	word := "header "
	if h.add {
		word = "add-header "
	}
	return word + h.name + ": " + h.value
}

func (h header) Apply(req *recorder.Request) error {
	if h.name == "Host" {
		req.URL = withHost(req.URL, h.value)
	}
	if h.add {
		req.Headers[h.name] = append(slices.Clone(req.Headers[h.name]), h.value)
		return nil
	}
	req.Headers[h.name] = []string{h.value}
	return nil
}

// withHost returns the absolute URL at another host.
func withHost(absolute, host string) string {
	root, target := recorder.SplitURL(absolute)
	scheme, _, _ := strings.Cut(root, "://")
	return scheme + "://" + host + target
}

// An unsetHeader takes a header away.
type unsetHeader struct{ name string }

func parseUnsetHeader(rest string) (Mutation, error) {
	if rest = strings.TrimSpace(rest); !isToken(rest) {
		return nil, bad("", "unset-header %q: this is not the name of a header", rest)
	}
	return unsetHeader{http.CanonicalHeaderKey(rest)}, nil
}

func (u unsetHeader) header() string { return u.name }

func (u unsetHeader) String() string { return "unset-header " + u.name }

func (u unsetHeader) Apply(req *recorder.Request) error {
	delete(req.Headers, u.name)
	return nil
}
