package verify

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestPorts(t *testing.T) {
	for _, tt := range []struct{ url, with, without string }{
		{"https://h/p?a=:1", "https://h:443/p?a=:1", "https://h/p?a=:1"},
		{"HTTP://h", "HTTP://h:80", "HTTP://h"},
		{"https://h:8443/p", "https://h:8443/p", "https://h/p"},
		{"https://u:p@h/", "https://u:p@h:443/", "https://u:p@h/"},
		{"https://[::1]/", "https://[::1]:443/", "https://[::1]/"},
		{"https://[::1]:1?x", "https://[::1]:1?x", "https://[::1]?x"},
		{"/p", "/p", "/p"},
	} {
		if got := withPort(tt.url); got != tt.with {
			t.Errorf("withPort(%q) = %q, want %q", tt.url, got, tt.with)
		}
		if got := withoutPort(tt.url); got != tt.without {
			t.Errorf("withoutPort(%q) = %q, want %q", tt.url, got, tt.without)
		}
	}
}

func TestSortedForm(t *testing.T) {
	for _, tt := range []struct {
		name, media, body, want string
		how                     presence
	}{
		{"names before values", "application/x-www-form-urlencoded", "ab=1&a=c&a=b&a=b", "abacab1", present},
		{"decoded", "application/x-www-form-urlencoded; charset=utf-8", "a=%C3%A9+x&=1&b", "1aé xb", present},
		{"an empty body", "application/json", "", "", present},
		{"JSON", "application/json", "{}", "", absent},
		{"JSON that calls itself a form", "application/x-www-form-urlencoded", "{}", "", absent},
		{"a broken escape", "application/x-www-form-urlencoded", "a=%zz", "", unreadable},
		{"too many", "application/x-www-form-urlencoded", strings.Repeat("a&", maxParams+1), "", unreadable},
	} {
		m := Message{Header: http.Header{"Content-Type": {tt.media}}, Body: []byte(tt.body)}
		if got, how := sortedForm(&m); got != tt.want || how != tt.how {
			t.Errorf("%s: %q, %v, want %q, %v", tt.name, got, how, tt.want, tt.how)
		}
	}
}

func TestSignedHeadersThatAreNotClear(t *testing.T) {
	p := provider(t, "contentful")
	k := Keys{Secrets: []Secret{NewSecret(strings.Repeat("s", 64))}}
	for what, change := range map[string]func(h http.Header){
		"no list":              func(h http.Header) { h.Del("X-Contentful-Signed-Headers") },
		"an empty name":        func(h http.Header) { h["X-Contentful-Signed-Headers"][0] += "," },
		"a header twice":       func(h http.Header) { h.Add("X-Topic", "b") },
		"a header that went":   func(h http.Header) { h.Del("X-Topic") },
		"a name twice":         func(h http.Header) { h["X-Contentful-Signed-Headers"][0] += ",X-Topic" },
		"the signature itself": func(h http.Header) { h["X-Contentful-Signed-Headers"][0] += ",x-contentful-signature" },
		"without itself": func(h http.Header) {
			h.Set("X-Contentful-Signed-Headers", "x-contentful-timestamp,x-topic")
		},
		"too many": func(h http.Header) {
			h["X-Contentful-Signed-Headers"][0] += strings.Repeat(",a", maxSignedHeaders)
		},
	} {
		m := Message{Method: "POST", URL: &url.URL{Path: "/x"}, Header: http.Header{
			"X-Topic": {"a"}, "X-Contentful-Signed-Headers": {"x-contentful-signed-headers,x-contentful-timestamp,x-topic"},
		}}
		sign(t, p, &m, k, someTime)
		want(t, p.Scheme.Verify(m, k, someTime), Valid, "")
		change(m.Header)
		if v := p.Scheme.Verify(m, k, someTime); v.Reason != MalformedSignature {
			t.Errorf("%s: %+v", what, v)
		}
		sign(t, p, &m, k, someTime) // signing mends it
		want(t, p.Scheme.Verify(m, k, someTime), Valid, "")
	}
}

func TestHandshakesOfProviders(t *testing.T) {
	wechat := "https://h/?signature=9fc6f4f8d4a4ac4d2b4b9e1f6f0f2b6e4a5b6c7d&timestamp=1&nonce=2&echostr=e"
	for _, tt := range []struct {
		name, id, method, url string
		keys                  Keys
		want                  string // "": not answered
	}{
		// echo -n 20f9f8ed05f77439fe955c977e4c8a53 | openssl dgst -sha1 -mac HMAC -macopt hexkey:(SHA-1 of integration_private_key)
		{"Braintree's challenge", "braintree", "GET", "https://h/?bt_challenge=20f9f8ed05f77439fe955c977e4c8a53",
			Keys{Secrets: []Secret{NewSecret("integration_private_key")}, With: map[string]string{"public_key": "integration_public_key"}},
			"integration_public_key|d9b899556c966b3f06945ec21311865d35df3ce4"},
		{"no hex", "braintree", "GET", "https://h/?bt_challenge=PG5vdGlmaWNhdGlvbj48a2luZD4",
			Keys{Secrets: []Secret{NewSecret("k")}, With: map[string]string{"public_key": "p"}}, ""},
		{"too long a hex", "braintree", "GET", "https://h/?bt_challenge=" + strings.Repeat("a", 33),
			Keys{Secrets: []Secret{NewSecret("k")}, With: map[string]string{"public_key": "p"}}, ""},
		{"no public key", "braintree", "GET", "https://h/?bt_challenge=20f9f8ed05f77439fe955c977e4c8a53", Keys{Secrets: []Secret{NewSecret("k")}}, ""},
		{"Airship, not signed", "airship", "GET", "https://h/a/validate", Keys{Secrets: []Secret{NewSecret("k")}, With: map[string]string{"confirmation_code": `c"d`}}, ""},
		{"Airship, no secret", "airship", "GET", "https://h/a/validate", Keys{With: map[string]string{"confirmation_code": `c"d`}}, `{"confirmation_code":"c\"d"}`},
		{"Airship, another path", "airship", "GET", "https://h/a", Keys{With: map[string]string{"confirmation_code": "c"}}, ""},
		{"WeChat, forged", "wechat", "GET", wechat, Keys{Secrets: []Secret{NewSecret("k")}}, ""},
		{"WeChat, no token known", "wechat", "GET", wechat, Keys{}, "e"},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		m := Message{Method: tt.method, URL: u, Header: http.Header{"X-Ua-Signature": {"0"}}}
		a, ok := provider(t, tt.id).Handshake(m, tt.keys, someTime)
		if ok != (tt.want != "") || string(a.Body) != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, a.Body, ok, tt.want)
		}
	}
}

// Questions with a body, each signed as the provider signs, and messages that
// look like them and are none: those are events, which the app must get.
func TestQuestionsInBodies(t *testing.T) {
	for _, tt := range []struct {
		name, id, header, body string
		status                 int // 0: not answered
		want                   string
	}{
		{"Discord's ping", "discord", "", `{"type":1}`, 200, `{"type":1}`},
		{"Discord's ping, whole", "discord", "", `{"application_id":"1","id":"2","token":"t","type":1,"version":1}`, 200, `{"type":1}`},
		{"Discord's ping of events", "discord", "", `{"version":1,"application_id":"1","type":0}`, 204, ""},
		{"Discord's event", "discord", "", `{"version":1,"application_id":"1","type":1,"event":{"type":"APPLICATION_AUTHORIZED","timestamp":"2024-10-18T14:42:53.064834","data":{}}}`, 0, ""},
		{"Terraform's verification", "terraform", "", `{"notifications":[{"trigger":"verification"}]}`, 200, ""},
		{"Terraform's run", "terraform", "", `{"notifications":[{"trigger":"run:created"}]}`, 0, ""},
		{"LINE's verification", "line", "", `{"destination":"U1","events":[]}`, 200, ""},
		{"LINE's event", "line", "", `{"destination":"U1","events":[{"type":"message"}]}`, 0, ""},
		{"Wise's test", "wise", "X-Test-Notification: true", `{"event_type":"balances#credit"}`, 200, ""},
		{"Wise's event", "wise", "", `{"event_type":"balances#credit"}`, 0, ""},
		{"Event Grid's code", "azure-event-grid", "Aeg-Event-Type: SubscriptionValidation", `[{"data":{"validationCode":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}}]`, 200, `{"validationResponse":"512d38b6-c7b8-40c8-89fe-f46f9e9622b6"}`},
		{"Event Grid's event", "azure-event-grid", "Aeg-Event-Type: Notification", `[{"data":{"validationCode":"512d38b6"}}]`, 0, ""},
	} {
		p := provider(t, tt.id)
		k := keysFor(p.Scheme.(*declared), random(), 1)
		m := Message{Method: "POST", URL: &url.URL{Scheme: "https", Host: "h", Path: "/"}, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(tt.body)}
		if name, value, ok := strings.Cut(tt.header, ": "); ok {
			m.Header.Set(name, value)
		}
		if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil {
			t.Fatal(err)
		}
		a, ok := p.Handshake(m, k, someTime)
		if ok != (tt.status != 0) || a.Status != tt.status || string(a.Body) != tt.want {
			t.Errorf("%s: %d %q, %v, want %d %q", tt.name, a.Status, a.Body, ok, tt.status, tt.want)
		}
		m.Body = append(m.Body, ' ')
		if a, ok := p.Handshake(m, k, someTime); ok && tt.id != "azure-event-grid" {
			t.Errorf("%s, tampered: %d %q", tt.name, a.Status, a.Body)
		}
	}
	for _, tt := range []struct{ id, method, header string }{{"azure-event-grid", "OPTIONS", "eventgrid.azure.net"}, {"mailchimp", "GET", ""}} {
		m := Message{Method: tt.method, URL: &url.URL{Scheme: "https", Host: "h", Path: "/"}, Header: http.Header{"Webhook-Request-Origin": {tt.header}}}
		if a, ok := provider(t, tt.id).Handshake(m, Keys{}, someTime); !ok || a.Status != 200 || a.Header.Get("Webhook-Allowed-Origin") != tt.header {
			t.Errorf("%s: %+v, %v", tt.id, a, ok)
		}
	}
}

func TestWhatWouldNotBeSigned(t *testing.T) {
	const head = "id: x\nscheme: hmac\nalgorithm: sha256\nsignature: {in: header, name: X-Sig, encoding: hex}\n"
	const list = "id: x\nscheme: hmac\nalgorithm: sha256\nsignature: {in: header, name: X-Sig, encoding: hex, list: {sep: \",\", kv: \"=\", element: v1}}\n"
	for _, tt := range []struct{ src, want string }{
		{head + "payload: '{body}'\ndigest: {in: query, name: d, algorithm: sha256, encoding: hex}", "does not cover the digest"},
		{head + "payload: ['{url}{sorted_form}', '{body}']\ndigest: {in: query, name: d, algorithm: sha256, encoding: hex}", "does not cover the digest"},
		{head + "payload: '{signed_headers}'", "needs signed_headers"},
		{head + "payload: '{body}'\nsigned_headers: {in: header, name: X-L, sep: ',', form: value, join: '', names: [a]}", "does not refer"},
		{head + "payload: '{signed_headers}'\nsigned_headers: {in: header, name: X-L, sep: ',', form: value, join: '', names: [x-l]}", "could be moved"},
		{head + "payload: '{signed_headers}'\nsigned_headers: {in: header, name: X-L, sep: ',', form: 'name:value', join: '', names: [x-l, x-sig]}", "covers the signature itself"},
		{head + "payload: ['{header.X-T}', '{body}']\ntimestamp: {in: header, name: X-T, unit: s}", "anyone could change it"},
		{head + "payload: '{body}'\ntimestamp: {in: body, name: t, unit: s, also: t}", "an element of signature.list"},
		{list + "payload: '{body}'\ntimestamp: {in: body, name: t, unit: s, also: v1}", "an element of signature.list"},
		{head + "payload: '{body}'\nnonce: {from: '{header.X-N}', fresh: '{hex:4}'}", "the payload refers to"},
		{head + "payload: '{code.plivoo}'", "unknown code"},
		{strings.Replace(head, "X-Sig", "Content-Type", 1) + "payload: '{url}{sorted_form}'", "covers the signature itself"},
		{strings.Replace(head, "X-Sig", "content-type", 1) + "payload: '{code.plivo}'", "covers the signature itself"},
		{strings.Replace(head, "X-Sig", "Content-Encoding", 1) + "payload: '{decoded_body}'", "covers the signature itself"},
		{head + "payload: '{url}{sorted_form}'\ntimestamp: {in: header, name: Content-Type, unit: s}", "anyone could change it"},
		{head + "payload: '{sorted(body,method)}'", "short texts"},
		{head + "payload: '{sorted(secret,method)}'", "is the key"},
		{head + "payload: '{body}'\nsecret: {hash: sha3}", "unknown algorithm"},
		{strings.Replace(head, "encoding: hex", "encoding: hex, path: a", 1) + "payload: '{body}'", "JSON in a form field"},
		{strings.Replace(list, "element: v1", "key: id, multiple: true", 1) + "payload: '{body}'", "must be in with"},
		{strings.Replace(list, "element: v1", "bare: true, element: v1", 1) + "payload: '{body}'", "a bare signature"},
		{head + "payload: '{body}'\nmarks: [{path: '{object}'}]", "for JSON fields only"},
		{head + "payload: '{body}'\nhandshake: [{when: {method: GET}, respond: {body: '{with.code}'}}]", "must be in with"},
	} {
		if _, err := ParseProvider([]byte(tt.src)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s\ngot  %v\nwant %s", tt.src, err, tt.want)
		}
	}
}
