package tunnel

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// dialTimeout is how long one attempt to reach the service may take, TLS and
// the agent protocol not counted. The SDK sets no limit.
const dialTimeout = 10 * time.Second

// A serviceDialer makes the connections of one SDK session, directly or
// through a proxy, and can end them for good.
//
// The SDK must not have the last word on that. If its session is closed while
// it dials, it goes on and serves the new connection; and it leaves a
// connection open that it has given up because a stream was malformed, which
// keeps the URL online beside the next one.
type serviceDialer struct {
	dial dialFunc

	mu   sync.Mutex // guards live and last
	live net.Conn   // the newest; nil if none was made
	last bool       // there is to be no other
}

// dialer returns one for c.
func (c *config) dialer() (*serviceDialer, error) {
	if c.proxy == nil {
		return &serviceDialer{dial: c.direct}, nil
	}
	dial, err := through(c.proxy, c.direct, c.proxyTLS)
	if err != nil {
		return nil, optionError("check --ngrok-proxy-url", "the proxy cannot be used: %s", c.tidy(err.Error()))
	}
	return &serviceDialer{dial: dial}, nil
}

// Dial is DialContext without a context, as the SDK's interface demands.
func (d *serviceDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

// DialContext makes a connection and closes the one before it. The error is a
// *dialError.
func (d *serviceDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if d.isLast() {
		return nil, &dialError{net.ErrClosed}
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	c, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, &dialError{err}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.last {
		_ = c.Close()
		return nil, &dialError{net.ErrClosed}
	}
	if d.live != nil {
		_ = d.live.Close()
	}
	d.live = c
	return c, nil
}

// reached reports whether a connection was ever made.
func (d *serviceDialer) reached() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.live != nil
}

// refuse makes the connection there is the last.
func (d *serviceDialer) refuse() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = true
}

// close ends the connection, and refuses further ones.
func (d *serviceDialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = true
	if d.live != nil {
		_ = d.live.Close()
	}
}

func (d *serviceDialer) isLast() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// A dialError is about making the connection.
type dialError struct{ err error }

func (e *dialError) Error() string { return "dial: " + e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// tlsConfig sets what the SDK's own TLS configuration lacks: it takes for the
// host what stands before the first colon, which is wrong for IPv6.
func (c *config) tlsConfig(conf *tls.Config) { conf.ServerName = c.host }
