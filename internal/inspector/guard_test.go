package inspector

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"devhook/recorder"
	"devhook/replay"
)

// Who is let in, by what a browser or a program sends.
func TestGuard(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Hosts = []string{"my-box", "other.test:8080"} })
	b.signed()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(b.url, "http://"))
	const list, again = "GET /devhook/v1/exchanges", "POST /devhook/v1/replay"
	for _, test := range []struct {
		about   string
		op      string
		headers []string
		want    int
	}{
		{"a program", list, nil, 200},
		{"localhost", list, []string{"Host: localhost:" + port}, 200},
		{"localhost with a dot", list, []string{"Host: localhost.:" + port}, 200},
		{"IPv6", list, []string{"Host: [::1]:" + port}, 200},
		{"another loopback address", list, []string{"Host: 127.8.8.8:" + port}, 200},
		{"a name that was configured", list, []string{"Host: my-box:" + port}, 200},
		{"a name that was configured with a port", list, []string{"Host: other.test:8080"}, 200},
		{"that name with another port", list, []string{"Host: other.test:" + port}, 403},
		{"rebinding", list, []string{"Host: evil.test:" + port}, 403},
		{"rebinding, a name that looks like home", list, []string{"Host: localhost.evil.test:" + port}, 403},
		{"rebinding, an address that looks like home", list, []string{"Host: 127.0.0.1.evil.test:" + port}, 403},
		{"another port", list, []string{"Host: 127.0.0.1:1"}, 403},
		{"no port", list, []string{"Host: 127.0.0.1"}, 403},
		{"all addresses", list, []string{"Host: 0.0.0.0:" + port}, 403},
		{"an address of the network", list, []string{"Host: 192.168.1.2:" + port}, 403},

		{"a tunnel in front", list, []string{"X-Forwarded-For: 1.2.3.4"}, 403},
		{"a proxy in front", list, []string{"Forwarded: for=1.2.3.4"}, 403},
		{"a gateway in front", list, []string{"X-Forwarded-Host: me.ngrok.app"}, 403},
		{"a proxy that was configured", list, []string{"X-Forwarded-For: 1.2.3.4", "Host: my-box:" + port}, 200},

		{"its own page", list, []string{"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"}, 200},
		{"typed in", list, []string{"Sec-Fetch-Site: none"}, 200},
		{"a page elsewhere reads", list, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"}, 403},
		{"a page on another port reads", list, []string{"Sec-Fetch-Site: same-site"}, 403},
		{"a link to the API", list, []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 403},
		{"a link to a page", "GET /nothing", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 404},
		{"a frame elsewhere", "GET /nothing", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}, 403},
		{"an origin elsewhere", list, []string{"Origin: http://evil.test"}, 403},
		{"no origin that could be told", list, []string{"Origin: null"}, 403},
		{"its own origin", list, []string{"Origin: " + b.url}, 200},
		{"the origin of another port", list, []string{"Origin: http://127.0.0.1:1"}, 403},
		{"an origin of another kind", list, []string{"Origin: file://127.0.0.1:" + port}, 403},
		{"metrics for a page elsewhere", "GET /metrics", []string{"Sec-Fetch-Site: cross-site"}, 403},

		{"a form elsewhere", again, []string{"Content-Type: application/x-www-form-urlencoded", "Origin: http://evil.test", "Sec-Fetch-Site: cross-site"}, 403},
		{"a form in an old browser", again, []string{"Content-Type: application/x-www-form-urlencoded"}, 415},
		{"a form that looks like JSON", again, []string{"Content-Type: text/plain"}, 415},
		{"multipart", again, []string{"Content-Type: multipart/form-data; boundary=x"}, 415},
		{"no content type", again, []string{"Content-Type: "}, 415},
		{"a type that contains JSON's", again, []string{"Content-Type: text/plain; x=application/json"}, 415},
		{"JSON with a charset", again, []string{"Content-Type: application/json; charset=utf-8"}, 200},
		{"JSON of a page elsewhere", again, []string{"Origin: http://evil.test"}, 403},
	} {
		method, path, _ := strings.Cut(test.op, " ")
		body := ""
		if method == "POST" {
			body = `{"ref":"1","dry_run":true}`
		}
		r := b.call(method, path, body, test.headers...)
		if r.status != test.want {
			t.Errorf("%s: %d %s, want %d", test.about, r.status, r.body, test.want)
		}
		for name := range r.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s: %s lets other pages read it", test.about, name)
			}
		}
		opener := "same-origin"
		if slices.Contains(test.headers, "Sec-Fetch-Site: none") || slices.Contains(test.headers, "Sec-Fetch-Site: same-origin") {
			opener = "" // there is no foreign one
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": opener,
		} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", test.about, name, got, want)
			}
		}
		policy := r.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "frame-ancestors 'none'") || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", test.about, policy)
		}
	}
	if b.seen.Load() != 0 {
		t.Errorf("the app saw %d", b.seen.Load())
	}
}

// A preflight, by which a browser asks whether a page may, gets no yes.
func TestNoPreflight(t *testing.T) {
	b := newBench(t)
	r := b.call("OPTIONS", "/devhook/v1/replay", "", "Origin: http://evil.test", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
	if r.status < 400 || r.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", r.status, r.header)
	}
}

// Where other machines can reach the port, each request needs the token.
func TestToken(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Shared = true })
	const list = "/devhook/v1/exchanges"
	for _, test := range []struct {
		about   string
		path    string
		headers []string
		want    int
	}{
		{"nothing", list, nil, 401},
		{"nothing for a page", "/", nil, 401},
		{"nothing for metrics", "/metrics", nil, 401},
		{"a probe", "/healthz", nil, 200},
		{"a wrong one", list, []string{"Authorization: Bearer the-tokem"}, 401},
		{"a part of it", list, []string{"Authorization: Bearer the-toke"}, 401},
		{"an empty one", list, []string{"Authorization: Bearer "}, 401},
		{"another scheme", list, []string{"Authorization: Basic the-token"}, 401},
		{"in a header", list, []string{"Authorization: Bearer the-token"}, 200},
		{"any name then", list, []string{"Authorization: bearer the-token", "Host: box.test"}, 200},
		{"but no page elsewhere", list, []string{"Authorization: Bearer the-token", "Sec-Fetch-Site: cross-site"}, 403},
		{"a wrong one in the URL", "/?token=wrong", nil, 401},
		{"a wrong cookie", list, []string{"Cookie: devhook_1=the-token"}, 401},
	} {
		if r := b.call("GET", test.path, "", test.headers...); r.status != test.want {
			t.Errorf("%s: %d %s, want %d", test.about, r.status, r.body, test.want)
		}
	}

	r := b.must(303, "GET", "/x?a=1&token=the-token", "")
	if got := r.header.Get("Location"); got != "/x?a=1" {
		t.Errorf("the token stays in the URL, or more does not: %q", got)
	}
	if got := b.must(303, "GET", "//evil.test/%2e%2e?token=the-token", "").header.Get("Location"); strings.HasPrefix(got, "//") || strings.HasPrefix(got, "/\\") {
		t.Errorf("signing in leads elsewhere: %q", got)
	}
	cookie := r.header.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie is %q, without %s", cookie, want)
		}
	}
	value, _, _ := strings.Cut(cookie, ";")
	b.must(200, "GET", list, "", "Cookie: "+value)
}

func TestNoTokenIsNoWay(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an inspector that is open to others and has no token")
		}
	}()
	New(Options{Shared: true})
}

// Nothing is sent to an address that no forward names, unless it was allowed, or the
// user's own commands ask.
func TestSendsToAppsOnly(t *testing.T) {
	other := newBench(t)
	allowed, err := url.Parse(other.app.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		about   string
		allow   []string
		to      string
		headers []string
		want    int
	}{
		{"where webhooks go", nil, "", nil, 200},
		{"another port", nil, allowed.Host, nil, 403},
		{"another host", nil, "169.254.169.254:80", nil, 403},
		{"an allowed host and port", []string{allowed.Host}, allowed.Host, nil, 200},
		{"an allowed host", []string{"127.0.0.1"}, allowed.Host, nil, 200},
		{"another port than the allowed one", []string{"127.0.0.1:1"}, allowed.Host, nil, 403},
		{"a user in the address", []string{"good.test"}, "good.test@" + allowed.Host, nil, 403},
		{"the user's own command", nil, allowed.Host, []string{"Authorization: Bearer the-token"}, 200},
		{"somebody else's", nil, allowed.Host, []string{"Authorization: Bearer guess"}, 403},
	} {
		b := newBench(t, func(o *Options) { o.AllowTo = test.allow })
		b.signed()
		body := `{"ref":"1"}`
		if test.to != "" {
			body = `{"ref":"1","to":"` + test.to + `"}`
		}
		if r := b.call("POST", "/devhook/v1/replay", body, test.headers...); r.status != test.want {
			t.Errorf("%s: %d %s, want %d", test.about, r.status, r.body, test.want)
		}
		if test.to == "" {
			continue
		}
		if r := b.call("POST", "/devhook/v1/trigger", `{"fixture":"tiktok/video.publish.completed","dry_run":true,"to":"`+test.to+`"}`, test.headers...); r.status != test.want {
			t.Errorf("%s, a trigger: %d %s, want %d", test.about, r.status, r.body, test.want)
		}
	}
}

// A recording that went elsewhere, as of a store that somebody else has made, takes
// nothing there.
func TestRecordedTargetIsNoApp(t *testing.T) {
	elsewhere, err := url.Parse("http://169.254.169.254:80")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t)
	b.in.o.App = func(*recorder.Exchange, []replay.Mutation) (*url.URL, string, error) { return elsewhere, "", nil }
	b.signed()
	b.must(403, "POST", "/devhook/v1/replay", `{"ref":"1"}`)

	b.in.o.App = func(*recorder.Exchange, []replay.Mutation) (*url.URL, string, error) {
		return nil, "", errors.New("#1 went to another machine")
	}
	if v := b.must(409, "POST", "/devhook/v1/replay", `{"ref":"1"}`).json(t); v["error"] != "#1 went to another machine" {
		t.Errorf("got %v", v)
	}
}

// A request that comes slowly or with a huge head is not waited for here: the
// server's bounds are; a body without a length is cut off at the bound.
func TestBodyWithoutALength(t *testing.T) {
	b := newBench(t)
	pr, pw := io.Pipe()
	go func() {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range maxRequest>>20 + 2 {
			if _, err := pw.Write(chunk); err != nil {
				break
			}
		}
		pw.Close()
	}()
	req, err := http.NewRequest("POST", b.url+"/devhook/v1/replay", pr)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// Whatever the route, who is not let in gets nothing of it, with a token or without one.
func TestGuardOfEachRoute(t *testing.T) {
	own, shared := newBench(t), newBench(t, func(o *Options) { o.Shared, o.Token = true, "the-token-of-this-run" })
	own.signed()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(own.url, "http://"))
	fill := strings.NewReplacer("{ref}", "1", "{other}", "1", "{$}", "", "{sum}", staticSum(), "{file...}", "app.js", "{provider}", "github", "{event}", "ping", "{id}", "github", "{name}", "command_line", "{mark}", "none")
	for _, pattern := range append(slices.Clone(own.in.routes), "GET /nothing", "GET /api/nothing") {
		method, path, ok := strings.Cut(pattern, " ")
		if !ok || strings.ContainsAny(fill.Replace(path), "{}") {
			t.Fatalf("what is %q?", pattern)
		}
		path = fill.Replace(path)
		for _, h := range []string{"Host: evil.test:" + port, "Origin: http://evil.test", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "X-Forwarded-For: 1.2.3.4", "Via: 1.1 proxy"} {
			if r := own.call(method, path, "{}", h); r.status != 403 {
				t.Errorf("%s with %s: %d", pattern, h, r.status)
			}
		}
		if r := shared.call(method, path, "{}", "Authorization: Bearer another"); r.status != 401 && !strings.HasSuffix(path, "z") {
			t.Errorf("%s without the token: %d", pattern, r.status)
		}
		if r := shared.call(method, path, "{}", "Authorization: Bearer the-token-of-this-run", "Origin: http://evil.test"); r.status != 403 {
			t.Errorf("%s for a page elsewhere, with the token: %d", pattern, r.status)
		}
	}
	if n := own.seen.Load() + shared.seen.Load(); n != 0 {
		t.Errorf("the apps saw %d", n)
	}
	if n := len(own.must(200, "GET", "/devhook/v1/exchanges", "").json(t)["exchanges"].([]any)); n != 1 {
		t.Errorf("%d are recorded", n)
	}
}
