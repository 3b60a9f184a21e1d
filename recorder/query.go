package recorder

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"os"
	"runtime"
	"slices"
)

// A Query is what to read of a store. The zero Query is all of it.
type Query struct {
	Filter Filter
	Newest int    // at most so many, the newest of them; 0: no limit
	Before uint64 // only exchanges with a lower sequence number; 0: no limit. With Newest it makes pages
	// Arrivals gives them as they were recorded first, whatever became of them since: one
	// that was forwarded is pending, and has no response. It takes half the reading.
	Arrivals bool
}

// Query gives the exchanges that q asks for, oldest first. Damaged lines come
// as a [*DamagedError] beside a nil Exchange and do not end it; any other
// error does.
//
// What is appended meanwhile is not given. Where the index is missing it is
// made first; see [Options].
func (s *Store) Query(q Query) iter.Seq2[*Exchange, error] {
	return s.QueryContext(context.Background(), q)
}

// QueryContext is Query for who may not wait for the end of it: it ends with the error
// of ctx soon after that has ended, also where nothing was found yet.
func (s *Store) QueryContext(ctx context.Context, q Query) iter.Seq2[*Exchange, error] {
	return func(yield func(*Exchange, error) bool) {
		done, err := s.reading()
		if err != nil {
			yield(nil, err)
			return
		}
		defer done()
		cache := lineCache{s: s}
		defer cache.close()
		x, err := s.newIndex()
		if err != nil {
			yield(nil, err)
			return
		}
		read := cache.exchange
		if q.Arrivals {
			read = cache.arrival
		}
		search := newSearch(s, x, q)
		search.ctx = ctx
		if q.Newest == 0 {
			search.all(func(hits []hit, err error) bool {
				if err != nil {
					return yield(nil, err)
				}
				for _, h := range hits {
					if !yield(read(h)) {
						return false
					}
				}
				return true
			})
			return
		}
		hits, more := search.newest(func(err error) bool { return yield(nil, err) })
		if !more {
			return
		}
		for _, h := range slices.Backward(hits) {
			if err := search.over(); err != nil {
				yield(nil, err)
				return
			}
			if !yield(read(h)) {
				return
			}
		}
	}
}

// Count returns how many exchanges q asks for, which takes less than to read them.
// Damaged lines are passed over.
func (s *Store) Count(q Query) (int, error) {
	done, err := s.reading()
	if err != nil {
		return 0, err
	}
	defer done()
	x, err := s.newIndex()
	if err != nil {
		return 0, err
	}
	n := 0
	count := func(hits []hit, more error) bool {
		if more != nil && !errors.As(more, new(*DamagedError)) {
			err = more
		}
		n += len(hits)
		return err == nil
	}
	newSearch(s, x, q).all(count)
	if q.Newest > 0 {
		n = min(n, q.Newest)
	}
	return n, err
}

// IDs returns the ids of all exchanges, from the index: to read the exchanges would take
// a hundred times as long. What is appended meanwhile is not among them.
func (s *Store) IDs() (map[ID]bool, error) {
	done, err := s.reading()
	if err != nil {
		return nil, err
	}
	defer done()
	x, err := s.newIndex()
	if err == nil {
		err = x.load(0, len(x.segments))
	}
	if err != nil {
		return nil, err
	}
	all := map[ID]bool{}
	for _, u := range slices.Concat(x.loaded...) {
		err := s.withIndex(u, func(u *run) error {
			c, err := u.open()
			if err != nil {
				return err
			}
			defer c.done()
			ids, err := c.column(colID)
			for id := range slices.Chunk(ids, idLen) {
				all[ID(id)] = true
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// A hit is where an exchange, its result and the end of its WebSocket stand,
// and whether it is pinned.
type hit struct {
	x, r, e span
	pinned  bool
	row     uint32 // of its run
}

// ends are the lines that stand behind exchanges in other runs of the index.
type ends map[ID]trailing

type trailing struct {
	r, e            span
	end             []byte // what the index has of r
	pinned, pinSeen bool
	pinAt           position
}

// A search is a query under way.
type search struct {
	s       *Store
	x       *index
	q       Query
	indexed []Term // that columns answer
	rest    []Term
	looks   bool            // at the lines of rest as they stand
	ctx     context.Context // of who waits for it; nil: it goes on to its end
}

func newSearch(s *Store, x *index, q Query) *search {
	f := &search{s: s, x: x, q: q}
	for _, c := range q.Filter.terms {
		if indexedKey(c.Key) {
			f.indexed = append(f.indexed, c)
		} else {
			f.rest = append(f.rest, c)
			f.looks = f.looks || c.raw != nil
		}
	}
	return f
}

// over returns why the search is to be given up, nil if it is not.
func (f *search) over() error {
	if f.ctx == nil {
		return nil
	}
	return f.ctx.Err()
}

// segments returns the number of segments that can have what is wanted.
func (f *search) segments() int {
	if f.q.Before == 0 {
		return len(f.x.segments)
	}
	n, _ := slices.BinarySearch(f.x.segments, f.q.Before)
	return n
}

// newest looks backwards until it has enough, and returns the hits, newest
// first. Errors that do not end it go to bad; more is false if that wants no
// more.
func (f *search) newest(bad func(error) bool) (hits []hit, more bool) {
	if hits, ok := f.tail(); ok {
		return hits, true
	}
	last := f.segments()
	if err := f.x.load(last, len(f.x.segments)); err != nil {
		bad(err)
		return nil, false
	}
	step := 1
	for to := last; to > 0; {
		from := max(0, to-step)
		if err := cmp.Or(f.over(), f.x.load(from, to)); err != nil {
			bad(err)
			return nil, false
		}
		found, errs := f.in(from, to, true)
		if err := f.over(); err != nil { // and not all was looked at
			bad(err)
			return nil, false
		}
		for i := to - from - 1; i >= 0; i-- {
			for _, err := range errs[i] {
				if !bad(err) {
					return nil, false
				}
			}
			hits = append(hits, found[i]...)
			if len(hits) >= f.q.Newest {
				return hits[:f.q.Newest], true
			}
		}
		to, step = from, min(2*step, 4*runtime.GOMAXPROCS(0))
	}
	return hits, true
}

// tail looks at the end of the journal alone, if that has no index yet: most
// who ask want the newest, and should not wait for the index of all before. It
// reports whether that was enough.
func (f *search) tail() ([]hit, bool) {
	n := len(f.x.segments)
	if n == 0 || f.q.Before > 0 {
		return nil, false
	}
	first := f.x.segments[n-1]
	file, err := openShared(f.s.segmentPath(first), os.O_RDONLY)
	if err != nil {
		return nil, false
	}
	defer file.Close()
	end, err := wholeLines(file)
	if err != nil || end < 2*minRun {
		return nil, false
	}
	if info, err := file.Stat(); err != nil || f.s.runs.get(first, info) != nil {
		return nil, false
	}
	from := end - minRun
	if offsets := f.x.offsets(first); len(offsets) > 0 && offsets[len(offsets)-1] > 0 || len(offsets) == 1 && f.covers(first, offsets[0], from) {
		return nil, false
	}
	r := newLineReader(file, from, end)
	if _, err := r.next(); err != nil { // the rest of a line
		return nil, false
	}
	u, err := f.s.makeRun(file, position{first, r.offset}, end, nil)
	if err != nil {
		return nil, false
	}
	f.x.afters = f.x.ends.addLoose(u, "")
	var bad []error
	hits, err := f.run(u, f.q.Newest, &bad)
	if err != nil || len(bad) > 0 || len(hits) < f.q.Newest {
		f.x.ends, f.x.afters = ends{}, 0
		return nil, false
	}
	return hits, true
}

// covers reports whether the run at offset reaches up to where.
func (f *search) covers(first uint64, offset, where int64) bool {
	at := position{first, offset}
	u, err := openRun(f.s.indexPath(at), at)
	return err == nil && u.end >= where
}

// all gives all hits, oldest first, a segment at a time.
func (f *search) all(give func([]hit, error) bool) {
	last := f.segments()
	if err := f.x.load(0, len(f.x.segments)); err != nil {
		give(nil, err)
		return
	}
	step := runtime.GOMAXPROCS(0)
	for from := 0; from < last; from += step {
		to := min(last, from+step)
		found, errs := f.in(from, to, false)
		if err := f.over(); err != nil {
			give(nil, err)
			return
		}
		for i := range found {
			for _, err := range errs[i] {
				if !give(nil, err) {
					return
				}
			}
			if !give(found[i], nil) {
				return
			}
		}
	}
}

// in looks in some segments at once.
func (f *search) in(from, to int, back bool) (found [][]hit, errs [][]error) {
	found, errs = make([][]hit, to-from), make([][]error, to-from)
	parallel(to-from, func(i int) error {
		list := f.x.loaded[from+i]
		if back {
			list = slices.Clone(list)
			slices.Reverse(list)
		}
		for _, u := range list {
			if f.over() != nil {
				break
			}
			limit := 0
			if back {
				if limit = f.q.Newest - len(found[i]); limit == 0 {
					break
				}
			}
			hits, err := f.run(u, limit, &errs[i])
			if err != nil {
				errs[i] = append(errs[i], err)
			}
			if found[i] == nil {
				found[i] = hits
			} else {
				found[i] = append(found[i], hits...)
			}
		}
		return nil
	})
	return found, errs
}
