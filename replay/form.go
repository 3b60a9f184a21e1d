package replay

import (
	"errors"
	"fmt"
	"mime"
	"slices"
	"strconv"
	"strings"

	"devhook/internal/jsonx"
	"devhook/internal/param"
	"devhook/internal/similar"
	"devhook/recorder"
)

// A form is a body of named fields: a URL-encoded form, or a multipart one. What
// a method changes is one field; all other bytes stay.
type form interface {
	names() []string // of the fields, in order; one may be there several times
	value(i int) string
	put(i int, value string) ([]byte, error)
	add(name, value string) ([]byte, error)
	cut(i int) []byte
}

// formOf returns the body of req as a form. ok is false if it is none. What is
// JSON is JSON, whatever the Content-Type claims, as it is for the verification.
func formOf(req *recorder.Request) (f form, ok bool) {
	body := req.Body.Bytes
	if req.Body.Sum != "" || compressed(req.Headers) {
		return nil, false
	}
	kind, params, _ := mime.ParseMediaType(req.Headers.Get("Content-Type"))
	switch {
	case strings.HasPrefix(kind, "multipart/") && params["boundary"] != "":
		m, err := parseMultipart(body, params["boundary"])
		return m, err == nil
	case kind == "application/x-www-form-urlencoded":
		top := jsonx.TopKind(body)
		return urlForm(body), top != jsonx.Object && top != jsonx.Array || !jsonx.Valid(body)
	}
	return nil, false
}

// A urlForm is a body of application/x-www-form-urlencoded.
type urlForm string

func (u urlForm) fields() []param.Field { return param.Fields(string(u)) }

func (u urlForm) names() []string {
	var all []string
	for _, f := range u.fields() {
		all = append(all, f.Name)
	}
	return all
}

func (u urlForm) value(i int) string {
	f := u.fields()[i]
	text, ok := param.Unescape(string(u[f.Value:f.End]))
	if !ok {
		return string(u[f.Value:f.End])
	}
	return text
}

func (u urlForm) put(i int, value string) ([]byte, error) {
	return []byte(param.Put(string(u), u.fields()[i], value)), nil
}

func (u urlForm) add(name, value string) ([]byte, error) {
	return []byte(param.Add(string(u), name, value)), nil
}

func (u urlForm) cut(i int) []byte { return []byte(param.Cut(string(u), u.fields()[i])) }

// fieldAt finds the field that the path p names in f, and returns the rest of p,
// which leads into JSON that the field holds. Of several fields of a name the
// last counts, as it does in JSON, unless a digit behind it says which. Without
// such a field i is -1, and n is how many of the name there are.
func fieldAt(f form, p jsonx.Path) (i, n int, rest jsonx.Path) {
	var at []int
	for i, name := range f.names() {
		if name == p[0] {
			at = append(at, i)
		}
	}
	n, rest = len(at), p[1:]
	if n == 0 {
		return -1, 0, rest
	}
	if len(rest) > 0 {
		index, err := strconv.Atoi(rest[0])
		if err == nil && index >= 0 && strconv.Itoa(index) == rest[0] && (n > 1 || !holdsJSON(f.value(at[0]))) {
			if index >= n {
				return -1, n, rest[1:]
			}
			return at[index], n, rest[1:]
		}
	}
	return at[n-1], n, rest
}

func holdsJSON(text string) bool {
	kind := jsonx.TopKind([]byte(text))
	return (kind == jsonx.Object || kind == jsonx.Array) && jsonx.Valid([]byte(text))
}

// changeForm returns the body that s makes of f.
func (s set) changeForm(f form) ([]byte, error) {
	i, n, rest := fieldAt(f, s.path)
	if i < 0 {
		asked := n // the place of the next of the name
		if n > 0 {
			asked, _ = strconv.Atoi(s.path[1])
		}
		if !s.create || asked != n {
			return nil, missingField(s, f, s.path)
		}
		value := s.value
		if len(rest) > 0 {
			made, err := jsonx.Create([]byte("{}"), rest, s.json())
			if err != nil {
				return nil, err
			}
			value = string(made)
		}
		return f.add(s.path[0], value)
	}
	value := s.value
	if len(rest) > 0 {
		made, err := s.changeJSON([]byte(f.value(i)), rest)
		if err != nil {
			return nil, inField(s, s.path[0], err)
		}
		value = string(made)
	}
	return f.put(i, value)
}

// changeForm returns f without what u names.
func (u unset) changeForm(f form) ([]byte, error) {
	i, _, rest := fieldAt(f, u.path)
	if i < 0 {
		return nil, missingField(u, f, u.path)
	}
	if len(rest) == 0 {
		return f.cut(i), nil
	}
	less, err := jsonx.Unset([]byte(f.value(i)), rest)
	if err != nil {
		return nil, inField(u, u.path[0], err)
	}
	return f.put(i, string(less))
}

// missingField is the error of a path to a field that is not there.
func missingField(m Mutation, f form, p jsonx.Path) error {
	names := f.names()
	e := &Error{Text: fmt.Sprintf("%s: the form has no field", m), Hint: createHint(m)}
	if len(names) > 0 {
		var near []string
		slices.Sort(names)
		for _, name := range similar.Names(p[0], slices.Compact(names), 3) {
			near = append(near, writePath(jsonx.Path{name}))
		}
		e.Text = fmt.Sprintf("%s: not there (the form has %s)", m, strings.Join(near, ", "))
	}
	if name := strings.Join(p, "."); len(p) > 1 && slices.Contains(names, name) {
		e.Hint = "a dot in a name is written " + writePath(jsonx.Path{name})
	}
	return e
}

// inField is the error of a path that leads into a field and no further.
func inField(m Mutation, name string, err error) error {
	e := &Error{Text: fmt.Sprintf("%s: in the field %s: %v", m, jsonx.Path{name}, err), Err: err}
	if errors.As(err, new(*jsonx.NotFoundError)) {
		e.Hint = createHint(m)
	}
	return e
}
