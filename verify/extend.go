package verify

import (
	"errors"
	"slices"
	"strings"

	"devhook/internal/yamlx"
)

// A family is the descriptions of one document, of which one may extend an
// earlier one.
type family struct {
	earlier map[string]node // by ID, with what they inherit
	all     []string        // the IDs, also of those that come later
	size    int             // of all that was inherited
}

// maxInherited bounds what the descriptions of a document inherit, because each
// could inherit what is long.
const maxInherited = 1 << 17 // nodes

// own are the fields that no description inherits: they name the provider, and
// its secret.
var own = []string{"id", "aliases", "env", "extends"}

// lists are the fields that are lists, also where they are written as the one
// item that they have.
var lists = []string{"sources", "legacy", "marks", "handshake", "stand_in", "explain", "checklist"}

// bases is [Builtin], which is initialized with what reads descriptions and cannot
// be named by it.
var bases func() *Catalog

func init() { bases = Builtin }

// inherit returns n with what it inherits from the description that its field
// extends names: one of the family, or else a built-in one. from is where n says
// so, and of whom; it is "" if n extends nothing.
func (f *family) inherit(n node) (all node, from node, whom string, err error) {
	if from = (node{n.Get("extends")}); from.Field == "" {
		return n, from, "", nil
	}
	if whom, err = from.Label(); err != nil {
		return n, from, "", err
	}
	base, err := f.base(from, whom)
	if err != nil {
		return n, from, whom, err
	}
	if f.size += base.Size(); f.size > maxInherited {
		return n, from, whom, from.Errorf("the descriptions inherit too much in all")
	}
	merged, err := n.Over(base.Without(own...), from.Node, lists...)
	return node{merged}, from, whom, err
}

// base returns the description with the given ID, and all that it inherits.
func (f *family) base(at node, id string) (node, error) {
	if n, ok := f.earlier[id]; ok {
		return n, nil
	}
	c := bases()
	e := c.byName[strings.ReplaceAll(strings.ToLower(id), "_", "-")]
	switch {
	case e == nil && slices.Contains(f.all, id):
		return node{}, at.Errorf("%s is described further down: put it before this one", quote(id))
	case e == nil:
		return node{}, at.Errorf("unknown provider %s (near: %s)", quote(id), strings.Join(c.Nearest(id), ", "))
	}
	src, err := files.ReadFile("providers/" + e.id + ".yaml")
	if err != nil {
		return node{}, at.Errorf("%s has no description", e.id)
	}
	n, err := parseYAML(src)
	if err != nil {
		return node{}, err
	}
	n, _, _, err = new(family).inherit(n) // a built-in one may extend another; TestBuiltin reads all
	return n, err
}

// parse reads a description, and what it inherits. The name of its entry is
// id, "" if it has none.
func (f *family) parse(n node, id string) (Provider, error) {
	n, from, whom, err := f.inherit(n)
	if err != nil {
		return Provider{}, err
	}
	if f.earlier == nil {
		f.earlier = make(map[string]node)
	}
	f.earlier[id] = n
	p, err := parseProvider(n, id)
	var e *yamlx.Error
	if whom != "" && errors.As(err, &e) && e.Line > 0 {
		if line, column := from.Pos(); e.Line == line && e.Column == column {
			inherited := *e
			inherited.What += " (as " + whom + " has it: give the field anew, or take it away with ~)"
			return p, &inherited
		}
	}
	return p, err
}
