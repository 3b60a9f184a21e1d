package tunnel

import (
	"errors"
	"net"
	"os"
	"reflect"
	"sync"
	"time"
)

const (
	// maxWrite is how much one write hands to the SDK, in bytes.
	maxWrite = 64 << 10
	// linger is how long a connection that was closed may take to tell the
	// other side before it no longer counts.
	linger = time.Second
)

// A conn is a connection that came through ngrok. Its RemoteAddr is the
// sender's.
//
// It makes of the SDK's stream what users of a net.Conn rely on. That stream's
// Close and SetWriteDeadline wait for a Write that is blocked, as it is while
// the sender does not read; a deadline does not end such a Write; and one that
// strikes at the wrong moment spoils the session for all connections. So each
// Write here runs beside its caller, who can be let go: by the deadline, or by
// Close. What was left to write is lost then, and the connection is good for no
// further Write, as with [crypto/tls.Conn].
type conn struct {
	net.Conn // the SDK's
	stream   halfCloser
	release  func() // called once, when the connection no longer counts

	once   sync.Once
	closed chan struct{}
	limit  writeDeadline

	writing sync.Mutex // guards buf and failed
	buf     []byte
	failed  error // of all further writes
}

// A halfCloser is a stream of muxado.
type halfCloser interface{ CloseWrite() error }

func newConn(c net.Conn, release func()) *conn {
	return &conn{Conn: c, stream: streamOf(c), release: release, closed: make(chan struct{})}
}

// streamOf finds the stream in a connection of the SDK, which hides it behind
// two types that are not exported; nil if it is no longer there.
func streamOf(c net.Conn) halfCloser {
	for range 4 {
		switch inner := c.(type) {
		case halfCloser:
			return inner
		case interface{ Unwrap() net.Conn }:
			c = inner.Unwrap()
			continue
		}
		v := reflect.Indirect(reflect.ValueOf(c))
		if v.Kind() != reflect.Struct {
			return nil
		}
		field := v.FieldByName("Conn")
		if !field.IsValid() || !field.CanInterface() {
			return nil
		}
		next, ok := field.Interface().(net.Conn)
		if !ok {
			return nil
		}
		c = next
	}
	return nil
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && c.isClosed() {
		err = net.ErrClosed
	}
	return n, err
}

func (c *conn) Write(p []byte) (n int, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	for first := true; first || len(p) > 0; first = false {
		if err := c.writable(); err != nil {
			if !first { // as if the deadline had struck in the Write of a part
				c.failed = err
			}
			return n, err
		}
		part := p[:min(len(p), maxWrite)]
		c.buf = append(c.buf[:0], part...)
		done, err := c.beside(func(buf []byte) (int, error) { return c.Conn.Write(buf) })
		n += done
		if err != nil {
			return n, err
		}
		p = p[len(part):]
	}
	return n, nil
}

// CloseWrite tells the sender that no more comes; reading goes on.
func (c *conn) CloseWrite() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.writable(); err != nil {
		return err
	}
	if c.stream == nil {
		return errors.ErrUnsupported
	}
	_, err := c.beside(func([]byte) (int, error) { return 0, c.stream.CloseWrite() })
	if err == nil {
		c.failed = net.ErrClosed
	}
	return err
}

// writable tells why nothing can be written any more. The caller holds
// c.writing.
func (c *conn) writable() error {
	switch {
	case c.isClosed():
		return net.ErrClosed
	case c.failed != nil:
		return c.failed
	case c.limit.passed():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// beside runs f with c.buf in a goroutine, which ends when the sender reads or
// hangs up, or the session ends. It waits for it no longer than the deadline
// and Close allow. The caller holds c.writing.
func (c *conn) beside(f func([]byte) (int, error)) (int, error) {
	type result struct {
		n   int
		err error
	}
	ended := make(chan result, 1)
	go func(buf []byte) {
		n, err := f(buf)
		ended <- result{n, err}
	}(c.buf)
	for {
		changed, expired := c.limit.wait()
		select {
		case r := <-ended:
			if r.err != nil && c.isClosed() {
				r.err = net.ErrClosed
			}
			return r.n, r.err
		case <-changed:
			continue // another deadline
		case <-expired:
			c.failed = os.ErrDeadlineExceeded
		case <-c.closed:
			c.failed = net.ErrClosed
		}
		c.buf = nil // the goroutine has it still
		return 0, c.failed
	}
}

// Close closes both directions, without waiting for a Write or for the other
// side. Only the first call has an effect.
func (c *conn) Close() error {
	c.once.Do(func() {
		stuck := c.stuck()
		close(c.closed)
		var once sync.Once
		release := func() { once.Do(c.release) }
		wait := linger
		if stuck { // until the session ends
			wait = 0
		}
		late := time.AfterFunc(wait, release)
		go func() {
			_ = c.Conn.Close()
			late.Stop()
			release()
		}()
	})
	return nil
}

// stuck reports whether a Write waits for the sender.
func (c *conn) stuck() bool {
	if !c.writing.TryLock() {
		return true
	}
	defer c.writing.Unlock()
	return errors.Is(c.failed, os.ErrDeadlineExceeded)
}

func (c *conn) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

func (c *conn) SetDeadline(t time.Time) error {
	c.limit.set(t)
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline holds for a Write that is blocked, too.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.limit.set(t)
	return nil
}

// A writeDeadline is a point in time that can be waited for while it is moved.
// The zero value is none.
type writeDeadline struct {
	mu      sync.Mutex // guards the rest
	at      time.Time
	changed chan struct{} // closed by the next set; nil if nobody waits
	expired chan struct{} // closed at the time; nil without one
	timer   *time.Timer
}

func (d *writeDeadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	d.at, d.timer, d.expired = t, nil, nil
	if !t.IsZero() {
		expired := make(chan struct{})
		d.expired = expired
		d.timer = time.AfterFunc(time.Until(t), func() { close(expired) })
	}
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

// wait returns channels that are closed when the deadline is moved, and when it
// passes.
func (d *writeDeadline) wait() (changed, expired <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.changed, d.expired
}

func (d *writeDeadline) passed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.at.IsZero() && !time.Now().Before(d.at)
}
