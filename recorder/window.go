package recorder

import (
	"os"
	"slices"
)

// A window is what was read last of a segment, as the lines that are looked at
// stand close together.
type window struct {
	back  bool
	first uint64
	f     *os.File
	buf   []byte
	base  int64
	spare []byte // for a result that is not in buf
	now   rawLines
}

const windowSize = 256 << 10

// lines returns what stands in the journal of row i. It is valid until the next
// call.
func (w *window) lines(s *Store, c *columnReader, h hit, i uint32) (*rawLines, error) {
	x, r, err := w.read(s, h)
	if err != nil {
		return nil, err
	}
	flags, err := c.column(colFlags)
	if err != nil {
		return nil, err
	}
	body, err := c.column(colBody)
	if err != nil {
		return nil, err
	}
	answer, err := c.column(colAnswer)
	if err != nil {
		return nil, err
	}
	l := &w.now
	*l = rawLines{flags: flags[i], head: x}
	part := func(line, at []byte) []byte {
		sp := spanAt(0, at)
		if sp.n == 0 || sp.at.offset+int64(sp.n) > int64(len(line)) {
			return nil
		}
		return line[sp.at.offset:][:sp.n]
	}
	if l.body = part(x, body[i*8:]); l.body != nil {
		l.head = x[:spanAt(0, body[i*8:]).at.offset]
	}
	from := x
	if flags[i]&flagResult != 0 {
		from = r
	}
	l.answer = part(from, answer[i*8:])
	if flags[i]&flagOpen != 0 && r != nil { // its columns are in another run
		l.flags |= flagOther
	}
	return l, nil
}

func (w *window) read(s *Store, h hit) (x, r []byte, err error) {
	if w.f == nil || w.first != h.x.at.first {
		w.close()
		if w.f, err = openShared(s.segmentPath(h.x.at.first), os.O_RDONLY); err != nil {
			return nil, nil, err
		}
		w.first, w.buf = h.x.at.first, w.buf[:0]
	}
	from, to := h.x.at.offset, h.x.at.offset+int64(h.x.n)
	if h.r.n > 0 && h.r.at.first == h.x.at.first && h.r.at.offset+int64(h.r.n)-from < windowSize/2 {
		to = max(to, h.r.at.offset+int64(h.r.n))
	}
	if from < w.base || to > w.base+int64(len(w.buf)) {
		size := max(windowSize, to-from)
		if w.base = from; w.back {
			w.base = max(0, to-size)
		}
		w.buf = slices.Grow(w.buf[:0], int(size))[:size]
		n, err := w.f.ReadAt(w.buf, w.base)
		if w.buf = w.buf[:n]; to > w.base+int64(n) {
			return nil, nil, err
		}
	}
	x = w.buf[from-w.base:][:h.x.n]
	if h.r.n == 0 {
		return x, nil, nil
	}
	if at := h.r.at.offset - w.base; h.r.at.first == w.first && at >= 0 && at+int64(h.r.n) <= int64(len(w.buf)) {
		return x, w.buf[at:][:h.r.n], nil
	}
	if h.r.at.first != w.first {
		return x, []byte{}, nil // of another segment: it is decoded
	}
	w.spare = slices.Grow(w.spare[:0], h.r.n)[:h.r.n]
	_, err = w.f.ReadAt(w.spare, h.r.at.offset)
	return x, w.spare, err
}

func (w *window) close() {
	if w.f != nil {
		w.f.Close()
		w.f = nil
	}
}
