package gateway

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

const secret = "tiktok client secret"

// A rig is a gateway with a real store behind a real port, and what goes in
// and out of it.
type rig struct {
	t     *testing.T
	g     *Gateway
	store *recorder.Store
	addr  string
	stop  func() error // ends it, as SIGINT does
}

func newRig(t *testing.T, rt *Routes, o Options) *rig {
	t.Helper()
	if rt.Catalog == nil {
		rt.Catalog = verify.Builtin()
	}
	dir := t.TempDir()
	store, err := recorder.Open(dir, recorder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o.Store = store
	g := New(o, rt)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	here := &url.URL{Scheme: "http", Host: ln.Addr().String()}
	go func() { served <- g.Serve(ctx, Door{Listener: ln, URL: func() *url.URL { return here }}) }()
	r := &rig{t: t, g: g, store: store, addr: ln.Addr().String()}
	r.stop = sync.OnceValue(func() error {
		cancel()
		err := <-served
		g.Wait()
		return errors.Join(err, store.Close())
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// recorded returns all exchanges, once n are done.
func (r *rig) recorded(n int) []*recorder.Exchange {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	done := 0
	for _, err := range r.store.Follow(ctx, recorder.Cursor{}) {
		if err != nil {
			r.t.Fatal(err)
		}
		if done++; done == n {
			break
		}
	}
	if done < n {
		r.t.Fatalf("%d exchanges are done, want %d", done, n)
	}
	var list []*recorder.Exchange
	for ex, err := range r.store.Query(recorder.Query{}) {
		if err != nil {
			r.t.Fatal(err)
		}
		list = append(list, ex)
	}
	return list
}

// raw sends bytes and returns the first response.
func (r *rig) raw(text string) *http.Response {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		r.t.Fatalf("%q: %v", text, err)
	}
	return resp
}

func (r *rig) post(path, body string, header ...string) (status int, answer string) {
	r.t.Helper()
	req, err := http.NewRequest("POST", "http://"+r.addr+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func to(t *testing.T, addrs ...string) []*url.URL {
	t.Helper()
	var list []*url.URL
	for _, a := range addrs {
		u, err := url.Parse(a)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, u)
	}
	return list
}

// forwardTo is routes that send all to one app.
func forwardTo(t *testing.T, addrs ...string) *Routes {
	return &Routes{Default: Route{Verify: Enforce, Forward: to(t, addrs...)}}
}

// app starts an app.
func app(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// rawApp starts an app that keeps the bytes of what it gets, up to the end of
// the header, and answers 204.
func rawApp(t *testing.T) (addr string, got func() string) {
	t.Helper()
	heads := make(chan string, 100)
	addr = connApp(t, func(c net.Conn) {
		br := bufio.NewReader(c)
		var head strings.Builder
		for {
			line, err := br.ReadString('\n')
			head.WriteString(line)
			if err != nil || line == "\r\n" {
				break
			}
		}
		heads <- head.String()
		io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	})
	return addr, func() string {
		select {
		case h := <-heads:
			return h
		case <-time.After(30 * time.Second):
			t.Fatal("nothing reached the app")
			return ""
		}
	}
}

// signed returns a body and a header that TikTok would sign it with at a time.
func signed(t *testing.T, body string, at time.Time) (header []string) {
	t.Helper()
	p, _ := verify.Lookup("tiktok")
	m := verify.Message{Method: "POST", URL: &url.URL{Scheme: "http", Host: "h"}, Header: http.Header{}, Body: []byte(body)}
	if err := p.Scheme.Sign(&m, tiktokKeys["tiktok"], verify.SignOptions{}, at); err != nil {
		t.Fatal(err)
	}
	return []string{"Tiktok-Signature", m.Header.Get("Tiktok-Signature"), "Content-Type", "application/json"}
}

var tiktokKeys = map[string]verify.Keys{"tiktok": {Secrets: []verify.Secret{verify.NewSecret(secret)}}}

const tiktokBody = `{"client_key":"k","event":"video.publish.completed","create_time":1,"user_openid":"u","content":"{}"}`

// What net/http would clean, encode anew or add arrives as it was sent.
func TestBytesOfTheRequestLine(t *testing.T) {
	addr, got := rawApp(t)
	for _, base := range []string{"", "/base/%2F"} {
		r := newRig(t, forwardTo(t, addr+base), Options{})
		for _, target := range []string{
			"/", "/a/b", "/ok?a=%zz&b=1;c=2", "/?", "/x?", "/a/../b/./c//d/", "/%2e%2e/%2F%20/é\"<>", "//evil.example/x", "//", "///a?//",
			"/a;b=c/d,e:f@g!$&'()*+=~", "/?a=b?c=d&&=&%", "/?%ff\xff", "/a%00b", "/p?q=a+b%20c|d\\e^f`g{h}",
		} {
			resp := r.raw("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")
			if resp.StatusCode != 204 {
				t.Errorf("%s: status %d", target, resp.StatusCode)
				continue
			}
			want := base + target
			if base != "" && (target == "/" || strings.HasPrefix(target, "/?")) {
				want = base + target[1:]
			}
			line, _, _ := strings.Cut(got(), "\r\n")
			if line != "GET "+want+" HTTP/1.1" {
				t.Errorf("the app got %q, want %q", line, want)
			}
			ex, err := r.store.Get("last")
			if err != nil {
				t.Fatal(err)
			}
			if ex.Request.URL != "http://h"+target || ex.Target != addr+want {
				t.Errorf("recorded %q to %q, sent %q", ex.Request.URL, ex.Target, target)
			}
		}
		resp := r.raw("GET http://other.example/abs?q HTTP/1.1\r\nHost: h\r\n\r\n")
		if line, _, _ := strings.Cut(got(), "\r\n"); resp.StatusCode != 204 || line != "GET "+base+"/abs?q HTTP/1.1" {
			t.Errorf("of an absolute target the app got %q", line)
		}
	}
}

func TestHeaders(t *testing.T) {
	addr, got := rawApp(t)
	host := strings.TrimPrefix(addr, "http://")
	send := func(r *rig, lines ...string) []string {
		t.Helper()
		r.raw("POST / HTTP/1.1\r\nHost: public.example\r\n" + strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n")
		all := strings.Split(strings.TrimSuffix(got(), "\r\n\r\n"), "\r\n")[1:]
		slices.Sort(all)
		return all
	}
	r := newRig(t, forwardTo(t, addr), Options{})
	all := send(r,
		"X-Multi: a", "X-Multi: b, c", "x-lower: 1", "X-Bytes: caf\xe9", "X-Empty:", "Cookie: a=1", "Cookie: b=2",
		"Connection: keep-alive, X-Hop", "X-Hop: 1", "Keep-Alive: 5", "TE: trailers", "Proxy-Connection: x", "Upgrade: nothing",
		"X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil", "X-Forwarded-Proto: https", "Authorization: Bearer x", "Forwarded: for=1",
	)
	want := []string{
		"Authorization: Bearer x", "Content-Length: 0", "Cookie: a=1", "Cookie: b=2", "Forwarded: for=1", "Host: " + host,
		"X-Bytes: caf\xe9", "X-Empty: ", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: public.example", "X-Forwarded-Proto: http",
		"X-Lower: 1", "X-Multi: a", "X-Multi: b, c",
	}
	if !slices.Equal(all, want) {
		t.Errorf("the app got\n%q, want\n%q", all, want)
	}
	ex, _ := r.store.Get("last")
	if ex.Request.Headers.Get("X-Forwarded-For") != "6.6.6.6" || ex.Request.Headers.Get("Connection") == "" || ex.Request.Headers.Get("Host") != "public.example" {
		t.Errorf("recorded is not what was sent: %v", ex.Request.Headers)
	}

	for header, want := range map[string]string{"preserve": "Host: public.example", "other.example": "Host: other.example"} {
		r := newRig(t, forwardTo(t, addr), Options{HostHeader: header})
		if all := send(r, "A: b"); !slices.Contains(all, want) {
			t.Errorf("with %s the app got %q, want %s", header, all, want)
		}
	}
}

// What a tunnel says of its sender is kept, what it does not say is added.
func TestForwardedByTheDoor(t *testing.T) {
	var got http.Header
	rt := forwardTo(t, app(t, func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	r := newRig(t, rt, Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	public := &url.URL{Scheme: "https", Host: "x.ngrok.app"}
	served := make(chan error, 1)
	go func() {
		served <- r.g.Serve(ctx, Door{Listener: ln, URL: func() *url.URL { return public }, Forwarded: true})
	}()
	req, _ := http.NewRequest("GET", "http://"+ln.Addr().String()+"/p", nil)
	req.Host = "x.ngrok.app"
	req.Header.Set("X-Forwarded-For", "1.2.3.4")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if got.Get("X-Forwarded-For") != "1.2.3.4" || got.Get("X-Forwarded-Proto") != "https" || got.Get("X-Forwarded-Host") != "x.ngrok.app" {
		t.Errorf("the app got %v", got)
	}
	if ex := r.recorded(1)[0]; ex.Request.URL != "https://x.ngrok.app/p" {
		t.Errorf("recorded %s", ex.Request.URL)
	}
}

// Many senders at once, with bodies of all sizes and all bytes.
func TestBodies(t *testing.T) {
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		h := sha256.New()
		n, err := io.Copy(h, r.Body)
		if err != nil {
			w.WriteHeader(500)
		}
		fmt.Fprintf(w, "%d %x %d %v", n, h.Sum(nil), r.ContentLength, r.TransferEncoding)
	})), Options{})
	sizes := []int{0, 1, 100, recorder.MaxInline - 1, recorder.MaxInline, recorder.MaxInline + 1, 1 << 20, 3 << 20}
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			body := make([]byte, sizes[i%len(sizes)])
			for j := range body {
				body[j] = byte(rand.Uint32())
			}
			chunked := i%3 == 0
			var in io.Reader = bytes.NewReader(body)
			if chunked {
				in = struct{ io.Reader }{in}
			}
			resp, err := http.Post("http://"+r.addr+fmt.Sprintf("/%d", i), "application/octet-stream", in)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			got, _ := io.ReadAll(resp.Body)
			length, encoding := len(body), []string(nil)
			if chunked {
				length, encoding = -1, []string{"chunked"}
			}
			if want := fmt.Sprintf("%d %x %d %v", len(body), sha256.Sum256(body), length, encoding); string(got) != want {
				t.Errorf("%d bytes arrived as %s, want %s", len(body), got, want)
			}
		})
	}
	wg.Wait()
	for _, ex := range r.recorded(24) {
		body, err := r.store.ReadBody(ex.Request.Body)
		if err != nil || int64(len(body)) != ex.Request.Size {
			t.Errorf("%s: recorded %d bytes of %d: %v", ex.Request.URL, len(body), ex.Request.Size, err)
		}
		answer := fmt.Sprintf("%d %x ", len(body), sha256.Sum256(body))
		if !strings.HasPrefix(string(ex.Response.Body.Bytes), answer) {
			t.Errorf("%s: the recorded bytes are not those that the app got", ex.Request.URL)
		}
	}
}

// The answer of the app is the sender's: status, headers, body; redirects are
// not followed and nothing is added.
func TestAnswer(t *testing.T) {
	var handle http.HandlerFunc
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) { handle(w, r) })), Options{})
	n := 0
	for name, tt := range map[string]struct {
		handle http.HandlerFunc
		status int
		header map[string]string // "" means absent
		body   string
	}{
		"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, 302, map[string]string{"Location": "/elsewhere"}, ""},
		"an error":   {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "oh no", 500) }, 500, nil, "oh no\n"},
		"no content": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204, nil, ""},
		"no type": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"], w.Header()["Date"] = nil, nil
			io.WriteString(w, "<html>")
		}, 200, map[string]string{"Content-Type": "", "Date": ""}, "<html>"},
		"gzip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "\x1f\x8bnot really")
		}, 200, map[string]string{"Content-Encoding": "gzip"}, "\x1f\x8bnot really"},
		"hop by hop": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Keep-Alive", "timeout=9")
			w.Header().Set("X-End", "1")
		}, 200, map[string]string{"Keep-Alive": "", "X-End": "1"}, ""},
	} {
		handle = tt.handle
		resp := r.raw("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != tt.status || tt.body != "" && string(body) != tt.body {
			t.Errorf("%s: %d %q", name, resp.StatusCode, body)
		}
		n++
		list := r.recorded(n)
		rec := list[len(list)-1].Response
		for k, want := range tt.header {
			if resp.Header.Get(k) != want || rec.Headers.Get(k) != want {
				t.Errorf("%s: %s is %q, recorded %q, want %q", name, k, resp.Header.Get(k), rec.Headers.Get(k), want)
			}
		}
		if rec.Status != resp.StatusCode || !bytes.Equal(rec.Body.Bytes, body) || rec.Size != int64(len(body)) {
			t.Errorf("%s: recorded %d %q", name, rec.Status, rec.Body.Bytes)
		}
	}
}

func TestTrailers(t *testing.T) {
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", r.Trailer.Get("X-In"))
	})), Options{})
	resp := r.raw("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-In\r\n\r\n4\r\nabcd\r\n0\r\nX-In: 7\r\n\r\n")
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "body" || resp.Trailer.Get("X-Sum") != "7" {
		t.Errorf("%q, %v, trailer %v", body, err, resp.Trailer)
	}
}

// The app is not there, too slow, or hangs up: the sender hears 502 or 504,
// never a 4xx, and the record says why.
func TestAppInTrouble(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := "http://" + free.Addr().String()
	free.Close()
	release := make(chan struct{})
	slow := app(t, func(w http.ResponseWriter, r *http.Request) { <-release })
	t.Cleanup(func() { close(release) }) // before the server closes
	hangup := app(t, func(w http.ResponseWriter, r *http.Request) {
		c, _, _ := http.NewResponseController(w).Hijack()
		c.Close()
	})
	for name, tt := range map[string]struct {
		app    string
		status int
		error  string
		detail string
	}{
		"refused":  {gone, 502, "app_unreachable", "connection refused"},
		"slow":     {slow, 504, "app_timeout", "no answer within 100ms"},
		"hung up":  {hangup, 502, "app_unreachable", "the app hung up without an answer"},
		"no host":  {"http://nowhere.invalid:1", 502, "app_unreachable", "no such host: nowhere.invalid"},
		"no https": {strings.Replace(app(t, func(http.ResponseWriter, *http.Request) {}), "http:", "https:", 1), 502, "app_unreachable", "does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			rt := forwardTo(t, tt.app)
			rt.Default.Timeout = 100 * time.Millisecond
			if name != "slow" {
				rt.Default.Timeout = 2 * time.Minute
			}
			r := newRig(t, rt, Options{})
			started := time.Now()
			status, body := r.post("/p", "x")
			if took := time.Since(started); name == "refused" && took > 10*time.Second { // it does not wait for the timeout
				t.Errorf("took %s", took)
			}
			ex := r.recorded(1)[0]
			var answer struct{ Error, ID string }
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			if status != tt.status || answer.Error != tt.error || answer.ID != string(ex.ID) {
				t.Errorf("answer %d %s", status, body)
			}
			if ex.Outcome != recorder.Unreachable || !strings.Contains(ex.Detail, tt.detail) || ex.Response.Status != tt.status {
				t.Errorf("recorded %s %q", ex.Outcome, ex.Detail)
			}
		})
	}
}

// An app that listens on ::1 alone is found under 127.0.0.1 and localhost too.
func TestAppOnIPv6(t *testing.T) {
	var ln net.Listener
	for alone := false; !alone; { // nobody has its port on 127.0.0.1
		var err error
		if ln, err = net.Listen("tcp", "[::1]:0"); err != nil {
			t.Logf("no IPv6 here: %v", err)
			return
		}
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		if other, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			alone = other.Close() == nil
		}
		if !alone {
			defer ln.Close() // so that the next one is another
		}
	}
	s := &httptest.Server{Listener: ln, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })}}
	s.Start()
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost"} {
		r := newRig(t, forwardTo(t, "http://"+net.JoinHostPort(host, port)), Options{})
		if status, body := r.post("/", ""); status != 204 {
			t.Errorf("%s: %d %s", host, status, body)
		}
	}
}

// A clock that was put back takes no time away from who reads.
func TestClockPutBack(t *testing.T) {
	ours, senders := net.Pipe()
	defer ours.Close()
	defer senders.Close()
	c := &conn{Conn: ours}
	c.renewed.Store(time.Now().Add(time.Hour).UnixNano())
	c.SetWriteDeadline(time.Now()) // of the last time
	go io.Copy(io.Discard, senders)
	if _, err := c.Write([]byte("x")); err != nil {
		t.Error(err)
	}
}

// An app that ends in the middle of its answer does not make half an answer
// look whole.
func TestBrokenAnswer(t *testing.T) {
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "half")
	})), Options{})
	resp, err := http.Post("http://"+r.addr, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err == nil || string(body) != "half" {
		t.Errorf("the sender got %q, %v: want half, and no end", body, err)
	}
	ex := r.recorded(1)[0]
	if ex.Outcome != recorder.Answered || !ex.Response.Truncated || string(ex.Response.Body.Bytes) != "half" {
		t.Errorf("recorded %s %+v", ex.Outcome, ex.Response)
	}
}

// Server-sent events come as they are sent.
func TestStreaming(t *testing.T) {
	next := make(chan string)
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		http.NewResponseController(w).Flush()
		for text := range next {
			io.WriteString(w, text)
			http.NewResponseController(w).Flush()
		}
	})), Options{})
	resp, err := http.Get("http://" + r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, text := range []string{"data: 1\n\n", "data: 2\n\n"} {
		next <- text
		buf := make([]byte, len(text))
		if _, err := io.ReadFull(resp.Body, buf); err != nil || string(buf) != text {
			t.Fatalf("got %q, %v", buf, err)
		}
	}
	close(next)
	if ex := r.recorded(1)[0]; string(ex.Response.Body.Bytes) != "data: 1\n\ndata: 2\n\n" {
		t.Errorf("recorded %q", ex.Response.Body.Bytes)
	}
}

// A lateListener gives one connection when it was closed, as one does whose Accept was
// about to return.
type lateListener struct {
	net.Listener
	accepting, closed chan struct{}
	late              chan net.Conn
	once              sync.Once
}

func (l *lateListener) Accept() (net.Conn, error) {
	l.accepting <- struct{}{}
	<-l.closed
	select {
	case c := <-l.late:
		return c, nil
	default:
		return nil, net.ErrClosed
	}
}

func (l *lateListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Who was let in at the last moment has his webhook delivered and answered before Serve returns.
func TestAcceptedAtTheEnd(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		io.WriteString(w, "done")
	})), Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	sender, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(sender, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
	late := &lateListener{Listener: ln, accepting: make(chan struct{}, 2), closed: make(chan struct{}), late: make(chan net.Conn, 1)}
	late.late <- accepted
	here := &url.URL{Scheme: "http", Host: ln.Addr().String()}
	ended, end := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- r.g.Serve(ended, Door{Listener: late, URL: func() *url.URL { return here }}) }()
	<-late.accepting
	end()
	select {
	case <-arrived:
		close(release)
		if err := <-served; err != nil {
			t.Error(err)
		}
	case err := <-served:
		t.Errorf("Serve returned %v, and a webhook had come in", err)
	}
	sender.SetReadDeadline(time.Now().Add(10 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(sender), nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(body) != "done" {
		t.Errorf("the sender heard %d %q, %v", resp.StatusCode, body, err)
	}
}

// A stream without an end is cut when devhook ends, and its record is kept.
func TestEndStreams(t *testing.T) {
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "start")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})), Options{})
	resp, err := http.Get("http://" + r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	io.ReadFull(resp.Body, make([]byte, 5))
	r.g.EndStreams()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
}

// An answer that ends too early is the app's fault only where it is: a page that is closed
// ends its stream, and so does the end of devhook.
func TestWhoBrokeOff(t *testing.T) {
	started := make(chan struct{})
	rt := forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("x", recorder.MaxInline+1)) // more is kept in a file
		http.NewResponseController(w).Flush()
		started <- struct{}{}
		if r.Method == "DELETE" {
			panic(http.ErrAbortHandler)
		}
		<-r.Context().Done()
	}))
	want := map[string]string{
		"GET":    "the sender hung up before the end of the answer",
		"POST":   "interrupted before the end of the answer",
		"DELETE": "the app broke off its answer",
		"PUT":    "devhook ended before the end of the answer",
	}
	r := newRig(t, rt, Options{})
	ask := func(method string) (hangUp func()) {
		req, err := http.NewRequest(method, "http://"+r.addr, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		read := make(chan struct{})
		go func() {
			defer close(read)
			if resp, err := http.DefaultClient.Do(req.WithContext(ctx)); err == nil {
				io.CopyN(io.Discard, resp.Body, recorder.MaxInline+1)
				t.Cleanup(func() { resp.Body.Close() })
			}
		}()
		<-started
		return func() {
			<-read
			cancel()
		}
	}
	ctx, interrupt := context.WithTimeout(t.Context(), 30*time.Second)
	defer interrupt()
	bodies := filepath.Join(r.store.Path(), "bodies")
	go func() {
		<-started
		for list, _ := os.ReadDir(bodies); len(list) == 0 && ctx.Err() == nil; list, _ = os.ReadDir(bodies) {
			time.Sleep(time.Millisecond)
		}
		interrupt()
	}()
	src := &recorder.Exchange{Request: recorder.Request{Method: "POST", URL: "http://h/"}}
	if _, err := r.g.Send(ctx, replay.Plan{Source: src, Origin: recorder.Replay, To: rt.Default.Forward[0]}); err != nil {
		t.Fatal(err)
	}
	ask("GET")()
	defer ask("DELETE")()
	r.recorded(3)
	defer ask("PUT")()
	r.g.EndStreams()
	for _, ex := range r.recorded(4) {
		if ex.Detail != want[ex.Request.Method] || ex.Response == nil || !ex.Response.Truncated {
			t.Errorf("%s: %q, want %q; %+v", ex.Request.Method, ex.Detail, want[ex.Request.Method], ex.Response)
		}
	}
}

// A sender that hangs up does not take its webhook back: the app is not
// disturbed, and its answer is recorded.
func TestSenderHangsUp(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		if r.Context().Err() != nil {
			w.WriteHeader(500)
		}
		io.WriteString(w, "done")
	})), Options{})
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi")
	<-arrived
	c.Close()
	close(release)
	if ex := r.recorded(1)[0]; ex.Outcome != recorder.Answered || ex.Response.Status != 200 || string(ex.Response.Body.Bytes) != "done" {
		t.Errorf("recorded %s %+v", ex.Outcome, ex.Response)
	}
}

// What is no whole HTTP is counted, not recorded.
func TestMalformed(t *testing.T) {
	r := newRig(t, forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {})), Options{})
	if resp := r.raw("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n"); resp.StatusCode != 400 {
		t.Errorf("status %d", resp.StatusCode)
	}
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf")
	c.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, c)
	c.Close()
	if status, _ := r.post("/", "whole"); status != 200 {
		t.Errorf("status %d", status)
	}
	deadline := time.Now().Add(5 * time.Second)
	for r.g.Malformed() != 2 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if n, list := r.g.Malformed(), r.recorded(1); n != 2 || len(list) != 1 {
		t.Errorf("%d malformed, %d recorded", n, len(list))
	}
}

func TestTooLarge(t *testing.T) {
	reached := false
	r := newRig(t, forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) { reached = true })), Options{MaxBody: 1000})
	status, body := r.post("/", strings.Repeat("x", 1001))
	if status != 413 || !strings.HasPrefix(body, `{"error":"too_large","id":"`) {
		t.Errorf("%d %s", status, body)
	}
	resp := r.raw("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + strings.Repeat("x", 1001) + "\r\n0\r\n\r\n")
	if resp.StatusCode != 413 {
		t.Errorf("chunked: %d", resp.StatusCode)
	}
	if status, _ := r.post("/", strings.Repeat("x", 1000)); status != 200 || !reached {
		t.Errorf("the largest that is taken: %d", status)
	}
	for _, ex := range r.recorded(3)[:2] {
		if !ex.Request.Truncated || ex.Request.Size != 1001 || len(ex.Request.Body.Bytes) != 0 || ex.Outcome != recorder.Refused || ex.Response.Status != 413 {
			t.Errorf("recorded %+v", ex)
		}
	}
}

// The store takes nothing: the sender is told to try again, and the app gets
// nothing that is not on the disk.
func TestNotRecorded(t *testing.T) {
	reached := false
	r := newRig(t, forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) { reached = true })), Options{})
	r.store.Close()
	r.stop = func() error { return nil }
	status, body := r.post("/", "x")
	if status != 503 || !strings.Contains(body, "not_recorded") {
		t.Errorf("%d %s", status, body)
	}
	if reached {
		t.Error("the app got it")
	}
}

// Without an app devhook answers as the provider expects.
func TestNoApp(t *testing.T) {
	rt := &Routes{Default: Route{Verify: Enforce}}
	r := newRig(t, rt, Options{})
	tencent := "/cb?SdkAppid=1&CallbackCommand=Live.CallbackAfterCreateRoom&contenttype=json"
	if status, body := r.post(tencent, `{"CallbackCommand":"Live.CallbackAfterCreateRoom"}`); status != 200 || body != `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}` {
		t.Errorf("Tencent hears %d %s", status, body)
	}
	if status, body := r.post("/x", "anything"); status != 200 || body != "" {
		t.Errorf("others hear %d %q", status, body)
	}
	for _, ex := range r.recorded(2) {
		if ex.Outcome != recorder.Handled || ex.Target != "" {
			t.Errorf("recorded %+v", ex)
		}
	}
}

func TestMirrors(t *testing.T) {
	var mu sync.Mutex
	got := map[string]int{}
	seen := func(name string, status int) string {
		return app(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			mu.Lock()
			got[name+" "+r.URL.Path+" "+string(b)]++
			mu.Unlock()
			w.WriteHeader(status)
		})
	}
	r := newRig(t, forwardTo(t, seen("first", 201), seen("second", 500), seen("third", 204)), Options{})
	if status, _ := r.post("/p", "hello"); status != 201 {
		t.Errorf("the sender hears %d, want the first app's 201", status)
	}
	list := r.recorded(3)
	mu.Lock()
	defer mu.Unlock()
	for _, name := range []string{"first", "second", "third"} {
		if got[name+" /p hello"] != 1 {
			t.Errorf("%s got %v", name, got)
		}
	}
	parent := list[0]
	for _, ex := range list[1:] {
		if ex.Origin != recorder.Mirror || ex.Parent != parent.ID || ex.Target == parent.Target || ex.Outcome != recorder.Answered {
			t.Errorf("recorded %+v", ex)
		}
	}
}

// A copy for an app that hangs holds up nobody.
func TestSlowMirror(t *testing.T) {
	release := make(chan struct{})
	slow := app(t, func(http.ResponseWriter, *http.Request) { <-release })
	r := newRig(t, forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {}), slow), Options{})
	for range 100 {
		if status, _ := r.post("/", ""); status != 200 {
			t.Fatal(status)
		}
	}
	close(release)
	if list := r.recorded(200); len(list) != 200 {
		t.Errorf("%d recorded", len(list))
	}
}
