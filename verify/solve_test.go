package verify

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// sampleOf makes message i of an unknown provider, not signed.
func sampleOf(i int) (m Message, body, ts, ms, id string) {
	u, _ := url.Parse(fmt.Sprintf("https://hooks.example/in/acme?tenant=t%d&z=%%41", i))
	body = fmt.Sprintf("{\"event\": \"order.paid\", \"id\": \"evt_%d\", \"n\": 1.50, \"list\": [%d, \"é\"]}", i, i*i)
	seconds := int64(1_790_000_000 + 61*i)
	m = Message{Method: "POST", URL: u, Body: []byte(body), Header: http.Header{
		"Content-Type": {"application/json"}, "Host": {"hooks.example"}, "User-Agent": {"acme/1"}, "X-Acme-Event": {"order.paid"},
	}}
	return m, body, strconv.FormatInt(seconds, 10), strconv.FormatInt(seconds*1000+int64(i), 10), fmt.Sprintf("msg_%08x", 7919*(i+1))
}

func macOf(h func() hash.Hash, key, text string) []byte {
	m := hmac.New(h, []byte(key))
	m.Write([]byte(text))
	return m.Sum(nil)
}

func hashOf(h func() hash.Hash, text string) []byte {
	m := h()
	m.Write([]byte(text))
	return m.Sum(nil)
}

var (
	hexOf = hex.EncodeToString
	b64Of = base64.StdEncoding.EncodeToString
	urlOf = base64.RawURLEncoding.EncodeToString
)

const planted = "0123456789abcdef0123456789abcdef"

// Schemes that are planted, each of which is found. What signs is the standard
// library.
var plantedSchemes = []struct {
	name    string
	secret  string // default: planted
	with    map[string]string
	sign    func(m *Message, body, ts, ms, id string)
	payload string
	has     string // a part of the description
}{
	{name: "sha256 of the body, hex", payload: "{body}", has: `name: "X-Sig"`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, body)))
	}},
	{name: "sha1 with a prefix", payload: "{body}", has: `prefix: "sha1="`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", "sha1="+hexOf(macOf(sha1.New, planted, body)))
	}},
	{name: "sha512 in base64", payload: "{body}", has: "algorithm: sha512", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", b64Of(macOf(sha512.New, planted, body)))
	}},
	{name: "md5 in upper case", payload: "{body}", has: "algorithm: md5", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", strings.ToUpper(hexOf(macOf(md5.New, planted, body))))
	}},
	{name: "base64url after a scheme in Authorization", payload: "{body}", has: `prefix: "HMAC-SHA256 Signature="`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("Authorization", "HMAC-SHA256 Signature="+urlOf(macOf(sha256.New, planted, body)))
	}},
	{name: "a list with the time", payload: "{ts}.{body}", has: `list: {sep: ",", kv: "=", element: "sig"}`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", "ts="+ts+",sig="+hexOf(macOf(sha256.New, planted, ts+"."+body)))
	}},
	{name: "a list with semicolons and milliseconds", payload: "{ts}:{body}", has: `unit: ms`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", "ts="+ms+"; h1="+hexOf(macOf(sha256.New, planted, ms+":"+body)))
	}},
	{name: "a list with a nonce", payload: "{ts}.{sig.nonce}.{body}", has: `element: "s"`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", "t="+ts+",nonce="+id+",s="+b64Of(macOf(sha256.New, planted, ts+"."+id+"."+body)))
	}},
	{name: "a time in a header, nothing between", payload: "{ts}{body}", has: `timestamp: {in: header, name: "X-Acme-Timestamp", unit: s`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Acme-Timestamp", ts)
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, ts+body)))
	}},
	{name: "body before the time, after a bar", payload: "{body}|{ts}", has: "unit: ms", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Request-Time", ms)
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, body+"|"+ms)))
	}},
	{name: "a version first", payload: "v0:{ts}:{body}", has: `prefix: "v0="`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Acme-Timestamp", ts)
		m.Header.Set("X-Sig", "v0="+hexOf(macOf(sha256.New, planted, "v0:"+ts+":"+body)))
	}},
	{name: "Standard Webhooks under names of one's own", secret: "whsec_" + b64Of([]byte(planted)), payload: "{header.Acme-Id}.{ts}.{body}", has: `secret: {strip: "whsec_", decode: base64}`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("Acme-Id", id)
		m.Header.Set("Acme-Timestamp", ts)
		m.Header.Set("Acme-Signature", "v1,"+b64Of(macOf(sha256.New, planted, id+"."+ts+"."+body))+" v1,"+b64Of(macOf(sha256.New, "old", id+"."+ts+"."+body)))
	}},
	{name: "a key in hex", secret: hexOf([]byte("a key that is not text\x00\x01")), payload: "{body}", has: "secret: {decode: hex}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, "a key that is not text\x00\x01", body)))
	}},
	{name: "a key in base64url", secret: urlOf([]byte("\xfb\xff\xfe key of odd bytes")), payload: "{body}", has: "decode: base64url", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, "\xfb\xff\xfe key of odd bytes", body)))
	}},
	{name: "a prefix that is part of the key", secret: "whsec_" + planted, payload: "{body}", has: "algorithm: sha256\nsignature", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, "whsec_"+planted, body)))
	}},
	{name: "method, path, time and body", payload: "{method}\n{path}\n{ts}\n{body}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Date", ts)
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, "POST\n/in/acme\n"+ts+"\n"+body)))
	}},
	{name: "time, method, path with query, body", payload: "{ts}{method}{path}?{query}{body}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("Cb-Access-Timestamp", ts)
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, ts+"POST"+m.URL.RequestURI()+body)))
	}},
	{name: "URL and body", payload: "{url}{body}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", b64Of(macOf(sha1.New, planted, m.URL.String()+body)))
	}},
	{name: "method, URL, body, time", payload: "{method}{url}{body}{ts}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Time", ms)
		m.Header.Set("X-Sig", b64Of(macOf(sha256.New, planted, "POST"+m.URL.String()+body+ms)))
	}},
	{name: "a hash of the body is signed", payload: "{ts}.{sha256hex(body)}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Time", ts)
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, ts+"."+hexOf(hashOf(sha256.New, body)))))
	}},
	{name: "base64 of the body is signed", payload: "{base64(body)}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, b64Of([]byte(body)))))
	}},
	{name: "a plain hash, secret first", payload: "{secret}{body}", has: "scheme: hash", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", hexOf(hashOf(sha1.New, planted+body)))
	}},
	{name: "a plain hash, secret last", payload: "{body}:{secret}", has: "scheme: hash", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", hexOf(hashOf(md5.New, body+":"+planted)))
	}},
	{name: "a plain hash, secret in the middle", payload: "{ts}.{secret}.{body}", has: "scheme: hash", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Time", ts)
		m.Header.Set("X-Sig", hexOf(hashOf(sha256.New, ts+"."+planted+"."+body)))
	}},
	{name: "what is given beside the secret", with: map[string]string{"app_key": "app-4711"}, payload: "{with.app_key}{body}", has: `with: {"app_key": {required: true}}`, sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, "app-4711"+body)))
	}},
	{name: "an id and the body", payload: "{header.X-Acme-Delivery}:{body}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Acme-Delivery", id)
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, id+":"+body)))
	}},
	{name: "the event and the body", payload: "{header.X-Acme-Event}-{body}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, "order.paid-"+body)))
	}},
	{name: "in the query", payload: "{ts}.{body}", has: "in: query", sign: func(m *Message, body, ts, ms, id string) {
		m.URL.RawQuery += "&ts=" + ts + "&sig=" + hexOf(macOf(sha256.New, planted, ts+"."+body))
	}},
	{name: "in the query, of the secret and a time", payload: "{secret}{ts}", has: "scheme: hash", sign: func(m *Message, body, ts, ms, id string) {
		m.URL.RawQuery += "&t=" + ts + "&sign=" + hexOf(hashOf(md5.New, planted+ts))
	}},
	{name: "in a JSON field, of others", payload: "{ts}{body.signature.token}", has: `name: "signature.signature"`, sign: func(m *Message, body, ts, ms, id string) {
		m.Body = fmt.Appendf(nil, `{"signature":{"timestamp":"%s","token":"%s","signature":"%s"},"event-data":{"event":"opened"}}`, ts, id, hexOf(macOf(sha256.New, planted, ts+id)))
	}},
	{name: "in a form field, of others", payload: "{form.order}|{form.amount}|{secret}", has: "in: form", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		m.Body = []byte("order=" + id + "&amount=" + ts[6:] + ".50&note=a+b&sign=" + hexOf(hashOf(sha256.New, id+"|"+ts[6:]+".50|"+planted)))
	}},
	{name: "RFC 3339", payload: "{ts}\n{body}", has: "unit: rfc3339", sign: func(m *Message, body, ts, ms, id string) {
		n, _ := strconv.ParseInt(ts, 10, 64)
		at := time.Unix(n, 0).UTC().Format(time.RFC3339)
		m.Header.Set("X-Signed-At", at)
		m.Header.Set("X-Sig", b64Of(macOf(sha256.New, planted, at+"\n"+body)))
	}},
	{name: "the Date header", payload: "{ts},{body}", has: "unit: http-date", sign: func(m *Message, body, ts, ms, id string) {
		n, _ := strconv.ParseInt(ts, 10, 64)
		at := time.Unix(n, 0).UTC().Format(http.TimeFormat)
		m.Header.Set("Date", at)
		m.Header.Set("X-Sig", hexOf(macOf(sha512.New, planted, at+","+body)))
	}},
	{name: "a time in nanoseconds, which is no time here", payload: "{header.X-Time-Ns}.{body}", sign: func(m *Message, body, ts, ms, id string) {
		m.Header.Set("X-Time-Ns", ms+"000123")
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, ms+"000123."+body)))
	}},
	{name: "a time in the body", payload: "{ts}.{body}", has: "timestamp: {in: body", sign: func(m *Message, body, ts, ms, id string) {
		m.Body = []byte(`{"created":` + ts + `,"id":"` + id + `"}`)
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, ts+"."+string(m.Body))))
	}},
}

func plant(i, n int) (samples []Message) {
	for range n {
		m, body, ts, ms, id := sampleOf(len(samples))
		plantedSchemes[i].sign(&m, body, ts, ms, id)
		samples = append(samples, m)
	}
	return samples
}

func TestSolve(t *testing.T) {
	t.Parallel()
	for i, tt := range plantedSchemes {
		t.Run(tt.name, func(t *testing.T) {
			secret := tt.secret
			if secret == "" {
				secret = planted
			}
			k := Keys{Secrets: []Secret{NewSecret(secret)}, With: tt.with}
			all := plant(i, 4)
			got := new(Catalog).Solve(all[:3], k, someTime)
			if got.Payload != strings.ReplaceAll(tt.payload, "\n", `\n`) || len(got.Agree) != 3 || !strings.Contains(got.YAML, tt.has) {
				t.Fatalf("got %d agree, %s, tried %d, %s\n%s\nwant %s, %s", len(got.Agree), got.Payload, got.Tried, got.Why, got.YAML, tt.payload, tt.has)
			}
			p, err := ParseProvider([]byte(got.YAML))
			if err != nil {
				t.Fatalf("%v\n%s", err, got.YAML)
			}
			if strings.Contains(got.YAML, secret) || tt.with != nil && strings.Contains(got.YAML, "app-4711") {
				t.Errorf("the secret is told:\n%s", got.YAML)
			}
			at := time.Unix(1_790_000_000+61*3, 0)
			want(t, p.Scheme.Verify(all[3], k, at), Valid, "")
			for _, trial := range p.Trials(someTime) {
				if trial.Fault != "" {
					t.Errorf("%s: %s", trial.Law, trial.Fault)
				}
			}
			if i%6 != 0 { // to find nothing takes longest
				return
			}
			other := new(Catalog).Solve(all[:3], Keys{Secrets: []Secret{NewSecret("another secret")}, With: tt.with}, someTime)
			if other.YAML != "" || other.Why == "" || other.Help == "" {
				t.Errorf("with another secret: %+v", other)
			}
		})
	}
}

// One recording is enough where the body is signed.
func TestSolveOne(t *testing.T) {
	t.Parallel()
	for i, tt := range plantedSchemes {
		if !strings.Contains(tt.payload, "body}") && !strings.Contains(tt.payload, "(body)") || tt.secret != "" || tt.with != nil {
			continue
		}
		got := new(Catalog).Solve(plant(i, 1), Keys{Secrets: []Secret{NewSecret(planted)}}, someTime)
		if got.YAML == "" || len(got.Agree) != 1 {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

func TestSolveStaysSilent(t *testing.T) {
	t.Parallel()
	k := Keys{Secrets: []Secret{NewSecret(planted)}}
	with := func(n int, f func(m *Message, i int)) (all []Message) {
		for i := range n {
			m, _, _, _, _ := sampleOf(i)
			f(&m, i)
			all = append(all, m)
		}
		return all
	}
	for _, tt := range []struct {
		name      string
		samples   []Message
		why, help string
	}{
		{"nothing that looks like a signature", with(2, func(m *Message, i int) {}), "nothing looks like a signature", "with all its headers"},
		{"a constant that is not the secret", with(3, func(m *Message, i int) { m.Header.Set("X-Token", hexOf(hashOf(sha256.New, "x"))) }), "header X-Token is the same in all 3 recordings", "token"},
		{"random bytes", with(3, func(m *Message, i int) { m.Header.Set("X-Sig", hexOf(hashOf(sha256.New, fmt.Sprint(i)))) }), "no formula gives what is in header X-Sig (32 bytes in hex)", "the right secret"},
		{"a body that was changed", with(1, func(m *Message, i int) {
			m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, string(m.Body))))
			m.Body = append(m.Body, ' ')
		}), "no formula gives", "byte for byte"},
		{"no body", with(3, func(m *Message, i int) {
			m.Body = nil
			m.Header.Set("X-Time", strconv.Itoa(1_790_000_000+i))
			m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, strconv.Itoa(1_790_000_000+i))))
		}), "the body is empty", "a recording with a body"},
		{"an empty body and nothing else", with(1, func(m *Message, i int) {
			m.Body = nil
			m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, "")))
		}), "the body is empty", "a recording with a body"},
		{"a time alone, once", with(1, func(m *Message, i int) {
			m.Header.Set("X-Time", "1790000000")
			m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, "1790000000")))
		}), "does not depend on the body", "another recording whose body is different"},
		{"a path alone, of which all recordings have the same", with(3, func(m *Message, i int) { m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, "/in/acme"))) }), "does not depend on the body", "another recording"},
		{"one recording three times", with(3, func(m *Message, i int) {
			*m, _, _, _, _ = sampleOf(0)
			m.Header.Set("X-Time", "1790000000")
			m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, "1790000000")))
		}), "does not depend on the body", "another recording"},
		{"SHA-384", with(2, func(m *Message, i int) { m.Header.Set("X-Sig", hexOf(macOf(sha512.New384, planted, string(m.Body)))) }), "header X-Sig has 48 bytes in hex, as SHA-384 makes them", "SHA-256"},
		{"half a signature", with(2, func(m *Message, i int) { m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, string(m.Body))[:16])) }), "no formula gives", "the right secret"},
	} {
		got := new(Catalog).Solve(tt.samples, k, someTime)
		if got.YAML != "" || len(got.Agree) > 0 || !strings.Contains(got.Why, tt.why) || !strings.Contains(got.Help, tt.help) {
			t.Errorf("%s: %+v", tt.name, got)
		}
		if strings.Contains(fmt.Sprint(got), planted) {
			t.Errorf("%s: the secret is told", tt.name)
		}
	}
	if got := new(Catalog).Solve(plant(0, 1), Keys{}, someTime); got.Why == "" {
		t.Errorf("no secret: %+v", got)
	}
	if got := new(Catalog).Solve(nil, k, someTime); got.Why == "" {
		t.Errorf("no recording: %+v", got)
	}
}

// A line break that an editor has put at the end of a recording is told.
func TestSolveTrimmed(t *testing.T) {
	all := plant(0, 2)
	for i := range all {
		all[i].Body = append(all[i].Body, '\n')
	}
	got := new(Catalog).Solve(all, Keys{Secrets: []Secret{NewSecret(planted)}}, someTime)
	if got.Payload != "{body}" || len(got.Agree) != 2 || !got.Trimmed {
		t.Errorf("got %+v", got)
	}
}

// A time alone is found where two recordings differ.
func TestSolveTwoThatDiffer(t *testing.T) {
	var all []Message
	for i := range 2 {
		m, _, ts, _, _ := sampleOf(i)
		m.Header.Set("X-Time", ts)
		m.Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, ts)))
		all = append(all, m)
	}
	got := new(Catalog).Solve(all, Keys{Secrets: []Secret{NewSecret(planted)}}, someTime)
	if got.Payload != "{ts}" || len(got.Agree) != 2 {
		t.Errorf("got %+v", got)
	}
	for i := range all { // which have no body
		all[i].Method, all[i].Body = "GET", nil
	}
	got = new(Catalog).Solve(all, Keys{Secrets: []Secret{NewSecret(planted)}}, someTime)
	if got.Payload != "{ts}" || len(got.Agree) != 2 {
		t.Errorf("got %+v", got)
	}
	if got = new(Catalog).Solve(all[:1], Keys{Secrets: []Secret{NewSecret(planted)}}, someTime); got.YAML != "" {
		t.Errorf("got %+v", got)
	}
}

func TestSolveTokens(t *testing.T) {
	for _, tt := range []struct{ name, header, value, secret, want string }{
		{"a token", "X-Token", "open-sesame", "open-sesame", "scheme: token\nsignature: {in: header, name: \"X-Token\"}\n"},
		{"a bearer", "Authorization", "Bearer open-sesame", "open-sesame", `prefix: "Bearer "`},
		{"user and password", "Authorization", "Basic " + b64Of([]byte("u:open-sesame")), "u:open-sesame", "scheme: basic"},
		{"another token", "X-Token", "open-barley", "open-sesame", ""},
		{"too short to tell", "X-Token", "x", "x", ""},
	} {
		m, _, _, _, _ := sampleOf(1)
		m.Header.Set(tt.header, tt.value)
		got := new(Catalog).Solve([]Message{m}, Keys{Secrets: []Secret{NewSecret(tt.secret)}}, someTime)
		if !strings.Contains(got.YAML, tt.want) || (got.YAML == "") != (tt.want == "") {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// Not all recordings need be of one scheme, and what fits as well is told.
func TestSolveSome(t *testing.T) {
	t.Parallel()
	all := plant(8, 3)
	all[1].Body = append(all[1].Body, ' ')
	for _, m := range all {
		m.Header.Set("X-Other-Time", m.Header.Get("X-Acme-Timestamp"))
	}
	got := new(Catalog).Solve(all, Keys{Secrets: []Secret{NewSecret(planted)}}, someTime)
	if fmt.Sprint(got.Agree) != "[0 2]" || got.YAML == "" || fmt.Sprint(got.Same) != "[{ts}{body}, {ts} from header X-Other-Time]" {
		t.Errorf("got %+v", got)
	}
}

func TestSolveKnown(t *testing.T) {
	for _, id := range []string{"stripe", "slack", "github", "standard-webhooks", "tiktok", "mailgun", "tencent-live", "gitlab"} {
		p, _ := Lookup(id)
		d := p.Scheme.(*declared)
		k := keysFor(d, random(), 1)
		var all []Message
		for i := range 3 {
			m, _, _, _, _ := sampleOf(i)
			if d.signature.in == inBody {
				m.Body = fmt.Appendf(nil, `{"signature":{"token":"%d"}}`, i)
			}
			if id == "gitlab" {
				k.Secrets = []Secret{NewSecret("open sesame")}
			}
			if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime.Add(time.Duration(i)*time.Minute)); err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		got := Builtin().Solve(all, k, someTime)
		if len(got.Known) == 0 || got.Known[0].ID != id || len(got.Agree) != 3 || got.YAML == "" {
			t.Errorf("%s: %v %+v", id, got.Known, got)
		}
		if _, err := ParseProvider([]byte(got.YAML)); err != nil {
			t.Errorf("%s: %v\n%s", id, err, got.YAML)
		}
	}
}

// The work is bounded.
func TestSolveLarge(t *testing.T) {
	t.Parallel()
	var all []Message
	for i := range 10 {
		m, _, ts, _, id := sampleOf(i)
		m.Header.Set("X-Id", id)
		m.Header.Set("X-Time", ts)
		m.Header.Set("X-Sig", hexOf(hashOf(sha256.New, ts)))
		m.Header.Set("X-Sig-2", hexOf(hashOf(sha512.New, ts)))
		m.Body = fmt.Appendf(nil, `{"id":%d,"text":"%s","items":[%s1]}`, i, strings.Repeat("x", 500<<10), strings.Repeat("1,", 250<<10))
		all = append(all, m)
	}
	started := time.Now()
	got := Builtin().Solve(all, Keys{Secrets: []Secret{NewSecret(planted)}}, someTime)
	t.Logf("%d tried in %s", got.Tried, time.Since(started))
	if got.YAML != "" || !strings.Contains(got.Help, "a small body") {
		t.Errorf("got %+v", got)
	}
	for i := range all {
		ts := all[i].Header.Get("X-Time")
		all[i].Header.Set("X-Sig", hexOf(macOf(sha256.New, planted, ts+"."+string(all[i].Body))))
	}
	if got = Builtin().Solve(all, Keys{Secrets: []Secret{NewSecret(planted)}}, someTime); len(got.Agree) != 10 {
		t.Errorf("got %+v", got)
	}
}

// What is no text stands in no formula.
func TestSolveControlCharacters(t *testing.T) {
	for _, m := range []Message{
		{Method: "POST", URL: &url.URL{Scheme: "https", Host: "x", Path: "/", RawQuery: "a=1\x00"}},
		{Method: "POST", URL: &url.URL{Scheme: "https", Host: "x\x00", Path: "/"}},
		{Method: "PO\x00", URL: &url.URL{Scheme: "https", Host: "x", Path: "/"}},
	} {
		m.Header, m.Body = http.Header{"X-Sig": {hexOf(hashOf(sha256.New, "x"))}}, []byte("{}")
		if got := new(Catalog).Solve([]Message{m}, Keys{Secrets: []Secret{NewSecret(planted)}}, someTime); got.Tried == 0 || got.YAML != "" {
			t.Errorf("%q %q: %+v", m.Method, m.URL, got)
		}
	}
}

// Laws: no message makes Solve panic or takes it long; what it proposes can be
// read, verifies the message, and does not tell the secret.
func FuzzSolve(f *testing.F) {
	for i := range plantedSchemes {
		m := plant(i, 1)[0]
		f.Add(m.URL.RawQuery, headerText(m.Header), m.Body)
	}
	const secret = planted
	k := Keys{Secrets: []Secret{NewSecret(secret)}}
	f.Fuzz(func(t *testing.T, query, header string, body []byte) {
		m := fuzzed(query, header, body)
		got := new(Catalog).solve([]Message{m}, k, someTime, 1<<20)
		if got.YAML == "" {
			if got.Why == "" || got.Help == "" {
				t.Errorf("silent without a reason: %+v", got)
			}
			return
		}
		p, err := ParseProvider([]byte(got.YAML))
		if err != nil || strings.Contains(got.YAML, secret) {
			t.Fatalf("%v\n%s", err, got.YAML)
		}
		if !right(p.Scheme.(*declared), m, k, someTime) {
			t.Errorf("proposed, and not right:\n%s", got.YAML)
		}
	})
}
