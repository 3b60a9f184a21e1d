package recorder

import (
	"bytes"
	"strconv"
)

// tellRemoved writes into the journal that exchanges have gone, for those who follow
// it, in whichever process; not if it is only asked what that would take. It returns how
// many bytes that is. Nobody waits for them to be durable: who opens the store later does
// not see what is gone anyway.
func (s *Store) tellRemoved(exchanges int, dry bool) (size int64, err error) {
	if exchanges == 0 {
		return 0, nil
	}
	e := newEntry()
	defer e.free()
	e.sealed = true
	e.enc.raw(removedPre)
	e.enc.raw(strconv.Itoa(exchanges))
	e.enc.buf = sealLine(e.enc.buf, 0)
	size = int64(len(e.enc.buf))
	if !dry {
		_, err = s.submit(e)
		s.resultSync.ask()
	}
	return size, err
}

// removed returns how many exchanges a 'd' line says were removed, 1 at least.
func (l line) removed() int {
	digits, _, _ := bytes.Cut(bytes.TrimPrefix(l.raw, []byte(removedPre)), []byte(","))
	n, _ := strconv.Atoi(string(digits))
	return max(1, n)
}
