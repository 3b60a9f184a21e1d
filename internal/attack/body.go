package attack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"devhook/internal/jsonx"
	"devhook/internal/param"
)

const noObject = skip("its body is no JSON object")

// isSignature reports whether the value at p in a JSON body is the signature.
func (a *Attack) isSignature(p jsonx.Path) bool {
	return slices.ContainsFunc(a.places, func(s place) bool { return s.where == "body" && slices.Equal(s.path, p) })
}

// flipped returns body with one letter another, in a string where it is JSON, so
// that it stays JSON.
func (a *Attack) flipped(body []byte) ([]byte, error) {
	var last jsonx.Path
	find := func(p jsonx.Path, raw []byte) []byte {
		if i := plainLetter(raw); i > 0 && !a.isSignature(p) {
			last = slices.Clone(p)
		}
		return nil
	}
	if _, err := jsonx.Rewrite(body, find); err != nil || last == nil {
		i := bytes.LastIndexFunc(body, func(r rune) bool { return r < 0x80 && isLetter(byte(r)) })
		if i < 0 {
			return nil, skip("there is no letter in its body")
		}
		changed := slices.Clone(body)
		changed[i] = other(changed[i])
		return changed, nil
	}
	return jsonx.Rewrite(body, func(p jsonx.Path, raw []byte) []byte {
		if !slices.Equal(p, last) {
			return nil
		}
		raw = slices.Clone(raw)
		i := plainLetter(raw)
		raw[i] = other(raw[i])
		return raw
	})
}

// plainLetter returns where in the JSON string raw a letter is that is no part
// of an escape, -1 if there is none.
func plainLetter(raw []byte) int {
	if len(raw) < 4 || raw[0] != '"' || bytes.IndexByte(raw, '\\') >= 0 {
		return -1
	}
	return bytes.LastIndexFunc(raw, func(r rune) bool { return r < 0x80 && isLetter(byte(r)) })
}

// other returns another letter of the same case.
func other(c byte) byte {
	if c|0x20 == 'a' {
		return c + 1
	}
	return c - 1
}

// spaced returns the JSON body with other white space than anything writes by
// itself.
func spaced(body []byte) ([]byte, error) {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "   ") != nil {
		return nil, skip("its body is no JSON")
	}
	return b.Bytes(), nil
}

func compact(body []byte) ([]byte, error) {
	var b bytes.Buffer
	if json.Compact(&b, body) != nil {
		return nil, skip("its body is no JSON")
	}
	return b.Bytes(), nil
}

// written returns body as languages write it that know ASCII only: with a gap behind
// commas and colons, and slashes spelled so. Where all that is right is refused, an app
// that signs what it has parsed gives itself away by what it takes.
func written(body []byte, gap, slash string) ([]byte, error) {
	text, err := compact(body)
	if err != nil {
		return nil, err
	}
	var b []byte
	quoted := false
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		switch c := text[i]; {
		case n > 1 && r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		case n > 1:
			b = fmt.Appendf(b, `\u%04x`, r)
		case c == '/':
			b = append(b, slash...)
		case c == '\\' && text[i+1] == '/':
			b, n = append(b, slash...), 2
		case c == '\\':
			b, n = append(b, text[i:i+2]...), 2
		case !quoted && (c == ',' || c == ':'):
			b = append(append(b, c), gap...)
		default:
			quoted = quoted != (c == '"')
			b = append(b, c)
		}
		i += n
	}
	return b, nil
}

// asMap returns body with the members of each object in the order of their names.
func asMap(body []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, skip("its body is no JSON")
	}
	return json.Marshal(v)
}

// reordered returns body with its members in the opposite order.
func reordered(body []byte) ([]byte, error) {
	list, err := membersOf(body, func(m jsonx.Member) []byte { return m.Value })
	slices.Reverse(list)
	return object(list), err
}

// escaped returns body with a letter of each string as \u00XX.
func (a *Attack) escaped(body []byte) ([]byte, error) {
	body, err := jsonx.Rewrite(body, func(p jsonx.Path, raw []byte) []byte {
		i := plainLetter(raw)
		if i < 0 || a.isSignature(p) {
			return nil
		}
		return fmt.Appendf(nil, `%s\u%04x%s`, raw[:i], raw[i], raw[i+1:])
	})
	if err != nil {
		return nil, skip("its body is no JSON")
	}
	return body, nil
}

// added returns body with a further field.
func added(body []byte, name, raw string) ([]byte, error) {
	switch {
	case jsonx.Valid(body) && jsonx.TopKind(body) == jsonx.Object:
		return jsonx.Create(body, jsonx.Path{name}, []byte(raw))
	case jsonx.Valid(body) || len(body) == 0:
		return nil, noObject
	}
	text, ok := jsonx.Unquote([]byte(raw))
	if !ok {
		text = raw
	}
	return []byte(param.Set(string(body), name, text)), nil
}

// members returns body with what f makes of the value of each member, but for
// the one that the name of the event is in, and the signature. What f makes nil of
// is left out.
func (a *Attack) members(body []byte, f func(value []byte) []byte) ([]byte, error) {
	list, err := membersOf(body, func(m jsonx.Member) []byte {
		if a.needed(m) {
			return m.Value
		}
		return f(m.Value)
	})
	return object(list), err
}

// membersOf gives the members of body with other values, without those whose value is nil.
func membersOf(body []byte, value func(jsonx.Member) []byte) (list []string, err error) {
	if jsonx.TopKind(body) != jsonx.Object || !jsonx.Valid(body) {
		return nil, noObject
	}
	for s := jsonx.NewScanner(body); s.Next(); {
		if v := value(s.Member); v != nil {
			list = append(list, string(s.Member.Name)+":"+string(v))
		}
	}
	return list, nil
}

func object(members []string) []byte { return []byte("{" + strings.Join(members, ",") + "}") }

func (a *Attack) needed(m jsonx.Member) bool {
	if a.event.where == "body" && m.Is(a.event.path[0]) {
		return true
	}
	return slices.ContainsFunc(a.places, func(p place) bool { return p.where == "body" && m.Is(p.path[0]) })
}
