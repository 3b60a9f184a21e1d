package gateway

import (
	"context"
	"net/url"
	"sync"

	"devhook/recorder"
)

// maxWaiting is how many copies may wait for their app, and maxWaitingBytes how
// many bytes of bodies they may hold in memory; those in files do not count.
const (
	maxWaiting      = 1000
	maxWaitingBytes = 32 << 20
)

// copies are those that wait for their app.
type copies struct {
	mu    sync.Mutex
	n     int // guarded by mu
	bytes int // guarded by mu
}

// enter takes a copy of so many bytes in, if there is room.
func (c *copies) enter(bytes int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n >= maxWaiting || c.bytes+bytes > maxWaitingBytes {
		return false
	}
	c.n++
	c.bytes += bytes
	return true
}

func (c *copies) leave(bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n--
	c.bytes -= bytes
}

// mirror sends a copy to a further app, beside the delivery and without an
// answer to anybody. It is an exchange of its own.
func (d *delivery) mirror(to *url.URL) {
	copied := *d.ex
	copied.ID, copied.Parent, copied.Origin = "", d.ex.ID, recorder.Mirror
	copied.Target = targetURL(to, d.ex.Request.URL)
	m := *d
	m.ex, m.w, m.sender = &copied, nil, d.g.ending
	size := len(copied.Request.Body.Bytes)
	if !d.g.copies.enter(size) {
		m.drop("too slow: many copies are waiting already")
		return
	}
	d.g.work.Go(func() {
		select {
		case d.g.mirror <- struct{}{}:
			defer func() { <-d.g.mirror }()
			d.g.copies.leave(size)
		case <-d.g.ending.Done():
			d.g.copies.leave(size)
			m.drop("devhook ended before the copy was sent")
			return
		}
		m.started = m.g.o.Now()
		commit, err := m.g.o.Store.Write(m.ex)
		if err != nil {
			m.g.storeFailed("cannot record a copy", err)
			return
		}
		res, after := m.roundTrip(to, commit)
		if err := m.g.o.Store.Finish(context.Background(), m.ex.ID, res); err != nil {
			m.g.storeFailed("cannot record an answer", err)
		}
		if after != nil {
			after()
		}
	})
}

// drop records a copy that is not sent.
func (d *delivery) drop(why string) {
	d.ex.Outcome, d.ex.Detail = recorder.Unreachable, why
	if _, err := d.g.o.Store.Write(d.ex); err != nil {
		d.g.storeFailed("cannot record a copy", err)
	}
}
