package tunnel

import (
	"log/slog"
	"reflect"
	"sync"
	"time"
)

// settle is how long a gate holds up anybody.
const settle = 500 * time.Millisecond

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
// The SDK tells of an arrival, and of the end of its session, in its log alone,
// in the loop that accepts streams, before it does anything about them. Should
// its log change, the gate is always open, and the rest works as before.
type gate struct {
	mu     sync.Mutex    // guards what follows, up to once
	inside int           // connections on their way to Accept
	empty  chan struct{} // closed when nobody is inside; nil if nobody waits for that
	shut   bool
	over   bool

	once sync.Once
	past chan struct{} // closed when the tunnel is closed, or should be
}

func newGate() *gate { return &gate{past: make(chan struct{})} }

// close holds up those that come, for a while, and lets those inside through.
func (g *gate) close() {
	g.mu.Lock()
	if !g.shut {
		g.shut = true
		time.AfterFunc(settle, g.passed)
	}
	g.mu.Unlock()
	g.drain()
}

// drain waits until nobody is inside.
func (g *gate) drain() {
	g.mu.Lock()
	if g.inside == 0 || g.over {
		g.mu.Unlock()
		return
	}
	if g.empty == nil {
		g.empty = make(chan struct{})
	}
	empty := g.empty
	g.mu.Unlock()
	late := time.NewTimer(settle)
	defer late.Stop()
	select {
	case <-empty:
	case <-late.C:
	}
}

// arrive is called for each connection before the SDK does anything with it.
func (g *gate) arrive() {
	g.mu.Lock()
	shut := g.shut
	g.mu.Unlock()
	if shut {
		<-g.past
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside++
}

// leave is called for each connection that the SDK has handed over or given up.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside = max(g.inside-1, 0)
	g.wake()
}

// end is called once the tunnel is closed: the SDK forgets whoever comes then.
func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	g.wake()
	g.passed()
}

// wake lets those go that wait for nobody to be inside. The caller holds g.mu.
func (g *gate) wake() {
	if g.empty != nil && (g.inside == 0 || g.over) {
		close(g.empty)
		g.empty = nil
	}
}

func (g *gate) passed() { g.once.Do(func() { close(g.past) }) }

// watch takes a record of the SDK's log.
func (g *gate) watch(r slog.Record) {
	switch r.Message {
	case "error reading proxy header", "no tunnel found for proxy":
		g.leave()
	case "accept failed": // the session is over, and the tunnel is closed next
		g.drain()
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
