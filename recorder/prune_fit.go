package recorder

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"
)

// ever is after all times that files have.
var ever = time.Unix(1<<40, 0)

const (
	fitSlack = 256 // bytes that are left for the line that tells of what was removed
	fitWhole = 10  // a segment goes as a whole if that leaves no more than a tenth unused
)

// fit chooses the oldest exchanges, until the rest fits. A segment goes as a whole,
// unless much less has to go: then it is written anew, if the disk has room for that. What
// is done in passing does so only if its exchanges have large bodies, and lets the last
// segment be: who is told to make room on a full disk ends that, too. What exchanges name
// of bodies is taken to go with them: if others name it, too, the next pruning takes the
// rest.
func (j *pruner) fit(fates []fate) error {
	if j.p.MaxSize <= 0 || j.s.Size() <= j.p.MaxSize {
		return nil
	}
	total, err := j.held()
	if err != nil {
		return err
	}
	most := max(0, j.p.MaxSize-fitSlack)
	counted := map[string]bool{}
	for i, f := range fates { // what goes anyway
		w, err := j.weigh(i, f, counted)
		if err != nil {
			return err
		}
		total -= w.total
	}
	for i := 0; i < len(fates) && total > most; i++ {
		more := fate{chosen: map[ID]bool{}}
		if err := j.each(i, Query{}, true, &more); err != nil {
			return err
		}
		for id := range fates[i].chosen {
			delete(more.chosen, id)
		}
		w, err := j.weigh(i, more, counted)
		if err != nil {
			return err
		}
		unused, full := most/fitWhole, !j.s.hasRoom(w.segment)
		if j.p.WholeSegments || full {
			unused = max(unused, w.segment)
		}
		if (i < len(fates)-1 || full && !j.p.WholeSegments) && total-w.total >= most-unused {
			total -= w.total
			fates[i].rows, fates[i].pinned = more.rows, more.pinned
			for id := range fates[i].chosen {
				more.chosen[id] = true
			}
			fates[i].chosen = more.chosen
			continue
		}
		if fates[i].chosen == nil {
			fates[i].chosen = map[ID]bool{}
		}
		if total, err = j.cut(i, more.chosen, w, total, most, fates[i].chosen); err != nil {
			return err
		}
	}
	return nil
}

// held returns how many bytes the journal has, and the bodies that its lines name. A
// body that none names, as an earlier pruning had to leave it, must not push a
// recording out: it goes by itself, once it is settled.
func (j *pruner) held() (int64, error) {
	left, err := j.s.bodyFiles(ever)
	if err != nil {
		return 0, err
	}
	if err := j.spareNamed(j.x, left); err != nil {
		return 0, err
	}
	total := j.s.Size()
	for _, info := range left {
		total -= info.Size()
	}
	return total, nil
}

// A weight is how many bytes there are of what is chosen of a segment.
type weight struct {
	segment int64        // all of it, without bodies
	bodies  map[ID]int64 // in files; each is counted once
	total   int64        // of what is chosen, about
}

func (j *pruner) weigh(i int, f fate, counted map[string]bool) (weight, error) {
	w := weight{bodies: map[ID]int64{}}
	if len(f.chosen) == 0 {
		return w, nil
	}
	info, err := os.Stat(j.s.segmentPath(j.x.segments[i]))
	if err != nil {
		return w, err
	}
	w.segment = info.Size()
	w.total = w.segment / int64(f.rows) * int64(len(f.chosen))
	for _, u := range j.x.loaded[i] {
		err := j.s.bodiesOf(u, func(id ID, sum string) {
			if !f.chosen[id] || counted[sum] {
				return
			}
			if info, err := os.Stat(j.s.bodyPath(sum)); err == nil {
				counted[sum] = true
				w.bodies[id] += info.Size()
				w.total += info.Size()
			}
		})
		if err != nil {
			return w, err
		}
	}
	return w, nil
}

// cut chooses the oldest of a segment, of those that may go, until there are most bytes
// or less, and returns how many there are then.
func (j *pruner) cut(i int, may map[ID]bool, w weight, total, most int64, chosen map[ID]bool) (int64, error) {
	f, err := openShared(j.s.segmentPath(j.x.segments[i]), os.O_RDONLY)
	if err != nil {
		return total, err
	}
	defer f.Close()
	lines := map[ID]int64{} // bytes, with those of results and frames
	var order []ID
	for r := newLineReader(f, 0, w.segment); ; {
		raw, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return total, err
		}
		l, bad := parseLine(raw)
		if bad != nil {
			continue
		}
		if lines[l.id] += int64(len(raw)) + 1; l.kind == 'x' && may[l.id] {
			order = append(order, l.id)
		}
	}
	for _, id := range order {
		if total <= most {
			break
		}
		chosen[id] = true
		total -= lines[id] + w.bodies[id]
	}
	return total, nil
}

// withIndex calls f with u, and if that is damaged or gone once more with a new one.
func (s *Store) withIndex(u *run, f func(*run) error) error {
	err := f(u)
	if errors.Is(err, errBadIndex) || errors.Is(err, fs.ErrNotExist) {
		if u, err = s.again(u); err == nil {
			err = f(u)
		}
	}
	return err
}
