// Package gateway is the corridor that every webhook goes through: verify,
// record, forward, record.
//
// There is one way in it, deliver, and one door to it so far: [Gateway.Serve]
// for what comes in through a tunnel or a port. It tells nobody what happens;
// who wants to know follows the store.
package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"devhook/recorder"
)

// A Gateway takes webhooks in. Make one with [New]. It is safe for concurrent
// use.
type Gateway struct {
	o      Options
	routes atomic.Pointer[Routes]
	work   sync.WaitGroup // deliveries under way, also of connections that were taken over
	ending chan struct{}  // closed when streams are to end
	large  chan struct{}  // held while a large body is in memory
	mirror chan struct{}  // held while a copy is on its way

	waiting   atomic.Int64 // copies that wait for room in mirror
	malformed atomic.Int64
}

// Options are what a [Gateway] works with. Store is needed; the zero value of
// the others will do.
type Options struct {
	Store *recorder.Store
	// Transport reaches the apps; nil means [NewTransport].
	Transport http.RoundTripper
	// HostHeader is what an app sees as Host: "rewrite", its own; "preserve",
	// what the sender asked for; or any other value as it is. "" is rewrite.
	HostHeader string
	// MaxBody is the largest body in bytes that is taken, of requests, and
	// kept, of responses; 0 means [DefaultMaxBody].
	MaxBody int64
	Log     *slog.Logger     // nil: nobody is told
	Now     func() time.Time // nil: time.Now
}

// DefaultMaxBody is the largest body in bytes that is taken.
const DefaultMaxBody = 256_000_000

// New returns a gateway that sends webhooks where rt says.
func New(o Options, rt *Routes) *Gateway {
	if o.Transport == nil {
		o.Transport = NewTransport()
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &Gateway{
		o: o, ending: make(chan struct{}),
		large:  make(chan struct{}, 2), // 64 MiB in all
		mirror: make(chan struct{}, 64),
	}
	g.routes.Store(rt)
	return g
}

// SetRoutes has the webhooks that come from now on go where rt says.
func (g *Gateway) SetRoutes(rt *Routes) { g.routes.Store(rt) }

// Malformed returns how many requests were no HTTP, or broke off before their
// end. They are not recorded, because there is nothing whole to record.
func (g *Gateway) Malformed() int64 { return g.malformed.Load() }

// A Door is one way by which requests come in.
type Door struct {
	Listener net.Listener
	// URL returns how senders address the door; of it, the scheme counts.
	URL func() *url.URL
	// Forwarded says that the X-Forwarded headers of a request are set by
	// the door itself. Otherwise they are a sender's claim, and replaced.
	Forwarded bool
}

const (
	headerTimeout = 30 * time.Second // for a sender to send its headers
	idleTimeout   = 2 * time.Minute  // between two requests of one connection
)

// Serve takes requests in by d until ctx ends, and then answers those that are
// under way; it returns nil then. If the listener fails before, it returns that
// error at once; what is under way goes on, and Wait waits for it. The listener
// is closed.
func (g *Gateway) Serve(ctx context.Context, d Door) error {
	type connKey struct{}
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if c, ok := r.Context().Value(connKey{}).(*countedConn); ok {
				c.handled++
			}
			g.work.Add(1)
			defer g.work.Done()
			g.serve(w, r, d)
		}),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(g.o.Log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			cc, ok := c.(*countedConn)
			if !ok {
				return
			}
			switch state {
			case http.StateActive:
				cc.begun++
			case http.StateClosed:
				if cc.begun > cc.handled {
					g.malformed.Add(1)
				}
			}
		},
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(countingListener{d.Listener}) }()
	select {
	case err := <-served: // requests under way go on
		srv.SetKeepAlivesEnabled(false)
		return err
	case <-ctx.Done():
	}
	err := srv.Shutdown(context.Background())
	if served := <-served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if errors.Is(err, net.ErrClosed) { // some listeners mind being closed twice
		err = nil
	}
	return err
}

// A countedConn knows how many requests began on it and how many of them were
// whole enough to be handled. net/http answers the others itself and tells
// nobody.
type countedConn struct {
	net.Conn
	begun, handled int // in turn by one goroutine of net/http
}

// CloseWrite ends the half of the connection that goes to the sender, if the
// connection has halves.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

type countingListener struct{ net.Listener }

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: c}, nil
}

// EndStreams cuts the connections that would go on for ever: WebSockets, and
// answers whose end is not known. It may be called once.
func (g *Gateway) EndStreams() { close(g.ending) }

// Wait returns when nothing is under way any more. New requests must not come
// in meanwhile.
func (g *Gateway) Wait() { g.work.Wait() }
