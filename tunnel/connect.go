package tunnel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.ngrok.com/ngrok/v2"
)

const (
	probeTime  = 3 * time.Second        // to look at a handshake that failed
	rebindWait = 100 * time.Millisecond // before a bind is tried again
)

// A note is what the SDK tells of its session: an error, or nil if it is
// connected.
type note struct{ err error }

// open connects and asks for a URL.
func open(ctx context.Context, c *config, lim limits) (*ngrokListener, error) {
	l, err := newListener(c, lim)
	if err != nil {
		return nil, err
	}
	o := &opening{
		l:         l,
		connected: make(chan error, 1),
		bound:     make(chan bound, 1),
		probed:    make(chan error, 1),
	}
	if err := o.run(ctx); err != nil {
		o.abort()
		return nil, err
	}
	return l, nil
}

// An opening is a listener on its way to be open.
//
// The SDK is of little help with it: it would try for ever, whatever the
// service says, and reports errors only as events.
type opening struct {
	l *ngrokListener

	connected chan error // from the SDK's Connect
	bound     chan bound // from the SDK's Listen
	probed    chan error // from the probe
	pending   int        // how many of those three are to come

	ready    bool // Connect has returned
	binding  bool // Listen has not
	probing  bool // or has probed
	away     bool // the session is not connected, as the SDK told last
	wanted   bool // a bind, once it is
	failures int
	last     *Error           // of the errors that can pass
	patience <-chan time.Time // set by the first of them
	rebind   <-chan time.Time // set while a bind is to be tried again
}

// bound is what the SDK's Listen returned.
type bound struct {
	ln  ngrok.EndpointListener
	err error
}

// run returns nil once the tunnel is open. The error is an *Error.
func (o *opening) run(ctx context.Context) error {
	l := o.l
	silence := time.NewTimer(l.lim.silence)
	defer silence.Stop()
	o.start(func() { o.connected <- l.agent.Connect(l.ctx) })
	for {
		var e *Error
		select {
		case n := <-l.notes:
			if o.away = n.err != nil; o.away {
				e = o.failed(n.err)
			} else if o.wanted {
				o.bind()
			}
		case err := <-o.connected:
			o.pending--
			o.ready = true
			if err != nil { // the session has been closed
				e, _ = l.cfg.translate(err)
				break
			}
			silence.Reset(l.lim.silence)
			o.bind()
		case b := <-o.bound:
			o.pending--
			o.binding = false
			if b.err != nil {
				e = o.failed(b.err)
				o.rebind = time.After(rebindWait)
				break
			}
			return l.opened(b.ln)
		case <-o.rebind:
			o.bind()
		case err := <-o.probed:
			o.pending--
			if err != nil {
				e, _ = l.cfg.translate(err)
			}
		case <-l.stopping:
			e = l.cause // before it was open
		case <-o.patience:
			e = o.last
		case <-silence.C:
			e = o.silent()
		case <-ctx.Done():
			return o.interrupted(ctx)
		}
		if e != nil {
			return e
		}
	}
}

// start runs f, which sends to one of the channels.
func (o *opening) start(f func()) {
	o.pending++
	go f()
}

// bind asks for the URL, once the session is connected: the SDK would also ask in one that it
// has not authenticated yet, which the service refuses for good.
func (o *opening) bind() {
	o.rebind = nil
	if o.binding || !o.ready {
		return
	}
	if o.wanted = o.away; o.away {
		return
	}
	o.binding = true
	o.start(func() {
		ln, err := o.l.agent.Listen(o.l.ctx, o.l.cfg.endpoint()...)
		o.bound <- bound{ln, err}
	})
}

// failed returns an Error if err is definite, or one too many.
func (o *opening) failed(err error) *Error {
	e, kind := o.l.cfg.translate(err)
	if kind != passing {
		return e
	}
	if o.failures++; o.failures >= o.l.lim.attempts {
		return e
	}
	if o.last = e; o.patience == nil {
		o.patience = time.After(o.l.lim.patience)
	}
	if !o.probing && !o.ready {
		o.probing = true
		o.start(func() { o.probed <- o.l.probe() })
	}
	return nil
}

// probe makes a connection of its own and returns what is wrong with its TLS;
// nil if nothing is, or if that cannot be told. Of a handshake that failed, the
// SDK often reports no more than that its session is closed.
func (l *ngrokListener) probe() error {
	ctx, cancel := context.WithTimeout(l.ctx, probeTime)
	defer cancel()
	dial := dialFunc(l.dialer.dial)
	agent, err := l.cfg.agent(dial, l.lim, l.cfg.sdkLog())
	if err != nil {
		return nil
	}
	d, ok := agent.(ngrok.Diagnoser)
	if !ok {
		return nil
	}
	_, err = d.Diagnose(ctx, "")
	if !ngrok.IsTLSDiagnoseFailure(err) || kindOf(err) == passing {
		return nil
	}
	return errors.Unwrap(err) // without the words of the diagnosis
}

// silent is about a service that does not answer.
func (o *opening) silent() *Error {
	switch {
	case o.last != nil:
		return o.last
	case o.ready:
		return &Error{
			Text: fmt.Sprintf("%s let the agent in, but does not answer its request for a URL", o.l.cfg.address),
			Hint: hintFor(""), Err: context.DeadlineExceeded,
		}
	}
	who := o.l.cfg.address
	if o.l.cfg.proxy != nil && !o.l.dialer.reached() {
		who = "the proxy " + o.l.cfg.proxy.Host
	}
	return &Error{Text: who + " does not answer", Hint: o.l.cfg.networkHint(), Err: context.DeadlineExceeded}
}

// interrupted is about the end of the caller's ctx.
func (o *opening) interrupted(ctx context.Context) *Error {
	e := &Error{
		Text: fmt.Sprintf("gave up to connect to %s: %v", o.l.cfg.address, ctx.Err()),
		Hint: o.l.cfg.networkHint(), Err: ctx.Err(),
	}
	if o.last != nil {
		e.Text += "; " + o.last.Text
	}
	return e
}

// abort undoes what was begun, and waits until nothing of it is connected any
// more.
func (o *opening) abort() {
	l := o.l
	if o.ready && !o.binding {
		l.disconnect()
	}
	l.cancel()
	l.dialer.close()
	for late := time.After(time.Second); o.pending > 0; o.pending-- {
		select {
		case <-o.connected:
		case <-o.bound: // Listen must not meet a Disconnect: it would panic
		case <-o.probed:
		case <-late:
			return
		}
	}
}
