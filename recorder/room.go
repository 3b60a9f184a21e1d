package recorder

import (
	"errors"
	"sync/atomic"
	"time"
)

// ErrNoRoom means that the disk is almost full, and the rest of it is left to
// what cannot do without: the store takes new exchanges once there is room.
var ErrNoRoom = errors.New("the disk has less than 500 MB free, and nothing is recorded until it has more; devhook prune makes room")

// minFree is how many bytes of the disk are left free.
const minFree = 500_000_000

// A room knows whether the disk has some, and asks it once a second.
type room struct {
	asked atomic.Int64 // Unix ns
	none  atomic.Bool
}

// check returns [ErrNoRoom] if there is none.
func (r *room) check(dir string, least int64) error {
	now := time.Now().UnixNano()
	if last := r.asked.Load(); (now-last > int64(time.Second) || now < last) && r.asked.CompareAndSwap(last, now) {
		free, ok := freeBytes(dir)
		r.none.Store(ok && least > 0 && free < uint64(least))
	}
	if r.none.Load() {
		return ErrNoRoom
	}
	return nil
}
