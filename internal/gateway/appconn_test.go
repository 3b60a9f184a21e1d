package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"devhook/recorder"
)

// What an app answers counts, also if it hangs up without having read all of
// the request: the reset that follows must not hide the answer.
func TestAnswerBeforeTheBodyIsRead(t *testing.T) {
	r := newRig(t, forwardTo(t, connApp(t, func(c net.Conn) {
		if _, err := bufio.NewReader(c).ReadString('\n'); err == nil {
			io.WriteString(c, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
		}
	})), Options{})
	body := strings.Repeat("x", 8<<20)
	const n = 20
	for range n {
		if status, answer := r.post("/", body); status != 413 || answer != "big" {
			t.Errorf("the sender hears %d %s", status, answer)
		}
	}
	for _, ex := range r.recorded(n) {
		if ex.Outcome != recorder.Answered {
			t.Errorf("recorded %s %s", ex.Outcome, ex.Detail)
		}
	}
}

// An app that hangs up without an answer is still told from one that answers.
func TestNoAnswerBeforeTheBodyIsRead(t *testing.T) {
	r := newRig(t, forwardTo(t, connApp(t, func(c net.Conn) { c.Read(make([]byte, 1)) })), Options{})
	for range 5 {
		if status, answer := r.post("/", strings.Repeat("x", 8<<20)); status != 502 {
			t.Errorf("the sender hears %d %s", status, answer)
		}
	}
}

// What an app says before its answer reaches the sender, who must know HTTP/1.1
// for that.
func TestEarlyAnswers(t *testing.T) {
	r := newRig(t, forwardTo(t, connApp(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n"+
				"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"+
				"HTTP/1.1 102 Processing\r\n\r\n"+
				"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
		}
	})), Options{})
	for proto, want := range map[string]string{
		"1.1": "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\n" +
			"HTTP/1.1 102 Processing\r\n\r\n" +
			"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
		"1.0": "HTTP/1.0 201 Created\r\nContent-Length: 2\r\n\r\nok",
	} {
		c := r.dial("POST / HTTP/" + proto + "\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if got, err := io.ReadAll(c); err != nil || string(got) != want {
			t.Errorf("HTTP/%s: got %q, %v", proto, got, err)
		}
	}
	if ex := r.recorded(2)[0]; ex.Response.Status != 201 || ex.Response.Headers["Link"] != nil {
		t.Errorf("recorded %+v", ex.Response)
	}
}

// A countingConn counts what is written at once.
type countingConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// A small webhook goes to the app with one write, so that the app wakes once.
func TestOneWrite(t *testing.T) {
	var writes atomic.Int64
	var dialer net.Dialer
	r := newRig(t, forwardTo(t, app(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })), Options{
		Transport: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			return countingConn{c, &writes}, err
		}},
	})
	if status, _ := r.post("/", strings.Repeat("x", 1<<10)); status != 200 || writes.Load() != 1 {
		t.Errorf("%d writes, status %d", writes.Load(), status)
	}
}

// Each User-Agent arrives, though net/http has its own mind about them.
func TestUserAgents(t *testing.T) {
	addr, got := rawApp(t)
	r := newRig(t, forwardTo(t, addr), Options{})
	for _, agents := range [][]string{nil, {""}, {"one/1"}, {"one/1", "two/2"}, {"", "two/2"}} {
		sent := ""
		for _, a := range agents {
			sent += fmt.Sprintf("User-Agent: %s\r\n", a)
		}
		r.raw("GET / HTTP/1.1\r\nHost: h\r\n" + sent + "\r\n")
		var arrived []string
		for line := range strings.SplitSeq(got(), "\r\n") {
			if name, value, ok := strings.Cut(line, ": "); ok && strings.EqualFold(name, "User-Agent") {
				arrived = append(arrived, value)
			}
		}
		if !slices.Equal(arrived, agents) {
			t.Errorf("sent %q, arrived %q", agents, arrived)
		}
	}
}
