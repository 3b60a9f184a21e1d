package verify

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// An app is a handler behind a Guard that remembers what it was given.
type app struct {
	calls    int
	verified Verified
	ok       bool
	body     string
	length   int64
	err      error
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.calls++
	a.verified, a.ok = FromContext(r.Context())
	a.length = r.ContentLength
	body, err := io.ReadAll(r.Body)
	a.body, a.err = string(body), err
	w.WriteHeader(http.StatusNoContent)
}

// serve starts a real server with g before an app.
func serve(t *testing.T, g Guard, change ...func(*httptest.Server)) (*httptest.Server, *app) {
	t.Helper()
	a := &app{}
	s := httptest.NewUnstartedServer(g.Handler(a))
	t.Cleanup(s.Close)
	for _, f := range change {
		f(s)
	}
	if s.TLS != nil {
		s.StartTLS()
	} else {
		s.Start()
	}
	return s, a
}

const guardSecret = "It's a Secret to Everybody"

// pushed is GitHub's documented example.
const (
	pushedBody      = "Hello, World!"
	pushedSignature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
)

func githubKeys(secrets ...string) map[string]Keys {
	var k Keys
	for _, s := range secrets {
		k.Secrets = append(k.Secrets, NewSecret(s))
	}
	return map[string]Keys{"github": k}
}

func post(t *testing.T, to string, body io.Reader, header http.Header) *http.Request {
	t.Helper()
	r, err := http.NewRequest("POST", to, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	return r
}

// do sends r and gives the status and body of the answer.
func do(t *testing.T, s *httptest.Server, r *http.Request) (int, string) {
	t.Helper()
	answer, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// Every published vector, sent over a socket: the handler gets what is valid,
// byte for byte, and nothing else.
func TestGuardVectors(t *testing.T) {
	for _, p := range Providers() {
		for _, v := range vectors(t, p.ID) {
			base, err := url.Parse(v.URL)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(p.ID+"/"+v.Name, func(t *testing.T) {
				m := v.message(t)
				g := Guard{
					Keys: map[string]Keys{p.ID: v.Keys()}, BaseURL: &url.URL{Scheme: base.Scheme, Host: base.Host},
					Now: func() time.Time { return time.Unix(v.Now, 0) },
				}
				s, a := serve(t, g)
				r := post(t, s.URL+base.RequestURI(), bytes.NewReader(m.Body), m.Header)
				r.Method, r.Host = m.Method, base.Host
				delete(r.Header, "Host")
				delete(r.Header, "Content-Length")
				status, answer := do(t, s, r)
				_, isHandshake := p.Handshake(m, v.Keys(), time.Unix(v.Now, 0))
				switch {
				case isHandshake:
					if a.calls > 0 || status == 204 {
						t.Errorf("a handshake: %d, the app was called %d times", status, a.calls)
					}
				case v.Status == Valid:
					if status != 204 || !a.ok || a.body != string(m.Body) || a.length != int64(len(m.Body)) || a.err != nil {
						t.Errorf("valid: %d %s, the app got %+v", status, answer, a)
					}
					if a.verified != (Verified{p.ID, Verdict{Status: Valid}, p.Event(m), p.DeliveryID(m)}) {
						t.Errorf("got %+v", a.verified)
					}
				case v.Reason == NoSecret || v.Reason == Unsupported:
					if a.calls > 0 || status != 500 {
						t.Errorf("%s: %d %s", v.Reason, status, answer)
					}
				default:
					if a.calls > 0 || status != p.Reject.Status || answer != string(p.Reject.Body) {
						t.Errorf("%s: %d %s, the app was called %d times", v.Reason, status, answer, a.calls)
					}
				}
			})
		}
	}
}

func TestGuard(t *testing.T) {
	github, _ := Lookup("github")
	signed := http.Header{"X-Hub-Signature-256": {pushedSignature}, "X-Github-Event": {"push"}, "X-Github-Delivery": {"d1"}}
	with := func(change func(http.Header)) http.Header {
		h := signed.Clone()
		change(h)
		return h
	}
	large := strings.Repeat("x", 3000) // little enough to be sent before the answer comes
	for _, tt := range []struct {
		name    string
		guard   Guard
		header  http.Header
		body    string
		chunked bool
		status  int
		called  bool
		ok      bool
		reason  Reason
	}{
		{name: "signed", guard: Guard{Keys: githubKeys(guardSecret)}, header: signed, body: pushedBody, status: 204, called: true, ok: true},
		{name: "chunked", guard: Guard{Keys: githubKeys(guardSecret)}, header: signed, body: pushedBody, chunked: true, status: 204, called: true, ok: true},
		{name: "with the second secret", guard: Guard{Keys: githubKeys("old", "", guardSecret)}, header: signed, body: pushedBody, status: 204, called: true, ok: true},
		{name: "expecting 100", guard: Guard{Keys: githubKeys(guardSecret)}, header: with(func(h http.Header) { h.Set("Expect", "100-continue") }), body: pushedBody, status: 204, called: true, ok: true},
		{name: "exactly as large as may be", guard: Guard{Keys: githubKeys(guardSecret), MaxBody: int64(len(pushedBody))}, header: signed, body: pushedBody, status: 204, called: true, ok: true},

		{name: "another body", guard: Guard{Keys: githubKeys(guardSecret)}, header: signed, body: pushedBody + "\n", status: 403, reason: BadSignature},
		{name: "no body", guard: Guard{Keys: githubKeys(guardSecret)}, header: signed, status: 403, reason: BadSignature},
		{name: "not signed", guard: Guard{Keys: githubKeys(guardSecret)}, header: with(func(h http.Header) { h.Del("X-Hub-Signature-256") }), body: pushedBody, status: 403, reason: MissingSignature},
		{name: "signed twice", guard: Guard{Keys: githubKeys(guardSecret)}, header: with(func(h http.Header) { h.Add("X-Hub-Signature-256", pushedSignature) }), body: pushedBody, status: 403, reason: MalformedSignature},
		{name: "signed twice in one", guard: Guard{Keys: githubKeys(guardSecret)}, header: with(func(h http.Header) { h.Set("X-Hub-Signature-256", pushedSignature+", "+pushedSignature) }), body: pushedBody, status: 403, reason: MalformedSignature},
		{name: "too large by a byte", guard: Guard{Keys: githubKeys(guardSecret), MaxBody: int64(len(pushedBody)) - 1}, header: signed, body: pushedBody, status: 413, reason: TooLarge},
		{name: "too large and chunked", guard: Guard{Keys: githubKeys(guardSecret), MaxBody: 12}, header: signed, body: large, chunked: true, status: 413, reason: TooLarge},
		{name: "too large, expecting 100", guard: Guard{Keys: githubKeys(guardSecret), MaxBody: 12}, header: with(func(h http.Header) { h.Set("Expect", "100-continue") }), body: large, status: 413, reason: TooLarge},
		{name: "no secret", guard: Guard{Keys: map[string]Keys{"github": {}}}, header: signed, body: pushedBody, status: 500, reason: NoSecret},
		{name: "the zero Guard", header: signed, body: pushedBody, status: 500, reason: NoSecret},
		{name: "an unknown provider", guard: Guard{Keys: map[string]Keys{"github": githubKeys(guardSecret)["github"], "gihtub": {}}}, header: signed, body: pushedBody, status: 500, reason: NoSecret},
		{name: "a provider that is not in the catalog", guard: Guard{Catalog: new(Catalog), Keys: githubKeys(guardSecret)}, header: signed, body: pushedBody, status: 500, reason: NoSecret},

		{name: "report only: forged", guard: Guard{Keys: githubKeys("other"), ReportOnly: true}, header: signed, body: pushedBody, status: 204, called: true, reason: BadSignature},
		{name: "report only: signed", guard: Guard{Keys: githubKeys(guardSecret), ReportOnly: true}, header: signed, body: pushedBody, status: 204, called: true, ok: true},
		{name: "report only: too large", guard: Guard{Keys: githubKeys(guardSecret), ReportOnly: true, MaxBody: 12}, header: signed, body: pushedBody, status: 204, called: true, reason: TooLarge},
		{name: "report only: too large and chunked", guard: Guard{Keys: githubKeys(guardSecret), ReportOnly: true, MaxBody: 12}, header: signed, body: pushedBody, chunked: true, status: 204, called: true, reason: TooLarge},
	} {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
			t.Run(tt.name+"/"+protocol, func(t *testing.T) {
				var told []Verified
				g := tt.guard
				g.Refused = func(r *http.Request, v Verified) {
					told = append(told, v)
					if got, ok := FromContext(r.Context()); got != v || ok {
						t.Errorf("Refused is given %+v, and FromContext gives %+v, %v", v, got, ok)
					}
				}
				s, a := serve(t, g, func(s *httptest.Server) {
					if protocol == "HTTP/2.0" {
						s.EnableHTTP2, s.TLS = true, new(tls.Config)
					}
				})
				var body io.Reader = strings.NewReader(tt.body)
				if tt.chunked {
					body = io.MultiReader(body)
				}
				r := post(t, s.URL, body, tt.header)
				status, answer := do(t, s, r)
				if status != tt.status || a.calls > 1 || (a.calls == 1) != tt.called || a.ok != tt.ok {
					t.Errorf("%d %s, the app: %+v", status, answer, a)
				}
				got := a.verified
				if !tt.called {
					if len(told) != 1 {
						t.Fatalf("Refused was called %d times", len(told))
					}
					got = told[0]
				}
				if got.Verdict.Reason != tt.reason {
					t.Errorf("got %+v, want %s", got, tt.reason)
				}
				if tt.called && (a.body != pushedBody || a.err != nil || a.length != int64(len(pushedBody)) && a.length != -1) {
					t.Errorf("the app got %q (%d, %v)", a.body, a.length, a.err)
				}
				if tt.status == 403 && answer != string(github.Reject.Body) {
					t.Errorf("the answer is %q", answer)
				}
				if got.Provider == "github" && (got.Event != "push" || got.DeliveryID != "d1") {
					t.Errorf("got %+v", got)
				}
			})
		}
	}
}

func TestHandler(t *testing.T) {
	github, _ := Lookup("github")
	for name, tt := range map[string]struct {
		p      Provider
		status int
	}{"a provider": {github, 204}, "none": {Provider{}, 500}} {
		a := &app{}
		s := httptest.NewServer(Handler(a, tt.p, githubKeys(guardSecret)["github"]))
		status, _ := do(t, s, post(t, s.URL, strings.NewReader(pushedBody), http.Header{"X-Hub-Signature-256": {pushedSignature}}))
		if status != tt.status || a.ok != (tt.status == 204) {
			t.Errorf("%s: %d, %+v", name, status, a)
		}
		s.Close()
	}
}

// Of several senders the one counts that signed, whatever the message says it is.
func TestGuardOfSeveral(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	own, err := ParseProviders([]byte(`quiet: {scheme: hmac, algorithm: sha256, signature: {in: body, name: sign, encoding: hex}, payload: "{method}"}`), "")
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := Builtin().With(own...)
	if err != nil {
		t.Fatal(err)
	}
	secret := func(s string) Keys { return Keys{Secrets: []Secret{NewSecret(s)}} }
	g := Guard{Catalog: catalog, Now: func() time.Time { return now }, Keys: map[string]Keys{"github": secret("a"), "stripe": secret("b"), "slack": secret("c"), "quiet": secret("d")}}
	signedBy := func(id string, k Keys, marks ...string) *http.Request {
		p, _ := catalog.Lookup(id)
		m := Message{Method: "POST", URL: &url.URL{}, Header: http.Header{}, Body: []byte(`{"id":"evt_1","object":"event"}`)}
		for _, name := range marks {
			m.Header.Set(name, "x")
		}
		if err := p.Scheme.Sign(&m, k, SignOptions{}, now); err != nil {
			t.Fatal(err)
		}
		return post(t, "http://x", bytes.NewReader(m.Body), m.Header)
	}
	for _, tt := range []struct {
		name     string
		r        *http.Request
		provider string // of what the app gets, or of what is refused
		reason   Reason
	}{
		{"GitHub", signedBy("github", secret("a")), "github", ""},
		{"Stripe", signedBy("stripe", secret("b")), "stripe", ""},
		{"Slack with the marks of GitHub", signedBy("slack", secret("c"), "X-Github-Event"), "slack", ""},
		{"without any marks", signedBy("quiet", secret("d")), "quiet", ""},
		{"GitHub with the secret of Stripe", signedBy("github", secret("b")), "github", BadSignature},
		{"one that is not let in", signedBy("shopify", secret("a")), "stripe", MissingSignature}, // as the body looks
		{"nothing", post(t, "http://x", nil, nil), "", UnknownProvider},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var refused Verified
			g := g
			g.Refused = func(_ *http.Request, v Verified) { refused = v }
			s, a := serve(t, g)
			tt.r.URL, _ = url.Parse(s.URL)
			status, _ := do(t, s, tt.r)
			got := a.verified
			if tt.reason != "" {
				got = refused
			}
			if got.Provider != tt.provider || got.Verdict.Reason != tt.reason || (status == 204) != (tt.reason == "") || a.ok != (tt.reason == "") {
				t.Errorf("%d %+v, the app: %+v", status, got, a)
			}
		})
	}
	s, a := serve(t, g)
	if status, answer := do(t, s, post(t, s.URL, nil, nil)); status != 403 || answer != string(defaultReject().Body) || a.calls > 0 {
		t.Errorf("not recognised: %d %s", status, answer)
	}
}

// The URL that was signed is the one that the request names, unless an option
// says more.
func TestGuardURL(t *testing.T) {
	own, err := ParseProviders([]byte(urlBound), "")
	if err != nil {
		t.Fatal(err)
	}
	p, k := own[0], Keys{Secrets: []Secret{NewSecret("secret")}}
	catalog, _ := new(Catalog).With(p)
	base := func(text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	forwarded := http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"hooks.example"}}
	for _, tt := range []struct {
		name   string
		signed string // %s is the host of the server
		sent   string
		guard  Guard
		header http.Header
		cut    string // by a router before the Guard
		tls    bool
		want   bool
	}{
		{name: "as it is", signed: "http://HOST/in?a=1&b=%zz;c", sent: "/in?a=1&b=%zz;c", want: true},
		{name: "with escapes", signed: "http://HOST/a%2Fb%41/?x", sent: "/a%2Fb%41/?x", want: true},
		{name: "over TLS", signed: "https://HOST/in", sent: "/in", tls: true, want: true},
		{name: "another scheme", signed: "https://HOST/in", sent: "/in"},
		{name: "another host", signed: "http://hooks.example/in", sent: "/in"},
		{name: "a router that cuts", signed: "http://HOST/hooks/in?a", sent: "/hooks/in?a", cut: "/hooks", want: true},
		{name: "behind a proxy, as the base says", signed: "https://hooks.example/in?a=1", sent: "/in?a=1", guard: Guard{BaseURL: base("https://hooks.example")}, want: true},
		{name: "behind one that cuts", signed: "https://hooks.example/b%20c/in%2F", sent: "/in%2F", guard: Guard{BaseURL: base("https://hooks.example/b%20c/")}, want: true},
		{name: "the base says otherwise", signed: "http://HOST/in", sent: "/in", guard: Guard{BaseURL: base("https://hooks.example")}},
		{name: "forwarded, not trusted", signed: "https://hooks.example/in", sent: "/in", header: forwarded},
		{name: "forwarded, trusted", signed: "https://hooks.example/in", sent: "/in", header: forwarded, guard: Guard{TrustForwarded: true}, want: true},
		{name: "forwarded, but there is a base", signed: "https://hooks.example/in", sent: "/in", header: forwarded, guard: Guard{TrustForwarded: true, BaseURL: base("https://other.example")}},
		{name: "forwarded by two", signed: "https://hooks.example/in", sent: "/in", header: http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"hooks.example, proxy.example"}}, guard: Guard{TrustForwarded: true}},
		{name: "forwarded twice", signed: "https://hooks.example/in", sent: "/in", header: http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"hooks.example", "hooks.example"}}, guard: Guard{TrustForwarded: true}},
		{name: "nothing forwarded", signed: "http://HOST/in", sent: "/in", guard: Guard{TrustForwarded: true}, want: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &app{}
			g := tt.guard
			g.Catalog, g.Keys = catalog, map[string]Keys{p.ID: k}
			s := httptest.NewUnstartedServer(http.StripPrefix(tt.cut, g.Handler(a)))
			if s.Start(); tt.tls {
				s.Close()
				s = httptest.NewTLSServer(g.Handler(a))
			}
			defer s.Close()
			signed := strings.Replace(tt.signed, "HOST", s.Listener.Addr().String(), 1)
			m := Message{Method: "POST", URL: base(signed), Header: http.Header{}, Body: []byte("x")}
			if err := p.Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil {
				t.Fatal(err)
			}
			for name, values := range tt.header {
				m.Header[name] = values
			}
			status, _ := do(t, s, post(t, s.URL+tt.sent, strings.NewReader("x"), m.Header))
			if (status == 204) != tt.want || a.ok != tt.want {
				t.Errorf("%d, want let through: %v", status, tt.want)
			}
		})
	}
}

func TestGuardHandshake(t *testing.T) {
	slack, _ := Lookup("slack")
	k := Keys{Secrets: []Secret{NewSecret("8f742231b10e8888abcd99yyyzzz85a5")}}
	m := Message{Method: "POST", URL: &url.URL{}, Header: http.Header{}, Body: []byte(`{"type":"url_verification","challenge":"3eZbrw1a"}`)}
	forged := post(t, "http://x", bytes.NewReader(m.Body), http.Header{"X-Slack-Request-Timestamp": {"1"}})
	if err := slack.Scheme.Sign(&m, k, SignOptions{}, someTime); err != nil {
		t.Fatal(err)
	}
	g := Guard{Keys: map[string]Keys{"slack": k, "stripe": k}, Now: func() time.Time { return someTime }}
	for _, tt := range []struct {
		name   string
		r      *http.Request
		report bool
		status int
		answer string
		calls  int
	}{
		{"signed", post(t, "http://x", bytes.NewReader(m.Body), m.Header), false, 200, "3eZbrw1a", 0},
		{"forged", forged, false, 403, string(slack.Reject.Body), 0},
		{"signed, report only", post(t, "http://x", bytes.NewReader(m.Body), m.Header), true, 204, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := g
			g.ReportOnly = tt.report
			s, a := serve(t, g)
			tt.r.URL, _ = url.Parse(s.URL)
			if status, answer := do(t, s, tt.r); status != tt.status || answer != tt.answer || a.calls != tt.calls {
				t.Errorf("%d %q, %d calls", status, answer, a.calls)
			}
		})
	}
}

// What no client of the library sends: requests that break off, lie about their
// length, or have headers twice.
func TestGuardHostile(t *testing.T) {
	sum := "X-Hub-Signature-256: " + pushedSignature + "\r\n"
	for _, tt := range []struct{ name, request, want string }{
		{"signed", sum + "Content-Length: 13\r\n\r\nHello, World!", "204"},
		{"chunked", sum + "Transfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n8\r\n, World!\r\n0\r\nX-Trailer: 1\r\n\r\n", "204"},
		{"broken off", sum + "Content-Length: 14\r\n\r\nHello, World!", "400"},
		{"a broken chunk", sum + "Transfer-Encoding: chunked\r\n\r\n5\r\nHello\r\nzz", "400"},
		{"chunks without an end", sum + "Transfer-Encoding: chunked\r\n\r\nd\r\nHello, World!\r\n", "400"},
		{"more than it says", sum + "Content-Length: 12\r\n\r\nHello, World!", "403"},
		{"another case", strings.ToLower(sum) + "Content-Length: 13\r\n\r\nHello, World!", "204"},
		{"twice in other cases", sum + strings.ToLower(sum) + "Content-Length: 13\r\n\r\nHello, World!", "403"},
		{"two bodies", sum + "Content-Length: 13\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHello, World!", "403"},
		{"folded", "X-Hub-Signature-256: " + pushedSignature[:20] + "\r\n " + pushedSignature[20:] + "\r\nContent-Length: 13\r\n\r\nHello, World!", "40"},
		{"32 MiB that never come", sum + "Content-Length: 33554432\r\n\r\nHello, World!", "400"},
		{"a TiB", sum + "Content-Length: 1099511627776\r\n\r\nHello, World!", "413"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, a := serve(t, Guard{Keys: githubKeys(guardSecret)})
			c, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\n"+tt.request)
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			s.Close() // the app is done
			if got := fmt.Sprint(answer.StatusCode); !strings.HasPrefix(got, tt.want) || (a.calls > 0) != (tt.want == "204") || a.calls > 0 && !a.ok {
				t.Errorf("%s, the app: %+v", got, a)
			}
		})
	}
}

// Law: no request gets through without the key, and none makes a Guard panic.
func FuzzGuard(f *testing.F) {
	catalog, keys := oddCatalog(f), map[string]Keys{}
	for _, p := range catalog.Providers() {
		if d, ok := p.Scheme.(*declared); ok && p.facets != nil {
			k := keysFor(d, random(), 1)
			if d.kind != schemePair && d.kind != schemeBasic {
				k.Secrets = []Secret{NewSecret(d.form.strip + secretText(d.form.decode, "nobody knows this key, not even the fuzzer"))}
			}
			keys[p.ID] = k
		}
	}
	calls := 0
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ })
	g := Guard{Catalog: catalog, Keys: keys, TrustForwarded: true, MaxBody: 1 << 16, Now: func() time.Time { return someTime }}
	strict := g.Handler(next)
	g.ReportOnly = true
	open := g.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if v, ok := FromContext(r.Context()); ok {
			f.Errorf("verified: %+v", v)
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	f.Add([]byte("POST /in?a HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: " + pushedSignature + "\r\nContent-Length: 13\r\n\r\n" + pushedBody))
	f.Add([]byte("POST //x HTTP/1.1\r\nHost: x\r\nX-Forwarded-Host: y\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHello\r\n0\r\n\r\n"))
	f.Add([]byte("GET http://u:p@y/?hub.mode=subscribe&hub.challenge=1 HTTP/1.0\r\n\r\n"))
	f.Add([]byte("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, h := range []http.Handler{strict, open} {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
			if err != nil {
				return
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
		}
		if calls > 0 {
			t.Fatalf("let through: %q", raw)
		}
	})
}

func TestGuardCheck(t *testing.T) {
	for _, tt := range []struct {
		name string
		keys map[string]Keys
		want []string // in the error
	}{
		{"good", githubKeys(guardSecret), nil},
		{"nothing", nil, []string{"no sender is let in"}},
		{"two mistakes", map[string]Keys{"gihtub": {}, "stripe": {}}, []string{`unknown provider "gihtub" (known: github`, "stripe: no secret is known"}},
		{"a bad secret", map[string]Keys{"standard-webhooks": {Secrets: []Secret{NewSecret("whsec_!!")}}}, []string{`standard-webhooks: the secret is not base64 (after "whsec_")`}},
		{"twice", map[string]Keys{"tiktok": {Secrets: []Secret{NewSecret("a")}}, "tiktok-business": {}}, []string{"provider tiktok is there twice"}},
	} {
		err := Guard{Keys: tt.keys}.Check()
		if (err != nil) != (len(tt.want) > 0) {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", tt.name, err, want)
			}
		}
	}
	if v, ok := FromContext(context.Background()); ok || v != (Verified{}) {
		t.Errorf("without a Guard: %+v, %v", v, ok)
	}
}
