package recorder

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	// MaxSize is how many bytes journal and bodies may have: the oldest segments
	// go until they fit, but for the last one. 0: any number.
	MaxSize int64
	// WholeSegments leaves segments of which something stays, other than what
	// is pinned: to rewrite them is not worth it.
	WholeSegments bool
	DryRun        bool // nothing is removed, and all is counted
	Now           time.Time
}

// Pruned is what was removed, or would be.
type Pruned struct {
	Exchanges int
	Bytes     int64 // of the journal and of bodies
	Pinned    int   // exchanges that were chosen and are pinned
}

// youngest is how old an exchange without a result must be to be taken for one
// that will never have any, and a file of a body for one that is in no line.
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
	j := pruner{s: s, x: x, p: p, gone: map[ID]bool{}, sums: map[string]bool{}}
	err = j.run()
	told, bad := s.tellRemoved(j.out.Exchanges, p.DryRun)
	j.out.Bytes -= told
	err = errors.Join(err, bad)
	return j.out, wrapped("prune", err)
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
	gone map[ID]bool     // exchanges that are removed one by one
	sums map[string]bool // bodies that removed lines have named
	out  Pruned
	kept []*run // of older segments, of which something stays
}

// A verdict on a segment.
type fate struct {
	rows   int
	chosen map[ID]bool
}

func (j *pruner) run() error {
	fates := make([]fate, len(j.x.segments))
	for i := range fates {
		var err error
		if fates[i], err = j.choose(i, j.chooses()); err != nil {
			return err
		}
	}
	if err := j.fit(fates); err != nil {
		return err
	}
	if err := j.seal(fates); err != nil {
		return err
	}
	for i, f := range fates {
		if err := j.apply(i, f); err != nil {
			return err
		}
	}
	return j.dropBodies()
}

func (j *pruner) chooses() bool { return len(j.p.Filter.terms) > 0 || !j.p.Before.IsZero() }

// choose finds what goes of one segment: what was asked for, or all.
func (j *pruner) choose(i int, any bool) (fate, error) {
	f := fate{chosen: map[ID]bool{}}
	q := Query{Filter: Filter{terms: slices.Clone(j.p.Filter.terms)}}
	if !j.p.Before.IsZero() {
		q.Filter.terms = append(q.Filter.terms, timeTerm("until", j.p.Before))
	}
	return f, j.each(i, q, any, &f)
}

func (j *pruner) each(i int, q Query, any bool, f *fate) error {
	search := newSearch(j.s, j.x, q)
	for _, u := range j.x.loaded[i] {
		f.rows += u.rows
		if !any {
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
		j.out.Pinned++
	case flags[h.row]&flagOpen != 0 && h.r.n == 0 && j.underWay(c, h.row):
	default:
		f.chosen[id] = true
		return j.note(h, flags[h.row])
	}
	return nil
}

func (j *pruner) underWay(c *columnReader, row uint32) bool {
	b, err := c.column(colAt)
	return err != nil || time.Unix(0, int64(number64(b, row))).After(j.p.Now.Add(-youngest))
}

// note remembers the bodies in files that an exchange names.
func (j *pruner) note(h hit, flags byte) error {
	if flags&(flagFile|flagOther|flagApp) == 0 && (flags&flagOpen == 0 || h.r.n == 0) {
		return nil
	}
	return j.files(h, func(sum string) { j.sums[sum] = true })
}

// files calls f for each body in a file that the lines of h name.
func (j *pruner) files(h hit, f func(sum string)) error {
	cache := lineCache{s: j.s}
	defer cache.close()
	for _, sp := range []span{h.x, h.r} {
		if sp.n == 0 {
			continue
		}
		l, err := cache.read(sp)
		if err != nil {
			return err
		}
		for rest := l.raw; ; {
			var ok bool
			if _, rest, ok = bytes.Cut(rest, []byte(`"body":{"sha256":"`)); !ok {
				break
			}
			if len(rest) >= 64 && isSum(string(rest[:64])) {
				f(string(rest[:64]))
			}
		}
	}
	return nil
}

// fit chooses the oldest segments, until the rest fits.
func (j *pruner) fit(fates []fate) error {
	if j.p.MaxSize <= 0 {
		return nil
	}
	total := j.s.Size()
	for i := 0; i < len(fates)-1 && total > j.p.MaxSize; i++ {
		all := fate{chosen: map[ID]bool{}}
		before := j.out.Pinned
		if err := j.each(i, Query{}, true, &all); err != nil {
			return err
		}
		j.out.Pinned = max(before, j.out.Pinned)
		fates[i] = all
		if info, err := os.Stat(j.s.segmentPath(j.x.segments[i])); err == nil && len(all.chosen) > 0 {
			total -= info.Size() / int64(max(1, all.rows)) * int64(len(all.chosen))
		}
	}
	return nil
}

// seal ends the last segment if something of it goes: it is written to by
// others, in a new one from now on.
func (j *pruner) seal(fates []fate) error {
	last := len(fates) - 1
	if last < 0 || len(fates[last].chosen) == 0 {
		return nil
	}
	if j.p.WholeSegments {
		fates[last].chosen = nil
		return nil
	}
	if j.p.DryRun {
		return nil
	}
	e := newEntry()
	defer e.free()
	e.sealed, e.leaves, e.first = true, true, j.x.segments[last]
	_, err := j.s.submit(e)
	return err
}

// apply removes what was chosen of segment i.
func (j *pruner) apply(i int, f fate) error {
	first := j.x.segments[i]
	path := j.s.segmentPath(first)
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	grows := i == len(j.x.segments)-1 // until it was sealed: there can be more than was looked at
	whole := !grows && len(f.chosen) == f.rows && f.rows > 0 && !j.looseOfKept(i, f)
	switch {
	case whole:
		j.out.Exchanges += len(f.chosen)
		j.out.Bytes += info.Size()
		for id := range f.chosen {
			if _, ok := j.x.ends[id]; ok { // lines of it are in later segments
				j.gone[id] = true
			}
		}
		if j.p.DryRun {
			return nil
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		j.dropIndex(first)
		return syncDir(filepath.Dir(path))
	case len(f.chosen) > 0 && (!j.p.WholeSegments || len(f.chosen) >= f.rows-j.pinnedIn(i)):
		for id := range f.chosen {
			j.gone[id] = true
		}
		j.out.Exchanges += len(f.chosen)
	}
	j.kept = append(j.kept, j.x.loaded[i]...)
	if !j.hasGone(i, f) {
		return nil
	}
	return j.rewrite(first, path, info.Size())
}

// pinnedIn returns how many pinned exchanges a segment has.
func (j *pruner) pinnedIn(i int) int {
	n := 0
	for id, more := range j.x.ends {
		if more.pinned && hasID(j.x.loaded[i], id) {
			n++
		}
	}
	return n
}

func hasID(runs []*run, id ID) bool {
	for _, u := range runs {
		if id < u.min || id > u.max {
			continue
		}
		c, err := u.open()
		if err != nil {
			return true
		}
		ids, err := c.column(colID)
		c.done()
		if err != nil {
			return true
		}
		for b := ids; len(b) >= idLen; b = b[idLen:] {
			if string(b[:idLen]) == string(id) {
				return true
			}
		}
	}
	return false
}

// looseOfKept reports whether a segment of which all exchanges go has a line of
// an older one that stays.
func (j *pruner) looseOfKept(i int, f fate) bool {
	for _, u := range j.x.loaded[i] {
		for b := u.loose; len(b) >= looseLen; b = b[looseLen:] {
			id := ID(b[1 : 1+idLen])
			if b[0] != '!' && !f.chosen[id] && !j.gone[id] && hasID(j.kept, id) {
				return true
			}
		}
	}
	return false
}

// hasGone reports whether a segment has a line of an exchange that goes.
func (j *pruner) hasGone(i int, f fate) bool {
	for id := range f.chosen {
		if j.gone[id] {
			return true
		}
	}
	for _, u := range j.x.loaded[i] {
		for b := u.loose; len(b) >= looseLen; b = b[looseLen:] {
			if j.gone[ID(b[1:1+idLen])] {
				return !j.p.WholeSegments
			}
		}
	}
	return false
}

// rewrite writes a segment anew without the lines of what goes. Damaged lines
// stay.
func (j *pruner) rewrite(first uint64, path string, size int64) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var out *os.File
	w := bufio.NewWriterSize(io.Discard, chunk)
	if !j.p.DryRun {
		if out, err = os.CreateTemp(filepath.Dir(path), spoolPrefix+"*"); err != nil {
			return err
		}
		defer os.Remove(out.Name())
		defer out.Close()
		w.Reset(out)
	}
	kept := int64(0)
	for r := newLineReader(f, 0, size); ; {
		raw, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if l, bad := parseLine(raw); bad == nil && (l.id != "" && j.gone[l.id] || l.kind == 'z' || l.kind == 'd') {
			continue
		}
		kept += int64(len(raw)) + 1
		w.Write(raw)
		w.WriteByte('\n')
	}
	j.out.Bytes += size - kept
	if j.p.DryRun || kept == size {
		return nil
	}
	if err := errors.Join(w.Flush(), out.Sync(), out.Close()); err != nil {
		return err
	}
	if kept == 0 {
		err = os.Remove(path)
	} else {
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		return err
	}
	j.dropIndex(first)
	return syncDir(filepath.Dir(path))
}

func (j *pruner) dropIndex(first uint64) {
	j.s.runs.forget(first)
	for _, offset := range j.s.indexed()[first] {
		os.Remove(j.s.indexPath(position{first, offset}))
	}
}

// dropBodies removes the files that no line names any more. Young ones can be
// of a line that is still to come.
func (j *pruner) dropBodies() error {
	if len(j.sums) == 0 {
		return nil
	}
	for _, list := range j.x.loaded {
		for _, u := range list {
			if err := j.stillNamed(u); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	for sum := range j.sums {
		path := j.s.bodyPath(sum)
		info, err := os.Stat(path)
		if err != nil || info.ModTime().After(j.p.Now.Add(-youngest)) {
			continue
		}
		j.out.Bytes += info.Size()
		if j.p.DryRun {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// stillNamed takes out of sums what exchanges that stay have named.
func (j *pruner) stillNamed(u *run) error {
	if _, err := os.Stat(j.s.segmentPath(u.at.first)); err != nil {
		return err
	}
	f, err := os.Open(j.s.segmentPath(u.at.first))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	for r := newLineReader(f, 0, info.Size()); u.at.offset == 0; { // once a segment
		raw, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if !bytes.Contains(raw, []byte(`"body":{"sha256":"`)) {
			continue
		}
		for sum := range j.sums {
			if strings.Contains(string(raw), sum) {
				if l, err := parseLine(raw); err != nil || !j.gone[l.id] {
					delete(j.sums, sum)
				}
			}
		}
	}
	return nil
}

// Size returns how many bytes the journal and the bodies have.
func (s *Store) Size() int64 {
	n := int64(0)
	for _, dir := range []string{"journal", "bodies"} {
		names, err := os.ReadDir(s.path(dir))
		if err != nil {
			continue
		}
		for _, e := range names {
			if info, err := e.Info(); err == nil {
				n += info.Size()
			}
		}
	}
	return n
}
