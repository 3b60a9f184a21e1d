package verify

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// fuzzed makes a message of what a sender controls: a query, header lines and a
// body.
func fuzzed(query, header string, body []byte) Message {
	m := Message{Method: "POST", URL: &url.URL{Scheme: "https", Host: "x.example", Path: "/in", RawQuery: query}, Header: http.Header{}, Body: body}
	for line := range strings.SplitSeq(header, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok && headerForm.MatchString(name) {
			m.Header.Add(name, value)
		}
	}
	return m
}

func headerText(h http.Header) string {
	var b strings.Builder
	for name, values := range h {
		for _, v := range values {
			b.WriteString(name + ": " + v + "\n")
		}
	}
	return b.String()
}

// Laws: no message makes a provider panic or takes it long; none that was made
// without the key is valid; and what Sign makes of any message is valid.
func FuzzVerify(f *testing.F) {
	ps := Providers()
	shapes := map[string]bool{}
	for i, p := range ps {
		for _, v := range vectors(f, p.ID) {
			m := v.message(f)
			f.Add(byte(i), m.URL.RawQuery, headerText(m.Header), m.Body, v.Now)
		}
		d := p.Scheme.(*declared)
		if shape := fmt.Sprint(d.kind, d.algorithm.name, d.encoding, d.signature.in, d.list != nil); !shapes[shape] {
			shapes[shape] = true // one of each is enough to begin with
			addForgeries(f, byte(i), d)
		}
	}
	keys := make([]Keys, len(ps))
	private := map[string]string{} // that no message of the corpus is signed with
	for i, p := range ps {
		d := p.Scheme.(*declared)
		secret := d.form.strip + secretText(d.form.decode, "nobody knows this key, not even the fuzzer")
		switch {
		case d.form.kind == schemePair:
			if private[d.form.algorithm] == "" {
				private[d.form.algorithm] = newPrivateKey(d.form.algorithm)
			}
			secret = private[d.form.algorithm]
		case d.kind == schemeBasic:
			secret = "nobody:" + secret
		}
		keys[i] = keysFor(d, random(), 0)
		keys[i].Secrets = []Secret{NewSecret(secret)}
	}
	f.Fuzz(func(t *testing.T, which byte, query, header string, body []byte, unix int64) {
		p, k := ps[int(which)%len(ps)], keys[int(which)%len(ps)]
		m := fuzzed(query, header, body)
		now := time.Unix(unix, 0)
		before := dump(m)
		v := p.Scheme.Verify(m, k, now)
		if v.Status == Valid || v.Status != Invalid && v.Status != Unsigned {
			t.Errorf("%s: %+v of\n%s", p.ID, v, before)
		}
		if len(v.Detail) > 300 || strings.ContainsFunc(v.Detail+v.Hint, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s: the verdict is not fit for a line: %+v", p.ID, v)
		}
		if again := p.Scheme.Verify(m, k, now); again != v {
			t.Errorf("%s: %+v, then %+v", p.ID, v, again)
		}
		for _, c := range Detect(m) {
			for _, name := range []string{c.Event(m), c.DeliveryID(m)} {
				if len(name) > maxName || !isPlain(name) {
					t.Errorf("%s: a name %q", c.ID, name)
				}
			}
			c.Handshake(m, k, now)
			c.Handshake(m, Keys{}, now)
		}
		if after := dump(m); after != before {
			t.Errorf("%s: the message became\n%s\nwas\n%s", p.ID, after, before)
		}

		if err := p.Scheme.Sign(&m, k, SignOptions{}, now); err != nil {
			if after := dump(m); after != before {
				t.Errorf("%s: %v, but the message became\n%s\nwas\n%s", p.ID, err, after, before)
			}
			return
		}
		if v := p.Scheme.Verify(m, k, now); v.Status != Valid {
			t.Errorf("%s: signed, and then %+v of\n%s\nwas\n%s", p.ID, v, dump(m), before)
		}
		once := dump(m)
		if err := p.Scheme.Sign(&m, k, SignOptions{}, now); err != nil || dump(m) != once {
			t.Errorf("%s: signed once\n%s\ntwice (%v)\n%s", p.ID, once, err, dump(m))
		}
	})
}

// Laws: no text makes the parser panic; all errors tell where; and whatever
// parses verifies what it signs.
func FuzzParseProvider(f *testing.F) {
	names, err := files.ReadDir("providers")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		src, err := files.ReadFile("providers/" + name.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(src))
	}
	for line := range strings.Lines(strings.TrimSpace(featureFiles)) {
		id, rest, _ := strings.Cut(line, ": {")
		f.Add("{id: " + id + ", " + rest)
	}
	f.Add(good)
	f.Add("id: x\nextends: stripe\nsignature: {name: X-Sig, list: {drop: ~}}\ntimestamp: {tolerance: 10m}\nmarks: ~\n")
	f.Fuzz(func(t *testing.T, src string) {
		p, err := ParseProvider([]byte(src))
		if err != nil {
			var parse *ParseError
			if !errors.As(err, &parse) {
				t.Errorf("%q: %T %v", src, err, err)
			}
			return
		}
		obeysTheLaw(t, src, p)
	})
}

// The same for descriptions that are put together from words of the language,
// most of which parse.
func FuzzDescription(f *testing.F) {
	f.Add([]byte("a description"))
	for i := range 50 {
		f.Add(bytes.Repeat([]byte{byte(i), byte(7 * i), byte(31 * i)}, 20))
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		src := described(choices)
		p, err := ParseProvider([]byte(src))
		if err != nil {
			return
		}
		obeysTheLaw(t, src, p)
	})
}

// described puts a description together.
func described(choices []byte) string {
	pick := func(words ...string) string {
		if len(choices) == 0 {
			return words[0]
		}
		c := choices[0]
		choices = choices[1:]
		return words[int(c)%len(words)]
	}
	names := []string{"X-Sig", "x-sig", "X-Time", "Date", "Host", "Content-Type", "a", "A", "a.b", "a.c", "0", "a.0", "b", "other", "n", "signed.x", "signed", "é"}
	name := func() string { return `"` + pick(names...) + `"` }
	in := func() string { return pick("header", "query", "form", "body") }
	encoding := func() string { return pick("hex", "base64", "base64url") }
	algorithm := func() string { return pick("sha256", "sha1", "md5", "sha512") }
	prefix := func() string {
		return `"` + pick("sha256=", "v0=", "HMAC ", "v1,", "=", " x", "é", "{", ";", "a b") + `"`
	}
	reference := func() string {
		ref := pick("body", "ts", "method", "url", "host", "path", "query", "secret", "body", "sig.t", "sig.v1", "sig.x",
			"header."+pick(names...), "query."+pick(names...), "form."+pick(names...), "body."+pick(names...), "with.key",
			"sorted_form", "signed_headers", "decoded_body", "code.plivo", "code.contentful", "sorted(ts,query.a,secret)", "body."+pick(names...)+"?", "header."+pick(names...)+"?", "query.n")
		if call := pick("", "", "", "sha256hex", "crc32", "lower", "json", "with_port"); call != "" && !strings.Contains(ref, "(") {
			ref = call + "(" + ref + ")"
		}
		return pick("", ".", ":", "x") + "{" + ref + "}"
	}
	if pick("n", "n", "n", "y") == "y" {
		return describedToken(pick, name, in)
	}
	var b strings.Builder
	b.WriteString("id: x\nscheme: " + pick("hmac", "hash", "token") + "\n")
	if pick("y", "y", "y", "y", "n") == "y" {
		b.WriteString("algorithm: " + algorithm() + "\n")
	}
	b.WriteString("signature: {in: " + in() + ", name: " + name())
	if pick("y", "y", "y", "y", "n") == "y" {
		b.WriteString(", encoding: " + encoding())
	}
	if pick("n", "n", "y") == "y" {
		b.WriteString(", prefix: " + prefix())
	}
	if pick("n", "n", "n", "y") == "y" {
		b.WriteString(", path: " + pick("sig", "a.b", "0"))
	}
	if pick("n", "n", "n", "y") == "y" {
		b.WriteString(", also: [" + name() + "]")
	}
	if pick("n", "y") == "y" {
		b.WriteString(`, list: {sep: "` + pick(",", ", ", ";", "; ", " ", "|") + `"`)
		if pick("y", "y", "n") == "y" {
			b.WriteString(`, kv: "` + pick("=", ",", ":", "|", "/SHA256/") + `", ` + pick("element: v1", "element: t", "element: s", "bare: true", "key: key"))
		}
		if pick("n", "n", "y") == "y" {
			b.WriteString(`, start: "` + pick("v1=", "t=,v1=, x=1", "x=1;t=2;v1=", "1/SHA256/", ",,=", "t=1") + `"`)
		}
		b.WriteString(", multiple: " + pick("true", "false") + ", drop: [" + pick("v0", "v1", "t", "x") + "]}")
	}
	b.WriteString("}\n")
	if pick("n", "y") == "y" {
		b.WriteString("timestamp: {in: " + pick("signature", "header", "query", "form", "body") + ", name: " + pick("t", "v1", name()))
		b.WriteString(", unit: " + pick("s", "ms", "rfc3339", "iso8601", "http-date") + pick("", "", "", ", also: t") + pick("", "", ", meaning: expiry, ttl: "+pick("1s", "10m", "0s")))
		b.WriteString(pick("", ", tolerance: 0s", ", tolerance: none", ", tolerance: {past: 0s, future: 0s}", ", tolerance: {past: none, future: 5m}") + "}\n")
	}
	if pick("y", "y", "y", "y", "n") == "y" {
		payload := reference()
		for range len(pick("", "x", "xx", "xxx")) {
			payload += reference()
		}
		if pick("n", "n", "y") == "y" {
			payload += "', '" + reference() + reference()
		}
		b.WriteString("payload: ['" + payload + "']\n")
	}
	if pick("n", "n", "n", "y") == "y" {
		b.WriteString("legacy: [{header: " + name() + ", algorithm: " + algorithm() + ", encoding: " + encoding() + ", prefix: " + prefix() + "}]\n")
	}
	if pick("n", "n", "y") == "y" {
		b.WriteString("with: {key: {required: true}}\n")
	}
	if pick("n", "n", "n", "y") == "y" {
		b.WriteString("secret: {" + pick("strip: whsec_, ", "", "hash: sha1, ") + "decode: " + encoding() + "}\n")
	}
	if pick("n", "y") == "y" {
		b.WriteString("delivery_id: {from: '{" + in() + "." + pick(names...) + "}', fresh: '" + pick("{uuid}", "{digits:5}", "msg_{base62:9}", "x, {hex:4}") + "'}\n")
	}
	if pick("n", "n", "n", "y") == "y" {
		b.WriteString("digest: {in: " + pick("query", "header") + ", name: " + name() + ", algorithm: " + algorithm() + ", encoding: " + encoding() + "}\n")
	}
	if pick("n", "n", "n", "y") == "y" {
		b.WriteString("signed_headers: {in: " + pick("header", "signature") + ", name: " + pick("X-List", "h", "t", name()) + ", sep: " + pick(`","`, `" "`, `";"`) +
			", form: " + pick("value", `"name:value"`) + ", join: " + pick(`""`, `","`) + pick("", ", sorted: true") + ", names: [" + pick("x-list, ", "", "x-time, ") + name() + ", content-type]}\n")
	}
	if pick("n", "n", "n", "y") == "y" {
		b.WriteString("nonce: {from: '{" + pick("header.X-N", "query.n", "body.a", "header.X-Sig") + "}', fresh: '{hex:4}'}\n")
	}
	if pick("n", "n", "n", "y") == "y" {
		b.WriteString("single: [" + name() + "]\n")
	}
	return b.String()
}

// describedToken puts the description of a token together.
func describedToken(pick func(words ...string) string, name, in func() string) string {
	claim := func() string { return `"` + pick("iss", "aud", "exp", "iat", "nbf", "h", "a.b", "é", "") + `"` }
	var b strings.Builder
	b.WriteString("id: x\nscheme: jwt\nalgorithm: " + pick("HS256", "HS512", "ES256", "RS256") + "\n")
	b.WriteString("signature: {in: " + in() + ", name: " + name() + pick("", `, prefix: "Bearer "`, `, prefix: "eyJ"`) + "}\n")
	b.WriteString("token: {times: [" + pick("", "exp", "iat", "exp, nbf, iat", "nbf") + "]" + pick("", ", leeway: 1s", ", leeway: 10m") + pick("", ", max_age: 0s", ", max_age: 1m") + pick("", ", ttl: 1s", ", ttl: 1000000h"))
	if pick("n", "y") == "y" {
		b.WriteString(", claims: {" + claim() + ": " + pick("me", `[me, "1"]`, `"true"`, `"{with.key}"`, `"{"`) + "}")
	}
	if pick("n", "y") == "y" {
		b.WriteString(", body: {claim: " + claim() + ", encoding: " + pick("hex", "base64", "base64url") + "}")
	}
	b.WriteString("}\nwith: {key: {required: " + pick("true", "false") + "}}\n")
	if pick("n", "n", "y") == "y" {
		b.WriteString("require: [{from: '{" + pick("header.", "query.", "body.") + pick("X-Sig", "Date", "a", "a.b", "n") + "}', is: [" + pick("a", `"1", b`, `""`) + "]}]\n")
	}
	if pick("n", "n", "y") == "y" {
		b.WriteString("delivery_id: {from: '{" + in() + ".id}', fresh: '{uuid}'}\n")
	}
	return b.String()
}

// obeysTheLaw checks what holds for every description that parses.
func obeysTheLaw(t *testing.T, src string, p Provider) {
	t.Helper()
	d := p.Scheme.(*declared)
	r := random()
	for range 3 {
		m, k := messageFor(d, r), keysFor(d, r, 1)
		unsigned := p.Scheme.Verify(m, k, someTime)
		if unsigned.Status == Valid {
			t.Fatalf("%s\nunsigned, and valid:\n%s", src, dump(m))
		}
		before := dump(m)
		if err := p.Scheme.Sign(&m, k, SignOptions{FreshID: true}, someTime); err != nil {
			if dump(m) != before {
				t.Errorf("%s\n%v, but the message became\n%s\nwas\n%s", src, err, dump(m), before)
			}
			continue
		}
		if v := p.Scheme.Verify(m, k, someTime); v.Status != Valid {
			t.Fatalf("%s\nsigned, and then %+v:\n%s", src, v, dump(m))
		}
		once := dump(m)
		if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil || dump(m) != once {
			t.Errorf("%s\nsigned once\n%s\ntwice (%v)\n%s", src, once, err, dump(m))
		}
		other := keysFor(d, r, 1)
		other.With = k.With
		if v := p.Scheme.Verify(m, other, someTime); v.Status == Valid && !bytes.Equal(other.Secrets[0].key(d.form).bytes, k.Secrets[0].key(d.form).bytes) {
			t.Fatalf("%s\nvalid with another secret:\n%s", src, dump(m))
		}
		p.Event(m)
		p.DeliveryID(m)
		p.Handshake(m, k, someTime)
		p.Steps("https://x.example")
	}
	if _, err := Builtin().With(p); err != nil && len(p.Aliases) == 0 {
		t.Errorf("%s\n%v", src, err)
	}
}
