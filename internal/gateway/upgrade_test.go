package gateway

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"devhook/recorder"

	"github.com/coder/websocket"
)

// echo is an app that sends each message back.
func echo(mode websocket.CompressionMode) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: mode})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			op, text, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), op, text) != nil {
				return
			}
		}
	}
}

// ended returns the newest exchange once its WebSocket has ended.
func (r *rig) ended() *recorder.Exchange {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	for ex, err := range r.store.FollowEnds(ctx, recorder.Cursor{}) {
		if err != nil {
			r.t.Fatal(err)
		}
		if ex.Ending != nil {
			return ex
		}
	}
	r.t.Fatal("no WebSocket has ended")
	return nil
}

func (r *rig) frames(ex *recorder.Exchange) (list []recorder.Frame) {
	r.t.Helper()
	for f, err := range r.store.Frames(ex, 0) {
		if err != nil {
			r.t.Fatal(err)
		}
		list = append(list, *f)
	}
	return list
}

// The exchange is there, done, while the WebSocket is open; each message of both
// directions is recorded as the peers see it, and at last how it ended.
func TestFrames(t *testing.T) {
	for name, mode := range map[string]websocket.CompressionMode{
		"plain": websocket.CompressionDisabled, "takeover": websocket.CompressionContextTakeover, "no takeover": websocket.CompressionNoContextTakeover,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, forwardTo(t, app(t, echo(mode))), Options{})
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			c, _, err := websocket.Dial(ctx, "ws://"+r.addr+"/ws", &websocket.DialOptions{CompressionMode: mode})
			if err != nil {
				t.Fatal(err)
			}
			c.SetReadLimit(-1)
			open := r.recorded(1)[0]
			if open.Response.Status != 101 || open.Ending != nil || open.Outcome != recorder.Answered {
				t.Errorf("while it is open: %+v", open)
			}
			noise := make([]byte, recorder.MaxInline+1000)
			for i := range noise {
				noise[i] = byte(rand.Uint32())
			}
			said := [][]byte{[]byte(`{"hello":"é"}`), {}, bytes.Repeat([]byte("again "), 1000), noise, []byte("last")}
			for _, text := range said {
				if err := c.Write(ctx, websocket.MessageText, text); err != nil {
					t.Fatal(err)
				}
				if _, back, err := c.Read(ctx); err != nil || !bytes.Equal(back, text) {
					t.Fatalf("%d bytes back, %v", len(back), err)
				}
			}
			c.Close(4001, "enough\x1b[2J")
			ex := r.ended()
			if ex.Ending.In != 6 || ex.Ending.Out != 6 || ex.Ending.Detail != "closed by the sender: 4001 enough\x1b[2J" {
				t.Errorf("ended: %+v", ex.Ending)
			}
			list := r.frames(ex)
			if len(list) != 12 {
				t.Fatalf("%d frames", len(list))
			}
			for i, f := range list {
				text := []byte{}
				if i/2 < len(said) {
					text = said[i/2]
				}
				dir := recorder.In
				if i%2 == 1 {
					dir = recorder.Out
				}
				kept := text[:min(len(text), recorder.MaxInline)]
				if f.N != int64(i+1) || f.Dir != dir || !bytes.Equal(f.Body, kept) || f.Truncated != (len(kept) < len(text)) ||
					f.At.Before(ex.At) || i < 10 && (f.Op != recorder.OpText || f.Size != int64(len(text))) {
					t.Errorf("frame %d: %d %s %s of %d bytes, kept %d", i+1, f.N, f.Dir, f.Op, f.Size, len(f.Body))
				}
				if f.Wire > 0 && mode == websocket.CompressionDisabled || i/2 == 2 && (f.Wire > 0) != (mode != websocket.CompressionDisabled) {
					t.Errorf("frame %d: %d bytes compressed", i+1, f.Wire)
				}
			}
			if f := list[10]; f.Op != recorder.OpClose || f.Code != 4001 || f.Reason != "enough\x1b[2J" {
				t.Errorf("close: %+v", f)
			}
		})
	}
}

// upgradeTo is an app that switches to a protocol, and then sends back what
// comes.
func upgradeTo(protocol string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Upgrade", protocol)
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(101)
		c, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		io.Copy(c, rw)
	}
}

func dialUpgrade(t testing.TB, addr, protocol string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: %s\r\nSec-WebSocket-Key: k\r\n\r\n", protocol)
	br := bufio.NewReader(c)
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatal(resp, err)
	}
	return c, br
}

// Bytes that are no frames pass as they are, and the record says from where on
// nothing was read.
func TestNoFrames(t *testing.T) {
	for _, c := range []struct{ name, protocol, text, unread, detail string }{
		{"garbage", "WebSocket", "\x81\x02ok\xf1\x03garbage", "extension", ""},
		{"another protocol", "tcp", "\x81\x02ok anything", "", "it went on as tcp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, forwardTo(t, app(t, upgradeTo(c.protocol))), Options{})
			conn, br := dialUpgrade(t, r.addr, c.protocol)
			defer conn.Close()
			io.WriteString(conn, c.text)
			conn.(*net.TCPConn).CloseWrite()
			if back, err := io.ReadAll(br); err != nil || string(back) != c.text {
				t.Errorf("back came %q, %v", back, err)
			}
			ex := r.ended()
			if !strings.HasPrefix(ex.Detail, c.detail) || ex.Ending.Detail != "the sender hung up" {
				t.Errorf("%q, ended: %+v", ex.Detail, ex.Ending)
			}
			var got []string
			for _, f := range r.frames(ex) {
				got = append(got, fmt.Sprintf("%s %s", f.Dir, f.Op))
				if f.Op == recorder.OpUnread && !strings.Contains(f.Detail, c.unread) {
					t.Errorf("%q", f.Detail)
				}
			}
			want := 4 // ok and unread, both ways
			if c.unread == "" {
				want = 0
			}
			if len(got) != want || want > 0 && ex.Ending.In != 1 {
				t.Errorf("%q, %+v", got, ex.Ending)
			}
		})
	}
}

// Nobody gets past verification by another version of HTTP: the app does not hear of it.
func TestNoUpgradeOfHTTP(t *testing.T) {
	r := newRig(t, forwardTo(t, app(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header["Upgrade"], r.Header["Connection"])
	})), Options{})
	for _, protocol := range []string{"h2c", "websocket, H2C", "TLS/1.0, HTTP/1.1", "HTTP/2.0"} {
		req, err := http.NewRequest(http.MethodPost, "http://"+r.addr, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Connection": {"Upgrade, HTTP2-Settings"}, "Upgrade": {protocol}, "Http2-Settings": {"AAMAAABk"}}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || string(text) != "[] []" {
			t.Errorf("%s: %d %s %v", protocol, resp.StatusCode, text, err)
		}
	}
}

// A recording of a WebSocket that is sent again is closed at once, and says so:
// nobody is here to go on with it.
func TestUpgradeOfACopy(t *testing.T) {
	rt := forwardTo(t, app(t, echo(websocket.CompressionDisabled)))
	rt.Default.Forward = append(rt.Default.Forward, rt.Default.Forward[0])
	r := newRig(t, rt, Options{})
	c, _, err := websocket.Dial(t.Context(), "ws://"+r.addr+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	ex := r.ended()
	if ex.Origin != recorder.Mirror || !strings.Contains(ex.Ending.Detail, "nobody") {
		t.Errorf("%+v", ex)
	}
}

// BenchmarkWebSocket is an echo of 256 bytes there and back: as a WebSocket,
// whose frames are recorded, and with the same bytes under another name, which
// are only passed on. flood does not wait for the answer.
func BenchmarkWebSocket(b *testing.B) {
	payload := bytes.Repeat([]byte("x"), 256)
	frame := append([]byte{0x82, 0xFE, 1, 0, 0, 0, 0, 0}, payload...)
	for _, kind := range []string{"recorded", "passed"} {
		protocol := map[string]string{"recorded": "websocket", "passed": "other"}[kind]
		b.Run("echo/"+kind, func(b *testing.B) {
			conn, br := benchUpgrade(b, protocol)
			back := make([]byte, len(frame))
			b.SetBytes(int64(2 * len(frame)))
			for b.Loop() {
				conn.Write(frame)
				if _, err := io.ReadFull(br, back); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("flood/"+kind, func(b *testing.B) {
			conn, br := benchUpgrade(b, protocol)
			many := bytes.Repeat(frame, 100)
			b.SetBytes(int64(2 * len(many)))
			n := 0
			go func() {
				for i := 0; ; i++ {
					if _, err := conn.Write(many); err != nil {
						return
					}
				}
			}()
			back := make([]byte, len(many))
			for b.Loop() {
				if _, err := io.ReadFull(br, back); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}

// BenchmarkBesideWebSocket is a webhook there and back while a WebSocket on the
// same gateway carries so many messages of 256 bytes a second each way.
func BenchmarkBesideWebSocket(b *testing.B) {
	for _, rate := range []int{0, 2000, 20000} {
		for _, protocol := range []string{"websocket", "other"} {
			if rate == 0 && protocol == "other" {
				continue
			}
			b.Run(fmt.Sprintf("rate=%d/%s", rate, protocol), func(b *testing.B) {
				stream := upgradeTo(protocol)
				addr := benchGateway(b, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/ws" {
						stream(w, r)
					}
				})
				ctx, cancel := context.WithCancel(context.Background())
				done := make(chan struct{})
				go func() {
					defer close(done)
					beside(ctx, b, addr, protocol, rate)
				}()
				for b.Loop() {
					resp, err := http.Post("http://"+addr+"/hook", "text/plain", strings.NewReader("webhook"))
					if err != nil || resp.StatusCode != 200 {
						b.Fatal(resp, err)
					}
					io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				cancel()
				<-done
			})
		}
	}
}

// beside sends rate messages a second until ctx ends.
func beside(ctx context.Context, b *testing.B, addr, protocol string, rate int) {
	if rate == 0 {
		return
	}
	conn, br := dialUpgrade(b, addr, protocol)
	defer conn.Close()
	go io.Copy(io.Discard, br)
	frame := append([]byte{0x82, 0xFE, 1, 0, 0, 0, 0, 0}, bytes.Repeat([]byte("x"), 256)...)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := conn.Write(bytes.Repeat(frame, rate/200)); err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func benchUpgrade(b *testing.B, protocol string) (net.Conn, *bufio.Reader) {
	addr := benchGateway(b, upgradeTo(protocol))
	c, br := dialUpgrade(b, addr, protocol)
	b.Cleanup(func() { c.Close() })
	return c, br
}
