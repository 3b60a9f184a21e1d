package ngroktest

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"golang.ngrok.com/muxado/v2"
)

// ErrOffline is wrapped by errors about a URL that no agent is online with.
var ErrOffline = errors.New("the endpoint is offline")

// Sender is the address that connections come from unless told otherwise: one
// that is kept for documentation.
const Sender = "203.0.113.7:49152"

type streamType = muxado.StreamType

// Dial opens a connection to an agent that is online with address, a URL, as
// the edge does for a visitor: what is written arrives as it is. The edge has
// ended TLS before, so https means plain HTTP/1.1 here. The error wraps
// [ErrOffline] if there is no such agent.
func (s *Server) Dial(ctx context.Context, address string) (*Conn, error) {
	return s.DialFrom(ctx, address, Sender)
}

// DialFrom is [Server.Dial] for a visitor whose address, HOST:PORT, is sender.
func (s *Server) DialFrom(ctx context.Context, address, sender string) (*Conn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e := s.pick(key(u))
	if e == nil {
		return nil, fmt.Errorf("dial %s: %w", address, ErrOffline)
	}
	head, err := json.Marshal(proxyHeader{
		ID: e.id, ClientAddr: sender, Proto: e.proto, EdgeType: edgeTypes[e.proto],
	})
	if err != nil {
		return nil, err
	}
	var intro bytes.Buffer
	_ = binary.Write(&intro, binary.LittleEndian, int64(len(head)))
	intro.Write(head)
	stream, err := e.ses.connect(ctx, intro.Bytes())
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return &Conn{stream: stream, local: addr(sender), remote: addr(u.Host)}, nil
}

// connect opens a stream for a connection, and writes intro to it.
func (ses *session) connect(ctx context.Context, intro []byte) (muxado.Stream, error) {
	var stream muxado.Stream
	opened := make(chan error, 1)
	go func() { // ends with the session at the latest
		var err error
		if stream, err = ses.mux.OpenTypedStream(typeProxy); err == nil {
			_, err = stream.Write(intro)
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		return stream, err
	case <-ctx.Done():
		go func() {
			if <-opened == nil {
				_ = stream.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// edgeTypes are ngrok's numbers for its edges.
var edgeTypes = map[string]string{"tcp": "1", "tls": "2", "https": "3"}

// A Conn is a connection through an agent to whatever it serves.
type Conn struct {
	stream        muxado.Stream
	local, remote addr
}

var _ net.Conn = (*Conn)(nil)

// Read reads what the agent's side wrote. It returns io.EOF once that side has
// closed its end.
func (c *Conn) Read(p []byte) (int, error) { return c.stream.Read(p) }

// Write blocks while the agent's side has 256 KiB that it did not read.
func (c *Conn) Write(p []byte) (int, error) { return c.stream.Write(p) }

// Close closes both directions.
func (c *Conn) Close() error { return c.stream.Close() }

// CloseWrite tells the agent's side that no more comes; reading goes on.
func (c *Conn) CloseWrite() error { return c.stream.CloseWrite() }

// LocalAddr is the visitor's address.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the host of the URL.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline is [Conn.SetReadDeadline]: writes have no deadline.
func (c *Conn) SetDeadline(t time.Time) error { return c.stream.SetReadDeadline(t) }

// SetReadDeadline limits how long a Read blocks.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.stream.SetReadDeadline(t) }

// SetWriteDeadline fails: a write that times out would spoil the session of
// muxado for all its connections.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		return nil
	}
	return os.ErrNoDeadline
}

type addr string

func (a addr) Network() string { return "tcp" }
func (a addr) String() string  { return string(a) }
