package tunnel

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"devhook/tunnel/ngroktest"
)

// hello answers with the sender, the path and the body's hash.
var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	h := sha256.New()
	n, _ := io.Copy(h, r.Body)
	fmt.Fprintf(w, "%s %s %d %x", r.RemoteAddr, r.RequestURI, n, h.Sum(nil))
})

func TestNgrokAsksForTheEndpoint(t *testing.T) {
	t.Parallel()
	srv := start(t)
	o := options(t, srv)
	o.URL, o.TrafficPolicy, o.PoolingEnabled = "me.ngrok.test", "on_http_request: []\n", true
	o.Name, o.Description, o.Metadata, o.Version = "n", "d", `{"m":1}`, "v1.2.3"
	l := mustOpen(t, o, usual)
	if got := l.URL().String(); got != "https://me.ngrok.test" {
		t.Errorf("URL %s", got)
	}
	if got := l.Addr().String(); got != "me.ngrok.test" {
		t.Errorf("Addr %s", got)
	}
	mustOpen(t, o, usual) // shares it

	auths, binds := srv.Auths(), srv.Binds()
	if len(auths) != 2 || len(binds) != 2 {
		t.Fatalf("%d authentications, %d binds, want 2 of both", len(auths), len(binds))
	}
	a := auths[0].Extra
	if a.Authtoken != o.Authtoken || a.ClientType != "devhook" || a.Version != "1.2.3" || !strings.HasPrefix(a.UserAgent, "devhook/1.2.3 ngrok-go/") {
		t.Errorf("authentication %+v", a)
	}
	if a.StopUnsupportedError == nil || *a.StopUnsupportedError != "" {
		t.Errorf("the service is told that the agent cannot be stopped: %v", a.StopUnsupportedError)
	}
	b := binds[0]
	if b.Proto != "https" || b.Opts.URL != "https://me.ngrok.test" || b.Opts.TrafficPolicy != o.TrafficPolicy ||
		b.Extra.Name != "n" || b.Extra.Description != "d" || b.Extra.Metadata != o.Metadata || !b.Extra.PoolingEnabled {
		t.Errorf("bind %+v", b)
	}
}

func TestNgrokLeavesTheChoiceToTheService(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	if u := l.URL(); u.Scheme != "https" || !strings.HasSuffix(u.Host, ".ngrok.test") {
		t.Errorf("URL %s", u)
	}
	if b := srv.Binds()[0]; b.Opts.URL != "" || b.Opts.TrafficPolicy != "" || b.Extra.PoolingEnabled {
		t.Errorf("bind %+v", b)
	}
	l.URL().Host = "changed by the caller"
	if l.URL().Host == "changed by the caller" {
		t.Error("the caller's URL is the tunnel's own")
	}
}

func TestNgrokOverHTTP(t *testing.T) {
	t.Parallel()
	srv := start(t)
	o := options(t, srv)
	o.URL = "http://plain.ngrok.test"
	l := mustOpen(t, o, usual)
	serve(t, l, hello)
	got, err := get(t, srv, "http://plain.ngrok.test/a?b")
	if err != nil || !strings.HasPrefix(got, ngroktest.Sender+" /a?b 0 ") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestNgrokServesManyAtOnce(t *testing.T) {
	noLeaks(t)
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	const senders = 100
	var inside sync.WaitGroup // until all are there
	inside.Add(senders)
	serve(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside.Done()
		inside.Wait()
		hello(w, r)
	}))
	client := srv.Client()
	defer client.CloseIdleConnections()
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			body := make([]byte, 200+i*997)
			for j := range body {
				body[j] = byte(rand.IntN(256))
			}
			want := fmt.Sprintf("%s /%d?q=%%zz;x %d %s", ngroktest.Sender, i, len(body), sum(body))
			res, err := client.Post(fmt.Sprintf("%s/%d?q=%%zz;x", l.URL(), i), "application/octet-stream", bytes.NewReader(body))
			if err != nil {
				t.Errorf("sender %d: %v", i, err)
				return
			}
			defer res.Body.Close()
			if got, err := io.ReadAll(res.Body); err != nil || string(got) != want {
				t.Errorf("sender %d: got %q, %v; want %q", i, got, err, want)
			}
		})
	}
	wg.Wait()
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// Eight MiB in both directions of one connection at the same time, and of
// several connections beside each other.
func TestNgrokCarriesMuch(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	serve(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	}))
	client := srv.Client()
	defer client.CloseIdleConnections()
	body := make([]byte, 8<<20)
	for i := range body {
		body[i] = byte(rand.IntN(256))
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			res, err := client.Post(l.URL().String(), "application/octet-stream", bytes.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, body) {
				t.Errorf("%d bytes came back, %v; want %d", len(got), err, len(body))
			}
		})
	}
	wg.Wait()
}

func TestNgrokSwitchesProtocols(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	serve(t, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"))
		_, _ = io.Copy(c, rw.Reader) // the frames come back as they are
	}))
	c := dial(t, srv, l)
	_, _ = io.WriteString(c, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	in := bufio.NewReader(c)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("answer %v, %v", res, err)
	}
	defer res.Body.Close()
	for _, frame := range []string{"\x81\x85\x01\x02\x03\x04hello", "\x82\x83\x00\x00\x00\x00\x00\xff\xfe", "\x88\x80\x00\x00\x00\x00"} {
		_, _ = io.WriteString(c, frame)
		got := make([]byte, len(frame))
		if _, err := io.ReadFull(in, got); err != nil || string(got) != frame {
			t.Fatalf("frame %q, %v; want %q", got, err, frame)
		}
	}
}

// dial makes a connection to whatever serves l, and closes it at the end of the
// test.
func dial(t *testing.T, srv *ngroktest.Server, l Listener) *ngroktest.Conn {
	t.Helper()
	c, err := srv.Dial(t.Context(), l.URL().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestNgrokTellsTheSender(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	for _, sender := range []string{"198.51.100.9:1234", "[2001:db8::1]:443"} {
		c, err := srv.DialFrom(t.Context(), l.URL().String(), sender)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		got, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got.RemoteAddr().String() != sender {
			t.Errorf("sender %s, want %s", got.RemoteAddr(), sender)
		}
		_ = got.Close()
	}
}

// Neither the authtoken nor the policy is in anything that is shown, even if
// the user asks to see all; and nothing is shown to who did not ask.
func TestNgrokKeepsSecrets(t *testing.T) {
	const policy = "secret-in-a-policy"
	var asked, unasked logBuffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&unasked, &slog.HandlerOptions{Level: slog.LevelDebug})))
	defer slog.SetDefault(old)

	for _, log := range []*slog.Logger{
		nil,
		slog.New(slog.NewJSONHandler(&asked, &slog.HandlerOptions{Level: slog.LevelDebug})),
		slog.New(slog.NewTextHandler(&asked, &slog.HandlerOptions{Level: slog.LevelDebug})).WithGroup("g"),
	} {
		srv := start(t)
		o := options(t, srv)
		o.Log, o.TrafficPolicy = log, policy
		l := mustOpen(t, o, usual)
		serve(t, l, hello)
		if _, err := get(t, srv, l.URL().String()); err != nil {
			t.Error(err)
		}
		echo := func(context.Context, ngroktest.Auth) string {
			return ngroktest.ErrorText("Your authtoken: "+o.Authtoken+"\nis "+o.Authtoken, "ERR_NGROK_107")
		}
		srv.HandleAuth(echo)
		srv.DropSessions()
		ev := wantTrouble(t, l, Closed, "ERR_NGROK_107")
		_, err := openWith(t, o, usual)
		for _, err := range []error{ev.Err, err, errors.Unwrap(ev.Err), errors.Unwrap(err)} {
			if text := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(text, o.Authtoken) {
				t.Errorf("the authtoken is in %s", text)
			}
		}
	}
	for _, secret := range []string{ngroktest.Authtoken, policy, "cookie-"} {
		if strings.Contains(asked.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if log := asked.String(); !strings.Contains(log, "client session established") || !strings.Contains(log, "[hidden]") {
		t.Errorf("the log lacks what happened:\n%s", log)
	}
	if log := unasked.String(); log != "" {
		t.Errorf("logged to the default logger:\n%s", log)
	}
}

// An HTTP server that shuts down finishes what it has begun.
func TestNgrokShutsDownInOrder(t *testing.T) {
	noLeaks(t)
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	arrived, leave := make(chan struct{}), make(chan struct{})
	hs := serve(t, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-leave
		_, _ = io.WriteString(w, "done")
	}))
	address := l.URL().String()
	answer := make(chan string, 1)
	go func() {
		got, err := get(t, srv, address)
		answer <- fmt.Sprint(got, err)
	}()
	<-arrived
	down := make(chan error, 1)
	go func() { down <- hs.Shutdown(t.Context()) }()
	eventually(t, "the URL is offline", func() bool { return len(srv.Endpoints()) == 0 })
	if _, err := srv.Dial(t.Context(), address); !errors.Is(err, ngroktest.ErrOffline) {
		t.Errorf("dial after the shutdown began: %v", err)
	}
	if srv.Sessions() != 1 {
		t.Error("the session is gone, with a request under way")
	}
	close(leave)
	if got := soon(t, patience, "the answer", func() string { return <-answer }); got != "done<nil>" {
		t.Errorf("got %s", got)
	}
	if err := soon(t, patience, "the shutdown", func() error { return <-down }); err != nil {
		t.Error(err)
	}
	wantEnd(t, l)
	eventually(t, "the session is over", func() bool { return srv.Sessions() == 0 })
}

var _ net.Listener = (*ngrokListener)(nil)
