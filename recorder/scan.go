package recorder

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"slices"
)

// chunk is how much of a segment is read at once, in bytes.
const chunk = 256 << 10

// A lineReader reads the whole lines of a file between two offsets, forwards.
type lineReader struct {
	f      io.ReaderAt
	buf    []byte // read, and not given out yet
	from   int    // start in buf of the next line
	seen   int    // buf[from:seen] has no newline
	offset int64  // of the next line in the file
	start  int64  // of the line that was given last
	limit  int64
}

func newLineReader(f io.ReaderAt, offset, limit int64) *lineReader {
	return &lineReader{f: f, offset: offset, start: offset, limit: limit}
}

// next returns the next line without its newline, valid until the next call,
// and io.EOF where no whole line is left.
func (r *lineReader) next() ([]byte, error) {
	for {
		if i := bytes.IndexByte(r.buf[r.seen:], '\n'); i >= 0 {
			end := r.seen + i
			raw := r.buf[r.from:end]
			r.start = r.offset
			r.offset += int64(len(raw) + 1)
			r.from, r.seen = end+1, end+1
			return raw, nil
		}
		r.seen = len(r.buf)
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads on.
func (r *lineReader) fill() error {
	held := copy(r.buf, r.buf[r.from:])
	r.seen -= r.from
	r.from = 0
	at := r.offset + int64(held)
	want := min(int64(max(chunk, held)), r.limit-at)
	if want <= 0 {
		r.buf = r.buf[:held]
		return io.EOF
	}
	r.buf = slices.Grow(r.buf[:held], int(want))
	n, err := r.f.ReadAt(r.buf[held:held+int(want)], at)
	r.buf = r.buf[:held+n]
	if n > 0 {
		return nil
	}
	return err
}

// drop forgets what was read of a line that has no end yet.
func (r *lineReader) drop() { r.buf, r.from, r.seen = r.buf[:0], 0, 0 }

// A backReader reads the lines of a file from an offset behind a newline,
// backwards.
type backReader struct {
	f    io.ReaderAt
	buf  []byte // of the file, from base to end at least
	base int64
	end  int64 // behind the newline of the next line to give
}

func newBackReader(f io.ReaderAt, end int64) *backReader {
	return &backReader{f: f, base: end, end: end}
}

// prev returns the line before, without its newline, and its offset; io.EOF at
// the start of the file. The line stays valid.
func (r *backReader) prev() ([]byte, int64, error) {
	for r.end > 0 {
		if last := int(r.end - 1 - r.base); last >= 0 {
			i := bytes.LastIndexByte(r.buf[:last], '\n')
			if i >= 0 || r.base == 0 {
				r.end = r.base + int64(i+1)
				return r.buf[i+1 : last], r.end, nil
			}
		}
		held := r.buf[:r.end-r.base]
		more := min(int64(max(chunk, len(held))), r.base)
		buf := make([]byte, more, int(more)+len(held))
		if _, err := r.f.ReadAt(buf, r.base-more); err != nil {
			return nil, 0, err
		}
		r.buf, r.base = append(buf, held...), r.base-more
	}
	return nil, 0, io.EOF
}

// wholeLines returns how many bytes of f are whole lines.
func wholeLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 4<<10)
	for end := info.Size(); end > 0; {
		n := min(int64(len(buf)), end)
		if _, err := f.ReadAt(buf[:n], end-n); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return end - n + int64(i+1), nil
		}
		end -= n
	}
	return 0, nil
}

// A found line is one and where it stands.
type found struct {
	line
	at position
}

// backward gives the lines of the journal, newest first. Damaged ones come as
// an error and do not end it.
func (s *Store) backward() iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		list, err := s.segments()
		if err != nil {
			yield(found{}, err)
			return
		}
		for _, first := range slices.Backward(list) {
			if !s.backwardIn(first, yield) {
				return
			}
		}
	}
}

func (s *Store) backwardIn(first uint64, yield func(found, error) bool) bool {
	f, err := openShared(s.segmentPath(first), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return true // dropped meanwhile
	}
	if err != nil {
		return yield(found{}, err)
	}
	defer f.Close()
	end, err := wholeLines(f)
	if err != nil {
		return yield(found{}, err)
	}
	r := newBackReader(f, end)
	return s.lines(first, r.prev, yield)
}

// lines yields those that next gives of a segment, each with where it begins, until
// its error is io.EOF or yield wants no more, which it reports by false.
func (s *Store) lines(first uint64, next func() (raw []byte, offset int64, err error), yield func(found, error) bool) bool {
	for {
		raw, offset, err := next()
		if err == io.EOF {
			return true
		}
		if err != nil {
			return yield(found{}, err)
		}
		at := position{first, offset}
		l, err := parseLine(raw)
		if err != nil {
			if !yield(found{at: at}, s.damaged(at, err)) {
				return false
			}
			continue
		}
		if !yield(found{l, at}, nil) {
			return false
		}
	}
}

// forward gives the lines of the journal from a position on, oldest first, up
// to where it ends now.
func (s *Store) forward(from position) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		list, err := s.segments()
		if err != nil {
			yield(found{}, err)
			return
		}
		for _, first := range list {
			if first < from.first {
				continue
			}
			start := int64(0)
			if first == from.first {
				start = from.offset
			}
			if !s.forwardIn(first, start, yield) {
				return
			}
		}
	}
}

func (s *Store) forwardIn(first uint64, start int64, yield func(found, error) bool) bool {
	f, err := openShared(s.segmentPath(first), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return yield(found{}, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return yield(found{}, err)
	}
	r := newLineReader(f, start, info.Size())
	return s.lines(first, func() ([]byte, int64, error) {
		raw, err := r.next()
		return raw, r.start, err
	}, yield)
}

// A DamagedError tells of a line of the journal that cannot be read. The lines
// around it can.
type DamagedError struct {
	File   string
	Offset int64 // of the line in File, in bytes
	Err    error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s: line at byte %d: %v", e.File, e.Offset, e.Err)
}

// Unwrap returns what is wrong with the line.
func (e *DamagedError) Unwrap() error { return e.Err }

func (s *Store) damaged(at position, err error) error {
	return &DamagedError{File: s.segmentPath(at.first), Offset: at.offset, Err: err}
}

// A span is where a line stands, and its length; the zero span is none.
type span struct {
	at position
	n  int
}

func (f found) span() span { return span{f.at, len(f.raw)} }

// A lineCache reads lines by their spans, and reads ahead while they follow each
// other closely. It is for one goroutine.
type lineCache struct {
	s     *Store
	first uint64
	f     *os.File // the segment that was read last
	buf   []byte   // of it, from base on
	base  int64
	last  int64 // where the last line ended
	near  int   // how many came right behind the one before
	brief bool  // without long bodies
}

// read returns a line, valid until the next call.
func (c *lineCache) read(sp span) (line, error) {
	if c.f == nil || c.first != sp.at.first {
		c.close()
		f, err := openShared(c.s.segmentPath(sp.at.first), os.O_RDONLY)
		if err != nil {
			return line{}, err
		}
		c.f, c.first, c.buf, c.last = f, sp.at.first, c.buf[:0], 0
	}
	from, to := sp.at.offset, sp.at.offset+int64(sp.n)
	if from < c.base || to > c.base+int64(len(c.buf)) {
		want := sp.n
		if c.near++; from < c.base || c.last == 0 || from > c.last+chunk/8 {
			c.near = 0
		}
		if c.near > 1 { // and so not for an exchange and its result alone
			want = max(want, chunk)
		}
		c.buf, c.base = slices.Grow(c.buf[:0], want)[:want], from
		n, err := c.f.ReadAt(c.buf, from)
		if c.buf = c.buf[:n]; n < sp.n {
			return line{}, err
		}
	}
	c.last = to
	l, err := parseLine(c.buf[from-c.base:][:sp.n:sp.n])
	if err != nil {
		return line{}, c.s.damaged(sp.at, err)
	}
	if c.brief {
		l = l.brief()
	}
	return l, nil
}

// arrival reads an exchange as it was recorded first.
func (c *lineCache) arrival(h hit) (*Exchange, error) {
	l, err := c.read(h.x)
	if err != nil {
		return nil, err
	}
	ex, err := l.exchange()
	if err != nil {
		return nil, c.s.damaged(h.x.at, err)
	}
	ex.Pinned = h.pinned
	return ex, nil
}

// exchange reads an exchange and, if it has them, its result and its end.
func (c *lineCache) exchange(h hit) (*Exchange, error) {
	ex, err := c.arrival(h)
	if err != nil {
		return nil, err
	}
	for _, more := range []struct {
		span
		put func(line, *Exchange) error
	}{{h.r, line.complete}, {h.e, line.end}} {
		if more.n == 0 {
			continue
		}
		l, err := c.read(more.span)
		if err != nil {
			return nil, err
		}
		if l.id != ex.ID {
			return nil, errBadIndex
		}
		if err := more.put(l, ex); err != nil {
			return nil, c.s.damaged(more.at, err)
		}
	}
	return ex, nil
}

func (c *lineCache) close() {
	if c.f != nil {
		c.f.Close()
		c.f = nil
	}
}
