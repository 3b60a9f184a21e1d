package recorder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
	"unicode/utf8"
)

// copyBuffers are what bodies go through from or to a file.
var copyBuffers = sync.Pool{New: func() any { return new([64 << 10]byte) }}

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
	return openShared(s.bodyPath(b.Sum), os.O_RDONLY)
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
	f, err := s.OpenBody(b)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	buf.Grow(int(min(size, 64<<20)) + bytes.MinRead) // at once, unless the file is not ours
	c := s.checking(f, b)
	if _, err := buf.ReadFrom(c); err != nil {
		return buf.Bytes(), err
	}
	return buf.Bytes(), c.check()
}

// LoadBody puts the bytes of a body that is in a file into b; one that is in memory
// stays as it is, and needs no store. The errors are those of [Store.ReadBody], and
// leave b as it was.
func (s *Store) LoadBody(b *Body) error {
	if b.Sum == "" {
		return nil
	}
	text, err := s.ReadBody(*b)
	if err == nil {
		*b = Body{Bytes: text}
	}
	return err
}

// Load returns ex with the bytes of its bodies that are in files. ex stays as it is.
func (s *Store) Load(ex *Exchange) (Exchange, error) {
	out := *ex
	err := s.LoadBody(&out.Request.Body)
	for _, r := range []**Response{&out.Response, &out.App} {
		if *r != nil && (*r).Body.Sum != "" && err == nil {
			loaded := **r
			err = s.LoadBody(&loaded.Body)
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
