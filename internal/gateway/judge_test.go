package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// The table "who gets through", each row in each mode.
func TestWhoGetsThrough(t *testing.T) {
	now := time.Date(2026, 11, 21, 14, 2, 11, 0, time.UTC)
	large := strings.Repeat("x", verify.MaxBody+1)
	const slackChallenge = `{"token":"t","challenge":"c0ffee","type":"url_verification"}`
	tests := []struct {
		name   string
		named  string // provider of the route
		body   string
		header []string
		// Per mode: the status that the sender gets, 200 from the app.
		enforce, strict, report, off int
		status                       verify.Status
		reason                       verify.Reason
		offStatus                    verify.Status // in mode off, "" for Skipped
	}{
		{"signature right, named", "tiktok", tiktokBody, signed(t, tiktokBody, now), 200, 200, 200, 200, verify.Valid, "", ""},
		{"signature right, detected", "", tiktokBody, signed(t, tiktokBody, now), 200, 200, 200, 200, verify.Valid, "", ""},
		{"tampered", "", tiktokBody + " ", signed(t, tiktokBody, now), 403, 403, 200, 200, verify.Invalid, verify.BadSignature, ""},
		{"stale", "", tiktokBody, signed(t, tiktokBody, now.Add(-301*time.Second)), 403, 403, 200, 200, verify.Invalid, verify.Stale, ""},
		{"future", "", tiktokBody, signed(t, tiktokBody, now.Add(301*time.Second)), 403, 403, 200, 200, verify.Invalid, verify.Future, ""},
		{"malformed", "", tiktokBody, []string{"Tiktok-Signature", "nonsense"}, 403, 403, 200, 200, verify.Invalid, verify.MalformedSignature, ""},
		{"named and unsigned", "tiktok", "hello", nil, 403, 403, 200, 200, verify.Unsigned, verify.MissingSignature, ""},
		{"unsigned, with the shape of a known one", "", tiktokBody, []string{"Content-Type", "application/json"}, 403, 403, 200, 200, verify.Unsigned, verify.MissingSignature, ""},
		{"the same without a content type", "", tiktokBody, nil, 403, 403, 200, 200, verify.Unsigned, verify.MissingSignature, ""},
		{"the same called a form", "", tiktokBody, []string{"Content-Type", "application/x-www-form-urlencoded"}, 403, 403, 200, 200, verify.Unsigned, verify.MissingSignature, ""},
		{"recognised, secret unknown", "", `{}`, []string{"X-Hub-Signature-256", "sha256=" + strings.Repeat("0", 64), "X-GitHub-Event", "ping"}, 200, 403, 200, 200, verify.Unverified, verify.NoSecret, ""},
		{"nothing recognised", "", "hello", nil, 200, 403, 200, 200, verify.Unverified, verify.UnknownProvider, ""},
		{"over 32 MiB, named", "tiktok", large, nil, 413, 413, 200, 200, verify.Unverified, verify.TooLarge, ""},
		{"over 32 MiB, not named", "", large, nil, 200, 413, 200, 200, verify.Unverified, verify.TooLarge, ""},
		{"a handshake", "", slackChallenge, []string{"Content-Type", "application/json"}, 299, 299, 299, 200, verify.Skipped, "", ""},
	}
	reached := 0
	appURL := app(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		reached++
	})
	for _, tt := range tests {
		for mode, want := range map[Mode]int{Enforce: tt.enforce, Strict: tt.strict, Report: tt.report, Off: tt.off} {
			t.Run(tt.name+"/"+string(mode), func(t *testing.T) {
				rt := forwardTo(t, appURL)
				rt.Default.Verify, rt.Default.Provider, rt.Keys = mode, tt.named, tiktokKeys
				r := newRig(t, rt, Options{Now: func() time.Time { return now }})
				reached = 0
				status, body := r.post("/hooks", tt.body, tt.header...)
				ex := r.recorded(1)[0]
				verdict := verify.Verdict{Status: tt.status, Reason: tt.reason}
				if mode == Off {
					verdict = verify.Verdict{Status: verify.Skipped, Reason: verify.Off}
				}
				if ex.Verdict.Status != verdict.Status || ex.Verdict.Reason != verdict.Reason {
					t.Errorf("verdict %+v, want %+v", ex.Verdict, verdict)
				}
				switch want {
				case 200:
					if status != 200 || reached != 1 || ex.Outcome != recorder.Answered {
						t.Errorf("status %d, %d reached the app, outcome %s", status, reached, ex.Outcome)
					}
				case 299: // answered here
					if status != 200 || reached != 0 || ex.Outcome != recorder.Handled || body != "c0ffee" {
						t.Errorf("status %d %q, %d reached the app, outcome %s", status, body, reached, ex.Outcome)
					}
				default:
					if status != want || reached != 0 || ex.Outcome != recorder.Refused || ex.Response.Status != want {
						t.Errorf("status %d, %d reached the app, outcome %s", status, reached, ex.Outcome)
					}
					if want == 403 && body != `{"error":"signature verification failed"}` {
						t.Errorf("the sender is told %s", body)
					}
				}
			})
		}
	}
}

// Of what is refused only the start is kept, and no file.
func TestRefusedBodiesAreCut(t *testing.T) {
	rt := forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) { t.Error("it reached the app") }))
	rt.Default.Provider, rt.Keys = "tiktok", tiktokKeys
	r := newRig(t, rt, Options{})
	body := strings.Repeat("0123456789", 100_000)
	if status, _ := r.post("/", body); status != 403 {
		t.Errorf("status %d", status)
	}
	req := r.recorded(1)[0].Request
	if !req.Truncated || req.Size != int64(len(body)) || string(req.Body.Bytes) != body[:64<<10] {
		t.Errorf("kept %d of %d, truncated %v", len(req.Body.Bytes), req.Size, req.Truncated)
	}
}

// A secret of another provider that also fits is found; of several that are
// known, the one that verifies.
func TestDetection(t *testing.T) {
	rt := forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {}))
	rt.Keys = map[string]verify.Keys{
		"tiktok":       {Secrets: []verify.Secret{verify.NewSecret("old"), verify.NewSecret(secret)}},
		"euler":        {Secrets: []verify.Secret{verify.NewSecret("e")}},
		"github":       {Secrets: []verify.Secret{verify.NewSecret("g")}},
		"stripe":       {Secrets: []verify.Secret{verify.NewSecret("whsec_x")}},
		"slack":        {Secrets: []verify.Secret{verify.NewSecret("s")}},
		"tencent-live": {Secrets: []verify.Secret{verify.NewSecret("t")}},
	}
	r := newRig(t, rt, Options{})
	n := 0
	for id, k := range rt.Keys {
		p, _ := verify.Lookup(id)
		m := verify.Message{
			Method: "POST", URL: &url.URL{Scheme: "http", Host: r.addr, Path: "/", RawQuery: "SdkAppid=1&CallbackCommand=x"}, Header: http.Header{},
			Body: []byte(`{"type":"x"}`),
		}
		if id == "tiktok" {
			k.Secrets = k.Secrets[1:]
		}
		if err := p.Scheme.Sign(&m, k, verify.SignOptions{}, time.Now()); err != nil {
			t.Fatal(err)
		}
		var header []string
		for name := range m.Header {
			header = append(header, name, m.Header.Get(name))
		}
		status, _ := r.post(m.URL.RequestURI(), string(m.Body), header...)
		n++
		list := r.recorded(n)
		if ex := list[n-1]; status != 200 || ex.Provider != id || ex.Verdict.Status != verify.Valid {
			t.Errorf("%s: %d, recorded as %s %+v", id, status, ex.Provider, ex.Verdict)
		}
	}
}

func TestRoutes(t *testing.T) {
	seen := func(name string) []*url.URL {
		return to(t, app(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, name) }))
	}
	rt := &Routes{
		List: []Route{
			{Path: "/hooks", Forward: seen("hooks"), Verify: Off},
			{Path: "/hooks/tiktok/", Forward: seen("tiktok"), Verify: Enforce, Provider: "tiktok"},
			{Path: "/here", Verify: Off},
		},
		Default: Route{Forward: seen("default")},
		Keys:    tiktokKeys,
	}
	r := newRig(t, rt, Options{})
	for path, want := range map[string]string{
		"/hooks":                 "200 hooks",
		"/hooks/":                "200 hooks",
		"/hooks/x?/hooks/tiktok": "200 hooks",
		"/hooks/tiktokx":         "200 hooks",
		"/hooks/tiktok":          "403 ",
		"/hooks/tiktok/a":        "403 ",
		"/hooks/%74iktok":        "403 ",
		"/here":                  "200 ",
		"/":                      "404 no_route",
		"/hook":                  "404 no_route",
		"/HOOKS":                 "404 no_route",
		// What an app could take for another route than devhook does.
		"/hooks/x/../tiktok":   "404 no_route",
		"/hooks//tiktok":       "404 no_route",
		"/hooks/./tiktok":      "404 no_route",
		"/hooks/tiktok/../x":   "404 no_route",
		"/hooks/x/%2e%2e/y":    "200 hooks",
		"/hooks/x/..%2ftiktok": "404 no_route",
	} {
		status, body := r.post(path, "")
		if got := fmt.Sprint(status, " ", body); !strings.HasPrefix(got, want[:4]) || !strings.Contains(got, want[4:]) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	ex, err := r.store.Get("last")
	if err != nil {
		t.Fatal(err)
	}
	if ex.Outcome == recorder.Unrouted && (ex.Detail == "" || ex.Response.Status != 404) {
		t.Errorf("recorded %+v", ex)
	}

	// New routes count for what comes from then on.
	r.g.SetRoutes(&Routes{Default: Route{Forward: seen("new"), Verify: Off}, Catalog: verify.Builtin()})
	if status, body := r.post("/hooks/tiktok", ""); status != 200 || body != "new" {
		t.Errorf("after SetRoutes: %d %s", status, body)
	}
}

// A WebSocket passes through, and ends when devhook does.
func TestUpgrade(t *testing.T) {
	rt := forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-Websocket-Key") != "k" {
			w.WriteHeader(400)
			return
		}
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(101)
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				io.WriteString(c, "bye\n")
				return
			}
			fmt.Fprintf(c, "echo %s", line)
		}
	}))
	r := newRig(t, rt, Options{})
	dial := func() (*http.Response, io.ReadWriteCloser) {
		t.Helper()
		req, _ := http.NewRequest("GET", "http://"+r.addr+"/ws", nil)
		req.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Key": {"k"}}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != 101 {
			t.Fatalf("status %d", resp.StatusCode)
		}
		return resp, resp.Body.(io.ReadWriteCloser)
	}
	resp, c := dial()
	br := bufio.NewReader(c)
	for _, text := range []string{"one\n", strings.Repeat("x", 100_000) + "\n"} {
		io.WriteString(c, text)
		if line, err := br.ReadString('\n'); err != nil || line != "echo "+text {
			t.Fatalf("got %.20q, %v", line, err)
		}
	}
	c.(interface{ CloseWrite() error }).CloseWrite()
	if line, err := br.ReadString('\n'); line != "bye\n" {
		t.Errorf("after its half is closed: %q, %v", line, err)
	}
	c.Close()
	ex := r.recorded(1)[0]
	if ex.Outcome != recorder.Answered || ex.Response.Status != 101 || resp.Header.Get("Upgrade") != "websocket" {
		t.Errorf("recorded %+v", ex)
	}

	_, c = dial()
	r.g.EndStreams()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the connection is still there")
	}
}

// Of the providers that a message may be from, those come first whose secret is known: else
// a forger would only have to add the marks of another.
func TestKnownSecretsFirst(t *testing.T) {
	m := verify.Message{Method: "POST", URL: &url.URL{Path: "/"}, Body: []byte(tiktokBody), Header: http.Header{
		"Tiktok-Signature": {"t=1,s=00"}, "X-Hub-Signature-256": {"sha256=" + strings.Repeat("0", 64)}, "X-Github-Event": {"ping"},
	}}
	detected := verify.Detect(m)
	if len(detected) < 2 {
		t.Fatalf("only %v", detected)
	}
	for _, known := range detected {
		rt := &Routes{Catalog: verify.Builtin(), Keys: map[string]verify.Keys{known.ID: {Secrets: []verify.Secret{verify.NewSecret("s3cr3t")}}}}
		first, others, ok := rt.candidates(&Route{}, m)
		if !ok || first.ID != known.ID || len(others) != len(detected)-1 {
			t.Errorf("with the secret of %s: first %s, then %v, %v", known.ID, first.ID, others, ok)
		}
	}
}
