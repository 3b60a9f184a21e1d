package tunnel

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/tunnel/ngroktest"
)

// pair returns the two ends of a connection through a tunnel.
func pair(t *testing.T) (theirs *ngroktest.Conn, ours net.Conn, srv *ngroktest.Server, l *ngrokListener) {
	t.Helper()
	srv = start(t)
	l = mustOpen(t, options(t, srv), quick)
	theirs = dial(t, srv, l)
	ours, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ours.Close() })
	return theirs, ours, srv, l
}

// fill writes until the other side, which does not read, must be waited for:
// the Write that is returned on the channel is blocked.
func fill(t *testing.T, c net.Conn) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		_, err := c.Write(make([]byte, 4<<20))
		ended <- err
	}()
	for end := time.Now().Add(patience); !c.(*conn).stuck() && time.Now().Before(end); {
		time.Sleep(time.Millisecond) // it has not begun
	}
	tick := time.NewTimer(100 * time.Millisecond) // the window is 256 KiB
	defer tick.Stop()
	select {
	case err := <-ended:
		t.Fatalf("a write of 4 MiB to nobody ended: %v", err)
	case <-tick.C:
	}
	return ended
}

func TestConnHalfClosedByTheSender(t *testing.T) {
	t.Parallel()
	theirs, ours, _, _ := pair(t)
	_, _ = io.WriteString(theirs, "question")
	_ = theirs.CloseWrite()
	if got, err := io.ReadAll(ours); err != nil || string(got) != "question" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := io.WriteString(ours, "answer"); err != nil {
		t.Fatal(err)
	}
	_ = ours.Close()
	if got, err := io.ReadAll(theirs); err != nil || string(got) != "answer" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestConnHalfClosedByUs(t *testing.T) {
	t.Parallel()
	theirs, ours, _, _ := pair(t)
	_, _ = io.WriteString(ours, "answer")
	half, ok := ours.(interface{ CloseWrite() error })
	if !ok {
		t.Fatal("no CloseWrite")
	}
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(theirs); err != nil || string(got) != "answer" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := ours.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after CloseWrite: %v", err)
	}
	_, _ = io.WriteString(theirs, "more")
	_ = theirs.Close()
	if got, err := io.ReadAll(ours); err != nil || string(got) != "more" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestConnClose(t *testing.T) {
	t.Parallel()
	_, ours, _, _ := pair(t)
	read := make(chan error, 1)
	go func() {
		_, err := ours.Read(make([]byte, 1))
		read <- err
	}()
	written := fill(t, ours)
	for range 2 {
		if err := soon(t, definite, "Close", ours.Close); err != nil {
			t.Error(err)
		}
	}
	if err := soon(t, definite, "the Read", func() error { return <-read }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read: %v", err)
	}
	if err := soon(t, definite, "the Write", func() error { return <-written }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write: %v", err)
	}
	if _, err := ours.Write(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
}

func TestConnDeadlines(t *testing.T) {
	t.Parallel()
	theirs, ours, srv, l := pair(t)
	_ = ours.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read: %v", err)
	}
	_ = ours.SetReadDeadline(time.Time{})
	_, _ = io.WriteString(theirs, "x")
	if n, err := ours.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("Read after its deadline was taken back: %d, %v", n, err)
	}

	_ = ours.SetWriteDeadline(time.Now().Add(-time.Second))
	if _, err := ours.Write([]byte("a")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write after its deadline: %v", err)
	}
	_ = ours.SetWriteDeadline(time.Now().Add(time.Hour))
	if _, err := ours.Write([]byte("a")); err != nil {
		t.Errorf("Write before its deadline: %v", err)
	}

	// A deadline that is set while a Write is blocked holds for it.
	written := fill(t, ours)
	_ = soon(t, definite, "SetDeadline", func() error { return ours.SetDeadline(time.Now().Add(10 * time.Millisecond)) })
	err := soon(t, definite, "the Write", func() error { return <-written })
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("Write: %v, want a timeout", err)
	}
	_ = ours.SetDeadline(time.Time{})
	if _, err := ours.Write([]byte("a")); err == nil {
		t.Error("Write after one that timed out: no error")
	}

	// The session has taken no harm.
	serve(t, l, hello)
	if _, err := get(t, srv, l.URL().String()); err != nil {
		t.Error(err)
	}
}

// A deadline can strike in a part of what is written and between two: the connection is
// good for no further Write either way.
func TestConnDeadlineBetweenParts(t *testing.T) {
	for range 30 {
		theirs, ours := net.Pipe()
		go io.Copy(io.Discard, theirs)
		var c *conn
		c = newConn(afterWrite{ours, func() { _ = c.SetWriteDeadline(time.Now().Add(-time.Second)) }}, func() {})
		if _, err := c.Write(make([]byte, 2*maxWrite)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write: %v", err)
		}
		_ = c.SetWriteDeadline(time.Time{})
		if _, err := c.Write([]byte("a")); err == nil {
			t.Error("Write after one that timed out: no error")
		}
		_ = c.Close()
		_ = theirs.Close()
	}
}

// An afterWrite has something done when it has written.
type afterWrite struct {
	net.Conn
	then func()
}

func (a afterWrite) Write(p []byte) (int, error) {
	defer a.then()
	return a.Conn.Write(p)
}

// Senders that do not read what they asked for, and senders that do not send
// what they announced, do not hold up others, nor the shutdown.
func TestConnSlowSendersHoldUpNobody(t *testing.T) {
	noLeaks(t)
	srv := start(t)
	l := mustOpen(t, options(t, srv), quick)
	var stuck sync.WaitGroup
	hs := serve(t, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/much":
			stuck.Done()
			for part := make([]byte, 64<<10); ; {
				if _, err := w.Write(part); err != nil {
					return
				}
			}
		case "/announced":
			stuck.Done()
			_, _ = io.Copy(io.Discard, r.Body)
		default:
			hello(w, r)
		}
	}))
	const each = 20
	stuck.Add(2 * each)
	for range each {
		_, _ = io.WriteString(dial(t, srv, l), "GET /much HTTP/1.1\r\nHost: h\r\n\r\n")
		_, _ = io.WriteString(dial(t, srv, l), "POST /announced HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx")
	}
	stuck.Wait()
	for range each {
		if _, err := get(t, srv, l.URL().String()); err != nil {
			t.Fatal(err)
		}
	}
	_ = soon(t, definite, "Close of the HTTP server", hs.Close)
	wantEnd(t, l)
	eventually(t, "the session is over", func() bool { return srv.Connections() == 0 })
}

// A sender that hangs up in the middle of an answer lets the handler go.
func TestConnSenderHangsUp(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), quick)
	ended := make(chan error, 1)
	serve(t, l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat("x", 64<<10)); err != nil {
				ended <- err
				return
			}
		}
	}))
	c := dial(t, srv, l)
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if _, err := io.ReadFull(c, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := soon(t, definite, "the handler", func() error { return <-ended }); err == nil {
		t.Error("no error")
	}
}

func TestStreamOf(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if got := streamOf(a); got != nil {
		t.Errorf("got %v of a pipe", got)
	}
	c := newConn(a, func() {})
	if err := c.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite without a stream: %v", err)
	}
}
