package verify

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// encodings tries other ways to write and to make the signature.
func (e *examination) encodings() (Diagnosis, bool) {
	return firstFound(e.repaired, e.written, e.algorithm, e.construction)
}

// written tries other ways to write the signature.
func (e *examination) written() (Diagnosis, bool) {
	d := e.d
	isText := d.kind.isToken() || d.kind == schemeJWT
	for _, enc := range encodings {
		if !isText && enc != d.encoding && e.changed(func(d *declared) { d.encoding = enc }) {
			return Diagnosis{fmt.Sprintf("matches if the signature is read as %s", enc), fmt.Sprintf("%s writes it in %s: have the sender do the same", d.name, d.encoding)}, true
		}
	}
	for _, prefix := range []string{"", "sha256=", "sha1=", "sha512=", "v1=", "v0=", "HMAC ", "Bearer "} {
		if prefix != d.prefix && d.list == nil && e.changed(func(d *declared) { d.prefix = prefix }) {
			what := fmt.Sprintf("matches, but for %q before the signature", prefix)
			if prefix == "" {
				what = fmt.Sprintf("matches, but %q is missing before the signature", d.prefix)
			}
			return Diagnosis{what, fmt.Sprintf("%s writes it %s", d.name, d.shape())}, true
		}
	}
	if d.list != nil {
		return e.element()
	}
	return Diagnosis{}, false
}

// repaired tries what happens to a header's value.
func (e *examination) repaired() (Diagnosis, bool) {
	d := e.d
	if d.list != nil || d.signature.in != inHeader || len(e.m.Header[d.signature.key]) != 1 {
		return Diagnosis{}, false
	}
	text := e.m.Header[d.signature.key][0]
	plain, _ := url.PathUnescape(text)
	decoded, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, d.prefix))
	unhexed, _ := hex.DecodeString(strings.TrimPrefix(text, d.prefix))
	for _, try := range []struct{ text, what string }{
		{strings.Trim(text, `"'`), "the quotes around the signature are taken away"},
		{strings.TrimSpace(text), "the white space around the signature is taken away"},
		{strings.Trim(text, "=") + "=", `the "=" at the end of the signature is there`},
		{text + "==", `the "==" at the end of the signature is there`},
		{plain, "the signature is unescaped (%2B and the like)"},
		{strings.ReplaceAll(text, " ", "+"), "the spaces in the signature are plus signs"},
		{d.prefix + string(decoded), "the signature is decoded from base64 once more"},
		{d.prefix + string(unhexed), "the signature is decoded from hex once more"},
	} {
		m := e.m
		m.Header = maybeHeader(e.m.Header, d.signature.key, try.text)
		asHex := *d // which is hex in base64, where base64 is due
		asHex.encoding = "hex"
		if try.text != text && (e.fits(d, m, e.keys) || d.encoding == "base64" && e.fits(&asHex, m, e.keys)) {
			return Diagnosis{"matches if " + try.what, fmt.Sprintf("%s writes it %s", d.name, d.shape())}, true
		}
	}
	return Diagnosis{}, false
}

// element tries other names of the signature's element in its list.
func (e *examination) element() (Diagnosis, bool) {
	d := e.d
	if d.list.bare || d.list.element == "" || d.list.keyed != "" {
		return Diagnosis{}, false
	}
	for _, name := range []string{"v1", "s", "v0", "sig", "signature", "sign", "hmac", "h1", "sha256"} {
		list := *d.list
		list.element = name
		if name != d.list.element && e.changed(func(d *declared) { d.list = &list }) {
			return Diagnosis{fmt.Sprintf("matches if the element %s is the signature", name), fmt.Sprintf("%s writes it %s", d.name, d.shape())}, true
		}
	}
	return Diagnosis{}, false
}

// algorithm tries other hashes.
func (e *examination) algorithm() (Diagnosis, bool) {
	d := e.d
	if d.kind != schemeHMAC && d.kind != schemeHash {
		return Diagnosis{}, false
	}
	for _, a := range algorithms {
		if a.name != d.algorithm.name && e.changed(func(d *declared) { d.algorithm, d.form.algorithm = a, a.name }) {
			return Diagnosis{fmt.Sprintf("matches with %s", strings.ToUpper(a.name)), fmt.Sprintf("%s signs with %s: set the sender to it", d.name, strings.ToUpper(d.algorithm.name))}, true
		}
	}
	return Diagnosis{}, false
}

// construction tries hashes for HMACs, and the other way round.
func (e *examination) construction() (Diagnosis, bool) {
	d, other := e.d, *e.d
	switch d.kind {
	case schemeHMAC:
		other.kind, other.form.kind = schemeHash, schemeHash
		for _, payload := range []template{append(template{{ref: refSecret}}, d.payload...), append(slices.Clone(d.payload), part{ref: refSecret})} {
			if other.payload = payload; e.fits(&other, e.m, e.keys) {
				return Diagnosis{"matches as a plain hash of secret and payload, which is no HMAC", "have the sender use HMAC (RFC 2104)"}, true
			}
		}
		if len(d.payload) != 1 || d.payload[0].ref != refBody || d.form.decode != "" || len(e.m.Body) == 0 {
			return Diagnosis{}, false
		}
		other = *e.raw() // whose key is the body
		for _, text := range e.texts() {
			other.payload = template{{text: text, raw: []byte(text)}}
			if e.fits(&other, e.m, e.with(string(e.m.Body))) {
				return Diagnosis{"matches if the body is the key and the secret the message", "the sender has the two arguments of its HMAC the wrong way round"}, true
			}
		}
	case schemeHash:
		other.kind, other.form.kind = schemeHMAC, schemeHMAC
		other.payload = slices.DeleteFunc(slices.Clone(d.payload), func(p part) bool { return p.ref == refSecret })
		if e.fits(&other, e.m, e.keys) {
			return Diagnosis{"matches as an HMAC, which " + d.name + " does not use", fmt.Sprintf("it is %s of %s", d.algorithm.name, d.payloadText())}, true
		}
	}
	return Diagnosis{}, false
}
