package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An app that writes in two pieces, with the delay of RFC 896, answers without one.
func TestAckNow(t *testing.T) {
	addr := connApp(t, func(c net.Conn) {
		c.(*net.TCPConn).SetNoDelay(false)
		eachRequest(c, func(*bufio.Reader) (more bool) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
			io.WriteString(c, "ok")
			return true
		})
	})
	d := &direct{dial: dialApp}
	fastest := time.Hour
	for i, end := 0, time.Now().Add(20*time.Second); fastest >= 40*time.Millisecond && time.Now().Before(end); i++ { // one that waits for no delay is enough, on a machine that has other work
		r, err := http.NewRequest("POST", addr, strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		resp, err := d.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "ok" {
			t.Fatalf("%q %v", body, err)
		}
		if i >= 30 { // a kernel confirms at once in the beginning
			fastest = min(fastest, time.Since(began))
		}
	}
	if fastest >= 40*time.Millisecond {
		t.Errorf("the fastest took %v", fastest)
	}
}
