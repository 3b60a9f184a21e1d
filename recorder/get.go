package recorder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Get returns the recording that ref names:
//
//	128          by its sequence number
//	01J8…        by its ID, or the start or the end of one, 4 characters at least
//	last, last~2 the newest, of any origin; the one two before it
//	live, live~1 the same among those that came in from outside
//
// The error wraps [ErrNotFound] if there is none, and is an [*AmbiguousError]
// if there are several.
func (s *Store) Get(ref string) (*Exchange, error) {
	done, err := s.reading()
	if err != nil {
		return nil, err
	}
	defer done()
	ex, err := s.get(ref)
	if err != nil {
		return nil, fmt.Errorf("recording %q: %w", ref, err)
	}
	return ex, nil
}

// An AmbiguousError tells that part of an ID names several recordings.
type AmbiguousError struct {
	IDs []ID // some of them
}

func (e *AmbiguousError) Error() string {
	list := make([]string, len(e.IDs))
	for i, id := range e.IDs {
		list[i] = string(id)
	}
	return "names several: " + strings.Join(list, ", ")
}

func (s *Store) get(ref string) (*Exchange, error) {
	if seq, err := strconv.ParseUint(strings.TrimPrefix(ref, "#"), 10, 64); err == nil { // as lists have it
		return s.getSeq(seq)
	}
	if word, back, ok := strings.Cut(ref, "~"); ok || ref == "last" || ref == "live" {
		n := 0
		if ok {
			var err error
			if n, err = strconv.Atoi(back); err != nil || n < 0 {
				return nil, fmt.Errorf("want last~N or live~N with a number: %w", ErrNotFound)
			}
		}
		switch word {
		case "last":
			return s.getNewest(n)
		case "live":
			return s.getNewest(n, "origin:live")
		}
		return nil, ErrNotFound
	}
	if len(ref) < 4 {
		return nil, fmt.Errorf("%w: want a number, last, live, or 4 characters of an ID at least", ErrNotFound)
	}
	return s.getID(ID(strings.ToUpper(ref)))
}

// getSeq looks in the one segment that can have the number.
func (s *Store) getSeq(seq uint64) (*Exchange, error) {
	found, err := s.look("", func(u *run) bool { return seq >= u.at.first }, func(c *columnReader) (rows []int, more bool, err error) {
		b, err := c.column(colSeq)
		if err != nil || seq-c.u.at.first > math.MaxUint32 {
			return nil, false, err
		}
		want := uint32(seq - c.u.at.first)
		i := sort.Search(c.u.rows, func(i int) bool { return binary.LittleEndian.Uint32(b[i*4:]) >= want })
		if i < c.u.rows && binary.LittleEndian.Uint32(b[i*4:]) == want {
			rows = append(rows, i)
		}
		return rows, rows == nil && c.u.at.offset > 0, nil
	})
	return s.one(found, err)
}

// getNewest returns the newest exchange of a query but for back of them.
func (s *Store) getNewest(back int, words ...string) (*Exchange, error) {
	f, err := ParseFilter(time.Time{}, words...)
	if err != nil {
		return nil, err
	}
	if back >= math.MaxInt32 {
		return nil, ErrNotFound
	}
	n := 0
	var oldest *Exchange
	for ex, err := range s.Query(Query{Filter: f, Newest: back + 1}) {
		var damaged *DamagedError
		if err != nil && !errors.As(err, &damaged) {
			return nil, err
		}
		if ex == nil {
			continue
		}
		if n++; oldest == nil {
			oldest = ex
		}
	}
	if n <= back {
		return nil, ErrNotFound
	}
	return oldest, nil
}

// getID looks for an ID, or a part of one.
func (s *Store) getID(id ID) (*Exchange, error) {
	whole := len(id) == idLen
	could := func(u *run) bool {
		return !whole || u.min <= id && id <= u.max
	}
	if len(id) > idLen {
		return nil, ErrNotFound
	}
	only := ID("")
	if whole {
		only = id
	}
	found, err := s.look(only, could, func(c *columnReader) (rows []int, more bool, err error) {
		ids, err := c.column(colID)
		if err != nil {
			return nil, false, err
		}
		for i := c.u.rows - 1; i >= 0; i-- {
			own := ids[i*idLen : (i+1)*idLen]
			if string(own[:len(id)]) == string(id) || string(own[idLen-len(id):]) == string(id) {
				if rows = append(rows, i); whole || len(rows) == maxNamed {
					break
				}
			}
		}
		return rows, !whole || rows == nil, nil
	})
	return s.one(found, err)
}

// maxNamed is how many IDs an [AmbiguousError] tells of.
const maxNamed = 5

// A named exchange is one that a reference names.
type named struct {
	id ID
	hit
}

func (s *Store) one(found []named, err error) (*Exchange, error) {
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, ErrNotFound
	case len(found) > 1:
		all := new(AmbiguousError)
		for _, n := range found {
			all.IDs = append(all.IDs, n.id)
		}
		return nil, all
	}
	cache := lineCache{s: s}
	defer cache.close()
	return cache.exchange(found[0].hit)
}

// look goes through the runs of the index that could have what is wanted,
// newest first, until in wants no more.
// only, if it is not empty, is the one exchange of which all that stands behind it is wanted.
func (s *Store) look(only ID, could func(*run) bool, in func(*columnReader) (rows []int, more bool, err error)) ([]named, error) {
	x, err := s.newIndex()
	if err != nil {
		return nil, err
	}
	x.only = only
	f := newSearch(s, x, Query{})
	var found []named
	for i := len(x.segments) - 1; i >= 0; i-- {
		if err := x.load(i, i+1); err != nil {
			return nil, err
		}
		for _, u := range slices.Backward(x.loaded[i]) {
			if !could(u) {
				continue
			}
			list, more, err := f.named(u, in)
			if errors.Is(err, errBadIndex) || errors.Is(err, fs.ErrNotExist) {
				if u, err = s.again(u); err == nil {
					list, more, err = f.named(u, in)
				}
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // dropped meanwhile
				return nil, err
			}
			found = append(found, list...)
			if len(found) >= maxNamed || err == nil && !more {
				return found[:min(len(found), maxNamed)], nil
			}
		}
	}
	return found, nil
}

// named returns the exchanges of a run that in wants.
func (f *search) named(u *run, in func(*columnReader) ([]int, bool, error)) (list []named, more bool, err error) {
	c, err := u.open()
	if err != nil {
		return nil, false, err
	}
	defer c.done()
	rows, more, err := in(c)
	if err != nil {
		return nil, false, err
	}
	for _, i := range rows {
		h, err := f.hit(c, uint32(i))
		if err != nil {
			return nil, false, err
		}
		id, err := c.id(i)
		if err != nil {
			return nil, false, err
		}
		list = append(list, named{id, h})
	}
	return list, more, nil
}

// segmentOf returns the first number of the segment that an exchange with the
// given one can be in.
func (s *Store) segmentOf(seq uint64) (uint64, error) {
	list, err := s.segments()
	if err != nil {
		return 0, err
	}
	i, exact := slices.BinarySearch(list, seq)
	if !exact {
		i--
	}
	if i < 0 {
		return 0, ErrNotFound
	}
	return list[i], nil
}
