package verify

import (
	"fmt"
	"net/http"
	"strings"
)

// renamed looks for headers that something on the way renamed: with another
// word before the name, or other signs between its words.
func (e *examination) renamed() (Diagnosis, bool) {
	m := e.m
	var was, is []string
	for _, key := range e.d.headerKeys() {
		if len(e.m.Header[key]) > 0 {
			continue
		}
		for _, name := range sortedKeys(e.m.Header) {
			if values := e.m.Header[name]; len(values) == 1 && strings.HasSuffix(onlyWords(name), onlyWords(key)) {
				m.Header = maybeHeader(m.Header, key, values[0])
				was, is = append(was, key), append(is, quote(name))
				break
			}
		}
	}
	if len(was) == 0 || !e.fits(e.d, m, e.keys) {
		return Diagnosis{}, false
	}
	if len(was) == 1 {
		return Diagnosis{fmt.Sprintf("the signature is right if the header %s is %s", is[0], was[0]), fmt.Sprintf("%s sends it as %s: something on the way renamed it", e.d.name, was[0])}, true
	}
	return Diagnosis{fmt.Sprintf("the signature is right if the headers %s are %s", strings.Join(is, ", "), strings.Join(was, ", ")), "something on the way renamed them: have it leave their names"}, true
}

// headerKeys gives the canonical names of the headers that the scheme reads.
func (d *declared) headerKeys() []string {
	var keys []string
	if d.signature.in == inHeader {
		keys = append(keys, d.signature.key)
	}
	if d.stamp != nil && d.stamp.in == inHeader {
		keys = append(keys, d.stamp.key)
	}
	for _, t := range d.payloads() {
		for _, p := range t {
			if p.ref == refHeader {
				keys = append(keys, p.key)
			}
		}
	}
	return keys
}

// onlyWords gives the letters and digits of a header's name.
func onlyWords(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(name))
}

// misplaced looks for the signature in other headers.
func (e *examination) misplaced() (Diagnosis, bool) {
	d := e.d
	if d.signature.in != inHeader || d.kind.isToken() {
		return Diagnosis{}, false
	}
	for _, name := range sortedKeys(e.m.Header) {
		values := e.m.Header[name]
		if name == d.signature.key || len(values) != 1 {
			continue
		}
		m := e.m
		m.Header = maybeHeader(e.m.Header, d.signature.key, values[0])
		if e.fits(d, m, e.keys) {
			return Diagnosis{fmt.Sprintf("the signature is in the header %s", quote(name)), fmt.Sprintf("%s sends it in %s: something on the way renamed it, or another provider sent it", d.name, d.signature.name)}, true
		}
	}
	return Diagnosis{}, false
}

func maybeHeader(h http.Header, name, value string) http.Header {
	h = h.Clone()
	h[name] = []string{value}
	return h
}
