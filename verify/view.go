package verify

import (
	"bytes"
	"slices"

	"devhook/internal/jsonx"
	"devhook/internal/param"
)

// maxMembers is how many members of a JSON body are remembered: 3 MB of them at
// most. It is far above what senders send (a hundred, mostly), because a member
// that comes later is not seen: who could push the marks of a provider behind
// it would not be recognised. All of a body of up to [MaxBody] is looked at.
const maxMembers = 1 << 16

// A view reads a message without judging it: for the name of an event, for
// marks, for challenges. It takes the first of several parameters and the last
// of several members, and passes over the body at most once.
type view struct {
	m       Message
	members []member // of the body, if looked
	form    string   // the body, if it is a form and looked
	looked  bool

	// wanted numbers the only names of members that will be asked for, if it is
	// not nil. Then of members with one name the last is remembered, and numbered
	// has its index in members, plus 1.
	wanted   map[string]int
	numbered []int32

	// What only handshakes may use.
	with map[string]string
	key  []byte // of the first secret that can be used
}

// A member of a JSON body is a name, as what it spells, and a value as it is
// written.
type member struct{ name, value []byte }

func (v *view) look() {
	if v.looked {
		return
	}
	v.looked = true
	body := v.m.Body[:min(len(v.m.Body), MaxBody)]
	if isForm(&v.m) {
		v.form = string(body)
		return
	}
	s := jsonx.NewScanner(body)
	for n := 0; n < maxMembers && s.Next(); n++ {
		name := s.Member.Name[1 : len(s.Member.Name)-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			text, _ := jsonx.Unquote(s.Member.Name)
			name = []byte(text)
		}
		if v.wanted != nil {
			number, ok := v.wanted[string(name)]
			if !ok {
				continue
			}
			if at := v.numbered[number]; at > 0 {
				v.members[at-1].value = s.Member.Value
				continue
			}
			v.numbered[number] = int32(len(v.members) + 1)
		}
		if len(v.members) == cap(v.members) { // append alone would copy long ones five times
			room := max(8, len(v.members))
			if v.wanted != nil {
				room = min(room, len(v.wanted))
			}
			v.members = slices.Grow(v.members, room)
		}
		v.members = append(v.members, member{name, s.Member.Value})
	}
}

// field gives the JSON value at path in the body.
func (v *view) field(path jsonx.Path) (raw []byte, ok bool) {
	v.look()
	if len(v.members) == 0 && jsonx.TopKind(v.m.Body) == jsonx.Array {
		found, err := jsonx.Find(v.m.Body, path)
		return found.Raw, err == nil
	}
	i, ok := v.find(path[0])
	if !ok {
		return nil, false
	}
	raw = v.members[i].value
	if len(path) == 1 {
		return raw, true
	}
	if !mayHold(raw) {
		return nil, false
	}
	found, err := jsonx.Find(raw, path[1:])
	return found.Raw, err == nil
}

// mayHold reports whether there can be members or elements in a JSON value: in a string
// there are if it holds JSON, and most begin as none does.
func mayHold(raw []byte) bool {
	if jsonx.KindOf(raw) != jsonx.String {
		return true
	}
	first := raw[1]
	return first <= ' ' || first >= 0x7F || first == '{' || first == '[' || first == '"' || first == '\\'
}

// find gives the last member with a name.
func (v *view) find(name string) (i int, ok bool) {
	if v.wanted != nil {
		i = int(v.numbered[v.wanted[name]])
		return i - 1, i > 0
	}
	for i := len(v.members) - 1; i >= 0; i-- {
		if string(v.members[i].name) == name {
			return i, true
		}
	}
	return 0, false
}

// read gives what is at a place, by its key, which of a header is its canonical name, or by
// its path, in a form or a JSON body. Nowhere is the method.
func (v *view) read(in placeKind, key string, of jsonx.Path) (text string, ok bool) {
	switch in {
	case inHeader:
		if values := v.m.Header[key]; len(values) > 0 {
			return values[0], true
		}
	case inQuery:
		if v.m.URL != nil {
			value, n := param.Find(v.m.URL.RawQuery, key)
			text, ok = param.Unescape(value)
			return text, ok && n > 0
		}
	case inForm:
		return v.formText(of)
	case inBody:
		raw, found := v.field(of)
		text, ok = jsonx.Text(raw)
		return text, ok && found
	case inPath:
		return path(&v.m), true
	case "":
		return v.m.Method, true
	}
	return "", false
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

// text gives what a part refers to, without its function.
func (v *view) text(p *part) (text string, ok bool) {
	switch p.ref {
	case refMethod:
		return v.m.Method, true
	case refHost:
		return host(&v.m), true
	case refPath:
		return path(&v.m), true
	case refHeader, refParam, refForm, refField:
		return v.read(p.at.in, p.key, p.path)
	case refWith:
		text, ok = v.with[p.text]
		return text, ok && text != ""
	}
	return "", false
}

// first expands the first template whose references are all there, and gives both.
func (v *view) first(templates []template) (text string, of template) {
	for _, t := range templates {
		if text, ok := t.expand(v, maxName, nil); ok && text != "" {
			return text, t
		}
	}
	return "", nil
}

// firstOf expands the first of templates whose references are all in m. They refer to the
// members of its body that names has.
func firstOf(m Message, templates []template, names map[string]int) string {
	v := &view{m: m, wanted: names, numbered: make([]int32, len(names))}
	text, _ := v.first(templates)
	return text
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
