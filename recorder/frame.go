package recorder

import (
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"
)

// A Frame is one message of a WebSocket, which goes on where the exchange that
// opened it is done: with the answer 101.
type Frame struct {
	N   int64 // 1 is the first of its exchange; both directions are counted together
	At  time.Time
	Dir Direction
	Op  Op
	// Body is the payload, unmasked and decompressed: at most [MaxInline]
	// bytes of it. Size is how many there were, as far as they could be read.
	Body      []byte
	Size      int64
	Truncated bool  // Body is not all
	Fragments int   // frames of the protocol that it came in; 0 is 1
	Wire      int64 // bytes of the payload while it was compressed; 0: it was not
	// Code and Reason are those of an [OpClose], which has no Body.
	Code   int
	Reason string
	Detail string // what is wrong with it, "" if nothing is
}

// Direction is which way a [Frame] went.
type Direction string

// The directions of a [Frame].
const (
	In  Direction = "in"  // from the sender to the app
	Out Direction = "out" // from the app
)

// Op is what a [Frame] is.
type Op string

// The kinds of a [Frame]. OpUnread is none: it tells in Detail that what passed
// from there on in its direction was not read.
const (
	OpText   Op = "text"
	OpBinary Op = "binary"
	OpClose  Op = "close"
	OpPing   Op = "ping"
	OpPong   Op = "pong"
	OpUnread Op = "unread"
)

// An Ending is the end of a WebSocket; see [Store.EndFrames].
type Ending struct {
	At      time.Time
	In, Out int64  // frames of each direction
	Detail  string // how it came
}

// frameLag is how long frames may wait for a sync that somebody else asks for.
const frameLag = time.Second

// AddFrames records frames of the exchange called id, which was finished
// before. It returns when they are written; it waits for no sync, and they are
// durable a second later at the latest. The frames may be changed then.
func (s *Store) AddFrames(id ID, frames []Frame) error {
	e := newEntry()
	defer e.free()
	e.sealed = true
	size := 0
	for _, f := range frames {
		size += len(f.Body) + 250
	}
	e.enc.buf = slices.Grow(e.enc.buf, size)
	for i := range frames {
		from := len(e.enc.buf)
		e.enc.raw(framePre)
		e.enc.raw(string(id))
		e.enc.raw(`",`)
		e.enc.frame(&frames[i])
		e.enc.buf = sealLine(e.enc.buf, from)
	}
	if _, err := s.submit(e); err != nil {
		return fmt.Errorf("record frames of %s: %w", id, err)
	}
	s.frameSync.ask()
	return nil
}

// EndFrames records that the WebSocket of the exchange called id has ended. See
// [Store.Finish].
func (s *Store) EndFrames(id ID, end Ending) error {
	e := newEntry()
	defer e.free()
	e.sealed = true
	e.enc.raw(endingPre)
	e.enc.raw(string(id))
	e.enc.raw(`"`)
	e.enc.key("ended")
	e.enc.ending(&end)
	e.enc.buf = sealLine(e.enc.buf, 0)
	if _, err := s.submit(e); err != nil {
		return fmt.Errorf("record the end of %s: %w", id, err)
	}
	s.resultSync.ask()
	return nil
}

// Frames gives the frames of ex, oldest first: the newest ones if it is told
// how many, all if newest is 0. It has one at a time in memory. Damaged lines
// come as a [*DamagedError] beside a nil Frame and do not end it; any other
// error does.
func (s *Store) Frames(ex *Exchange, newest int) iter.Seq2[*Frame, error] {
	if newest > 0 {
		return s.newestFrames(ex, newest)
	}
	return func(yield func(*Frame, error) bool) {
		if !hasFrames(ex) {
			return
		}
		from, err := s.segmentOf(ex.Seq)
		if err != nil {
			yield(nil, err)
			return
		}
		for l, err := range s.forward(position{first: from}) {
			var f *Frame
			switch {
			case err == nil && (l.id != ex.ID || l.kind != 'f' && l.kind != 'e'):
				continue
			case err == nil && l.kind == 'e':
				return
			case err == nil:
				f, err = s.frameOf(l.line, l.at)
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// newestFrames looks for them from the end.
func (s *Store) newestFrames(ex *Exchange, n int) iter.Seq2[*Frame, error] {
	return func(yield func(*Frame, error) bool) {
		if !hasFrames(ex) {
			return
		}
		var spans []span
		for l, err := range s.backward() {
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			if l.kind == 'f' && l.id == ex.ID {
				spans = append(spans, l.span())
			}
			if len(spans) == n || l.kind == 'x' && l.seq <= ex.Seq {
				break
			}
		}
		cache := lineCache{s: s}
		defer cache.close()
		for _, sp := range slices.Backward(spans) {
			var f *Frame
			l, err := cache.read(sp)
			if err == nil {
				f, err = s.frameOf(l, sp.at)
			}
			if !yield(f, err) {
				return
			}
		}
	}
}

// hasFrames reports whether ex can have frames: whether it was answered with
// 101, so that another protocol went on behind it.
func hasFrames(ex *Exchange) bool { return ex.Response != nil && ex.Response.Status == 101 }

func (s *Store) frameOf(l line, at position) (*Frame, error) {
	f := new(Frame)
	if err := json.Unmarshal(l.raw, f); err != nil {
		return nil, s.damaged(at, fmt.Errorf("%w: %w", errBadLine, err))
	}
	return f, nil
}
