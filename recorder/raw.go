package recorder

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"devhook/internal/jsonx"
)

// A certainty is what can be told of an exchange from its lines as they stand
// in the journal.
type certainty int

const (
	no certainty = iota
	yes
	maybe // it has to be decoded
)

// A rawMatch looks at the lines of an exchange as they stand and tells whether
// a condition holds. It decides only where it is certain; the rest is decoded,
// which costs a hundred times as much.
type rawMatch func(*rawLines) certainty

// rawFor returns what can be told of lines about a term, nil if that is nothing.
func rawFor(t Term) (raw rawMatch, could func(*rawLines) bool) {
	switch t.Key {
	case "text":
		return rawText(t.Patterns[0][0]), nil
	case "delivery":
		return rawDelivery(func(v string) bool { return anyOf(t.Patterns, v) }), nil
	case "body":
		path, err := jsonx.ParsePath(t.Name)
		if err != nil {
			return nil, nil
		}
		var values []string
		for _, p := range t.Patterns {
			values = append(values, p[0])
		}
		return rawJSON(path, values, t.match)
	case "header":
		return rawHeader(t.Name, func(v string) bool { return anyOf(t.Patterns, v) }), nil
	}
	return nil, nil
}

// rawLines are the lines of an exchange, in parts.
type rawLines struct {
	head   []byte // of the 'x' line, what stands before the body, or all of it if there is none
	body   []byte // of the request, without its quotes: escaped, or base64 if flags say so
	answer []byte // of the response, escaped, unless it is flagOther
	flags  byte   // see colFlags
}

func rawText(want string) rawMatch {
	isText := utf8.ValidString(want)
	find := newFinder(appendEscaped(nil, want))
	in := func(b []byte) certainty {
		switch {
		case len(b) == 0:
			return no
		case !isText: // part of a letter can be in a body that is text
			return maybe
		case !find.in(b):
			return no
		}
		var s string // as half an escape can stand before what was found
		if json.Unmarshal(append(append([]byte{'"'}, b...), '"'), &s) != nil {
			return maybe
		}
		if strings.Contains(s, want) {
			return yes
		}
		return no
	}
	return func(l *rawLines) certainty {
		found := no
		if l.flags&(flagApp|flagOther|flagFile) != 0 {
			found = maybe
		}
		if l.flags&flagBase64 != 0 {
			raw, err := base64.StdEncoding.AppendDecode(nil, l.body)
			if err != nil {
				return maybe
			}
			if bytes.Contains(raw, []byte(want)) {
				return yes
			}
		} else if ok := in(l.body); ok != no {
			return ok
		}
		if l.flags&flagOther == 0 { // else it is base64, in which anything short stands
			if ok := in(l.answer); ok != no {
				return ok
			}
		}
		return found
	}
}

// rawDelivery looks at the id of the delivery. No name of a header is spelled like
// its member, as what follows that is a list.
func rawDelivery(match func(string) bool) rawMatch {
	return func(l *rawLines) certainty {
		head, _, _ := bytes.Cut(l.head, []byte(`,"request":{`))
		_, rest, ok := bytes.Cut(head, []byte(`,"delivery_id":`))
		var id string
		switch {
		case ok && rest[0] == '"':
			end := skipString(rest, 0)
			if end > len(rest) {
				return maybe
			}
			id = wordOf(rest[:end])
		case ok: // it is not UTF-8
			return maybe
		}
		if match(id) {
			return yes
		}
		return no
	}
}

// rawHeader looks at the values of a header, which has its canonical name in
// the journal.
func rawHeader(name string, match func(string) bool) rawMatch {
	key := newFinder(append(appendText(nil, http.CanonicalHeaderKey(name)), ':', '['))
	return func(l *rawLines) certainty {
		rest := key.after(l.head)
		if rest == nil {
			return no
		}
		for len(rest) > 0 && rest[0] == '"' {
			end := skipString(rest, 0)
			if end >= len(rest) {
				return maybe
			}
			if match(wordOf(rest[:end])) {
				if l.body != nil || bytes.Contains(rest, behindRequest) {
					return yes
				}
				return maybe // it is a header of the answer
			}
			if rest = rest[end:]; rest[0] != ',' {
				return no
			}
			rest = rest[1:]
		}
		return maybe // a value that is not UTF-8
	}
}

// rawJSON looks at what stands behind the last name of a path, wherever that
// is in the body. Only a body in which that could be the value is parsed.
func rawJSON(path jsonx.Path, values []string, want func(*Store, *Exchange) (bool, error)) (raw rawMatch, could func(*rawLines) bool) {
	name := path[len(path)-1]
	last := newFinder([]byte(`"` + name + `\`))
	findable := plainWord(name) && !plainNumber(name) // else it can be an index, before which no name stands
	canBe := func(body []byte) bool {
		for rest := body; ; {
			if rest = last.after(rest); rest == nil {
				return false
			}
			if slices.ContainsFunc(values, func(v string) bool { return couldBe(rest, v) }) {
				return true
			}
		}
	}
	could = func(l *rawLines) bool {
		return !findable || l.flags&(flagFile|flagBase64|flagLetters) != 0 || canBe(l.body)
	}
	return func(l *rawLines) certainty {
		var body []byte
		switch {
		case l.flags&flagFile != 0:
			return maybe
		case l.flags&flagBase64 != 0:
			var err error
			if body, err = base64.StdEncoding.AppendDecode(nil, l.body); err != nil {
				return maybe
			}
		default:
			var s string
			if json.Unmarshal(append(append([]byte{'"'}, l.body...), '"'), &s) != nil {
				return maybe
			}
			body = []byte(s)
		}
		ok, err := want(nil, &Exchange{Request: Request{Body: Body{Bytes: body}}})
		switch {
		case err != nil:
			return maybe
		case ok:
			return yes
		}
		return no
	}, could
}

// couldBe reports whether the value behind a name can be the one that is
// wanted. What stands here is JSON in a string of JSON, perhaps in a string
// once more, so that quotes have backslashes before them; so has white space
// other than blanks.
func couldBe(b []byte, value string) bool {
	b = bytes.TrimLeft(b, `\`)
	if len(b) == 0 || b[0] != '"' {
		return false
	}
	b = bytes.TrimLeft(b[1:], " ")
	if len(b) == 0 || b[0] != ':' {
		return len(b) > 0 && b[0] == '\\'
	}
	b = bytes.TrimLeft(b[1:], " ")
	simple := plainWord(value)
	switch {
	case len(b) == 0:
		return false
	case b[0] == '\\':
		text := bytes.TrimLeft(b, `\`)
		return !simple || len(text) == 0 || text[0] != '"' || bytes.HasPrefix(text[1:], []byte(value))
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		end := 1
		for end < len(b) && strings.IndexByte("0123456789+-.eE", b[end]) >= 0 {
			end++
		}
		got := string(b[:end])
		if plainNumber(value) && !strings.ContainsAny(got, ".eE") {
			if got == value || got[0] != '-' && value[0] > '0' {
				return got == value // neither has zeros before it
			}
			return decimalOf(got) == decimalOf(value)
		}
		return !simple || value[0] == '-' || value[0] >= '0' && value[0] <= '9'
	}
	return !simple || bytes.HasPrefix(b, []byte(value)) // true, false, null
}

// anyLetter begins an escape of JSON in a body, by which any letter can be
// written.
var anyLetter = []byte(`\\u`)

// plainWord reports whether s is of letters that no JSON escapes, unless by \u.
func plainWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == ':') {
			return false
		}
	}
	return s != ""
}

func plainNumber(s string) bool {
	if s == "" || s == "-" {
		return false
	}
	for i, c := range s {
		if !(c >= '0' && c <= '9' || c == '-' && i == 0) {
			return false
		}
	}
	return true
}
