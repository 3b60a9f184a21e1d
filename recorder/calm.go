package recorder

import (
	"sync"
	"sync/atomic"
	"time"
)

// calm keeps the index up when the writer has nothing better to do, so that a
// reader finds it made. While much is written it does nothing: readers make
// what they miss.
type calm struct {
	s     *Store
	owed  atomic.Int64 // bytes that were written since the index was looked at
	last  int64        // of owed, a while ago; for the timer's goroutine
	set   atomic.Bool  // timer is running
	timer *time.Timer

	mu    sync.Mutex // held while the index is made
	ended bool       // guarded by mu
}

const (
	calmTime = 2 * time.Second // without much being written
	calmRate = 256 << 10       // bytes in calmTime that are not much
)

func (c *calm) init(s *Store) {
	c.s = s
	c.timer = time.AfterFunc(time.Hour, c.look)
	c.timer.Stop()
}

// wrote notes that n bytes were written.
func (c *calm) wrote(n int) {
	if c.owed.Add(int64(n)) >= minRun && c.set.CompareAndSwap(false, true) {
		c.timer.Reset(calmTime)
	}
}

func (c *calm) look() {
	owed := c.owed.Load()
	if owed-c.last > calmRate {
		c.last = owed
		c.timer.Reset(calmTime)
		return
	}
	c.last = 0
	c.owed.Store(0)
	c.set.Store(false)
	for i := 0; c.make(i); i++ {
	}
}

// make makes the index of segment i, and reports whether there are more.
func (c *calm) make(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return false
	}
	x, err := c.s.newIndex()
	if err != nil || i >= len(x.segments) {
		return false
	}
	x.quiet = true
	if _, err := x.segment(i); err != nil {
		c.s.log.Debug("cannot make the index", "error", err)
	}
	return true
}

// end stops it, and waits for the segment that is under way.
func (c *calm) end() {
	c.timer.Stop()
	c.mu.Lock()
	c.ended = true
	c.mu.Unlock()
}
