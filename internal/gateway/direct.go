package gateway

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/textproto"
	"sync"
	"time"
)

const (
	idleTime       = time.Second // see newTransport
	idleConns      = 256         // to one app
	maxDirectBody  = 32 << 10    // what the kernel of an app takes in before the app reads: so a write does not wait for an app that answers first
	maxAnswerHead  = 10 << 20    // as net/http has it
	maxEarlyAnswer = 5           // as net/http has it
)

// direct carries plain requests to apps: HTTP/1.1, with a small body that is in
// memory, without TLS and without an upgrade. What it writes and reads is written
// and read by net/http, but by the goroutine that asks: a [http.Transport] has two
// goroutines for each connection, and to wake them took as long as all that is
// done with a webhook before it is forwarded.
//
// Safe for concurrent use.
type direct struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu       sync.Mutex
	idle     map[string][]*directConn // by address, those that were used last at the end; guarded by mu
	sweeping bool                     // sweep will run; guarded by mu
}

// A directConn is a connection of one who asks at a time.
type directConn struct {
	appConn
	addr     string
	r        *bufio.Reader
	w        *bufio.Writer
	left     int64 // how much more may be read
	answered bool  // the app has said something to the request
	acked    bool  // and that was confirmed, as it was not all
	since    time.Time
}

var errHeadTooLong = errors.New("the header of the answer is longer than 10 MiB")

// Read is what the answer is read from: not without end, as long as it is a header.
//
// An app that writes its answer in two pieces, header and body, as Python's http.server
// does, sends the second when the first has been confirmed (RFC 896), and a kernel puts
// that off by 40 ms (RFC 1122 §4.2.3.2) if it does not know better.
func (c *directConn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errHeadTooLong
	}
	if c.answered && !c.acked {
		c.acked = true
		ackNow(c.Conn)
	}
	n, err := c.appConn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// takes reports whether r is as plain as direct carries it. What net/http refuses
// is not, so that it is net/http that says so.
func (d *direct) takes(r *http.Request) bool {
	if !tellsHungUp || r.URL.Scheme != "http" || r.ContentLength < 0 || r.ContentLength > maxDirectBody || r.Trailer != nil || r.Close {
		return false
	}
	if (r.Body != nil) != (r.ContentLength > 0) || !token(r.Method) || r.Method == http.MethodConnect || !printable(r.URL.Host) || !printable(r.Host) {
		return false
	}
	for name, values := range r.Header {
		if !token(name) || name == "Expect" || name == "Upgrade" {
			return false
		}
		for _, v := range values {
			for i := range len(v) {
				if v[i] < ' ' && v[i] != '\t' || v[i] == 0x7f {
					return false
				}
			}
		}
	}
	return true
}

// token reports whether s may be a method or the name of a header: RFC 9110 §5.6.2.
func token(s string) bool {
	for i := range len(s) {
		if !tokenBytes[s[i]] {
			return false
		}
	}
	return s != ""
}

var tokenBytes = func() (in [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		in[c] = true
	}
	return in
}()

// printable reports whether s is of the ASCII that is seen.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// RoundTrip is that of a [http.RoundTripper], for what d takes. The [watcher] of the
// request is told in the goroutine that asks.
func (d *direct) RoundTrip(r *http.Request) (*http.Response, error) {
	addr := r.URL.Host
	if r.URL.Port() == "" {
		addr = net.JoinHostPort(r.URL.Hostname(), "80")
	}
	for {
		c, err := d.get(r.Context(), addr)
		if err != nil {
			return nil, err
		}
		resp, err := d.ask(c, r)
		if err == nil || !c.reused || r.Context().Err() != nil {
			return resp, err
		}
		if c.begun && (c.answered || !repeatable(r.Method)) { // the app may have taken it
			return nil, err
		}
		if r.Body != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

// repeatable reports whether what is asked may be asked again when the app has
// hung up without a word: RFC 9110 §9.2.2. It is not known whether it has read it.
func repeatable(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// get returns a connection to addr: one that was used before, or a new one.
func (d *direct) get(ctx context.Context, addr string) (*directConn, error) {
	d.mu.Lock()
	if all := d.idle[addr]; len(all) > 0 {
		c := all[len(all)-1]
		all[len(all)-1] = nil
		d.idle[addr] = all[:len(all)-1]
		d.mu.Unlock()
		c.reused, c.begun, c.answered, c.acked = true, false, false, false
		return c, nil
	}
	d.mu.Unlock()
	if w := watcherOf(ctx); w != nil {
		w.connecting()
	}
	conn, err := d.dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &directConn{appConn: appConn{Conn: conn}, addr: addr}
	c.r, c.w = bufio.NewReader(c), bufio.NewWriter(&c.appConn)
	return c, nil
}

// ask sends r and returns the answer as soon as its header is there. The
// connection is taken back or closed when the answer's body has been read or closed.
func (d *direct) ask(c *directConn, r *http.Request) (*http.Response, error) {
	cancelled := context.AfterFunc(r.Context(), func() { c.SetDeadline(time.Unix(1, 0)) })
	resp, err := c.exchange(r)
	if err != nil {
		cancelled()
		c.Close()
		if ctxErr := r.Context().Err(); ctxErr != nil {
			err = ctxErr
		}
		return nil, err
	}
	body := &directBody{ReadCloser: resp.Body, end: func(whole bool) {
		if cancelled() && whole && !resp.Close && resp.StatusCode >= 200 {
			d.put(c)
		} else {
			c.Close()
		}
	}}
	resp.Body = body
	if resp.ContentLength == 0 || r.Method == http.MethodHead || resp.StatusCode < 200 || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified {
		body.over(!claimsBody(resp) || r.Method == http.MethodHead)
	}
	return resp, nil
}

// claimsBody reports whether an answer that has no body, because of its status, says that
// it has one. Some apps send it then, and it would be read as the next answer.
func claimsBody(resp *http.Response) bool {
	length := resp.Header.Get("Content-Length")
	return len(resp.TransferEncoding) > 0 || length != "" && length != "0"
}

// exchange writes r and reads the header of the answer.
func (c *directConn) exchange(r *http.Request) (*http.Response, error) {
	if err := r.Write(c.w); err != nil {
		return nil, err
	}
	if err := c.w.Flush(); err != nil {
		return nil, err
	}
	w := watcherOf(r.Context())
	if w != nil {
		w.written()
	}
	for early := 0; ; early++ {
		c.left = maxAnswerHead
		if _, err := c.r.Peek(1); err != nil { // EOF, where ReadResponse makes an unexpected one of it
			return nil, err
		}
		c.answered = true
		resp, err := http.ReadResponse(c.r, r)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode < 100 || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			c.left = math.MaxInt64
			return resp, nil
		}
		if early == maxEarlyAnswer {
			return nil, fmt.Errorf("more than %d answers before the answer", maxEarlyAnswer)
		}
		if w != nil {
			if err := w.early(resp.StatusCode, textproto.MIMEHeader(resp.Header)); err != nil {
				return nil, err
			}
		}
	}
}

// A directBody is the body of an answer; with its end the connection is free.
type directBody struct {
	io.ReadCloser
	end func(whole bool) // nil when it was called
}

func (b *directBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.over(err == io.EOF)
	}
	return n, err
}

func (b *directBody) Close() error {
	b.over(false) // or else net/http would read on to the end, to keep the connection
	return nil
}

func (b *directBody) over(whole bool) {
	if end := b.end; end != nil {
		b.end = nil
		end(whole)
	}
}

// put keeps a connection for who asks next, for a while. One on which something
// came that nobody asked for is not kept.
func (d *direct) put(c *directConn) {
	if c.r.Buffered() > 0 {
		c.Close()
		return
	}
	c.since = time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.idle[c.addr]) == idleConns {
		c.Close()
		return
	}
	if d.idle == nil {
		d.idle = map[string][]*directConn{}
	}
	d.idle[c.addr] = append(d.idle[c.addr], c)
	if !d.sweeping {
		d.sweeping = true
		time.AfterFunc(idleTime, d.sweep)
	}
}

// sweep closes the connections that nobody has used for idleTime, and comes back
// as long as there are others.
func (d *direct) sweep() {
	d.mu.Lock()
	defer d.mu.Unlock()
	oldest := time.Now()
	limit := oldest.Add(-idleTime)
	for addr, all := range d.idle {
		for len(all) > 0 && !all[0].since.After(limit) {
			all[0].Close()
			all[0] = nil
			all = all[1:]
		}
		if len(all) == 0 {
			delete(d.idle, addr)
			continue
		}
		d.idle[addr] = all
		if all[0].since.Before(oldest) {
			oldest = all[0].since
		}
	}
	if d.sweeping = len(d.idle) > 0; d.sweeping {
		time.AfterFunc(max(0, oldest.Sub(limit)), d.sweep)
	}
}
