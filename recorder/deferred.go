package recorder

import (
	"context"
	"fmt"
	"sync"
)

// Bounds of what is kept back to be written together: who comes behind them writes.
const (
	maxDeferred      = 64 // lines
	maxDeferredBytes = 1 << 20
)

// A Deferred is an exchange of which nobody is told before Wait: its lines are kept back, to
// be written with those of others, as the bounds want it, or [syncLag] later. A process that
// is killed until then leaves nothing of it. See [Store.Defer].
type Deferred struct {
	s  *Store
	id ID

	mu      sync.Mutex
	waiting int    // guarded by mu: lines that are kept back
	seq     uint64 // guarded by mu: of the exchange, once it is written
	pos     uint64 // guarded by mu: behind the last line that is written
	err     error  // guarded by mu: the first that was not
}

// Defer is [Store.Write] for who writes many at once and tells of none before it is durable.
// ex is the store's from then on: what Wait returns is its number. Its lines are written in
// the order of the calls, also among those of Write.
func (s *Store) Defer(ex *Exchange) (*Deferred, error) {
	if s.readOnly {
		return nil, ErrReadOnly
	}
	e, err := s.exchangeEntry(ex)
	if err != nil {
		return nil, err
	}
	d := &Deferred{s: s, id: ex.ID}
	s.deferEntry(d, e)
	return d, nil
}

// Finish records how the exchange ended; Wait has the error. It must be called once at most,
// and not beside Wait.
func (d *Deferred) Finish(res Result) {
	d.mu.Lock()
	failed := d.err != nil
	d.mu.Unlock()
	if failed { // there is nothing to end
		return
	}
	d.s.deferEntry(d, resultEntry(d.id, res))
}

// Wait returns the number of the exchange when all of it is durable. Its errors are those of
// [Commit.Wait] and [Store.Write].
func (d *Deferred) Wait(ctx context.Context) (seq uint64, err error) {
	d.mu.Lock()
	waiting := d.waiting > 0
	d.mu.Unlock()
	if waiting {
		d.s.writeDeferred()
	}
	d.mu.Lock()
	seq, pos, err := d.seq, d.pos, d.err
	d.mu.Unlock()
	if err != nil {
		return seq, fmt.Errorf("record %s: %w", d.id, err)
	}
	return seq, Commit{d.s, pos}.Wait(ctx)
}

// deferEntry keeps e back, or writes it with all that is.
func (s *Store) deferEntry(d *Deferred, e *entry) {
	e.deferred = d
	d.mu.Lock()
	d.waiting++
	d.mu.Unlock()
	s.queueMu.Lock()
	s.queue = append(s.queue, e)
	s.deferred++
	s.deferredBytes += len(e.enc.buf)
	full := s.deferred >= maxDeferred || s.deferredBytes >= maxDeferredBytes
	s.queueMu.Unlock()
	if full {
		s.writeDeferred()
	} else {
		s.resultSync.ask()
	}
}

// writeDeferred returns when all is written, or could not be, that was kept back.
func (s *Store) writeDeferred() {
	s.queueMu.Lock()
	idle := s.deferred == 0 && !s.leading // else somebody may have it in his hands
	s.queueMu.Unlock()
	if idle {
		return
	}
	e := newEntry() // has nothing to write
	e.sealed = true
	s.submit(e) // what is wrong is of those who want something written
	e.free()
}

// settle tells the Deferred of e that e was written, or why not.
func (e *entry) settle() {
	d := e.deferred
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting--
	if e.err != nil {
		d.err = e.err
		return
	}
	d.pos = e.pos
	if e.ex != nil {
		d.seq = e.ex.Seq
	}
}
