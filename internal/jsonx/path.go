package jsonx

import (
	"errors"
	"fmt"
	"strings"
)

// maxNames bounds the length of a path, and with it the passes over a document.
const maxNames = 256

// A Path names a value in a document: the names of object members and the
// indexes of array elements that lead to it, from the outside in. An index is
// decimal digits; where an object stands, it is a name like any other. The
// empty Path names the whole document.
type Path []string

// ParsePath reads a path as users write it: names joined by dots, as in
// data.items.0. In a name, \. is a dot and \\ is a backslash; the name that is
// empty is written \e. For every path p that is not empty, ParsePath(p.String())
// is p.
func ParsePath(text string) (Path, error) {
	if text == "" {
		return nil, errors.New("the path is empty")
	}
	var p Path
	var name strings.Builder
	named := false // the name has begun, even if only with \e
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == '.':
			if !named {
				return nil, fmt.Errorf("path %q: a name is empty (if it should be, write \\e)", text)
			}
			if len(p) == maxNames {
				return nil, fmt.Errorf("path: more than %d names", maxNames)
			}
			p = append(p, name.String())
			name.Reset()
			named = false
		case text[i] != '\\':
			name.WriteByte(text[i])
			named = true
		case i+1 < len(text) && (text[i+1] == '.' || text[i+1] == '\\'):
			name.WriteByte(text[i+1])
			named = true
			i++
		case i+1 < len(text) && text[i+1] == 'e' && !named && (i+2 == len(text) || text[i+2] == '.'):
			named = true
			i++
		default:
			return nil, fmt.Errorf("path %q: a backslash stands only before a dot or a backslash (\\. and \\\\), and \\e is the empty name", text)
		}
	}
	return p, nil
}

var nameEscaper = strings.NewReplacer(`\`, `\\`, `.`, `\.`)

// String returns p as [ParsePath] reads it.
func (p Path) String() string {
	var b strings.Builder
	for i, name := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		if name == "" {
			b.WriteString(`\e`)
		}
		nameEscaper.WriteString(&b, name)
	}
	return b.String()
}

// parseIndex reads a name as the index of an array element: decimal digits
// without leading zeros, below a thousand million.
func parseIndex(name string) (index int, ok bool) {
	if name == "" || len(name) > 9 || name[0] == '0' && len(name) > 1 {
		return 0, false
	}
	for i := range len(name) {
		if name[i] < '0' || name[i] > '9' {
			return 0, false
		}
		index = index*10 + int(name[i]-'0')
	}
	return index, true
}
