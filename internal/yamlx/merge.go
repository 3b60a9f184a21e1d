package yamlx

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// Size returns how many parts n has, itself among them.
func (n Node) Size() int {
	if n.at == nil {
		return 0
	}
	size := 1
	for _, item := range n.at.Content {
		size += Node{at: item}.Size()
	}
	return size
}

// Without returns the mapping n without some of its keys.
func (n Node) Without(names ...string) Node {
	if !n.IsMapping() {
		return n
	}
	less := *n.at
	less.Content = nil
	for i := 0; i+1 < len(n.at.Content); i += 2 {
		if !slices.Contains(names, n.at.Content[i].Value) {
			less.Content = append(less.Content, n.at.Content[i], n.at.Content[i+1])
		}
	}
	return Node{&less, n.Field}
}

// Over returns the mapping n with what it lacks of the mapping base. Where both
// have a mapping these are merged in the same way, but for the keys in whole,
// whose values replace one another. A key of n without a value takes that of
// base away. All that comes from base has the place of at.
func (n Node) Over(base, at Node, whole ...string) (Node, error) {
	merged := *n.at
	merged.Content = nil
	given := make(map[string]bool)
	err := n.Each(func(name string, value, key Node) error {
		given[name] = true
		old := base.Get(name)
		switch {
		case old.at != nil && value.Empty():
			return nil
		case old.IsMapping() && value.IsMapping() && !slices.Contains(whole, name):
			var err error
			if value, err = value.Over(old, at, whole...); err != nil {
				return err
			}
		}
		merged.Content = append(merged.Content, key.at, value.at)
		return nil
	})
	if err != nil {
		return n, err
	}
	for i := 0; i+1 < len(base.at.Content); i += 2 {
		if name := base.at.Content[i]; !given[name.Value] {
			merged.Content = append(merged.Content, placed(name, at.at), placed(base.at.Content[i+1], at.at))
		}
	}
	return Node{&merged, n.Field}, nil
}

// Get returns the value of a key of the mapping n, which is empty if it is not there.
func (n Node) Get(name string) Node {
	if n.IsMapping() {
		for i := 0; i+1 < len(n.at.Content); i += 2 {
			if n.at.Content[i].Value == name {
				return n.child(name, n.at.Content[i+1])
			}
		}
	}
	return Node{}
}

// placed returns a copy of n that stands where at does.
func placed(n, at *yaml.Node) *yaml.Node {
	moved := *n
	moved.Line, moved.Column = at.Line, at.Column
	moved.Content = nil
	for _, item := range n.Content {
		moved.Content = append(moved.Content, placed(item, at))
	}
	return &moved
}
