package recorder

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// announceExt ends the names of announcements.
const announceExt = ".json"

// An Announcement is what a process that serves a store tells the others: a
// small file in run/ that its owner holds locked, so that one whose owner has
// died is known for it. Make one with [Store.Announce].
type Announcement struct {
	s       *Store
	dir     string // of the store
	lasting bool   // outlives its owner; see [Store.Keep]
	f       *os.File
}

// Announce tells the other processes of the store about this one, in words of
// the caller's own, until the announcement is closed. Those that dead processes
// have left are removed.
func (s *Store) Announce(about []byte) (*Announcement, error) {
	if s.readOnly {
		return nil, ErrReadOnly
	}
	a := &Announcement{s: s, dir: "run"}
	if err := a.Update(about); err != nil {
		return nil, fmt.Errorf("announce: %w", err)
	}
	s.removeStale()
	return a, nil
}

// Update puts other words in the place of the ones before. It is not for
// concurrent use.
func (a *Announcement) Update(about []byte) error {
	err := os.Mkdir(a.s.path(a.dir), 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		a.s.log.Warn("the store was removed or moved away; it is made anew", "dir", a.s.dir) // who writes next does not see that it was
		if err = a.s.makeDir(); err == nil {
			err = os.Mkdir(a.s.path(a.dir), 0o700)
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	id, err := ulid.New(ulid.Now(), rand.Reader)
	if err != nil {
		return err
	}
	f, err := openShared(a.s.path(a.dir, id.String()+announceExt), os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	err = lockFile(f) // before anything stands in it: what is empty is not taken for stale
	if err == nil {
		_, err = f.Write(about)
	}
	if err == nil && a.lasting {
		err = cmp.Or(f.Sync(), syncDir(a.s.path(a.dir)))
	}
	if err != nil {
		f.Close()
		return errors.Join(err, os.Remove(f.Name()))
	}
	old := a.f
	a.f = f
	return dropFile(old)
}

// Lost reports whether others do not find the announcement any more, because somebody
// has removed it, with all of the store perhaps. Update makes it again.
func (a *Announcement) Lost() bool {
	_, err := os.Stat(a.f.Name())
	return errors.Is(err, fs.ErrNotExist)
}

// Close takes the announcement back.
func (a *Announcement) Close() error {
	f := a.f
	a.f = nil
	return dropFile(f)
}

func dropFile(f *os.File) error {
	if f == nil {
		return nil
	}
	err := f.Close()
	if rm := os.Remove(f.Name()); rm != nil && !errors.Is(rm, fs.ErrNotExist) { // with the whole store, perhaps
		err = cmp.Or(err, rm)
	}
	return err
}

// Announced returns what the living processes of the store say of themselves,
// the newest first.
func (s *Store) Announced() ([][]byte, error) {
	var list [][]byte
	err := s.eachIn("run", func(path string, f *os.File, alive bool) {
		if !alive {
			return
		}
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
			list = append(list, text)
		}
	})
	slices.Reverse(list)
	return list, err
}

func (s *Store) removeStale() {
	err := s.eachIn("run", func(path string, f *os.File, alive bool) {
		if info, err := f.Stat(); alive || err != nil || info.Size() == 0 && time.Since(info.ModTime()) < time.Minute {
			return
		}
		f.Close() // Windows removes no open file
		os.Remove(path)
	})
	if err != nil {
		s.log.Warn("cannot look for other processes", "error", err)
	}
}

// eachIn calls f for each announcement in dir, the oldest first.
func (s *Store) eachIn(dir string, f func(path string, file *os.File, alive bool)) error {
	names, err := os.ReadDir(s.path(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), announceExt) {
			continue
		}
		path := s.path(dir, n.Name())
		file, err := openShared(path, os.O_RDONLY) // its owner can take it back meanwhile
		if err != nil {
			continue // just taken back
		}
		free, err := tryShareLock(file)
		if err == nil {
			f(path, file, !free)
		}
		file.Close()
	}
	return nil
}
