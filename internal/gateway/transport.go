package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"time"

	"devhook/internal/loopback"
)

// newAppTransport returns what reaches the apps, for many requests at once. The
// certificate of an app on this machine is not checked: nobody has a good one.
func newAppTransport() http.RoundTripper {
	t := appTransport{remote: newTransport(), local: newTransport(), odd: newTransport()}
	t.plain.dial = dialApp
	t.local.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
	t.odd.DisableKeepAlives = true
	dial := t.odd.DialContext
	t.odd.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if target, ok := ctx.Value(targetKey{}).(string); ok && err == nil {
			c = &requestLineConn{Conn: c, target: target}
		}
		return c, err
	}
	return &t
}

// A watcher is told how a request fares, by what carries it: [appTransport] finds it in the
// context of the request, under watcherKey.
type watcher interface {
	// connecting: there is no connection for the request yet.
	connecting()
	// carried: c carries it, which is told of what is no [directConn].
	carried(c *appConn)
	// written: it is on its way, which is told of what is carried by a directConn. A
	// [httptrace.ClientTrace] is told so before that, when the request is in a buffer still.
	written()
	// early: this is said before the answer.
	early(status int, h textproto.MIMEHeader) error
}

type watcherKey struct{}

// watcherOf returns nil if nobody watches.
func watcherOf(ctx context.Context) watcher {
	w, _ := ctx.Value(watcherKey{}).(watcher)
	return w
}

// watched has the watcher of r told by net/http's transport.
func watched(r *http.Request) *http.Request {
	w := watcherOf(r.Context())
	if w == nil {
		return r
	}
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GetConn:        func(string) { w.connecting() },
		ConnectStart:   func(string, string) { w.connecting() },
		GotConn:        func(info httptrace.GotConnInfo) { w.carried(startRequest(info)) },
		Got1xxResponse: w.early,
	}))
}

type appTransport struct {
	plain              direct
	remote, local, odd *http.Transport
}

func (t *appTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Opaque, "//") { // net/http takes such a path for a host
		u := *r.URL
		out := r.WithContext(context.WithValue(r.Context(), targetKey{}, strings.TrimPrefix(u.RequestURI(), u.Scheme+":")))
		out.URL = &u
		if u.Scheme == "http" {
			u.Opaque, u.RawQuery, u.ForceQuery = "/", "", false
			return t.odd.RoundTrip(watched(out))
		}
		// Good enough through TLS: it differs in bytes that no path may have.
		u.RawPath, u.Opaque = u.Opaque, ""
		u.Path, _ = url.PathUnescape(u.RawPath)
		r = out
	}
	if t.plain.takes(r) {
		return t.plain.RoundTrip(r)
	}
	r = watched(r)
	if loopback.Is(r.URL.Hostname()) {
		return t.local.RoundTrip(r)
	}
	return t.remote.RoundTrip(r)
}

func newTransport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialApp(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &appConn{Conn: c}, nil
		},
		MaxIdleConnsPerHost: idleConns,
		// Servers close connections that idle for 2 s (gunicorn) or 5 s (Node);
		// a webhook must not be sent into one that is just being closed.
		IdleConnTimeout:    idleTime,
		DisableCompression: true,
	}
}

// dialApp connects to an app. A server that listens on "localhost" can be on ::1
// alone, which not every system knows by that name.
func dialApp(ctx context.Context, network, addr string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	c, err := dialer.DialContext(ctx, network, addr)
	if host, port, _ := net.SplitHostPort(addr); (host == "127.0.0.1" || host == "localhost") && err != nil && ctx.Err() == nil {
		if c6, err6 := dialer.DialContext(ctx, network, "[::1]:"+port); err6 == nil {
			return c6, nil
		}
	}
	return c, err
}

type targetKey struct{}

// A requestLineConn carries one request, and puts another target into its
// request line.
type requestLineConn struct {
	net.Conn
	target string
	head   []byte // what was written of the request line
	done   bool
}

func (c *requestLineConn) Write(p []byte) (int, error) {
	if c.done {
		return c.Conn.Write(p)
	}
	c.head = append(c.head, p...)
	method, rest, ok := bytes.Cut(c.head, []byte(" "))
	if !ok {
		return len(p), nil
	}
	_, rest, ok = bytes.Cut(rest, []byte(" "))
	if !ok {
		return len(p), nil
	}
	c.done = true
	line := append(append([]byte{}, method...), ' ')
	line = append(line, c.target...)
	line = append(append(line, ' '), rest...)
	if _, err := c.Conn.Write(line); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite ends the half of the connection that goes to the app.
func (c *requestLineConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}
