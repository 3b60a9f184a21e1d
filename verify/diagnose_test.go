package verify

import (
	"bytes"
	"compress/gzip"
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
	"strings"
	"testing"
	"time"
)

const urlBound = `
url-bound: {scheme: hmac, algorithm: sha256, signature: {in: header, name: X-Url-Signature, encoding: base64}, payload: "{url}{body}"}
hashed: {scheme: hash, algorithm: sha1, signature: {in: header, name: X-Hashed, encoding: hex}, payload: "{secret}{body}"}
`

// Planted mistakes, each of which is named. What signs here is the standard
// library, and no code of this package.
func TestDiagnose(t *testing.T) {
	own, err := ParseProviders([]byte(urlBound), "")
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := Builtin().With(own...)
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"id":"evt_1","name":"Zoë / <b>","n":1.50,"list":[1,2]}`
	const secret = "0123456789abcdef"
	now := time.Unix(1_800_000_000, 0)
	mac := func(h func() hash.Hash, key, text string) []byte {
		m := hmac.New(h, []byte(key))
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	github := func(key, signed string) http.Header {
		return http.Header{"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac(sha256.New, key, signed))}, "X-Github-Event": {"push"}}
	}
	stripe := func(key string, ts int64, signed string) http.Header {
		return http.Header{"Stripe-Signature": {fmt.Sprintf("t=%d,v1=%x", ts, mac(sha256.New, key, signed))}}
	}
	standard := func(key, signed string) http.Header {
		return http.Header{"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {"1800000000"},
			"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac(sha256.New, key, "msg_1.1800000000."+signed))}}
	}
	slack := func(ts int64, signed string) http.Header {
		return http.Header{"X-Slack-Request-Timestamp": {fmt.Sprint(ts)}, "X-Slack-Signature": {fmt.Sprintf("v0=%x", mac(sha256.New, secret, signed))}}
	}
	bound := func(url string) http.Header {
		return http.Header{"X-Url-Signature": {base64.StdEncoding.EncodeToString(mac(sha256.New, secret, url+body))}}
	}
	dated := func(h http.Header, at time.Time) http.Header {
		h.Set("Date", at.UTC().Format(http.TimeFormat))
		return h
	}
	shopify := func(value string) http.Header { return http.Header{"X-Shopify-Hmac-Sha256": {value}} }
	with := func(h http.Header, name, value string) http.Header {
		h.Set(name, value)
		return h
	}
	in64 := base64.StdEncoding.EncodeToString(mac(sha256.New, secret, body))
	zip := func(text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write([]byte(text))
		z.Close()
		return b.String()
	}
	pretty := "{\n  \"id\": \"evt_1\",\n  \"name\": \"Zoë / <b>\",\n  \"n\": 1.50,\n  \"list\": [\n    1,\n    2\n  ]\n}"
	python := `{"id": "evt_1", "name": "Zo\u00eb / <b>", "n": 1.50, "list": [1, 2]}`
	for _, tt := range []struct {
		name, id, secret string
		header           http.Header
		body             string // as it arrived
		url              string // default https://h.example/in
		others           map[string]string
		want             string // in the finding
	}{
		// Secrets.
		{name: "a space behind the secret", id: "github", secret: secret + " ", header: github(secret, body), want: "white space around the webhook secret"},
		{name: "a line break behind the secret", id: "github", secret: secret + "\n", header: github(secret, body), want: "white space around the webhook secret"},
		{name: "the sender has the line break", id: "github", secret: secret, header: github(secret+"\n", body), want: "a line break is put behind"},
		{name: "quotes around it", id: "github", secret: `"` + secret + `"`, header: github(secret, body), want: "quotes around the webhook secret"},
		{name: "Bearer before it", id: "github", secret: "Bearer " + secret, header: github(secret, body), want: `"Bearer " before`},
		{name: "a zero-width space behind it", id: "github", secret: secret + "\u200b", header: github(secret, body), want: "invisible character"},
		{name: "a prefix that is too much", id: "github", secret: "whsec_" + secret, header: github(secret, body), want: `"whsec_" is taken off`},
		{name: "a prefix that is missing and not to be taken off", id: "standard-webhooks", secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", header: standard("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", body), want: `"whsec_" is put before`},
		{name: "a prefix that is missing twice", id: "stripe", secret: "whsec_" + secret, header: stripe("whsec_whsec_"+secret, now.Unix(), fmt.Sprintf("%d.%s", now.Unix(), body)), want: `"whsec_" is put before`},
		{name: "a prefix that is missing", id: "stripe", secret: secret, header: stripe("whsec_"+secret, now.Unix(), fmt.Sprintf("%d.%s", now.Unix(), body)), want: `"whsec_" is put before`},
		{name: "a key in hex", id: "github", secret: hex.EncodeToString([]byte("the key itself")), header: github("the key itself", body), want: "decoded from hex"},
		{name: "a key in base64", id: "github", secret: base64.StdEncoding.EncodeToString([]byte("the key itself!")), header: github("the key itself!", body), want: "decoded from base64"},
		{name: "a key that is not to be decoded", id: "standard-webhooks", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", header: http.Header{
			"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {"1800000000"},
			"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac(sha256.New, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_1.1800000000."+body))},
		}, want: "taken as it is, and not decoded from base64"},
		{name: "an escaped secret", id: "github", secret: "a%2Bb%3D", header: github("a+b=", body), want: "is unescaped"},
		{name: "copied with its name", id: "github", secret: "GITHUB_WEBHOOK_SECRET=" + secret, header: github(secret, body), want: "the name of the variable before"},
		{name: "an escaped line break", id: "github", secret: secret + `\n`, header: github(secret, body), want: `the characters \n at the end`},
		{name: "in capital letters", id: "github", secret: strings.ToUpper(secret), header: github(secret, body), want: "in small letters"},
		{name: "another form of Unicode", id: "github", secret: "se\u0301cret 0123456", header: github("s\u00e9cret 0123456", body), want: "NFC"},
		{name: "a key in padded base64url", id: "github", secret: "-_-_-_-_AA==", header: github("\xfb\xff\xbf\xfb\xff\xbf\x00", body), want: "decoded from base64url"},
		{name: "the sender's key is in base64", id: "github", secret: secret, header: github(base64.StdEncoding.EncodeToString([]byte(secret)), body), want: "is encoded in base64"},
		{name: "the sender's key is in hex", id: "github", secret: secret, header: github(hex.EncodeToString([]byte(secret)), body), want: "is encoded in hex"},
		{name: "the sender hashes its key", id: "github", secret: secret, header: github(fmt.Sprintf("%x", sha256.Sum256([]byte(secret))), body), want: "hashed with SHA-256, in hex"},
		{name: "a key that is decoded too seldom", id: "standard-webhooks", secret: "whsec_ZEdobElHdGxlU0JwZEhObGJHWXNJSGRvYjJ4bA==", header: standard("the key itself, whole", body), want: "decoded twice"},
		{name: "a key that is not to be decoded, without its prefix", id: "standard-webhooks", secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", header: standard("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", body), want: "taken as it is, and not decoded from base64"},
		// Bodies.
		{name: "a newline added", id: "github", secret: secret, header: github(secret, body), body: body + "\n", want: "trailing newline is removed"},
		{name: "a CRLF added", id: "github", secret: secret, header: github(secret, body), body: body + "\r\n", want: "trailing line break (CRLF) is removed"},
		{name: "a newline taken off", id: "github", secret: secret, header: github(secret, body+"\n"), want: "a newline is put at the end"},
		{name: "a CRLF taken off", id: "github", secret: secret, header: github(secret, body+"\r\n"), want: "(CRLF) is put at the end"},
		{name: "CRLF made of LF", id: "github", secret: secret, header: github(secret, pretty), body: strings.ReplaceAll(pretty, "\n", "\r\n"), want: "LF and not CRLF"},
		{name: "LF made of CRLF", id: "github", secret: secret, header: github(secret, strings.ReplaceAll(pretty, "\n", "\r\n")), body: pretty, want: "CRLF and not LF"},
		{name: "a BOM added", id: "github", secret: secret, header: github(secret, body), body: "\ufeff" + body, want: "byte order mark before the body is removed"},
		{name: "a BOM taken off", id: "github", secret: secret, header: github(secret, "\ufeff"+body), want: "byte order mark is put before"},
		{name: "indented on the way", id: "github", secret: secret, header: github(secret, body), body: pretty, want: "white space between the JSON's tokens is removed"},
		{name: "compacted on the way", id: "github", secret: secret, header: github(secret, pretty), want: "indented by two spaces"},
		{name: "parsed and written anew by JavaScript", id: "github", secret: secret, header: github(secret, python), body: body, want: "a space after each comma and colon, and characters beyond ASCII are escaped"},
		{name: "spaces taken out", id: "github", secret: secret, header: github(secret, `{"a": 1, "b": [1, 2]}`), body: `{"a":1,"b":[1,2]}`, want: "a space after each comma and colon"},
		{name: "escapes resolved", id: "github", secret: secret, header: github(secret, strings.ReplaceAll(body, "ë", `\u00eb`)), want: "characters beyond ASCII are escaped"},
		{name: "escapes made", id: "github", secret: secret, header: github(secret, body), body: strings.ReplaceAll(body, "ë", `\u00eb`), want: "written as the characters"},
		{name: "slashes escaped by PHP", id: "github", secret: secret, header: github(secret, body), body: strings.ReplaceAll(body, "/", `\/`), want: "slashes are not escaped"},
		{name: "HTML escaped by Go", id: "github", secret: secret, header: github(secret, strings.NewReplacer("<", `\u003c`, ">", `\u003e`).Replace(body)), want: "<, > and & are escaped"},
		{name: "members sorted", id: "github", secret: secret, header: github(secret, `{"a":1,"b":2}`), body: `{"b":2,"a":1}`, want: "sorted by name"},
		{name: "a form encoded anew", id: "github", secret: secret, header: github(secret, "a=x+y"), body: "a=x%20y", want: "spaces in the form are + and not %20"},
		{name: "a form with small escapes", id: "github", secret: secret, header: github(secret, "a=%2f"), body: "a=%2F", want: "in small letters"},
		{name: "another character set", id: "github", secret: secret, header: github(secret, "Zo\xeb"), body: "Zoë", want: "in Latin-1"},
		{name: "compressed on the way", id: "github", secret: secret, header: github(secret, body), body: zip(body), want: "decompressed"},
		{name: "JSON in a JSON string", id: "github", secret: secret, header: github(secret, `{"a":1}`), body: `"{\"a\":1}"`, want: "not a JSON string"},
		{name: "sorted by Python", id: "github", secret: secret, header: github(secret, `{"a": "\u00eb", "b": [1, 2]}`), body: `{"b":[1,2],"a":"ë"}`, want: "sorted by name, with a space after each comma and colon, and characters beyond ASCII"},
		{name: "escapes in capital letters", id: "github", secret: secret, header: github(secret, strings.ReplaceAll(body, "ë", `\u00EB`)), want: "in capital letters"},
		{name: "written by PHP", id: "github", secret: secret, header: github(secret, strings.NewReplacer("/", `\/`, "ë", `\u00eb`).Replace(body)), want: "as PHP does"},
		{name: "written anew by PHP", id: "github", secret: secret, header: github(secret, body), body: strings.NewReplacer("/", `\/`, "ë", `\u00eb`).Replace(body), want: "slashes and characters beyond ASCII are not escaped"},
		{name: "written anew by PHP, and indented", id: "github", secret: secret, header: github(secret, body), body: strings.ReplaceAll(pretty, "/", `\/`), want: "tokens is removed, and slashes are not escaped"},
		{name: "signed as JavaScript writes numbers", id: "github", secret: secret, header: github(secret, strings.ReplaceAll(body, "1.50", "1.5")), want: "numbers are written as JavaScript does"},
		{name: "a number's zero taken off", id: "github", secret: secret, header: github(secret, strings.ReplaceAll(body, "[1,2]", "[1,2.0]")), want: "the number 2 is written 2.0"},
		{name: "put into a JSON string", id: "github", secret: secret, header: github(secret, `"{\"a\":\"<\"}"`), body: `{"a":"<"}`, want: "is a JSON string that holds the JSON"},
		{name: "in base64", id: "github", secret: secret, header: github(secret, body), body: base64.StdEncoding.EncodeToString([]byte(body)), want: "decoded from base64"},
		{name: "a form in another order", id: "github", secret: secret, header: github(secret, "z=1&a=2&m=3"), body: "a=2&m=3&z=1", want: "in another order"},
		{name: "a long form sorted", id: "github", secret: secret, header: github(secret, "a=2&b=&c=3&d=4&z=1"), body: "z=1&a=2&c=3&d=4&b=", want: "fields are sorted"},
		{name: "a form of PHP", id: "github", secret: secret, header: github(secret, "a=x+%2A%7E"), body: "a=x+*%7E", want: "as PHP does"},
		{name: "a form parsed to JSON", id: "github", secret: secret, header: github(secret, "b=x+y&a=%2B"), body: `{"b":"x y","a":"+"}`, want: "a form and not the JSON"},
		{name: "JSON taken out of a form", id: "github", secret: secret, header: github(secret, "payload=%7B%22a%22%3A1%7D"), body: `{"a":1}`, want: "in a form, as payload="},
		{name: "JSON put into a form", id: "github", secret: secret, header: github(secret, `{"a":1}`), body: "payload=%7B%22a%22%3A1%7D", want: "what the form field payload holds"},
		{name: "the body was eaten", id: "github", secret: secret, header: github(secret, ""), body: body, want: "the body is empty"},
		// Times.
		{name: "milliseconds sent, seconds signed", id: "stripe", secret: secret, header: stripe(secret, now.UnixMilli(), fmt.Sprintf("%d.%s", now.Unix(), body)), want: "in seconds and not in milliseconds"},
		{name: "the time is not signed", id: "stripe", secret: secret, header: stripe(secret, now.Unix(), body), want: "the body alone is signed"},
		{name: "this clock is ahead", id: "stripe", secret: secret, header: func() http.Header {
			h := stripe(secret, now.Unix()-720, fmt.Sprintf("%d.%s", now.Unix()-720, body))
			h.Set("Date", now.Add(-720*time.Second).UTC().Format(http.TimeFormat))
			return h
		}(), want: "your clock is 12m ahead of the sender's Date header"},
		{name: "milliseconds sent and signed", id: "slack", secret: secret, header: slack(now.UnixMilli(), fmt.Sprintf("v0:%d:%s", now.UnixMilli(), body)), want: "in milliseconds and not in seconds"},
		{name: "an old message sent just now", id: "stripe", secret: secret, header: dated(stripe(secret, now.Unix()-720, fmt.Sprintf("%d.%s", now.Unix()-720, body)), now), want: "the clocks agree"},
		{name: "another payload", id: "slack", secret: secret, header: slack(now.Unix(), fmt.Sprintf("%d.%s", now.Unix(), body)), want: "matches if {ts}.{body} is signed"},
		// Encodings and algorithms.
		{name: "hex in base64", id: "shopify", secret: secret, header: shopify(base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%x", mac(sha256.New, secret, body)))), want: "decoded from base64 once more"},
		{name: "no padding", id: "shopify", secret: secret, header: shopify(strings.TrimRight(in64, "=")), want: `the "=" at the end`},
		{name: "quotes around the signature", id: "shopify", secret: secret, header: shopify(`"` + in64 + `"`), want: "quotes around the signature"},
		{name: "another element", id: "stripe", secret: secret, header: http.Header{"Stripe-Signature": {fmt.Sprintf("t=%d,v0=%x", now.Unix(), mac(sha256.New, secret, fmt.Sprintf("%d.%s", now.Unix(), body)))}}, want: "element v0 is the signature"},
		{name: "key and message swapped", id: "github", secret: secret, header: github(body, secret), want: "the body is the key"},
		{name: "Bearer before a token", id: "gitlab", secret: secret, header: http.Header{"X-Gitlab-Token": {"Bearer " + secret}}, want: `"Bearer " before the signature`},
		{name: "base64 for hex", id: "github", secret: secret, header: http.Header{"X-Hub-Signature-256": {"sha256=" + base64.StdEncoding.EncodeToString(mac(sha256.New, secret, body))}}, want: "read as base64"},
		{name: "no prefix", id: "github", secret: secret, header: http.Header{"X-Hub-Signature-256": {hex.EncodeToString(mac(sha256.New, secret, body))}}, want: `"sha256=" is missing`},
		{name: "SHA-1", id: "github", secret: secret, header: http.Header{"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(mac(sha1.New, secret, body))}}, want: "SHA1"},
		{name: "a plain hash", id: "github", secret: secret, header: http.Header{"X-Hub-Signature-256": {"sha256=" + fmt.Sprintf("%x", sha256.Sum256([]byte(secret+body)))}}, want: "a plain hash"},
		{name: "an HMAC for a plain hash", id: "hashed", secret: secret, header: http.Header{"X-Hashed": {hex.EncodeToString(mac(sha1.New, secret, body))}}, want: "matches as an HMAC"},
		{name: "MD5", id: "hashed", secret: secret, header: http.Header{"X-Hashed": {fmt.Sprintf("%x", md5.Sum([]byte(secret+body)))}}, want: "MD5"},
		// URLs.
		{name: "http for https", id: "url-bound", secret: secret, header: http.Header{"X-Url-Signature": {base64.StdEncoding.EncodeToString(mac(sha256.New, secret, "https://h.example/in"+body))}}, url: "http://h.example/in", want: `the URL "https://h.example/in"`},
		{name: "another host", id: "url-bound", secret: secret, header: http.Header{"X-Forwarded-Host": {"public.example"}, "X-Url-Signature": {base64.StdEncoding.EncodeToString(mac(sha256.New, secret, "https://public.example/in"+body))}}, want: `the URL "https://public.example/in"`},
		{name: "a slash at the end", id: "url-bound", secret: secret, header: http.Header{"X-Url-Signature": {base64.StdEncoding.EncodeToString(mac(sha256.New, secret, "https://h.example/in/"+body))}}, want: `the URL "https://h.example/in/"`},
		{name: "a port", id: "url-bound", secret: secret, header: http.Header{"X-Url-Signature": {base64.StdEncoding.EncodeToString(mac(sha256.New, secret, "https://h.example/in"+body))}}, url: "https://h.example:4050/in", want: `the URL "https://h.example/in"`},
		{name: "a query in another order", id: "url-bound", secret: secret, header: bound("https://h.example/in?b=2&a=1&c=3"), url: "https://h.example/in?a=1&c=3&b=2", want: `?b=2&a=1&c=3"`},
		{name: "a query escaped otherwise", id: "url-bound", secret: secret, header: bound("https://h.example/in?a=x%20y"), url: "https://h.example/in?a=x+y", want: `?a=x%20y"`},
		{name: "a query escaped twice", id: "url-bound", secret: secret, header: bound("https://h.example/in?a=x%2Fy"), url: "https://h.example/in?a=x%252Fy", want: `?a=x%2Fy"`},
		{name: "a prefix that a proxy took off", id: "url-bound", secret: secret, header: with(bound("https://h.example/api/in?a=1"), "X-Forwarded-Prefix", "/api"), url: "https://h.example/in?a=1", want: `"https://h.example/api/in?a=1"`},
		{name: "a path that a proxy rewrote", id: "url-bound", secret: secret, header: with(bound("https://h.example/api/in?a=1"), "X-Original-Uri", "/api/in?a=1"), want: `"https://h.example/api/in?a=1"`},
		{name: "another port", id: "url-bound", secret: secret, header: with(bound("https://h.example:8443/in"), "X-Forwarded-Port", "8443"), want: `"https://h.example:8443/in"`},
		{name: "another host by RFC 7239", id: "url-bound", secret: secret, header: with(bound("https://public.example/in"), "Forwarded", `for=1.2.3.4;host="public.example";proto=https`), want: `"https://public.example/in"`},
		// Mix-ups.
		{name: "another provider's headers", id: "stripe", secret: secret, header: slack(now.Unix(), fmt.Sprintf("v0:%d:%s", now.Unix(), body)), want: "signed as Slack signs"},
		{name: "two renamed headers", id: "slack", secret: secret, header: func() http.Header {
			h := slack(now.Unix(), fmt.Sprintf("v0:%d:%s", now.Unix(), body))
			return http.Header{"X_slack_signature": h["X-Slack-Signature"], "Fwd-X-Slack-Request-Timestamp": h["X-Slack-Request-Timestamp"]}
		}(), want: "something on the way renamed them"},
		{name: "another provider's secret", id: "github", secret: secret, header: github("other secret", body), others: map[string]string{"stripe": "other secret"}, want: "the secret that is configured for stripe"},
		{name: "another provider's scheme", id: "stripe", secret: secret, header: func() http.Header {
			h := github(secret, body)
			h.Set("Stripe-Signature", "t=1,v1="+strings.Repeat("0", 64))
			return h
		}(), want: "signed as GitHub signs"},
		{name: "a renamed header", id: "github", secret: secret, header: http.Header{"X-Original-Signature": github(secret, body)["X-Hub-Signature-256"]}, want: `in the header "X-Original-Signature"`},
		// Nothing fits: nothing is said.
		{name: "forged", id: "github", secret: secret, header: github("somebody else's", body)},
		{name: "tampered", id: "stripe", secret: secret, header: stripe(secret, now.Unix(), fmt.Sprintf("%d.%s", now.Unix(), "{}"+body))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := catalog.Lookup(tt.id)
			if !ok {
				t.Fatal("no such provider")
			}
			text, at := tt.body, tt.url
			if text == "" {
				text = body
			}
			if at == "" {
				at = "https://h.example/in"
			}
			u, err := url.Parse(at)
			if err != nil {
				t.Fatal(err)
			}
			m := Message{Method: "POST", URL: u, Header: tt.header, Body: []byte(text)}
			if strings.HasPrefix(tt.name, "spaces") || strings.HasPrefix(tt.name, "members") {
				m.Body = []byte(tt.body)
			}
			known := map[string]Keys{tt.id: {Secrets: []Secret{NewSecret(tt.secret)}}}
			for id, s := range tt.others {
				known[id] = Keys{Secrets: []Secret{NewSecret(s)}}
			}
			before := dump(m)
			if v := p.Scheme.Verify(m, known[tt.id], now); v.Status == Valid {
				t.Fatal("there is no mistake")
			}
			got, ok := catalog.Diagnose(p, m, known, now)
			if ok != (tt.want != "") || !strings.Contains(got.Finding+": "+got.Do, tt.want) || ok && got.Do == "" {
				t.Errorf("got %+v, want %q", got, tt.want)
			}
			if dump(m) != before {
				t.Error("the message was changed")
			}
			for _, s := range append([]string{strings.TrimSpace(tt.secret)}, "other secret") {
				if strings.Contains(got.Finding+got.Do, s) {
					t.Errorf("tells the secret: %+v", got)
				}
			}
		})
	}
}

// Diagnosing what nothing fits is bounded.
func BenchmarkDiagnoseNothing(b *testing.B) {
	p, _ := Lookup("github")
	m := Message{Method: "POST", URL: &url.URL{Scheme: "https", Host: "h"}, Header: http.Header{"X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64)}},
		Body: []byte(`{"a":"` + strings.Repeat("é/ ", 20_000) + `"}`)}
	known := map[string]Keys{"github": {Secrets: []Secret{NewSecret("secret")}}}
	for b.Loop() {
		if d, ok := Builtin().Diagnose(p, m, known, someTime); ok {
			b.Fatal(d)
		}
	}
}
