package tunnel

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"devhook/tunnel/ngroktest"
)

func TestReconnectKeepsTheURL(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	serve(t, l, hello)
	address := l.URL().String()
	for range 3 {
		srv.DropSessions()
		down := wantEvent(t, l, Reconnecting)
		e := wantError(t, down.Err, "")
		if !strings.HasPrefix(e.Text, "the connection to "+srv.ConnectURL()+" broke: ") {
			t.Errorf("text %q", e.Text)
		}
		up := wantEvent(t, l, Connected)
		if up.Err != nil || up.URL.String() != address || l.URL().String() != address {
			t.Errorf("back with %v at %v (%v), want %s", up.Err, up.URL, l.URL(), address)
		}
		if !up.At.After(down.At) {
			t.Errorf("down at %v, up at %v", down.At, up.At)
		}
		if _, err := get(t, srv, address); err != nil {
			t.Errorf("after the reconnect: %v", err)
		}
	}
	binds := srv.Binds()
	if first, last := binds[0], binds[len(binds)-1]; last.Extra.Token == "" || last.Opts.URL != address || first.Opts.URL != "" {
		t.Errorf("first bind %+v, last %+v", first, last)
	}
}

func TestReconnectTellsOfAnotherURL(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	serve(t, l, hello)
	before := l.URL().String()
	srv.ReassignURL()
	srv.DropSessions()
	if ev := wantEvent(t, l, Reconnecting); ev.URL.String() != before {
		t.Errorf("while it is away, the URL is %s, want %s", ev.URL, before)
	}
	after := wantEvent(t, l, Connected).URL.String()
	if after == before || l.URL().String() != after || srv.Endpoints()[0] != after {
		t.Fatalf("the URL is %s (event) or %s (listener), was %s, and is %v", after, l.URL(), before, srv.Endpoints())
	}
	if _, err := get(t, srv, after); err != nil {
		t.Errorf("at the new URL: %v", err)
	}
	srv.DropSessions()
	wantEvent(t, l, Reconnecting)
	if ev := wantEvent(t, l, Connected); ev.URL.String() != before && ev.URL.String() != after {
		t.Errorf("the URL is %s", ev.URL)
	} else if l.URL().String() != srv.Endpoints()[0] {
		t.Errorf("the URL is %s, and is said to be %s", srv.Endpoints()[0], l.URL())
	}
}

// An outage that goes on for a while, with one reason after another, is told
// once for each.
func TestReconnectTellsWhy(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	srv.HandleBind(func(context.Context, ngroktest.Bind) string {
		return ngroktest.ErrorText("The endpoint 'https://x' is already online. Either\n1. stop it", "ERR_NGROK_334")
	})
	srv.SetMode(ngroktest.Refuse)
	srv.DropSessions()
	first := wantError(t, wantEvent(t, l, Reconnecting).Err, "")
	second := wantError(t, wantEvent(t, l, Reconnecting).Err, "")
	if !strings.Contains(first.Text, " broke: ") || !strings.HasSuffix(second.Text, "refused the connection") {
		t.Errorf("reasons %q, %q", first, second)
	}
	l.down(second)
	l.down(second)
	srv.SetMode(ngroktest.Serve)
	wantError(t, wantEvent(t, l, Reconnecting).Err, "ERR_NGROK_334")
	srv.HandleBind(nil)
	wantEvent(t, l, Connected)
}

// A limit of sessions can pass: the service has not yet seen the end of the
// old one.
func TestReconnectWaitsForAFreeSession(t *testing.T) {
	t.Parallel()
	srv := start(t)
	l := mustOpen(t, options(t, srv), usual)
	srv.HandleAuth(func(context.Context, ngroktest.Auth) string {
		return ngroktest.ErrorText("Your account is limited to 1 simultaneous ngrok agent sessions.", "ERR_NGROK_108")
	})
	srv.DropSessions()
	wantTrouble(t, l, Reconnecting, "ERR_NGROK_108")
	srv.HandleAuth(nil)
	wantEvent(t, l, Connected)
}

func TestReconnectGivesUpOnceItCannotHeal(t *testing.T) {
	for _, code := range []string{"ERR_NGROK_103", "ERR_NGROK_107", "ERR_NGROK_4018"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			srv := start(t)
			l := mustOpen(t, options(t, srv), usual)
			srv.HandleAuth(func(context.Context, ngroktest.Auth) string {
				return ngroktest.ErrorText("It is over.", code)
			})
			srv.SetMode(ngroktest.Curt)
			srv.DropSessions()
			wantTrouble(t, l, Closed, code)
			_, err := l.Accept()
			if wantError(t, err, code); err.Error() != "it is over ("+code+")" {
				t.Errorf("Accept: %v", err)
			}
			wantEnd(t, l)
			eventually(t, "the connection is gone", func() bool { return srv.Connections() == 0 })
		})
	}
}

// A network that loses everything is noticed by the missing heartbeats.
func TestReconnectAfterABlackHole(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("the SDK's heartbeat reads its logger without a lock, which its authentication sets")
	}
	srv := start(t)
	lim := usual
	lim.heartbeat, lim.tolerance = 400*time.Millisecond, 100*time.Millisecond
	l := mustOpen(t, options(t, srv), lim)
	serve(t, l, hello)
	address := l.URL().String()
	srv.Blackhole()
	wantEvent(t, l, Reconnecting)
	wantEvent(t, l, Connected)
	if l.URL().String() != address {
		t.Errorf("URL %s, was %s", l.URL(), address)
	}
	if _, err := get(t, srv, address); err != nil {
		t.Error(err)
	}
	if n := srv.Sessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func TestCloseDuringAnOutage(t *testing.T) {
	tests := []struct {
		name  string
		cause func(*ngroktest.Server)
		begun func(*ngroktest.Server) bool
	}{
		{
			"nobody listens",
			func(s *ngroktest.Server) { s.SetMode(ngroktest.Refuse) },
			func(s *ngroktest.Server) bool { return s.Connections() == 0 },
		},
		{
			"the service is silent",
			func(s *ngroktest.Server) { s.SetMode(ngroktest.Silent) },
			func(s *ngroktest.Server) bool { return s.Connections() == 1 },
		},
		{
			"the service does not answer",
			func(s *ngroktest.Server) {
				s.HandleAuth(func(ctx context.Context, _ ngroktest.Auth) string { <-ctx.Done(); return "late" })
			},
			func(s *ngroktest.Server) bool { return len(s.Auths()) == 2 },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			noLeaks(t)
			srv := start(t)
			l := mustOpen(t, options(t, srv), quick)
			accepted := dialAndAccept(t, srv, l)
			test.cause(srv)
			srv.DropSessions()
			wantEvent(t, l, Reconnecting)
			eventually(t, "it tries again", func() bool { return test.begun(srv) })
			_ = soon(t, definite, "Close", l.Close)
			_ = accepted.Close()
			wantClosed(t, l)
			eventually(t, "the connection is gone", func() bool { return srv.Connections() == 0 })
		})
	}
}

// dialAndAccept makes a connection and returns l's end.
func dialAndAccept(t *testing.T, srv *ngroktest.Server, l Listener) net.Conn {
	t.Helper()
	dial(t, srv, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// wantClosed fails unless l is closed, by Close.
func wantClosed(t *testing.T, l Listener) {
	t.Helper()
	if c, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v, %v; want net.ErrClosed", c, err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
	for {
		select {
		case _, ok := <-l.Events():
			if !ok {
				return
			}
		case <-time.After(patience):
			t.Fatal("the events do not end")
		}
	}
}
