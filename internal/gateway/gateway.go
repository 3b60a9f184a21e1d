// Package gateway is the corridor that every webhook goes through: verify,
// record, forward, record.
//
// There are two doors to it: [Gateway.Serve] for what comes in through a tunnel
// or a port, and [Gateway.Send] for what devhook sends itself. It tells nobody
// what happens; who wants to know follows the store.
package gateway

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"devhook/recorder"
	"devhook/verify"
)

// A Gateway takes webhooks in. Make one with [New]. It is safe for concurrent
// use.
type Gateway struct {
	o      Options
	routes atomic.Pointer[Routes]
	work   sync.WaitGroup  // deliveries under way, also of connections that were taken over
	ending context.Context // ends when streams are to end
	end    context.CancelFunc
	large  chan struct{} // held while a large body is in memory
	mirror chan struct{} // held while a copy is on its way

	conns      conns
	diagnoses  budget
	awaited    awaited
	trouble    trouble
	copies     copies // that wait for room in mirror
	malformed  atomic.Int64
	unrecorded atomic.Int64
	deliveries deliveries
}

// Options are what a [Gateway] works with. Store is needed; the zero value of
// the others will do.
type Options struct {
	Store *recorder.Store
	// Transport reaches the apps; nil means newAppTransport.
	Transport http.RoundTripper
	// HostHeader is what an app sees as Host: "rewrite", its own; "preserve",
	// what the sender asked for; or any other value as it is. "" is rewrite.
	HostHeader string
	// MaxBody is the largest body in bytes that is taken, of requests, and
	// kept, of responses; 0 means 256 MB.
	MaxBody int64
	// TakeSecret keeps a secret that a provider has handed over; see
	// [Gateway.Await]. It is called before the provider has its answer. Nil
	// takes none.
	TakeSecret func(id, secret string) error
	// Confirm visits the URL that a valid message names to have something
	// confirmed, as a subscription. Nil visits none: the message is for the app.
	Confirm verify.Fetcher
	// Judge verifies what [Gateway.Send] sends where the keys of its provider are with
	// another process; ok is false if that does not tell. Nil asks nobody.
	Judge func(provider string, req *recorder.Request, at time.Time) (v verify.Verdict, ok bool)
	Log   *slog.Logger     // nil: nobody is told
	Now   func() time.Time // nil: time.Now
}

// defaultMaxBody is the largest body in bytes that is taken.
const defaultMaxBody = 256_000_000

// New returns a gateway that sends webhooks where rt says.
func New(o Options, rt *Routes) *Gateway {
	if o.Transport == nil {
		o.Transport = newAppTransport()
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := &Gateway{
		o:      o,
		large:  make(chan struct{}, 2), // 64 MiB in all
		mirror: make(chan struct{}, 64),
	}
	g.ending, g.end = context.WithCancel(context.Background())
	g.routes.Store(rt)
	return g
}

// Routes returns where webhooks go now. It must not be changed.
func (g *Gateway) Routes() *Routes { return g.routes.Load() }

// SetRoutes has the webhooks that come from now on go where rt says.
func (g *Gateway) SetRoutes(rt *Routes) { g.routes.Store(rt) }

// Malformed returns how many requests were no HTTP, or broke off before their
// end. They are not recorded, because there is nothing whole to record.
func (g *Gateway) Malformed() int64 { return g.malformed.Load() }

// NotRecorded returns how many senders were told to try again because the
// store did not take what they sent.
func (g *Gateway) NotRecorded() int64 { return g.unrecorded.Load() }

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
	// unusedTime is how long a connection that has sent nothing may still do
	// so when the gateway ends.
	unusedTime = 200 * time.Millisecond
)

// Serve takes requests in by d until ctx ends, and then answers those that are
// under way; it returns nil then. If the listener fails before, it returns that
// error at once; what is under way goes on, and Wait waits for it. The listener
// is closed.
func (g *Gateway) Serve(ctx context.Context, d Door) error {
	type connKey struct{}
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := r.Context().Value(connKey{}).(*conn)
			c.handled.Add(1)
			g.work.Add(1)
			defer g.work.Done()
			g.serve(w, r, c, d)
		}),
		DisableGeneralOptionsHandler: true, // or OPTIONS * would not be seen
		ReadHeaderTimeout:            headerTimeout,
		IdleTimeout:                  idleTimeout,
		ErrorLog:                     log.New(serverLog{g.o.Log}, "", 0),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			own := c.(*conn)
			switch state {
			case http.StateActive:
				own.begun.Add(1)
			case http.StateHijacked: // ended by EndStreams in its own way
				g.conns.remove(own)
			case http.StateClosed:
				g.conns.remove(own)
				if own.begun.Load() > own.handled.Load() {
					g.malformed.Add(1)
				}
			}
		},
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(connListener{d.Listener, &g.conns}) }()
	select {
	case err := <-served: // requests under way go on
		srv.SetKeepAlivesEnabled(false)
		return err
	case <-ctx.Done():
	}
	// Shutdown comes last, as net/http drops a request without a word that it has read since.
	d.Listener.Close()
	<-served // so that all connections are known
	srv.SetKeepAlivesEnabled(false)
	g.conns.awaitFirst(unusedTime)
	return srv.Shutdown(context.Background())
}

// A serverLog takes what net/http has to say: mostly of senders that speak no
// HTTP, which are counted, and rarely of what is wrong here.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Write(text []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.HasPrefix(text, []byte("http: panic")) || bytes.HasPrefix(text, []byte("http: Accept error")) {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, string(bytes.TrimSpace(text)))
	return len(text), nil
}

// EndStreams cuts the connections that would go on for ever: WebSockets, and
// answers whose end is not known. Copies are not waited for any longer. Senders
// who are in the middle of sending or reading have 3 s left.
func (g *Gateway) EndStreams() {
	g.end()
	g.conns.each((*conn).end)
}

// Wait returns when nothing is under way any more. New requests must not come
// in meanwhile.
func (g *Gateway) Wait() { g.work.Wait() }
