package tunnel

import (
	"net"
	"net/url"
	"sync"
	"time"
)

// Local opens a port of this machine. It needs no account and no network. addr
// is HOST:PORT as in [net.Listen]; port 0 is any free one. The door is
// Connected from the start. The URL has the host of addr, or 127.0.0.1 if that
// means all addresses.
//
// The error is that of net.Listen: it wraps what the system says if the port is taken,
// syscall.EADDRINUSE or, on Windows, WSAEADDRINUSE.
func Local(addr string) (Listener, error) {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &localListener{
		Listener: ln,
		url:      &url.URL{Scheme: "http", Host: localHost(addr, ln.Addr())},
		events:   newMailbox(),
	}
	l.events.post(Event{At: time.Now(), State: Connected, URL: l.URL()})
	return l, nil
}

// localHost is the host and port to reach a listener by that was asked for
// asked and got got.
func localHost(asked string, got net.Addr) string {
	host, port, err := net.SplitHostPort(got.String())
	if err != nil {
		return got.String()
	}
	name, _, err := net.SplitHostPort(asked)
	switch ip := net.ParseIP(host); {
	case err == nil && name != "" && net.ParseIP(name) == nil:
		host = name
	case ip != nil && ip.IsUnspecified() && net.ParseIP(name) != nil && ip.To4() == nil:
		host = "::1"
	case ip != nil && ip.IsUnspecified():
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

type localListener struct {
	net.Listener
	url    *url.URL
	events *mailbox
	once   sync.Once
}

func (l *localListener) URL() *url.URL        { return clone(l.url) }
func (l *localListener) Events() <-chan Event { return l.events.ch }

func (l *localListener) Close() error {
	l.once.Do(func() {
		_ = l.Listener.Close()
		l.events.close()
	})
	return nil
}
