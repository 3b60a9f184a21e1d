package verify

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"unicode/utf8"
)

const onTheWay = "something on the way changed the bytes: hand on the raw body, and not one that was parsed or trimmed"

// maxRewritten is the largest body in bytes of which two changes at once are
// tried.
const maxRewritten = 64 << 10

// A rewriting is what a proxy, framework or person does to a body.
type rewriting struct {
	what string                // what would make the signature right
	do   func(b []byte) []byte // nil if it cannot be done; does not change b
}

// The rewritings of any body.
var rewritings = []rewriting{
	{"the body's trailing newline is removed", func(b []byte) []byte { return bytes.TrimSuffix(b, []byte("\n")) }},
	{"the body's trailing line break (CRLF) is removed", func(b []byte) []byte { return bytes.TrimSuffix(b, []byte("\r\n")) }},
	{"a newline is put at the end of the body", func(b []byte) []byte { return append(bytes.Clone(b), '\n') }},
	{"a line break (CRLF) is put at the end of the body", func(b []byte) []byte { return append(bytes.Clone(b), "\r\n"...) }},
	{"white space around the body is removed", bytes.TrimSpace},
	{"the body's line breaks are LF and not CRLF", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) }},
	{"the body's line breaks are CRLF and not LF", func(b []byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	}},
	{"the byte order mark before the body is removed", func(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\ufeff")) }},
	{"a byte order mark is put before the body", func(b []byte) []byte { return append([]byte("\ufeff"), b...) }},
	{"the body is in Latin-1 and not in UTF-8", latin1},
	{"the body is in UTF-8 and not in Latin-1", fromLatin1},
	{"the body is decompressed", decompressed},
	{"the body is not a JSON string that holds the JSON", unquotedBody},
	{"the body is a JSON string that holds the JSON", quotedBody},
	{"the body is decoded from base64", unbase64},
	{"the body is empty", func([]byte) []byte { return []byte{} }},
}

// bodies tries what proxies, frameworks and people do to bodies.
func (e *examination) bodies() (Diagnosis, bool) {
	b := e.m.Body
	if !e.coversBody() {
		return Diagnosis{}, false
	}
	d, ok := e.rewritten(b, "", slices.Concat(rewritings, orders(b), formRewritings), nil)
	if ok || !json.Valid(b) {
		return d, ok
	}
	if d, ok = e.rewritten(b, "", slices.Concat(layouts, spellings), nil); ok || len(b) > maxRewritten {
		return d, ok
	}
	if d, ok = e.rewritten(b, "", layouts, spellings); ok {
		return d, true
	}
	return e.shortNumbers()
}

// coversBody reports whether the signature says anything of the body.
func (e *examination) coversBody() bool {
	of := func(t template) bool {
		return slices.ContainsFunc(t, func(p part) bool {
			return slices.Contains([]refKind{refBody, refDecoded, refForms, refForm, refField, refCode, refSorted}, p.ref)
		})
	}
	return slices.ContainsFunc(e.d.payloads(), of) || e.d.bodyDigest != nil || e.d.token != nil
}

// rewritten tries each of the rewritings or, where then is given, each and one of
// those behind it. before is what was done already.
func (e *examination) rewritten(b []byte, before string, all, then []rewriting) (Diagnosis, bool) {
	for _, r := range all {
		body := r.do(b)
		if body == nil || bytes.Equal(body, b) {
			continue
		}
		what := before + r.what
		if then != nil {
			if d, ok := e.rewritten(body, what+", and ", then, nil); ok {
				return d, true
			}
			continue
		}
		m := e.m
		m.Body = body
		if e.fits(e.d, m, e.keys) {
			return Diagnosis{"matches if " + what, onTheWay}, true
		}
	}
	return Diagnosis{}, false
}

// What is done to bodies. Each gives nil if it cannot be done.

func latin1(b []byte) []byte {
	var out []byte
	for _, r := range string(b) {
		if r > 0xFF {
			return nil
		}
		out = append(out, byte(r))
	}
	return out
}

func fromLatin1(b []byte) []byte {
	if utf8.Valid(b) {
		return nil
	}
	var out []byte
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

func unquotedBody(b []byte) []byte {
	var text string
	if json.Unmarshal(b, &text) != nil {
		return nil
	}
	return []byte(text)
}

func quotedBody(b []byte) []byte {
	if !json.Valid(b) {
		return nil
	}
	return written(string(b))
}

// written gives v in JSON as most serialisers write it, nil if it cannot be.
func written(v any) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func unbase64(b []byte) []byte {
	out, err := base64.StdEncoding.DecodeString(string(b))
	if err != nil || len(out) == 0 {
		return nil
	}
	return out
}

// decompressed undoes gzip, up to the size that is diagnosed.
func decompressed(b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(z, maxDiagnosed+1))
	if err != nil || len(out) > maxDiagnosed {
		return nil
	}
	return out
}
