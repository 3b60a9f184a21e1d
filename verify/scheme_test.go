package verify

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func provider(t testing.TB, id string) Provider {
	t.Helper()
	p, ok := Lookup(id)
	if !ok {
		t.Fatalf("no provider %s", id)
	}
	return p
}

// signed gives the first valid vector of a provider, and its keys and time.
func signed(t testing.TB, id string) (m Message, k Keys, now time.Time) {
	t.Helper()
	for _, v := range vectors(t, id) {
		if v.Status == Valid {
			return v.message(t), v.Keys(), time.Unix(v.Now, 0)
		}
	}
	t.Fatalf("%s has no valid vector", id)
	return
}

// What is wrong, in the words that a user reads.
func TestDetails(t *testing.T) {
	header := func(name string, values ...string) func(m *Message, now *time.Time) {
		return func(m *Message, _ *time.Time) { m.Header[http.CanonicalHeaderKey(name)] = values }
	}
	replaced := func(name, old, replacement string) func(m *Message, now *time.Time) {
		return func(m *Message, _ *time.Time) {
			m.Header.Set(name, strings.Replace(m.Header.Get(name), old, replacement, 1))
		}
	}
	query := func(old, replacement string) func(m *Message, now *time.Time) {
		return func(m *Message, _ *time.Time) {
			m.URL.RawQuery = strings.Replace(m.URL.RawQuery, old, replacement, 1)
		}
	}
	body := func(old, replacement string) func(m *Message, now *time.Time) {
		return func(m *Message, _ *time.Time) {
			m.Body = []byte(strings.Replace(string(m.Body), old, replacement, 1))
		}
	}
	later := func(d time.Duration) func(m *Message, now *time.Time) {
		return func(_ *Message, now *time.Time) { *now = now.Add(d) }
	}
	tests := []struct {
		id, name string
		change   func(m *Message, now *time.Time)
		reason   Reason
		detail   string
	}{
		{"tiktok", "nothing", later(0), "", ""},
		{"tiktok", "no header", header("TikTok-Signature"), MissingSignature, "no header TikTok-Signature"},
		{"tiktok", "an empty header", header("TikTok-Signature", ""), MalformedSignature, "header TikTok-Signature is empty"},
		{"tiktok", "two headers", header("TikTok-Signature", "t=1,s=2", "t=1,s=2"), MalformedSignature, "header TikTok-Signature is there more than once"},
		{"tiktok", "a bare digest", header("TikTok-Signature", strings.Repeat("ab", 32)), MalformedSignature, "header TikTok-Signature has no element s"},
		{"tiktok", "no time", replaced("TikTok-Signature", "t=", "x="), MissingTimestamp, "no element t of the signature"},
		{"tiktok", "two times", replaced("TikTok-Signature", "t=", "t=1,t="), MalformedSignature, "element t of the signature is there more than once"},
		{"tiktok", "two signatures", replaced("TikTok-Signature", "s=", "s="+strings.Repeat("0", 64)+",s="), MalformedSignature, "header TikTok-Signature has element s more than once"},
		{"tiktok", "a short signature", header("TikTok-Signature", "t=1,s=abc"), MalformedSignature, "header TikTok-Signature: s is not 64 characters of hex"},
		{"tiktok", "63 digits and a space", header("TikTok-Signature", "t=1,s="+strings.Repeat("a", 31)+" "+strings.Repeat("a", 32)), MalformedSignature, "header TikTok-Signature: s is not 64 characters of hex"},
		{"tiktok", "a time with a sign", replaced("TikTok-Signature", "t=", "t=+"), MalformedSignature, `element t of the signature is "+1760000000", not a time (s)`},
		{"tiktok", "a time before 1970", replaced("TikTok-Signature", "t=1760000000", "t=-1"), MalformedSignature, `element t of the signature is "-1", not a time (s)`},
		{"tiktok", "a time in hex", replaced("TikTok-Signature", "t=1760000000", "t=0x68e77800"), MalformedSignature, `element t of the signature is "0x68e77800", not a time (s)`},
		{"tiktok", "a time that is too long", replaced("TikTok-Signature", "t=", "t="+strings.Repeat("9", 100)), MalformedSignature, `element t of the signature is "9999999999999999999999999999999999999999"..., not a time (s)`},
		{"tiktok", "a time with an escape sequence", replaced("TikTok-Signature", "t=", "t=\x1b[31m"), MalformedSignature, `element t of the signature is "\x1b[31m1760000000", not a time (s)`},
		{"tiktok", "spaces after commas", replaced("TikTok-Signature", ",", ",  \t"), "", ""},
		{"tiktok", "elements that nobody knows", replaced("TikTok-Signature", ",", ",x=1,,y,=z,"), "", ""},
		{"tiktok", "upper case", func(m *Message, _ *time.Time) {
			h := m.Header.Get("TikTok-Signature")
			m.Header.Set("TikTok-Signature", h[:15]+strings.ToUpper(h[15:]))
		}, "", ""},
		{"tiktok", "another body", body("video", "Video"), BadSignature, "not signed with the known secret"},
		{"tiktok", "exactly at the limit", later(5 * time.Minute), "", ""},
		{"tiktok", "in the last second", later(5*time.Minute + 999*time.Millisecond), "", ""},
		{"tiktok", "stale", later(11*time.Minute + 42*time.Second), Stale, "timestamp 11m42s old (limit 5m)"},
		{"tiktok", "from the future", later(-6 * time.Minute), Future, "timestamp 6m ahead (limit 5m)"},
		{"tiktok", "wrong and stale", func(m *Message, now *time.Time) { m.Body = nil; *now = now.Add(time.Hour) }, BadSignature, "not signed with the known secret"},

		{"github", "SHA-1 alone", func(m *Message, _ *time.Time) {
			m.Header.Set("X-Hub-Signature", "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59") // of this body
			m.Header.Del("X-Hub-Signature-256")
		}, MissingSignature, "no header X-Hub-Signature-256"},
		{"github", "another prefix", replaced("X-Hub-Signature-256", "sha256=", "SHA256="), MalformedSignature, "header X-Hub-Signature-256 does not begin with sha256="},
		{"github", "two in one header", replaced("X-Hub-Signature-256", "sha256=", "sha256=00, sha256="), MalformedSignature, "header X-Hub-Signature-256 is not 64 characters of hex"},

		{"stripe", "one of several v1", replaced("Stripe-Signature", "v1=", "v1=garbage,v1="+strings.Repeat("0", 64)+",v1="), "", ""},
		{"stripe", "only v0", replaced("Stripe-Signature", "v1=", "v0="), MalformedSignature, "header Stripe-Signature has no element v1"},

		{"slack", "no time", header("X-Slack-Request-Timestamp"), MissingTimestamp, "no header X-Slack-Request-Timestamp"},
		{"slack", "two times", header("X-Slack-Request-Timestamp", "1531420618", "1531420618"), MalformedSignature, "header X-Slack-Request-Timestamp is there more than once"},

		{"standard-webhooks", "no id", header("webhook-id"), MalformedSignature, "{header.webhook-id} is signed, and is not there or not clear"},
		{"standard-webhooks", "only ed25519", replaced("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= v1,", "v1a,"), MalformedSignature, "header webhook-signature has no element v1"},
		{"standard-webhooks", "without padding", replaced("webhook-signature", "x/M=", "x/M"), BadSignature, "not signed with the known secret"}, // the first v1 is well formed

		{"tencent-trtc", "base64 with bits left over", replaced("Sign", "+Uo=", "+Up="), MalformedSignature, "header Sign is not 44 characters of base64"},
		{"tencent-trtc", "base64 without padding", replaced("Sign", "+Uo=", "+Uo"), MalformedSignature, "header Sign is not 44 characters of base64"},
		{"tencent-trtc", "base64 with a line feed", replaced("Sign", "+Uo=", "+U\n="), MalformedSignature, "header Sign is not 44 characters of base64"},
		{"tencent-trtc", "base64 for URLs", replaced("Sign", "+Uo=", "-Uo="), MalformedSignature, "header Sign is not 44 characters of base64"},

		{"tencent-live", "other case", query("Sign=", "sIGN="), "", ""},
		{"tencent-live", "other case beside the right one", query("Sign=", "sign=0&Sign="), "", ""},
		{"tencent-live", "two of other case", query("Sign=", "sign=0&SIGN="), MalformedSignature, "query parameter Sign is there more than once"},
		{"tencent-live", "two times", query("RequestTime=", "RequestTime=0&RequestTime="), MalformedSignature, "query parameter RequestTime is there more than once"},
		{"tencent-live", "broken parameters around it", query("Sign=", "x=%zz&;=1;2&&%=&Sign="), "", ""},
		{"tencent-live", "an escaped name", query("Sign=", "%53ign="), "", ""},
		{"tencent-live", "a broken escape in it", query("Sign=", "Sign=%zz"), MalformedSignature, "query parameter Sign is no text"},
		{"tencent-live", "another body", body("Group", "Grp"), "", ""}, // the signature does not cover it
		{"tencent-live", "61 s later", later(61 * time.Second), Stale, "timestamp 1m1s old (limit 1m)"},

		{"tencent-css", "as text", body(`1760000600`, `"1760000600"`), "", ""},
		{"tencent-css", "a fraction", body(`1760000600`, `1760000600.0`), MalformedSignature, `JSON field t is "1760000600.0", not a time (s)`},
		{"tencent-css", "null", body(`1760000600`, `null`), MalformedSignature, "JSON field t is no text"},
		{"tencent-css", "not there", body(`"t":`, `"T":`), MissingTimestamp, "no JSON field t"},
		{"tencent-css", "twice", body(`"t":`, `"t":1,"t":`), MalformedSignature, "JSON field t is there more than once"},
		{"tencent-css", "twice, once with an escape", body(`"t":`, `"\u0074":1,"t":`), MalformedSignature, "JSON field t is there more than once"},
		{"tencent-css", "not JSON", body(`{`, `[`), MissingSignature, "no JSON field sign"},
		{"tencent-css", "expired", later(10*time.Minute + time.Second), Stale, "expired 1s ago"},
		{"tencent-css", "at the last moment", later(10 * time.Minute), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.id+"/"+tt.name, func(t *testing.T) {
			m, k, now := signed(t, tt.id)
			tt.change(&m, &now)
			got := provider(t, tt.id).Scheme.Verify(m, k, now)
			if got.Reason != tt.reason || got.Detail != tt.detail || (got.Hint == "") != (tt.reason == "") {
				t.Errorf("got %+v\nwant %s, %s", got, tt.reason, tt.detail)
			}
		})
	}
}

func TestAccount(t *testing.T) {
	tests := []struct {
		id, with, value string
		reason          Reason
		detail          string
	}{
		{"tencent-live", "sdk_app_id", "1400000000", "", ""},
		{"tencent-live", "sdk_app_id", "", "", ""},
		{"tencent-live", "sdk_app_id", "1400000001", WrongAccount, `for account "1400000000"`},
		{"tencent-trtc", "sdk_app_id", "1400000000", "", ""},
		{"tencent-trtc", "sdk_app_id", "99", WrongAccount, `for account "1400000000"`},
		{"tiktok", "client_key", "awdevhook", "", ""},
		{"tiktok", "client_key", "other", WrongAccount, `for account "awdevhook"`},
	}
	for _, tt := range tests {
		m, k, now := signed(t, tt.id)
		k.With = map[string]string{tt.with: tt.value}
		got := provider(t, tt.id).Scheme.Verify(m, k, now)
		if got.Reason != tt.reason || got.Detail != tt.detail {
			t.Errorf("%s for %q: got %+v", tt.id, tt.value, got)
		}
	}
	m, k, now := signed(t, "tencent-trtc")
	k.With = map[string]string{"sdk_app_id": "99"}
	m.Header.Del("SdkAppId")
	want(t, provider(t, "tencent-trtc").Scheme.Verify(m, k, now), Invalid, WrongAccount)
}

func TestNoSecret(t *testing.T) {
	tests := []struct{ id, secret, detail, hint string }{
		{"stripe", "", "no secret is known", "give the signing secret with --secret stripe=REF, or set STRIPE_WEBHOOK_SECRET"},
		{"tiktok-shop", "s", "app_key is missing", "give it with --with tiktok-shop.app_key=VALUE, or set TIKTOK_SHOP_APP_KEY"},
		{"standard-webhooks", "whsec_not base64", `the secret is not base64 (after "whsec_")`, "copy the signing secret from Standard Webhooks again, whole"},
		{"standard-webhooks", "whsec_", `the secret is empty (after "whsec_")`, "copy the signing secret from Standard Webhooks again, whole"},
		{"standard-webhooks", "whsec_MfKQ9r8G\nKYqrTwjUPD8ILPZIo2LaLaSw", `the secret is not base64 (after "whsec_")`, "copy the signing secret from Standard Webhooks again, whole"},
	}
	for _, tt := range tests {
		p := provider(t, tt.id)
		k := Keys{Secrets: []Secret{NewSecret(tt.secret)}}
		got := p.Scheme.Verify(Message{URL: &url.URL{}}, k, someTime)
		if got.Status != Unverified || got.Reason != NoSecret || got.Detail != tt.detail || got.Hint != tt.hint {
			t.Errorf("%s: got %+v", tt.id, got)
		}
		if hint, err := p.CheckKeys(k); err == nil || err.Error() != tt.detail || hint != tt.hint {
			t.Errorf("%s: CheckKeys gives %q, %v", tt.id, hint, err)
		}
	}
	p := provider(t, "standard-webhooks")
	if err := p.CheckSecret(NewSecret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")); err != nil {
		t.Errorf("without whsec_: %v", err)
	}
	if _, err := p.CheckKeys(Keys{Secrets: []Secret{NewSecret("!"), NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}}); err != nil {
		t.Errorf("one of two that can be used: %v", err)
	}
}
