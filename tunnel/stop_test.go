package tunnel

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"devhook/tunnel/ngroktest"
)

func TestServiceStopsTheAgent(t *testing.T) {
	noLeaks(t)
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	accepted := dialAndAccept(t, srv, l)
	if err := srv.StopAgent(t.Context()); err != nil {
		t.Errorf("the agent does not agree: %v", err)
	}
	ev := wantEvent(t, l, Closed)
	e := wantError(t, ev.Err, "")
	if !strings.Contains(e.Text, "stopped this agent") || !strings.Contains(e.Hint, "devhook up") {
		t.Errorf("%q, hint %q", e.Text, e.Hint)
	}
	_, err := soon2(t, definite, "Accept", l.Accept)
	if !errors.Is(err, ev.Err) {
		t.Errorf("Accept: %v, want %v", err, ev.Err)
	}
	if _, err := accepted.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlived the session")
	}
	wantEnd(t, l)
	eventually(t, "the session is over", func() bool { return srv.Connections() == 0 })
	_ = soon(t, definite, "Close", l.Close)
	wantClosed(t, l)
}

func soon2[A, B any](t *testing.T, limit time.Duration, what string, f func() (A, B)) (A, B) {
	t.Helper()
	var b B
	a := soon(t, limit, what, func() (a A) {
		a, b = f()
		return a
	})
	return a, b
}

func TestServiceMayNotRestartOrUpdateTheAgent(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	serve(t, l, hello)
	for name, f := range map[string]func(context.Context) error{"restart": srv.RestartAgent, "update": srv.UpdateAgent} {
		if err := f(t.Context()); err == nil || !strings.Contains(err.Error(), "devhook does not restart or update itself") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := get(t, srv, l.URL().String()); err != nil {
		t.Errorf("after that: %v", err)
	}
	select {
	case ev := <-l.Events():
		t.Errorf("event %+v", ev)
	default:
	}
}

func TestServiceStopsTheTunnel(t *testing.T) {
	noLeaks(t)
	srv := start(t)
	l := mustOpen(t, options(t, srv), defaultLimits)
	sender := dial(t, srv, l)
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	waiting := dial(t, srv, l) // not accepted when the end comes
	eventually(t, "it is queued", func() bool { return len(l.queue) == 1 })
	if err := srv.StopTunnel(l.URL().String(), "Your endpoint was stopped.\nAsk Ann \x1b[1mwhy.", "ERR_NGROK_4242"); err != nil {
		t.Fatal(err)
	}
	ev := wantEvent(t, l, Closed)
	e := wantError(t, ev.Err, "ERR_NGROK_4242")
	if e.Text != "your endpoint was stopped. Ask Ann [1mwhy" {
		t.Errorf("text %q", e.Text)
	}

	// What came before the end is served.
	last, err := soon2(t, definite, "Accept", l.Accept)
	if err != nil {
		t.Fatalf("Accept of what was queued: %v", err)
	}
	for _, c := range []struct {
		ours   net.Conn
		theirs *ngroktest.Conn
	}{{accepted, sender}, {last, waiting}} {
		if _, err := c.ours.Write([]byte("late")); err != nil {
			t.Error(err)
		}
		_ = c.ours.Close()
		if got, err := io.ReadAll(c.theirs); err != nil || string(got) != "late" {
			t.Errorf("got %q, %v", got, err)
		}
	}
	if _, err := soon2(t, definite, "Accept", l.Accept); !errors.Is(err, ev.Err) {
		t.Errorf("Accept: %v, want %v", err, ev.Err)
	}
	wantEnd(t, l)
	eventually(t, "the session is over", func() bool { return srv.Connections() == 0 })
}

func TestServiceStopsTheTunnelWithoutAWord(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	if err := srv.StopTunnel(l.URL().String(), "", ""); err != nil {
		t.Fatal(err)
	}
	wantError(t, wantEvent(t, l, Closed).Err, "")
	wantEnd(t, l)
}

// After the service has stopped the tunnel, the SDK would bring it back online
// with the next connection.
func TestServiceStopsTheTunnelAndDrops(t *testing.T) {
	noLeaks(t)
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	accepted := dialAndAccept(t, srv, l)
	if err := srv.StopTunnel(l.URL().String(), "Bye.", ""); err != nil {
		t.Fatal(err)
	}
	wantEvent(t, l, Closed)
	srv.DropSessions()
	wantEnd(t, l) // though a connection is not closed
	_ = accepted.Close()
	eventually(t, "the session is over", func() bool { return srv.Connections() == 0 })
	if n := len(srv.Binds()); n != 1 {
		t.Errorf("%d binds", n)
	}
}

// Stops come while connections pour in: see gate.
func TestEndsUnderLoad(t *testing.T) {
	tests := []struct {
		name string
		stop func(*ngroktest.Server, Listener)
	}{
		{"the service stops the tunnel", func(srv *ngroktest.Server, l Listener) {
			_ = srv.StopTunnel(l.URL().String(), "Bye.", "")
		}},
		{"the service stops the agent", func(srv *ngroktest.Server, _ Listener) { _ = srv.StopAgent(context.Background()) }},
		{"Close", func(_ *ngroktest.Server, l Listener) { _ = l.Close() }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			noLeaks(t)
			srv := start(t)
			o := options(t, srv)
			for range 4 {
				l, err := openWith(t, o, usual)
				if err != nil {
					t.Fatal(err)
				}
				const enough = 40
				accepted := make(chan struct{}, 4096)
				ended := make(chan error, 1)
				go func() {
					for {
						c, err := l.Accept()
						if err != nil {
							ended <- err
							return
						}
						_ = c.Close()
						accepted <- struct{}{}
					}
				}()
				var senders sync.WaitGroup
				for range 8 {
					senders.Go(func() {
						for {
							c, err := srv.Dial(context.Background(), l.URL().String())
							if err != nil {
								return
							}
							_ = c.SetDeadline(time.Now().Add(definite)) // the SDK forgets a few at the end
							_, _ = io.Copy(io.Discard, c)
							_ = c.Close()
						}
					})
				}
				for range enough {
					<-accepted
				}
				go func() {
					for range accepted {
						continue
					}
				}()
				test.stop(srv, l)
				_ = soon(t, definite, "the end", func() error { return <-ended })
				senders.Wait()
				_ = soon(t, definite, "Close", l.Close)
				close(accepted)
			}
			eventually(t, "the sessions are over", func() bool { return srv.Connections() == 0 })
		})
	}
}

func TestCloseSaysGoodbye(t *testing.T) {
	noLeaks(t)
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	queued := dial(t, srv, l)
	eventually(t, "it is queued", func() bool { return len(l.queue) == 1 })
	_ = soon(t, definite, "Close", l.Close)
	wantClosed(t, l)
	if got, err := io.ReadAll(queued); len(got) > 0 {
		t.Errorf("the queued connection got %q, %v", got, err)
	}
	eventually(t, "the session is over", func() bool { return srv.Connections() == 0 && len(srv.Endpoints()) == 0 })
}

func TestCloseWithADeadService(t *testing.T) {
	tests := []struct {
		name string
		dead func(*ngroktest.Server)
	}{
		{"that is gone", (*ngroktest.Server).Close},
		{"behind a black hole", (*ngroktest.Server).Blackhole},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			noLeaks(t)
			srv := start(t)
			l := mustOpen(t, options(t, srv), quick)
			test.dead(srv)
			_ = soon(t, definite, "Close", l.Close)
			wantClosed(t, l)
			srv.Close()
		})
	}
}

func TestCloseWhileConnectionsLast(t *testing.T) {
	noLeaks(t)
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	sender := dial(t, srv, l)
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	_ = soon(t, definite, "Close", l.Close)
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v", err)
	}
	select {
	case ev, ok := <-l.Events():
		t.Errorf("event %v, %v, with a connection left", ev, ok)
	default:
	}
	if len(srv.Endpoints()) != 0 {
		t.Errorf("online: %v", srv.Endpoints())
	}
	_, _ = sender.Write([]byte("ping"))
	got := make([]byte, 4)
	if _, err := io.ReadFull(accepted, got); err != nil || string(got) != "ping" {
		t.Errorf("got %q, %v", got, err)
	}
	_ = accepted.Close()
	wantClosed(t, l)
	eventually(t, "the session is over", func() bool { return srv.Connections() == 0 })
}

// More connections than anybody takes are closed instead of holding up the
// session.
func TestBacklogIsBounded(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range (backlog + 80) / 8 {
				_, _ = srv.Dial(t.Context(), l.URL().String())
			}
		})
	}
	wg.Wait()
	eventually(t, "the queue is full", func() bool { return len(l.queue) == backlog })
	serve(t, l, hello)
	eventually(t, "it goes on", func() bool { _, err := get(t, srv, l.URL().String()); return err == nil })
}
