package jsonx

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
)

// A Change is one difference of two documents.
type Change struct {
	Path     Path
	Old, New []byte // JSON texts as they are spelled; nil: there is none
	// Whole says that what is inside of Old and New was not compared value by value, as there is
	// too much of it.
	Whole bool
}

// What is held in memory to compare, of a value of a few bytes a hundred, has its bounds.
const (
	mostValues  = 200_000 // of a document, or of what a string holds
	mostChanges = 200_000
)

// Diff returns what is different in b from a. Members of objects are compared
// by name, of which the last of duplicates counts, elements of arrays by index,
// scalars by their spelling: 50.0 is not 50.00. White space between tokens and
// the order of members do not count. Two strings that were quoted as often and
// both hold an object, or both an array, are compared by what they hold, down
// to 16 strings in all. An object or array with too many values in it, 200,000 of
// a document, is compared as a whole, where the order of members does count; two
// documents with over 200,000 differences are one [Change].
//
// First comes what is in b, in the order of b, then what only a has; of an
// array that is the last element first. So [Create] and [Unset] with each Change
// in turn make of a what b is, if no object of a has a name twice. The error is
// a [*SyntaxError] if a or b is not JSON.
func Diff(a, b []byte) ([]Change, error) {
	na, err := parse(a)
	if err != nil {
		return nil, err
	}
	nb, err := parse(b)
	if err != nil {
		return nil, err
	}
	var d differ
	d.compare(&na, &nb, 0)
	if d.tooMany() {
		return []Change{{Old: na.raw, New: nb.raw, Whole: true}}, nil
	}
	return append(d.changes, d.gone...), nil
}

// A node is a value of a document that is parsed for [Diff].
type node struct {
	raw   []byte
	kind  Kind
	names []string // of the members; only of an object
	nodes []node   // the members' values, or the elements
	whole bool     // there are too many of them, and none is in names and nodes
	index map[string]int
	// index finds a name in names; nil while there are few.
}

// fewNames is how many names are looked through one by one.
const fewNames = 8

// parse gives the tree of doc. Strings are not entered.
func parse(doc []byte) (node, error) {
	start, end, bad := text(doc)
	if bad != 0 {
		return node{}, syntaxError(doc, end, bad)
	}
	return parseAt(doc, start), nil
}

// parseAt gives the tree of the value at i of the valid text doc.
func parseAt(doc []byte, i int) node {
	p := parser{string(doc), doc, mostValues}
	n, _ := p.value(i)
	return n
}

// A parser makes a tree of a valid text.
type parser struct {
	whole string // is doc
	doc   []byte
	left  int // values that may be added to the tree
}

// value gives the node of the value at i, and where it ends. It recurses no deeper
// than [MaxDepth].
func (p *parser) value(i int) (n node, end int) {
	doc, had := p.doc, p.left
	n.kind = KindOf(doc[i:])
	if n.kind != Object && n.kind != Array {
		end, _ = scanValue(doc, i, 0)
		n.raw = doc[i:end:end]
		return n, end
	}
	at := space(doc, i+1)
	for doc[at] != doc[i]+2 {
		var name string
		if n.kind == Object {
			nameEnd, _ := scanString(doc, at)
			if !n.whole {
				name = nameText(p.whole, at, nameEnd)
			}
			at = space(doc, space(doc, nameEnd)+1)
		}
		if p.left == 0 && !n.whole {
			n.names, n.nodes, n.index, n.whole = nil, nil, nil, true
			p.left = had // what is beside it may be compared still
		}
		if n.whole {
			at, _ = scanValue(doc, at, 0)
		} else {
			p.left--
			var in node
			in, at = p.value(at)
			n.add(name, in)
		}
		at = next(doc, at)
	}
	n.raw = doc[i : at+1 : at+1]
	return n, at + 1
}

// add puts a member or element behind the others, or in the place of the
// member that has the name.
func (n *node) add(name string, in node) {
	if n.kind == Object {
		if i := n.find(name); i >= 0 {
			n.nodes[i] = in
			return
		}
		n.names = append(n.names, name)
		if n.index != nil {
			n.index[name] = len(n.nodes)
		}
	}
	n.nodes = append(n.nodes, in)
	if n.kind == Object && n.index == nil && len(n.names) > fewNames {
		n.index = make(map[string]int, 2*len(n.names))
		for i, name := range n.names {
			n.index[name] = i
		}
	}
}

// find gives the index of a name, or -1.
func (n *node) find(name string) int {
	if n.index == nil {
		return slices.Index(n.names, name)
	}
	if i, ok := n.index[name]; ok {
		return i
	}
	return -1
}

// A differ collects changes.
type differ struct {
	path    Path
	changes []Change
	gone    []Change
	quiet   bool // only whether there is a change, which differs tells
	differs bool
}

func (d *differ) tooMany() bool { return len(d.changes)+len(d.gone) > mostChanges }

// change adds a change of the value that the path leads to, with isGone to
// those that come last.
func (d *differ) change(isGone bool, before, after []byte) {
	switch {
	case d.quiet:
		d.differs = true
	case isGone:
		d.gone = append(d.gone, Change{Path: slices.Clone(d.path), Old: before, New: after})
	default:
		d.changes = append(d.changes, Change{Path: slices.Clone(d.path), Old: before, New: after})
	}
}

// compare collects what is different in b from a, which stand in that many
// strings.
func (d *differ) compare(a, b *node, strings int) {
	if len(d.path) == maxNames && !d.quiet {
		d.quiet, d.differs = true, false
		d.compare(a, b, strings)
		if d.quiet = false; d.differs {
			d.change(false, a.raw, b.raw)
		}
		return
	}
	switch {
	case d.tooMany(): // which [Diff] tells
	case a.kind != b.kind:
		d.change(false, a.raw, b.raw)
	case a.whole || b.whole:
		d.wholes(a, b)
	case a.kind == Object:
		d.objects(a, b, strings)
	case a.kind == Array:
		d.arrays(a, b, strings)
	case !bytes.Equal(a.raw, b.raw) && !d.held(a, b, strings):
		d.change(false, a.raw, b.raw)
	}
}

// held compares what two scalars hold. It reports false if they do not hold
// the same kind of JSON.
func (d *differ) held(a, b *node, strings int) bool {
	ia, sa, la := unpack(a.raw, maxStrings-strings)
	ib, sb, lb := unpack(b.raw, maxStrings-strings)
	if la == nil || len(la) != len(lb) || ia[sa] != ib[sb] {
		return false
	}
	ha, hb := parseAt(ia, sa), parseAt(ib, sb)
	d.compare(&ha, &hb, strings+len(la))
	return true
}

// wholes compares two objects or arrays of which one has too many values in it.
func (d *differ) wholes(a, b *node) {
	compact := func(raw []byte) []byte {
		var buf bytes.Buffer
		json.Compact(&buf, raw) // it is JSON
		return buf.Bytes()
	}
	if bytes.Equal(a.raw, b.raw) || bytes.Equal(compact(a.raw), compact(b.raw)) {
		return
	}
	d.change(false, a.raw, b.raw)
	if !d.quiet {
		d.changes[len(d.changes)-1].Whole = true
	}
}

func (d *differ) objects(a, b *node, strings int) {
	for i, name := range b.names {
		d.path = append(d.path, name)
		if at := a.find(name); at >= 0 {
			d.compare(&a.nodes[at], &b.nodes[i], strings)
		} else {
			d.change(false, nil, b.nodes[i].raw)
		}
		d.path = d.path[:len(d.path)-1]
	}
	for i, name := range a.names {
		if b.find(name) < 0 {
			d.path = append(d.path, name)
			d.change(true, a.nodes[i].raw, nil)
			d.path = d.path[:len(d.path)-1]
		}
	}
}

func (d *differ) arrays(a, b *node, strings int) {
	for i := range b.nodes {
		d.path = append(d.path, strconv.Itoa(i))
		if i < len(a.nodes) {
			d.compare(&a.nodes[i], &b.nodes[i], strings)
		} else {
			d.change(false, nil, b.nodes[i].raw)
		}
		d.path = d.path[:len(d.path)-1]
	}
	for i := len(a.nodes) - 1; i >= len(b.nodes); i-- {
		d.path = append(d.path, strconv.Itoa(i))
		d.change(true, a.nodes[i].raw, nil)
		d.path = d.path[:len(d.path)-1]
	}
}
