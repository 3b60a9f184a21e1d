package gateway

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// stallTime is how long a sender may leave a body unsent or an answer
	// unread before its connection is cut.
	stallTime = 2 * time.Minute
	// endTime is the same when devhook is about to end.
	endTime = 3 * time.Second
	// renewTime is how often a deadline is put off while bytes flow.
	renewTime = 15 * time.Second
)

// A conn is a sender's connection. It knows how many requests began on it and
// how many of them were whole enough to be handled: net/http answers the others
// itself and tells nobody. And nobody who stops sending or reading holds it for
// ever.
type conn struct {
	net.Conn
	begun, handled atomic.Int64

	ending           atomic.Bool
	reading, writing atomic.Bool  // a body; anything
	renewed          atomic.Int64 // when the deadline of writes was set, Unix ns
}

func (c *conn) Write(p []byte) (int, error) {
	c.writing.Store(true)
	defer c.writing.Store(false)
	now := time.Now()
	switch {
	case c.ending.Load():
		c.SetWriteDeadline(now.Add(endTime))
	case time.Duration(now.UnixNano()-c.renewed.Load()).Abs() > renewTime: // clocks are put back, too
		c.renewed.Store(now.UnixNano())
		c.SetWriteDeadline(now.Add(stallTime))
	}
	return c.Conn.Write(p)
}

// startBody has the body that is read from now on end in time. endBody takes
// that back.
func (c *conn) startBody() {
	c.reading.Store(true)
	c.renewBody()
}

func (c *conn) renewBody() {
	limit := stallTime
	if c.ending.Load() {
		limit = endTime
	}
	c.SetReadDeadline(time.Now().Add(limit))
}

func (c *conn) endBody() {
	c.reading.Store(false)
	c.SetReadDeadline(time.Time{})
}

// end gives who is in the middle of a body or an answer little time.
func (c *conn) end() {
	c.ending.Store(true)
	soon := time.Now().Add(endTime)
	if c.reading.Load() {
		c.SetReadDeadline(soon)
	}
	if c.writing.Load() {
		c.SetWriteDeadline(soon)
	}
}

// CloseWrite ends the half of the connection that goes to the sender, if the
// connection has halves.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// conns are the connections that are open.
type conns struct {
	mu  sync.Mutex
	all map[*conn]struct{} // guarded by mu
}

func (cs *conns) add(c *conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.all == nil {
		cs.all = map[*conn]struct{}{}
	}
	cs.all[c] = struct{}{}
}

func (cs *conns) remove(c *conn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	delete(cs.all, c)
}

// each calls f for each open connection.
func (cs *conns) each(f func(*conn)) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for c := range cs.all {
		f(c)
	}
}

// awaitFirst waits until each open connection has had a request, and closes those that have
// sent none within the limit.
func (cs *conns) awaitFirst(limit time.Duration) {
	for end := time.Now().Add(limit); cs.unused() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	cs.each(func(c *conn) {
		if c.begun.Load() == 0 {
			c.Close()
		}
	})
}

// unused reports whether there is a connection of which no request was handled yet.
func (cs *conns) unused() (found bool) {
	cs.each(func(c *conn) { found = found || c.handled.Load() == 0 })
	return found
}

// A connListener knows the connections that came in by it.
type connListener struct {
	net.Listener
	conns *conns
}

func (l connListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	own := &conn{Conn: c}
	l.conns.add(own)
	return own, nil
}
