package ngroktest

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.ngrok.com/ngrok/v2"
)

const patience = 30 * time.Second

// start starts a server after setUp, and closes it at the end of the test.
func start(t *testing.T, setUp ...func(*Server)) *Server {
	t.Helper()
	s := NewUnstartedServer()
	for _, f := range setUp {
		f(s)
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// connect connects an agent to s, until the end of the test. It gives up at the
// first error.
func connect(t *testing.T, s *Server, more ...ngrok.AgentOption) (ngrok.Agent, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	failed := make(chan error, 16)
	connected := make(chan struct{})
	agent, err := ngrok.NewAgent(append([]ngrok.AgentOption{
		ngrok.WithAuthtoken(Authtoken),
		ngrok.WithAgentConnectURL(s.ConnectURL()),
		ngrok.WithAgentConnectCAs(s.CertPool()),
		ngrok.WithLogger(slog.New(slog.DiscardHandler)),
		ngrok.WithEventHandler(func(ev ngrok.Event) {
			if ev, ok := ev.(*ngrok.EventAgentDisconnected); ok && ev.Error != nil {
				select {
				case failed <- ev.Error:
				default:
				}
			}
		}),
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if agent.Connect(ctx) == nil {
			close(connected)
		}
	}()
	select {
	case <-connected:
		t.Cleanup(func() { _ = agent.Disconnect() })
		return agent, nil
	case err := <-failed:
		cancel()
		return nil, err
	case <-time.After(patience):
		t.Fatal("no agent, and no error")
	}
	panic("unreachable")
}

// listen brings an endpoint online.
func listen(t *testing.T, s *Server, o ...ngrok.EndpointOption) ngrok.EndpointListener {
	t.Helper()
	agent, err := connect(t, s)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := agent.Listen(context.Background(), o...)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// serve runs an HTTP server on ln until the end of the test.
func serve(t *testing.T, ln ngrok.EndpointListener, h http.HandlerFunc) {
	t.Helper()
	hs := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = hs.Serve(ln) }()
	t.Cleanup(func() { _ = hs.Close() })
}

// wantText fails unless err has the text, as the service words it.
func wantText(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want %q in it", err, text)
	}
}

// eventually waits until f returns true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("it does not happen: %s", what)
		}
	}
}
