package stream

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

const patience = 20 * time.Second

var token = strings.Repeat("aB3", 21) + "f"

// A run is a source that runs, and what it gave.
type run struct {
	t      *testing.T
	mu     sync.Mutex
	events []Event
	said   []Status
	slept  []time.Duration
	cancel context.CancelFunc
	done   chan error
}

// start runs a source against url. Its pauses take no time.
func start(t *testing.T, name, url string, o Options) *run {
	t.Helper()
	r := &run{t: t, done: make(chan error, 1)}
	o.URL = url
	if o.Secret == "" {
		o.Secret = token
	}
	if name == "euler" && o.Creator == "" {
		o.Creator = "@viewer.one"
	}
	if o.Sleep == nil {
		o.Sleep = func(ctx context.Context, d time.Duration) bool {
			r.mu.Lock()
			r.slept = append(r.slept, d)
			n := len(r.slept)
			r.mu.Unlock()
			if n > 50 { // a test that wants no more
				<-ctx.Done()
			}
			return sleep(ctx, time.Millisecond)
		}
	}
	s, err := New(name, o)
	if err != nil {
		t.Fatal(err)
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	go func() {
		r.done <- s.Run(ctx, func(e Event) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
			return nil
		}, func(st Status) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.said = append(r.said, st)
		})
	}()
	t.Cleanup(func() { r.cancel() })
	return r
}

// until waits for ok, which is called with the run locked.
func (r *run) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		r.mu.Lock()
		is := ok()
		r.mu.Unlock()
		if is {
			return
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.t.Fatalf("waited in vain for %s; events %d, said %+v", what, len(r.events), r.said)
}

// end stops the run and returns its error.
func (r *run) end() error {
	r.t.Helper()
	r.cancel()
	return r.wait()
}

func (r *run) wait() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(patience):
		r.t.Fatal("it did not end")
	}
	return nil
}

// heard reports whether a status with this state has text in its detail.
func (r *run) heard(state State, text string) bool {
	for _, st := range r.said {
		if st.State == state && strings.Contains(st.Detail, text) {
			return true
		}
	}
	return false
}

// serve returns the address of a server whose connections h has.
func serve(t *testing.T, h func(*websocket.Conn, *http.Request)) string {
	t.Helper()
	return serveHTTP(t, func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		h(ws, r)
	})
}

func serveHTTP(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.CloseClientConnections)
	return "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws"
}

func send(ws *websocket.Conn, frames ...string) {
	for _, f := range frames {
		ws.Write(context.Background(), websocket.MessageText, []byte(f))
	}
}

// stay reads until the other side is gone.
func stay(ws *websocket.Conn) {
	for {
		if _, _, err := ws.Read(context.Background()); err != nil {
			return
		}
	}
}

const hello = `{"type":"CONNECTED","kick_username":"me","user_id":7}`
