package gateway

import (
	"errors"
	"sync"
	"syscall"
	"time"
)

// quietTime is how long nothing may have gone wrong for the same cause until
// it is told of again: a full disk must not fill the screen as well.
const quietTime = 10 * time.Second

// A trouble is what keeps going wrong with the store.
type trouble struct {
	mu    sync.Mutex
	cause string    // guarded by mu
	last  time.Time // guarded by mu: when it was met
}

// isNew notes that err was met and reports whether that is news.
func (t *trouble) isNew(err error, now time.Time) bool {
	var errno syscall.Errno // what is around it names the webhook
	if errors.As(err, &errno) {
		err = errno
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if cause := err.Error(); cause != t.cause {
		t.cause, t.last = cause, time.Time{}
	}
	isNew := now.Sub(t.last) > quietTime
	t.last = now
	return isNew
}

// storeFailed tells what the store did not do.
func (g *Gateway) storeFailed(what string, err error) {
	if g.trouble.isNew(err, g.o.Now()) {
		g.o.Log.Error(what, "error", err)
	}
}

// notRecorded tells the sender to try again: nothing that is not on the disk
// is acknowledged.
func (d *delivery) notRecorded(what string, err error) {
	d.g.storeFailed(what+", and the sender is told to try again", err)
	if d.w != nil {
		d.g.unrecorded.Add(1)
	}
	d.send(apiError(503, "not_recorded", d.ex.ID))
}
