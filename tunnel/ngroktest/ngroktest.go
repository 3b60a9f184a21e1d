// Package ngroktest runs an ngrok service on the loopback interface, for tests
// of programs that use the ngrok Go SDK, as [net/http/httptest] does for HTTP
// clients.
//
// It speaks the protocol that agents speak, so that the real SDK connects to
// it, and it plays the part of ngrok's edge: it hands connections to the agent
// that is online with a URL. What the endpoints do with their options (traffic
// policies, say) is left to the real service; a [Server] only records them.
//
// # Usage
//
// Point the SDK at the server, and use a client of the server to reach what
// the SDK serves:
//
//	srv := ngroktest.NewServer()
//	defer srv.Close()
//	agent, err := ngrok.NewAgent(
//		ngrok.WithAuthtoken(ngroktest.Authtoken),
//		ngrok.WithAgentConnectURL(srv.ConnectURL()),
//		ngrok.WithAgentConnectCAs(srv.CertPool()))
//	...
//	ln, err := agent.Listen(ctx)
//	...
//	res, err := srv.Client().Get(ln.URL().String())
//
// [Server.Dial] gives the raw bytes of one connection instead, and
// [Server.ServeEdge] a TCP port for curl and browsers. For use by hand,
// [Server.CertFile] writes the certificate to a file that an agent can trust.
//
// # Trouble
//
// A service is most worth a test when it fails. [Server.SetMode] decides how
// the server treats new connections of agents (refuse, stay silent, hang up …);
// [Server.DropSessions], [Server.Blackhole], [Server.StopAgent] and
// [Server.StopTunnel] trouble those that are connected; [Server.HandleAuth] and
// [Server.HandleBind] refuse or delay single requests.
//
// # Concurrency
//
// All methods may be called at the same time from several goroutines.
package ngroktest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Authtoken has the form of an authtoken of ngrok. A [Server] accepts it unless
// its Authtokens say otherwise.
const Authtoken = "2ngroktestNgroktestNgroktest_5NgroktestNgroktestN"

// A Server is an ngrok service on the loopback interface. Make one with
// [NewServer] or [NewUnstartedServer], and Close it.
type Server struct {
	// Authtokens are those the server accepts. None: any of the right form.
	// May be set before Start.
	Authtokens []string
	// MaxSessions is how many sessions an authtoken may have at a time. 0: any
	// number. May be set before Start.
	MaxSessions int
	// Domain is where the URLs lie that the server assigns; "ngrok.test" if
	// empty. May be set before Start.
	Domain string

	cert *certificate
	addr string         // host:port, once started
	wg   sync.WaitGroup // of all goroutines
	done chan struct{}  // closed by Close

	mu         sync.Mutex // guards what follows
	mode       Mode
	ln         net.Listener        // nil while refusing
	open       map[*cable]struct{} // all connections, of agents and at the edge
	sessions   map[*session]struct{}
	endpoints  map[string][]*endpoint // by URL; more than one if pooled
	tokens     map[string]string      // of a bind, to the URL it had
	reassign   bool
	handleAuth AuthFunc
	handleBind BindFunc
	auths      []Auth
	binds      []Bind
	closed     bool
}

// NewServer starts and returns a new Server. The caller closes it.
func NewServer() *Server {
	s := NewUnstartedServer()
	s.Start()
	return s
}

// NewUnstartedServer returns a new Server whose fields can be set before
// [Server.Start].
func NewUnstartedServer() *Server {
	return &Server{
		done:      make(chan struct{}),
		open:      make(map[*cable]struct{}),
		sessions:  make(map[*session]struct{}),
		endpoints: make(map[string][]*endpoint),
		tokens:    make(map[string]string),
	}
}

// Start starts a server from [NewUnstartedServer]. It panics if the server was
// started already, or if there is no loopback interface.
func (s *Server) Start() {
	if s.addr != "" {
		panic("ngroktest: server already started")
	}
	cert, err := newCertificate()
	if err != nil {
		panic("ngroktest: make a certificate: " + err.Error())
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("ngroktest: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cert = cert
	s.addr = ln.Addr().String()
	if s.mode == Refuse {
		_ = ln.Close()
		return
	}
	s.serve(ln)
}

// serve accepts agents from ln. The caller holds s.mu.
func (s *Server) serve(ln net.Listener) {
	s.ln = ln
	s.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				if errors.Is(err, net.ErrClosed) {
					return
				}
				time.Sleep(10 * time.Millisecond) // out of descriptors, for example
				continue
			}
			s.goWith(c, s.meet)
		}
	})
}

// meet treats c, a new connection of an agent, as the mode demands.
func (s *Server) meet(c *cable) {
	switch s.Mode() {
	case HangUp:
	case Silent:
		_, _ = io.Copy(io.Discard, c)
	case PlainText:
		_, _ = c.Read(make([]byte, 1))
		_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
	case Deaf:
		_, _ = io.Copy(io.Discard, tls.Server(c, s.cert.config()))
	default:
		s.runSession(c)
	}
}

// Close cuts all connections, and returns once everything the server started
// has ended. A handler that was set must return when its context ends.
func (s *Server) Close() {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
		if s.ln != nil {
			_ = s.ln.Close()
		}
		for c := range s.open {
			_ = c.Close()
		}
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// ConnectURL returns the address that agents connect to, as HOST:PORT.
func (s *Server) ConnectURL() string { return s.addr }

// goWith runs f with c in a goroutine of the server, and closes c after it.
func (s *Server) goWith(c net.Conn, f func(*cable)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return
	}
	wire := newCable(c)
	s.open[wire] = struct{}{}
	s.wg.Go(func() {
		defer func() {
			_ = wire.Close()
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.open, wire)
		}()
		f(wire)
	})
}

// listenAgain makes the server reachable after [Refuse]. Something else can
// have taken the port meanwhile; then it panics, as a test can do no better.
// The caller holds s.mu.
func (s *Server) listenAgain() {
	var err error
	for range 50 {
		var ln net.Listener
		if ln, err = net.Listen("tcp", s.addr); err == nil {
			s.serve(ln)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	panic(fmt.Sprintf("ngroktest: resume: %v", err))
}
