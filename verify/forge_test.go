package verify

import (
	"bytes"
	"crypto/hmac"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// A forgery is a message that was made from a signed one.
type forgery struct {
	name string
	m    Message
	same bool // only another spelling of the signature, which may be valid
}

// payloadOf gives what the signature of m covers. ok is false if m is not
// readably signed.
func payloadOf(d *declared, m Message, k Keys) (payload []byte, c claim, ok bool) {
	if _, ok := d.read(&m, &c); !ok {
		return nil, c, false
	}
	all := new(collector)
	lacking := d.write(&workbench{hash: all}, d.payload, k.Secrets[0].key(d.form), &m, &c, k.With)
	return all.Bytes(), c, lacking == nil
}

// forgeriesOf makes forgeries of m, which is signed with the first secret of
// k. Some need that secret: they are right in all but one respect.
func forgeriesOf(t testing.TB, d *declared, m Message, k Keys) (all []forgery) {
	t.Helper()
	payload, c, ok := payloadOf(d, m, k)
	if !ok {
		t.Fatalf("not signed: %s", dump(m))
	}
	right := c.texts[0]
	full, _ := d.signature.read(&m, c.fields)
	put := func(name, before, after string) {
		forged := clone(m)
		if err := d.signature.write(&forged, strings.Replace(full, before, after, 1), false); err != nil {
			t.Fatal(err)
		}
		same := before == after
		if before == right {
			same = after == right || d.encoding == encodingHex && strings.EqualFold(after, right) ||
				d.list != nil && strings.Trim(after, " \t") == right
		}
		all = append(all, forgery{name, forged, same})
	}
	signature := func(name, text string) { put(name, right, text) }

	for n := range right {
		signature("truncated", right[:n])
		signature("truncated at the front", right[n+1:])
	}
	swapped := strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, right)
	signature("other case", swapped)
	for _, odd := range []string{"\x00", "\n", "\r\n", " ", "=", "0", "A", "%00", "\u00a0", "\ufeff"} {
		signature("something behind", right+odd)
		signature("something before", odd+right)
		signature("something within", right[:len(right)/2]+odd+right[len(right)/2:])
	}
	signature("NUL for the last", right[:len(right)-1]+"\x00")
	signature("twice in a row", right+right)
	signature("zeros", strings.Repeat("0", len(right)))
	signature("letters", strings.Repeat("A", len(right)))
	signature("full-width digits", strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r - '0' + '０'
		}
		return r
	}, right+"0"))
	signature("prefix within", d.prefix+"x"+right)
	if d.prefix != "" {
		put("no prefix", d.prefix+right, right)
		put("prefix twice", d.prefix+right, d.prefix+d.prefix+right)
		if other := strings.ToUpper(d.prefix); other != d.prefix {
			put("prefix in capitals", d.prefix+right, other+right)
		}
		put("another prefix", d.prefix+right, "md5="+right)
	}
	if d.signature.in == inHeader {
		for _, values := range [][]string{{full, "x"}, {"x", full}, {full, full}, {full, ""}, {}} {
			forged := clone(m)
			forged.Header[d.signature.key] = values
			all = append(all, forgery{"the header twice, or never", forged, false})
		}
	}
	if d.kind.isToken() {
		return all
	}

	// Other algorithms, keys and payloads.
	size := len(right)
	sum := func(name string, raw []byte) {
		text := d.encoding.encode(raw)
		signature(name, text)
		for len(text) < size {
			text += text
		}
		signature(name+", as long as the right one", text[:size])
		for _, e := range encodings {
			if e != d.encoding {
				signature(name+", as "+string(e), e.encode(raw))
			}
		}
	}
	key := k.Secrets[0].key(d.form)
	keys := map[string][]byte{"no key": nil, "the text of the secret": []byte(*k.Secrets[0].kept.text), "its own name": []byte(d.secretName)}
	if d.kind == schemePair {
		delete(keys, "the text of the secret")
		public, err := Provider{ID: d.id, Scheme: d}.PublicKey(k.Secrets[0])
		if err != nil {
			t.Fatal(err)
		}
		keys["the public key"] = []byte(public)
	} else {
		keys["the key"] = key.bytes
	}
	for _, a := range algorithms {
		isRight := a.name == d.algorithm.name
		h := a.new()
		h.Write(payload)
		if d.kind != schemeHash || !isRight {
			sum("a plain hash: "+a.name, h.Sum(nil))
		}
		for what, bytes := range keys {
			isKey := what != "no key" && what != "its own name" && isRight && d.kind == schemeHMAC
			h := hmac.New(a.new, bytes)
			if h.Write(payload); !isKey {
				sum("HMAC with "+what+": "+a.name, h.Sum(nil))
			}
			if len(payload) > 0 {
				sum("HMAC of nothing with "+what+": "+a.name, hmac.New(a.new, bytes).Sum(nil))
			}
		}
		empty := slices.DeleteFunc(slices.Clone(d.payload), func(p part) bool { return p.ref == refBody })
		if len(empty) < len(d.payload) && len(m.Body) > 0 {
			other := *d
			other.payload = empty
			if text, err := other.make(key, d.algorithm, d.encoding, &m, &c, k.With); err == nil {
				signature("signed without the body", text)
			}
		}
	}
	if raw := d.decodeSignature(right); raw != nil {
		for _, e := range encodings {
			if e != d.encoding {
				signature("right, but written as "+string(e), e.encode(raw))
			}
		}
		raw[len(raw)/2] ^= 1
		sum("one bit", raw)
	}
	return all
}

// No forgery is valid: not by truncation, case, prefix, a second header,
// another algorithm or encoding, no key or no body.
func TestForgeriesAreRefused(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		if d.payload.has(refBody, "") && len(d.fields) == 0 && d.signature.in != inForm {
			m.Body = []byte(`{"type":"payment","amount":2000}`)
		}
		sign(t, p, &m, k, someTime)
		want(t, p.Scheme.Verify(m, k, someTime), Valid, "")
		refused := map[string]bool{}
		for _, f := range forgeriesOf(t, d, m, k) {
			v := p.Scheme.Verify(f.m, k, someTime)
			if v.Status == Valid && !f.same {
				t.Errorf("%s: %+v\n%s", f.name, v, dump(f.m))
			}
			refused[f.name] = true
		}
		if len(refused) < 10 {
			t.Errorf("only %d kinds of forgeries", len(refused))
		}
	})
}

// Law: a message that is valid says what was signed. The fuzzer, who has a
// signed message and not the key, changes a piece of it.
func FuzzForge(f *testing.F) {
	type target struct {
		d       *declared
		m       Message
		k       Keys
		payload []byte
		text    string
	}
	var targets []target
	for _, p := range append(Providers(), featureProviders(f)...) {
		d, ok := p.Scheme.(*declared)
		if !ok {
			continue
		}
		r := random()
		m, k := messageFor(d, r), keysFor(d, r, 1)
		if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil {
			f.Fatal(err)
		}
		payload, c, ok := payloadOf(d, m, k)
		if !ok {
			f.Fatalf("%s: not signed", p.ID)
		}
		for part := range byte(4) {
			f.Add(byte(len(targets)), part, uint16(len(targets)), byte(1), []byte("a"))
			f.Add(byte(len(targets)), part, uint16(3), byte(0), []byte("\x00"))
		}
		targets = append(targets, target{d, m, k, payload, c.texts[0]})
	}
	f.Fuzz(func(t *testing.T, which, part byte, at uint16, remove byte, insert []byte) {
		for i := int(which); i < len(targets); i += 256 {
			x := targets[i]
			m := clone(x.m)
			splice := func(s string) string {
				from := int(at) % (len(s) + 1)
				return s[:from] + string(insert) + s[min(from+int(remove), len(s)):]
			}
			switch names := sortedKeys(m.Header); part % 4 {
			case 0:
				m.Body = []byte(splice(string(m.Body)))
			case 1:
				m.URL.RawQuery = splice(m.URL.RawQuery)
			case 2: // the header of the signature, if it is in one
				if values := m.Header[x.d.signature.key]; len(values) > 0 {
					values[0] = splice(values[0])
				}
			case 3:
				values := m.Header[names[int(at)%len(names)]]
				values[0] = splice(values[0])
			}
			if v := x.d.Verify(m, x.k, someTime); v.Status != Valid {
				continue
			}
			payload, c, ok := payloadOf(x.d, m, x.k)
			if !ok || !bytes.Equal(payload, x.payload) || x.d.kind.isToken() && c.texts[0] != x.text {
				t.Errorf("%s: valid, but it says %q, and what was signed is %q\n%s\nwas\n%s", x.d.id, payload, x.payload, dump(m), dump(x.m))
			}
		}
	})
}

// addForgeries gives a fuzzer of messages, who does not have the key, what a
// forger would begin with.
func addForgeries(f *testing.F, which byte, d *declared) {
	r := random()
	m, k := messageFor(d, r), keysFor(d, r, 1)
	if len(m.Body) > 1000 {
		m.Body = m.Body[:1000]
	}
	if len(d.fields) > 0 || d.Sign(&m, k, SignOptions{}, someTime) != nil {
		m = Message{Method: "POST", URL: &url.URL{}, Header: http.Header{}, Body: []byte(`{"a":1}`)}
		if d.Sign(&m, k, SignOptions{}, someTime) != nil {
			return
		}
	}
	seen := map[string]bool{}
	for _, forged := range forgeriesOf(f, d, m, k) {
		if !seen[forged.name] && !strings.Contains(forged.name, ", as ") {
			seen[forged.name] = true
			f.Add(which, forged.m.URL.RawQuery, headerText(forged.m.Header), forged.m.Body, someTime.Unix())
		}
	}
}
