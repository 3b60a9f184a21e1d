package recorder

import (
	"errors"
	"slices"
	"strconv"
	"sync"
)

// An entry is a line on its way into the journal.
type entry struct {
	enc    encoder
	sealed bool // enc has whole lines, with their sums
	leaves bool // has no line: ends the segment called first, if that is the last one
	first  uint64
	split  int       // where the sequence number goes
	ex     *Exchange // gets the number; nil for other kinds
	id     ID        // of the exchange that res ends, "" for other kinds
	res    Result
	pos    uint64 // set when written: bytes that this process has written up to its end
	err    error
	turn   chan bool // true: it is your turn to write; false: you are written

	deferred *Deferred // nobody waits for its turn: it is told to this
}

var entries = sync.Pool{New: func() any { return &entry{turn: make(chan bool, 1)} }}

func newEntry() *entry { return entries.Get().(*entry) }

func (e *entry) free() {
	if cap(e.enc.buf) > 64<<10 {
		e.enc.buf = nil // a rare large one must not stay for ever
	}
	e.enc.buf, e.sealed, e.split = e.enc.buf[:0], false, 0
	e.leaves, e.first = false, 0
	e.ex, e.id, e.res, e.err, e.deferred = nil, "", Result{}, nil, nil
	entries.Put(e)
}

// submit has e written, alone or with those that wait beside it: whoever comes
// to an idle journal writes, also for those who are about to come, and all who come
// meanwhile are written together by the first of them. It returns how much this
// process has then written.
func (s *Store) submit(e *entry) (uint64, error) {
	if s.readOnly {
		return 0, ErrReadOnly
	}
	s.queueMu.Lock()
	s.queue = append(s.queue, e)
	wait := s.leading
	s.leading = true
	s.queueMu.Unlock()
	if wait && !<-e.turn {
		return e.pos, e.err
	}

	gather(func() uint64 {
		s.queueMu.Lock()
		defer s.queueMu.Unlock()
		return uint64(len(s.queue))
	})
	s.queueMu.Lock()
	batch := s.queue
	s.queue, s.deferred, s.deferredBytes = nil, 0, 0
	s.queueMu.Unlock()
	s.write(batch)
	for _, other := range batch {
		if other.deferred != nil {
			other.settle()
		}
	}
	s.queueMu.Lock()
	next := slices.IndexFunc(s.queue, func(e *entry) bool { return e.deferred == nil })
	if s.leading = next >= 0; s.leading {
		s.queue[next].turn <- true
	}
	s.queueMu.Unlock()
	for _, other := range batch {
		switch {
		case other.deferred != nil:
			other.free()
		case other != e:
			other.turn <- false
		}
	}
	return e.pos, e.err
}

// write writes a batch with one call and under one lock.
func (s *Store) write(batch []*entry) {
	err := s.writeLocked(batch)
	for _, e := range batch {
		e.err = err
	}
}

func (s *Store) writeLocked(batch []*entry) (err error) {
	if err := s.failure(); err != nil {
		return err
	}
	select {
	case <-s.closed:
		return ErrClosed
	default:
	}
	if err := lockFile(s.lock); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlockFile(s.lock)) }()
	if err := s.catchUp(); err != nil {
		return err
	}
	if slices.ContainsFunc(batch, func(e *entry) bool { return e.leaves && e.first == s.seg.first }) {
		if err := s.leave(); err != nil {
			return err
		}
	}
	if s.seg.left || s.seg.end >= s.segmentSize {
		// Its name is a number that is then passed over, so that two
		// segments never have the same.
		if err := s.enter(s.lastSeq + 1); err != nil {
			return err
		}
	}

	size := 0
	for _, e := range batch {
		size += len(e.enc.buf) + 20 + sumLen + 1
	}
	buf := slices.Grow(s.scratch[:0], size)
	if s.scratch = buf; cap(buf) > 1<<20 {
		s.scratch = nil // a rare large one must not stay for ever
	}
	seq := s.lastSeq
	for _, e := range batch {
		from := len(buf)
		buf = append(buf, e.enc.buf[:e.split]...)
		if e.ex != nil {
			seq++
			e.ex.Seq = seq
			buf = strconv.AppendUint(buf, seq, 10)
		}
		buf = append(buf, e.enc.buf[e.split:]...)
		if !e.sealed {
			buf = sealLine(buf, from)
		}
		e.pos = s.written + uint64(len(buf))
	}
	s.recent.add(batch) // first, because followers can be quick
	s.noteWriting(s.seg.end + int64(len(buf)))
	defer s.noteWriting(0)
	if _, err := s.seg.f.WriteAt(buf, s.seg.end); err != nil {
		s.recent.forget(batch)
		if cut := s.seg.f.Truncate(s.seg.end); cut != nil {
			s.fail(cut)
		}
		return err
	}
	s.lastSeq = seq
	s.syncMu.Lock()
	s.seg.end += int64(len(buf))
	s.written += uint64(len(buf))
	s.syncMu.Unlock()
	s.calm.wrote(len(buf))
	return nil
}

// noteWriting tells followers how far the journal will reach after the write
// that is under way: what is there of it is not durable yet.
func (s *Store) noteWriting(end int64) {
	s.syncMu.Lock()
	s.writing = end
	s.syncMu.Unlock()
}
