package verify

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// The formulas of the providers' documentation, written down a second time and
// without the engine: what Sign makes is what they give.
func TestFormulas(t *testing.T) {
	sum := func(h hash.Hash, parts ...string) string {
		for _, p := range parts {
			h.Write([]byte(p))
		}
		return string(h.Sum(nil))
	}
	mac := func(key string, parts ...string) string { return sum(hmac.New(sha256.New, []byte(key)), parts...) }
	hexOf := func(s string) string { return hex.EncodeToString([]byte(s)) }
	base64Of := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	const ts, later = "1760000000", "1760000600"
	const body = "{\"a\":1.50,\t\"é\":\"\\u00e9\"}\n"
	tests := []struct {
		id, secret string
		header     http.Header
		want       func() string
		got        func(m Message) string
	}{
		{"tiktok", "client secret", nil, func() string { return "t=" + ts + ",s=" + hexOf(mac("client secret", ts, ".", body)) }, headerOf("TikTok-Signature")},
		{"tiktok-shop", "app secret", nil, func() string { return hexOf(mac("app secret", "key", body)) }, headerOf("Authorization")},
		{"euler", "s", nil, func() string { return hexOf(mac("s", body)) }, headerOf("x-webhook-signature")},
		{"tencent-live", "token", nil, func() string { return "RequestTime=" + ts + "&Sign=" + hexOf(sum(sha256.New(), "token", ts)) }, queryOf},
		{"tencent-trtc", "key", nil, func() string { return base64Of(mac("key", body)) }, headerOf("Sign")},
		{"tencent-css", "key", nil, func() string {
			return fmt.Sprintf("{\"a\":1.50,\t\"é\":\"\\u00e9\",\t\"t\":%s,\t\"sign\":%q}\n", later, hexOf(sum(md5.New(), "key", later)))
		}, bodyOf},
		{"github", "s", nil, func() string { return "sha256=" + hexOf(mac("s", body)) }, headerOf("X-Hub-Signature-256")},
		{"github", "s", http.Header{"X-Hub-Signature": {"sha1=0"}}, func() string { return "sha1=" + hexOf(sum(hmac.New(sha1.New, []byte("s")), body)) }, headerOf("X-Hub-Signature")},
		{"stripe", "whsec_abc", nil, func() string { return "t=" + ts + ",v1=" + hexOf(mac("whsec_abc", ts, ".", body)) }, headerOf("Stripe-Signature")},
		{"slack", "8f74", nil, func() string { return "v0=" + hexOf(mac("8f74", "v0:", ts, ":", body)) }, headerOf("X-Slack-Signature")},
		{"standard-webhooks", "whsec_c2VjcmV0", http.Header{"Webhook-Id": {"msg_1"}}, func() string { return "v1," + base64Of(mac("secret", "msg_1.", ts, ".", body)) }, headerOf("webhook-signature")},
	}
	for _, tt := range tests {
		m := Message{Method: "POST", URL: &url.URL{}, Header: tt.header, Body: []byte(body)}
		k := Keys{Secrets: []Secret{NewSecret(tt.secret)}, With: map[string]string{"app_key": "key"}}
		sign(t, provider(t, tt.id), &m, k, time.Unix(1760000000, 0))
		if got, want := tt.got(m), tt.want(); got != want {
			t.Errorf("%s: got  %s\nwant %s", tt.id, got, want)
		}
	}
}
