package recorder

import (
	"errors"
	"sync/atomic"
	"time"
)

// ErrNoRoom means that the disk is almost full. New exchanges are refused until it has
// room; what is left is for the results of those that were taken, and for other programs.
var ErrNoRoom = errors.New("the disk has less than 500 MB free, and nothing is recorded until it has more; devhook prune makes room")

// minFree is how many bytes of the disk are left free.
const minFree = 500_000_000

// A room knows whether the disk has too little left. It asks the system once a second at
// most.
type room struct {
	asked atomic.Int64 // Unix ns
	none  atomic.Bool
}

// hasRoom reports whether the disk has more than so many bytes free, if that is known.
func (s *Store) hasRoom(size int64) bool {
	free, ok := s.freeBytes(s.dir)
	return !ok || free > uint64(size)
}

// Room returns [ErrNoRoom] if the disk is so full that new exchanges are refused.
func (s *Store) Room() error { return s.room.check(s.dir, s.minFree) }

// check returns [ErrNoRoom] if the disk of dir has less than so many bytes free; with a
// least of 0 or less it never does.
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
