package recorder

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// spoolPrefix starts the names of files that are not whole yet.
const spoolPrefix = "tmp-"

// A Spool takes the bytes of a body one after another: up to [MaxInline] of
// them stay in memory, more go to a file. It is for one goroutine. End it with
// Body or with Discard.
type Spool struct {
	s    *Store
	mem  []byte
	f    *os.File
	hash hash.Hash
	size int64
	err  error // the first that the file had
}

// Spool returns an empty spool.
func (s *Store) Spool() *Spool { return &Spool{s: s} }

// Write adds p. After an error the spool can only be discarded.
func (sp *Spool) Write(p []byte) (int, error) {
	if sp.f == nil && len(sp.mem)+len(p) > MaxInline {
		if err := sp.toFile(); err != nil {
			return 0, err
		}
	}
	sp.size += int64(len(p))
	if sp.f == nil {
		sp.mem = append(sp.mem, p...)
		return len(p), nil
	}
	return len(p), sp.put(p)
}

// ReadFrom adds all that r has. The error is r's or the file's; after one the
// spool can only be discarded.
func (sp *Spool) ReadFrom(r io.Reader) (n int64, err error) {
	for sp.f == nil { // straight into memory
		if len(sp.mem) == cap(sp.mem) {
			sp.mem = slices.Grow(sp.mem, 512)
		}
		got, err := r.Read(sp.mem[len(sp.mem):min(cap(sp.mem), MaxInline+1)])
		sp.mem = sp.mem[:len(sp.mem)+got]
		sp.size += int64(got)
		n += int64(got)
		if len(sp.mem) > MaxInline {
			if err := sp.toFile(); err != nil {
				return n, err
			}
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
	buf := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buf)
	for {
		got, err := r.Read(buf[:])
		if got > 0 {
			sp.size += int64(got)
			n += int64(got)
			if err := sp.put(buf[:got]); err != nil {
				return n, err
			}
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// toFile goes on in a file with what is in memory.
func (sp *Spool) toFile() error {
	if sp.s.readOnly {
		return ErrReadOnly
	}
	if err := sp.s.Room(); err != nil {
		return err
	}
	f, err := createTemp(sp.s.path("bodies"))
	if errors.Is(err, fs.ErrNotExist) { // somebody has removed the store
		if err = sp.s.makeDir(); err == nil {
			f, err = createTemp(sp.s.path("bodies"))
		}
	}
	if err != nil {
		return err
	}
	sp.f, sp.hash = f, sha256.New()
	err = sp.put(sp.mem)
	sp.mem = nil
	return err
}

func (sp *Spool) put(p []byte) error {
	sp.hash.Write(p)
	_, err := sp.f.Write(p)
	if err != nil && sp.err == nil {
		sp.err = err
	}
	return err
}

// Grow makes room for a body of n bytes, as far as it will stay in memory.
func (sp *Spool) Grow(n int64) {
	if n > 0 && sp.mem == nil && sp.f == nil {
		sp.mem = make([]byte, 0, min(n, MaxInline)+1) // one more finds the end
	}
}

// Size returns how many bytes were written.
func (sp *Spool) Size() int64 { return sp.size }

// Body ends the spool and returns what was written. A body in a file is
// durable under its own name then. If not all of it could be written, that is
// the error.
func (sp *Spool) Body() (Body, error) {
	if sp.f == nil {
		return Body{Bytes: sp.mem}, nil
	}
	sum := hex.EncodeToString(sp.hash.Sum(nil))
	path := sp.s.bodyPath(sum)
	tmp := sp.f.Name()
	err := sp.err
	if err == nil {
		err = sp.f.Sync()
	}
	err = errors.Join(err, sp.f.Close())
	if err == nil { // over one of that name, too, which can have been damaged since
		err = os.Rename(tmp, path)
		if info, has := os.Stat(path); err != nil && has == nil && info.Size() == sp.size {
			now := time.Now()
			err = errors.Join(os.Chtimes(path, now, now), os.Remove(tmp)) // Windows replaces no file that somebody reads
		}
	}
	if err != nil {
		os.Remove(tmp)
		return Body{}, fmt.Errorf("keep a body of %d bytes: %w", sp.size, err)
	}
	return Body{Sum: sum}, syncDir(filepath.Dir(path))
}

// Discard ends the spool and drops what was written. It does nothing after
// Body.
func (sp *Spool) Discard() {
	if sp.f != nil {
		sp.f.Close()
		os.Remove(sp.f.Name())
	}
}

// Prefix returns the first n bytes of what was written, or all of it.
func (sp *Spool) Prefix(n int) ([]byte, error) {
	n = int(min(int64(n), sp.size))
	if sp.f == nil {
		return sp.mem[:n], nil
	}
	b := make([]byte, n)
	_, err := sp.f.ReadAt(b, 0)
	return b, err
}

// createTemp makes a file in dir that is not whole yet. It is locked for as long as it is
// open, so that one whose maker was killed is known for it.
func createTemp(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, spoolPrefix+"*")
	if err == nil {
		_, _ = tryLock(f) // where nothing can be locked, its age alone tells
	}
	return f, err
}

// removeStaleSpools removes what a crash left of files that were not whole yet: bodies
// under way, and what was written beside to replace a segment. Another process may be at
// work on those that are locked, or young.
func (s *Store) removeStaleSpools() {
	for _, dir := range []string{"bodies", "journal", "index", "."} {
		names, _ := os.ReadDir(s.path(dir))
		for _, n := range names {
			path := s.path(dir, n.Name())
			if !strings.HasPrefix(n.Name(), spoolPrefix) || !abandoned(path) {
				continue
			}
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.log.Warn("cannot remove an unfinished file", "file", path, "error", err)
			}
		}
	}
}

// abandoned reports whether nobody is at work on a file any more that is not whole.
func abandoned(path string) bool {
	info, err := os.Stat(path)
	if err != nil || time.Since(info.ModTime()) < settled {
		return false
	}
	f, err := openShared(path, os.O_RDONLY) // on Windows its maker could not remove it else
	if err != nil {
		return false
	}
	defer f.Close()
	free, err := tryShareLock(f)
	return free || err != nil && time.Since(info.ModTime()) > 24*time.Hour
}
