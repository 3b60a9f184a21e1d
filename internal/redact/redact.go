// Package redact takes credentials and personal data out of a recorded
// request, so that it can be shown to others and still be sent to an app. What
// becomes of the signature, which no longer fits, is left to the caller.
//
// # What is replaced
//
// The names of headers, parameters and JSON members tell what they hold, by the
// tables in names.go; patterns find tokens, e-mail addresses and telephone
// numbers in any text. An id or user name that a name gave away is replaced
// wherever else it stands as a word of its own, as in a URL; so is a name of more than
// one word. JSON in strings and
// in form fields is entered. Names, event types, times, signatures, booleans
// and null stay.
//
// A credential becomes zeros, of the same length, so that hex stays hex and
// base64 stays base64; which was which cannot be told any more. Personal data
// becomes other letters and digits of the same shape, the same for the same
// text and key: an id is replaced alike in the URL, in a header and in the body.
// E-mail addresses become those of example.com, IP addresses those of
// 192.0.2.0/24 and 2001:db8::/32.
//
// # What is not
//
// What no name and no pattern gives away, as what people write to each other,
// stays. So do compressed and other binary bodies, in which nothing can be
// seen; the names of JSON members, also if they are ids; and the names of hosts,
// repositories, rooms and shops. In XML and multipart forms only patterns count.
// A string in which something is replaced is spelled anew: \/ becomes /.
package redact

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"devhook/internal/jsonx"
	"devhook/recorder"
	"devhook/verify"
)

// A Redactor replaces what should not be seen. It is safe for concurrent use.
type Redactor struct {
	key      []byte
	personal bool // replaces personal data, too
	hide     func(string) string
	provider verify.Provider // whose webhooks they are; the zero value: not known
}

// New returns a Redactor. With one key, the same text always becomes the same;
// who does not have the key cannot guess what a text was by trying. The secrets
// are replaced wherever they stand.
func New(key []byte, secrets ...verify.Secret) *Redactor {
	return &Redactor{key: bytes.Clone(key), personal: true, hide: verify.Hider(secrets...)}
}

// Credentials returns a Redactor that replaces credentials, the given secrets
// among them wherever they stand, and no personal data.
func Credentials(secrets ...verify.Secret) *Redactor {
	return &Redactor{hide: verify.Hider(secrets...)}
}

// Of returns the Redactor for webhooks of p, which leaves in place what it names
// deliveries by: elsewhere uid and UniqueID are ids of people.
func (r *Redactor) Of(p verify.Provider) *Redactor {
	of := *r
	of.provider = p
	return &of
}

// Request returns req with what should not be seen replaced, and where that
// was, each place once: "header Authorization", "query access_token", "body
// email", "remote". After the first hundred places there is only "more". Size
// and Content-Length follow the body. A body that is in a file (Body.Sum) is
// not read: load it first. What req refers to is not written to.
func (r *Redactor) Request(req recorder.Request) (redacted recorder.Request, changed []string) {
	p := r.pass()
	p.settle(func() { redacted = p.request(req) })
	return redacted, p.changed
}

func (r *Redactor) pass() *pass {
	return &pass{Redactor: r, rules: map[string]rule{}, ids: map[string]bool{}, names: map[string]string{}, parts: map[string][2]string{}, contacts: map[string]bool{}}
}

// settle does what replaces until it comes to know of nothing more: the first time ids and
// names are only collected, and then a name can be that of somebody who can be reached.
func (p *pass) settle(replace func()) {
	for again := 2; ; again-- {
		before := len(p.ids) + len(p.contacts) + len(p.names)
		replace()
		if again == 0 || len(p.ids)+len(p.contacts)+len(p.names) == before {
			return
		}
		p.known, p.reachable, p.changed, p.places = maps.Clone(p.ids), maps.Clone(p.contacts), nil, nil
		p.full = slices.Sorted(maps.Keys(p.names))
	}
}

// A pass is one way through a request.
type pass struct {
	*Redactor
	drop  bool                 // headers that hold credentials are left out
	of    string               // goes before the parts of what is no request
	rules map[string]rule      // of names that were seen, up to maxRules
	ids   map[string]bool      // ids and user names that were seen, up to maxKnown
	known map[string]bool      // those to replace wherever they stand
	kept  []string             // what the delivery is named by
	names map[string]string    // names in full that were seen, up to maxNames, and what stands for them
	parts map[string][2]string // first and last names, by their objects
	full  []string             // those to replace wherever they stand

	contacts  map[string]bool // objects with a member of contactNames, up to maxKnown
	reachable map[string]bool // those whose name is that of a person

	part    string // of the request
	changed []string
	places  map[string]bool
}

const (
	maxRules  = 4096
	maxKnown  = 10_000
	maxNames  = 100 // each is looked for in all texts
	maxPlaces = 100
	maxShown  = 64 // bytes of a name in changed
)

// note adds a place to changed.
func (p *pass) note(name string) {
	if len(name) > maxShown {
		name = name[:maxShown]
	}
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		name = strconv.QuoteToASCII(name)
	}
	place := strings.TrimSpace(p.of + p.part + " " + name)
	switch {
	case p.places[place] || len(p.changed) > maxPlaces:
		return
	case len(p.changed) == maxPlaces:
		place = "more"
	}
	if p.places == nil {
		p.places = map[string]bool{}
	}
	p.places[place] = true
	p.changed = append(p.changed, place)
}

func (p *pass) request(req recorder.Request) recorder.Request {
	if m, err := req.Message(); err == nil { // else it has no name
		p.kept = p.provider.DeliveryParts(m)
	}
	p.part = "URL"
	req.URL = p.url(req.URL)
	p.part = "header"
	req.Headers = p.headers(req.Headers)
	p.part = "remote"
	if remote := p.ips(req.Remote); p.personal && remote != req.Remote {
		p.note("")
		req.Remote = remote
	}
	req.Body.Bytes, req.Size = p.sized(req.Body.Bytes, req.Headers, req.Size)
	return req
}

// sized replaces in a body; its length goes into h, and into its size.
func (p *pass) sized(b []byte, h http.Header, size int64) ([]byte, int64) {
	p.part = "body"
	out := p.body(b, h)
	if hidden := p.hide(string(out)); hidden != string(out) { // also in what is no text
		p.note("secret")
		out = []byte(hidden)
	}
	if h.Get("Content-Length") == strconv.Itoa(len(b)) {
		h.Set("Content-Length", strconv.Itoa(len(out)))
	}
	return out, size + int64(len(out)-len(b))
}

// url replaces in the user, path, query and fragment of a URL. The host stays.
func (p *pass) url(raw string) string {
	raw, fragment, hasFragment := strings.Cut(raw, "#")
	raw, query, hasQuery := strings.Cut(raw, "?")
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		scheme, rest = "", raw
	} else {
		scheme += "://"
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		slash = len(rest)
	}
	host, path := rest[:slash], rest[slash:]
	if at := strings.LastIndexByte(host, '@'); at >= 0 {
		p.note("user")
		host = mask(host[:at]) + host[at:]
	}
	if clean := p.hide(p.text(path, inPath)); clean != path {
		p.note("path")
		path = clean
	}
	out := scheme + host + path
	if hasQuery {
		p.part = "query"
		out += "?" + p.form(query)
	}
	if hasFragment {
		p.part = "URL"
		clean := p.form(fragment)
		out += "#" + clean
	}
	return out
}

func (p *pass) headers(h http.Header) http.Header {
	out := h.Clone()
	for _, name := range sortedNames(out) {
		if p.drop && p.isCredential(name) {
			p.note(name)
			delete(out, name)
			continue
		}
		values := out[name]
		for i, v := range values {
			if clean := p.header(name, v); clean != v {
				p.note(name)
				values[i] = clean
			}
		}
	}
	return out
}

// isCredential reports whether a header is a credential by its name.
func (p *pass) isCredential(name string) bool {
	switch name {
	case "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie":
		return true
	}
	return p.rule(name, "").kind == credential
}

func (p *pass) header(name, v string) string {
	switch name {
	case "Authorization", "Proxy-Authorization":
		return maskScheme(v)
	case "Cookie":
		return maskCookies(v, -1)
	case "Set-Cookie":
		return maskCookies(v, 1)
	case "Host":
		return v
	}
	if p.personal && slices.Contains(ipHeaders, name) {
		return p.ips(v)
	}
	return p.value(p.rule(name, ""), v)
}

// body replaces in a body: what begins as JSON is JSON, as it is to verify.
func (p *pass) body(b []byte, h http.Header) []byte {
	switch kind := jsonx.TopKind(b); {
	case len(b) == 0 || isBinary(b) || h.Get("Content-Encoding") != "" && !utf8.Valid(b):
		return b
	case kind == jsonx.Object || kind == jsonx.Array || kind == jsonx.String:
		if out, err := jsonx.Rewrite(b, p.scalar); err == nil {
			return out
		}
	case strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return []byte(p.form(string(b)))
	}
	out := p.text(string(b), inBody)
	if out == string(b) {
		return b
	}
	p.note("text")
	return []byte(out)
}

// isBinary reports whether b is no text.
func isBinary(b []byte) bool {
	return bytes.IndexByte(b, 0) >= 0 || bytes.HasPrefix(b, []byte{0x1f, 0x8b})
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
	out := p.value(r, text)
	if out == text {
		return nil
	}
	p.note(name)
	return jsonx.AppendQuote(nil, out)
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
		if _, isIP := p.ip(text); isIP {
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

func sortedNames(h http.Header) []string {
	list := make([]string, 0, len(h))
	for name := range h {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
