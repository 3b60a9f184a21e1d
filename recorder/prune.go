package recorder

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"time"
)

// ErrBusy means that recordings are being read, so that none can be removed.
var ErrBusy = errors.New("recordings are being read")

// A Pruning says what is to be removed. Pinned exchanges stay, and those that
// are under way.
type Pruning struct {
	// Filter and Before choose exchanges: both must hold. If Before is the zero
	// time and Filter is empty, none is chosen.
	Filter Filter
	Before time.Time
	// MaxSize is how many bytes journal and bodies may have: the oldest exchanges
	// go until they fit, a segment at a time where that is not much more than has to
	// go. 0: any number.
	MaxSize int64
	// WholeSegments leaves segments of which Filter and Before leave something, other
	// than what is pinned: to rewrite them is not worth it. Of what goes, a result, a
	// frame or the end of a WebSocket can stand in a segment that stays; it goes with that.
	//
	// Nothing that Before chooses goes ahead of something older in the journal that
	// it does not choose: a clock that was behind for a while makes nothing old.
	WholeSegments bool
	DryRun        bool // nothing is removed, and all is counted
	Now           time.Time
}

// Keeping returns p, of which all goes that is older than age, and the oldest beyond
// size bytes; 0 is without a bound. It is what is done in passing, now and then: of what
// is old, whole segments only.
func (p Pruning) Keeping(age time.Duration, size int64) Pruning {
	if age > 0 {
		p.Before = p.Now.Add(-age)
	}
	p.MaxSize, p.WholeSegments = size, true
	return p
}

// Pruned is what was removed, or would be.
type Pruned struct {
	Exchanges int
	Bytes     int64 // of the journal and of bodies
	Pinned    int   // exchanges that were chosen and are pinned
}

// youngest is how old an exchange without a result must be to be taken for one
// that will never have any.
const youngest = time.Hour

// Prune removes recordings. Numbers of exchanges that are gone are never given
// again. The error wraps [ErrBusy] if somebody reads; then nothing was removed.
//
// Segments are removed, or written beside and renamed, so that who is reading
// or writing in another process goes on with what there was.
func (s *Store) Prune(p Pruning) (Pruned, error) {
	if s.readOnly && !p.DryRun {
		return Pruned{}, ErrReadOnly
	}
	done, err := s.alone(p.DryRun)
	if err != nil {
		return Pruned{}, fmt.Errorf("prune: %w", err)
	}
	defer done()
	x, err := s.newIndex()
	if err == nil {
		err = x.load(0, len(x.segments))
	}
	if err != nil {
		return Pruned{}, fmt.Errorf("prune: %w", err)
	}
	j := pruner{s: s, x: x, p: p, gone: map[ID]bool{}, removed: map[uint64]bool{}}
	err = j.run()
	told, bad := s.tellRemoved(j.out.Exchanges, p.DryRun)
	j.out.Bytes -= told
	return j.out, wrapped("prune", cmp.Or(err, bad)) // a full disk is told once
}

func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// alone takes the lock of those who read, for whoever removes.
func (s *Store) alone(dry bool) (done func(), err error) {
	if dry {
		return s.reading()
	}
	f, err := os.OpenFile(s.path("reading"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for range 50 { // looks are short, mostly
		free, err := tryLock(f)
		if free {
			return func() { f.Close() }, nil
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	f.Close()
	return nil, ErrBusy
}

// A pruner is a pruning under way.
type pruner struct {
	s    *Store
	x    *index
	p    Pruning
	gone map[ID]bool // exchanges that are removed one by one
	out  Pruned
	kept []*run // of older segments, of which something stays

	removed map[uint64]bool // segments that are removed as a whole, by their numbers
	freeing sync.WaitGroup  // files that nothing names any longer
}

// A fate is what becomes of a segment.
type fate struct {
	rows   int
	chosen map[ID]bool
	pinned int   // were chosen, too, and stay
	newest int64 // Unix ns: the latest time of its exchanges that is not in the future
	before int64 // Unix ns: nothing younger is chosen; 0: it can be
}

func (j *pruner) run() error {
	defer j.freeing.Wait()
	fates := make([]fate, len(j.x.segments))
	err := parallel(len(fates), func(i int) (err error) {
		fates[i], err = j.choose(i)
		return err
	})
	if err != nil {
		return err
	}
	if j.p.WholeSegments {
		j.waitForOlder(fates)
		j.sparePieces(fates)
	}
	if err := j.fit(fates); err != nil {
		return err
	}
	for i, f := range fates {
		j.out.Pinned += f.pinned
		if err := j.apply(i, f); err != nil {
			return err
		}
	}
	return j.dropBodies()
}

// choose finds what goes of one segment by Filter and Before.
func (j *pruner) choose(i int) (fate, error) {
	var f fate
	q := Query{Filter: Filter{terms: slices.Clone(j.p.Filter.terms)}}
	if !j.p.Before.IsZero() {
		f.before = j.p.Before.UnixNano()
		q.Filter.terms = append(q.Filter.terms, timeTerm("until", j.p.Before))
	}
	asked := len(q.Filter.terms) > 0 // else nothing is
	return f, j.each(i, q, asked, &f)
}

// each puts into f the exchanges of a segment that q asks for, unless they must stay;
// none if choosing is false, and then only how many there are.
func (j *pruner) each(i int, q Query, choosing bool, f *fate) error {
	search := newSearch(j.s, j.x, q)
	for _, u := range j.x.loaded[i] {
		f.rows += u.rows
		if !choosing {
			continue
		}
		oldest, err := f.dates(j.s, u, j.p.Now)
		if err != nil {
			return err
		}
		if f.before > 0 && oldest >= f.before {
			continue
		}
		var bad []error
		hits, err := search.run(u, 0, &bad)
		if err != nil {
			return err
		}
		if len(hits) == 0 {
			continue
		}
		if f.chosen == nil {
			f.chosen = make(map[ID]bool, len(hits))
		}
		c, err := u.open()
		if err != nil {
			return err
		}
		for _, h := range hits {
			if err := j.take(c, h, f); err != nil {
				return errors.Join(err, c.done())
			}
		}
		if err := c.done(); err != nil {
			return err
		}
	}
	return nil
}

// take notes that an exchange is chosen, unless it must stay.
func (j *pruner) take(c *columnReader, h hit, f *fate) error {
	id, err := c.id(int(h.row))
	if err != nil {
		return err
	}
	flags, err := c.column(colFlags)
	if err != nil {
		return err
	}
	switch {
	case f.chosen[id]:
	case h.pinned || j.x.ends[id].pinned:
		f.pinned++
	case flags[h.row]&flagOpen != 0 && h.r.n == 0 && j.underWay(c, h.row):
	default:
		f.chosen[id] = true
	}
	return nil
}

// dates takes in the times of a run, and returns the first of them.
func (f *fate) dates(s *Store, u *run, now time.Time) (oldest int64, err error) {
	var b []byte
	err = s.withIndex(u, func(u *run) (err error) {
		b, err = s.times(u)
		return err
	})
	if err != nil {
		return 0, err
	}
	oldest = math.MaxInt64
	until := now.UnixNano()
	for ; len(b) >= 8; b = b[8:] {
		at := int64(binary.LittleEndian.Uint64(b))
		oldest = min(oldest, at)
		if at > f.newest && at <= until {
			f.newest = at
		}
	}
	return oldest, nil
}

// times returns when the exchanges of a run arrived, as its column has it.
func (s *Store) times(u *run) ([]byte, error) {
	c, err := u.open()
	if err != nil {
		return nil, err
	}
	defer c.done()
	return c.column(colAt)
}

// waitForOlder spares segments that stand behind one that is younger than they
// are, and too young to go: the clock was behind when they were written.
func (j *pruner) waitForOlder(fates []fate) {
	if j.p.Before.IsZero() {
		return
	}
	for i, young := 0, false; i < len(fates); i++ {
		if young {
			fates[i].chosen = nil
		}
		young = young || fates[i].newest >= j.p.Before.UnixNano()
	}
}

// sparePieces spares segments of which something would stay, other than what is pinned,
// and the last, to which somebody may be writing.
func (j *pruner) sparePieces(fates []fate) {
	for i, f := range fates {
		if n := len(f.chosen); n > 0 && (i == len(fates)-1 || n < f.rows && n < f.rows-j.pinnedIn(i)) {
			fates[i].chosen = nil
		}
	}
}

func (j *pruner) underWay(c *columnReader, row uint32) bool {
	b, err := c.column(colAt)
	return err != nil || time.Unix(0, int64(number64(b, row))).After(j.p.Now.Add(-youngest))
}
