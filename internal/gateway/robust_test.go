package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"devhook/recorder"
)

// dial opens a connection to the gateway and sends text.
func (r *rig) dial(text string) net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// endsIn fails if the gateway has not ended by then. EndStreams is called once
// no more comes in, as devhook does.
func (r *rig) endsIn(limit time.Duration) {
	r.t.Helper()
	done := make(chan struct{})
	go func() {
		r.stop()
		close(done)
	}()
	end := time.AfterFunc(50*time.Millisecond, r.g.EndStreams)
	defer end.Stop()
	select {
	case <-done:
	case <-time.After(limit):
		r.t.Errorf("it goes on after %s", limit)
	}
}

// Nobody who stops in the middle of a body or an answer keeps devhook from
// ending, and nobody who says nothing.
func TestStalledSenders(t *testing.T) {
	large := strings.Repeat("x", 20<<20)
	arrived := make(chan struct{}, 1)
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(large)))
		arrived <- struct{}{}
		io.WriteString(w, large)
	})), Options{})
	r.dial("")
	r.dial("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
	r.dial("GET / HTTP/1.1\r\nHost: h\r\n\r\n") // and reads nothing
	<-arrived
	r.endsIn(endTime + 10*time.Second)
}

func TestUnusedConnection(t *testing.T) {
	r := newRig(t, forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {})), Options{})
	r.dial("")
	started := time.Now()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > 4*time.Second { // net/http itself waits 5
		t.Errorf("it took %s to end", took)
	}
}

// A path that apps read in different ways leads to no route.
func TestAmbiguousPaths(t *testing.T) {
	a := app(t, func(http.ResponseWriter, *http.Request) {})
	r := newRig(t, &Routes{List: []Route{
		{Path: "/open", Verify: Off, Forward: to(t, a)},
		{Path: "/hooks", Verify: Strict, Forward: to(t, a)},
	}}, Options{})
	for target, want := range map[string]int{
		"/open": 200, "/open/a//b": 200, "/open/a;v=1": 200, "/open?x=/../hooks": 200, "/hooks": 403, "/hooks//x": 403,
		"/open/../hooks": 404, "/open/%2e%2e/hooks": 404, "/open#/../hooks": 404, "/open/..;/hooks": 404,
		`/open/..\hooks`: 404, "/open/..;a=b/hooks": 404,
	} {
		if resp := r.raw("POST " + target + " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"); resp.StatusCode != want {
			t.Errorf("%s: status %d, want %d", target, resp.StatusCode, want)
		}
	}
}

// A host that is none is no reason not to record.
func TestOddHosts(t *testing.T) {
	r := newRig(t, forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {})), Options{})
	hosts := []string{"a:b:c", "a%zz", "a%41", "h:99999999", "[::1"}
	for _, host := range hosts {
		if resp := r.raw("POST /x HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\n\r\n"); resp.StatusCode != 200 {
			t.Errorf("%s: status %d", host, resp.StatusCode)
		}
	}
	for i, ex := range r.recorded(len(hosts)) {
		if want := "http://" + hosts[i] + "/x"; ex.Request.URL != want {
			t.Errorf("recorded %s, want %s", ex.Request.URL, want)
		}
	}
}

// OPTIONS * is a request like others, and stays one for the server as a whole.
func TestOptionsOfTheServer(t *testing.T) {
	addr, got := rawApp(t)
	r := newRig(t, forwardTo(t, addr), Options{})
	if resp := r.raw("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"); resp.StatusCode != 204 {
		t.Errorf("status %d", resp.StatusCode)
	}
	if head := got(); !strings.HasPrefix(head, "OPTIONS * HTTP/1.1\r\n") {
		t.Errorf("the app got %q", head)
	}
	if ex := r.recorded(1)[0]; ex.Request.Method != "OPTIONS" || ex.Request.URL != "http://h" {
		t.Errorf("recorded %s %s", ex.Request.Method, ex.Request.URL)
	}
	r.raw("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n")
	if head := got(); !strings.HasPrefix(head, "GET / HTTP/1.1\r\n") {
		t.Errorf("the app got %q", head)
	}
}

// Who asks whether to send a body that is too large is told no at once.
func TestExpectOfTooMuch(t *testing.T) {
	r := newRig(t, forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {})), Options{MaxBody: 10})
	c := r.dial("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
	c.SetReadDeadline(time.Now().Add(2 * time.Second))
	if line, err := bufio.NewReader(c).ReadString('\n'); !strings.Contains(line, " 413 ") {
		t.Errorf("got %q, %v", line, err)
	}
}

// Answers that cannot be passed on are the app's fault, and do not stay open
// in the record.
func TestImpossibleAnswers(t *testing.T) {
	odd := connApp(t, func(c net.Conn) {
		if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			fmt.Fprintf(c, "HTTP/1.1 %s X\r\nContent-Length: 0\r\n\r\n", req.URL.Path[1:])
		}
	})
	r := newRig(t, forwardTo(t, odd), Options{})
	for _, status := range []string{"099", "000", "101"} {
		if resp := r.raw("POST /" + status + " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"); resp.StatusCode != 502 {
			t.Errorf("the app says %s, the sender hears %d", status, resp.StatusCode)
		}
	}
	for _, ex := range r.recorded(3) {
		if ex.Outcome != recorder.Unreachable || ex.Response.Status != 502 {
			t.Errorf("recorded %s %+v", ex.Outcome, ex.Response)
		}
	}
}
