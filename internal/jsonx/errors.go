package jsonx

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"devhook/internal/similar"
)

// A SyntaxError tells where a text is not JSON.
type SyntaxError struct {
	Offset int // bytes before the place
	Line   int // from 1
	Column int // from 1, in bytes
	What   string
}

// Error returns the place and what is wrong there.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not JSON: line %d, column %d: %s", e.Line, e.Column, e.What)
}

func syntaxError(doc []byte, at int, bad fault) *SyntaxError {
	before := doc[:at]
	return &SyntaxError{
		Offset: at,
		Line:   1 + bytes.Count(before, []byte{'\n'}),
		Column: at - bytes.LastIndexByte(before, '\n'),
		What:   faultText[bad],
	}
}

// A NotFoundError tells that a path leads nowhere, and how far it leads.
type NotFoundError struct {
	Path  Path
	Found int  // how many names of Path are there
	Kind  Kind // of the value where the path ends
	Len   int  // how many elements are there; only of an array
	// Err tells why the string where the path ends holds no JSON; only of a
	// string. It is a [*SyntaxError] in terms of the decoded text.
	Err error

	object []byte // where the path ends, if that is an object: a part of the document
}

// Error returns the path up to the name that is not there, and what is there
// instead.
func (e *NotFoundError) Error() string {
	at := "the document"
	if e.Found > 0 {
		at = e.Path[:e.Found].String()
	}
	var why string
	switch near := e.Near(); {
	case len(near) > 0:
		why = fmt.Sprintf("%s has %s", at, strings.Join(printable(near), ", "))
	case e.Kind == Object:
		why = at + " is an empty object"
		if s := NewScanner(e.object); s.Next() {
			why = at + " has other names"
		}
	case e.Kind == Array:
		why = fmt.Sprintf("%s is an array of %d", at, e.Len)
	case e.Err != nil:
		why = at + " is a string that does not hold JSON"
	default:
		why = fmt.Sprintf("%s is a %s", at, e.Kind)
	}
	return fmt.Sprintf("%s: not there (%s)", e.Path[:min(e.Found+1, len(e.Path))], why)
}

// printable quotes the names that a terminal could take for more than text.
func printable(names []string) []string {
	safe := slices.Clone(names)
	for i, name := range safe {
		if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			safe[i] = strconv.QuoteToASCII(name)
		}
	}
	return safe
}

// Unwrap returns e.Err.
func (e *NotFoundError) Unwrap() error { return e.Err }

const (
	maxNear     = 8    // names in a NotFoundError
	maxCompared = 1000 // members that are compared for it
	maxNameLen  = 64   // bytes of a name that are looked at for it
)

// Near returns names that are there instead, the most similar first, at most
// eight; only of an object. It looks for them in the document when it is
// called, because most who look for a value do not ask: e holds on to the
// document for that, and of one that was changed since it tells other names.
func (e *NotFoundError) Near() []string {
	if e.Kind != Object || e.Found >= len(e.Path) {
		return nil
	}
	var all []string
	seen := map[string]bool{}
	s := NewScanner(e.object)
	for n := 0; n < maxCompared && s.Next(); n++ {
		raw := s.Member.Name
		if len(raw) > 2+6*maxNameLen { // too long, even if all of it is escapes
			continue
		}
		key := string(appendUnquoted(nil, raw))
		if len(key) <= maxNameLen && !seen[key] {
			seen[key] = true
			all = append(all, key)
		}
	}
	names := similar.Names(e.Path[e.Found], all, maxNear)
	for i, n := range names {
		names[i] = Path{n}.String()
	}
	return names
}
