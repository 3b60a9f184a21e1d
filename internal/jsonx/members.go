package jsonx

import (
	"bytes"
)

// A Member is one name of an object and its value, both as written.
type Member struct {
	Name  []byte // with its quotes
	Value []byte
}

// Is reports whether the member has the name.
func (m Member) Is(name string) bool { return isName(m.Name, name) }

// A Scanner goes through the members of an object, in order, without a pass over
// what follows the one at which the caller stops, and allocates nothing. A member
// is given only once the byte after it was seen, so one that is cut off is not. Of
// a document that is something other than an object there are none.
type Scanner struct {
	Member Member // the current one; not valid before Next and after the last

	doc  []byte
	at   int // where the next member begins, once open; with a fault, its place
	open bool
	done bool
	bad  fault
}

// NewScanner returns a Scanner for the members of the object that doc holds.
func NewScanner(doc []byte) Scanner { return Scanner{doc: doc} }

// Err returns the [*SyntaxError] that ended the scan, or nil.
func (s *Scanner) Err() error {
	if s.bad == 0 {
		return nil
	}
	return syntaxError(s.doc, s.at, s.bad)
}

// Next moves on to the next member. It reports false if there is none, or if
// doc turns out not to be JSON, which Err tells.
func (s *Scanner) Next() bool {
	if s.done {
		return false
	}
	if !s.open && !s.enter() {
		s.done = true
		return false
	}
	doc := s.doc
	name := s.at
	if name >= len(doc) {
		return s.fail(len(doc), faultEnd)
	}
	if doc[name] != '"' {
		return s.fail(name, faultName)
	}
	nameEnd, bad := scanString(doc, name)
	if bad != 0 {
		return s.fail(nameEnd, bad)
	}
	at, bad := scanColon(doc, nameEnd)
	if bad != 0 {
		return s.fail(at, bad)
	}
	end, bad := scanValue(doc, at, 1)
	if bad != 0 {
		return s.fail(end, bad)
	}
	next := space(doc, end)
	switch {
	case next >= len(doc):
		return s.fail(len(doc), faultEnd)
	case doc[next] == ',':
		s.at = space(doc, next+1)
	case doc[next] == '}':
		s.leave(next)
	default:
		return s.fail(next, faultComma)
	}
	s.Member = Member{doc[name:nameEnd:nameEnd], doc[at:end:end]}
	return true
}

// enter moves to the first member. It reports false if there is none.
func (s *Scanner) enter() bool {
	s.open = true
	i := 0
	if bytes.HasPrefix(s.doc, byteOrderMark) {
		i = len(byteOrderMark)
	}
	i = space(s.doc, i)
	if i >= len(s.doc) || s.doc[i] != '{' {
		return false
	}
	s.at = space(s.doc, i+1)
	if s.at < len(s.doc) && s.doc[s.at] == '}' {
		s.leave(s.at)
		return false
	}
	return true
}

// leave ends the scan at the closing bracket at i, after which only white
// space may follow.
func (s *Scanner) leave(i int) {
	s.done = true
	if i = space(s.doc, i+1); i < len(s.doc) {
		s.at, s.bad = i, faultAfter
	}
}

func (s *Scanner) fail(at int, bad fault) bool {
	s.at, s.bad, s.done = at, bad, true
	return false
}
