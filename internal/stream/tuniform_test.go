package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"devhook/internal/stream/feed"
	"devhook/internal/stream/tuniformtest"

	"github.com/coder/websocket"
)

func tuniformServer(t *testing.T, o tuniformtest.Options) (*feed.Server, string) {
	t.Helper()
	s := tuniformtest.New(o)
	return s, serveHTTP(t, s.ServeHTTP)
}

func TestTuniform(t *testing.T) {
	s, url := tuniformServer(t, tuniformtest.Options{Token: token})
	r := start(t, "tuniform", url, Options{})
	samples := tuniformtest.Samples(true, time.Now())
	samples = append(samples, samples[0], []byte(` {"type" : "\u0064onation","amount":50.00,"duration":""}`+"\n"))
	go s.Play(t.Context(), feed.Play{Events: func(yield func(time.Duration, []byte) bool) {
		for _, b := range samples {
			if !yield(0, b) {
				return
			}
		}
	}})
	r.until("all events", func() bool { return len(r.events) == len(samples) })
	if err := r.end(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	for i, e := range r.events {
		if string(e.Body) != string(samples[i]) {
			t.Errorf("event %d is %q, want %q", i, e.Body, samples[i])
		}
		if e.Problem != "" || e.At.IsZero() || len(e.DeliveryID) != 64 {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	types := []string{"donation", "subscription", "donation", "follow", "donation", "donation"}
	for i, want := range types {
		if got := r.events[i].Type; got != want {
			t.Errorf("event %d is a %q, want %q", i, got, want)
		}
	}
	if r.events[0].DeliveryID != r.events[4].DeliveryID || r.events[0].DeliveryID == r.events[1].DeliveryID {
		t.Error("the delivery id does not tell equal events from others")
	}
	var connected *Status
	for _, st := range r.said {
		if st.State == Connected {
			connected = &st
		}
	}
	if connected == nil || connected.Account != "creator_kick_handle (user 12345)" || string(connected.Hello) != tuniformtest.Hello || connected.Gap() != "" {
		t.Errorf("connected: %+v", connected)
	}
	if last := r.said[len(r.said)-1]; last.State != Closed {
		t.Errorf("the last word is %+v", last)
	}
}

// A token that is refused ends the source at once, with the platform's words.
func TestTuniformRefused(t *testing.T) {
	var dialed atomic.Int32
	s := tuniformtest.New(tuniformtest.Options{Token: strings.Repeat("0", 64)})
	url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) { dialed.Add(1); s.ServeHTTP(w, r) })
	err := start(t, "tuniform", url, Options{}).wait()
	var e *Error
	if !errors.As(err, &e) || !e.Refused || e.Text != "Tuniform refuses: 401 Invalid or expired token" || e.Hint == "" {
		t.Errorf("the error is %#v", err)
	}
	if dialed.Load() != 1 {
		t.Errorf("it dialed %d times", dialed.Load())
	}

	resp, err := http.Get("http" + strings.TrimPrefix(url, "ws"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 401 || string(body) != "Missing 'token' query parameter" {
		t.Errorf("without a token: %d %s", resp.StatusCode, body)
	}
}

func TestTokenIsChecked(t *testing.T) {
	for _, bad := range []string{"", "abc", strings.Repeat("g", 64), token + "0", token[:63] + "\n"} {
		_, err := New("tuniform", Options{Secret: bad})
		if err == nil || len(bad) > 3 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Losses are told with the time in which events may be missing, and the pace
// of attempts is 3 to 5 s, grows while nothing comes of them, and is bounded.
func TestReconnect(t *testing.T) {
	var n atomic.Int32
	url := serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		if i := n.Add(1); i > 3 && i < 20 {
			http.Error(w, "down for a while", http.StatusServiceUnavailable)
			return
		}
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		send(ws, hello, fmt.Sprintf(`{"type":"donation","n":%d}`, n.Load()))
		if n.Load() < 20 {
			ws.CloseNow() // abruptly
			return
		}
		stay(ws)
	})
	values := []float64{0, 1, 0.5}
	calls := 0
	r := start(t, "tuniform", url, Options{Rand: func() float64 { calls++; return values[calls%3] }})
	r.until("the event after all losses", func() bool { return len(r.events) == 4 })
	if err := r.end(); err != nil {
		t.Error(err)
	}
	for i, d := range r.slept {
		if i < 3 && (d < 3*time.Second || d > 5*time.Second) {
			t.Errorf("pause %d is %v", i, d)
		}
		if d < 3*time.Second || d > time.Minute {
			t.Errorf("pause %d is %v", i, d)
		}
	}
	if longest := slices.Max(r.slept); longest != time.Minute || len(r.slept) != 19 {
		t.Errorf("%d pauses, the longest is %v", len(r.slept), longest)
	}
	gaps := 0
	for _, st := range r.said {
		if st.State == Connected && st.Gap() != "" {
			gaps++
			if !st.From.Before(st.To) || !strings.Contains(st.Gap(), "may be missing") {
				t.Errorf("a gap from %v to %v: %s", st.From, st.To, st.Gap())
			}
		}
	}
	if gaps != 3 || !r.heard(Reconnecting, "503 down for a while") {
		t.Errorf("%d gaps; %+v", gaps, r.said)
	}
}

func TestSilence(t *testing.T) {
	var n atomic.Int32
	url := serve(t, func(ws *websocket.Conn, _ *http.Request) {
		send(ws, hello)
		if n.Add(1) == 1 {
			stay(ws)
			return
		}
		done := make(chan struct{})
		go func() { defer close(done); stay(ws) }()
		for range 30 { // is long past the silence that is allowed, but for the pings
			if ws.Ping(t.Context()) != nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		send(ws, `{"type":"donation"}`)
		<-done
	})
	r := start(t, "tuniform", url, Options{Silence: 300 * time.Millisecond})
	r.until("the first silence", func() bool { return r.heard(Reconnecting, "nothing came for 300ms") })
	r.until("an event", func() bool { return len(r.events) == 1 })
	if err := r.end(); err != nil {
		t.Error(err)
	}
}

// Pings are too many by their number in a time, and not by their number.
func TestManyPings(t *testing.T) {
	url := serve(t, func(ws *websocket.Conn, _ *http.Request) {
		done := make(chan struct{})
		go func() { defer close(done); stay(ws) }()
		for range manyPings + 1 {
			if ws.Ping(t.Context()) != nil {
				break
			}
		}
		send(ws, `{"type":"donation"}`)
		<-done
	})
	var looks atomic.Int64
	r := start(t, "tuniform", url, Options{Now: func() time.Time { return time.Unix(looks.Add(1), 0) }})
	r.until("an event", func() bool { return len(r.events) == 1 })
	if err := r.end(); err != nil || r.heard(Reconnecting, "") {
		t.Errorf("%v; %+v", err, r.said)
	}
}

// Whatever a server does wrong is told in words, and is no reason to give up.
func TestHostile(t *testing.T) {
	type server = func(t *testing.T) string
	handshake := func(h http.HandlerFunc) server { return func(t *testing.T) string { return serveHTTP(t, h) } }
	talk := func(h func(*websocket.Conn, *http.Request)) server {
		return func(t *testing.T) string { return serve(t, h) }
	}
	for _, row := range []struct {
		name   string
		server server
		want   string
	}{
		{"a huge frame", talk(func(ws *websocket.Conn, _ *http.Request) {
			go stay(ws)
			send(ws, hello, `{"type":"`+strings.Repeat("x", 2<<20)+`"}`)
			time.Sleep(100 * time.Millisecond)
		}), "a frame was larger than 1048576 bytes"},
		{"a redirect", handshake(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.test/?"+r.URL.RawQuery, http.StatusFound)
		}), "redirects to evil.test, which is not followed"},
		{"a web server", handshake(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>"+r.URL.RawQuery) }), "answers 200 as a web server does"},
		{"an error that has the URL in it", handshake(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no "+r.URL.String(), 500) }), "500 no /ws?token=[secret]"},
		{"a wrong accept key", handshake(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Sec-WebSocket-Accept", r.URL.RawQuery)
			w.WriteHeader(101)
		}), "makes a bad handshake"},
		{"a reason with the token in it", talk(func(ws *websocket.Conn, r *http.Request) { ws.Close(4000, r.URL.RawQuery) }), `closed with 4000 ("token=[secret]")`},
		{"endless pings", talk(func(ws *websocket.Conn, _ *http.Request) {
			go stay(ws)
			for ws.Ping(context.Background()) == nil {
			}
		}), "pings in 10 s"},
		{"no TLS", func(t *testing.T) string {
			return strings.Replace(serveHTTP(t, func(http.ResponseWriter, *http.Request) {}), "ws:", "wss:", 1)
		}, "server gave HTTP response to HTTPS client"},
		{"a certificate of nobody", func(t *testing.T) string {
			srv := httptest.NewTLSServer(http.NotFoundHandler())
			t.Cleanup(srv.Close)
			return "wss" + strings.TrimPrefix(srv.URL, "https")
		}, "its certificate is not trusted"},
		{"nobody there", func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			l.Close()
			return "ws://" + l.Addr().String()
		}, "connection refused"},
		{"no HTTP", func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { l.Close() })
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					io.WriteString(c, "220 ready\r\n\r\n")
					c.Close()
				}
			}()
			return "ws://" + l.Addr().String()
		}, "cannot be reached"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := start(t, "tuniform", row.server(t), Options{MaxFrame: 1 << 20})
			r.until(row.want, func() bool { return r.heard(Reconnecting, row.want) })
			if err := r.end(); err != nil {
				t.Errorf("it gave up: %v", err)
			}
			for _, st := range r.said {
				if text := fmt.Sprintf("%+v", st); strings.Contains(text, token) {
					t.Errorf("the token is in %s", text)
				}
			}
		})
	}
}

// What breaks the platform's rules is an event all the same, marked.
func TestOddFrames(t *testing.T) {
	url := serve(t, func(ws *websocket.Conn, _ *http.Request) {
		send(ws, `{"type":"donation"}`, hello, "no JSON", "{\"type\":\"a\xff\"}", `{"x":1}`, `{"type":5}`, "")
		ws.Write(context.Background(), websocket.MessageBinary, []byte(`{"type":"donation"}`))
		send(ws, `{"type":"`+strings.Repeat("y", maxType)+`"}`, `{"type":"`+strings.Repeat("y", maxType+1)+`"}`)
		stay(ws)
	})
	r := start(t, "tuniform", url, Options{})
	r.until("all", func() bool { return len(r.events) == 9 })
	r.end()
	for i, want := range []struct{ kind, problem string }{
		{"donation", "protocol error"}, {"", "not JSON"}, {"a\xff", "not UTF-8"}, {"", "no type"}, {"5", ""}, {"", "not JSON"}, {"donation", "binary"},
		{strings.Repeat("y", maxType), ""}, {"", "no type"},
	} {
		if e := r.events[i]; e.Type != want.kind || !strings.Contains(e.Problem, want.problem) || want.problem == "" && e.Problem != "" {
			t.Errorf("event %d: %q %q, want %q %q", i, e.Type, e.Problem, want.kind, want.problem)
		}
	}
	if !r.events[6].Binary || r.events[0].Binary {
		t.Error("binary frames are not told from text")
	}
}

// A slow app does not lose events: they wait, and at the end they are delivered.
func TestSlow(t *testing.T) {
	const all = maxQueued + 500
	url := serve(t, func(ws *websocket.Conn, _ *http.Request) {
		send(ws, hello)
		for i := range all {
			send(ws, fmt.Sprintf(`{"type":"donation","n":%d}`, i))
		}
		stay(ws)
	})
	s, err := New("tuniform", Options{Secret: token, URL: url})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	open, slow := make(chan struct{}), make(chan struct{}, 1)
	var got []Event
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, func(e Event) error {
			<-open
			got = append(got, e)
			return nil
		}, func(st Status) {
			if st.State == Slow {
				signal(slow)
			}
		})
	}()
	select {
	case <-slow:
	case <-time.After(patience):
		t.Fatal("nobody said that the app is slow")
	}
	cancel() // what has come in is delivered still
	close(open)
	if err := <-done; err != nil {
		t.Error(err)
	}
	for i, e := range got {
		if want := fmt.Sprintf(`{"type":"donation","n":%d}`, i); string(e.Body) != want {
			t.Fatalf("event %d is %s", i, e.Body)
		}
	}
	if len(got) < maxQueued {
		t.Errorf("%d events of %d came", len(got), all)
	}
	if !s.wait(ctx, nil, time.Hour) {
		t.Error("the end is waited for an hour")
	}
}

// An error of who takes the events ends the run.
func TestDeliverFails(t *testing.T) {
	url := serve(t, func(ws *websocket.Conn, _ *http.Request) { send(ws, hello, `{"type":"donation"}`); stay(ws) })
	s, err := New("tuniform", Options{Secret: token, URL: url})
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space left on device")
	if err := s.Run(t.Context(), func(Event) error { return full }, func(Status) {}); !errors.Is(err, full) {
		t.Errorf("the error is %v", err)
	}
}

func TestPoll(t *testing.T) {
	polled := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, ` [ {"type":"donation", "n":1} , {"type":"missed"} ] `)
	}))
	defer polled.Close()
	var n atomic.Int32
	url := serve(t, func(ws *websocket.Conn, _ *http.Request) {
		if n.Add(1) == 1 {
			send(ws, hello, `{"type":"donation", "n":1}`)
			ws.CloseNow()
			return
		}
		send(ws, hello, `{"type":"last"}`)
		stay(ws)
	})
	r := start(t, "tuniform", url, Options{Poll: HTTPPoller{URL: polled.URL + "/?key=s3cret"}})
	r.until("the last", func() bool { return len(r.events) > 0 && r.events[len(r.events)-1].Type == "last" })
	r.end()
	var types []string
	for _, e := range r.events {
		types = append(types, e.Type)
	}
	if got := strings.Join(types, " "); got != "donation missed last" {
		t.Errorf("events: %s", got)
	}

	// So it is where events have ids of their own, of which a poll knows nothing.
	n.Store(0)
	const own = `{"type":"gift","data":{"common":{"msgId":"7"}}}`
	same := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "["+own+"]") }))
	defer same.Close()
	url = serve(t, func(ws *websocket.Conn, _ *http.Request) {
		if n.Add(1) == 1 {
			send(ws, own)
			ws.CloseNow()
			return
		}
		send(ws, `{"type":"last"}`)
		stay(ws)
	})
	r = start(t, "euler", url, Options{Poll: HTTPPoller{URL: same.URL}, Creator: "ada"})
	r.until("the last", func() bool { return len(r.events) > 0 && r.events[len(r.events)-1].Type == "last" })
	r.end()
	if len(r.events) != 2 {
		t.Errorf("%d events, of which one was polled again", len(r.events))
	}

	for answer, want := range map[string]string{`{"events":[]}`: "no JSON array", "": "no JSON array", "[" + strings.Repeat("1,", maxPolled) + "1]": "larger than"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, answer) }))
		_, err := HTTPPoller{URL: srv.URL}.Poll(t.Context())
		srv.Close()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %s", answer, err, want)
		}
	}
	for status, want := range map[int]string{http.StatusFound: "the answer is 302", http.StatusServiceUnavailable: "the answer is 503"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(status)
			}
			io.WriteString(w, "[]")
		}))
		list, err := HTTPPoller{URL: srv.URL}.Poll(t.Context())
		srv.Close()
		if err == nil || err.Error() != want {
			t.Errorf("%d: %v, %v, want %s", status, list, err, want)
		}
	}
	if _, err := (HTTPPoller{URL: "http://127.0.0.1:1/?key=s3cret"}).Poll(t.Context()); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("the error is %v", err)
	}
}

func TestCheckURL(t *testing.T) {
	for raw, want := range map[string]string{
		"wss://stream-alerts.tuniform.tn/ws": "", "ws://127.0.0.1:4070/ws": "", "ws://localhost:1": "", "ws://[::1]:1/x": "",
		"http://127.0.0.1": "wss://", "ws://example.com/ws": "in the clear", "wss://u:p@h/": "no user", "wss://h/?token=x": "query", "wss://h/?": "query",
		"wss://": "no host", "://": "malformed", "wss://h/%zz": "malformed", "ws://127.0.0.1.example.com/": "in the clear",
	} {
		err := CheckURL(raw)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error()+err.(*Error).Hint, want) {
			t.Errorf("%s: %v, want %q", raw, err, want)
		}
	}
}
