package verify

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Sign changes the bytes that it must, where they are.
func TestSignInPlace(t *testing.T) {
	now := time.Unix(1760000000, 0)
	keys := Keys{Secrets: []Secret{NewSecret("whsec_c2VjcmV0")}, With: map[string]string{"app_key": "abc"}}
	tests := []struct {
		id, name string
		header   http.Header
		query    string
		body     string
		want     func(m Message) string
		text     string // X stands for the signature
	}{
		{"tiktok", "no header", nil, "", "", headerOf("Tiktok-Signature"), "t=1760000000,s=X"},
		{"tiktok", "other elements stay", http.Header{"Tiktok-Signature": {"v=2, t=1,  s=abc,z"}}, "", "", headerOf("Tiktok-Signature"), "v=2, t=1760000000,  s=X,z"},
		{"tiktok", "no time", http.Header{"Tiktok-Signature": {"s=abc"}}, "", "", headerOf("Tiktok-Signature"), "t=1760000000,s=X"},
		{"tiktok", "garbage stays, and harms nobody", http.Header{"Tiktok-Signature": {"abc"}}, "", "", headerOf("Tiktok-Signature"), "t=1760000000,abc,s=X"},
		{"tiktok", "two headers become one", http.Header{"Tiktok-Signature": {"a=1", "b=2"}}, "", "", headerOf("Tiktok-Signature"), "t=1760000000,s=X"},
		{"stripe", "several v1, and v0", http.Header{"Stripe-Signature": {"t=1,v0=a,v1=b,v1=c"}}, "", "", headerOf("Stripe-Signature"), "t=1760000000,v1=X"},
		{"standard-webhooks", "v1a goes", http.Header{"Webhook-Signature": {"v1a,xx v1,yy  v2,zz"}, "Webhook-Id": {"msg_1"}}, "", "", headerOf("Webhook-Signature"), "v1,X v2,zz"},
		{"github", "SHA-1 is not added", nil, "", "", headerOf("X-Hub-Signature"), ""},
		{"github", "SHA-1 is made anew", http.Header{"X-Hub-Signature": {"sha1=0"}}, "", "Hello", headerOf("X-Hub-Signature"), "sha1=322b7b55d4303cf94d5104656d6e3eb3875191bb"},
		{"tencent-live", "at the end", nil, "a=1;b&c=%zz", "", queryOf, "a=1;b&c=%zz&RequestTime=1760000000&Sign=X"},
		{"tencent-live", "in place, the other way round", nil, "RequestTime=1&x=%41&sign=abc&y", "", queryOf, "RequestTime=1760000000&x=%41&sign=X&y"},
		{"tencent-live", "a second one goes", nil, "Sign=a&b=1&Sign=c&RequestTime=5&RequestTime=6", "", queryOf, "Sign=X&b=1&RequestTime=1760000000"},
		{"tencent-live", "no query", nil, "", "", queryOf, "RequestTime=1760000000&Sign=X"},
		{"tencent-css", "numbers stay numbers", nil, "", "{\n  \"t\": 5,\n  \"sign\" : \"abc\", \"n\": 1.0\n}\n", bodyOf, "{\n  \"t\": 1760000600,\n  \"sign\" : \"X\", \"n\": 1.0\n}\n"},
		{"tencent-css", "texts stay texts", nil, "", `{"sign":"abc","t":"5"}`, bodyOf, `{"sign":"X","t":"1760000600"}`},
		{"tencent-css", "what is missing comes last", nil, "", `{"a": 1, "b": 2}`, bodyOf, `{"a": 1, "b": 2, "t": 1760000600, "sign": "X"}`},
	}
	for _, tt := range tests {
		t.Run(tt.id+"/"+tt.name, func(t *testing.T) {
			p := provider(t, tt.id)
			m := Message{Method: "POST", URL: &url.URL{RawQuery: tt.query}, Header: tt.header, Body: []byte(tt.body)}
			if err := p.Scheme.Sign(&m, keys, SignOptions{}, now); err != nil {
				t.Fatal(err)
			}
			want(t, p.Scheme.Verify(m, keys, now), Valid, "")
			var c claim
			p.Scheme.(*declared).read(&m, &c)
			got := strings.Replace(tt.want(m), c.texts[0], "X", 1)
			if got != tt.text {
				t.Errorf("got  %s\nwant %s", got, tt.text)
			}
		})
	}
}

func headerOf(name string) func(m Message) string {
	return func(m Message) string { return m.Header.Get(name) }
}

func queryOf(m Message) string { return m.URL.RawQuery }

func bodyOf(m Message) string { return string(m.Body) }

// A message that cannot be signed stays as it was.
// Headers that a message names in any order are signed in that of Contentful's library,
// which sorts what it reads: the signature is its own.
func TestSignSortsHeaders(t *testing.T) {
	p, _ := Lookup("contentful")
	m := Message{Method: "POST", Body: []byte(`{"sys":{"type":"Entry","id":"1"},"fields":{"t":{"en":"café"}}}`), Header: http.Header{
		"X-Contentful-Topic":          {"ContentManagement.Entry.publish"},
		"X-Contentful-Signed-Headers": {"X-Contentful-Topic,x-contentful-timestamp"},
	}}
	m.URL, _ = url.Parse("https://devhook.example/hooks/contentful")
	keys := Keys{Secrets: []Secret{NewSecret("ffffffffffffffffffffffffffffffff0123456789abcdefABCDEF_-+/=GHIJK")}}
	now := time.Unix(1760000000, 0)
	if err := p.Scheme.Sign(&m, keys, SignOptions{}, now); err != nil {
		t.Fatal(err)
	}
	if got, want := headerOf("X-Contentful-Signed-Headers")(m), "x-contentful-signed-headers,x-contentful-timestamp,x-contentful-topic"; got != want {
		t.Errorf("%s are signed, want %s", got, want)
	}
	if got, want := headerOf("X-Contentful-Signature")(m), "0a8a1e24c15636c7069f6e11638617276c4e6f41a544c38f9567847736b9fe12"; got != want {
		t.Errorf("the signature is %s, want %s", got, want)
	}
	if v := p.Scheme.Verify(m, keys, now); v.Status != Valid {
		t.Errorf("%+v", v)
	}
}

func TestSignRefuses(t *testing.T) {
	secret := Keys{Secrets: []Secret{NewSecret("s")}}
	tests := []struct{ name, id, body, want string }{
		{"a body that is not JSON", "tencent-css", "a=1", "sign tencent-css: the JSON field t cannot be set: the body is not a JSON object"},
		{"a body that is an array", "tencent-css", "[1]", "sign tencent-css: the JSON field t cannot be set: the body is not a JSON object"},
		{"a time that is there twice", "tencent-css", `{"t":1,"t":2}`, "sign tencent-css: the JSON field t cannot be set: it is there more than once"},
		{"a key that is missing", "tiktok-shop", "{}", "cannot sign: tiktok-shop: app_key is missing (give it with --with tiktok-shop.app_key=VALUE, or set TIKTOK_SHOP_APP_KEY)"},
	}
	for _, tt := range tests {
		m := Message{Method: "POST", URL: &url.URL{RawQuery: "a=1"}, Header: http.Header{"A": {"b"}}, Body: []byte(tt.body)}
		before := dump(m)
		err := provider(t, tt.id).Scheme.Sign(&m, secret, SignOptions{}, someTime)
		if err == nil || err.Error() != tt.want || errors.Is(err, ErrNoSecret) != strings.HasPrefix(tt.want, "cannot sign") {
			t.Errorf("%s: got  %v\nwant %s", tt.name, err, tt.want)
		}
		if after := dump(m); after != before {
			t.Errorf("%s: the message became %s", tt.name, after)
		}
	}
}

// A message without a URL or headers can be signed; both are made.
func TestSignABareMessage(t *testing.T) {
	for _, id := range []string{"tencent-live", "tiktok"} {
		var m Message
		k := Keys{Secrets: []Secret{NewSecret("s")}}
		if err := provider(t, id).Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil {
			t.Fatal(err)
		}
		want(t, provider(t, id).Scheme.Verify(m, k, someTime), Valid, "")
	}
}
