package recorder

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// seal ends the last segment: it is written to by others, in a new one from now on.
func (j *pruner) seal(first uint64) error {
	e := newEntry()
	defer e.free()
	e.sealed, e.leaves, e.first = true, true, first
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
	grows := i == len(j.x.segments)-1 // until it is sealed: there can be more than was looked at
	whole := !grows && len(f.chosen) == f.rows && f.rows > 0 && !j.looseOfKept(i, f)
	if whole {
		for id := range f.chosen {
			if _, ok := j.x.ends[id]; ok { // lines of it are in later segments
				j.gone[id] = true
			}
		}
		j.removed[first] = true
		if err := j.drop(first, path, removeFile); err != nil {
			return err
		}
		j.out.Exchanges += len(f.chosen)
		j.out.Bytes += info.Size()
		return nil
	}
	for id := range f.chosen {
		j.gone[id] = true
	}
	j.kept = append(j.kept, j.x.loaded[i]...)
	if !j.hasGone(i, f) {
		return nil
	}
	if grows && !j.p.DryRun {
		if err := j.seal(first); err != nil {
			return err
		}
		if info, err = os.Stat(path); err != nil {
			return err
		}
	}
	gone, err := j.rewrite(first, path, info.Size())
	if err != nil {
		return err
	}
	j.out.Exchanges += len(f.chosen)
	j.out.Bytes += gone
	return nil
}

// drop removes a segment as how says, or puts another in its place, unless it is only
// asked what that would take.
func (j *pruner) drop(first uint64, path string, how func(path string) error) error {
	if j.p.DryRun {
		return nil
	}
	if runtime.GOOS != "windows" { // where nothing should have it open
		// A system gives back what a file takes when the last who has it open closes it:
		// 20 ms for 64 MB, here beside the work on the next segment.
		if old, err := os.Open(path); err == nil {
			defer j.freeing.Go(func() { old.Close() })
		}
	}
	if err := how(path); err != nil {
		return held(err)
	}
	j.dropIndex(first)
	return syncDir(filepath.Dir(path))
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

// rewrite writes a segment anew without the lines of what goes, and ends it. Damaged
// lines stay. It returns how many bytes went.
func (j *pruner) rewrite(first uint64, path string, size int64) (gone int64, err error) {
	f, err := openShared(path, os.O_RDONLY)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var out *os.File
	w := bufio.NewWriterSize(io.Discard, chunk)
	if !j.p.DryRun {
		if out, err = createTemp(filepath.Dir(path)); err != nil {
			return 0, err
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
			return 0, err
		}
		l, bad := parseLine(raw)
		if bad == nil && (l.id != "" && j.gone[l.id] || l.kind == 'd') {
			gone += int64(len(raw)) + 1
			continue
		}
		if bad == nil && l.kind == 'z' {
			continue
		}
		kept += int64(len(raw)) + 1
		w.Write(raw)
		w.WriteByte('\n')
	}
	if j.p.DryRun || gone == 0 {
		return gone, nil
	}
	if kept > 0 { // else nothing is written, which a full disk has no room for
		w.Write(sealLine([]byte(leftPre), 0)) // or who comes to it later would go on writing there
	}
	if err := cmp.Or(w.Flush(), out.Sync(), out.Close(), f.Close()); err != nil {
		return 0, err
	}
	return gone, j.drop(first, path, func(path string) error {
		if kept == 0 {
			return removeFile(path)
		}
		return replaceFile(out.Name(), path)
	})
}

func (j *pruner) dropIndex(first uint64) {
	j.s.runs.forget(first)
	for _, offset := range j.s.indexed()[first] {
		os.Remove(j.s.indexPath(position{first, offset}))
	}
}

// held says of a segment that cannot be removed or replaced what that means: the
// system lets nobody who has it open without sharing lose it.
func held(err error) error {
	return fmt.Errorf("what has to go stays, and so do the segments behind it, until no other program has it open: %w", err)
}
