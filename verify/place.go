package verify

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"devhook/internal/jsonx"
	"devhook/internal/param"
)

// A placeKind is the part of a message that a place is in.
type placeKind string

const (
	inHeader    placeKind = "header"
	inQuery     placeKind = "query"
	inForm      placeKind = "form"      // a body of application/x-www-form-urlencoded
	inBody      placeKind = "body"      // a JSON body
	inSignature placeKind = "signature" // an element of the list that the signature is in
	inPath      placeKind = "path"      // the path of the URL, in marks only
)

// A place is where a message holds a short text.
type place struct {
	in   placeKind
	name string     // as the provider documents it
	key  string     // name, canonical if it is that of a header
	path jsonx.Path // of name, in a body
	held jsonx.Path // in the JSON that a form field holds; nil if it is the text of the field itself
}

// String returns p for a message, as in "header X-Signature".
func (p place) String() string {
	switch p.in {
	case inQuery:
		return "query parameter " + p.name
	case inForm:
		if p.held != nil {
			return "form field " + p.name + ", JSON field " + p.held.String()
		}
		return "form field " + p.name
	case inBody:
		return "JSON field " + p.name
	case inSignature:
		return "element " + p.name + " of the signature"
	}
	return "header " + p.name
}

// A presence is how a message holds what a place names.
type presence uint8

const (
	absent     presence = iota
	present             // once
	several             // more than once: two readers may take two values
	unreadable          // once, but it is not a text: null, an object, a broken escape
)

// read gives the text at p in m. f holds what p.path begins with, if p is in a
// body.
func (p place) read(m *Message, f *fields) (text string, how presence) {
	switch p.in {
	case inHeader:
		switch values := m.Header[p.key]; len(values) {
		case 0:
			return "", absent
		case 1:
			return values[0], present
		}
		return "", several
	case inQuery:
		if m.URL == nil {
			return "", absent
		}
		return readParam(m.URL.RawQuery, p.name)
	case inForm:
		text, how := readParam(string(m.Body), p.name)
		if how == present && p.held != nil {
			return readHeld([]byte(text), p.held)
		}
		return text, how
	case inBody:
		return f.text(p.path)
	}
	return "", absent
}

var (
	errNotObject = errors.New("the body is not a JSON object")
	errTwice     = errors.New("it is there more than once")
)

func readParam(raw, name string) (text string, how presence) {
	value, n := param.Find(raw, name)
	switch n {
	case 0:
		return "", absent
	case 1:
		if text, ok := param.Unescape(value); ok {
			return text, present
		}
		return "", unreadable
	}
	return "", several
}

// readHeld gives the scalar at path in a JSON text.
func readHeld(text []byte, path jsonx.Path) (string, presence) {
	if !jsonx.Valid(text) {
		return "", unreadable
	}
	return scalarAt(text, path)
}

// scalarAt gives the scalar at path in valid JSON, which itself is at the empty path.
func scalarAt(doc []byte, path jsonx.Path) (text string, how presence) {
	if len(path) > 0 {
		v, err := jsonx.Find(doc, path)
		switch {
		case err != nil:
			return "", absent
		case v.Duplicate:
			return "", several
		}
		doc = v.Raw
	}
	if text, ok := jsonx.Text(doc); ok {
		return text, present
	}
	return "", unreadable
}

// writeHeld puts text at p in the JSON that a form field of m holds.
func (p place) writeHeld(m *Message, text string) error {
	held, how := readParam(string(m.Body), p.name)
	switch how {
	case absent:
		held = "{}"
	case several, unreadable:
		return errTwice
	}
	if old, how := readHeld([]byte(held), p.held); how == present && old == text {
		return nil // its own spelling stays
	} else if how == several {
		return errTwice
	}
	if jsonx.TopKind([]byte(held)) != jsonx.Object {
		return errNotObject
	}
	changed, err := jsonx.Create([]byte(held), p.held, jsonx.AppendQuote(nil, text))
	if err != nil {
		return err
	}
	m.Body = []byte(param.Set(string(m.Body), p.name, string(changed)))
	return nil
}

// write puts text at p in m, in place of what is there. In a body a number
// stays a number and a string a string; anything else becomes a number if
// asNumber.
func (p place) write(m *Message, text string, asNumber bool) error {
	switch p.in {
	case inHeader:
		if m.Header == nil {
			m.Header = http.Header{}
		}
		m.Header[p.key] = []string{text}
	case inQuery:
		if m.URL == nil {
			m.URL = new(url.URL)
		}
		m.URL.RawQuery = param.Set(m.URL.RawQuery, p.name, text)
	case inForm:
		if p.held != nil {
			return p.writeHeld(m, text)
		}
		m.Body = []byte(param.Set(string(m.Body), p.name, text))
	case inBody:
		if jsonx.TopKind(m.Body) != jsonx.Object {
			return errNotObject
		}
		old, err := jsonx.Find(m.Body, p.path)
		if old.Duplicate {
			return errTwice
		}
		switch old.Kind() {
		case jsonx.Number:
			asNumber = true
		case jsonx.String:
			asNumber = false
		}
		value := []byte(text)
		if !asNumber || jsonx.KindOf(value) != jsonx.Number || !jsonx.Valid(value) {
			value = jsonx.AppendQuote(nil, text)
		}
		if was, ok := jsonx.Text(old.Raw); err == nil && ok && was == text {
			return nil // its own spelling stays
		}
		body, err := jsonx.Create(m.Body, p.path, value)
		if err != nil {
			return err
		}
		m.Body = body
	}
	return nil
}

// maxFields bounds how many top-level members of a body one scheme may read.
const maxFields = 12

// fields are the top-level members of a JSON body that a scheme reads,
// gathered in one pass.
type fields struct {
	names []string // at most maxFields
	found [maxFields]struct {
		raw []byte // of the last one
		n   int
	}
}

// gather passes over body. If it is not a JSON object, no field is there.
func gather(body []byte, names []string) *fields {
	f := &fields{names: names}
	s := jsonx.NewScanner(body)
	for s.Next() {
		for i, name := range names {
			if s.Member.Is(name) {
				f.found[i].raw = s.Member.Value
				f.found[i].n++
			}
		}
	}
	if s.Err() != nil {
		clear(f.found[:])
	}
	return f
}

// text gives the scalar that path names.
func (f *fields) text(path jsonx.Path) (text string, how presence) {
	i := slices.Index(f.names, path[0])
	switch {
	case i < 0:
		return "", absent
	case f.found[i].n != 1:
		return "", min(presence(f.found[i].n), several)
	}
	return scalarAt(f.found[i].raw, path[1:])
}

// isForm reports whether m says that its body is a form, and it is not plainly
// JSON, after a byte order mark or without: what a sender says of its body must
// not hide it from who looks.
func isForm(m *Message) bool {
	if jsonx.TopKind(m.Body) == jsonx.Object {
		return false
	}
	media, _, _ := strings.Cut(m.Header.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded")
}
