// Package yamlx reads YAML strictly and tells where an error is: every key is
// asked for by name, a key that is unknown or there twice is refused, and each
// error has line, column and field. What the fields mean is left to others.
package yamlx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"devhook/internal/similar"

	"go.yaml.in/yaml/v3"
)

// MaxSource bounds a document in bytes.
const MaxSource = 1 << 20

// An Error tells what is wrong with a document, and where. It quotes nothing
// of a value.
type Error struct {
	Line, Column int    // from 1; 0 if the document as a whole is meant
	Field        string // as in routes[2].forward, or "" for the whole
	What         string // as in: unknown field "froward" (near: forward)
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", e.Line, e.Column)
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.What)
	return b.String()
}

// A Node is a part of a document, and the fields that lead to it. The zero
// Node is that of a document that has nothing in it.
type Node struct {
	at    *yaml.Node
	Field string
}

// Parse reads src as one document. The error is an [*Error].
func Parse(src []byte) (n Node, err error) {
	if len(src) > MaxSource {
		return n, &Error{What: fmt.Sprintf("longer than %d bytes", MaxSource)}
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		switch {
		case err == io.EOF:
			return n, nil
		case err != nil:
			return n, syntaxError(src, err)
		case len(doc.Content) == 0:
		case n.at != nil:
			return n, Node{doc.Content[0], ""}.Errorf("a second document")
		default:
			n.at = doc.Content[0]
		}
	}
}

// syntaxError finds the place of an error of the library, which has the line as
// text, but for the first one, and of bytes that are no text has no place.
func syntaxError(content []byte, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	e := &Error{}
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, what, found := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); err == nil && found {
			e.Line, e.Column, text = line, 1, what
		}
	} else if strings.HasPrefix(text, "control characters") || strings.HasPrefix(text, "invalid ") {
		e.Line, e.Column = noText(content)
	} else if i := slices.IndexFunc([]string{"found ", "did not find ", "could not find ", "mapping values "}, func(s string) bool { return strings.HasPrefix(text, s) }); i >= 0 {
		e.Line, e.Column = 1, 1
	}
	// An address as :3000 where YAML takes the colon for its own.
	portInFlow := regexp.MustCompile(`(?m)^[^#\n"']*?[\[{](?:[^#\n"']*?[\[,:])?\s*(:\d+)`)
	if at := portInFlow.FindSubmatchIndex(content); at != nil && strings.HasSuffix(text, "did not find expected node content") {
		before := content[:at[2]]
		e.Line, e.Column = bytes.Count(before, []byte("\n"))+1, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])+1
		text = fmt.Sprintf("between [ ] or { } this needs quotes: %q", content[at[2]:at[3]])
	}
	if len(text) > 80 { // a name from the document is in it
		text = short(text)
	}
	e.What = "not YAML: " + text
	return e
}

// noText returns the place of the first byte that is no UTF-8, or of the first
// control character.
func noText(content []byte) (line, column int) {
	line, column = 1, 1
	for len(content) > 0 {
		r, n := utf8.DecodeRune(content)
		switch {
		case r == '\n':
			line, column = line+1, 0
		case r == '\t', r == '\r', r == 0x85:
		case r == utf8.RuneError && n == 1, unicode.IsControl(r):
			return line, column
		}
		content, column = content[n:], column+1
	}
	return 0, 0
}

// Empty reports whether there is nothing: no document, or no value.
func (n Node) Empty() bool { return n.at == nil || n.isScalar("!!null") }

// IsMapping reports whether n has names and values.
func (n Node) IsMapping() bool { return n.at != nil && n.at.Kind == yaml.MappingNode }

// Pos returns n's line and column, from 1; zeros if it has no place.
func (n Node) Pos() (line, column int) {
	if n.at == nil {
		return 0, 0
	}
	return n.at.Line, n.at.Column
}

// isScalar reports whether n is a scalar of one of the tags.
func (n Node) isScalar(tags ...string) bool {
	return n.at != nil && n.at.Kind == yaml.ScalarNode && slices.Contains(tags, n.at.ShortTag())
}

// Errorf makes an [*Error] at n's place.
func (n Node) Errorf(format string, args ...any) error {
	line, column := n.Pos()
	return &Error{line, column, n.Field, fmt.Sprintf(format, args...)}
}

// Wrap gives err n's place, unless it has one.
func (n Node) Wrap(err error) error {
	var e *Error
	if err == nil || errors.As(err, &e) {
		return err
	}
	return n.Errorf("%s", err)
}

func (n Node) child(name string, value *yaml.Node) Node {
	if n.Field != "" {
		name = n.Field + "." + name
	}
	return Node{value, name}
}

// Each calls f for each key of the mapping n, in order, with the value and the
// key itself as nodes.
func (n Node) Each(f func(name string, value, key Node) error) error {
	if !n.IsMapping() {
		return n.Errorf("must be a mapping (name: value)")
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.at.Content); i += 2 {
		k, v := n.at.Content[i], n.at.Content[i+1]
		if !(Node{at: k}).isScalar("!!str") {
			return Node{k, n.Field}.Errorf("a key must be plain text")
		}
		key := n.child(short(k.Value), k)
		if seen[k.Value] {
			return key.Errorf("is there twice")
		}
		seen[k.Value] = true
		if err := f(k.Value, n.child(k.Value, v), key); err != nil {
			return err
		}
	}
	return nil
}

// Fields tells what to do with the keys of a mapping.
type Fields[B any] map[string]func(B, Node) error

// Read reads the mapping n into b. Reserved are keys that will mean something
// one day.
func (t Fields[B]) Read(b B, n Node, reserved ...string) error {
	return n.Each(func(name string, value, key Node) error {
		f, ok := t[name]
		if !ok {
			if slices.Contains(reserved, name) {
				return key.Errorf("is not supported yet")
			}
			return key.Unknown(name, slices.Sorted(maps.Keys(t)))
		}
		return f(b, value)
	})
}

// Unknown is the error of a key that has a name which is none of the known.
func (n Node) Unknown(name string, known []string) error {
	return n.Errorf("unknown field (near: %s)", strings.Join(similar.Names(name, known, 3), ", "))
}

// Text reads n as a text; a number or boolean must be in quotes.
func (n Node) Text() (string, error) {
	switch {
	case n.Empty():
		return "", n.Errorf("has no value")
	case n.isScalar("!!str", "!!timestamp"):
		return n.at.Value, nil
	case n.isScalar("!!int", "!!float", "!!bool"):
		return "", n.Errorf("must be text: put it in quotes")
	}
	return "", n.Errorf("must be text")
}

// Label is Text, on one line and not empty.
func (n Node) Label() (string, error) {
	s, err := n.Text()
	switch {
	case err != nil:
		return "", err
	case s == "":
		return "", n.Errorf("is empty")
	case !isPlain(s):
		return "", n.Errorf("must be one line of printable text")
	}
	return s, nil
}

// Scalar is Text, or a number or boolean as it is spelled.
func (n Node) Scalar() (string, error) {
	if n.isScalar("!!int", "!!float", "!!bool") {
		return n.at.Value, nil
	}
	return n.Text()
}

// Bool reads n as true or false.
func (n Node) Bool() (bool, error) {
	if n.isScalar("!!bool") && (n.at.Value == "true" || n.at.Value == "false") {
		return n.at.Value == "true", nil
	}
	return false, n.Errorf("must be true or false")
}

// Int reads n as a whole number from low to high.
func (n Node) Int(low, high int) (int, error) {
	if n.isScalar("!!int") {
		if i, err := strconv.Atoi(n.at.Value); err == nil && i >= low && i <= high {
			return i, nil
		}
	}
	return 0, n.Errorf("must be a whole number from %d to %d", low, high)
}

// Duration reads n as seconds, or as a text like 5m or 1h30m; a year at most.
func (n Node) Duration() (time.Duration, error) {
	const most = 366 * 24 * time.Hour
	if n.isScalar("!!int") {
		i, err := n.Int(0, int(most/time.Second))
		return time.Duration(i) * time.Second, err
	}
	s, err := n.Text()
	var d time.Duration
	if err == nil {
		d, err = time.ParseDuration(s)
	}
	if err != nil || d < 0 || d > most {
		return 0, n.Errorf("must be a time like 5m, or seconds")
	}
	return d, nil
}

// List gives the items of the sequence n; a single value is a list of one, and
// no value an empty list.
func (n Node) List() []Node {
	if n.Empty() {
		return nil
	}
	if n.at.Kind != yaml.SequenceNode {
		return []Node{n}
	}
	items := make([]Node, len(n.at.Content))
	for i, v := range n.at.Content {
		items[i] = Node{v, fmt.Sprintf("%s[%d]", n.Field, i)}
	}
	return items
}

// Labels reads n as a list of labels.
func (n Node) Labels() ([]string, error) {
	var all []string
	for _, item := range n.List() {
		s, err := item.Label()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// Word reads n as one of the known words. Later are words that will mean
// something one day.
func (n Node) Word(what string, known []string, later ...string) (string, error) {
	s, err := n.Text()
	if err != nil {
		return "", err
	}
	switch {
	case slices.Contains(known, s):
		return s, nil
	case slices.Contains(later, s):
		return "", n.Errorf("%s %s is not supported yet", what, s)
	}
	return "", n.Errorf("unknown %s %q (known: %s)", what, short(s), strings.Join(similar.Names(s, known, 12), ", "))
}

// isPlain reports whether s is printable text.
func isPlain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// short bounds a name from a document that goes into an error.
func short(s string) string {
	const most = 40 // bytes
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
