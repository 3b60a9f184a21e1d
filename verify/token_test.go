package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// jwt makes a token with the key, be it sensible or not.
func jwt(header, claims, key string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

const hs256 = `{"alg":"HS256","typ":"JWT"}`

func bearer(text, body string) Message {
	m := request("", "X-Token: "+text)
	m.Body = []byte(body)
	return m
}

func TestTokens(t *testing.T) {
	p := parsed(t, `{id: x, scheme: jwt, algorithm: HS256, with: {who: {}}, signature: {in: header, name: X-Token}, token: {claims: {iss: [me, us], aud: "{with.who}"}, body: {claim: h, encoding: hex}, times: [exp], leeway: 10s}}`)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte("body")))
	at := someTime.Unix()
	good := fmt.Sprintf(`"iss":"me","h":"%s","exp":%d`, sum, at+1)
	k := Keys{Secrets: []Secret{NewSecret("key")}, With: map[string]string{"who": "x"}}
	for _, tt := range []struct {
		what, header, claims string
		status               Status
		reason               Reason
	}{
		{"all is well", hs256, `{"aud":"x",` + good + `}`, Valid, ""},
		{"one of several audiences", hs256, `{"aud":["y","x"],` + good + `}`, Valid, ""},
		{"another order, and more", hs256, `{"more":{"a":[1]},` + good + `,"aud":"x"}`, Valid, ""},
		{"no typ", `{"alg":"HS256"}`, `{"aud":"x",` + good + `}`, Valid, ""},
		{"none", `{"alg":"none"}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"None", `{"alg":"None"}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"hs256", `{"alg":"hs256"}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"another hash", `{"alg":"HS512"}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"no alg", `{}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"alg that is no text", `{"alg":["HS256"]}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"two algs", `{"alg":"none","alg":"HS256"}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"two algs, one escaped", `{"\u0061lg":"none","alg":"HS256"}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"crit", `{"alg":"HS256","crit":["exp"]}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"empty crit", `{"alg":"HS256","crit":[]}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"b64", `{"alg":"HS256","b64":false}`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"header that is no object", `["HS256"]`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"header cut off", `{"alg":"HS256"`, `{"aud":"x",` + good + `}`, Invalid, MalformedSignature},
		{"two claims of a name", hs256, `{"aud":"x","iss":"you",` + good + `}`, Invalid, MalformedSignature},
		{"two exps", hs256, `{"aud":"x","\u0065xp":1,` + good + `}`, Invalid, MalformedSignature},
		{"claims that are no object", hs256, `"x"`, Invalid, MalformedSignature},
		{"claims and more", hs256, `{"aud":"x",` + good + `}{}`, Invalid, MalformedSignature},
		{"another issuer", hs256, strings.Replace(`{"aud":"x",`+good+`}`, `"me"`, `"you"`, 1), Invalid, BadSignature},
		{"an issuer that is no text", hs256, strings.Replace(`{"aud":"x",`+good+`}`, `"me"`, `{"me":1}`, 1), Invalid, BadSignature},
		{"another audience", hs256, `{"aud":"y",` + good + `}`, Invalid, WrongAccount},
		{"no audience", hs256, `{` + good + `}`, Invalid, WrongAccount},
		{"other audiences", hs256, `{"aud":["y"],` + good + `}`, Invalid, WrongAccount},
		{"another body", hs256, `{"aud":"x",` + strings.Replace(good, sum[:2], "00", 1) + `}`, Invalid, BadSignature},
		{"no hash of the body", hs256, `{"aud":"x","iss":"me","exp":` + fmt.Sprint(at+1) + `}`, Invalid, BadSignature},
		{"no exp", hs256, `{"aud":"x","iss":"me","h":"` + sum + `"}`, Invalid, MissingTimestamp},
		{"exp within the leeway", hs256, fmt.Sprintf(`{"aud":"x","iss":"me","h":"%s","exp":%d}`, sum, at-9), Valid, ""},
		{"exp at its end", hs256, fmt.Sprintf(`{"aud":"x","iss":"me","h":"%s","exp":%d}`, sum, at-10), Invalid, Stale},
		{"nbf within the leeway", hs256, fmt.Sprintf(`{"aud":"x","nbf":%d,%s}`, at+10, good), Valid, ""},
		{"nbf beyond it", hs256, fmt.Sprintf(`{"aud":"x","nbf":%d,%s}`, at+11, good), Invalid, Future},
		{"exp as text", hs256, fmt.Sprintf(`{"aud":"x","iss":"me","h":"%s","exp":"%d"}`, sum, at+9), Invalid, MalformedSignature},
		{"exp with an exponent", hs256, fmt.Sprintf(`{"aud":"x","iss":"me","h":"%s","exp":1e20}`, sum), Invalid, MalformedSignature},
		{"exp below zero", hs256, fmt.Sprintf(`{"aud":"x","iss":"me","h":"%s","exp":-1}`, sum), Invalid, MalformedSignature},
		{"exp with a fraction", hs256, fmt.Sprintf(`{"aud":"x","iss":"me","h":"%s","exp":%d.25}`, sum, at), Valid, ""},
		{"exp with two points", hs256, fmt.Sprintf(`{"aud":"x","iss":"me","h":"%s","exp":"%d.2.5"}`, sum, at), Invalid, MalformedSignature},
	} {
		t.Run(tt.what, func(t *testing.T) {
			m := bearer(jwt(tt.header, tt.claims, "key"), "body")
			want(t, p.Scheme.Verify(m, k, someTime), tt.status, tt.reason)
			if v := p.Scheme.Verify(bearer(jwt(tt.header, tt.claims, "other"), "body"), k, someTime); v.Status != Invalid || v.Reason != BadSignature && v.Reason != MalformedSignature {
				t.Errorf("with another key: %+v", v)
			}
			sign(t, p, &m, k, someTime)
			want(t, p.Scheme.Verify(m, k, someTime), Valid, "")
			m.Body = append(m.Body, '\n')
			want(t, p.Scheme.Verify(m, k, someTime), Invalid, BadSignature)
		})
	}
	for _, text := range []string{"x", "..", "a.b.c", jwt(hs256, "{}", "key") + ".", jwt(hs256, "{}", "key") + "=", " " + jwt(hs256, "{}", "key"), strings.Repeat("a", maxToken+1),
		strings.TrimRight(jwt(`{"alg":"none"}`, "{"+good+"}", ""), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")} {
		want(t, p.Scheme.Verify(bearer(text, "body"), k, someTime), Invalid, MalformedSignature)
	}
}

// A public key must never be taken for the secret of an HMAC.
func TestKeyConfusion(t *testing.T) {
	p := parsed(t, `{id: x, scheme: jwt, algorithm: RS256, signature: {in: header, name: X-Token}}`)
	private := NewSecret(nextPrivateKey("rsa-pkcs1-sha256", random()))
	public, err := p.PublicKey(private)
	if err != nil {
		t.Fatal(err)
	}
	k := Keys{Secrets: []Secret{NewSecret(public)}}
	for _, alg := range []string{"HS256", "RS256", "none", "PS256", "ES256"} {
		m := bearer(jwt(`{"alg":"`+alg+`"}`, `{}`, public), "")
		if v := p.Scheme.Verify(m, k, someTime); v.Status != Invalid {
			t.Errorf("%s: %+v", alg, v)
		}
	}
	m := bearer("", "")
	sign(t, p, &m, Keys{Secrets: []Secret{private}}, someTime)
	want(t, p.Scheme.Verify(m, k, someTime), Valid, "")
}

func TestSigningKeepsClaims(t *testing.T) {
	p := parsed(t, `{id: x, scheme: jwt, algorithm: HS256, signature: {in: header, name: X-Token}, token: {claims: {iss: me}, body: {claim: h, encoding: base64}, times: [exp]}}`)
	k := Keys{Secrets: []Secret{NewSecret("key")}}
	m := bearer(jwt(`{"typ":"x","alg":"HS256","kid":"1"}`, `{"z":1.50, "exp": 1060 ,"iat":1000,"iss":"me","h":"","a":{"b":[]}}`, "old"), "body")
	sign(t, p, &m, k, time.Unix(5000, 7))
	tok, fault := parseToken(m.Header.Get("X-Token"), tokenAlgorithms[0])
	if fault != "" {
		t.Fatal(fault)
	}
	const claims = `{"z":1.50, "exp": 5060 ,"iat":5000,"iss":"me","h":"Iw2DWN2JbVwHz3rwVUphLZrOaFVVKZ3SOD3JD7UbAGc=","a":{"b":[]}}`
	sum := sha256.Sum256([]byte("body"))
	want := strings.Replace(claims, "Iw2DWN2JbVwHz3rwVUphLZrOaFVVKZ3SOD3JD7UbAGc=", base64.StdEncoding.EncodeToString(sum[:]), 1)
	if string(tok.claims) != want || string(tok.header) != `{"typ":"x","alg":"HS256","kid":"1"}` {
		t.Errorf("got %s %s\nwant %s", tok.header, tok.claims, want)
	}
	m = bearer(jwt(`{"alg":"HS256"}`, `{"iss":"me","exp":5,"iat":9}`, "old"), "body") // it was never valid
	sign(t, p, &m, k, time.Unix(5000, 7))
	m = bearer("rubbish", "body")
	sign(t, p, &m, k, time.Unix(5000, 7))
	tok, _ = parseToken(m.Header.Get("X-Token"), tokenAlgorithms[0])
	if string(tok.claims) != `{"iss":"me","h":"`+base64.StdEncoding.EncodeToString(sum[:])+`","exp":5300}` {
		t.Errorf("a new token claims %s", tok.claims)
	}
}

// The laws of tokens, for each provider that signs with them.
func TestTokensAreJudged(t *testing.T) {
	law(t, func(t *testing.T, p Provider, d *declared) {
		f := d.token
		if f == nil {
			return
		}
		m, k := messageFor(d, random()), keysFor(d, random(), 1)
		at := someTime.Truncate(time.Second)
		sign(t, p, &m, k, at)
		if slices.Contains(f.times, "exp") && f.maxAge >= f.ttl+f.leeway {
			want(t, p.Scheme.Verify(m, k, at.Add(f.ttl+f.leeway-time.Second)), Valid, "")
			want(t, p.Scheme.Verify(m, k, at.Add(f.ttl+f.leeway)), Invalid, Stale)
		}
		if f.maxAge != unlimited && f.maxAge < f.ttl {
			want(t, p.Scheme.Verify(m, k, at.Add(f.maxAge)), Valid, "")
			want(t, p.Scheme.Verify(m, k, at.Add(f.maxAge+time.Second)), Invalid, Stale)
		}
		if slices.Contains(f.times, "nbf") {
			want(t, p.Scheme.Verify(m, k, at.Add(-f.leeway)), Valid, "")
			want(t, p.Scheme.Verify(m, k, at.Add(-f.leeway-time.Second)), Invalid, Future)
		}
		if len(f.times) > 0 {
			before := dump(m)
			if err := p.Scheme.Sign(&m, k, SignOptions{}, time.Unix(-5000, 0)); err == nil || dump(m) != before {
				t.Errorf("Sign before 1970: %v", err)
			}
		}
		if f.body != "" {
			want(t, p.Scheme.Verify(tampered(m), k, at), Invalid, BadSignature)
		}
		for _, c := range f.claims {
			if c.with != "" {
				other := Keys{Secrets: k.Secrets, With: map[string]string{}}
				for name := range k.With {
					other.With[name] = k.With[name]
				}
				other.With[c.with] += "x"
				want(t, p.Scheme.Verify(m, other, at), Invalid, WrongAccount)
			}
		}
		text, _ := d.signature.read(&m, gather(m.Body, d.fields))
		text = strings.TrimPrefix(text, d.prefix)
		for i := range text { // each character counts
			if i%7 != 0 && i < len(text)-5 {
				continue
			}
			changed := text[:i] + map[bool]string{true: "B", false: "A"}[text[i] == 'A'] + text[i+1:]
			if err := d.signature.write(&m, d.prefix+changed, false); err != nil {
				t.Fatal(err)
			}
			if v := p.Scheme.Verify(m, k, at); v.Status != Invalid {
				t.Errorf("character %d changed: %+v", i, v)
			}
		}
	})
}
