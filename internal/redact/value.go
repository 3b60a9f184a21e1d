package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"devhook/internal/jsonx"
)

// mailName is a name in JSON that has an @, also where the JSON stands in a string.
var mailName = regexp.MustCompile(`"[^"\\]*@[^"\\]*\\*"\s*:`)

// json replaces in the scalars of a JSON text, and addresses that are names in it.
func (p *pass) json(doc []byte) ([]byte, error) {
	out, err := jsonx.Rewrite(doc, p.scalar)
	if err != nil || !p.personal || bytes.IndexByte(out, '@') < 0 {
		return out, err
	}
	return mailName.ReplaceAllFunc(out, func(name []byte) []byte {
		clean := p.text(string(name), inPath)
		if clean != string(name) {
			p.note("name")
		}
		return []byte(clean)
	}), nil
}

// scalar replaces a scalar of a JSON text; nil if it may stay.
func (p *pass) scalar(path jsonx.Path, raw []byte) []byte {
	kind := jsonx.KindOf(raw)
	name, parent := names(path)
	if contactNames[strings.ToLower(name)] && len(path) <= maxShown && len(p.contacts) < maxKnown {
		p.contacts[holder(path)] = true
	}
	if kind != jsonx.String && kind != jsonx.Number {
		return nil
	}
	r := p.rule(name, parent)
	if kind == jsonx.Number {
		out := p.number(r, string(raw))
		if out == string(raw) {
			return nil
		}
		p.note(name)
		return []byte(out)
	}
	text, _ := jsonx.Unquote(raw)
	if r.kind == 0 && r.plural != 0 {
		r.kind = r.plural
	}
	if strings.EqualFold(name, "name") && len(p.reachable) > 0 && len(path) <= maxShown && p.reachable[holder(path)] {
		r.kind = personal
	}
	if r.kind == personal {
		p.nameParts(path, name, text)
	}
	if r.kind == 0 {
		if packed := p.packed(text); packed != text {
			return jsonx.AppendQuote(nil, packed)
		}
	}
	out := p.value(r, text)
	if out == text {
		return nil
	}
	p.note(name)
	return jsonx.AppendQuote(nil, out)
}

// packed replaces in JSON that is in base64, as Google's Pub/Sub has what Gmail tells.
func (p *pass) packed(text string) string {
	if len(text) < 12 || text[0] != 'e' && text[0] != 'W' { // as { and [ begin
		return text
	}
	plain, err := base64.StdEncoding.DecodeString(text)
	if kind := jsonx.TopKind(plain); err != nil || kind != jsonx.Object && kind != jsonx.Array {
		return text
	}
	clean, err := p.json(plain)
	if hidden := p.hide(string(clean)); err == nil && hidden != string(plain) {
		return base64.StdEncoding.EncodeToString([]byte(hidden))
	}
	return text
}

// holder names the object that the value at path is in.
func holder(path jsonx.Path) string { return strings.Join(path[:max(0, len(path)-1)], "\x00") }

// names gives the name of the value at path and that of what it stands in;
// indexes are none, and a member "value" has the name of what it stands in.
func names(path jsonx.Path) (name, parent string) {
	var found [3]string
	n := 0
	for i := len(path) - 1; i >= max(0, len(path)-6) && n < len(found); i-- {
		if strings.Trim(path[i], "0123456789") != "" {
			found[n] = path[i]
			n++
		}
	}
	if strings.EqualFold(found[0], "value") && n > 1 {
		return found[1], found[2]
	}
	return found[0], found[1]
}

// form replaces in a query or form: pairs joined by &.
func (p *pass) form(s string) string {
	pairs := strings.Split(s, "&")
	reachable := slices.ContainsFunc(pairs, func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return contactNames[strings.ToLower(name)]
	})
	for i, pair := range pairs {
		name, v, ok := strings.Cut(pair, "=")
		if !ok {
			if clean := p.text(pair, inPath); clean != pair {
				p.note("text")
				pairs[i] = clean
			}
			continue
		}
		plainName, err1 := url.QueryUnescape(name)
		plain, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil {
			plainName, plain = name, v
		}
		own, parent := names(strings.FieldsFunc(plainName, func(r rune) bool { return r == '[' || r == ']' || r == '.' }))
		r := p.rule(own, parent)
		if reachable && strings.EqualFold(plainName, "name") {
			r.kind = personal
		}
		var clean string
		if kind := jsonx.TopKind([]byte(plain)); kind == jsonx.Object || kind == jsonx.Array {
			clean = string(p.body([]byte(plain), nil))
		} else if clean = p.value(r, plain); clean != plain {
			p.note(plainName)
		}
		if clean != plain {
			pairs[i] = name + "=" + url.QueryEscape(clean)
		}
	}
	return strings.Join(pairs, "&")
}

// value replaces in the text of a value with the rule of its name.
func (p *pass) value(r rule, text string) string {
	r.kind = r.kind.of(text)
	switch {
	case text == "":
		return text
	case r.kind == credential:
		return maskScheme(text)
	case r.vague && slices.Contains(p.kept, text):
	case r.kind != 0 && p.personal:
		return p.anyPersonal(r.kind, text)
	case r.fixed:
		return p.text(text, isFixed)
	}
	return p.text(text, inValue)
}

// of is the kind of a value, where that tells whether its name says something.
func (k kind) of(text string) kind {
	switch k {
	case reach:
		hex, wallet := strings.CutPrefix(text, "0x")
		n := len(text)
		isStamp := (n == 10 || n == 13) && text[0] == '1' // from and to may be times
		if n >= 8 && n <= 15 && isAllDigits(text) && !isStamp || wallet && len(hex) == 40 && isHex(hex) {
			return id
		}
		return 0
	case spot:
		if strings.Contains(text, " ") {
			return personal
		}
		return 0
	case link:
		if !strings.Contains(text, "://") {
			return 0
		}
	}
	return k
}

// number replaces a JSON number.
func (p *pass) number(r rule, raw string) string {
	r.kind = r.kind.of(raw)
	mantissa := raw
	if e := strings.IndexAny(raw, "eE"); e >= 0 {
		mantissa = raw[:e]
	}
	switch {
	case r.kind == credential:
		masked := []byte(mask(mantissa))
		if first := strings.IndexAny(mantissa, "123456789"); first == 0 || first == 1 && raw[0] == '-' {
			masked[first] = '1'
		}
		return string(masked) + raw[len(mantissa):]
	case r.vague && slices.Contains(p.kept, raw):
	case r.kind != 0 && p.personal:
		return p.anyPersonal(r.kind, mantissa) + raw[len(mantissa):]
	case p.known[raw] && len(raw) >= 8 && !r.fixed:
		return p.shape(raw)
	}
	return raw
}

// anyPersonal replaces a text that is personal as a whole.
func (p *pass) anyPersonal(k kind, text string) string {
	if k == birth {
		return p.date(text)
	}
	if k == link {
		end := strings.LastIndexByte(text, '/') + 1
		if strings.HasSuffix(text[:end], "://") { // of a host of its own
			return text
		}
		return text[:end] + p.shape(text[end:])
	}
	if isTime(text) {
		return text
	}
	if strings.Trim(text, "0123456789abcdefABCDEF.:, []") == "" && strings.ContainsAny(text, ".:") {
		if clean, isIP := p.ip(text); isIP {
			p.fullName(text, clean)
			return p.ips(text)
		}
		if list := p.ips(text); list != text {
			return list
		}
	}
	if strings.Contains(text, "://") {
		return p.address(text)
	}
	if k == id && len(text) >= 5 && len(text) <= maxShown && isWord(text) && len(p.ids) < maxKnown {
		p.ids[text] = true
	}
	p.fullName(text, "")
	return p.shapeAround(text, p.emails(nil, text))
}

// seed gives the start of the random bytes for a text, the same for any case.
func (p *pass) seed(text string) []byte {
	h := hmac.New(sha256.New, p.key)
	h.Write([]byte(strings.ToLower(text)))
	return h.Sum(nil)
}
