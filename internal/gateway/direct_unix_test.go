//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package gateway

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What direct writes is what net/http's transport writes.
func TestDirectWritesAsTransport(t *testing.T) {
	var mu sync.Mutex
	var got [][]byte
	addr := connApp(t, func(c net.Conn) {
		defer c.Close()
		r := bufio.NewReader(c)
		for { // by hand, as net/http does not read what has a path that it would not write
			var raw []byte
			length := 0
			for !bytes.HasSuffix(raw, []byte("\r\n\r\n")) {
				line, err := r.ReadBytes('\n')
				if err != nil {
					return
				}
				raw = append(raw, line...)
				if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
					length, _ = strconv.Atoi(strings.TrimSpace(string(n)))
				}
			}
			body := make([]byte, length)
			if _, err := io.ReadFull(r, body); err != nil {
				return
			}
			mu.Lock()
			got = append(got, append(raw, body...))
			mu.Unlock()
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	to, err := url.Parse(addr)
	if err != nil {
		t.Fatal(err)
	}
	d, transport := &direct{dial: dialApp}, newTransport()
	defer transport.CloseIdleConnections()
	for _, c := range []struct {
		method, url, host, body string
		header                  http.Header
	}{
		{"POST", "/hooks?a=1&b=%20", to.Host, `{"a":1}`, http.Header{"Content-Type": {"application/json"}, "User-Agent": {""}, "X-B": {"2", "1"}, "X-A": {"é \t"}}},
		{"POST", "/%2F/../a%zz?x=;", "other.example", strings.Repeat("x", 10_000), http.Header{"User-Agent": {"TikTok/1"}}},
		{"POST", "/?", to.Host, "", http.Header{"User-Agent": {""}, "x-odd": {"kept"}}},
		{"GET", "/", to.Host, "", http.Header{}},
		{"GET", "/with?body", to.Host, "body", http.Header{"User-Agent": {"", "two"}}},
		{"PROPFIND", "/", to.Host, "", http.Header{"Empty": {""}, "None": nil}},
		{"DELETE", "", to.Host, "x", http.Header{"User-Agent": {""}}},
	} {
		got = nil
		for _, over := range []http.RoundTripper{d, transport} {
			r := &http.Request{
				Method: c.method, URL: outgoingURL(to, c.method, "https://me.example"+c.url), Host: c.host, Header: c.header, ContentLength: int64(len(c.body)),
				Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			}
			if c.body != "" {
				r.Body = io.NopCloser(strings.NewReader(c.body))
			}
			if !d.takes(r) {
				t.Errorf("%s %s is not taken", c.method, c.url)
			}
			resp, err := over.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		if len(got) != 2 || !bytes.Equal(got[0], got[1]) {
			t.Errorf("%s %s: %q", c.method, c.url, got)
		}
	}
}

// What is not plain is left to net/http, and with it what it refuses.
func TestDirectTakes(t *testing.T) {
	d := &direct{dial: dialApp}
	for name, change := range map[string]func(*http.Request){
		"TLS":              func(r *http.Request) { r.URL.Scheme = "https" },
		"unknown length":   func(r *http.Request) { r.ContentLength = -1 },
		"a large body":     func(r *http.Request) { r.ContentLength = maxDirectBody + 1 },
		"no body of some":  func(r *http.Request) { r.Body = nil },
		"a body of none":   func(r *http.Request) { r.ContentLength = 0 },
		"trailers":         func(r *http.Request) { r.Trailer = http.Header{} },
		"an upgrade":       func(r *http.Request) { r.Header.Set("Upgrade", "websocket") },
		"Expect":           func(r *http.Request) { r.Header.Set("Expect", "100-continue") },
		"CONNECT":          func(r *http.Request) { r.Method = "CONNECT" },
		"a wrong method":   func(r *http.Request) { r.Method = "PO ST" },
		"a wrong name":     func(r *http.Request) { r.Header["X Y"] = []string{"1"} },
		"no name":          func(r *http.Request) { r.Header[""] = []string{"1"} },
		"a wrong value":    func(r *http.Request) { r.Header["X"] = []string{"1\r\nY: 2"} },
		"a wrong host":     func(r *http.Request) { r.Host = "a b" },
		"a host to encode": func(r *http.Request) { r.URL.Host = "bücher.example" },
		"no host":          func(r *http.Request) { r.URL.Host = "" },
	} {
		r, err := http.NewRequest("POST", "http://app.example/", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if !d.takes(r) {
			t.Fatal("a plain request is not taken")
		}
		if change(r); d.takes(r) {
			t.Errorf("%s is taken", name)
		}
	}
}

// scripted is an app that gives one of the answers a request, in order, whatever
// is asked, and counts its connections. After an answer that ends with "bye" it
// hangs up.
func scripted(t *testing.T, answers ...string) (addr string, conns *atomic.Int32) {
	conns = new(atomic.Int32)
	var next atomic.Int32
	return connApp(t, func(c net.Conn) {
		conns.Add(1)
		eachRequest(c, func(*bufio.Reader) (more bool) {
			answer, bye := strings.CutSuffix(answers[min(int(next.Add(1)), len(answers))-1], "bye")
			io.WriteString(c, answer)
			return !bye
		})
	}), conns
}

// eachRequest reads requests of c, and has each answered, until answer or the sender
// wants no more.
func eachRequest(c net.Conn, answer func(r *bufio.Reader) (more bool)) {
	for r := bufio.NewReader(c); ; {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		io.Copy(io.Discard, req.Body)
		if !answer(r) {
			return
		}
	}
}

func askDirectly(d *direct, ctx context.Context, method, addr string) (string, error) {
	var body io.Reader
	if method == "POST" {
		body = strings.NewReader("{}")
	}
	r, err := http.NewRequestWithContext(ctx, method, addr+"/", body)
	if err != nil {
		return "", err
	}
	resp, err := d.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return string(answer), err
}

const (
	okA     = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
	okB     = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n"
	okClose = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na"
	ok10    = "HTTP/1.0 200 OK\r\n\r\na"
	early   = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
)

// Connections are kept when the answer was read to its end, nobody wants them
// closed, and nothing stands behind it.
func TestDirectKeepsConnections(t *testing.T) {
	for name, c := range map[string]struct {
		answers []string
		want    string
		conns   int32
	}{
		"kept":                {[]string{okA, okB, okA}, "aba", 1},
		"without a body":      {[]string{"HTTP/1.1 204 No Content\r\n\r\n", okA, okA}, "aa", 1},
		"one told, none sent": {[]string{"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", okA, okA}, "aa", 2},
		"closed by the app":   {[]string{okClose, okA, okA}, "aaa", 2},
		"HTTP/1.0":            {[]string{ok10 + "bye", ok10 + "bye", okA}, "aaa", 3},
		"more than asked for": {[]string{okA + "HTTP/1.1 408 Request Timeout\r\n\r\n", okA, okA}, "aaa", 2},
		"early answers":       {[]string{early + early + okA, okA, okA}, "aaa", 1},
		"hung up unannounced": {[]string{okA + "bye", okA + "bye", okA}, "aaa", 3},
		"an upgrade unasked":  {[]string{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", okA, okA}, "aa", 2},
	} {
		addr, conns := scripted(t, c.answers...)
		d := &direct{dial: dialApp}
		var got strings.Builder
		for range c.answers {
			answer, err := askDirectly(d, t.Context(), "GET", addr)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			got.WriteString(answer)
		}
		if got.String() != c.want || conns.Load() != c.conns {
			t.Errorf("%s: %q over %d connections, want %q over %d", name, got.String(), conns.Load(), c.want, c.conns)
		}
	}

	addr, conns := scripted(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
	d := &direct{dial: dialApp}
	for range 3 {
		if _, err := askDirectly(d, t.Context(), "HEAD", addr); err != nil {
			t.Error(err)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("HEAD, whose answer tells the length of what it does not have: %d connections", n)
	}
}

// When the app hangs up without an answer on a connection that was used before,
// only what may be asked twice is asked again.
func TestDirectAsksAgain(t *testing.T) {
	addr, conns := scripted(t, okA, "bye", okA)
	d := &direct{dial: dialApp}
	for range 2 {
		if answer, err := askDirectly(d, t.Context(), "GET", addr); answer != "a" || err != nil {
			t.Errorf("%q, %v", answer, err)
		}
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
	addr, conns = scripted(t, okA, "bye", okA)
	if answer, err := askDirectly(d, t.Context(), "POST", addr); answer != "a" || err != nil {
		t.Errorf("%q, %v", answer, err)
	}
	if answer, err := askDirectly(d, t.Context(), "POST", addr); err == nil || conns.Load() != 1 {
		t.Errorf("asked again: %q over %d connections", answer, conns.Load())
	}
}

func TestDirectBoundsAnswers(t *testing.T) {
	addr, _ := scripted(t, strings.Repeat(early, maxEarlyAnswer+1)+okA)
	d := &direct{dial: dialApp}
	seen := 0
	ctx := context.WithValue(t.Context(), watcherKey{}, &watching{onEarly: func(status int, h textproto.MIMEHeader) {
		if status == 103 && h.Get("Link") == "</a>" {
			seen++
		}
	}})
	if answer, err := askDirectly(d, ctx, "POST", addr); err == nil || seen != maxEarlyAnswer {
		t.Errorf("%q, %v after %d early answers", answer, err, seen)
	}
	addr, _ = scripted(t, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 11_000))
	if _, err := askDirectly(d, t.Context(), "POST", addr); !errors.Is(err, errHeadTooLong) {
		t.Error(err)
	}
}

// Who asks no longer waits is not held up, before the answer or in it, and the
// connection is not used again.
func TestDirectEndsWithContext(t *testing.T) {
	for _, start := range []string{"", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na"} {
		addr, conns := scripted(t, start, okA)
		d := &direct{dial: dialApp}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			for conns.Load() == 0 && t.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			time.AfterFunc(300*time.Millisecond, cancel) // which the request has long arrived in
		}()
		if _, err := askDirectly(d, ctx, "POST", addr); err == nil {
			t.Error("no error")
		}
		cancel()
		if answer, err := askDirectly(d, t.Context(), "POST", addr); answer != "a" || err != nil || conns.Load() != 2 {
			t.Errorf("%q, %v over %d connections", answer, err, conns.Load())
		}
	}
}

// What is to be done while the app is at it is done when the app has the request.
func TestDirectSaysWhenWritten(t *testing.T) {
	arrived := make(chan struct{}, 1)
	addr := connApp(t, func(c net.Conn) {
		defer c.Close()
		if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			io.Copy(io.Discard, req.Body)
			arrived <- struct{}{}
			io.WriteString(c, okA)
		}
	})
	called := 0
	w := &watching{onWritten: func() {
		called++
		select {
		case <-arrived:
		case <-time.After(20 * time.Second):
			t.Error("the app has nothing yet")
		}
	}}
	ctx := context.WithValue(t.Context(), watcherKey{}, w)
	if answer, err := askDirectly(&direct{dial: dialApp}, ctx, "POST", addr); answer != "a" || err != nil || called != 1 || w.dialed != 1 {
		t.Errorf("%q, %v, called %d times, %d connections", answer, err, called, w.dialed)
	}
}

// A watching is a watcher of tests.
type watching struct {
	onWritten func()                          // may be nil
	onEarly   func(int, textproto.MIMEHeader) // may be nil
	dialed    int
}

func (w *watching) connecting()      { w.dialed++ }
func (w *watching) carried(*appConn) {}

func (w *watching) written() {
	if w.onWritten != nil {
		w.onWritten()
	}
}

func (w *watching) early(status int, h textproto.MIMEHeader) error {
	if w.onEarly != nil {
		w.onEarly(status, h)
	}
	return nil
}

// Connections that nobody uses are closed, so that an app that ends is not held up.
func TestDirectClosesIdle(t *testing.T) {
	closed := make(chan struct{})
	addr := connApp(t, func(c net.Conn) {
		io.WriteString(c, okA)
		io.Copy(io.Discard, c)
		close(closed)
	})
	d := &direct{dial: dialApp}
	if answer, err := askDirectly(d, t.Context(), "POST", addr); answer != "a" || err != nil {
		t.Fatalf("%q, %v", answer, err)
	}
	select {
	case <-closed:
	case <-time.After(20 * time.Second):
		t.Error("an idle connection stays open")
	}
}

// A body where none may be is not taken for the next answer.
func TestDirectBodyOf204(t *testing.T) {
	for _, head := range []string{"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"} {
		asked := make(chan struct{}, 2)
		addr := connApp(t, func(c net.Conn) {
			eachRequest(c, func(r *bufio.Reader) (more bool) {
				asked <- struct{}{}
				io.WriteString(c, head)
				_, err := r.Peek(1) // the next request is there before the body
				io.WriteString(c, "ok")
				return err == nil
			})
		})
		d := &direct{dial: dialApp}
		for range 2 {
			r, err := http.NewRequest("POST", addr, strings.NewReader("body"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := d.RoundTrip(r)
			if err != nil {
				t.Fatalf("%q: %v", head, err)
			}
			resp.Body.Close()
			<-asked
		}
	}
}
