// Package tunnel opens the door that webhooks come in by: a public URL through
// the ngrok Go SDK, or a port of this machine.
//
// It accepts connections and tells how the tunnel fares. What is done with a
// connection, and which door to open, is left to others.
//
// # Usage
//
// [Local] and [Ngrok] both give a [Listener], which an [net/http.Server] can
// serve. [FindAuthtoken] and [ProxyFromEnvironment] find what the user has set
// elsewhere.
//
// # Errors
//
// What keeps a tunnel from opening, or ends it, is an [*Error]: one line of
// text, ngrok's code, and what the user can do. It is safe to print, and so is
// what the SDK logs to NgrokOptions.Log: text from outside is made harmless for
// a terminal, and neither the authtoken nor the proxy's password is in it.
package tunnel

import (
	"net"
	"net/url"
	"sync"
	"time"
)

// A Listener accepts connections from one door.
//
// Accept returns an [*Error] once the door is shut for good by the other side,
// and an error wrapping [net.ErrClosed] after Close.
//
// Close stops the intake. Connections that were accepted go on, as with TCP,
// so that an [net/http.Server] can finish what is under way; what carries them
// ends with the last of them. Close returns within a few seconds even if
// the other side does not answer. It never fails.
type Listener interface {
	net.Listener
	// URL is where senders reach the door. It can change when a tunnel
	// reconnects; the [Event] that tells of it carries the new one. The
	// result belongs to the caller.
	URL() *url.URL
	// Events tells how the door fares from the moment it is open. It keeps
	// the newest events of a slow reader and never holds up the tunnel. The
	// channel is closed when all is over: after Close, or after an Event
	// whose State is Closed, and once the last connection is closed.
	Events() <-chan Event
}

// An Event is a change of a door's state.
type Event struct {
	At    time.Time
	State State
	URL   *url.URL // as of now
	// Err is why, where something went wrong: an [*Error] with ngrok's code
	// if the service gave one. Never holds a token.
	Err error
}

// State is how a door fares.
type State string

// The states of a door.
const (
	// Connected: senders reach the door. It comes first, after each
	// Reconnecting that ended well, and whenever the URL is another.
	Connected State = "connected"
	// Reconnecting: senders do not reach the door, and it is being mended. It
	// comes once at the start of an outage, and again whenever the reason is
	// another.
	Reconnecting State = "reconnecting"
	// Closed: it is over, by the other side, for good.
	Closed State = "closed"
)

// eventsKept is how many events wait for a slow reader.
const eventsKept = 16

// A mailbox holds the newest events for one reader.
type mailbox struct {
	mu     sync.Mutex // guards sending on ch and closing it
	ch     chan Event
	closed bool
}

func newMailbox() *mailbox { return &mailbox{ch: make(chan Event, eventsKept)} }

// post adds e, if need be in place of the oldest. It does not block, and does
// nothing after close.
func (m *mailbox) post(e Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	for {
		select {
		case m.ch <- e:
			return
		default:
		}
		select {
		case <-m.ch:
		default:
		}
	}
}

func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		close(m.ch)
	}
}

// clone returns a URL that the caller may change.
func clone(u *url.URL) *url.URL {
	c := *u
	return &c
}
