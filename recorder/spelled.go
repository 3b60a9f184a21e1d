package recorder

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"
)

// A spelled reads JSON in the one spelling that an encoder has: the escapes of
// [appendEscaped] alone, and no white space but a blank behind a comma or a colon, as
// others write it. Whatever else it meets makes it bad, and is for encoding/json, which
// takes six times as long: it goes through a line twice, and by its types.
//
// For every Exchange that an encoder has written, both read the same.
type spelled struct {
	b   []byte
	i   int // of the next byte
	bad bool
}

// members reads an object. f reads the value of each member.
func (s *spelled) members(f func(key []byte)) {
	if s.take('{'); s.next('}') {
		return
	}
	for !s.bad {
		key := s.bytes(false)
		s.take(':')
		s.next(' ')
		if s.bad {
			return
		}
		if f(key); s.next('}') {
			return
		}
		s.take(',')
		s.next(' ')
	}
}

// elements reads an array. f reads each element.
func (s *spelled) elements(f func()) {
	if s.take('['); s.next(']') {
		return
	}
	for !s.bad {
		if f(); s.next(']') {
			return
		}
		s.take(',')
		s.next(' ')
	}
}

func (s *spelled) headers() http.Header {
	h := http.Header{}
	s.members(func(name []byte) {
		key := string(name)
		h[key] = s.texts()
	})
	return h
}

func (s *spelled) texts() []string {
	var room [1]string
	list := room[:0]
	s.elements(func() { list = append(list, s.text()) })
	if list == nil {
		list = []string{}
	}
	return list
}

// text reads a string or {"base64":…}.
func (s *spelled) text() string {
	if s.peek() == '{' {
		return string(s.base64())
	}
	return s.plain()
}

// plain reads a string.
func (s *spelled) plain() string { return string(s.bytes(false)) }

func (s *spelled) body() (b Body) {
	if s.peek() != '{' {
		if raw := s.bytes(true); len(raw) > 0 {
			b.Bytes = raw
		}
		return b
	}
	if rest, ok := bytes.CutPrefix(s.b[s.i:], []byte(`{"sha256":`)); ok {
		s.i = len(s.b) - len(rest)
		b.Sum = s.plain()
		s.take('}')
		s.bad = s.bad || !isSum(b.Sum)
		return b
	}
	b.Bytes = s.base64()
	return b
}

func (s *spelled) base64() []byte {
	rest, ok := bytes.CutPrefix(s.b[s.i:], base64Pre)
	if !ok {
		s.bad = true
		return nil
	}
	s.i = len(s.b) - len(rest) - 1
	raw, err := base64.StdEncoding.Strict().AppendDecode([]byte{}, s.word())
	s.take('}')
	s.bad = s.bad || err != nil
	return raw
}

// bytes reads a string. It belongs to the caller if own is set; else it may be a part of
// what was read.
func (s *spelled) bytes(own bool) []byte {
	s.take('"')
	if s.bad {
		return nil
	}
	b := s.b[s.i:]
	end := bytes.IndexByte(b, '"')
	if end < 0 {
		s.bad = true
		return nil
	}
	back := bytes.IndexByte(b[:end], '\\')
	if back < 0 {
		s.i += end + 1
		if own {
			return bytes.Clone(b[:end])
		}
		return b[:end]
	}
	into := make([]byte, 0, s.roomFor(b, end))
	for at := 0; ; {
		into = append(into, b[at:back]...)
		if at = back; b[at] == '"' {
			s.i += at + 1
			return into
		}
		if at+1 >= len(b) {
			break
		}
		c := b[at+1]
		at += 2
		switch c {
		case '"', '\\':
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			if at+4 > len(b) || b[at] != '0' || b[at+1] != '0' {
				s.bad = true
				return nil
			}
			n, err := strconv.ParseUint(string(b[at+2:at+4]), 16, 8)
			if err != nil {
				s.bad = true
				return nil
			}
			at += 4
			if c = byte(n); n >= utf8.RuneSelf {
				into = append(into, 0xC2) // U+0080 to U+00BF
				if n > 0xBF {
					s.bad = true
					return nil
				}
			}
		default:
			s.bad = true
			return nil
		}
		into = append(into, c)
		for back = at; back < len(b) && b[back] != '"' && b[back] != '\\'; back++ {
		}
		if back == len(b) {
			break
		}
	}
	s.bad = true
	return nil
}

// roomFor returns about how many bytes the string at the start of b has, whose
// first quote is at end, and is escaped perhaps.
func (s *spelled) roomFor(b []byte, end int) int {
	if b[end-1] != '\\' {
		return end
	}
	if n := endOfBody(b); n > end {
		return n
	}
	return 2 * end
}

// word reads a string without escapes as it stands.
func (s *spelled) word() []byte {
	s.take('"')
	if s.bad {
		return nil
	}
	b := s.b[s.i:]
	end := bytes.IndexByte(b, '"')
	if end < 0 || bytes.IndexByte(b[:end], '\\') >= 0 {
		s.bad = true
		return nil
	}
	s.i += end + 1
	return b[:end]
}

func (s *spelled) digits() string {
	from := s.i
	for s.i < len(s.b) && (s.b[s.i] >= '0' && s.b[s.i] <= '9' || s.b[s.i] == '-') {
		s.i++
	}
	return string(s.b[from:s.i])
}

func (s *spelled) int() int64 {
	n, err := strconv.ParseInt(s.digits(), 10, 64)
	s.bad = s.bad || err != nil
	return n
}

func (s *spelled) uint() uint64 {
	n, err := strconv.ParseUint(s.digits(), 10, 64)
	s.bad = s.bad || err != nil
	return n
}

// yes reads true, as false is not written.
func (s *spelled) yes() bool {
	rest, ok := bytes.CutPrefix(s.b[s.i:], []byte("true"))
	s.bad = s.bad || !ok
	s.i = len(s.b) - len(rest)
	return ok
}

func (s *spelled) time() time.Time {
	t, err := time.Parse(time.RFC3339Nano, string(s.word()))
	s.bad = s.bad || err != nil
	return t
}

func (s *spelled) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// next passes over c if it comes next.
func (s *spelled) next(c byte) bool {
	if s.bad || s.peek() != c {
		return false
	}
	s.i++
	return true
}

func (s *spelled) take(c byte) {
	if !s.next(c) {
		s.bad = true
	}
}
