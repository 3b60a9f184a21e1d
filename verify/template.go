package verify

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"iter"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"devhook/internal/jsonx"
)

// A template is text with references to parts of a message, as in
// "v0:{ts}:{body}". The file providers/README.md describes it.
type template []part

// A part of a template is a reference, or literal text.
type part struct {
	ref  refKind
	text string     // the literal, or what stands after the dot of the reference
	key  string     // text, canonical if it is the name of a header
	raw  []byte     // the literal again
	path jsonx.Path // of text, where it is a path
	call string     // the function around the reference, "" for none
	at   place      // what it refers to, if that is a place

	parts    template // of refSorted: what is sorted
	optional bool     // it may be missing, and is then nothing
}

// A refKind is what a reference refers to.
type refKind string

const (
	refLiteral refKind = "" // no reference
	refBody    refKind = "body"
	refTime    refKind = "ts"
	refMethod  refKind = "method"
	refURL     refKind = "url"
	refHost    refKind = "host"
	refPath    refKind = "path"
	refQuery   refKind = "query"
	refSecret  refKind = "secret"
	refSig     refKind = "sig."
	refHeader  refKind = "header."
	refParam   refKind = "query."
	refForm    refKind = "form."
	refField   refKind = "body."
	refWith    refKind = "with."

	refForms   refKind = "sorted_form"
	refSorted  refKind = "sorted" // a function of several references
	refHeaders refKind = "signed_headers"
	refDecoded refKind = "decoded_body"
	refCode    refKind = "code."
)

// What templates for different ends may refer to.
var (
	payloadRefs = []refKind{refBody, refTime, refMethod, refURL, refHost, refPath, refQuery, refSecret, refSig, refHeader, refParam, refForm, refField, refWith, refForms, refHeaders, refDecoded, refCode}
	messageRefs = []refKind{refMethod, refHost, refPath, refHeader, refParam, refForm, refField}
	answerRefs  = append(slices.Clone(messageRefs), refWith, refKeyed)
)

// refKeyed is no reference: it allows functions that need the secret.
const refKeyed refKind = "keyed"

// keyedFunctions are what an answer to a handshake can do to a value with the
// secret.
var keyedFunctions = map[string]func(key, b []byte) string{
	"hmac_sha256_hex":    func(key, b []byte) string { return hex.EncodeToString(hmacOf(sha256.New, key, b)) },
	"hmac_sha1_hex":      func(key, b []byte) string { return hex.EncodeToString(hmacOf(sha1.New, key, b)) },
	"hmac_sha256_base64": func(key, b []byte) string { return base64.StdEncoding.EncodeToString(hmacOf(sha256.New, key, b)) },
}

func hmacOf(hash func() hash.Hash, key, b []byte) []byte {
	h := hmac.New(hash, key)
	h.Write(b)
	return h.Sum(nil)
}

// functions are what a template can do to a value.
var functions = map[string]func(b []byte) string{
	"sha256hex": func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) },
	"sha512hex": func(b []byte) string { s := sha512.Sum512(b); return hex.EncodeToString(s[:]) },
	"sha1hex":   func(b []byte) string { s := sha1.Sum(b); return hex.EncodeToString(s[:]) },
	"md5hex":    func(b []byte) string { s := md5.Sum(b); return hex.EncodeToString(s[:]) },
	"crc32":     func(b []byte) string { return strconv.FormatUint(uint64(crc32.ChecksumIEEE(b)), 10) },
	"base64":    base64.StdEncoding.EncodeToString,
	"lower":     func(b []byte) string { return strings.ToLower(string(b)) },
	"json":      quoteJSON,

	"with_port":    func(b []byte) string { return withPort(string(b)) },
	"without_port": func(b []byte) string { return withoutPort(string(b)) },
}

// parseTemplate reads text, whose references must be among allowed. '{' opens a
// reference if a small letter follows, and else stands for itself; "{{" is a
// '{' whatever follows.
func parseTemplate(text string, allowed []refKind) (template, error) {
	var t template
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			t = append(t, part{text: literal.String(), raw: []byte(literal.String())})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '{' {
			literal.WriteByte(text[i])
			continue
		}
		if i+1 < len(text) && text[i+1] == '{' {
			literal.WriteByte('{')
			i++
			continue
		}
		if i+1 >= len(text) || text[i+1] < 'a' || text[i+1] > 'z' {
			literal.WriteByte('{')
			continue
		}
		end := strings.IndexByte(text[i:], '}')
		if end < 0 {
			return nil, fmt.Errorf("%q is not closed with }", short(text[i:]))
		}
		p, err := parsePart(text[i+1:i+end], allowed)
		if err != nil {
			return nil, err
		}
		flush()
		t = append(t, p)
		i += end
	}
	flush()
	return t, nil
}

// parsePart reads a reference without its braces.
func parsePart(text string, allowed []refKind) (part, error) {
	var p part
	if inner, ok := strings.CutPrefix(text, "sorted("); ok && slices.Contains(allowed, refSecret) {
		return parseSorted(inner, allowed)
	}
	inner := text
	if name, rest, ok := strings.Cut(text, "("); ok && strings.HasSuffix(rest, ")") {
		keyed := keyedFunctions[name] != nil && slices.Contains(allowed, refKeyed)
		if functions[name] == nil && !keyed && !(name == callLine && isLine(rest) && slices.Contains(allowed, refBody)) {
			return p, unknown("function", name, sortedKeys(functions))
		}
		p.call, inner = name, strings.TrimSuffix(rest, ")")
	}
	kind, rest, hasRest := strings.Cut(inner, ".")
	p.ref, p.text, p.key = refKind(kind), rest, rest
	if hasRest {
		p.ref += "."
	}
	if !slices.Contains(allowed, p.ref) {
		return p, fmt.Errorf("%q is not known here (known: %s)", "{"+short(inner)+"}", refNames(allowed))
	}
	if !hasRest {
		return p, nil
	}
	if name, ok := strings.CutSuffix(rest, "?"); ok && slices.Contains(allowed, refBody) {
		switch p.ref {
		case refHeader, refParam, refForm, refField, refSig:
			rest, p.text, p.key, p.optional = name, name, name, true
		}
	}
	if rest == "" {
		return p, fmt.Errorf("{%s} lacks a name", inner)
	}
	switch p.ref {
	case refHeader:
		p.key = textproto.CanonicalMIMEHeaderKey(rest)
		p.at = place{in: inHeader, name: rest, key: p.key}
	case refParam:
		p.at = place{in: inQuery, name: rest}
	case refField, refForm:
		path, err := jsonx.ParsePath(rest)
		if err != nil {
			return p, err
		}
		p.path = path
		if p.at = (place{in: inBody, name: rest, path: path}); p.ref == refForm {
			p.at = place{in: inForm, name: path[0]}
		}
	case refCode:
		if codes[rest].text == nil {
			return p, unknown("code", rest, sortedKeys(codes))
		}
	}
	return p, nil
}

// refNames lists references as templates write them.
func refNames(refs []refKind) string {
	var names []string
	for _, ref := range refs {
		name := string(ref)
		if strings.HasSuffix(name, ".") {
			name += "NAME"
		}
		if ref != refKeyed {
			names = append(names, "{"+name+"}")
		}
	}
	return strings.Join(names, ", ")
}

// parseSorted reads what stands in {sorted(a,b,c)}, after its bracket.
func parseSorted(text string, allowed []refKind) (part, error) {
	p := part{ref: refSorted}
	inner, ok := strings.CutSuffix(text, ")")
	if !ok || strings.ContainsAny(inner, "()") {
		return p, fmt.Errorf("%q is no list of references", short("sorted("+text))
	}
	for item := range strings.SplitSeq(inner, ",") {
		one, err := parsePart(strings.TrimSpace(item), allowed)
		if err != nil {
			return p, err
		}
		if one.ref == refBody || one.ref == refDecoded || len(p.parts) == maxSorted {
			return p, fmt.Errorf("sorted takes up to %d short texts", maxSorted)
		}
		p.parts = append(p.parts, one)
	}
	return p, nil
}

// maxSorted bounds how many texts are sorted.
const maxSorted = 16

// flat yields the references in t, in place of a sorted one those in it.
func (t template) flat() iter.Seq[*part] {
	return func(yield func(*part) bool) {
		for i := range t {
			p := &t[i]
			if p.ref != refSorted {
				if !yield(p) {
					return
				}
				continue
			}
			for j := range p.parts {
				if !yield(&p.parts[j]) {
					return
				}
			}
		}
	}
}

// String returns the reference as templates write it.
func (p part) String() string {
	text := string(p.ref) + p.text
	switch {
	case p.ref == refLiteral:
		return p.text
	case p.ref == refSorted:
		var names []string
		for _, inner := range p.parts {
			names = append(names, strings.Trim(inner.String(), "{}"))
		}
		return "{sorted(" + strings.Join(names, ",") + ")}"
	case p.optional:
		text += "?"
	}
	if p.call != "" {
		text = p.call + "(" + text + ")"
	}
	return "{" + text + "}"
}

// String returns t as it is written.
func (t template) String() string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.String())
	}
	return b.String()
}

// has reports whether t refers to ref, and to the key if that is not "".
func (t template) has(ref refKind, key string) bool {
	for p := range t.flat() {
		if p.ref == ref && (key == "" || p.key == key) || p.ref == refCode && key == "" && slices.Contains(codes[p.key].reads, ref) {
			return true
		}
	}
	return false
}

// memberNames numbers the names of the members of a JSON body that templates refer to.
func memberNames(templates []template) map[string]int {
	names := map[string]int{}
	for _, t := range templates {
		for p := range t.flat() {
			if p.ref != refField {
				continue
			}
			if _, has := names[p.path[0]]; !has {
				names[p.path[0]] = len(names)
			}
		}
	}
	return names
}

// limits of what the outside may put into an event name, an id or an answer
const (
	maxName = 200  // bytes of an event name or delivery id
	maxEcho = 4096 // bytes of an answer that holds a challenge
)

// expand gives t with all references replaced by what v holds. It reports
// false if one is missing or the text would be longer than limit bytes. quote
// is applied to what is put in.
func (t template) expand(v *view, limit int, quote func(string) string) (text string, ok bool) {
	var b strings.Builder
	for i := range t {
		p := &t[i]
		s := p.text
		if p.ref != refLiteral {
			if s, ok = v.text(p); !ok {
				return "", false
			}
			switch keyed := keyedFunctions[p.call]; {
			case keyed != nil && v.key == nil:
				return "", false
			case keyed != nil:
				s = keyed(v.key, []byte(s))
			case p.call != "":
				s = functions[p.call]([]byte(s))
			}
			if len(s) > limit || !isPlain(s) {
				return "", false
			}
			if quote != nil {
				s = quote(s)
			}
		}
		if b.Len()+len(s) > limit {
			return "", false
		}
		b.WriteString(s)
	}
	return b.String(), true
}
