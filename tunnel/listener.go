package tunnel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	"golang.ngrok.com/ngrok/v2"
)

const (
	// backlog is how many connections wait for Accept. More are closed.
	backlog = 1024
	// farewell is how long the last words to the service may take, each.
	farewell = time.Second
)

// An ngrokListener is a tunnel through ngrok. Once it is open, two goroutines
// belong to it: pump, which takes connections from the SDK as fast as it gives
// them, because its tunnel cannot be closed while one waits there, and run,
// which ends everything in order.
type ngrokListener struct {
	cfg    *config
	lim    limits
	dialer *serviceDialer
	agent  ngrok.Agent
	ctx    context.Context // of the SDK's session
	cancel context.CancelFunc
	sdk    ngrok.EndpointListener // set once open

	gate   *gate
	events *mailbox
	notes  chan note // what the SDK tells until the tunnel is open
	queue  chan net.Conn

	stopping chan struct{} // closed when the end begins
	quiet    chan struct{} // closed when the intake has stopped
	idle     chan struct{} // closed when no connection is left, after that
	lost     chan struct{} // closed when the session is gone, after that
	pumped   chan struct{} // closed when pump has ended
	done     chan struct{} // closed when run has ended
	closed   chan struct{} // closed by Close

	closeOnce sync.Once

	telling sync.Mutex // keeps what the SDK tells in order; taken before mu
	isOpen  bool       // guarded by telling

	mu       sync.Mutex // guards what follows
	ending   bool
	cause    *Error // why it ends; nil: Close
	stopped  bool   // by the service, which waits for an answer
	isLost   bool
	conns    int
	released time.Time // when the last of them ended
	url      *url.URL
	answered string // URL in the newest answer to a bind
	state    State
	trouble  string // text of the newest Reconnecting event
}

// opened makes the listener one, with ln of the SDK.
func (l *ngrokListener) opened(ln ngrok.EndpointListener) error {
	u := publicURL(ln.URL().String())
	if u == nil {
		return &Error{Text: "the ngrok service gave no URL", Hint: hintFor("")}
	}
	l.telling.Lock()
	defer l.telling.Unlock()
	l.mu.Lock()
	l.sdk, l.url, l.state = ln, u, Connected
	l.post(nil)
	l.mu.Unlock()
	l.isOpen = true
	go l.pump()
	go l.run()
	var newest note // of what was told meanwhile
	for {
		select {
		case newest = <-l.notes:
			continue
		default:
		}
		break
	}
	if newest.err != nil {
		l.noted(newest)
	}
	return nil
}

// post tells of the present state. The caller holds l.mu.
func (l *ngrokListener) post(err error) {
	l.events.post(Event{At: time.Now(), State: l.state, URL: clone(l.url), Err: err})
}

func (l *ngrokListener) Events() <-chan Event { return l.events.ch }

func (l *ngrokListener) URL() *url.URL {
	l.mu.Lock()
	defer l.mu.Unlock()
	return clone(l.url)
}

// Addr is the host of the URL.
func (l *ngrokListener) Addr() net.Addr { return publicAddr(l.URL().Host) }

// publicAddr is HOST[:PORT].
type publicAddr string

func (a publicAddr) Network() string { return "tcp" }
func (a publicAddr) String() string  { return string(a) }

// pump moves connections from the SDK to the queue until its tunnel closes.
func (l *ngrokListener) pump() {
	defer close(l.pumped)
	defer l.gate.end()
	for {
		c, err := l.sdk.Accept()
		if err != nil {
			l.end(l.closedBy(err))
			return
		}
		l.gate.leave()
		l.take(c)
	}
}

// closedBy says why the SDK's Accept failed, if it was not our doing.
func (l *ngrokListener) closedBy(err error) *Error {
	if text, code, ok := serviceError(err); ok {
		return l.cfg.fromService(text, code, err)
	}
	return &Error{Text: "the ngrok service closed the tunnel", Hint: startAgain, Err: l.cfg.safe(err)}
}

// take queues c, a connection of the SDK.
func (l *ngrokListener) take(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		go c.Close()
		return
	}
	l.conns++
	conn := newConn(c, l.release)
	select {
	case l.queue <- conn:
	default:
		_ = conn.Close()
	}
}

// release is called by each connection at its end.
func (l *ngrokListener) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released = time.Now()
	if l.conns--; l.conns == 0 && l.ending {
		close(l.idle)
	}
}

func (l *ngrokListener) Accept() (net.Conn, error) {
	errClosed := fmt.Errorf("accept from the tunnel: %w", net.ErrClosed)
	select {
	case <-l.closed:
		return nil, errClosed
	default:
	}
	select {
	case <-l.closed:
		return nil, errClosed
	case c := <-l.queue:
		return c, nil
	case <-l.stopping:
	}
	select { // what came before the end
	case c := <-l.queue:
		return c, nil
	default:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cause == nil {
		return nil, errClosed
	}
	return nil, l.cause
}

// end begins the end, for a reason: nil is Close. Only the first call counts.
func (l *ngrokListener) end(cause *Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		return
	}
	l.ending, l.cause = true, cause
	l.dialer.refuse() // or the SDK would bring the URL back online
	if l.conns == 0 {
		close(l.idle)
	}
	if l.state == Reconnecting {
		l.lose()
	}
	if cause != nil && l.url != nil {
		l.state = Closed
		l.post(cause)
	}
	close(l.stopping)
}

var errNotForRemote = errors.New("devhook does not restart or update itself at the service's request")

// stop is the end at the service's request.
func (l *ngrokListener) stop() {
	l.mu.Lock()
	l.stopped = true
	l.mu.Unlock()
	l.end(&Error{
		Text: "the ngrok service stopped this agent, at the request of somebody with access to the account",
		Hint: startAgain + "; see https://dashboard.ngrok.com/agents",
	})
}

// Close stops the intake, and waits for the end if no connection is left.
func (l *ngrokListener) Close() error {
	l.closeOnce.Do(func() { close(l.closed) })
	l.end(nil)
	l.discard()
	<-l.quiet
	select {
	case <-l.idle:
		<-l.done
	default:
	}
	return nil
}

// discard closes the connections that nobody accepted.
func (l *ngrokListener) discard() {
	for {
		select {
		case c := <-l.queue:
			_ = c.Close()
		default:
			return
		}
	}
}

// run waits for the end and brings it about: no new connections, the last of
// the old ones, the session, the channel of events.
func (l *ngrokListener) run() {
	defer close(l.done)
	<-l.stopping
	l.mu.Lock()
	online, stopped := l.cause == nil && l.state == Connected, l.stopped
	l.mu.Unlock()
	if online {
		l.gate.close()
		await(l.lim.goodbye, func() { _ = l.sdk.Close() })
	}
	close(l.quiet)
	if stopped {
		await(farewell, func() { <-l.lost }) // the SDK closes the session when it has answered
	}
	select {
	case <-l.idle:
	case <-l.lost:
	}
	l.mu.Lock()
	left := time.Until(l.released.Add(l.lim.rest))
	l.mu.Unlock()
	await(left, func() { <-l.lost })
	l.disconnect()
	l.cancel()
	l.dialer.close()
	l.gate.drain()
	await(farewell, func() { _ = l.sdk.Close() })
	await(farewell, func() { <-l.pumped })
	l.events.close()
}

// disconnect says goodbye to the service and closes the session.
func (l *ngrokListener) disconnect() {
	await(farewell, func() { _ = l.agent.Disconnect() })
}

// await runs f and waits for it, but no longer than limit; f ends later then.
func await(limit time.Duration, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
	}
}
