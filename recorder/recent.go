package recorder

import (
	"sync"
	"sync/atomic"
)

// recent remembers what this process wrote last, so that its own followers,
// who come along right behind, need not parse it. Who is slower reads the
// journal like everybody else. Without followers nothing is remembered.
type recent struct {
	wanted atomic.Bool // somebody follows, or has

	mu    sync.Mutex
	byID  map[ID]*recentEntry // guarded by mu
	order []ID                // guarded by mu: oldest first
	bytes int                 // guarded by mu: of all lines
}

type recentEntry struct {
	ex   Exchange
	res  *Result // nil until it is written
	size int
}

const (
	maxRecent      = 2048
	maxRecentBytes = 8 << 20 // of their lines, about what they take in memory
)

// add remembers a batch as it is being written.
func (r *recent) add(batch []*entry) {
	if !r.wanted.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byID == nil {
		r.byID = make(map[ID]*recentEntry, maxRecent)
	}
	for _, e := range batch {
		size := len(e.enc.buf)
		r.bytes += size
		if e.ex != nil {
			if old := r.byID[e.ex.ID]; old != nil { // written once more after a failure
				r.bytes -= old.size
			} else {
				r.order = append(r.order, e.ex.ID)
			}
			r.byID[e.ex.ID] = &recentEntry{ex: *e.ex, size: size}
			continue
		}
		old := r.byID[e.id]
		if old == nil {
			r.bytes -= size
			continue
		}
		res := e.res
		old.res = &res
		old.size += size
	}
	r.trim()
}

// forget takes back what was not written after all.
func (r *recent) forget(batch []*entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range batch {
		if old := r.byID[e.id]; e.ex == nil && old != nil {
			old.res = nil
		}
		// What an exchange has here is never asked for without its line.
	}
}

// trim forgets the oldest beyond the bounds. mu is held.
func (r *recent) trim() {
	for len(r.order) > maxRecent || r.bytes > maxRecentBytes {
		r.bytes -= r.byID[r.order[0]].size
		delete(r.byID, r.order[0])
		r.order = r.order[1:]
	}
}

// exchange returns the exchange called id as its line has it, and with its
// result if that is wanted; nil if it is not remembered.
func (r *recent) exchange(id ID, withResult bool) *Exchange {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.byID[id]
	if e == nil || withResult && e.res == nil {
		return nil
	}
	ex := e.ex
	if withResult {
		ex.end(*e.res)
	}
	return &ex
}
