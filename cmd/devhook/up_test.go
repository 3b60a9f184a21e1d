package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/internal/config"
	"devhook/internal/stream"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/tunnel"
	"devhook/tunnel/ngroktest"
)

// newUp returns a run of devhook up whose tunnel leads to srv. What it prints
// on stdout goes to out.
func newUp(t *testing.T, srv *ngroktest.Server, out io.Writer, flags map[string]string) *up {
	t.Helper()
	dir := t.TempDir()
	cert, err := srv.CertFile(dir)
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{
		"NGROK_AUTHTOKEN": ngroktest.Authtoken, "DEVHOOK_STORE": dir + "/" + recorder.Dir,
		"DEVHOOK_NGROK_CONNECT_URL": srv.ConnectURL(), "DEVHOOK_NGROK_CONNECT_CAS": cert, "DEVHOOK_INSPECT": "off",
	}
	getenv := func(name string) string { return env[name] }
	src := sourceOf(dir, getenv, flags)
	cfg, err := config.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	errs := terminal.New(io.Discard, terminal.Never, getenv)
	return &up{
		p: &program{stdout: out, stderr: io.Discard, getenv: getenv}, cfg: cfg, src: src,
		out: terminal.New(out, terminal.Never, getenv), errs: errs, log: slog.New(errs.LogHandler(slog.LevelWarn)),
		resolver: &config.Resolver{Getenv: getenv},
	}
}

// The second Ctrl-C waits for nothing: not for the app that has a webhook, and
// not for the tunnel's last connection, which closeDoors allows 3 seconds.
func TestSecondInterruptIsAtOnce(t *testing.T) {
	t.Parallel()
	srv := ngroktest.NewServer()
	defer srv.Close()
	arrived, release := make(chan struct{}), make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-release
	}))
	defer app.Close()
	u := newUp(t, srv, io.Discard, map[string]string{"forward": app.URL})
	sent := make(chan struct{})
	u.onReady = func(url string) {
		go func() {
			defer close(sent)
			if res, err := srv.Client().Post(url, "text/plain", strings.NewReader("x")); err == nil {
				res.Body.Close()
			}
		}()
	}
	signals := make(chan os.Signal, 2)
	ended := make(chan error, 1)
	go func() { ended <- u.run(context.Background(), signals) }()
	<-arrived
	signals <- os.Interrupt
	signals <- os.Interrupt
	begin := time.Now()
	err := <-ended
	if took := time.Since(begin); took >= 3*time.Second {
		t.Errorf("it took %v", took)
	}
	if !errors.Is(err, errInterrupted) {
		t.Errorf("got %v, want %v", err, errInterrupted)
	}
	close(release) // what was under way ends behind it
	<-sent
	for range u.ngrok.Events() {
	}
}

// Why the tunnel closed is a line of --json, also if its door is seen to be
// shut first.
func TestLastEventIsPrinted(t *testing.T) {
	t.Parallel()
	srv := ngroktest.NewServer()
	defer srv.Close()
	for range 10 { // each of two channels can be the first
		var out bytes.Buffer
		u := newUp(t, srv, &out, map[string]string{"output": "json"})
		u.asides = make(chan any, maxAsides)
		if err := u.openDoors(t.Context()); err != nil {
			t.Fatal(err)
		}
		u.announced = u.ngrok.URL().String()
		if err := srv.StopTunnel(u.announced, "Over.", "ERR_NGROK_725"); err != nil {
			t.Fatal(err)
		}
		_, shut := u.ngrok.Accept()
		served := make(chan error, 1)
		served <- shut
		err := u.wait(t.Context(), nil, served)
		var why *tunnel.Error
		if !errors.As(err, &why) || why.Code != "ERR_NGROK_725" || errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v", err)
		}
		over := make(chan struct{})
		close(over)
		u.printAsides(over)
		if !strings.Contains(out.String(), `"state":"closed"`) {
			t.Fatalf("no line tells of it: %q", out.String())
		}
		u.closeDoors()
	}
}

// What the service refuses while the tunnel is being mended comes with what to
// do, as it lasts until somebody does it; a network that is away does not.
func TestReconnectingTellsWhatToDo(t *testing.T) {
	for _, test := range []struct {
		name string
		err  *tunnel.Error
		want string
	}{
		{"refused", &tunnel.Error{Code: "ERR_NGROK_334", Text: "already online", Hint: "stop it\x1b"}, "already online (ERR_NGROK_334)\n          stop it\\x1b\n"},
		{"broken", &tunnel.Error{Text: "it broke", Hint: "check the network"}, "it broke\n"},
	} {
		var out bytes.Buffer
		u := &up{errs: terminal.New(&out, terminal.Never, os.Getenv)}
		u.describeTunnel(tunnel.Event{State: tunnel.Reconnecting, Err: test.err}, time.Time{})
		if got := out.String(); !strings.HasSuffix(got, "reconnecting: "+test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestTallyOfMalformed(t *testing.T) {
	for n, want := range map[int64]string{
		0: "no webhooks came",
		1: "0 webhooks; 1 request was no whole HTTP and is not recorded",
		2: "0 webhooks; 2 requests were no whole HTTP and are not recorded",
	} {
		if got := (&tally{}).String(n, 0); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// Once the app is back it is told how to send it the events of a stream that it missed,
// those of this time only.
func TestMissed(t *testing.T) {
	var out bytes.Buffer
	var m missed
	errs := terminal.New(&out, terminal.Never, os.Getenv)
	for i, came := range []struct {
		origin  recorder.Origin
		outcome recorder.Outcome
		hint    string
	}{
		{recorder.Stream, recorder.Answered, ""},
		{recorder.Live, recorder.Unreachable, ""}, // its provider sends it again
		{recorder.Stream, recorder.Unreachable, ""},
		{recorder.Stream, recorder.Unreachable, ""},
		{recorder.Trigger, recorder.Answered, ""},
		{recorder.Stream, recorder.Answered, "2 events of a stream, which nobody sends again; this does: devhook replay --filter 'origin:stream outcome:unreachable seq:2..3'"},
		{recorder.Stream, recorder.Answered, ""},
		{recorder.Stream, recorder.Unreachable, ""},
		{recorder.Stream, recorder.Answered, "1 event of a stream, which nobody sends again; this does: devhook replay --filter 'origin:stream outcome:unreachable seq:7..7'"},
	} {
		out.Reset()
		m.add(&recorder.Exchange{Origin: came.origin, Outcome: came.outcome, Seq: uint64(i)}, errs)
		if got := strings.Join(strings.Fields(out.String()), " "); got != "" != (came.hint != "") || !strings.Contains(got, came.hint) {
			t.Errorf("event %d: %q, want %q", i, got, came.hint)
		}
	}
}

// Who is told that it is ready, and asks at once, hears the same.
func TestReadyIsNotToldTooEarly(t *testing.T) {
	t.Parallel()
	srv := ngroktest.NewServer()
	defer srv.Close()
	asked := make(chan string, 1)
	u := newUp(t, srv, lineFunc(func(line string) {
		var told struct{ Type, Inspect string }
		if err := json.Unmarshal([]byte(line), &told); err != nil || told.Type != "ready" {
			return
		}
		res, err := http.Get(told.Inspect + "/readyz")
		if err != nil {
			asked <- err.Error()
			return
		}
		res.Body.Close()
		asked <- res.Status
	}), map[string]string{"output": "json", "inspect": "127.0.0.1:0"})
	signals := make(chan os.Signal, 1)
	u.onReady = func(string) { signals <- os.Interrupt }
	if err := u.run(t.Context(), signals); err != nil {
		t.Error(err)
	}
	if got := <-asked; got != "200 OK" {
		t.Errorf("at the ready line it answers %s", got)
	}
}

// Who is told of another URL finds it in the ready file.
func TestReadyFileIsAheadOfTheNews(t *testing.T) {
	t.Parallel()
	srv := ngroktest.NewServer()
	defer srv.Close()
	path := t.TempDir() + "/ready"
	signals, told := make(chan os.Signal, 1), make(chan string, 1)
	var once sync.Once
	u := newUp(t, srv, lineFunc(func(line string) {
		if strings.Contains(line, `"state":"connected"`) {
			once.Do(func() {
				text, _ := os.ReadFile(path)
				told <- line + string(text)
				signals <- os.Interrupt
			})
		}
	}), map[string]string{"output": "json"})
	u.readyFile = path
	u.onReady = func(string) {
		srv.ReassignURL()
		srv.DropSessions()
	}
	if err := u.run(t.Context(), signals); err != nil {
		t.Fatal(err)
	}
	if got, url := <-told, u.ngrok.URL().String(); strings.Count(got, url) != 2 {
		t.Errorf("%s is not twice in %q", url, got)
	}
}

// A lineFunc is called with each line that is written.
type lineFunc func(line string)

func (f lineFunc) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}

// What is too much goes at the next look, with some more; what is too old once an hour.
func TestRetention(t *testing.T) {
	for _, c := range []struct {
		n          time.Duration
		used, size int64
		most       int64
		due        bool
	}{
		{0, 10, 100, 100, true}, {1, 10, 100, 100, false}, {1, 100, 100, 100, false}, {1, 101, 100, 95, true}, {60, 101, 100, 95, true},
		{59, 10, 100, 100, false}, {60, 10, 100, 100, true}, {0, 1000, 0, 0, true}, {7, 1000, 0, 0, false},
	} {
		if most, due := retention(c.n, c.used, c.size); most != c.most || due != c.due {
			t.Errorf("look %d at %d of %d: %d, %v", c.n, c.used, c.size, most, due)
		}
	}
}

// A reader that sleeps holds up neither who must go on nor the end.
func TestNobodyReads(t *testing.T) {
	defer func(d time.Duration) { unreadTime = d }(unreadTime)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	u := &up{p: &program{stdout: w}, asides: make(chan any, maxAsides)}
	var printing sync.WaitGroup
	over := make(chan struct{})
	printing.Go(func() { u.printAsides(over) })
	for range 2 * maxAsides { // more than a pipe holds, and more than wait
		u.printAside(event{"tunnel", struct{ Error string }{strings.Repeat("x", 200)}})
	}
	close(over)
	unreadTime = 10 * time.Millisecond
	if u.awaitReader(&printing) {
		t.Error("all was printed, with nobody to read it")
	}
	unreadTime = time.Minute
	go io.Copy(io.Discard, r)
	if !u.awaitReader(&printing) {
		t.Error("not all was printed, with somebody to read it")
	}
}

// How a source fares begins when it changes, and not with each attempt; why it was lost stays.
func TestSourceFares(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 11, 21, 14, 0, s, 0, time.UTC) }
	var s openStream
	for n, c := range []struct {
		state  stream.State
		detail string
		want   fare
	}{
		{stream.Connecting, "", fare{stream.Connecting, at(0), ""}},
		{stream.Reconnecting, "refused", fare{stream.Reconnecting, at(1), "refused"}},
		{stream.Connecting, "", fare{stream.Reconnecting, at(1), "refused"}},
		{stream.Reconnecting, "silence", fare{stream.Reconnecting, at(1), "silence"}},
		{stream.Polling, "404", fare{stream.Reconnecting, at(1), "silence"}},
		{stream.Connected, "", fare{stream.Connected, at(5), "silence"}},
		{stream.Connected, "", fare{stream.Connected, at(5), "silence"}}, // the greeting, behind a ping
		{stream.Slow, "100 events wait", fare{stream.Connected, at(5), "silence"}},
		{stream.Waiting, "not live", fare{stream.Waiting, at(8), "not live"}},
		{stream.Closed, "", fare{stream.Closed, at(9), "not live"}},
	} {
		s.note(stream.Status{State: c.state, Detail: c.detail, At: at(n)})
		if got := *s.fares.Load(); got != c.want {
			t.Errorf("%d, %s: %v, want %v", n, c.state, got, c.want)
		}
	}
}
