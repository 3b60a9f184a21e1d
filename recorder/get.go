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
//	last, last~2 the newest, of any origin but copies for further apps, which lists
//	             leave out, too; the one two before it
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
			return s.getNewest(n, "-origin:mirror")
		case "live":
			ex, err := s.getNewest(n, "origin:live")
			if errors.Is(err, ErrNotFound) && n == 0 {
				err = fmt.Errorf("%w: none has come from outside yet", ErrNotFound)
			}
			return ex, err
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
	return s.look(func(u *run) bool { return seq >= u.at.first }, func(c *columnReader) (rows []int, more bool, err error) {
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
	return s.look(could, func(c *columnReader) (rows []int, more bool, err error) {
		if whole {
			if i := c.nearly(id); i >= 0 {
				return []int{i}, false, nil
			}
		}
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
}

// nearly returns the row that has id, or -1 if it is not where it would stand among rows
// in the order of their IDs. They nearly are, as an ID begins with the time.
func (c *columnReader) nearly(id ID) int {
	const around = 256 // rows; so many can arrive in a moment, and their IDs be given in another order
	i := sort.Search(c.u.rows, func(i int) bool {
		own, err := c.cell(colID, i)
		return err != nil || ID(own) >= id
	})
	from := max(0, i-around)
	b := make([]byte, (min(c.u.rows, i+around)-from)*idLen)
	if _, err := c.src.ReadAt(b, int64(c.u.table[colID][0])+int64(from*idLen)); err != nil {
		return -1
	}
	for at := range slices.Chunk(b, idLen) {
		if string(at) == string(id) {
			return from
		}
		from++
	}
	return -1
}

// maxNamed is how many IDs an [AmbiguousError] tells of.
const maxNamed = 5

// look reads the one exchange that in finds. That looks through those runs of the
// index that could have what is wanted, newest first, until it wants no more.
func (s *Store) look(could func(*run) bool, in func(*columnReader) (rows []int, more bool, err error)) (*Exchange, error) {
	x, err := s.newIndex()
	if err != nil {
		return nil, err
	}
	found, err := x.named(could, in)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, ErrNotFound
	case len(found) > 1:
		all := new(AmbiguousError)
		for _, n := range found {
			id, err := n.id()
			if err != nil {
				return nil, err
			}
			all.IDs = append(all.IDs, id)
		}
		return nil, all
	}
	ex, err := x.exchange(found[0])
	if err != nil && found[0].u.damaged() {
		if found[0].u, err = s.again(found[0].u); err == nil {
			ex, err = x.exchange(found[0])
		}
	}
	return ex, err
}

// A named exchange is one that a reference names, by its row in a run.
type named struct {
	u   *run
	row int
}

func (x *index) named(could func(*run) bool, in func(*columnReader) (rows []int, more bool, err error)) (found []named, err error) {
	defer x.toldAll()
	for i := len(x.segments) - 1; i >= 0; i-- {
		if x.loaded[i], err = x.segment(i); err != nil {
			return nil, err
		}
		for _, u := range slices.Backward(x.loaded[i]) {
			if !could(u) {
				continue
			}
			rows, more, err := u.named(in)
			if errors.Is(err, errBadIndex) || errors.Is(err, fs.ErrNotExist) {
				if u, err = x.s.again(u); err == nil {
					rows, more, err = u.named(in)
				}
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // dropped meanwhile
				return nil, err
			}
			for _, row := range rows {
				found = append(found, named{u, row})
			}
			if len(found) >= maxNamed || err == nil && !more {
				return found[:min(len(found), maxNamed)], nil
			}
		}
	}
	return found, nil
}

func (u *run) named(in func(*columnReader) (rows []int, more bool, err error)) ([]int, bool, error) {
	c, err := u.open()
	if err != nil {
		return nil, false, err
	}
	defer c.done()
	return in(c)
}

func (n named) id() (ID, error) {
	c, err := n.u.open()
	if err != nil {
		return "", err
	}
	defer c.done()
	return c.id(n.row)
}

// exchange reads what n names, behind which all was loaded. It takes the row as it
// stands, which is a hundredth of its columns, and holds what it finds against it: after
// an error who calls looks whether the index is damaged.
func (x *index) exchange(n named) (*Exchange, error) {
	c, err := n.u.open()
	if err != nil {
		return nil, err
	}
	defer c.done()
	b, err := c.cell(colID, n.row)
	if err != nil {
		return nil, err
	}
	id := ID(b)
	behind := ends{}
	for _, list := range slices.Backward(x.loaded) {
		for _, u := range slices.Backward(list) {
			behind.addLoose(u, id)
		}
	}
	h, err := c.hit(n.row, behind[id])
	if err != nil {
		return nil, err
	}
	cache := lineCache{s: x.s}
	defer cache.close()
	ex, err := cache.exchange(h)
	if err == nil && ex.ID != id {
		return nil, errBadIndex
	}
	return ex, err
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
