package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// asked is a Fetcher that has nothing, and remembers what it was asked for.
type asked []string

func (a *asked) Fetch(_ context.Context, url string) ([]byte, error) {
	*a = append(*a, url)
	return nil, errors.New("no network\x1b[31m")
}

// Nobody is asked whom the description does not name.
func TestOnlyNamedHostsAreAsked(t *testing.T) {
	p := parsed(t, `{id: x, scheme: asymmetric, algorithm: rsa-pkcs1-sha256, signature: {in: header, name: X-Sig, encoding: base64}, payload: "{body}",
  key: {url: "{header.X-Key}", hosts: [keys.example, "{token}.keys.example"], path: "/certs/{token}", format: certificate}}`)
	for _, tt := range []struct {
		url  string
		asks bool
	}{
		{"https://keys.example/certs/a", true},
		{"https://a-1.keys.example/certs/a", true},
		{"https://a.b.keys.example/certs/a", false},
		{"https://keys.example.evil.example/certs/a", false},
		{"https://evilkeys.example/certs/a", false},
		{"https://.keys.example/certs/a", false},
		{"https://keys.example./certs/a", false},
		{"https://KEYS.example/certs/a", false},
		{"https://keys.example:443/certs/a", false},
		{"https://keys.example:8443/certs/a", false},
		{"https://evil.example@keys.example/certs/a", false},
		{"https://keys.example@evil.example/certs/a", false},
		{"https://keys.example:x@evil.example/certs/a", false},
		{`https://evil.example\@keys.example/certs/a`, false},
		{"https://evil.example#keys.example/certs/a", false},
		{"https://keys.example/certs/a#", false},
		{"https://keys.example/certs/a?", false},
		{"https://keys.example/certs/a?b", false},
		{"https://keys.example/certs/../a", false},
		{"https://keys.example/certs/a/b", false},
		{"https://keys.example/certs/%2e%2e", false},
		{"https://keys.example/certs/a\n", false},
		{"https://keys.example/certs/ a", false},
		{"http://keys.example/certs/a", false},
		{"HTTPS://keys.example/certs/a", true},
		{"ftp://keys.example/certs/a", false},
		{"//keys.example/certs/a", false},
		{"https:keys.example/certs/a", false},
		{"https://169.254.169.254/certs/a", false},
		{"https://[::1]/certs/a", false},
		{"", false},
		{"https://keys.example/certs/" + strings.Repeat("a", 5000), false},
	} {
		var a asked
		m := request("", "X-Sig: AAAA")
		m.Header["X-Key"] = []string{tt.url}
		v := p.Scheme.Verify(m, Keys{Fetch: &a}, someTime)
		if tt.asks {
			want(t, v, Unverified, Unsupported)
			if len(a) != 1 || !strings.EqualFold(a[0], tt.url) || strings.Contains(v.Detail, "\x1b") {
				t.Errorf("%s: asked for %q; %+v", tt.url, a, v)
			}
			continue
		}
		want(t, v, Invalid, MalformedSignature)
		if len(a) > 0 {
			t.Errorf("%s: asked for %q", tt.url, a)
		}
	}
	var a asked
	m := request("", "X-Key: https://keys.example/certs/a")
	want(t, p.Scheme.Verify(m, Keys{Fetch: &a}, someTime), Unsigned, MissingSignature)
	m.Header["X-Sig"] = []string{"AAAA"}
	m.Header["X-Key"] = append(m.Header["X-Key"], m.Header["X-Key"]...)
	want(t, p.Scheme.Verify(m, Keys{Fetch: &a}, someTime), Invalid, MalformedSignature)
	if len(a) > 0 {
		t.Errorf("asked for %q", a)
	}
}

// What a local pair signs is valid without a network.
func TestLocalPairNeedsNoNetwork(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		if !p.Fetches() {
			return
		}
		var a asked
		m, k := messageFor(d, random()), keysFor(d, random(), 1)
		sign(t, p, &m, k, someTime)
		k.Fetch = &a
		want(t, p.Scheme.Verify(m, k, someTime), Valid, "")
		if len(a) > 0 {
			t.Errorf("asked for %q", a)
		}
		hint, err := p.CheckKeys(Keys{With: k.With})
		if err == nil || !strings.Contains(hint, "devhook verify") {
			t.Errorf("without a key: %v (%s)", err, hint)
		}
		if _, err := p.CheckKeys(Keys{With: k.With, Fetch: &a}); err != nil {
			t.Errorf("with a fetcher: %v", err)
		}
		hint, err = p.CheckSign(Keys{With: k.With, Fetch: &a})
		if err == nil || !strings.Contains(hint, "devhook keys "+p.ID) || !errors.Is(p.Scheme.Sign(&m, Keys{With: k.With, Fetch: &a}, SignOptions{}, someTime), ErrNoSecret) {
			t.Errorf("signing without a key: %v (%s)", err, hint)
		}
	})
}

func TestKeySources(t *testing.T) {
	for _, tt := range []struct{ change, want string }{
		{`hosts: ["*"]`, "a host ends in a domain"},
		{`hosts: ["*example"]`, "a host ends in a domain"},
		{`hosts: ["{token}"]`, "a host ends in a domain"},
		{`hosts: ["{token}.{token}"]`, "a host ends in a domain"},
		{`hosts: [localhost]`, "a host ends in a domain"},
		{`hosts: ["*.keys.example"]`, ""},
		{`hosts: []`, "needs url, hosts and format"},
		{`hosts: [keys.example], names: ["{nothing}"]`, "not a pattern"},
	} {
		_, err := ParseProvider([]byte(fmt.Sprintf(`{id: x, scheme: asymmetric, algorithm: rsa-pkcs1-sha256, signature: {in: header, name: X-Sig, encoding: base64}, payload: "{body}", key: {url: "{header.X-Key}", format: certificate, %s}}`, tt.change)))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.change, err)
		}
	}
}
