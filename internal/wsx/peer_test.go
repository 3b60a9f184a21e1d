package wsx

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A relay stands between a real client and a real server, and keeps the bytes
// of both directions.
type relay struct {
	net.Listener
	mu    sync.Mutex
	bytes [2]bytes.Buffer // guarded by mu: to the server, from it
	work  sync.WaitGroup
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: ln}
	r.work.Go(func() {
		client, err := ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", to)
		if err != nil {
			client.Close()
			return
		}
		copyTo := func(i int, dst, src net.Conn) {
			io.Copy(io.MultiWriter(dst, lockedWriter{&r.mu, &r.bytes[i]}), src)
			dst.Close()
			src.Close()
		}
		r.work.Go(func() { copyTo(0, server, client) })
		r.work.Go(func() { copyTo(1, client, server) })
	})
	t.Cleanup(func() { ln.Close() })
	return r
}

type lockedWriter struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// What two real peers say to each other, compressed in each way that can be
// agreed on, is what the taps between them read.
func TestPeers(t *testing.T) {
	for name, c := range map[string]struct{ client, server websocket.CompressionMode }{
		"plain":       {websocket.CompressionDisabled, websocket.CompressionDisabled},
		"takeover":    {websocket.CompressionContextTakeover, websocket.CompressionContextTakeover},
		"no takeover": {websocket.CompressionNoContextTakeover, websocket.CompressionNoContextTakeover},
		"mixed":       {websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: c.server})
				if err != nil {
					t.Error(err)
					return
				}
				conn.SetReadLimit(-1)
				for {
					op, text, err := conn.Read(ctx)
					if err != nil {
						return
					}
					if err := conn.Write(ctx, op, text); err != nil {
						return
					}
				}
			}))
			defer srv.Close()
			r := newRelay(t, srv.Listener.Addr().String())
			conn, resp, err := websocket.Dial(ctx, "ws://"+r.Addr().String(), &websocket.DialOptions{CompressionMode: c.client})
			if err != nil {
				t.Fatal(err)
			}
			conn.SetReadLimit(-1)
			var said [][]byte
			random := rand.New(rand.NewPCG(1, 2))
			for i := range 40 {
				text := []byte(strings.Repeat(`{"n":`+strings.Repeat("7", i)+`,"text":"the same again"}`, 1+random.IntN(60)))
				if i == 20 {
					text = make([]byte, 300_000)
					for j := range text {
						text[j] = byte(random.Uint32())
					}
				}
				said = append(said, text)
				if err := conn.Write(ctx, websocket.MessageBinary, text); err != nil {
					t.Fatal(err)
				}
				if _, back, err := conn.Read(ctx); err != nil || !bytes.Equal(back, text) {
					t.Fatalf("echo: %v", err)
				}
			}
			conn.Close(websocket.StatusNormalClosure, "bye")
			r.work.Wait()

			toServer, fromServer := Agreed(resp.Header)
			for i, coding := range []Coding{toServer, fromServer} {
				_, stream, _ := bytes.Cut(r.bytes[i].Bytes(), []byte("\r\n\r\n"))
				var got []Message
				tap := NewTap(coding, 1<<20, func(m Message) { got = append(got, m) })
				for len(stream) > 0 {
					n := min(len(stream), 1+random.IntN(3000))
					tap.Write(stream[:n])
					stream = stream[n:]
				}
				tap.Close()
				if tap.Err() != nil || len(got) != len(said)+1 {
					t.Fatalf("direction %d: %d messages, %v", i, len(got), tap.Err())
				}
				packed := 0
				for j, text := range said {
					if !bytes.Equal(got[j].Data, text) || got[j].Problem != "" {
						t.Fatalf("direction %d, message %d differs: %q", i, j, got[j].Problem)
					}
					if got[j].Wire > 0 {
						packed++
					}
				}
				if end := got[len(said)]; end.Op != Close || end.Code != 1000 || end.Reason != "bye" {
					t.Errorf("direction %d ends with %+v", i, end)
				}
				if (packed > 0) != coding.Deflate || coding.Deflate != (name != "plain") {
					t.Errorf("direction %d: %d compressed, agreed %+v", i, packed, coding)
				}
			}
		})
	}
}
