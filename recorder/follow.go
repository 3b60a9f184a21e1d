package recorder

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	"devhook/internal/watch"
)

// A Cursor is a place in a journal; see [Store.Follow]. The zero Cursor is its
// start.
type Cursor struct {
	at   position
	last uint32 // of what stands before it, as lastBytes has it; 0 if that is not known
}

// End returns the place where the journal ends now.
func (s *Store) End() (Cursor, error) {
	list, err := s.segments()
	if err != nil || len(list) == 0 {
		return Cursor{}, err
	}
	first := list[len(list)-1]
	f, err := openShared(s.segmentPath(first), os.O_RDONLY)
	if err != nil {
		return Cursor{}, err
	}
	defer f.Close()
	end, err := wholeLines(f)
	if err != nil {
		return Cursor{}, err
	}
	return cursorIn(f, position{first, end})
}

// Follow gives the exchanges that end behind from, in the order in which they
// end and whichever process recorded them, and waits for more. It ends with
// ctx, or when the store is closed and all of it was given. What this process
// wrote is given once it is durable. Damaged lines come as an error beside a
// nil Exchange and do not end it.
//
// It holds up nobody: it reads the journal at the pace of who takes its values.
func (s *Store) Follow(ctx context.Context, from Cursor) iter.Seq2[*Exchange, error] {
	return s.follow(ctx, from, nil)
}

// FollowEnds is Follow, and gives an exchange that has opened a WebSocket once
// more when that has ended: with its Ending.
func (s *Store) FollowEnds(ctx context.Context, from Cursor) iter.Seq2[*Exchange, error] {
	return s.follow(ctx, from, map[ID]hit{})
}

func (s *Store) follow(ctx context.Context, from Cursor, open map[ID]hit) iter.Seq2[*Exchange, error] {
	return s.run(ctx, follower{at: from.at, open: open})
}

// run has f follow the journal.
func (s *Store) run(ctx context.Context, f follower) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		f := f // so that the values can be asked for more than once
		f.s, f.pending, f.cache, f.timer, f.pace = s, map[ID]hit{}, lineCache{s: s, brief: f.brief}, time.NewTimer(lookEvery), lookEvery
		defer f.close()
		s.recent.wanted.Store(true)
		for ctx.Err() == nil {
			progress, last := s.progress()
			before := f.at
			if !f.drain(yield) {
				return
			}
			if f.pace = min(2*f.pace, lookSlow); f.at != before {
				f.pace = lookEvery
			}
			if last || !f.wait(ctx, progress) {
				return
			}
		}
	}
}

// A follower reads the journal to its end, again and again.
type follower struct {
	s       *Store
	at      position
	f       *os.File // segment at.first, or nil
	ended   bool     // there was a next one already when it was opened
	r       *lineReader
	watch   *watch.Watcher // of f
	pending map[ID]hit     // exchanges whose result was not seen yet
	open    map[ID]hit     // those that have opened a WebSocket; nil if its end is not wanted
	brief   bool           // no long bodies are wanted
	step    *Step          // what is given, but for its Exchange, to who wants each step; else nil
	cache   lineCache
	timer   *time.Timer
	pace    time.Duration // until it looks again
}

// lookEvery is how often a follower looks for what nobody tells it of, and lookSlow how
// often where nothing comes: what is open all day should not keep a laptop awake, and a page is to have
// what another process wrote within 150 ms.
const (
	lookEvery = 40 * time.Millisecond
	lookSlow  = 100 * time.Millisecond
)

func (f *follower) close() {
	f.timer.Stop()
	f.leave()
	f.cache.close()
}

func (f *follower) leave() {
	if f.watch != nil {
		f.watch.Close()
		f.watch = nil
	}
	if f.f != nil {
		f.f.Close()
		f.f = nil
	}
}

// drain gives all there is now. It returns false if nothing more is wanted.
func (f *follower) drain(yield func(*Exchange, error) bool) bool {
	for {
		if f.f == nil {
			if err := f.enter(); err != nil {
				return yield(nil, err)
			}
			if f.f == nil {
				return true // nothing is recorded yet
			}
		}
		info, err := f.f.Stat()
		if err != nil {
			return yield(nil, err)
		}
		next, err := f.next(info)
		if err == nil && next != 0 { // so that this one grows no more
			info, err = f.f.Stat()
		}
		if err != nil {
			return yield(nil, err)
		}
		whole, more := f.read(yield, info.Size())
		if !more {
			return false
		}
		if next == 0 || !whole {
			return true
		}
		f.leave()
		f.at = position{first: next}
	}
}

// next returns the first number of the segment after the open one, 0 if there
// is none yet. It looks only when there can be one: when the open one is full,
// or gone, or was the last one no longer from the start.
func (f *follower) next(info os.FileInfo) (uint64, error) {
	f.s.syncMu.Lock()
	own := f.s.seg.first
	f.s.syncMu.Unlock()
	if info.Size() < f.s.segmentSize && own <= f.at.first && !f.ended && !removed(f.f, info) {
		return 0, nil
	}
	return f.s.nextSegment(f.at.first)
}

// enter opens the segment that at is in, or the first one behind it.
func (f *follower) enter() error {
	file, err := openShared(f.s.segmentPath(f.at.first), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		next, err := f.s.nextSegment(f.at.first)
		if err != nil || next == 0 {
			return err
		}
		f.at = position{first: next}
		return f.enter()
	}
	if err != nil {
		return err
	}
	next, err := f.s.nextSegment(f.at.first)
	if err != nil {
		file.Close()
		return err
	}
	f.f, f.ended = file, next != 0
	f.r = newLineReader(file, f.at.offset, f.at.offset)
	return nil
}

// read gives what may be shown of the open segment, which has size bytes. It
// returns whether that was all the segment has, and whether more is wanted.
func (f *follower) read(yield func(*Exchange, error) bool, size int64) (whole, more bool) {
	limit, whole := f.s.visible(f.at.first, size)
	f.r.limit = max(f.r.limit, limit)
	for {
		raw, err := f.r.next()
		if err == io.EOF {
			f.at.offset = f.r.offset
			f.r.drop() // a line that is only begun can still be cut off, and another one be written there
			return whole, true
		}
		if err != nil {
			return false, yield(nil, err)
		}
		at := position{f.at.first, f.r.start}
		l, err := parseLine(raw)
		if err != nil {
			if !yield(nil, f.s.damaged(at, err)) {
				return false, false
			}
			continue
		}
		if f.step != nil {
			*f.step = Step{Next: Cursor{position{f.at.first, f.r.offset}, lastBytes(raw)}}
		}
		ex, err := f.take(found{l, at})
		given := ex != nil || err != nil || f.step != nil && f.step.Removed > 0
		if given && !yield(ex, err) {
			return false, false
		}
	}
}

// take returns the exchange that l ends, nil if it ends none. Who wants each step gets
// the one that l is about.
func (f *follower) take(l found) (*Exchange, error) {
	switch l.kind {
	case 'x':
		return f.takeArrival(l)
	case 'r':
		return f.takeResult(l)
	case 'e':
		return f.takeEnding(l)
	case 'p':
		return f.takePin(l)
	case 'd':
		if f.step != nil {
			f.step.Removed = l.removed()
		}
	}
	return nil, nil
}

func (f *follower) takeArrival(l found) (*Exchange, error) {
	ex := f.s.recent.exchange(l.id, false)
	if ex == nil {
		x := l.line
		if f.brief {
			x = x.brief()
		}
		var err error
		if ex, err = x.exchange(); err != nil {
			return nil, f.s.damaged(l.at, err)
		}
	}
	if ex.Outcome == Pending {
		f.pending[l.id] = hit{x: l.span()}
		if f.step == nil {
			return nil, nil
		}
	}
	return ex, nil
}

func (f *follower) takeResult(l found) (*Exchange, error) {
	h, ok := f.pending[l.id]
	if !ok { // it began before the cursor
		ex, err := f.s.getID(l.id)
		if ex != nil {
			ex.Ending = nil // which comes in its turn
		}
		return ex, unlessPruned(err)
	}
	delete(f.pending, l.id)
	ex := f.s.recent.exchange(l.id, true)
	h.r = l.span()
	if ex != nil {
		ex.Pinned = h.pinned
	} else {
		var err error
		if ex, err = f.cache.exchange(h); err != nil {
			// Its segment can have been written anew meanwhile.
			if ex, _ = f.s.getID(l.id); ex == nil {
				return nil, err
			}
		}
	}
	if f.open != nil && hasFrames(ex) {
		f.open[l.id] = h
	}
	return ex, nil
}

// takeEnding is of the end of a WebSocket, which not everybody wants.
func (f *follower) takeEnding(l found) (*Exchange, error) {
	if f.open == nil {
		return nil, nil
	}
	h, ok := f.open[l.id]
	if !ok {
		ex, err := f.s.getID(l.id)
		return ex, unlessPruned(err)
	}
	delete(f.open, l.id)
	h.e = l.span()
	ex, err := f.cache.exchange(h)
	if err != nil { // its segment can have been written anew, too
		if again, _ := f.s.getID(l.id); again != nil {
			return again, nil
		}
	}
	return ex, err
}

func (f *follower) takePin(l found) (*Exchange, error) {
	for _, known := range []map[ID]hit{f.pending, f.open} {
		if h, ok := known[l.id]; ok {
			h.pinned = l.pins()
			known[l.id] = h
		}
	}
	if f.step == nil {
		return nil, nil
	}
	f.step.Pin = true
	ex, err := f.s.getID(l.id)
	if errors.Is(err, ErrNotFound) { // it was removed since
		return nil, nil
	}
	return ex, err
}

// unlessPruned forgives that an exchange is not there any more: its segment went, and
// a line of it that stood in another did not.
func unlessPruned(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// wait waits until there may be more. It returns false when ctx has ended.
func (f *follower) wait(ctx context.Context, progress <-chan struct{}) bool {
	// A process that writes itself is told by progress, and looks now and then
	// for what others write; one that only reads has the file watched.
	var changed <-chan struct{}
	if f.s.readOnly {
		if f.watch == nil {
			f.watch = watch.File(f.s.segmentPath(f.at.first))
			if f.f != nil {
				return true // look once more: it can have changed before it was watched
			}
		}
		changed = f.watch.C
	}
	var look <-chan time.Time
	if !f.s.readOnly || f.at.offset >= f.s.segmentSize || f.gone() { // the next one will be another file
		f.timer.Reset(f.pace)
		look = f.timer.C
	}
	select {
	case <-progress:
	case <-changed:
	case <-look:
	case <-f.s.closed:
		<-f.s.syncDone
	case <-ctx.Done():
		return false
	}
	return true
}

// gone reports whether there is no segment to watch: none yet, or none any
// more.
func (f *follower) gone() bool {
	if f.f == nil {
		return true
	}
	info, err := f.f.Stat()
	return err != nil || removed(f.f, info)
}

// progress returns a channel that is closed when more of what this process
// wrote is durable, and whether the store is closed, so that no more will be.
func (s *Store) progress() (<-chan struct{}, bool) {
	last := false
	select {
	case <-s.closed:
		select {
		case <-s.syncDone:
			last = true
		default:
		}
	default:
	}
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	return s.advanced, last
}

// visible returns how much of a segment of size bytes may be shown: all that
// others wrote, and what this process wrote as far as it is durable. whole says that it is
// all the segment has.
func (s *Store) visible(first uint64, size int64) (limit int64, whole bool) {
	s.syncMu.Lock()
	defer s.syncMu.Unlock()
	if first == s.seg.first && s.durable.offset < max(s.seg.end, s.writing) && !s.readOnly {
		return s.durable.offset, false
	}
	return size, true
}
