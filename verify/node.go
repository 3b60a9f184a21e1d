package verify

import (
	"errors"
	"slices"
	"strings"

	"devhook/internal/yamlx"
)

// A ParseError tells what is wrong with the description of a provider, and
// where.
type ParseError struct {
	Line, Column int    // from 1; 0 if the description as a whole is meant
	Field        string // as in signature.encoding, or "" for the whole
	What         string // as in: unknown encoding "hexx" (known: hex, base64)
}

// Error returns place, field and problem, as in 5:25: scheme: is missing.
func (e *ParseError) Error() string { return (*yamlx.Error)(e).Error() }

// A node is a part of a description. It has methods, in the files beside this
// one, for what a description is made of.
type node struct{ yamlx.Node }

// parseYAML reads src as one YAML document that is not empty.
func parseYAML(src []byte) (node, error) {
	n, err := yamlx.Parse(src)
	if err == nil && n.Empty() {
		err = &yamlx.Error{What: "empty"}
	}
	return node{n}, err
}

// parseError makes an error of yamlx, which is internal, one of this package.
func parseError(err error) error {
	if e, ok := errors.AsType[*yamlx.Error](err); ok {
		return (*ParseError)(e)
	}
	return err
}

func (n node) each(f func(name string, value, key node) error) error {
	return n.Each(func(name string, value, key yamlx.Node) error { return f(name, node{value}, node{key}) })
}

func (n node) list() []node {
	var items []node
	for _, item := range n.List() {
		items = append(items, node{item})
	}
	return items
}

// A fieldTable tells what to do with the keys of a mapping: nil with those that will mean
// something one day.
type fieldTable[B any] map[string]func(B, node) error

// read reads the mapping n into b, and refuses one that lacks one of needs.
func (t fieldTable[B]) read(b B, n node, needs ...string) error {
	lacking := slices.Clone(needs)
	err := n.each(func(name string, value, key node) error {
		f, known := t[name]
		switch {
		case !known:
			return key.Unknown(name, t.names())
		case f == nil:
			return key.Errorf("is not supported yet")
		}
		if !value.hasNone() {
			lacking = slices.DeleteFunc(lacking, func(need string) bool { return need == name })
		}
		return f(b, value)
	})
	if err == nil && len(lacking) > 0 {
		last := len(needs) - 1
		err = n.Errorf("needs %s", strings.TrimPrefix(strings.Join(needs[:last], ", ")+" and "+needs[last], " and "))
	}
	return err
}

// names gives the keys that mean something, sorted.
func (t fieldTable[B]) names() []string {
	return slices.DeleteFunc(sortedKeys(t), func(name string) bool { return t[name] == nil })
}

// hasNone reports whether there is nothing in n: no value, or an empty list or mapping.
func (n node) hasNone() bool { return len(n.list()) == 0 || n.IsMapping() && n.Size() == 1 }

// listOf reads each item of n.
func listOf[T any](n node, read func(node) (T, error)) ([]T, error) {
	var all []T
	for _, item := range n.list() {
		one, err := read(item)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// mappings reads each item of n as a mapping of the fields, which lacks none of needs.
// What an item does not say is as in one.
func mappings[T any](n node, fields fieldTable[*T], one T, needs ...string) ([]T, error) {
	return listOf(n, func(item node) (T, error) {
		made := one
		err := fields.read(&made, item, needs...)
		return made, err
	})
}
