package verify

import (
	"devhook/internal/jsonx"
	"devhook/internal/param"
)

// maxLook is how many bytes of a body are looked at for the name of an event,
// a delivery id, a challenge or the marks of a provider. What is longer is
// data: senders put what names a webhook in the first kilobytes, or keep the
// body small.
const maxLook = 1 << 20

// maxMembers is how many members of a JSON body are looked at.
const maxMembers = 256

// A view reads a message without judging it: for the name of an event, for
// marks, for challenges. It takes the first of several values, and passes over
// the body at most once.
type view struct {
	m       *Message
	members []jsonx.Member // of the body, if looked
	form    string         // the body, if it is a form and looked
	looked  bool
}

func (v *view) look() {
	if v.looked {
		return
	}
	v.looked = true
	body := v.m.Body[:min(len(v.m.Body), maxLook)]
	if isForm(v.m) {
		v.form = string(body)
		return
	}
	for member, err := range jsonx.Members(body) {
		if err != nil || len(v.members) == maxMembers {
			return
		}
		v.members = append(v.members, member)
	}
}

// field gives the JSON value at path in the body.
func (v *view) field(path jsonx.Path) (raw []byte, ok bool) {
	v.look()
	for i := len(v.members) - 1; i >= 0; i-- {
		if !v.members[i].Is(path[0]) {
			continue
		}
		raw = v.members[i].Value
		if len(path) == 1 {
			return raw, true
		}
		found, err := jsonx.Find(raw, path[1:])
		return found.Raw, err == nil
	}
	return nil, false
}

// formText gives the form field that path begins with, or what the rest of path
// names in the JSON that it holds.
func (v *view) formText(path jsonx.Path) (text string, ok bool) {
	v.look()
	value, n := param.Find(v.form, path[0])
	if n == 0 {
		return "", false
	}
	text, ok = param.Unescape(value)
	if !ok || len(path) == 1 {
		return text, ok
	}
	found, err := jsonx.Find([]byte(text), path[1:])
	if err != nil {
		return "", false
	}
	return jsonx.Text(found.Raw)
}

// param gives a query parameter.
func (v *view) param(name string) (text string, ok bool) {
	if v.m.URL == nil {
		return "", false
	}
	value, n := param.Find(v.m.URL.RawQuery, name)
	if n == 0 {
		return "", false
	}
	return param.Unescape(value)
}

// header gives a header by its canonical name.
func (v *view) header(name string) (text string, ok bool) {
	if values := v.m.Header[name]; len(values) > 0 {
		return values[0], true
	}
	return "", false
}

// text gives what a part refers to, without its function.
func (v *view) text(p part) (text string, ok bool) {
	switch p.ref {
	case refMethod:
		return v.m.Method, true
	case refHost:
		return host(v.m), true
	case refPath:
		return path(v.m), true
	case refHeader:
		return v.header(p.key)
	case refParam:
		return v.param(p.text)
	case refForm:
		return v.formText(p.path)
	case refField:
		raw, ok := v.field(p.path)
		if !ok {
			return "", false
		}
		return jsonx.Text(raw)
	}
	return "", false
}

// first expands the first template whose references are all there.
func (v *view) first(templates []template) string {
	for _, t := range templates {
		if text, ok := t.expand(v, maxName, nil); ok && text != "" {
			return text
		}
	}
	return ""
}

// host gives the host that the sender addressed.
func host(m *Message) string {
	if values := m.Header["Host"]; len(values) > 0 {
		return values[0]
	}
	if m.URL == nil {
		return ""
	}
	return m.URL.Host
}

// path gives the path of the URL as it was sent.
func path(m *Message) string {
	if m.URL == nil {
		return ""
	}
	return m.URL.EscapedPath()
}
