package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"devhook/tunnel/ngroktest"

	"github.com/rogpeppe/go-internal/testscript"
)

// service returns the ngrok service of a script, which starts when it is first
// asked for.
func service(ts *testscript.TestScript) *ngroktest.Server {
	if s, ok := ts.Value(serviceKey{}).(*serviceHolder); ok {
		if s.srv == nil {
			s.srv = ngroktest.NewUnstartedServer()
		}
		return s.srv
	}
	ts.Fatalf("no service")
	return nil
}

type serviceKey struct{}

type serviceHolder struct{ srv *ngroktest.Server }

func (h *serviceHolder) close() {
	if h.srv != nil {
		h.srv.Close()
	}
}

// cmdNgrok is the command ngrok of scripts: the far side of the tunnel.
//
//	ngrok start                start it, and set the variables that lead devhook to it
//	ngrok mode MODE            refuse, silent, "plain text" …; see ngroktest.Mode
//	ngrok limit                allow one session; before start
//	ngrok drop                 cut the connections of all agents
//	ngrok reassign             give the next endpoint another URL
//	ngrok stop-agent | stop-tunnel URL MESSAGE CODE
//	ngrok online N             wait until N endpoints are online
//	ngrok bound FILE           write what the last endpoint asked for to a file
func cmdNgrok(ts *testscript.TestScript, neg bool, args []string) {
	srv := service(ts)
	switch args[0] {
	case "start":
		srv.Start()
		cert, err := srv.CertFile(ts.Getenv("WORK"))
		ts.Check(err)
		ts.Setenv("NGROK_AUTHTOKEN", ngroktest.Authtoken)
		ts.Setenv("DEVHOOK_NGROK_CONNECT_URL", srv.ConnectURL())
		ts.Setenv("DEVHOOK_NGROK_CONNECT_CAS", cert)
		edge, err := srv.Edge()
		ts.Check(err)
		ts.Setenv("EDGE", edge.String())
	case "mode":
		srv.SetMode(ngroktest.Mode(args[1]))
	case "drop":
		srv.DropSessions()
	case "reassign":
		srv.ReassignURL()
	case "limit":
		srv.MaxSessions = 1
	case "stop-agent":
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		ts.Check(srv.StopAgent(ctx))
	case "stop-tunnel":
		ts.Check(srv.StopTunnel(args[1], args[2], args[3]))
	case "online":
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if strings.Repeat("x", len(srv.Endpoints())) == strings.Repeat("x", int(args[1][0]-'0')) {
				return
			}
		}
		ts.Fatalf("online: %v", srv.Endpoints())
	case "bound":
		binds := srv.Binds()
		b := binds[len(binds)-1]
		text := strings.Join([]string{b.Opts.URL, b.Opts.TrafficPolicy, b.Extra.Name, b.Extra.Description, b.Extra.Metadata}, "\n")
		if b.Extra.PoolingEnabled {
			text += "\npooling"
		}
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text+"\n"), 0o600))
	default:
		ts.Fatalf("ngrok %v?", args)
	}
}

// transportFor reaches URLs of the service through it, and all others directly.
func transportFor(ts *testscript.TestScript, host string) http.RoundTripper {
	if strings.HasSuffix(host, ".ngrok.test") {
		return service(ts).Client().Transport
	}
	return http.DefaultTransport
}

// setupService gives a script its service.
func setupService(e *testscript.Env) {
	h := &serviceHolder{}
	e.Values[serviceKey{}] = h
	e.Defer(h.close)
	e.Setenv("LOCALAPPDATA", filepath.Join(e.WorkDir, "home"))
}
