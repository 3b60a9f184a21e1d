package ngroktest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.ngrok.com/ngrok/v2"
	"golang.ngrok.com/ngrok/v2/rpc"
)

func TestAuthentication(t *testing.T) {
	tests := []struct {
		name  string
		setUp func(*Server)
		token string
		want  string
	}{
		{name: "any of the right form", token: "a_b"},
		{name: "one of those named", setUp: func(s *Server) { s.Authtokens = []string{"x", "odd form"} }, token: "odd form"},
		{name: "none", token: "", want: "ERR_NGROK_4018"},
		{name: "another form", token: "no-token", want: "Your authtoken: no-token\nInstructions"},
		{name: "none of those named", setUp: func(s *Server) { s.Authtokens = []string{"x"} }, token: "a_b", want: "ERR_NGROK_107"},
		{
			name: "refused by a handler",
			setUp: func(s *Server) {
				s.HandleAuth(func(_ context.Context, a Auth) string { return ErrorText("Not you.", "ERR_NGROK_1") })
			},
			token: "a_b", want: "Not you.\r\n\r\nERR_NGROK_1\r\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, func(s *Server) {
				if test.setUp != nil {
					test.setUp(s)
				}
			})
			_, err := connect(t, s, ngrok.WithAuthtoken(test.token), ngrok.WithClientInfo("me", "1.0.0"))
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "":
				wantText(t, err, test.want)
			}
			if a := s.Auths()[0]; a.Extra.Authtoken != test.token || a.Extra.ClientType != "me" || a.Extra.HeartbeatInterval != int64(10*time.Second) {
				t.Errorf("authentication %+v", a)
			}
		})
	}
}

func TestSessionsAreLimited(t *testing.T) {
	s := start(t, func(s *Server) { s.MaxSessions = 1 })
	first, err := connect(t, s)
	if err != nil {
		t.Fatal(err)
	}
	_, err = connect(t, s)
	wantText(t, err, "limited to 1 simultaneous ngrok agent sessions.\nRun")
	wantText(t, err, "ERR_NGROK_108")
	if _, err := connect(t, s, ngrok.WithAuthtoken("another_one")); err != nil {
		t.Error(err)
	}
	_ = first.Disconnect()
	eventually(t, "the first is gone", func() bool { return s.Sessions() == 1 })
	if _, err := connect(t, s); err != nil {
		t.Error(err)
	}
}

func TestEndpoints(t *testing.T) {
	s := start(t, func(s *Server) { s.Domain = "example.test" })
	agent, err := connect(t, s)
	if err != nil {
		t.Fatal(err)
	}
	bind := func(o ...ngrok.EndpointOption) (string, error) {
		ln, err := agent.Listen(t.Context(), o...)
		if err != nil {
			return "", err
		}
		return ln.URL().String(), nil
	}
	any1, err := bind()
	if err != nil || !strings.HasPrefix(any1, "https://") || !strings.HasSuffix(any1, ".example.test") {
		t.Errorf("%s, %v", any1, err)
	}
	if any2, err := bind(); err != nil || any2 == any1 {
		t.Errorf("%s, %v; another is %s", any2, err, any1)
	}
	if got, err := bind(ngrok.WithURL("https://A.example:443"), ngrok.WithTrafficPolicy("p"), ngrok.WithMetadata("m")); err != nil || got != "https://a.example" {
		t.Errorf("%s, %v", got, err)
	}
	_, err = bind(ngrok.WithURL("https://a.example"))
	wantText(t, err, "The endpoint 'https://a.example' is already online. Either\n1. stop")
	wantText(t, err, "ERR_NGROK_334")
	_, err = bind(ngrok.WithURL("https://a.example"), ngrok.WithPoolingEnabled(true))
	wantText(t, err, "ERR_NGROK_334")
	s.HandleBind(func(_ context.Context, b Bind) string { return ErrorText("Not "+b.Opts.URL, "ERR_NGROK_2") })
	_, err = bind(ngrok.WithURL("https://b.example"))
	wantText(t, err, "Not https://b.example")
	s.HandleBind(nil)
	if binds := s.Binds(); binds[2].Opts.TrafficPolicy != "p" || binds[2].Extra.Metadata != "m" {
		t.Errorf("bind %+v", binds[2])
	}
}

func TestEndpointsGoOffline(t *testing.T) {
	s := start(t)
	ln := listen(t, s, ngrok.WithURL("https://a.example"))
	if got := s.Endpoints(); len(got) != 1 || got[0] != "https://a.example" {
		t.Errorf("online: %q", got)
	}
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Dial(t.Context(), "https://a.example"); !errors.Is(err, ErrOffline) || s.Sessions() != 1 {
		t.Errorf("%v, %d sessions", err, s.Sessions())
	}
	if err := s.StopTunnel("https://a.example", "", ""); !errors.Is(err, ErrOffline) {
		t.Error(err)
	}
}

func TestPool(t *testing.T) {
	s := start(t)
	for _, name := range []string{"a", "b", "c"} {
		serve(t, listen(t, s, ngrok.WithURL("https://p.example"), ngrok.WithPoolingEnabled(true)), func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, name)
		})
	}
	if got := s.Endpoints(); len(got) != 3 {
		t.Errorf("online: %q", got)
	}
	seen := ""
	for range 6 {
		client := s.Client()
		res, err := client.Get("https://p.example")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		seen += string(body)
		client.CloseIdleConnections()
	}
	if seen != "abcabc" {
		t.Errorf("the visitors met %s", seen)
	}
}

func TestDial(t *testing.T) {
	s := start(t)
	ln := listen(t, s)
	theirs, err := s.DialFrom(t.Context(), ln.URL().String(), "198.51.100.1:7")
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	ours, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if ours.RemoteAddr().String() != "198.51.100.1:7" || theirs.LocalAddr().String() != "198.51.100.1:7" || theirs.RemoteAddr().String() != ln.URL().Host {
		t.Errorf("addresses %v, %v, %v", ours.RemoteAddr(), theirs.LocalAddr(), theirs.RemoteAddr())
	}
	_, _ = io.WriteString(theirs, "\x00\xff GET")
	_ = theirs.CloseWrite()
	if got, err := io.ReadAll(ours); string(got) != "\x00\xff GET" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	_, _ = io.WriteString(ours, "back")
	_ = ours.Close()
	if got, err := io.ReadAll(theirs); string(got) != "back" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := theirs.SetWriteDeadline(time.Now()); !errors.Is(err, os.ErrNoDeadline) {
		t.Errorf("SetWriteDeadline: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Dial(gone, ln.URL().String()); !errors.Is(err, context.Canceled) {
		t.Errorf("dial with a context that has ended: %v", err)
	}
}

func TestReconnect(t *testing.T) {
	s := start(t)
	up := make(chan struct{}, 16)
	agent, err := connect(t, s, ngrok.WithEventHandler(func(ev ngrok.Event) {
		if ev.EventType() == ngrok.EventTypeAgentConnectSucceeded {
			up <- struct{}{}
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	<-up
	ln, err := agent.Listen(context.Background(), ngrok.WithTrafficPolicy("p"))
	if err != nil {
		t.Fatal(err)
	}
	s.DropSessions()
	<-up
	if got := s.Endpoints(); len(got) != 1 || got[0] != ln.URL().String() {
		t.Errorf("online: %q, want %s", got, ln.URL())
	}
	if again := s.Binds()[1]; again.Opts.TrafficPolicy != "p" || s.Auths()[1].ClientID == "" || s.Auths()[1].Extra.Cookie == "" {
		t.Errorf("bind %+v, authentication %+v", again, s.Auths()[1])
	}
	s.ReassignURL()
	s.DropSessions()
	<-up
	if got := s.Endpoints(); len(got) != 1 || got[0] == ln.URL().String() {
		t.Errorf("online: %q, want another than %s", got, ln.URL())
	}
	if s.Sessions() != 1 {
		t.Errorf("%d sessions", s.Sessions())
	}
}

func TestModes(t *testing.T) {
	read := func(c net.Conn) (string, error) {
		_ = c.SetDeadline(time.Now().Add(50 * time.Millisecond))
		_, _ = io.WriteString(c, "x")
		got, err := io.ReadAll(c)
		return string(got), err
	}
	tests := []struct {
		mode   Mode
		secure bool
		silent bool
		want   string
	}{
		{HangUp, false, false, ""},
		{Silent, false, true, ""},
		{Deaf, true, true, ""},
		{PlainText, false, false, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"},
	}
	s := start(t)
	for _, test := range tests {
		s.SetMode(test.mode)
		c, err := net.Dial("tcp", s.ConnectURL())
		if err != nil {
			t.Fatal(err)
		}
		if test.secure {
			c = tls.Client(c, &tls.Config{RootCAs: s.CertPool(), ServerName: "127.0.0.1"})
		}
		got, err := read(c)
		if got != test.want || errors.Is(err, os.ErrDeadlineExceeded) != test.silent {
			t.Errorf("%s: %q, %v", test.mode, got, err)
		}
		_ = c.Close()
		eventually(t, "the connection is gone", func() bool { return s.Connections() == 0 })
	}
	s.SetMode(Refuse)
	s.SetMode(Refuse)
	if _, err := net.Dial("tcp", s.ConnectURL()); err == nil {
		t.Error("the connection is not refused")
	}
	s.SetMode(Serve)
	if _, err := connect(t, s); err != nil {
		t.Error(err)
	}
}

func TestModeBeforeTheStart(t *testing.T) {
	s := NewUnstartedServer()
	s.SetMode(Silent)
	s.SetMode(Refuse)
	s.Start()
	defer s.Close()
	if _, err := net.Dial("tcp", s.ConnectURL()); err == nil {
		t.Error("the connection is not refused")
	}
	s.SetMode(Serve)
	if _, err := connect(t, s); err != nil {
		t.Error(err)
	}
}

func TestBlackhole(t *testing.T) {
	s := start(t)
	ln := listen(t, s)
	s.Blackhole()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Dial(ctx, ln.URL().String()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if s.Sessions() != 1 {
		t.Error("the session has ended")
	}
}

func TestStop(t *testing.T) {
	s := start(t)
	var asked []string
	agent, err := connect(t, s, ngrok.WithRPCHandler(func(_ context.Context, _ ngrok.AgentSession, r rpc.Request) ([]byte, error) {
		asked = append(asked, r.Method())
		if r.Method() == rpc.StopAgentMethod {
			return nil, nil
		}
		return nil, errors.New("I will not")
	}))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := agent.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, s.RestartAgent(t.Context()), "the agent answered: I will not")
	wantText(t, s.UpdateAgent(t.Context()), "I will not")
	if err := s.StopTunnel(ln.URL().String(), "Enough.", "ERR_NGROK_77"); err != nil {
		t.Fatal(err)
	}
	_, err = ln.Accept()
	wantText(t, err, "Enough.")
	if err := s.StopAgent(t.Context()); err != nil {
		t.Error(err)
	}
	eventually(t, "the session is over", func() bool { return s.Sessions() == 0 })
	if got := fmt.Sprint(asked); got != "[RestartAgent UpdateAgent StopAgent]" {
		t.Errorf("asked for %s", got)
	}
}

func TestOnlyTheNewestMessagesAreKept(t *testing.T) {
	var list []int
	for i := range 2 * keep {
		list = remember(list, i)
	}
	if len(list) != keep || list[0] != keep || list[keep-1] != 2*keep-1 {
		t.Errorf("%d are kept, from %d to %d", len(list), list[0], list[len(list)-1])
	}
}

func TestCertificate(t *testing.T) {
	s := start(t)
	path, err := s.CertFile(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != string(s.CertPEM()) {
		t.Errorf("%v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate")
	}
	for _, name := range []string{"127.0.0.1", "::1", "localhost"} {
		c, err := tls.Dial("tcp", s.ConnectURL(), &tls.Config{RootCAs: pool, ServerName: name})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = c.Close()
	}
	if _, err := s.CertFile(path); err == nil {
		t.Error("a directory that is none: no error")
	}
}

func TestCloseEndsEverything(t *testing.T) {
	s := NewServer()
	listen(t, s)
	s.HandleAuth(func(ctx context.Context, _ Auth) string {
		<-ctx.Done()
		return "late"
	})
	waiting := make(chan struct{})
	go func() {
		defer close(waiting)
		_, _ = connect(t, s)
	}()
	eventually(t, "it is asked", func() bool { return len(s.Auths()) == 2 })
	s.Close()
	s.Close()
	<-waiting
	if s.Sessions() != 0 || s.Connections() != 0 || len(s.Endpoints()) != 0 {
		t.Errorf("%d sessions, %d connections, %q", s.Sessions(), s.Connections(), s.Endpoints())
	}
	s.SetMode(Refuse)
	s.SetMode(Serve)
	if _, err := net.Dial("tcp", s.ConnectURL()); err == nil {
		t.Error("it can still be reached")
	}
}
