// Package jsonx reads JSON and changes it byte for byte: what is not named
// keeps its white space, its order, the spelling of its numbers and strings,
// its duplicate names, its byte order mark. What the values mean is left to
// others.
//
// # Finding and changing
//
// A [Path] names a value. [Find] gives it, [Set] puts another in its place,
// [Unset] takes it out, [Create] also makes what is missing on the way:
//
//	p, _ := jsonx.ParsePath("data.items.0.price")
//	doc, err := jsonx.Set(doc, p, []byte("50.00"))
//
// A path goes on into JSON that is held in a string, at any depth, as in
// content.reason of {"content":"{\"reason\":1}"}: the string stays a string,
// and its other characters keep their own spelling, \/ and \u00e9 included.
//
// [Rewrite] puts others in the place of many scalars, in one pass.
// [Diff] gives the differences of two documents, by path.
//
// # What counts as JSON
//
// The grammar is that of RFC 8259, and [Valid] agrees with [encoding/json.Valid],
// with one exception: a byte order mark before the text is passed over
// (RFC 8259 §8.1 allows that). As there, bytes in strings that are not UTF-8
// are let through, and no value is nested deeper than [MaxDepth].
//
// # Concurrency
//
// All functions are safe for concurrent use. None writes to its arguments, and
// none takes longer than a time in proportion to the length of the document,
// once a name of the path.
package jsonx

import "bytes"

// MaxDepth is how deep values may be nested: the bound of [encoding/json].
const MaxDepth = 10000

// maxStrings bounds how many strings may be nested between two names of a
// path: JSON that was quoted twice is seen, a bomb is not followed.
const maxStrings = 16

// A Kind is the type of a JSON value.
type Kind string

// The kinds of a JSON value.
const (
	Object  Kind = "object"
	Array   Kind = "array"
	String  Kind = "string"
	Number  Kind = "number"
	Boolean Kind = "boolean"
	Null    Kind = "null"
)

// KindOf returns the kind of the value that raw begins with, or "" if none
// can begin so. White space before it is not passed over.
func KindOf(raw []byte) Kind {
	if len(raw) == 0 {
		return ""
	}
	switch c := raw[0]; {
	case c == '{':
		return Object
	case c == '[':
		return Array
	case c == '"':
		return String
	case c == '-' || '0' <= c && c <= '9':
		return Number
	case c == 't' || c == 'f':
		return Boolean
	case c == 'n':
		return Null
	}
	return ""
}

// TopKind returns the kind of the value that doc begins with, after a byte order
// mark and white space, or "" if none can begin so.
func TopKind(doc []byte) Kind {
	start := space(doc, len(doc)-len(bytes.TrimPrefix(doc, byteOrderMark)))
	return KindOf(doc[start:])
}

// A Value is what [Find] found.
type Value struct {
	// Raw is the JSON text of the value. It is a part of the document, or a
	// copy if the value stands inside a string.
	Raw []byte
	// Start and End bound the value in the document: doc[Start:End]. Inside a
	// string that is the escaped text.
	Start, End int
	// Strings is how many strings the value stands in; mostly 0.
	Strings int
	// Duplicate tells that a name on the path is there more than once, so that
	// another reader may take another value. Raw is that of the last.
	Duplicate bool
}

// Kind returns the kind of v.
func (v Value) Kind() Kind { return KindOf(v.Raw) }

// Valid reports whether doc is one JSON text.
func Valid(doc []byte) bool {
	_, _, bad := text(doc)
	return bad == 0
}

// Check returns nil if doc is one JSON text, and else a [*SyntaxError] that
// tells where it is not.
func Check(doc []byte) error {
	if _, at, bad := text(doc); bad != 0 {
		return syntaxError(doc, at, bad)
	}
	return nil
}

// Find returns the value that p names in doc; the empty path names the whole.
// Of duplicate names the last counts, as it does for [encoding/json]. The error
// is a [*SyntaxError] if doc is not JSON and a [*NotFoundError] if there is no
// such value.
func Find(doc []byte, p Path) (Value, error) {
	c, err := locate(doc, p)
	if err != nil {
		return Value{}, err
	}
	start, end, strings := c.outermost(c.start, c.end)
	return Value{
		Raw: c.doc[c.start:c.end], Start: start, End: end,
		Strings: strings, Duplicate: c.duplicate,
	}, nil
}

// A cursor stands on a value.
type cursor struct {
	doc        []byte // the valid JSON text that the value is part of
	start, end int    // the value is doc[start:end]
	holder     *cursor
	// holder stands on the string that doc was decoded from; nil if doc is the
	// document itself.
	duplicate bool // a name on the way here was there more than once
}

// outermost gives where the bytes start to end of c.doc stand in the document
// itself, and how many strings lie between.
func (c *cursor) outermost(start, end int) (s, e, strings int) {
	for h := c.holder; h != nil; h = h.holder {
		start, end = outer(h.doc[h.start:h.end], start, end)
		start, end = start+h.start, end+h.start
		strings++
	}
	return start, end, strings
}

// enter gives a cursor on the object or array in the JSON that the string c
// stands on holds, also if it was quoted more than once. If there is none, it
// gives c, and an error if the string does not hold JSON.
func (c *cursor) enter() (*cursor, error) {
	in := c
	for range maxStrings {
		raw := in.doc[in.start:in.end]
		switch KindOf(raw) {
		case Object, Array:
			return in, nil
		case String:
		default:
			return c, nil
		}
		inner := appendUnquoted(make([]byte, 0, len(raw)), raw)
		start, end, bad := text(inner)
		if bad != 0 {
			return c, syntaxError(inner, end, bad)
		}
		in = &cursor{doc: inner, start: start, end: end, holder: in, duplicate: c.duplicate}
	}
	return c, nil
}

// locate puts a cursor on the value that p names.
func locate(doc []byte, p Path) (*cursor, error) {
	start, end, bad := text(doc)
	if bad != 0 {
		return nil, syntaxError(doc, end, bad)
	}
	c := &cursor{doc: doc, start: start, end: end}
	for i, name := range p {
		inside, err := c.enter()
		if err != nil {
			return c, &NotFoundError{Path: p, Found: i, Kind: String, Err: err}
		}
		c = inside
		if err := c.step(name); err != nil {
			err.Path, err.Found = p, i
			return c, err
		}
	}
	return c, nil
}

// step moves c to what name names in the value it stands on. If there is
// nothing, c stays, and the error lacks only Path and Found.
func (c *cursor) step(name string) *NotFoundError {
	raw := c.doc[c.start:c.end]
	switch kind := KindOf(raw); kind {
	case Object:
		start, end, seen := member(raw, name)
		if seen == 0 {
			return &NotFoundError{Kind: kind, object: raw}
		}
		c.duplicate = c.duplicate || seen > 1
		c.start, c.end = c.start+start, c.start+end
	case Array:
		index, isIndex := parseIndex(name)
		start, end, n := element(raw, index)
		if !isIndex || index >= n {
			return &NotFoundError{Kind: kind, Len: n}
		}
		c.start, c.end = c.start+start, c.start+end
	default:
		return &NotFoundError{Kind: kind}
	}
	return nil
}

// member gives the value of the last member of the valid object raw that has
// the name, and how many there are.
func member(raw []byte, name string) (start, end, seen int) {
	for i := space(raw, 1); raw[i] != '}'; {
		keyEnd, _ := scanString(raw, i)
		at := space(raw, space(raw, keyEnd)+1) // over the colon
		after, _ := scanValue(raw, at, 0)
		if isName(raw[i:keyEnd], name) {
			start, end, seen = at, after, seen+1
		}
		i = next(raw, after)
	}
	return start, end, seen
}

// element gives the element of the valid array raw at index, and how many it
// has.
func element(raw []byte, index int) (start, end, n int) {
	for i := space(raw, 1); raw[i] != ']'; n++ {
		after, _ := scanValue(raw, i, 0)
		if n == index {
			start, end = i, after
		}
		i = next(raw, after)
	}
	return start, end, n
}

// next gives where what follows a value that ended at i begins: over white
// space and a comma, or at the closing bracket.
func next(raw []byte, i int) int {
	i = space(raw, i)
	if raw[i] == ',' {
		i = space(raw, i+1)
	}
	return i
}

// isName reports whether the JSON string key, with its quotes, spells name.
func isName(key []byte, name string) bool {
	// An escape is longer than what it stands for.
	switch text := key[1 : len(key)-1]; {
	case len(text) < len(name) || len(text) > 6*len(name): // \u0061 is the longest
		return false
	case len(text) == len(name):
		return string(text) == name && bytes.IndexByte(text, '\\') < 0
	case bytes.IndexByte(text, '\\') < 0:
		return false
	}
	return string(appendUnquoted(nil, key)) == name
}
