package gateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// BenchmarkDeliver is the whole way of a signed webhook of 1 KiB, over
// sockets, with the app and the senders in the same process.
func BenchmarkDeliver(b *testing.B) {
	for _, c := range []int{1, 64} {
		b.Run(fmt.Sprintf("c=%d", c), func(b *testing.B) {
			answer := bytes.Repeat([]byte("a"), 300)
			addr := benchGateway(b, func(w http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				w.Write(answer)
			})
			here := &url.URL{Scheme: "http", Host: addr}
			body := []byte(`{"client_key":"k","event":"video.publish.completed","create_time":1,"user_openid":"u","content":"` + string(bytes.Repeat([]byte("x"), 900)) + `"}`)
			p, _ := verify.Lookup("tiktok")
			m := verify.Message{Method: "POST", URL: here, Header: http.Header{}, Body: body}
			if err := p.Scheme.Sign(&m, tiktokKeys["tiktok"], verify.SignOptions{}, time.Now()); err != nil {
				b.Fatal(err)
			}
			request := fmt.Appendf(nil, "POST /hooks HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTiktok-Signature: %s\r\nContent-Length: %d\r\n\r\n%s",
				m.Header.Get("Tiktok-Signature"), len(body), body)
			b.SetParallelism(c)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				br := bufio.NewReader(conn)
				for pb.Next() {
					conn.Write(request)
					resp, err := http.ReadResponse(br, nil)
					if err != nil || resp.StatusCode != 200 {
						b.Error(resp, err)
						return
					}
					io.Copy(io.Discard, resp.Body)
				}
			})
		})
	}
}

// benchGateway returns the address of a gateway in front of an app, with its
// store on a real disk.
func benchGateway(b *testing.B, handler http.HandlerFunc) string {
	b.Helper()
	dir, err := os.MkdirTemp(".", "bench-*")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	store, err := recorder.Open(dir, recorder.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	app := httptest.NewServer(handler)
	b.Cleanup(app.Close)
	to, _ := url.Parse(app.URL)
	g := New(Options{Store: store}, &Routes{
		Default: Route{Verify: Enforce, Forward: []*url.URL{to}}, Catalog: verify.Builtin(), Keys: tiktokKeys,
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	here := &url.URL{Scheme: "http", Host: ln.Addr().String()}
	served := make(chan error, 1)
	go func() { served <- g.Serve(ctx, Door{Listener: ln, URL: func() *url.URL { return here }}) }()
	b.Cleanup(func() { cancel(); <-served; g.EndStreams(); g.Wait() })
	return ln.Addr().String()
}
