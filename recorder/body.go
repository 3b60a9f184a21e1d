package recorder

import (
	"bytes"
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
	"sync"
	"time"
	"unicode/utf8"
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

var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

// toFile goes on in a file with what is in memory.
func (sp *Spool) toFile() error {
	if sp.s.readOnly {
		return ErrReadOnly
	}
	if err := sp.s.room.check(sp.s.dir, sp.s.minFree); err != nil {
		return err
	}
	f, err := os.CreateTemp(sp.s.path("bodies"), spoolPrefix+"*")
	if errors.Is(err, fs.ErrNotExist) { // somebody has removed the store
		if err = sp.s.makeDir(); err == nil {
			f, err = os.CreateTemp(sp.s.path("bodies"), spoolPrefix+"*")
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

func (s *Store) bodyPath(sum string) string { return s.path("bodies", sum) }

// OpenBody returns a reader of b's bytes, which the caller closes. The error
// wraps [fs.ErrNotExist] if b is in a file that is gone. That the file still
// holds what was recorded is not checked: [Store.CopyBody] does that.
func (s *Store) OpenBody(b Body) (io.ReadSeekCloser, error) {
	if b.Sum == "" {
		return nopCloser{bytes.NewReader(b.Bytes)}, nil
	}
	if !isSum(b.Sum) {
		return nil, fmt.Errorf("body %q: not a SHA-256", b.Sum)
	}
	return os.Open(s.bodyPath(b.Sum))
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

// ReadBody returns all of b's bytes; the caller must not change them. The error
// wraps [fs.ErrNotExist] if b is in a file that is gone, and a [*DamagedError]
// if the file was changed; the bytes are those of the file then.
func (s *Store) ReadBody(b Body) ([]byte, error) {
	if b.Sum == "" {
		return b.Bytes, nil
	}
	var buf bytes.Buffer
	err := s.CopyBody(&buf, b)
	return buf.Bytes(), err
}

// Load returns ex with the bytes of its bodies that are in files. ex stays as it is.
func (s *Store) Load(ex *Exchange) (Exchange, error) {
	out := *ex
	load := func(b *Body) error {
		if b.Sum == "" {
			return nil
		}
		text, err := s.ReadBody(*b)
		*b = Body{Bytes: text}
		return err
	}
	err := load(&out.Request.Body)
	for _, r := range []**Response{&out.Response, &out.App} {
		if *r != nil && (*r).Body.Sum != "" && err == nil {
			loaded := **r
			err = load(&loaded.Body)
			*r = &loaded
		}
	}
	if err != nil {
		return out, fmt.Errorf("#%d: %w", ex.Seq, err)
	}
	return out, nil
}

// CopyBody writes b's bytes to w. The errors are those of [Store.ReadBody] and
// of w; that the file was changed is known, and told, only after its bytes.
func (s *Store) CopyBody(w io.Writer, b Body) error {
	f, err := s.OpenBody(b)
	if err != nil {
		return err
	}
	defer f.Close()
	if b.Sum == "" {
		_, err := io.Copy(w, f)
		return err
	}
	c := s.checking(f, b)
	buf := copyBuffers.Get().(*[64 << 10]byte)
	defer copyBuffers.Put(buf)
	if _, err := io.CopyBuffer(w, c, buf[:]); err != nil {
		return err
	}
	return c.check()
}

// A checkedBody reads a body that is in a file, and knows at the end whether it
// was the one that was recorded.
type checkedBody struct {
	io.Reader // of the file
	hash      hash.Hash
	path, sum string
}

func (s *Store) checking(f io.Reader, b Body) *checkedBody {
	h := sha256.New()
	return &checkedBody{io.TeeReader(f, h), h, s.bodyPath(b.Sum), b.Sum}
}

// check returns an error if what was read, to the end, is not what was
// recorded.
func (c *checkedBody) check() error {
	if hex.EncodeToString(c.hash.Sum(nil)) == c.sum {
		return nil
	}
	return damagedBody{&DamagedError{File: c.path, Err: errBodyChanged}}
}

var errBodyChanged = errors.New("it is not what was recorded: its SHA-256 is not its name")

// A damagedBody is a [DamagedError] of a whole file.
type damagedBody struct{ *DamagedError }

func (e damagedBody) Error() string { return fmt.Sprintf("body %s is damaged: %v", e.File, e.Err) }

func (e damagedBody) Unwrap() error { return e.DamagedError }

// isUTF8 reports whether b is valid UTF-8, without having all of it in memory.
func (s *Store) isUTF8(b Body) (bool, error) {
	f, err := s.OpenBody(b)
	if err != nil {
		return false, err
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	for held := 0; ; {
		n, err := io.ReadFull(f, buf[held:])
		n += held
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return false, err
		}
		cut := 0
		if !last {
			cut = cutRune(buf[:n])
		}
		if !utf8.Valid(buf[:n-cut]) {
			return false, nil
		}
		if last {
			return true, nil
		}
		held = copy(buf, buf[n-cut:n])
	}
}

// WriteJSON writes the documented form of ex, without a newline, with the
// bytes of bodies that are in files. It never holds such a body in memory. If
// one of the files is gone nothing is written, and the error wraps
// [fs.ErrNotExist]. If one was changed the object is written to its end, and
// the error wraps a [*DamagedError].
func (s *Store) WriteJSON(w io.Writer, ex *Exchange) error {
	e := encoder{out: w, store: s}
	if e.err = s.hasBodies(ex); e.err == nil {
		e.exchange(ex)
	}
	if e.err != nil {
		return fmt.Errorf("write %s: %w", ex.ID, e.err)
	}
	if _, err := w.Write(e.buf); err != nil {
		return err
	}
	if e.damaged != nil {
		return fmt.Errorf("write %s: %w", ex.ID, e.damaged)
	}
	return nil
}

// hasBodies returns nil if the files of ex's bodies are there.
func (s *Store) hasBodies(ex *Exchange) error {
	bodies := []Body{ex.Request.Body}
	for _, r := range ex.answers() {
		bodies = append(bodies, r.Body)
	}
	for _, b := range bodies {
		if b.Sum == "" {
			continue
		}
		f, err := s.OpenBody(b)
		if err != nil {
			return err
		}
		f.Close()
	}
	return nil
}

// removeStaleSpools removes what a crash left of bodies that were under way.
// Another process may be at work on younger ones.
func (s *Store) removeStaleSpools() {
	names, err := os.ReadDir(s.path("bodies"))
	if err != nil {
		return
	}
	for _, n := range names {
		if !strings.HasPrefix(n.Name(), spoolPrefix) {
			continue
		}
		info, err := n.Info()
		if err == nil && time.Since(info.ModTime()) > 24*time.Hour {
			if err := os.Remove(s.path("bodies", n.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.log.Warn("cannot remove an unfinished body", "file", n.Name(), "error", err)
			}
		}
	}
}
