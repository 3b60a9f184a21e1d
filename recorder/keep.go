package recorder

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// maxKept is how much of what is kept is read, in bytes.
const maxKept = 1 << 20

// Keep is [Store.Announce] for what outlives its owner, as what is to be undone
// elsewhere: it stands in the directory kind of the store, is on disk when Keep
// and Update return, and stays there when the owner dies, for
// [Store.TakeOver].
func (s *Store) Keep(kind string, text []byte) (*Announcement, error) {
	if s.readOnly {
		return nil, ErrReadOnly
	}
	a := &Announcement{s: s, dir: kind, lasting: true}
	if err := a.Update(text); err != nil {
		return nil, fmt.Errorf("keep %s: %w", kind, err)
	}
	return a, nil
}

// Leave ends the ownership of a kept text, which stays for whoever takes it
// over.
func (a *Announcement) Leave() error {
	f := a.f
	a.f = nil
	return f.Close()
}

// A Kept is what a process has kept.
type Kept struct {
	Text  []byte
	Alive bool // its owner lives
}

// Kept returns all that is kept under kind, the oldest first.
func (s *Store) Kept(kind string) ([]Kept, error) {
	var list []Kept
	err := s.eachIn(kind, func(_ string, f *os.File, alive bool) {
		if text, err := s.readKept(f); err == nil {
			list = append(list, Kept{text, alive})
		}
	})
	return list, err
}

// TakeOver makes the caller the owner of what dead processes have kept under
// kind, as far as want says so, and calls use for each, the oldest first. What
// use neither closes nor leaves is left.
func (s *Store) TakeOver(kind string, want func(text []byte) bool, use func(a *Announcement, text []byte)) error {
	if s.readOnly {
		return ErrReadOnly
	}
	var paths []string
	err := s.eachIn(kind, func(path string, f *os.File, alive bool) {
		if text, err := s.readKept(f); err == nil && !alive && want(text) {
			paths = append(paths, path)
		}
	})
	for _, path := range paths {
		f, err := openShared(path, os.O_RDWR)
		if err != nil {
			continue // another was faster
		}
		a := &Announcement{s: s, dir: kind, lasting: true, f: f}
		free, err := tryLock(f)
		var info os.FileInfo
		if free && err == nil {
			info, err = f.Stat()
		}
		if text, bad := s.readKept(f); free && err == nil && bad == nil && !removed(f, info) {
			use(a, text)
		}
		if a.f != nil {
			a.Leave() // nothing was written
		}
	}
	return err
}

// readKept reads what is kept in f. What is empty is just being written. What
// others could have written is not taken for our own: a directory that comes
// with somebody's project must not have devhook undo things.
func (s *Store) readKept(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		s.log.Warn("what others can read or write is not used: chmod 600 it, if it is yours", "file", f.Name())
		return nil, os.ErrPermission
	}
	text, err := io.ReadAll(io.NewSectionReader(f, 0, maxKept+1))
	if err == nil && (len(text) == 0 || len(text) > maxKept) {
		err = fmt.Errorf("%s holds %d bytes", f.Name(), len(text))
	}
	return text, err
}
