package ngroktest

import (
	"net"
	"sync"
)

// A cable is a connection that can be made to lose everything.
type cable struct {
	net.Conn
	once sync.Once
	gone chan struct{} // closed by Close

	mu   sync.Mutex // guards dead
	dead bool
}

func newCable(c net.Conn) *cable { return &cable{Conn: c, gone: make(chan struct{})} }

// blackhole makes the cable carry nothing any more, in either direction,
// without a sign of it to the other end.
func (c *cable) blackhole() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
}

// swallows waits for Close if the cable is dead, and reports whether it was.
func (c *cable) swallows() bool {
	c.mu.Lock()
	dead := c.dead
	c.mu.Unlock()
	if dead {
		<-c.gone
	}
	return dead
}

func (c *cable) Read(p []byte) (int, error) {
	if c.swallows() {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Read(p)
	if c.swallows() {
		return 0, net.ErrClosed
	}
	return n, err
}

func (c *cable) Write(p []byte) (int, error) {
	if c.swallows() {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(p)
}

func (c *cable) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

// CloseWrite tells the other end that no more comes.
func (c *cable) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// cut ends the connection with a reset instead of a farewell.
func (c *cable) cut() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Close()
}
