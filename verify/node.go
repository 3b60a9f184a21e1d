package verify

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// A node is a part of a YAML document, and the fields that lead to it.
type node struct {
	ast   ast.Node
	field string
}

func (n node) isMapping() bool {
	_, ok := n.ast.(*ast.MappingNode)
	return ok
}

func (n node) isNull() bool {
	_, ok := n.ast.(*ast.NullNode)
	return ok
}

// errorf makes an error at n's place.
func (n node) errorf(format string, args ...any) error {
	e := &ParseError{Field: n.field, What: fmt.Sprintf(format, args...)}
	if n.ast != nil {
		at := n.ast
		if m, ok := at.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
			at = m.Values[0].Key // the node itself points at the first colon
		}
		if t := at.GetToken(); t != nil && t.Position != nil {
			e.Line, e.Column = t.Position.Line, t.Position.Column
		}
	}
	return e
}

// wrap gives err n's place, unless it has one.
func (n node) wrap(err error) error {
	var e *ParseError
	if err == nil || errors.As(err, &e) {
		return err
	}
	return n.errorf("%s", err)
}

func (n node) child(name string, value ast.Node) node {
	if n.field != "" {
		name = n.field + "." + name
	}
	return node{value, name}
}

// each calls f for each key of the mapping n, in order, with the value and the
// key itself as nodes.
func (n node) each(f func(name string, value, key node) error) error {
	m, ok := n.ast.(*ast.MappingNode)
	if !ok {
		return n.errorf("must be a mapping (name: value)")
	}
	seen := make(map[string]bool)
	for _, pair := range m.Values {
		text, ok := pair.Key.(*ast.StringNode)
		if !ok {
			return node{pair.Key, n.field}.errorf("a key must be plain text")
		}
		name := text.Value
		key := n.child(short(name), pair.Key)
		if seen[name] {
			return key.errorf("is there twice")
		}
		seen[name] = true
		if err := f(name, n.child(name, pair.Value), key); err != nil {
			return err
		}
	}
	return nil
}

// A fieldTable tells what to do with the keys of a mapping.
type fieldTable[B any] map[string]func(B, node) error

// read reads the mapping n into b. reserved are keys that will mean something
// one day.
func (t fieldTable[B]) read(b B, n node, reserved ...string) error {
	return n.each(func(name string, value, key node) error {
		f, ok := t[name]
		if !ok {
			for _, r := range reserved {
				if r == name {
					return key.errorf("is not supported yet")
				}
			}
			near := nearest(name, sortedKeys(t), 3)
			return key.errorf("unknown field (near: %s)", strings.Join(near, ", "))
		}
		return f(b, value)
	})
}

// text reads n as a text; a number or boolean must be in quotes.
func (n node) text() (string, error) {
	switch v := n.ast.(type) {
	case *ast.StringNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return v.Value.Value, nil
	case *ast.NullNode:
		return "", n.errorf("has no value")
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return "", n.errorf("must be text: put it in quotes")
	}
	return "", n.errorf("must be text")
}

// label is text, on one line and not empty.
func (n node) label() (string, error) {
	s, err := n.text()
	switch {
	case err != nil:
		return "", err
	case s == "":
		return "", n.errorf("is empty")
	case !isPlain(s):
		return "", n.errorf("must be one line of printable text")
	}
	return s, nil
}

// scalar is text, or a number or boolean as it is spelled.
func (n node) scalar() (string, error) {
	switch n.ast.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.ast.GetToken().Value, nil
	}
	return n.text()
}

func (n node) boolean() (bool, error) {
	if v, ok := n.ast.(*ast.BoolNode); ok {
		return v.Value, nil
	}
	return false, n.errorf("must be true or false")
}

// integer reads n as a number from low to high.
func (n node) integer(low, high int) (int, error) {
	if v, ok := n.ast.(*ast.IntegerNode); ok {
		if i, err := strconv.Atoi(v.GetToken().Value); err == nil && i >= low && i <= high {
			return i, nil
		}
	}
	return 0, n.errorf("must be a whole number from %d to %d", low, high)
}

// duration reads n as seconds, or as a text like 5m or 1h30m.
func (n node) duration() (time.Duration, error) {
	const most = 366 * 24 * time.Hour
	var d time.Duration
	if _, ok := n.ast.(*ast.IntegerNode); ok {
		i, err := n.integer(0, int(most/time.Second))
		return time.Duration(i) * time.Second, err
	}
	s, err := n.text()
	if err == nil {
		d, err = time.ParseDuration(s)
	}
	if err != nil || d < 0 || d > most {
		return 0, n.errorf("must be a time like 5m, or seconds")
	}
	return d, nil
}

// list gives the items of the sequence n; a single value is a list of one.
func (n node) list() []node {
	seq, ok := n.ast.(*ast.SequenceNode)
	if !ok {
		return []node{n}
	}
	items := make([]node, len(seq.Values))
	for i, v := range seq.Values {
		items[i] = node{v, fmt.Sprintf("%s[%d]", n.field, i)}
	}
	return items
}

// labels reads n as a list of labels.
func (n node) labels() ([]string, error) {
	var all []string
	for _, item := range n.list() {
		s, err := item.label()
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// word reads n as one of the known words. later are words that will mean
// something one day.
func (n node) word(what string, known []string, later ...string) (string, error) {
	s, err := n.text()
	if err != nil {
		return "", err
	}
	for _, k := range known {
		if s == k {
			return s, nil
		}
	}
	for _, l := range later {
		if s == l {
			return "", n.errorf("%s %s is not supported yet", what, s)
		}
	}
	return "", n.wrap(unknown(what, s, known))
}
