package recorder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// A Commit tells when something written is durable.
type Commit struct {
	s   *Store
	pos uint64
}

// Wait returns nil when what was written is durable, and an error if it
// cannot be made so, if the store is closed or if ctx ends first. If nobody
// syncs, it does so itself: to wake another goroutine for it takes about as
// long as the disk does.
func (c Commit) Wait(ctx context.Context) error {
	s := c.s
	for {
		s.syncMu.Lock()
		done, err, advanced := s.synced >= c.pos, s.failed, s.advanced
		s.syncMu.Unlock()
		switch {
		case done:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-s.syncDone:
		default:
			if s.syncing.TryLock() {
				s.syncLocked()
				continue
			}
		}
		select {
		case <-advanced:
		case <-s.syncDone: // closed; the last sync is over
			s.syncMu.Lock()
			done, err := s.synced >= c.pos, s.failed
			s.syncMu.Unlock()
			if done {
				return nil
			}
			return errors.Join(err, ErrClosed)
		case <-ctx.Done():
			s.resultSync.ask() // others are still to see it
			return context.Cause(ctx)
		}
	}
}

// Soon has what was written made durable soon, for who will Wait later. It does
// not block.
func (c Commit) Soon() { c.s.syncSoon() }

// syncSoon asks for a sync; one that is asked for while one runs comes after
// it, for all who have asked by then.
func (s *Store) syncSoon() {
	select {
	case s.wakeSync <- struct{}{}:
	default:
	}
}

// A laterSync asks for a sync some time after it is asked itself, once for all
// who ask until then.
type laterSync struct {
	lag   time.Duration
	timer *time.Timer
	set   atomic.Bool // timer is running
}

func (l *laterSync) init(s *Store, lag time.Duration) {
	l.lag = lag
	l.timer = time.AfterFunc(time.Hour, func() {
		l.set.Store(false)
		s.syncSoon()
	})
	l.timer.Stop()
}

func (l *laterSync) ask() {
	if l.set.CompareAndSwap(false, true) {
		l.timer.Reset(l.lag)
	}
}

func (s *Store) syncLoop(ctx context.Context) {
	defer close(s.syncDone)
	for {
		select {
		case <-s.wakeSync:
			s.sync()
		case <-ctx.Done():
			s.sync()
			return
		}
	}
}

// sync makes all that is written durable and tells those who wait.
func (s *Store) sync() {
	s.writeDeferred()
	s.syncing.Lock()
	s.syncLocked()
}

// syncLocked does so with syncing held, and frees it.
func (s *Store) syncLocked() {
	gather(func() uint64 {
		s.syncMu.Lock()
		defer s.syncMu.Unlock()
		return s.written
	})
	s.syncSeen(s.unsynced())
}

// gather lets others run as long as count grows by that, which costs nothing where
// there are none: who writes or syncs at once after a wait does so for one or two,
// and again for the many who were woken with it. It ends soon even if it always grows.
func gather(count func() uint64) {
	const rounds = 8
	last := count()
	for range rounds {
		runtime.Gosched()
		n := count()
		if n == last {
			return
		}
		last = n
	}
}

// A sight is what there was to sync when somebody looked.
type sight struct {
	written uint64
	at      position
	f       *os.File
	idle    bool // there was nothing
}

func (s *Store) unsynced() sight {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	at := position{s.seg.first, s.seg.end}
	return sight{s.written, at, s.seg.f, s.failed != nil || s.synced == s.written && s.durable == at}
}

// syncSeen syncs what was seen and frees syncing before it tells anybody: of those
// who then find that they are not served, one syncs. It tells also where there was
// nothing: somebody can have written since, have found syncing held, and wait.
func (s *Store) syncSeen(seen sight) {
	var err error
	if !seen.idle {
		err = syncData(seen.f)
	}
	s.syncing.Unlock()
	if err != nil && !errors.Is(err, os.ErrClosed) { // closed: enter has synced it
		s.fail(err)
		return
	}
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if seen.idle || !s.advance(seen.written, seen.at) {
		s.tell()
	}
}

// advance notes that all up to written, and the journal up to at, is durable, and
// reports whether that is news, which it tells. syncMu is held.
func (s *Store) advance(written uint64, at position) bool {
	if written <= s.synced && !s.durable.before(at) {
		return false
	}
	s.synced = max(s.synced, written)
	if s.durable.before(at) {
		s.durable = at
	}
	s.tell()
	return true
}

// tell wakes all who wait. syncMu is held.
func (s *Store) tell() {
	close(s.advanced)
	s.advanced = make(chan struct{})
}

func (p position) before(q position) bool {
	return p.first < q.first || p.first == q.first && p.offset < q.offset
}

// fail stops the store: what is on the disk is no longer known.
func (s *Store) fail(err error) {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if s.failed == nil {
		s.failed = fmt.Errorf("the disk did not take it, and the store takes nothing more until it is opened again: %w", err)
		s.tell()
	}
}

func (s *Store) failure() error {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	return s.failed
}
