package playback

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/recorder"

	"github.com/coder/websocket"
)

var opened = time.Date(2026, 11, 21, 14, 2, 11, 0, time.UTC)

// recording is what an app and its client said, with times in ms.
func recording(frames ...recorder.Frame) func() iter.Seq2[*recorder.Frame, error] {
	return func() iter.Seq2[*recorder.Frame, error] {
		return func(yield func(*recorder.Frame, error) bool) {
			for i, f := range frames {
				f.N = int64(i + 1)
				if !yield(&f, nil) {
					return
				}
			}
		}
	}
}

func at(ms int) time.Time { return opened.Add(time.Duration(ms) * time.Millisecond) }

var sample = []recorder.Frame{
	{At: at(0), Dir: recorder.Out, Op: recorder.OpText, Body: []byte("hello"), Size: 5},
	{At: at(100), Dir: recorder.In, Op: recorder.OpText, Body: []byte("not this"), Size: 8},
	{At: at(150), Dir: recorder.Out, Op: recorder.OpPing},
	{At: at(200), Dir: recorder.Out, Op: recorder.OpBinary, Body: []byte{0, 255}, Size: 2},
	{At: at(200), Dir: recorder.Out, Op: recorder.OpText, Body: []byte("cut"), Size: 300_000, Truncated: true},
	{At: at(210), Dir: recorder.Out, Op: recorder.OpUnread, Detail: "x"},
	{At: at(400), Dir: recorder.Out, Op: recorder.OpText, Size: 0},
	{At: at(400), Dir: recorder.Out, Op: recorder.OpClose, Code: 4001, Reason: "over", Size: 6},
}

type server struct {
	*httptest.Server
	mu  sync.Mutex
	log []string // guarded by mu
}

func serve(t *testing.T, s *Server) *server {
	t.Helper()
	srv := &server{}
	s.Opened = opened
	s.Log = func(text string) {
		srv.mu.Lock()
		defer srv.mu.Unlock()
		srv.log = append(srv.log, text)
	}
	srv.Server = httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv
}

// logged waits until the log has a text n times.
func (s *server) logged(t *testing.T, text string, n int) {
	t.Helper()
	var all string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		all = strings.Join(s.log, "\n")
		s.mu.Unlock()
		if strings.Count(all, text) == n {
			return
		}
	}
	t.Errorf("%q is not there %d times in the log:\n%s", text, n, all)
}

// listen returns what a client gets.
func listen(ctx context.Context, u string) (got string, c *websocket.Conn, err error) {
	pings := 0
	c, _, err = websocket.Dial(ctx, u, &websocket.DialOptions{
		Subprotocols:   []string{"v1.x"},
		OnPingReceived: func(context.Context, []byte) bool { pings++; return true },
	})
	if err != nil {
		return "", nil, err
	}
	defer c.CloseNow()
	for {
		op, text, err := c.Read(ctx)
		if err != nil {
			return fmt.Sprintf("%s%d pings, %d", got, pings, websocket.CloseStatus(err)), c, nil
		}
		got += fmt.Sprintf("%v %q; ", op, text)
	}
}

// Each client gets what the app sent, with its pace, whatever it says itself.
func TestPlay(t *testing.T) {
	srv := serve(t, &Server{Frames: recording(sample...), Speed: 2, Subprotocol: "v1.x", Deflate: true})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var clients sync.WaitGroup
	for range 3 {
		clients.Go(func() {
			started := time.Now()
			got, c, err := listen(ctx, srv.URL+"/any/path")
			if err != nil {
				t.Error(err)
				return
			}
			want := `MessageText "hello"; MessageBinary "\x00\xff"; MessageText ""; 1 pings, 4001`
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if took := time.Since(started); took < 200*time.Millisecond {
				t.Errorf("at twice the speed 400 ms took %v", took)
			}
			if c.Subprotocol() != "v1.x" {
				t.Errorf("protocol %q", c.Subprotocol())
			}
		})
	}
	clients.Wait()
	srv.logged(t, "only 3 of its 300000 bytes were kept", 3)
	srv.logged(t, "3 frames sent, closed as recorded: 4001 over", 3)
}

// Without waiting; and a recording that broke off does so again.
func TestPlayBrokenOff(t *testing.T) {
	far := sample[0]
	far.At = opened.Add(time.Hour)
	srv := serve(t, &Server{Frames: recording(sample[0], far)})
	got, _, err := listen(t.Context(), srv.URL)
	if want := `MessageText "hello"; MessageText "hello"; 0 pings, -1`; err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

// A client that goes ends the waiting for it.
func TestClientGone(t *testing.T) {
	far := sample[0]
	far.At = opened.Add(time.Hour)
	srv := serve(t, &Server{Frames: recording(far), Speed: 1})
	c, _, err := websocket.Dial(t.Context(), srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.CloseNow()
	srv.logged(t, "0 frames sent, the client is gone", 1)
}

// Pages of others may not read what was recorded, also not by a name of theirs
// that leads here.
func TestWhoMayConnect(t *testing.T) {
	srv := serve(t, &Server{Frames: recording(sample...), Origins: []string{"overlay.example"}})
	u, _ := url.Parse(srv.URL)
	for _, c := range []struct {
		host, origin string
		status       int
	}{
		{u.Host, "", 101},
		{u.Host, "http://localhost:5173", 101},
		{u.Host, "http://[::1]:5173", 101},
		{u.Host, "https://overlay.example", 101},
		{"localhost:" + u.Port(), "http://localhost:" + u.Port(), 101},
		{u.Host, "https://evil.example", 403},
		{u.Host, "null", 403},
		{"evil.example", "http://evil.example", 403},
		{"localhost.evil.example", "http://localhost.evil.example", 403},
	} {
		header := http.Header{}
		if c.origin != "" {
			header.Set("Origin", c.origin)
		}
		conn, resp, err := websocket.Dial(t.Context(), srv.URL, &websocket.DialOptions{Host: c.host, HTTPHeader: header})
		if err == nil {
			conn.CloseNow()
		}
		if resp == nil || resp.StatusCode != c.status {
			t.Errorf("host %s, origin %s: %v, want %d", c.host, c.origin, resp, c.status)
		}
	}
}
