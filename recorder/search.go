package recorder

import (
	"cmp"
	"errors"
	"os"
	"slices"
)

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

func (c *columnReader) id(i int) (ID, error) {
	ids, err := c.column(colID)
	if err != nil {
		return "", err
	}
	return ID(ids[i*idLen:][:idLen]), nil
}

// hit returns where the lines of a row stand, if more stands behind its run. See cell.
func (c *columnReader) hit(i int, more trailing) (hit, error) {
	x, err := c.cell(colX, i)
	if err != nil {
		return hit{}, err
	}
	r, err := c.cell(colR, i)
	if err != nil {
		return hit{}, err
	}
	first := c.u.at.first
	h := hit{x: spanAt(first, x), r: spanAt(first, r), e: more.e, pinned: more.pinned, row: uint32(i)}
	if !c.u.has(h.x) || !c.u.has(h.r) {
		return hit{}, errBadIndex
	}
	if h.r.n == 0 {
		h.r = more.r
	}
	return h, nil
}

// hit returns where the lines of a row stand.
func (f *search) hit(c *columnReader, i uint32) (hit, error) {
	flags, err := c.column(colFlags)
	if err != nil {
		return hit{}, err
	}
	for _, column := range [...]int{colX, colR} {
		if _, err := c.column(column); err != nil {
			return hit{}, err
		}
	}
	var more trailing
	if f.x.afters > 0 || flags[i]&flagOpen != 0 { // else nothing can be behind it
		id, err := c.id(int(i))
		if err != nil {
			return hit{}, err
		}
		more = f.x.ends[id]
	}
	return c.hit(int(i), more)
}

// pick looks into the lines of rows, as far as the columns did not tell all.
func (f *search) pick(c *columnReader, rows []uint32, limit int, bad *[]error) (hits []hit, err error) {
	back := limit > 0
	if back {
		slices.Reverse(rows)
	}
	if len(f.rest) == 0 { // each is one
		hits = make([]hit, 0, cmp.Or(min(limit, len(rows)), len(rows)))
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
