package verify

import (
	"errors"

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
	var e *yamlx.Error
	if errors.As(err, &e) {
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

// A fieldTable tells what to do with the keys of a mapping.
type fieldTable[B any] map[string]func(B, node) error

// read reads the mapping n into b. reserved are keys that will mean something
// one day.
func (t fieldTable[B]) read(b B, n node, reserved ...string) error {
	fields := make(yamlx.Fields[B], len(t))
	for name, f := range t {
		fields[name] = func(b B, n yamlx.Node) error { return f(b, node{n}) }
	}
	return fields.Read(b, n.Node, reserved...)
}
