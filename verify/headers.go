package verify

import (
	"fmt"
	"net/textproto"
	"slices"
	"strings"
)

// signedHeaders is where a message names the headers that its signature covers,
// and how they are written in the payload.
type signedHeaders struct {
	place            // a header, or an element of the signature's list
	separator string // between names
	named     bool   // "name:value", else the value alone
	join      string // between headers in the payload
	sorted    bool   // Sign lists them in lower case and in order, as who verifies may sort what it reads
	names     []string
	timed     bool // the time is in a header, which must be among them
}

// maxSignedHeaders bounds how many headers a signature may name.
const maxSignedHeaders = 64

var signedHeadersFields = fieldTable[*signedHeaders]{
	"in":   func(s *signedHeaders, n node) error { return n.placeKind(&s.place, inHeader, inSignature) },
	"name": func(s *signedHeaders, n node) (err error) { s.name, err = n.Label(); return },
	"sep": func(s *signedHeaders, n node) (err error) {
		s.separator, err = n.Word("separator", []string{",", ";", " "})
		return
	},
	"form": func(s *signedHeaders, n node) error {
		form, err := n.Word("form", []string{"value", "name:value"})
		s.named = form == "name:value"
		return err
	},
	"join":   func(s *signedHeaders, n node) (err error) { s.join, err = n.Text(); return },
	"sorted": func(s *signedHeaders, n node) (err error) { s.sorted, err = n.Bool(); return },
	"names":  func(s *signedHeaders, n node) (err error) { s.names, err = listOf(n, node.headerName); return },
}

func (b *builder) readSignedHeaders(n node) error {
	s := new(signedHeaders)
	if err := signedHeadersFields.read(s, n, "in", "name", "sep", "names"); err != nil {
		return err
	}
	if len(s.names) > maxSignedHeaders {
		return n.Errorf("more than %d names", maxSignedHeaders)
	}
	b.d.headers = s
	return s.place.settle(n)
}

// checkHeaders sees to it that who signs headers says which, and that the list
// is signed itself.
func (b *builder) checkHeaders() error {
	s := b.d.headers
	for _, t := range b.d.payloads() {
		switch has := t.has(refHeaders, ""); {
		case has && s == nil:
			return b.fault("payload", "{signed_headers} needs signed_headers")
		case !has && s != nil:
			return b.fault("payload", "does not refer to {signed_headers}")
		case has && !t.covers(s.place) && !(s.named && s.has(s.place)):
			return b.fault("payload", "does not cover the names of the signed headers: values could be moved")
		}
	}
	if s == nil {
		return nil
	}
	for _, name := range s.names {
		if b.d.isSignature(textproto.CanonicalMIMEHeaderKey(name)) {
			return b.fault("signed_headers", "covers the signature itself")
		}
	}
	return nil
}

// isSignature reports whether a header holds a signature.
func (d *declared) isSignature(key string) bool {
	for _, p := range append([]place{d.signature}, d.also...) {
		if p.in == inHeader && p.key == key {
			return true
		}
	}
	return slices.ContainsFunc(d.legacy, func(l legacy) bool { return l.key == key })
}

// has reports whether p is a header among the names.
func (s *signedHeaders) has(p place) bool {
	return p.in == inHeader && slices.ContainsFunc(s.names, func(name string) bool { return textproto.CanonicalMIMEHeaderKey(name) == p.key })
}

// value gives the one value of a header.
func (s *signedHeaders) value(d *declared, m *Message, name string) (text string, ok bool) {
	key := textproto.CanonicalMIMEHeaderKey(name)
	if key == "Host" {
		return host(m), true
	}
	values := m.Header[key]
	if !headerForm.MatchString(name) || len(values) != 1 || d.isSignature(key) {
		return "", false
	}
	return strings.TrimSpace(values[0]), true
}

// text gives the headers that m says are signed, as the payload has them.
func (s *signedHeaders) text(d *declared, m *Message, c *claim) (text string, how presence) {
	listed, how := s.listed(d, m, c)
	if how != present {
		return "", how
	}
	names := strings.Split(listed, s.separator)
	if len(names) > maxSignedHeaders {
		return "", unreadable
	}
	seen := make(map[string]bool, len(names))
	var b strings.Builder
	for i, name := range names {
		name = strings.ToLower(name)
		value, ok := s.value(d, m, name)
		if !ok || seen[name] {
			return "", unreadable
		}
		seen[name] = true
		if i > 0 {
			b.WriteString(s.join)
		}
		if s.named {
			b.WriteString(name + ":")
		}
		b.WriteString(value)
	}
	for _, must := range s.musts(d) {
		if !seen[must] {
			return "", unreadable
		}
	}
	return b.String(), present
}

// musts are the names without which anyone could change the time, or move text
// from one header into another.
func (s *signedHeaders) musts(d *declared) (names []string) {
	if s.timed {
		names = append(names, strings.ToLower(d.stamp.key))
	}
	if s.in == inHeader && s.named {
		names = append(names, strings.ToLower(s.key))
	}
	return names
}

func (s *signedHeaders) listed(d *declared, m *Message, c *claim) (text string, how presence) {
	if s.in == inSignature {
		return d.list.find(c.list, s.name)
	}
	return s.read(m, nil)
}

// relist names the headers that are to be signed: those that m names already
// and has, else the provider's usual ones. A nil s names none.
func (s *signedHeaders) relist(d *declared, m *Message, c *claim) error {
	if s == nil {
		return nil
	}
	old, how := s.listed(d, m, c)
	names := s.names
	if how == present && old != "" {
		names = strings.Split(old, s.separator)
	} else if how == several {
		return fmt.Errorf("%s is there more than once", s.place)
	}
	if s.in == inHeader && m.Header[s.key] == nil { // it may name itself
		if err := s.write(m, "", false); err != nil {
			return err
		}
	}
	var kept []string
	keep := func(name string) {
		_, ok := s.value(d, m, name)
		isThere := slices.ContainsFunc(kept, func(other string) bool { return strings.EqualFold(name, other) })
		if ok && !isThere && len(kept) < maxSignedHeaders-len(s.musts(d)) || ok && !isThere && slices.Contains(s.musts(d), name) {
			kept = append(kept, name)
		}
	}
	for _, name := range names {
		keep(name)
	}
	for _, must := range s.musts(d) {
		keep(must)
	}
	if len(kept) == 0 {
		return fmt.Errorf("none of the headers that are signed is there (%s)", strings.Join(s.names, ", "))
	}
	if s.sorted {
		for i := range kept {
			kept[i] = strings.ToLower(kept[i])
		}
		slices.Sort(kept)
	}
	text := strings.Join(kept, s.separator)
	if s.in == inSignature {
		c.list = d.list.set(c.list, s.name, text)
		return nil
	}
	return s.write(m, text, false)
}
