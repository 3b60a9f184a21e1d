package recorder

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"devhook/verify"
)

// indexedKey reports whether conditions on key are answered by the index.
func indexedKey(key string) bool {
	switch key {
	case "provider", "event", "verdict", "reason", "outcome", "origin", "method", "path", "route",
		"status", "size", "took", "since", "until", "seq", "id", "pinned":
		return true
	}
	return false
}

var dictionaries = map[string]int{
	"provider": colProvider, "event": colEvent, "verdict": colVerdict, "reason": colReason, "outcome": colOutcome,
	"origin": colOrigin, "method": colMethod, "path": colPath, "route": colRoute, "status": colStatus,
}

// withWord returns an exchange of which nothing is known but what a column
// with a dictionary has: enough for a condition on that.
func withWord(col int, v string) *Exchange {
	ex := new(Exchange)
	switch col {
	case colProvider:
		ex.Provider = v
	case colEvent:
		ex.Event = v
	case colVerdict:
		ex.Verdict.Status = verify.Status(v)
	case colReason:
		ex.Verdict.Reason = verify.Reason(v)
	case colOutcome:
		ex.Outcome = Outcome(v)
	case colOrigin:
		ex.Origin = Origin(v)
	case colMethod:
		ex.Request.Method = v
	case colPath:
		if ex.Request.URL = "http://-" + v; v == "" {
			ex.Request.URL += "?" // or it would be /
		}
	case colRoute:
		ex.Route = v
	case colStatus:
		sender, app, both := strings.Cut(v, "/")
		if n, err := strconv.Atoi(sender); err == nil {
			ex.Response = &Response{Status: n}
		}
		if n, err := strconv.Atoi(app); err == nil && both {
			ex.App = &Response{Status: n}
		}
	}
	return ex
}

// run returns the hits in one run: with a limit so many of the newest, newest
// first, and else all, oldest first. What cannot be read goes to bad.
func (f *search) run(u *run, limit int, bad *[]error) ([]hit, error) {
	hits, err := f.runOnce(u, limit, bad)
	if !errors.Is(err, errBadIndex) && !errors.Is(err, os.ErrNotExist) {
		return hits, err
	}
	if u, err = f.s.again(u); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil // dropped with its segment
		}
		return nil, err
	}
	return f.runOnce(u, limit, bad)
}

func (f *search) runOnce(u *run, limit int, bad *[]error) ([]hit, error) {
	c, err := u.open()
	if err != nil {
		return nil, err
	}
	defer c.done()
	for b := u.loose; len(b) >= looseLen; b = b[looseLen:] {
		if b[0] == '!' {
			sp := spanAt(u.at.first, b[1+idLen:])
			*bad = append(*bad, f.s.damagedAt(sp))
		}
	}
	rows, err := f.rows(c)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return f.pick(c, rows, limit, bad)
}

// damagedAt says what is wrong with a line that is known to be damaged.
func (s *Store) damagedAt(sp span) error {
	cache := lineCache{s: s}
	defer cache.close()
	l, err := cache.read(sp)
	if err == nil { // its sum is right, and what it says is not
		if l.kind == 'x' {
			_, err = l.exchange()
		} else {
			err = l.complete(new(Exchange))
		}
		err = s.damaged(sp.at, errors.Join(err, nil))
	}
	return err
}

// rows returns the rows that fulfil what columns answer, and those of which
// the columns do not know, as their result is in another run.
func (f *search) rows(c *columnReader) (rows []uint32, err error) {
	var elsewhere map[uint32]*Exchange
	if len(f.indexed) > 0 {
		if elsewhere, err = f.finishedElsewhere(c); err != nil {
			return nil, err
		}
		for _, cond := range f.indexed { // what no row can fulfil costs next to nothing
			if col, ok := dictionaries[cond.Key]; ok && (elsewhere == nil || !changes(cond.Key)) {
				values, _, err := c.dictionary(col)
				if err != nil {
					return nil, err
				}
				if !slices.ContainsFunc(values, func(v string) bool { return f.holds(cond, withWord(col, v)) }) {
					return nil, nil
				}
			}
		}
	}
	rows = make([]uint32, c.u.rows)
	for i := range rows {
		rows[i] = uint32(i)
	}
	if f.q.Before > 0 {
		if wanted := f.q.Before - c.u.at.first; wanted <= math.MaxUint32 {
			seq, err := c.column(colSeq)
			if err != nil {
				return nil, err
			}
			rows = slices.DeleteFunc(rows, func(i uint32) bool { return uint64(binary.LittleEndian.Uint32(seq[i*4:])) >= wanted })
		}
	}
	for _, cond := range f.indexed {
		if rows, err = f.narrow(c, rows, cond, elsewhere); err != nil || len(rows) == 0 {
			break
		}
	}
	return rows, err
}

// changes reports whether a result changes what key asks for.
func changes(key string) bool { return key == "outcome" || key == "status" || key == "took" }

func (f *search) holds(cond Term, ex *Exchange) bool {
	ok, err := cond.match(f.s, ex)
	return err == nil && ok != cond.Not
}

// finishedElsewhere returns what is known of the ends of rows whose result is
// in another run; nil if there are none.
func (f *search) finishedElsewhere(c *columnReader) (map[uint32]*Exchange, error) {
	b, err := c.column(colOpen)
	if err != nil {
		return nil, err
	}
	var list map[uint32]*Exchange
	for ; len(b) >= 4+idLen; b = b[4+idLen:] {
		if more := f.x.ends[ID(b[4:4+idLen])]; more.r.n > 0 {
			if list == nil {
				list = map[uint32]*Exchange{}
			}
			list[binary.LittleEndian.Uint32(b)] = looseEnd(more.end)
		}
	}
	return list, nil
}

func (c *columnReader) id(i int) (ID, error) {
	ids, err := c.column(colID)
	if err != nil {
		return "", err
	}
	return ID(ids[i*idLen : (i+1)*idLen]), nil
}

// narrow keeps the rows that fulfil cond.
func (f *search) narrow(c *columnReader, rows []uint32, cond Term, elsewhere map[uint32]*Exchange) ([]uint32, error) {
	holds := func(ex *Exchange) bool { return f.holds(cond, ex) }
	if !changes(cond.Key) {
		elsewhere = nil
	}
	flags, err := c.column(colFlags)
	if err != nil {
		return nil, err
	}
	keep := func(want func(i uint32) bool) []uint32 {
		kept := rows[:0]
		for _, i := range rows {
			if elsewhere != nil && flags[i]&flagOpen != 0 && elsewhere[i] != nil {
				if holds(elsewhere[i]) {
					kept = append(kept, i)
				}
			} else if want(i) {
				kept = append(kept, i)
			}
		}
		return kept
	}
	if col, ok := dictionaries[cond.Key]; ok {
		values, code, err := c.dictionary(col)
		if err != nil {
			return nil, err
		}
		ok := make([]bool, len(values))
		for i, v := range values {
			ok[i] = holds(withWord(col, v))
		}
		return keep(func(i uint32) bool { n := code(i); return n < len(ok) && ok[n] }), nil
	}
	within := func(n int64) bool { return cond.within(n) != cond.Not }
	switch cond.Key {
	case "size":
		b, err := c.column(colSize)
		if err != nil {
			return nil, err
		}
		return keep(func(i uint32) bool { return within(int64(number64(b, i))) }), nil
	case "since", "until":
		b, err := c.column(colAt)
		if err != nil {
			return nil, err
		}
		return keep(func(i uint32) bool { return within(microOf(int64(number64(b, i)))) }), nil
	case "seq":
		b, err := c.column(colSeq)
		if err != nil {
			return nil, err
		}
		return keep(func(i uint32) bool { return within(int64(c.u.at.first) + int64(binary.LittleEndian.Uint32(b[i*4:]))) }), nil
	}
	var ex Exchange
	ids := func() ([]byte, error) { return c.column(colID) }
	switch cond.Key {
	case "id":
		b, err := ids()
		if err != nil {
			return nil, err
		}
		return keep(func(i uint32) bool {
			ex.ID = ID(b[i*idLen : (i+1)*idLen])
			return holds(&ex)
		}), nil
	case "pinned":
		is, isNot := holds(&Exchange{Pinned: true}), holds(&ex)
		if is == isNot || !f.x.pinnedIn(c.u) { // is the same for all
			return keep(func(uint32) bool { return isNot }), nil
		}
		b, err := ids()
		if err != nil {
			return nil, err
		}
		return keep(func(i uint32) bool {
			if f.x.ends[ID(b[i*idLen:(i+1)*idLen])].pinned {
				return is
			}
			return isNot
		}), nil
	}
	took, err := c.column(colTook)
	if err != nil {
		return nil, err
	}
	appTook, err := c.column(colAppTook)
	if err != nil {
		return nil, err
	}
	return keep(func(i uint32) bool {
		ok := flags[i]&flagAnswered != 0 && cond.within(int64(number64(took, i))) ||
			flags[i]&flagApp != 0 && cond.within(int64(number64(appTook, i)))
		return ok != cond.Not
	}), nil
}

// pinnedIn reports whether something that is pinned can be in u.
func (x *index) pinnedIn(u *run) bool {
	for id, more := range x.ends {
		if more.pinned && u.min <= id && id <= u.max {
			return true
		}
	}
	return false
}

func number64(b []byte, i uint32) uint64 { return binary.LittleEndian.Uint64(b[i*8:]) }

// hit returns where the lines of a row stand.
func (f *search) hit(c *columnReader, i uint32) (hit, error) {
	var more trailing
	if flags, err := c.column(colFlags); err != nil {
		return hit{}, err
	} else if f.x.afters > 0 || flags[i]&flagOpen != 0 { // else nothing can be behind it
		id, err := c.id(int(i))
		if err != nil {
			return hit{}, err
		}
		more = f.x.ends[id]
	}
	xs, err := c.column(colX)
	if err != nil {
		return hit{}, err
	}
	rs, err := c.column(colR)
	if err != nil {
		return hit{}, err
	}
	first := c.u.at.first
	h := hit{x: spanAt(first, xs[i*8:]), r: spanAt(first, rs[i*8:]), e: more.e, pinned: more.pinned, row: i}
	if h.r.n == 0 {
		h.r = more.r
	}
	return h, nil
}

// pick looks into the lines of rows, as far as the columns did not tell all.
func (f *search) pick(c *columnReader, rows []uint32, limit int, bad *[]error) (hits []hit, err error) {
	back := limit > 0
	if back {
		slices.Reverse(rows)
	}
	cache := lineCache{s: f.s}
	defer cache.close()
	w := window{back: back}
	defer w.close()
	for _, i := range rows {
		h, err := f.hit(c, i)
		if err != nil {
			return nil, err
		}
		if len(f.rest) > 0 {
			ok, err := f.raw(c, &w, h, i)
			if err != nil {
				return nil, err
			}
			if ok == maybe {
				ok = no
				ex, err := cache.exchange(h)
				matches := false
				if err == nil {
					matches, err = f.q.Filter.Match(f.s, ex)
				}
				if err != nil {
					*bad = append(*bad, err)
				}
				if matches {
					ok = yes
				}
			}
			if ok == no {
				continue
			}
		}
		if hits = append(hits, h); len(hits) == limit {
			break
		}
	}
	return hits, nil
}

// raw tells from the lines as they stand whether row i fulfils the rest.
func (f *search) raw(c *columnReader, w *window, h hit, i uint32) (certainty, error) {
	if !f.looks {
		return maybe, nil
	}
	l, err := w.lines(f.s, c, h, i)
	if err != nil {
		return no, err
	}
	for _, cond := range f.rest { // the cheap questions first
		if cond.could != nil && !cond.Not && !cond.could(l) {
			return no, nil
		}
	}
	all := yes
	for _, cond := range f.rest {
		if cond.raw == nil {
			all = maybe
			continue
		}
		switch ok := cond.raw(l); {
		case ok == no && !cond.Not, ok == yes && cond.Not:
			return no, nil
		case ok == maybe:
			all = maybe
		}
	}
	return all, nil
}

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
		if w.f, err = os.Open(s.segmentPath(h.x.at.first)); err != nil {
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
