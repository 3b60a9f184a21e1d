// Package tunnel opens the door that webhooks come in by: a public URL through
// the ngrok Go SDK, or a port of this machine.
//
// It accepts connections and tells how the tunnel fares. What is done with a
// connection is left to others.
package tunnel

import (
	"net"
	"net/url"
	"time"
)

// A Listener accepts connections from one door.
//
// Accept returns an [*Error] once the door is shut for good by the other side,
// and an error wrapping [net.ErrClosed] after Close.
type Listener interface {
	net.Listener
	// URL is where senders reach the door. It can change when a tunnel
	// reconnects; the [Event] that tells of it carries the new one. The
	// result belongs to the caller.
	URL() *url.URL
	// Events tells how the door fares from the moment it is open. The channel
	// is closed after Close, or after an Event whose State is Closed. It keeps
	// the newest events of a slow reader and never holds up the tunnel.
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
	Connected    State = "connected"
	Reconnecting State = "reconnecting"
	Closed       State = "closed" // for good
)
