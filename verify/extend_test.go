package verify

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestExtends(t *testing.T) {
	const src = `
first:
  extends: stripe
  signature: {name: X-First, list: {drop: ~}}
  timestamp: {tolerance: 10m}
  env: FIRST
second:
  extends: first
  secret: {name: key, at: ~}
  timestamp: ~
  payload: "{body}"
  marks: ~
  event: ["{body.kind}"]
stripe:
  extends: stripe
  docs: https://example.com
tok:
  extends: first
  scheme: token
  algorithm: ~
  payload: ~
  timestamp: ~
  signature: {encoding: ~, list: ~}
other: {extends: tiktok_business, ack: {status: 204}}
`
	ps, err := ParseProviders([]byte(src), "")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ summary, env, secret string }{
		{"HMAC-SHA256 of {ts}.{body}, hex, in header X-First, for 10m", "FIRST", "signing secret"},
		{"HMAC-SHA256 of {body}, hex, in header X-First", "SECOND_WEBHOOK_SECRET", "key"},
		{"HMAC-SHA256 of {ts}.{body}, hex, in header Stripe-Signature, for 5m", "STRIPE_WEBHOOK_SECRET", "signing secret"},
		{"the signing secret itself, in header X-First", "TOK_WEBHOOK_SECRET", "signing secret"},
		{"HMAC-SHA256 of {ts}.{body}, hex, in header TikTok-Signature, for 5m", "OTHER_WEBHOOK_SECRET", "client secret"},
	} {
		p := ps[i]
		if p.Summary != want.summary || p.Env != want.env || p.SecretName != want.secret || len(p.Aliases) > 0 {
			t.Errorf("got  %s: %s, %s, %s, %q\nwant %+v", p.ID, p.Summary, p.Env, p.SecretName, p.Aliases, want)
		}
	}
	if ps[0].SecretAt == "" || ps[1].SecretAt != "" || len(ps[1].facets.marks) != 1 || ps[2].Docs != "https://example.com" || ps[4].Ack.Status != 204 {
		t.Errorf("got %+v", ps)
	}
	m := Message{Method: "POST", Header: http.Header{}, Body: []byte(`{"type":"a","kind":"b"}`)}
	if a, b := ps[0].Event(m), ps[1].Event(m); a != "a" || b != "b" {
		t.Errorf("events %q and %q", a, b)
	}
	k := Keys{Secrets: []Secret{NewSecret("x")}}
	sign(t, ps[0], &m, k, someTime)
	want(t, ps[0].Scheme.Verify(m, k, someTime.Add(9*time.Minute)), Valid, "")
}

func TestExtendsErrors(t *testing.T) {
	const src = "providers:\n  a:\n    extends: stripe\n"
	for _, tt := range []struct{ name, src, want string }{
		{"an unknown one", "providers:\n  a: {extends: strpe}\n", `2:16: providers.a.extends: unknown provider "strpe" (near: stripe)`},
		{"one further down", "providers:\n  a: {extends: b}\n  b: {extends: stripe}\n", `2:16: providers.a.extends: "b" is described further down`},
		{"itself", "providers:\n  a: {extends: a}\n", `2:16: providers.a.extends: "a" is described further down`},
		{"no value", "providers:\n  a: {extends: ~}\n", "2:16: providers.a.extends: has no value"},
		{"a list", "providers:\n  a: {extends: [stripe]}\n", "2:16: providers.a.extends: must be text"},
		{"twice", "providers:\n  a: {extends: stripe, extends: github}\n", "2:24: providers.a.extends: is there twice"},
		{"a field twice", src + "    docs: x\n    docs: y\n", "5:5: providers.a.docs: is there twice"},
		{"a field twice below", src + "    secret: {at: ~, at: y}\n", "4:21: providers.a.secret.at: is there twice"},
		{"an unknown field", src + "    algoritm: ~\n", "4:5: providers.a.algoritm: unknown field (near: algorithm, "},
		{"an unknown field below", src + "    signature: {encodin: hex}\n", "4:17: providers.a.signature.encodin: unknown field (near: encoding"},
		{"nothing to take away", src + "    prehash: ~\n", "4:14: providers.a.prehash: has no value"},
		{"a field of the wrong kind", src + "    signature: X-Sig\n", "4:16: providers.a.signature: must be a mapping"},
		{"a wrong value", src + "    signature: {encoding: hexx}\n", `4:27: providers.a.signature.encoding: unknown encoding "hexx"`},
		{"what does not fit the inherited", src + "    payload: \"{body}\"\n", "4:5: providers.a.payload: does not cover the timestamp"},
		{"an inherited field that does not fit", src + "    scheme: token\n    signature: {encoding: ~, list: ~}\n", "3:14: providers.a.algorithm: is needed unless the scheme is token or basic, and only then (as stripe has it: give the field anew, or take it away with ~)"},
	} {
		_, err := ParseProviders([]byte(tt.src), "providers")
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.name, err, tt.want)
		}
	}
	if _, err := ParseProvider([]byte("id: x\nextends: github\nscheme: hash\n")); err == nil || !strings.HasPrefix(err.Error(), "2:10: payload: a plain hash without {secret}") {
		t.Errorf("got %v", err)
	}
}

func TestExtendsIsBounded(t *testing.T) {
	src := "a: {extends: stripe, notes: [x" + strings.Repeat(",x", 10000) + "]}\n"
	for i := range 1000 {
		src += fmt.Sprintf("b%d: {extends: a}\n", i)
	}
	if _, err := ParseProviders([]byte(src), ""); err == nil || !strings.Contains(err.Error(), "extends: the descriptions inherit too much") {
		t.Errorf("got %v", err)
	}
}

// Whoever extends a built-in provider and changes nothing has its scheme.
func TestExtendingAll(t *testing.T) {
	for _, p := range Providers() {
		got, err := ParseProvider([]byte("id: my-own\nextends: " + p.ID + "\n"))
		if err != nil || got.Summary != p.Summary || got.Name != p.Name || got.Env != "MY_OWN_WEBHOOK_SECRET" || len(got.Aliases) > 0 {
			t.Errorf("%s: %+v, %v", p.ID, got, err)
		}
	}
}
