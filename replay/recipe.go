package replay

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"devhook/internal/yamlx"
)

// A Recipe is a named list of mutations, kept in a file.
type Recipe struct {
	Name, About string // for people; may be empty
	Changes     []Mutation
}

// ParseRecipe reads a recipe:
//
//	name: large-refund
//	about: what the till does with more than it took in
//	changes:
//	  - set data.amount=50.00
//	  - unset data.customer
//	  - header: "X-Debug: 1"
//
// A change is what [Parse] reads, or the word as a name and the rest as its value.
// Errors are of package yamlx, with line and column.
func ParseRecipe(src []byte) (Recipe, error) {
	var r Recipe
	doc, err := yamlx.Parse(src)
	if err != nil {
		return r, err
	}
	if doc.Empty() {
		return r, doc.Errorf("there is nothing in it; write changes: and a list")
	}
	if err := recipeFields.Read(&r, doc); err != nil {
		return r, err
	}
	if len(r.Changes) == 0 {
		return r, doc.Errorf("it changes nothing; write changes: and a list")
	}
	return r, nil
}

var recipeFields = yamlx.Fields[*Recipe]{
	"name":  func(r *Recipe, n yamlx.Node) (err error) { r.Name, err = n.Label(); return err },
	"about": func(r *Recipe, n yamlx.Node) (err error) { r.About, err = n.Text(); return err },
	"changes": func(r *Recipe, n yamlx.Node) (err error) {
		r.Changes, err = readMutations(n)
		return err
	},
}

// readMutations reads the items of n as [ParseRecipe] does its changes.
func readMutations(n yamlx.Node) ([]Mutation, error) {
	var all []Mutation
	for _, item := range n.List() {
		text, err := changeText(item)
		if err != nil {
			return nil, err
		}
		m, err := Parse(text)
		if err != nil {
			return nil, item.Wrap(err)
		}
		all = append(all, m)
	}
	return all, nil
}

// changeText returns a change as [Parse] reads it.
func changeText(item yamlx.Node) (string, error) {
	if !item.IsMapping() {
		return item.Text()
	}
	text, n := "", 0
	err := item.Each(func(word string, value, key yamlx.Node) error {
		if n++; n > 1 {
			return key.Errorf("one change has one name; begin the next with a dash")
		}
		if strings.Contains(word, " ") { // header X: 1, which YAML reads as a name and a value
			return key.Errorf("put the change in quotes, as in '%s: …'", key.Field[strings.LastIndex(key.Field, "].")+2:])
		}
		rest, err := value.Scalar()
		text = word + " " + rest
		return err
	})
	return text, err
}

// Source returns r as a file that [ParseRecipe] reads. The error tells of a change
// that has bytes in it which are no text.
func (r Recipe) Source() ([]byte, error) {
	var b strings.Builder
	if r.Name != "" {
		fmt.Fprintf(&b, "name: %s\n", quoteYAML(r.Name))
	}
	if r.About != "" {
		fmt.Fprintf(&b, "about: %s\n", quoteYAML(r.About))
	}
	b.WriteString("changes:\n")
	for _, m := range r.Changes {
		text := m.String()
		if whole, ok := m.(body); ok {
			text = whole.whole()
		}
		if !utf8.ValidString(text) {
			return nil, bad("put it into a file, and give that with --body @FILE", "%q is no text, and cannot be kept in a recipe", text)
		}
		fmt.Fprintf(&b, "  - %s\n", quoteYAML(text))
	}
	if b.Len() > yamlx.MaxSource {
		return nil, bad("", "the recipe is longer than %d bytes", yamlx.MaxSource)
	}
	return []byte(b.String()), nil
}

// quoteYAML returns s, which is UTF-8, as a YAML scalar: YAML 1.2.2 §7.3.1.
func quoteYAML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04X`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
