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
	// Near are names that are there instead, the most similar first, at most
	// eight; only of an object.
	Near []string
	Len  int // how many elements are there; only of an array
	// Err tells why the string where the path ends holds no JSON; only of a
	// string. It is a [*SyntaxError] in terms of the decoded text.
	Err error
}

// Error returns the path up to the name that is not there, and what is there
// instead.
func (e *NotFoundError) Error() string {
	at := "the document"
	if e.Found > 0 {
		at = e.Path[:e.Found].String()
	}
	var why string
	switch {
	case e.Kind == Object && len(e.Near) == 0:
		why = at + " is an empty object"
	case e.Kind == Object:
		why = fmt.Sprintf("%s has %s", at, strings.Join(printable(e.Near), ", "))
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

// near gives the names of the valid object raw that are most similar to name.
func near(raw []byte, name string) []string {
	var all []string
	for i, n := space(raw, 1), 0; raw[i] != '}' && n < maxCompared; n++ {
		keyEnd, _ := scanString(raw, i)
		if key := string(appendUnquoted(nil, raw[i:keyEnd])); len(key) <= maxNameLen && !slices.Contains(all, key) {
			all = append(all, key)
		}
		after, _ := scanValue(raw, space(raw, space(raw, keyEnd)+1), 0)
		i = next(raw, after)
	}
	names := similar.Names(name, all, maxNear)
	for i, n := range names {
		names[i] = Path{n}.String()
	}
	return names
}
