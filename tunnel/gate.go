package tunnel

import (
	"log/slog"
	"reflect"
	"sync"
	"time"
)

// settle is how long a gate holds up the SDK, from its close on.
const settle = 100 * time.Millisecond

// The types of streams in the agent protocol that matter to a gate.
const (
	streamProxy      = 3 // a connection
	streamStopTunnel = 9 // the service closes the tunnel
)

// A gate keeps connections from arriving while the SDK closes its tunnel.
//
// The SDK hands over a connection while it holds the read lock of a
// sync.RWMutex twice, and closes the tunnel under its write lock. If the close
// comes between the two, all wait for each other for ever, and Accept with
// them: measured, one close in twenty while connections pour in. So those that
// are on their way are let through before a close begins, and those that come
// after it wait until it is past that point.
//
// The SDK tells of an arrival in its log alone, in the loop that accepts
// streams, before anything is done with the stream. Should its log change, the
// gate is always open, and the rest works as before.
type gate struct {
	mu     sync.Mutex // guards the rest
	inside int        // connections on their way to Accept
	shut   bool
	empty  chan struct{} // closed when nobody is inside, once shut
	past   chan struct{} // closed when the tunnel is closed, or should be
	once   sync.Once     // closes past
}

func newGate() *gate { return &gate{empty: make(chan struct{}), past: make(chan struct{})} }

// close lets those inside through, and holds up those that come.
func (g *gate) close() {
	g.mu.Lock()
	if !g.shut {
		g.shut = true
		time.AfterFunc(settle, g.passed)
		if g.inside == 0 {
			close(g.empty)
		}
	}
	g.mu.Unlock()
	select {
	case <-g.empty:
	case <-g.past:
	}
}

// arrive is called for each connection before the SDK does anything with it.
func (g *gate) arrive() {
	g.mu.Lock()
	shut := g.shut
	if !shut {
		g.inside++
	}
	g.mu.Unlock()
	if shut {
		<-g.past
	}
}

// leave is called for each connection that the SDK has handed over or given up.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside == 0 {
		return // it came when the gate was shut
	}
	if g.inside--; g.inside == 0 && g.shut {
		close(g.empty)
	}
}

// passed is called once the tunnel is closed.
func (g *gate) passed() { g.once.Do(func() { close(g.past) }) }

// watch takes a record of the SDK's log.
func (g *gate) watch(r slog.Record) {
	switch r.Message {
	case "error reading proxy header", "no tunnel found for proxy":
		g.leave()
	case "tunnel Accept":
		r.Attrs(func(a slog.Attr) bool {
			if a.Key != "reqType" || a.Value.Kind() != slog.KindAny {
				return true
			}
			v := reflect.ValueOf(a.Value.Any())
			if !v.CanUint() {
				return false
			}
			switch v.Uint() {
			case streamProxy:
				g.arrive()
			case streamStopTunnel:
				g.close()
			}
			return false
		})
	}
}
