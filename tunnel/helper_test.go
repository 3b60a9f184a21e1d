package tunnel

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/tunnel/ngroktest"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// usual are the limits of most tests: the default, but for a wait.
var usual = func() limits {
	l := defaultLimits
	l.rest = 5 * time.Millisecond
	return l
}()

// quick are limits for tests that run into some of them.
var quick = limits{
	silence:  patience,
	patience: 100 * time.Millisecond,
	attempts: 3,
	goodbye:  200 * time.Millisecond,
}

// impatient are limits for tests of a service that does not answer.
var impatient = limits{
	silence:  150 * time.Millisecond,
	patience: patience,
	attempts: 3,
	goodbye:  200 * time.Millisecond,
}

// start starts a service after setUp, and stops it at the end of the test.
func start(t *testing.T, setUp ...func(*ngroktest.Server)) *ngroktest.Server {
	t.Helper()
	srv := ngroktest.NewUnstartedServer()
	for _, f := range setUp {
		f(srv)
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// options are those to reach srv with.
func options(t *testing.T, srv *ngroktest.Server) NgrokOptions {
	t.Helper()
	file, err := srv.CertFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return NgrokOptions{Authtoken: ngroktest.Authtoken, ConnectURL: srv.ConnectURL(), ConnectCAs: file}
}

// openWith opens a tunnel with limits of its own.
func openWith(t *testing.T, o NgrokOptions, lim limits) (*ngrokListener, error) {
	t.Helper()
	c, err := o.resolve()
	if err != nil {
		return nil, err
	}
	return open(t.Context(), c, lim)
}

// mustOpen opens a tunnel to srv, and closes it at the end of the test.
func mustOpen(t *testing.T, o NgrokOptions, lim limits) *ngrokListener {
	t.Helper()
	l, err := openWith(t, o, lim)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { _ = l.Close() })
	wantEvent(t, l, Connected)
	return l
}

// serve runs an HTTP server on l until the end of the test.
func serve(t *testing.T, l Listener, h http.Handler) *http.Server {
	t.Helper()
	hs := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = hs.Serve(l)
	}()
	t.Cleanup(func() {
		_ = hs.Close()
		<-ended
	})
	return hs
}

// wantEvent waits for the next event, which must be of the given state.
func wantEvent(t *testing.T, l Listener, state State) Event {
	t.Helper()
	select {
	case ev, ok := <-l.Events():
		if !ok {
			t.Fatalf("the events ended, want %q", state)
		}
		if ev.State != state || ev.URL == nil || ev.At.IsZero() {
			t.Fatalf("event %q (%v, URL %v), want %q", ev.State, ev.Err, ev.URL, state)
		}
		return ev
	case <-time.After(patience):
		t.Fatalf("no event, want %q", state)
	}
	panic("unreachable")
}

// wantTrouble waits for a Reconnecting event with the code, or for the end of
// all with it. Others can come before: of a service that hangs up after its
// answer, the SDK at times sees only that.
func wantTrouble(t *testing.T, l Listener, state State, code string) Event {
	t.Helper()
	for {
		ev := <-l.Events()
		var e *Error
		switch {
		case !errors.As(ev.Err, &e):
			t.Fatalf("event %q (%v), want %q with %s", ev.State, ev.Err, state, code)
		case ev.State == state && e.Code == code:
			wantError(t, e, code)
			return ev
		case ev.State != Reconnecting || e.Code != "":
			t.Fatalf("event %q (%v), want %q with %s", ev.State, ev.Err, state, code)
		}
	}
}

// wantEnd waits for the end of the events.
func wantEnd(t *testing.T, l Listener) {
	t.Helper()
	select {
	case ev, ok := <-l.Events():
		if ok {
			t.Fatalf("event %q (%v), want the end", ev.State, ev.Err)
		}
	case <-time.After(patience):
		t.Fatal("the events do not end")
	}
}

// wantError fails unless err is an Error with the code, and a text and a hint
// that are fit for the screen.
func wantError(t *testing.T, err error, code string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %#v (%v), want an *Error", err, err)
	}
	if e.Code != code {
		t.Errorf("code %q, want %q, of %v", e.Code, code, e)
	}
	for _, text := range []string{e.Text, e.Hint, e.Error()} {
		switch {
		case text == "", text != printable(text), strings.HasSuffix(text, "."), len(text) > 2*maxText:
			t.Errorf("not fit for the screen: %q", text)
		}
	}
	if e.Text != lowerFirst(e.Text) {
		t.Errorf("not lower case: %q", e.Text)
	}
	return e
}

// eventually waits until f returns true. If it does not, more is said.
func eventually(t *testing.T, what string, f func() bool, more ...func() string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			for _, m := range more {
				t.Log(m())
			}
			t.Fatalf("it does not happen: %s", what)
		}
	}
}

// soon returns what f returns, or fails if it takes longer than limit.
func soon[T any](t *testing.T, limit time.Duration, what string, f func() T) T {
	t.Helper()
	got := make(chan T, 1)
	go func() { got <- f() }()
	select {
	case v := <-got:
		return v
	case <-time.After(limit):
		t.Fatalf("%s takes longer than %v", what, limit)
	}
	panic("unreachable")
}

// get sends a request through srv and returns the body of the answer.
func get(t *testing.T, srv *ngroktest.Server, url string) (string, error) {
	t.Helper()
	client := srv.Client()
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return string(body), err
}

// noLeaks fails the test unless, at its end, no goroutine of this package and
// of the SDK is left that was not there before: except those that doc of Ngrok
// speaks of, which only sleep.
func noLeaks(t *testing.T) {
	t.Helper()
	before := ours()
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		var left []string
		eventually(t, "the goroutines end", func() bool {
			left = nil
			for id, stack := range ours() {
				if before[id] == "" {
					left = append(left, stack)
				}
			}
			return len(left) == 0
		}, func() string { return strings.Join(left, "\n\n") })
	})
}

// ours returns the goroutines that must end, by their id.
func ours() map[string]string {
	buf := make([]byte, 4<<20)
	buf = buf[:runtime.Stack(buf, true)]
	all := make(map[string]string)
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		id, rest, _ := strings.Cut(stack, " [")
		switch {
		case !strings.Contains(rest, "golang.ngrok.com/") && !strings.Contains(rest, "devhook/tunnel.("):
		case strings.Contains(rest, "testing.tRunner("):
		case strings.Contains(rest, "muxado/v2.(*Heartbeat).requester("), strings.Contains(rest, "muxado/v2.(*Heartbeat).check("):
		case strings.Contains(rest, "time.Sleep(") && strings.Contains(rest, "client.(*reconnectingSession).connect"):
		default:
			all[id] = stack
		}
	}
	return all
}

// A logBuffer takes logs from several goroutines.
type logBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
