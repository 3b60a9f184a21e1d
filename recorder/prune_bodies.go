package recorder

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// settled is how old the file of a body that no line names must be to be taken
// for one that no line will name: it is made a moment before its line.
const settled = 5 * time.Minute

// dropBodies removes the files that no line names any more. It goes by what there
// is, and not by what was just removed: so it finds as well what an earlier pruning
// had to leave because it was too young, and what a crash has left.
func (j *pruner) dropBodies() error {
	files, err := j.s.bodyFiles(j.p.Now.Add(-settled))
	if err != nil || len(files) == 0 {
		return err
	}
	x := j.x
	if !j.p.DryRun { // what was rewritten has its lines in other places now
		if x, err = j.s.newIndex(); err == nil {
			err = x.load(0, len(x.segments))
		}
		if err != nil {
			return err
		}
	}
	if err := j.spareNamed(x, files); err != nil {
		return err
	}
	for sum, info := range files {
		if !j.p.DryRun {
			removed, err := j.s.removeBody(sum, info)
			if err != nil {
				return err
			}
			if !removed {
				continue
			}
		}
		j.out.Bytes += info.Size()
	}
	return nil
}

// removeBody removes the file of a body and reports so, unless it is another one than info
// is of: the same bytes have come again meanwhile, and a line names them.
func (s *Store) removeBody(sum string, info fs.FileInfo) (bool, error) {
	path := s.bodyPath(sum)
	now, err := os.Stat(path)
	if err == nil {
		if !os.SameFile(info, now) || !now.ModTime().Equal(info.ModTime()) {
			return false, nil
		}
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// bodyFiles returns the files of bodies that were made before the given time.
func (s *Store) bodyFiles(before time.Time) (map[string]fs.FileInfo, error) {
	names, err := os.ReadDir(s.path("bodies"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	files := map[string]fs.FileInfo{}
	for _, n := range names {
		if !isSum(n.Name()) {
			continue
		}
		// Not n.Info: on NTFS a directory can be behind the times of a file.
		if info, err := os.Lstat(s.bodyPath(n.Name())); err == nil && info.Mode().IsRegular() && info.ModTime().Before(before) {
			files[n.Name()] = info
		}
	}
	return files, err
}

// spareNamed takes out of files what lines that stay name. A body is written just
// before its line, so that the segments that were being written to then are looked at
// first; mostly no other one has to be.
func (j *pruner) spareNamed(x *index, files map[string]fs.FileInfo) error {
	type place struct{ i, likely int }
	var ends []time.Time
	places := make([]place, len(x.segments))
	for i, first := range x.segments {
		places[i].i = i
		end := time.Time{}
		if info, err := os.Stat(j.s.segmentPath(first)); err == nil {
			end = info.ModTime()
		}
		ends = append(ends, end)
	}
	for _, info := range files {
		for i, end := range ends {
			if !end.Before(info.ModTime()) {
				places[i].likely++
				break
			}
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(b.likely, a.likely) })
	for _, p := range places {
		if len(files) == 0 {
			return nil
		}
		if j.removed[x.segments[p.i]] {
			continue
		}
		for _, u := range x.loaded[p.i] {
			err := j.s.bodiesOf(u, func(id ID, sum string) {
				if !j.gone[id] {
					delete(files, sum)
				}
			})
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// bodiesOf calls f for each body in a file that a line of u names, with the ID of
// the line's exchange; "" if the line is damaged.
func (s *Store) bodiesOf(u *run, f func(id ID, sum string)) error {
	return s.withIndex(u, func(u *run) error { return s.bodiesOnce(u, f) })
}

func (s *Store) bodiesOnce(u *run, f func(id ID, sum string)) error {
	c, err := u.open()
	if err != nil {
		return err
	}
	defer c.done()
	flags, err := c.column(colFlags)
	if err != nil {
		return err
	}
	xs, err := c.column(colX)
	if err != nil {
		return err
	}
	rs, err := c.column(colR)
	if err != nil {
		return err
	}
	var file *os.File // the segment, once a line of it is wanted
	defer func() {
		if file != nil {
			file.Close()
		}
	}()
	var buf []byte
	look := func(id ID, at []byte) error {
		sp := spanAt(u.at.first, at)
		if sp.n == 0 {
			return nil
		}
		if !u.has(sp) {
			return errBadIndex
		}
		if file == nil {
			if file, err = openShared(s.segmentPath(u.at.first), os.O_RDONLY); err != nil {
				return err
			}
		}
		buf = slices.Grow(buf[:0], sp.n)[:sp.n]
		if _, err := file.ReadAt(buf, sp.at.offset); err != nil && err != io.EOF {
			return err
		}
		for rest := buf; ; {
			var ok bool
			if _, rest, ok = bytes.Cut(rest, []byte(`"body":{"sha256":"`)); !ok {
				return nil
			}
			if len(rest) >= 64 && isSum(string(rest[:64])) {
				f(id, string(rest[:64]))
			}
		}
	}
	for i := range u.rows {
		if flags[i]&(flagFile|flagOther|flagApp) == 0 {
			continue
		}
		id, err := c.id(i)
		if err != nil {
			return err
		}
		if err := errors.Join(look(id, xs[i*8:]), look(id, rs[i*8:])); err != nil {
			return err
		}
	}
	for b := u.loose; len(b) >= looseLen; b = b[looseLen:] {
		id := ID("")
		switch b[0] {
		case 'r':
			id = ID(b[1 : 1+idLen])
		case '!': // it may name one all the same
		default:
			continue
		}
		if err := look(id, b[1+idLen:]); err != nil {
			return err
		}
	}
	return nil
}

// Size returns how many bytes the journal and the bodies have, without what is not whole
// yet: it would push recordings out. Files are asked and not their directory, which does
// not follow on NTFS while they are written to.
func (s *Store) Size() int64 {
	n := int64(0)
	for _, dir := range []string{"journal", "bodies"} {
		names, err := os.ReadDir(s.path(dir))
		if err != nil {
			continue
		}
		for _, e := range names {
			if info, err := os.Lstat(s.path(dir, e.Name())); err == nil && !strings.HasPrefix(e.Name(), spoolPrefix) {
				n += info.Size()
			}
		}
	}
	return n
}
