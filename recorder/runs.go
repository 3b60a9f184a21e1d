package recorder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
)

// runs remembers which runs a segment has, as long as its file stays the same.
type runs struct {
	mu  sync.Mutex
	all map[uint64]segmentRuns // guarded by mu: by the segment's number
}

type segmentRuns struct {
	info os.FileInfo
	list []*run // oldest first
}

// get returns the runs of a segment if its file is still as info says.
func (rs *runs) get(first uint64, info os.FileInfo) []*run {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	old, ok := rs.all[first]
	if !ok || old.info.Size() != info.Size() || !old.info.ModTime().Equal(info.ModTime()) || !os.SameFile(old.info, info) {
		return nil
	}
	return old.list
}

func (rs *runs) put(first uint64, sr segmentRuns) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.all == nil {
		rs.all = map[uint64]segmentRuns{}
	}
	rs.all[first] = sr
}

func (rs *runs) forget(first uint64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.all, first)
}

// An index is one look at the index: the segments there are, and the loose
// lines of those that were loaded so far, which are the newest.
type index struct {
	s        *Store
	segments []uint64
	sizes    []int64
	files    map[uint64][]int64 // nil: not looked yet
	filesMu  sync.Mutex
	loaded   [][]*run // by segment; nil: not loaded
	ends     ends     // of the runs that are loaded
	afters   int      // of those, ends and pins

	quiet       bool  // nobody waits for it
	total, done int64 // bytes that have to be read for want of an index, if somebody wants to know
	toldMu      sync.Mutex
}

func (s *Store) newIndex() (*index, error) {
	list, err := s.segments()
	return &index{s: s, segments: list, sizes: make([]int64, len(list)), loaded: make([][]*run, len(list)), ends: ends{}}, err
}

// load loads the segments from (the older one) to to, which is not among them.
// They must be those just before the ones that are loaded already.
func (x *index) load(from, to int) error {
	err := parallel(to-from, func(i int) (err error) {
		x.loaded[from+i], err = x.segment(from + i)
		return err
	})
	x.toldAll()
	if err != nil {
		return err
	}
	for i := to - 1; i >= from; i-- {
		for _, u := range slices.Backward(x.loaded[i]) {
			x.afters += x.ends.addLoose(u, "")
		}
	}
	return nil
}

// parallel calls f for 0 to n-1, as many at once as there are processors, waits for
// all of them, and returns their errors joined.
func parallel(n int, f func(int) error) error {
	if n == 1 {
		return f(0)
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range n {
		room <- struct{}{}
		wg.Go(func() {
			errs[i] = f(i)
			<-room
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// segment returns the runs of one segment, and makes those that are missing.
func (x *index) segment(i int) ([]*run, error) {
	s, first := x.s, x.segments[i]
	full := i < len(x.segments)-1
	if info, err := os.Stat(s.segmentPath(first)); err == nil { // is mostly all that is asked
		if list := s.runs.get(first, info); list != nil {
			return s.kept(first, info, list, full), nil
		}
	}
	f, err := openShared(s.segmentPath(first), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // dropped meanwhile
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	end, err := wholeLines(f)
	if err != nil {
		return nil, err
	}
	var list []*run
	at := position{first: first}
	for _, offset := range x.offsets(first) {
		if offset != at.offset {
			continue
		}
		u, err := openRun(s.indexPath(at), at)
		if err != nil || u.end > end || u.end <= offset || !u.fits(f) {
			if err == nil || errors.Is(err, errBadIndex) {
				s.log.Debug("a part of the index is made anew", "segment", first)
			}
			break // what comes behind it is made anew, too
		}
		list = append(list, u)
		at.offset = u.end
	}
	if at.offset < end {
		bounds := []int64{at.offset, end}
		if !full { // else it is one run, and other segments are made beside it
			if bounds, err = splitLines(f, at.offset, end, minRun); err != nil {
				return nil, err
			}
		}
		made := make([]*run, len(bounds)-1)
		err := parallel(len(made), func(i int) (err error) {
			made[i], err = s.makeRun(f, position{first, bounds[i]}, bounds[i+1], x.tell)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, u := range made {
			// The last of the last segment grows.
			if full || u.end < end || u.end-u.at.offset >= minRun {
				s.keepRun(u)
			}
		}
		list = append(list, made...)
	}
	s.runs.put(first, segmentRuns{info, list})
	return list, nil
}

// splitLines parts the lines from start to end into as many parts as there are processors,
// of least bytes or more each, to a line, and returns the bounds of the parts: start, where
// the second begins, and so on, end.
func splitLines(f io.ReaderAt, start, end, least int64) ([]int64, error) {
	bounds := []int64{start}
	n := min(int64(runtime.GOMAXPROCS(0)), (end-start)/least)
	for i := int64(1); i < n; i++ {
		r := newLineReader(f, start+(end-start)*i/n, end)
		if _, err := r.next(); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if at := r.offset; at > bounds[len(bounds)-1] && at < end {
			bounds = append(bounds, at)
		}
	}
	return append(bounds, end), nil
}

// kept returns the runs of a segment. The last of one that is full gets its file now
// if it was the end of the journal when it was made.
func (s *Store) kept(first uint64, info os.FileInfo, list []*run, full bool) []*run {
	last := *list[len(list)-1]
	if !full || last.image == nil || last.tried {
		return list
	}
	s.keepRun(&last)
	list = append(slices.Clone(list[:len(list)-1]), &last)
	s.runs.put(first, segmentRuns{info, list})
	return list
}

// offsets returns where runs of a segment begin that have a file.
func (x *index) offsets(first uint64) []int64 {
	x.filesMu.Lock()
	defer x.filesMu.Unlock()
	if x.files == nil {
		if x.files = x.s.indexed(); x.files == nil {
			x.files = map[uint64][]int64{}
		}
	}
	return x.files[first]
}

// fits reports whether the segment in f is the one that u was made of.
func (u *run) fits(f *os.File) bool {
	var b [sealLen + 1]byte
	if u.end-u.at.offset < int64(len(b)) {
		return false
	}
	_, err := f.ReadAt(b[:], u.end-int64(len(b)))
	return err == nil && b[sealLen] == '\n' && bytes.Equal(b[:sealLen], u.seal[:])
}

// tell says that n bytes more were read to make the index.
func (x *index) tell(n int64) {
	if x.s.progressed == nil || x.quiet {
		return
	}
	x.toldMu.Lock()
	defer x.toldMu.Unlock()
	if x.total == 0 {
		x.total = max(1, x.missing())
	}
	x.done += n
	x.s.progressed(min(x.done, x.total-1), x.total)
}

// toldAll says that nothing is waited for any more, if something was.
func (x *index) toldAll() {
	x.toldMu.Lock()
	defer x.toldMu.Unlock()
	if x.total > 0 {
		x.s.progressed(x.total, x.total)
	}
	x.total, x.done = 0, 0
}

// missing returns how many bytes of the journal have no index.
func (x *index) missing() int64 {
	n := int64(0)
	files := x.s.indexed()
	for _, first := range x.segments {
		if info, err := os.Stat(x.s.segmentPath(first)); err == nil && len(files[first]) == 0 {
			n += info.Size()
		}
	}
	return n
}

// again makes a run anew whose file is damaged.
func (s *Store) again(u *run) (*run, error) {
	f, err := openShared(s.segmentPath(u.at.first), os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fresh, err := s.makeRun(f, u.at, u.end, nil)
	if err != nil {
		return nil, err
	}
	s.log.Debug("a part of the index is made anew", "segment", u.at.first)
	s.keepRun(fresh)
	s.runs.forget(u.at.first)
	return fresh, nil
}

// addLoose takes in the loose lines of a run; those of newer ones are there
// already, and count. With only, those of others are passed over. It returns how
// many of them are no results.
func (m ends) addLoose(u *run, only ID) (afters int) {
	for b := u.loose; len(b) >= looseLen; b = b[looseLen:] {
		if only != "" && only != ID(b[1:1+idLen]) {
			continue
		}
		id := ID(b[1 : 1+idLen])
		sp := spanAt(u.at.first, b[1+idLen:])
		if b[0] != 'r' && b[0] != '!' {
			afters++
		}
		switch h := m[id]; b[0] {
		case 'r':
			if h.r.n == 0 {
				h.r, h.end = sp, b[looseLen-looseResult:looseLen]
			}
			m[id] = h
		case 'e':
			if h.e.n == 0 {
				h.e = sp
			}
			m[id] = h
		case 'p', 'u':
			// In one run the last of them counts; of several, the newest run's.
			if !h.pinSeen || h.pinAt.first == u.at.first && h.pinAt.offset < sp.at.offset {
				h.pinSeen, h.pinned, h.pinAt = true, b[0] == 'p', sp.at
			}
			m[id] = h
		}
	}
	return afters
}

func spanAt(first uint64, b []byte) span {
	return span{position{first, int64(binary.LittleEndian.Uint32(b))}, int(binary.LittleEndian.Uint32(b[4:]))}
}
