package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/internal/jsonx"
)

// What the laws are tried on.

// dump writes all of m that a receiver sees.
func dump(m Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s?%s\n", m.Method, m.URL.EscapedPath(), m.URL.RawQuery)
	for _, name := range slices.Sorted(maps.Keys(m.Header)) {
		fmt.Fprintf(&b, "%s: %q\n", name, m.Header[name])
	}
	fmt.Fprintf(&b, "\n%s", m.Body)
	return b.String()
}

func clone(m Message) Message {
	u := *m.URL
	m.URL = &u
	m.Header = m.Header.Clone()
	m.Body = slices.Clone(m.Body)
	return m
}

// bodyFor gives a body that the scheme can sign: any bytes, unless the scheme
// reads fields of it.
func bodyFor(d *declared, r *rand.Rand) []byte {
	size := []int{0, 1, 20, 1000, 70000}[r.IntN(5)]
	raw := make([]byte, size)
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	places := []place{d.signature}
	if d.stamp != nil {
		places = append(places, d.stamp.place)
	}
	if d.payload.has(refForms, "") && (d.bodyDigest == nil || r.IntN(2) == 0) {
		return []byte("b=2&a=%C3%A9+x&b=1&b=2&&c&raw=" + url.QueryEscape(string(raw)))
	}
	for _, p := range places {
		switch p.in {
		case inForm:
			return []byte("a=1&" + url.QueryEscape(string(raw)) + "&b=%zz;")
		case inBody:
			text := jsonx.AppendQuote(nil, strings.ToValidUTF8(string(raw), "?"))
			return fmt.Appendf(nil, "{\"other\": %s,\n\t\"signed\":{\"x\":\"é\"}, \"n\": 1.50}", text)
		}
	}
	return raw
}

// messageFor gives a message for the scheme, not signed.
func messageFor(d *declared, r *rand.Rand) Message {
	m := Message{
		Method: "POST",
		URL:    &url.URL{Scheme: "https", Host: "hooks.example", Path: "/in", RawQuery: "a=1&b=%zz;c&&z=%41"},
		Header: http.Header{"Content-Type": {"application/json"}, "Host": {"hooks.example"}, "X-Other": {"1", "2"}},
		Body:   bodyFor(d, r),
	}
	d.meetDemands(&m)
	if d.payload.has(refCode, "plivo") { // that reads the query, too
		m.URL.RawQuery = "b=2&a=%C3%A9+x&b=1&&c"
	}
	if d.payload.has(refForms, "") && bytes.HasPrefix(m.Body, []byte("b=2&")) {
		m.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	}
	for p := range d.payload.flat() {
		switch {
		case p.ref == refForm && jsonx.TopKind(m.Body) != jsonx.Object:
			m.Body = append(m.Body, "&"+p.text+"=dmFsdWU%3D%0A"...)
		case p.ref == refHeader && (d.fresh == nil || p.key != d.fresh.key) && (d.stamp == nil || p.key != d.stamp.key):
			m.Header[p.key] = []string{"value-" + p.key}
		case p.ref == refField && (d.stamp == nil || d.stamp.in != inBody || p.text != d.stamp.name):
			if _, err := jsonx.Find(m.Body, p.path); err != nil {
				m.Body, _ = jsonx.Create(m.Body, p.path, []byte(`"value"`))
			}
		case p.ref == refParam:
			m.URL.RawQuery += "&" + p.text + "=1"
		}
	}
	return m
}

// keysFor gives keys with n usable secrets.
func keysFor(d *declared, r *rand.Rand, n int) Keys {
	k := Keys{With: map[string]string{}}
	for _, need := range d.needs {
		if need.Required {
			k.With[need.Name] = fmt.Sprintf("with-%d", r.IntN(1e6))
		}
	}
	for range n {
		if d.form.kind == schemePair {
			k.Secrets = append(k.Secrets, NewSecret(nextPrivateKey(d.form.algorithm, r)))
			continue
		}
		raw := make([]byte, 1+r.IntN(100))
		for i := range raw {
			raw[i] = byte(1 + r.IntN(255))
		}
		text := secretText(d.form.decode, string(raw))
		if d.kind == schemeBasic {
			text = "user:" + text
		}
		k.Secrets = append(k.Secrets, NewSecret(d.form.strip+text))
	}
	return k
}

// secretText writes a key as the form of a secret has it.
func secretText(decode, key string) string {
	switch decode {
	case "base64":
		return string(base64Strict.AppendEncode(nil, []byte(key)))
	case "base64url":
		return string(base64URLStrict.AppendEncode(nil, []byte(key)))
	case "hex":
		return fmt.Sprintf("%x", key)
	}
	return key
}

// nextPrivateKey gives a private key of an algorithm, in PEM: another one each
// time that it is asked with r, in turn of a few, because it takes long to make
// one.
func nextPrivateKey(algorithm string, r *rand.Rand) string {
	keyCache.Lock()
	defer keyCache.Unlock()
	n := keyCache.given[r] % 6
	keyCache.given[r]++
	if algorithm != "ed25519" && algorithm != "ecdsa-p256" {
		algorithm = "rsa" // one key does for each hash
	}
	keys := keyCache.keys[algorithm]
	if n >= len(keys) {
		keys = append(keys, newPrivateKey(algorithm))
		keyCache.keys[algorithm] = keys
	}
	return keys[n]
}

var keyCache = struct {
	sync.Mutex
	given map[*rand.Rand]int
	keys  map[string][]string
}{given: map[*rand.Rand]int{}, keys: map[string][]string{}}

func newPrivateKey(algorithm string) string {
	var private any
	var err error
	switch algorithm {
	case "ed25519":
		_, private, err = ed25519.GenerateKey(nil)
	case "ecdsa-p256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	default:
		private, err = rsa.GenerateKey(cryptorand.Reader, 1024) // the laws hold for every size, and this one is quick
	}
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func random() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

var someTime = time.Date(2026, 11, 21, 14, 2, 11, 482913000, time.UTC)

func sign(t *testing.T, p Provider, m *Message, k Keys, now time.Time) {
	t.Helper()
	if err := p.Scheme.Sign(m, k, SignOptions{}, now); err != nil {
		t.Fatalf("Sign: %v", err)
	}
}

func want(t *testing.T, got Verdict, status Status, reason Reason) {
	t.Helper()
	if got.Status != status || got.Reason != reason {
		t.Errorf("got %+v, want %s, %s", got, status, reason)
	}
}
