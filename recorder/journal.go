package recorder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxSegment is the size in bytes at which a segment is full.
const maxSegment = 64 << 20

const segmentExt = ".jsonl"

// A segment is one file of the journal.
type segment struct {
	first uint64 // no exchange in it has a lower sequence number
	f     *os.File
	end   int64 // bytes of whole lines
	left  bool  // nobody writes to it any more: there is a next one, or will be
}

// A position is a place in the journal between two lines.
type position struct {
	first  uint64 // of the segment
	offset int64
}

func (s *Store) segmentPath(first uint64) string {
	return s.path("journal", fmt.Sprintf("%012d%s", first, segmentExt))
}

// segments returns the first sequence numbers of all segments, oldest first.
func (s *Store) segments() ([]uint64, error) {
	names, err := os.ReadDir(s.path("journal"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []uint64
	for _, n := range names {
		digits, ok := strings.CutSuffix(n.Name(), segmentExt)
		if !ok {
			continue
		}
		first, err := strconv.ParseUint(digits, 10, 64)
		if err != nil || filepath.Base(s.segmentPath(first)) != n.Name() {
			continue // not one of ours
		}
		list = append(list, first)
	}
	slices.Sort(list)
	return list, nil
}

// openJournal opens the last segment, mends its end and finds the last
// sequence number. Of what is before the newest exchange nothing is read: numbers
// only grow. The lock is held.
func (s *Store) openJournal() error {
	list, err := s.segments()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		list = []uint64{0}
	}
	first := list[len(list)-1]
	s.seg.first = first
	if s.seg.f, err = s.createSegment(first); err != nil {
		return err
	}
	s.lastSeq = first
	if s.seg.end, err = newestExchange(s.seg.f); err != nil {
		return err
	}
	if err := s.catchUp(); err != nil {
		return err
	}
	s.durable = position{first, s.seg.end}
	return s.seg.f.Sync() // what another process wrote last may not be
}

// newestExchange returns where in f the last line of an exchange begins that is not
// damaged; 0 if there is none.
func newestExchange(f *os.File) (int64, error) {
	end, err := wholeLines(f)
	if err != nil {
		return 0, err
	}
	for r := newBackReader(f, end); ; {
		raw, at, err := r.prev()
		if err == io.EOF {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		if l, err := parseLine(raw); err == nil && l.kind == 'x' {
			return at, nil
		}
	}
}

func (s *Store) createSegment(first uint64) (*os.File, error) {
	path := s.segmentPath(first)
	f, err := openShared(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err == nil {
		return f, syncDir(filepath.Dir(path))
	}
	if errors.Is(err, fs.ErrExist) {
		return openShared(path, os.O_RDWR)
	}
	return nil, err
}

// catchUp reads what other processes have appended since this one looked
// last, and cuts off a line that one of them did not live to finish: whoever
// holds the lock knows that nobody is writing. Then it moves on to the next
// segment if there is one. The lock is held.
func (s *Store) catchUp() error {
	for {
		info, err := s.seg.f.Stat()
		if err != nil {
			return err
		}
		if info.Size() < s.seg.end {
			if err := s.leaveCut(info.Size()); err != nil {
				return err
			}
			continue
		}
		if info.Size() > s.seg.end {
			if err := s.readDelta(info.Size()); err != nil {
				return err
			}
		}
		if removed(s.seg.f, info) { // pruned, or with all of the store
			if err := s.startAnew(); err != nil {
				return err
			}
			continue
		}
		if s.seg.end < s.segmentSize && !s.seg.left {
			return nil
		}
		next, err := s.nextSegment(s.seg.first)
		if err != nil || next == 0 {
			return err
		}
		if err := s.enter(next); err != nil {
			return err
		}
	}
}

// removed reports whether the file f, which info is of, is not found under its name any
// more: it was removed or moved, with all of the store perhaps, or another one has it now.
func removed(f *os.File, info os.FileInfo) bool {
	now, err := os.Stat(f.Name())
	return errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(now, info)
}

// nextSegment returns the first number of the segment after the given one, 0
// if it is the last.
func (s *Store) nextSegment(first uint64) (uint64, error) {
	list, err := s.segments()
	if err != nil {
		return 0, err
	}
	i, _ := slices.BinarySearch(list, first+1)
	if i == len(list) {
		return 0, nil
	}
	return list[i], nil
}

// readDelta takes in the lines from the known end to size.
func (s *Store) readDelta(size int64) error {
	r := newLineReader(s.seg.f, s.seg.end, size)
	for {
		raw, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		l, err := parseLine(raw)
		if errors.Is(err, ErrNewer) {
			return err
		}
		if err != nil {
			s.log.Warn("damaged line in the journal", "file", s.seg.f.Name(), "offset", r.start, "error", err)
			continue
		}
		switch l.kind {
		case 'x':
			s.lastSeq = max(s.lastSeq, l.seq)
		case 'z':
			s.seg.left = true
		}
	}
	end := r.offset
	if end < size {
		s.log.Warn("cut off a line that was never finished", "file", s.seg.f.Name(), "bytes", size-end)
		if err := s.seg.f.Truncate(end); err != nil {
			return err
		}
	}
	s.syncMu.Lock()
	s.seg.end = end
	s.syncMu.Unlock()
	return nil
}

// enter makes the segment that starts at first the last one. All that this
// process wrote before is made durable first, so that one sync of the last
// segment is always enough.
func (s *Store) enter(first uint64) error {
	f, err := s.createSegment(first)
	if err != nil {
		return err
	}
	if err := syncData(s.seg.f); err != nil {
		f.Close()
		s.fail(err)
		return err
	}
	s.syncMu.Lock()
	old := s.seg.f
	s.seg = segment{first: first, f: f}
	s.advance(s.written, position{first, 0})
	s.syncMu.Unlock()
	s.lastSeq = max(s.lastSeq, first)
	return old.Close()
}

// leave ends the last segment, however short it is, with a line that tells other
// processes so: without it they would go on writing to it. The lock is held.
func (s *Store) leave() error {
	buf := sealLine([]byte(leftPre), 0)
	s.noteWriting(s.seg.end + int64(len(buf)))
	defer s.noteWriting(0)
	if _, err := s.seg.f.WriteAt(buf, s.seg.end); err != nil {
		if cut := s.seg.f.Truncate(s.seg.end); cut != nil {
			s.fail(cut)
		}
		return err
	}
	s.syncMu.Lock()
	s.seg.end += int64(len(buf))
	s.seg.left = true
	s.syncMu.Unlock()
	return nil
}

// leaveCut ends a segment that somebody has made shorter, behind its last whole line,
// so that what comes goes into the next one: what was cut off cannot be had again, and
// other processes may know the segment as it was. The lock is held.
func (s *Store) leaveCut(size int64) error {
	end, err := wholeLines(s.seg.f)
	if err != nil {
		return err
	}
	if err := s.seg.f.Truncate(end); err != nil {
		return err
	}
	s.log.Warn("the journal was cut by somebody else; it goes on in a new file", "file", s.seg.f.Name(), "bytes", s.seg.end-size)
	s.syncMu.Lock()
	s.seg.end = end
	s.syncMu.Unlock()
	return s.leave()
}

// startAnew begins a segment after the last one was pruned, or somebody has removed
// the directory or moved it away, which it makes again, so that what comes from now on is
// kept where it is looked for. It ends with the lock held that others find now.
func (s *Store) startAnew() error {
	if _, err := os.Stat(s.path("journal")); errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("the store was removed or moved away; it is made anew", "dir", s.dir)
	}
	if err := s.makeDir(); err != nil {
		return err
	}
	other, err := s.lockAnew()
	if err != nil {
		return err
	}
	list, err := s.segments() // another process can have been quicker
	if err != nil {
		return err
	}
	if other && len(list) > 0 {
		if err := s.takeOver(list[len(list)-1]); err != nil {
			return err
		}
	}
	return s.enter(slices.Max(append(list, s.lastSeq+1)))
}

// takeOver ends the last segment of another store that is in the place of this one. Its
// numbers are not used again, and who has it open goes on in the segment that comes.
func (s *Store) takeOver(last uint64) error {
	if err := s.enter(last); err != nil {
		return err
	}
	info, err := s.seg.f.Stat()
	if err != nil {
		return err
	}
	if err := s.readDelta(info.Size()); err != nil {
		return err
	}
	return s.leave()
}

// lockAnew takes the lock that others find now, unless it is the one that is
// held already: the journal can be gone without it. It reports whether it was another.
func (s *Store) lockAnew() (other bool, err error) {
	lock, err := os.OpenFile(s.path("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	now, err := lock.Stat()
	held, heldErr := s.lock.Stat()
	if err == nil && heldErr == nil && os.SameFile(now, held) {
		return false, lock.Close()
	}
	if err := lockFile(lock); err != nil {
		lock.Close()
		return false, err
	}
	s.lock.Close()
	s.lock = lock
	return true, nil
}
