//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package gateway

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"
)

// A connection that the app has closed takes nothing of a further request, so
// that net/http sends it by another one; what is open takes all.
func TestDeadConnection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	own := &appConn{Conn: c}
	defer own.Close()
	app, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := own.Write([]byte("first")); n != 5 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	startRequest(httptrace.GotConnInfo{Conn: own, Reused: true})
	if n, err := own.Write([]byte("second")); n != 6 || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	if _, err := io.ReadFull(app, make([]byte, 11)); err != nil {
		t.Fatal(err)
	}
	app.Close()
	for deadline := time.Now().Add(10 * time.Second); !hungUp(c) && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	startRequest(httptrace.GotConnInfo{Conn: own, Reused: true})
	if n, err := own.Write([]byte("third")); n != 0 || !errors.Is(err, errHungUp) {
		t.Errorf("wrote %d, %v", n, err)
	}
}

// Apps that hang up after each answer without having said so answer all that
// comes afterwards.
func TestAppHangsUpUnannounced(t *testing.T) {
	hungUp := make(chan struct{})
	r := newRig(t, forwardTo(t, connApp(t, func(c net.Conn) {
		if req, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			io.Copy(io.Discard, req.Body)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			c.Close()
			hungUp <- struct{}{}
		}
	})), Options{})
	for range 200 {
		if status, answer := r.post("/", strings.Repeat("x", 10)); status != 200 {
			t.Fatalf("the sender hears %d %s", status, answer)
		}
		<-hungUp
	}
}
