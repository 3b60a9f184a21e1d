package stream

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"devhook/recorder"

	"github.com/coder/websocket"
)

func record(t *testing.T, store *recorder.Store, origin recorder.Origin, provider, proto, body string) {
	t.Helper()
	ex := &recorder.Exchange{
		At: time.Now(), Origin: origin, Provider: provider, Outcome: recorder.Handled,
		Request: recorder.Request{Method: "POST", URL: "https://x.test/", Proto: proto, Body: recorder.Body{Bytes: []byte(body)}, Size: int64(len(body))},
	}
	if err := store.Append(t.Context(), ex); err != nil {
		t.Fatal(err)
	}
}

// Overlays get what is recorded of streams, whoever records it, and nothing else.
func TestMirror(t *testing.T) {
	store, err := recorder.Open(t.TempDir(), recorder.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := NewMirror(true, slog.New(slog.DiscardHandler))
	m.SetHello([]byte(hello))
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- m.Serve(ctx, l) }()
	go m.Follow(ctx, store, recorder.Cursor{})

	dial := func(path string) *websocket.Conn {
		ws, _, err := websocket.Dial(t.Context(), "ws://"+l.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ws.CloseNow() })
		return ws
	}
	all, own, bundled := dial("/ws?token=x"), dial("/tuniform/ws"), dial("/euler?uniqueId=a")
	for end := time.Now().Add(patience); m.feed.Len() < 3 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	record(t, store, recorder.Live, "tuniform", "HTTP/1.1", "a webhook")
	record(t, store, recorder.Stream, "tuniform", recorder.ProtoStream, `{"type":"donation"}`)
	record(t, store, recorder.Mirror, "tuniform", recorder.ProtoStream, `{"a":"copy"}`)
	record(t, store, recorder.Import, "tuniform", recorder.ProtoStream, `{"a":"file"}`)
	record(t, store, recorder.Stream, "euler", recorder.ProtoStream, `{"type": "roomInfo"}`)
	record(t, store, recorder.Replay, "tuniform", recorder.ProtoStream, `{"type":"again"}`)

	read := func(ws *websocket.Conn) string {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, frame, err := ws.Read(ctx)
		if err != nil {
			return err.Error()
		}
		return string(frame)
	}
	for _, row := range []struct {
		ws   *websocket.Conn
		want []string
	}{
		{all, []string{hello, `{"type":"donation"}`, `{"type": "roomInfo"}`, `{"type":"again"}`}},
		{own, []string{hello, `{"type":"donation"}`, `{"type":"again"}`}},
	} {
		for _, want := range row.want {
			if got := read(row.ws); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
	if got := read(bundled); !strings.HasPrefix(got, `{"timestamp":`) || !strings.HasSuffix(got, `,"messages":[{"type": "roomInfo"}]}`) {
		t.Errorf("the bundle is %s", got)
	}
	cancel()
	if got := read(all); !strings.Contains(got, "devhook ends") {
		t.Errorf("at the end: %s", got)
	}
	all.CloseNow()
	own.CloseNow()
	bundled.CloseNow()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestMirrorAdmits(t *testing.T) {
	url := serveHTTP(t, NewMirror(true, slog.New(slog.DiscardHandler)).feed.ServeHTTP)
	for origin, want := range map[string]int{
		"": 101, "file://": 101, "http://localhost:8080": 101, "http://127.0.0.1": 101, "http://[::1]:3": 101,
		"null": 403, "https://evil.test": 403, "http://localhost.evil.test": 403, "http://127.0.0.1.evil.test": 403, "%": 403,
	} {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		ws, resp, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: h})
		if err == nil {
			ws.CloseNow()
		}
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%q: %v %v, want %d", origin, resp, err, want)
		}
	}
	resp, err := http.Get("http" + strings.TrimPrefix(url, "ws"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 426 || !strings.Contains(string(body), "connect to ws://127.0.0.1:") {
		t.Errorf("a browser gets %d %s", resp.StatusCode, body)
	}
}
