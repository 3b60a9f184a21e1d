// Package shrink finds a small body of which something still holds that holds of a
// large one, as that an app falls over it. Who asks is told by the caller; it
// touches neither network nor disk.
//
// JSON is shrunk by its structure: members and elements are left out, several at
// once and then one by one, also in JSON that a string holds, then strings and
// numbers become short. It is the method of Zeller and Hildebrandt, "Simplifying
// and isolating failure-inducing input" (2002), on a tree. What is no JSON is
// shrunk by its bytes.
package shrink

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"devhook/internal/jsonx"
)

// ErrEnough is what holds returns to end the search without an error.
var ErrEnough = errors.New("enough")

type shrinking struct {
	body  []byte
	holds func([]byte) (bool, error)
	seen  map[[32]byte]bool // the SHA-256 of what was asked of already
}

// Body returns the smallest body that it finds of which holds is true, as it has to
// be of body. It asks once of each candidate; holds gets a slice of its own. An error
// of holds ends the search, and is returned with what was found so far; with
// [ErrEnough], done is false instead: it could have gone on.
func Body(body []byte, holds func([]byte) (bool, error)) (small []byte, done bool, err error) {
	s := &shrinking{body: body, holds: holds, seen: map[[32]byte]bool{}}
	err = s.run()
	if errors.Is(err, ErrEnough) {
		return s.body, false, nil
	}
	return s.body, err == nil, err
}

// try takes candidate in the place of the body, if it is shorter and it holds of it.
func (s *shrinking) try(candidate []byte) (bool, error) {
	if len(candidate) >= len(s.body) {
		return false, nil
	}
	sum := sha256.Sum256(candidate)
	if s.seen[sum] {
		return false, nil
	}
	s.seen[sum] = true
	ok, err := s.holds(slices.Clone(candidate))
	if ok && err == nil {
		s.body = candidate
	}
	return ok, err
}

func (s *shrinking) run() error {
	if _, err := s.try(nil); err != nil {
		return err
	}
	pass := s.bytes
	if compact := new(bytes.Buffer); jsonx.Valid(s.body) && json.Compact(compact, s.body) == nil {
		if _, err := s.try(compact.Bytes()); err != nil {
			return err
		}
		pass = func() error { return s.value(nil) }
	}
	for before := -1; before != len(s.body); { // what had to stay may go once something else is gone
		before = len(s.body)
		if err := pass(); err != nil {
			return err
		}
	}
	return nil
}

// bytes leaves out bytes, whatever they are.
func (s *shrinking) bytes() error {
	return s.chunks(len(s.body), func(from, to int) []byte {
		return slices.Concat(s.body[:from], s.body[to:])
	}, func() int { return len(s.body) })
}

// chunks leaves out runs of n things, half of them at first, then less. without
// gives the body without those from from up to to, count how many there are now.
func (s *shrinking) chunks(n int, without func(from, to int) []byte, count func() int) error {
	for size := max(n/2, 1); ; size /= 2 {
		for at := count(); at > 0; {
			from := max(at-size, 0)
			if _, err := s.try(without(from, at)); err != nil {
				return err
			}
			at = min(from, count())
		}
		if size <= 1 {
			return nil
		}
	}
}

// value shrinks the value at p.
func (s *shrinking) value(p jsonx.Path) error {
	found, err := jsonx.Find(s.body, p)
	if err != nil {
		return nil // was left out
	}
	for _, simple := range simpler(found.Raw) {
		if done, err := s.replace(p, simple); err != nil || done {
			return err
		}
	}
	if len(s.parts(p).raw) > 0 {
		return s.container(p)
	}
	if text, ok := jsonx.Unquote(found.Raw); ok {
		return s.text(p, []rune(text))
	}
	return nil
}

func (s *shrinking) replace(p jsonx.Path, raw []byte) (bool, error) {
	changed, err := jsonx.Set(s.body, p, raw)
	if err != nil {
		return false, nil // cannot stand there
	}
	return s.try(changed)
}

// container leaves out children of the object or list at p, and shrinks the others.
func (s *shrinking) container(p jsonx.Path) error {
	without := func(from, to int) []byte {
		now := s.parts(p)
		raw := now.with(slices.Concat(now.raw[:min(from, len(now.raw))], now.raw[min(to, len(now.raw)):]))
		changed, err := jsonx.Set(s.body, p, raw)
		if err != nil {
			return s.body
		}
		return changed
	}
	count := func() int { return len(s.parts(p).raw) }
	if err := s.chunks(count(), without, count); err != nil {
		return err
	}
	for _, child := range s.children(p) {
		if err := s.value(child); err != nil {
			return err
		}
	}
	return nil
}

// text shortens the string at p.
func (s *shrinking) text(p jsonx.Path, text []rune) error {
	without := func(from, to int) []byte {
		changed, err := jsonx.Set(s.body, p, jsonx.AppendQuote(nil, string(slices.Concat(text[:from], text[to:]))))
		if err != nil {
			return s.body
		}
		return changed
	}
	return s.chunks(len(text), without, func() int {
		v, err := jsonx.Find(s.body, p)
		if err != nil {
			return 0
		}
		now, _ := jsonx.Unquote(v.Raw)
		text = []rune(now)
		return len(text)
	})
}

// simpler are simpler values of the same kind, the simplest first.
func simpler(raw []byte) [][]byte {
	switch jsonx.KindOf(raw) {
	case jsonx.Object:
		return [][]byte{[]byte("{}")}
	case jsonx.Array:
		return [][]byte{[]byte("[]")}
	case jsonx.String:
		return [][]byte{[]byte(`""`)}
	case jsonx.Number:
		return [][]byte{[]byte("0"), []byte("1"), []byte("-1")}
	}
	return nil
}

// parts are what is in an object or list.
type parts struct {
	raw    [][]byte // members or elements
	names  []string // their last steps in a path
	isList bool
	held   bool // in a string
}

// with returns the object or list with these in it.
func (c parts) with(raw [][]byte) []byte {
	ends := "{}"
	if c.isList {
		ends = "[]"
	}
	text := slices.Concat([]byte(ends[:1]), bytes.Join(raw, []byte(",")), []byte(ends[1:]))
	if c.held {
		text = jsonx.AppendQuote(nil, string(text))
	}
	return text
}

// parts returns what is in the object or list at p, or in the one that the string at p
// holds.
func (s *shrinking) parts(p jsonx.Path) (c parts) {
	v, err := jsonx.Find(s.body, p)
	if err != nil {
		return c
	}
	raw := v.Raw
	if text, ok := jsonx.Unquote(raw); ok {
		raw, c.held = []byte(text), true
	}
	switch jsonx.TopKind(raw) {
	case jsonx.Object:
		members := jsonx.NewScanner(raw)
		for members.Next() {
			m := members.Member
			name, _ := jsonx.Unquote(m.Name)
			c.raw, c.names = append(c.raw, slices.Concat(m.Name, []byte(":"), m.Value)), append(c.names, name)
		}
		if members.Err() != nil {
			return parts{}
		}
	case jsonx.Array:
		var elements []json.RawMessage
		if json.Unmarshal(raw, &elements) != nil {
			return parts{}
		}
		c.isList = true
		for i, e := range elements {
			c.raw, c.names = append(c.raw, e), append(c.names, strconv.Itoa(i))
		}
	}
	return c
}

// children are the paths of the parts at p.
func (s *shrinking) children(p jsonx.Path) []jsonx.Path {
	var list []jsonx.Path
	for _, name := range s.parts(p).names {
		list = append(list, append(slices.Clone(p), name))
	}
	return list
}
