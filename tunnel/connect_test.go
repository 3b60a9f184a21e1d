package tunnel

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"devhook/tunnel/ngroktest"
)

// definite is how soon a definite answer must be an error here; the promise is
// 5 seconds.
const definite = 3 * time.Second

// fails opens a tunnel that must fail, and returns the error.
func fails(t *testing.T, o NgrokOptions, lim limits, code string) *Error {
	t.Helper()
	noLeaks(t)
	err := soon(t, definite, "the error", func() error {
		_, err := openWith(t, o, lim)
		return err
	})
	e := wantError(t, err, code)
	if token := o.Authtoken; token != "" && strings.Contains(e.Error()+e.Hint+e.Unwrap().Error(), token) {
		t.Errorf("the authtoken is in %q, %q, %q", e.Error(), e.Hint, e.Unwrap())
	}
	return e
}

func TestConnectWithoutAuthtoken(t *testing.T) {
	for _, token := range []string{"", " \n"} {
		_, err := Ngrok(t.Context(), NgrokOptions{Authtoken: token, ConnectURL: "127.0.0.1:1"})
		e := wantError(t, err, "ERR_NGROK_4018")
		if !strings.Contains(e.Hint, "NGROK_AUTHTOKEN") {
			t.Errorf("hint %q", e.Hint)
		}
	}
}

func TestConnectToWhatIsNoService(t *testing.T) {
	tests := []struct {
		name string
		mode ngroktest.Mode
		lim  limits
		text string
		hint string
	}{
		{"nobody listens", ngroktest.Refuse, usual, "ADDRESS refused the connection", "--ngrok-proxy-url"},
		{"no TLS", ngroktest.PlainText, usual, "ADDRESS does not speak TLS, so it is no ngrok service", "--ngrok-connect-url"},
		{"it hangs up", ngroktest.HangUp, quick, "the connection to ADDRESS broke: ", "--ngrok-proxy-url"},
		{"it is silent", ngroktest.Silent, impatient, "ADDRESS does not answer", "--ngrok-proxy-url"},
		{"it is deaf", ngroktest.Deaf, impatient, "ADDRESS does not answer", "--ngrok-proxy-url"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := start(t)
			srv.SetMode(test.mode)
			e := fails(t, options(t, srv), test.lim, "")
			if want := strings.ReplaceAll(test.text, "ADDRESS", srv.ConnectURL()); !strings.HasPrefix(e.Text, want) {
				t.Errorf("text %q, want %q", e.Text, want)
			}
			if !strings.Contains(e.Hint, test.hint) {
				t.Errorf("hint %q, want %q in it", e.Hint, test.hint)
			}
			eventually(t, "the connections are gone", func() bool { return srv.Connections() == 0 })
		})
	}
}

func TestConnectDoesNotTrust(t *testing.T) {
	srv, other := start(t), start(t)
	ofOther, err := other.CertFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(srv.ConnectURL())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		set  func(*NgrokOptions)
		text string
	}{
		{"an authority of a file", func(o *NgrokOptions) { o.ConnectCAs = ofOther }, "signed by an authority that devhook does not trust"},
		{"an authority of this machine", func(o *NgrokOptions) { o.ConnectCAs = "host" }, "signed by an authority that devhook does not trust"},
		{"an authority of ngrok's", func(o *NgrokOptions) { o.ConnectCAs = "trusted" }, "signed by an authority that devhook does not trust"},
		{"by default", func(o *NgrokOptions) { o.ConnectCAs = "" }, "signed by an authority that devhook does not trust"},
		{"another host", func(o *NgrokOptions) { o.ConnectURL = "127.0.0.2:" + port }, "is for another host"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := options(t, srv)
			test.set(&o)
			c, err := o.resolve()
			if err != nil {
				t.Fatal(err)
			}
			c.direct = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, srv.ConnectURL())
			}
			noLeaks(t)
			err = soon(t, definite, "the error", func() error {
				_, err := open(t.Context(), c, usual)
				return err
			})
			if e := wantError(t, err, ""); !strings.Contains(e.Text, test.text) || !strings.Contains(e.Hint, "--ngrok-connect-cas") {
				t.Errorf("%q, hint %q; want %q", e.Text, e.Hint, test.text)
			}
			eventually(t, "the connections are gone", func() bool { return srv.Connections() == 0 })
		})
	}
}

// The SDK takes for the host what stands before the first colon.
func TestConnectToIPv6(t *testing.T) {
	srv := start(t)
	o := options(t, srv)
	o.ConnectURL = "[::1]:443"
	c, err := o.resolve()
	if err != nil {
		t.Fatal(err)
	}
	c.direct = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, srv.ConnectURL())
	}
	l, err := open(t.Context(), c, usual)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}

func TestConnectLooksUpTheName(t *testing.T) {
	tests := []struct {
		name  string
		rcode byte
		text  string
	}{
		{"it does not exist", 3, "cannot connect to nothing.invalid:443: there is no such host"},
		{"the server of names fails", 2, "cannot connect to nothing.invalid:443: its name could not be looked up"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			names := nameServer(t, test.rcode)
			c, err := NgrokOptions{Authtoken: "t_t", ConnectURL: "nothing.invalid"}.resolve()
			if err != nil {
				t.Fatal(err)
			}
			c.direct = (&net.Dialer{Resolver: &net.Resolver{
				PreferGo: true,
				Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, "udp", names)
				},
			}}).DialContext
			noLeaks(t)
			err = soon(t, definite, "the error", func() error {
				_, err := open(t.Context(), c, usual)
				return err
			})
			if e := wantError(t, err, ""); e.Text != test.text {
				t.Errorf("text %q, want %q", e.Text, test.text)
			}
		})
	}
}

// nameServer answers every DNS query with nothing but a code.
func nameServer(t *testing.T, rcode byte) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for buf := make([]byte, 1500); ; {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if n < 12 {
				continue
			}
			binary.BigEndian.PutUint16(buf[2:], 0x8180|uint16(rcode)) // RFC 1035 §4.1.1
			_, _ = pc.WriteTo(buf[:n], from)
		}
	}()
	t.Cleanup(func() {
		_ = pc.Close()
		<-ended
	})
	return pc.LocalAddr().String()
}

// A service that fails once or twice is reached all the same.
func TestConnectTriesAgain(t *testing.T) {
	t.Run("at the handshake", func(t *testing.T) {
		t.Parallel()
		srv := start(t)
		srv.SetMode(ngroktest.HangUp)
		o := options(t, srv)
		c, err := o.resolve()
		if err != nil {
			t.Fatal(err)
		}
		var dials atomic.Int32
		c.direct = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials.Add(1) == 3 { // the SDK's second, after the probe
				srv.SetMode(ngroktest.Serve)
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		l, err := open(t.Context(), c, usual)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		wantEvent(t, l, Connected)
	})
	t.Run("at the bind", func(t *testing.T) {
		srv := start(t)
		var auths, binds atomic.Int32
		srv.HandleAuth(func(context.Context, ngroktest.Auth) string {
			if auths.Add(1) == 2 { // a bind that does not wait for this one is refused
				time.Sleep(5 * rebindWait)
			}
			return ""
		})
		srv.HandleBind(func(context.Context, ngroktest.Bind) string {
			if binds.Add(1) == 1 {
				srv.DropSessions()
			}
			return ""
		})
		mustOpen(t, options(t, srv), usual)
	})
}

func TestConnectIsInterrupted(t *testing.T) {
	tests := []struct {
		name  string
		setUp func(*ngroktest.Server)
		begun func(*ngroktest.Server) bool
	}{
		{
			"while the service is silent",
			func(s *ngroktest.Server) { s.SetMode(ngroktest.Silent) },
			func(s *ngroktest.Server) bool { return s.Connections() > 0 },
		},
		{
			"while it thinks about the authtoken",
			func(s *ngroktest.Server) {
				s.HandleAuth(func(ctx context.Context, _ ngroktest.Auth) string { <-ctx.Done(); return "late" })
			},
			func(s *ngroktest.Server) bool { return len(s.Auths()) > 0 },
		},
		{
			"while it thinks about the URL",
			func(s *ngroktest.Server) {
				s.HandleBind(func(ctx context.Context, _ ngroktest.Bind) string { <-ctx.Done(); return "late" })
			},
			func(s *ngroktest.Server) bool { return len(s.Binds()) > 0 },
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			srv := start(t, test.setUp)
			o := options(t, srv)
			noLeaks(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() {
				_, err := Ngrok(ctx, o)
				ended <- err
			}()
			eventually(t, "it is under way", func() bool { return test.begun(srv) })
			cancel()
			err := soon(t, definite, "the end", func() error { return <-ended })
			wantError(t, err, "")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want one wrapping context.Canceled", err)
			}
			eventually(t, "the connection is gone", func() bool { return srv.Connections() == 0 })
		})
	}
}

func TestConnectWaitsForTheURLNoLongerThanForSilence(t *testing.T) {
	srv := start(t)
	srv.HandleBind(func(ctx context.Context, _ ngroktest.Bind) string {
		<-ctx.Done()
		return ""
	})
	lim := impatient
	lim.silence = 400 * time.Millisecond // it must not strike before the authentication
	e := fails(t, options(t, srv), lim, "")
	if !strings.Contains(e.Text, "does not answer its request for a URL") {
		t.Errorf("text %q", e.Text)
	}
}

func TestDefaultLimits(t *testing.T) {
	if got := defaultLimits.silence; got != 15*time.Second {
		t.Errorf("silence is given up after %v, want 15s", got)
	}
	if got := defaultLimits.patience; got > 5*time.Second {
		t.Errorf("errors are tried again for %v, want 5s at most", got)
	}
	if got := defaultLimits.goodbye + 2*settle + 2*farewell; got > 5*time.Second {
		t.Errorf("Close may take %v", got)
	}
	if l := defaultLimits; l.heartbeat != 0 || l.tolerance != 0 {
		t.Errorf("heartbeats are not the SDK's own: %+v", l)
	}
}
