package recorder

import (
	"fmt"
	"os"
)

// Pin has the exchange called id stay when recordings are pruned, or, if
// pinned is false, no longer. The error wraps [ErrNotFound] if there is none.
func (s *Store) Pin(id ID, pinned bool) error {
	done, err := s.reading() // so that it is not pruned meanwhile
	if err != nil {
		return err
	}
	defer done()
	if _, err := s.getID(id); err != nil {
		return fmt.Errorf("pin %s: %w", id, err)
	}
	e := newEntry()
	defer e.free()
	e.sealed = true
	e.enc.raw(pinPre)
	e.enc.raw(string(id))
	e.enc.raw(`","pinned":`)
	if pinned {
		e.enc.raw("true")
	} else {
		e.enc.raw("false")
	}
	e.enc.buf = sealLine(e.enc.buf, 0)
	if _, err := s.submit(e); err != nil {
		return fmt.Errorf("pin %s: %w", id, err)
	}
	s.resultSync.ask()
	return nil
}

// reading keeps segments from being pruned until done is called. Where it
// cannot, as in a directory of somebody else, nobody prunes either.
func (s *Store) reading() (done func(), err error) {
	f, err := os.Open(s.path("reading"))
	if err != nil {
		return func() {}, nil
	}
	if err := shareLock(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}
