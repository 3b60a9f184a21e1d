package replay

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"devhook/internal/jsonx"
	"devhook/recorder"
)

// A set puts a value into a JSON body or a form; all other bytes stay. In a form
// the path begins with the name of a field, whose text the value is, and goes on
// into JSON that the field holds.
type set struct {
	path   jsonx.Path
	value  string // as it was typed
	text   bool   // value is a string, whatever it looks like
	create bool   // makes what is missing on the way
}

// parseSet reads PATH=VALUE. VALUE is JSON if it parses as JSON, else a string.
func parseSet(text, create bool) func(string) (Mutation, error) {
	return func(rest string) (Mutation, error) {
		s := set{text: text, create: create}
		before, after, ok := cutPath(rest)
		if !ok {
			return nil, bad("write PATH=VALUE, as in data.amount=5", "%s: there is no =", s.assign(rest))
		}
		var err error
		if s.path, err = readPath(before); err != nil {
			return nil, bad("write names with dots between them, as in data.items.0.price", "%s: %v", s.assign(rest), err)
		}
		s.value = after
		return s, nil
	}
}

// cutPath parts PATH=VALUE at the first =. One that is part of a name is \=.
func cutPath(text string) (path, value string, ok bool) {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '=':
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}

var equalsReader = strings.NewReplacer(`\\`, `\\`, `\=`, "=")

// readPath reads a path in which a = may also be written \=, as a set wants it.
func readPath(text string) (jsonx.Path, error) { return jsonx.ParsePath(equalsReader.Replace(text)) }

// writePath returns p as [readPath] reads it, and as it can stand before a =.
func writePath(p jsonx.Path) string { return strings.ReplaceAll(p.String(), "=", `\=`) }

func (s set) assign(rest string) string {
	word := "set"
	if s.create {
		word = "create"
	}
	if s.text {
		word += "-string"
	}
	return word + " " + rest
}

func (s set) String() string {
	return s.assign(writePath(s.path) + "=" + s.value)
}

// json is the value as it goes into the body: in the user's own spelling.
func (s set) json() []byte {
	if !s.text && jsonx.Valid([]byte(s.value)) {
		return []byte(s.value)
	}
	return jsonx.AppendQuote(nil, s.value)
}

// Doubt returns why m may do what nobody meant: its value begins as JSON, is
// none, and so becomes a string. "" is no doubt.
func Doubt(m Mutation) string {
	s, ok := m.(set)
	if !ok || s.text {
		return ""
	}
	switch kind := jsonx.TopKind([]byte(s.value)); kind {
	case jsonx.Object, jsonx.Array, jsonx.String:
		if err := jsonx.Check([]byte(s.value)); err != nil {
			return fmt.Sprintf("%s: the value is %v, and so becomes a string", s, err)
		}
	}
	return ""
}

func (s set) Apply(req *recorder.Request) error { return splice(s, req) }

// changeJSON returns doc with the value at p, which is the end of s.path.
func (s set) changeJSON(doc []byte, p jsonx.Path) ([]byte, error) {
	if s.create {
		return jsonx.Create(doc, p, s.json())
	}
	return jsonx.Set(doc, p, s.json())
}

// A splicer is a mutation of one value of a JSON body or a form.
type splicer interface {
	Mutation
	at() jsonx.Path
	changeJSON(doc []byte, p jsonx.Path) ([]byte, error)
	changeForm(f form) ([]byte, error)
}

func (s set) at() jsonx.Path { return s.path }

// splice puts into req what m makes of its body.
func splice(m splicer, req *recorder.Request) (err error) {
	body := req.Body.Bytes
	if f, ok := formOf(req); ok {
		body, err = m.changeForm(f)
	} else if body, err = m.changeJSON(body, m.at()); err != nil {
		err = cannotChange(m, req, err)
	}
	if err == nil {
		req.Body.Bytes = body
	}
	return err
}

// subscript is an index as other languages write it, at the end of a name.
var subscript = regexp.MustCompile(`\[(\d+)\]`)

// respelled is the path that is meant by one in the words of JavaScript or jq
// (data[0]), or of a JSON Pointer (/data/0); "" if it is in neither.
func respelled(p jsonx.Path) string {
	text := p.String()
	if len(p) == 1 && strings.HasPrefix(text, "/") {
		return strings.ReplaceAll(strings.Trim(text, "/"), "/", ".")
	}
	if !subscript.MatchString(text) {
		return ""
	}
	return strings.TrimPrefix(subscript.ReplaceAllString(text, ".$1"), ".")
}

// createHint is what to do about a value that is not there.
func createHint(m Mutation) string {
	if s, ok := m.(splicer); ok {
		if path := respelled(s.at()); path != "" {
			return "a path is names and digits with dots between them: " + path
		}
	}
	if s, ok := m.(set); ok && !s.create {
		s.create = true
		return "--create adds what is not there; as a change in words: " + s.String()
	}
	return ""
}

// equalsHint is how to write a name with a = in it, if that is what was cut off at the =.
func equalsHint(m Mutation, missing *jsonx.NotFoundError) string {
	if _, ok := m.(set); !ok {
		return ""
	}
	for _, name := range missing.Near() {
		if strings.HasPrefix(name, missing.Path[missing.Found:][:1].String()+"=") {
			return `a = in a name is written \=, as in ` + strings.ReplaceAll(name, "=", `\=`)
		}
	}
	return ""
}

// cannotChange says why a JSON body could not be changed, and what to do.
func cannotChange(m Mutation, req *recorder.Request, err error) error {
	var syntax *jsonx.SyntaxError
	var missing *jsonx.NotFoundError
	e := &Error{Text: fmt.Sprintf("%s: %v", m, err), Err: err}
	switch {
	case errors.As(err, &missing):
		e.Hint = cmp.Or(equalsHint(m, missing), createHint(m))
	case !errors.As(err, &syntax):
	case req.Body.Sum != "":
		e.Text = fmt.Sprintf("%s: the body is over 32 MiB, and not changed in parts", m)
		e.Hint = "put another body in its place with --body @FILE"
	case len(req.Body.Bytes) == 0:
		e.Text = fmt.Sprintf("%s: there is no body", m)
	case compressed(req.Headers):
		e.Text = fmt.Sprintf("%s: the body is compressed (Content-Encoding: %s)", m, req.Headers.Get("Content-Encoding"))
		e.Hint = "put another body in its place with --body @FILE"
	default:
		e.Text = fmt.Sprintf("%s: the body is %v", m, syntax)
		e.Hint = "put another body in its place with --body @FILE"
	}
	return e
}

func compressed(h http.Header) bool {
	coding := h.Get("Content-Encoding")
	return coding != "" && !strings.EqualFold(coding, "identity")
}
