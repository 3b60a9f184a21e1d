package stream

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"devhook/internal/stream/feed"
	"devhook/recorder"
)

// A Mirror hands the events of streams on to overlays on this machine. An
// overlay connects as it would to the platform, with any token: at /tuniform or
// /euler to the events of that platform, elsewhere to all. It gets what is
// recorded, so also what is replayed, by whichever process.
//
// # Security
//
// A page of the internet that is open in a browser here can dial to this machine.
// Who brings an Origin that is not of this machine is refused.
type Mirror struct {
	feed  feed.Server
	mu    sync.Mutex // guards hello
	hello []byte
}

// mirrorPing is how often overlays are pinged.
const mirrorPing = 30 * time.Second

// noHello greets overlays until Tuniform has greeted devhook.
const noHello = `{"type":"CONNECTED","kick_username":"","user_id":0}`

// NewMirror returns a mirror. greets says that one of the sources is Tuniform's,
// whose overlays wait for its greeting.
func NewMirror(greets bool, log *slog.Logger) *Mirror {
	m := &Mirror{}
	if greets {
		m.hello = []byte(noHello)
	}
	m.feed = feed.Server{
		Ping: mirrorPing, Admit: admit, Local: true,
		Log: func(text string) { log.Debug("mirror", "overlay", text) },
		Greet: func(r *http.Request) [][]byte {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.hello == nil || topicOf(r) == euler.id {
				return nil
			}
			return [][]byte{m.hello}
		},
		Wrap: func(r *http.Request, topic string, body []byte) []byte {
			switch wanted := topicOf(r); {
			case wanted != "" && wanted != topic:
				return nil
			case wanted == euler.id && feed.Bundled(r):
				return fmt.Appendf(nil, `{"timestamp":%d,"messages":[%s]}`, time.Now().UnixMilli(), body)
			}
			return body
		},
	}
	return m
}

// SetHello has overlays greeted with the frame that Tuniform has greeted us
// with.
func (m *Mirror) SetHello(frame []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hello = bytes.Clone(frame)
}

// Serve takes overlays in at l until ctx ends, and then says goodbye to them.
func (m *Mirror) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: &m.feed, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	m.feed.Close(1001, "devhook ends")
	for end := time.Now().Add(time.Second); m.feed.Len() > 0 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	srv.Close()
	<-served
	return nil
}

// Follow hands on what store records behind from, until ctx or the store ends.
// What was imported goes nowhere.
func (m *Mirror) Follow(ctx context.Context, store *recorder.Store, from recorder.Cursor) {
	for ex, err := range store.Follow(ctx, from) {
		if err != nil || ex.Request.Proto != recorder.ProtoStream || ex.Origin == recorder.Mirror || ex.Origin == recorder.Import {
			continue
		}
		if body, err := store.ReadBody(ex.Request.Body); err == nil {
			m.feed.Publish(ex.Provider, body)
		}
	}
}

// topicOf returns the platform whose events an overlay wants, "" for all.
func topicOf(r *http.Request) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if find(first) == nil {
		return ""
	}
	return first
}

// admit tells who does not come as a WebSocket how to.
func admit(r *http.Request) (status int, words string) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return http.StatusUpgradeRequired, "this is a WebSocket for overlays: connect to ws://" + r.Host + "/ws, /tuniform or /euler"
	}
	return 0, ""
}
