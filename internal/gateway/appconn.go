package gateway

import (
	"errors"
	"net"
	"net/http/httptrace"

	"devhook/internal/neterr"
)

// An appConn is a connection to an app. It mends two things in which net/http
// takes an app that is well for one that is not:
//
// An app may answer and hang up before it has read all of a request. net/http
// then often reports that it could not write, though the answer is there to be
// read. So a write that fails after the request has begun counts as done: what
// is read, an answer or none, tells what became of it.
//
// An app may hang up after an answer without having said so. net/http notices
// that soon, but not always before it sends the next request into the dead
// connection; and a POST is not sent again once some of it was written. So the
// connection is looked at before the first byte, and found dead takes none.
type appConn struct {
	net.Conn
	reused   bool // the request is not the first on it
	begun    bool // some of the request was written
	upgraded bool // it carries no requests any more
}

var errHungUp = errors.New("the app has hung up")

// startRequest tells a connection that a request comes next, and returns it if
// it is one of ours. It must be called before anything of the request is written.
func startRequest(info httptrace.GotConnInfo) *appConn {
	c := info.Conn
	if over, ok := c.(interface{ NetConn() net.Conn }); ok { // TLS
		c = over.NetConn()
	}
	own, ok := c.(*appConn)
	if ok {
		own.reused, own.begun = info.Reused, false
	}
	return own
}

func (c *appConn) Write(p []byte) (int, error) {
	if c.upgraded {
		return c.Conn.Write(p)
	}
	if c.reused && !c.begun && hungUp(c.Conn) {
		return 0, errHungUp
	}
	n, err := c.Conn.Write(p)
	if err != nil && c.begun && neterr.Broke(err) {
		return len(p), nil
	}
	c.begun = c.begun || n > 0
	return n, err
}

// CloseWrite ends the half of the connection that goes to the app.
func (c *appConn) CloseWrite() error {
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}
