package gateway

import (
	"net"
	"net/http"
	"testing"
	"time"

	"devhook/recorder"
)

// connApp starts an app that does with each connection what it is told, and
// closes it then.
func connApp(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// Copies for an app that hangs do not keep devhook from ending, and what became
// of each is recorded.
func TestMirrorsAtTheEnd(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hangs := connApp(t, func(net.Conn) { <-release })
	r := newRig(t, forwardTo(t, app(t, func(http.ResponseWriter, *http.Request) {}), hangs), Options{})
	const n = 100 // more than are sent at once
	for range n {
		if status, _ := r.post("/", "x"); status != 200 {
			t.Fatal(status)
		}
	}
	r.endsIn(10 * time.Second)
	outcomes := map[recorder.Outcome]int{}
	for ex, err := range r.store.Query(recorder.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		outcomes[ex.Outcome]++
	}
	if outcomes[recorder.Answered] != n || outcomes[recorder.Unreachable] != n {
		t.Errorf("outcomes %v", outcomes)
	}
}

// A slow app's copies are bounded in number and in memory.
func TestCopiesAreBounded(t *testing.T) {
	var c copies
	for range 128 {
		if !c.enter(256 << 10) {
			t.Fatal("no room for 32 MiB")
		}
	}
	if c.enter(1) {
		t.Error("room for more than that")
	}
	if !c.enter(0) {
		t.Error("no room for a copy whose body is in a file")
	}
	for range 128 {
		c.leave(256 << 10)
	}
	for range maxWaiting - 1 {
		c.enter(1)
	}
	if c.enter(1) {
		t.Error("room for more than a thousand")
	}
	if c.leave(1); !c.enter(1) {
		t.Error("no room where one has left")
	}
	if got := c.n; got != maxWaiting {
		t.Errorf("%d wait", got)
	}
}
