package tunnel

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"devhook/internal/neterr"

	"golang.org/x/net/proxy"
)

// maxProxyHeader is how much of a proxy's answer is read in search of its end,
// in bytes.
const maxProxyHeader = 64 << 10

// A dialFunc makes a connection, as net.Dialer.DialContext does.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Dial and DialContext make it one for package proxy.
func (f dialFunc) Dial(network, address string) (net.Conn, error) {
	return f(context.Background(), network, address)
}

func (f dialFunc) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return f(ctx, network, address)
}

// proxyPorts are the schemes of proxies, and their ports unless told otherwise.
var proxyPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// parseProxy returns the proxy that s names, or nil for none. The error holds
// nothing of s, where a password can be.
func parseProxy(s string) (*url.URL, error) {
	const hint = "use --ngrok-proxy-url or HTTPS_PROXY with http://HOST:PORT; https, socks5 and socks5h are good, too"
	if s = strings.TrimSpace(s); s == "" {
		return nil, nil
	}
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, optionError(hint, "the proxy's URL is malformed")
	case proxyPorts[u.Scheme] == "":
		return nil, optionError(hint, "the proxy's URL is of a kind that devhook does not know")
	case u.User != nil && strings.Contains(u.User.Username(), ":") && u.Scheme != "socks5" && u.Scheme != "socks5h":
		return nil, optionError(hint, "the user name in the proxy's URL has a colon in it")
	}
	u.Host = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), proxyPorts[u.Scheme]))
	return u, nil
}

// userSecrets returns what no text may hold of a proxy's user.
func userSecrets(u *url.Userinfo) []string {
	if u == nil {
		return nil
	}
	password, _ := u.Password()
	secrets := []string{password, u.String(), u.Username() + ":" + password}
	if len(u.Username()) > 2 { // shorter ones are in every text
		secrets = append(secrets, u.Username())
	}
	return secrets
}

// through returns a dialer that leads through the proxy at u. tlsConfig is for
// the connection to an https proxy.
func through(u *url.URL, direct dialFunc, tlsConfig *tls.Config) (dialFunc, error) {
	switch u.Scheme {
	case "http":
		return connectDialer(u, direct), nil
	case "https":
		return connectDialer(u, func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialTLS(ctx, direct, network, address, tlsConfig)
		}), nil
	}
	d, err := proxy.FromURL(u, dialFunc(func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := direct(ctx, network, address)
		if err != nil {
			return nil, &proxyError{err: err, reached: false}
		}
		return c, nil
	}))
	if err != nil {
		return nil, err
	}
	socks, ok := d.(proxy.ContextDialer)
	if !ok {
		return nil, errors.New("the SOCKS dialer takes no context")
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := socks.DialContext(ctx, network, address)
		var already *proxyError
		if err != nil && !errors.As(err, &already) {
			err = &proxyError{err: err, reached: true}
		}
		return c, err
	}, nil
}

func dialTLS(ctx context.Context, dial dialFunc, network, address string, conf *tls.Config) (net.Conn, error) {
	c, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conf = conf.Clone()
	if conf == nil {
		conf = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if conf.ServerName == "" {
		conf.ServerName, _, _ = net.SplitHostPort(address)
	}
	secure := tls.Client(c, conf)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	return secure, nil
}

// connectDialer leads through an HTTP proxy with the method CONNECT, RFC 9110
// §9.3.6.
func connectDialer(u *url.URL, dial dialFunc) dialFunc {
	header := http.Header{"User-Agent": {"devhook"}}
	if u.User != nil {
		password, _ := u.User.Password()
		header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, u.Host)
		if err != nil {
			return nil, &proxyError{err: err, reached: false}
		}
		through, err := connect(ctx, c, address, header)
		if err != nil {
			_ = c.Close()
			return nil, err
		}
		return through, nil
	}
}

// connect asks the HTTP proxy behind c for a connection to address.
func connect(ctx context.Context, c net.Conn, address string, header http.Header) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	fail := func(err error) (net.Conn, error) {
		stop()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, &proxyError{err: err, reached: true}
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: header}
	if err := req.Write(c); err != nil {
		return fail(err)
	}
	in := bufio.NewReader(io.LimitReader(c, maxProxyHeader))
	res, err := http.ReadResponse(in, req)
	if err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("its answer is no proper HTTP, or has no end")
		}
		return fail(err)
	}
	if res.StatusCode/100 != 2 {
		return fail(&statusError{res.StatusCode, res.Status})
	}
	if !stop() {
		return fail(ctx.Err())
	}
	early, _ := in.Peek(in.Buffered())
	return &connectedConn{Conn: c, early: append([]byte(nil), early...)}, nil
}

// A connectedConn gives first what came with the proxy's answer.
type connectedConn struct {
	net.Conn
	early []byte
}

func (c *connectedConn) Read(p []byte) (int, error) {
	if len(c.early) > 0 {
		n := copy(p, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// A statusError is a proxy's refusal.
type statusError struct {
	code   int
	status string // from outside
}

func (e *statusError) Error() string { return fmt.Sprintf("it answered %q", e.status) }

// A proxyError is about the way through a proxy.
type proxyError struct {
	err     error
	reached bool // else it is about the way to the proxy
}

func (e *proxyError) Error() string { return "proxy: " + e.err.Error() }
func (e *proxyError) Unwrap() error { return e.err }

// fromProxy makes an Error of what went wrong on the way through the proxy.
func (c *config) fromProxy(err error) *Error {
	var p *proxyError
	if !errors.As(err, &p) || c.proxy == nil {
		return nil
	}
	var status *statusError
	hint, text := c.networkHint(), ""
	switch {
	case errors.As(err, &status):
		text = fmt.Sprintf("the proxy %s refused a connection to %s: %s", c.proxy.Host, c.address, c.tidy(status.status))
		if status.code == http.StatusProxyAuthRequired {
			hint = "put the user and the password into --ngrok-proxy-url or HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT"
		}
	case isTimeout(err):
		text = fmt.Sprintf("the proxy %s does not answer", c.proxy.Host)
	case p.reached:
		text = fmt.Sprintf("the proxy %s gives no connection to %s: %s", c.proxy.Host, c.address, c.tidy(cause(p.err)))
	case neterr.Is(err, syscall.ECONNREFUSED):
		text = fmt.Sprintf("the proxy %s refused the connection", c.proxy.Host)
	default:
		text = fmt.Sprintf("cannot connect to the proxy %s: %s", c.proxy.Host, c.tidy(cause(p.err)))
	}
	return &Error{Text: text, Hint: hint}
}
