package verify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// A ParseError tells what is wrong with the description of a provider, and
// where.
type ParseError struct {
	Line, Column int    // from 1; 0 if the description as a whole is meant
	Field        string // as in signature.encoding, or "" for the whole
	What         string // as in: unknown encoding "hexx" (known: hex, base64)
}

// Error returns place, field and problem, as in 5:25: scheme: is missing.
func (e *ParseError) Error() string {
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

// Bounds of a YAML document, for a library that takes quadratic time and memory
// on deep ones. The longest built-in file has 4 KiB and nests 4 deep.
const (
	maxSource = 128 << 10 // bytes
	maxNested = 50
)

// parseYAML reads src as one YAML document.
func parseYAML(src []byte) (n node, err error) {
	if len(src) > maxSource {
		return n, &ParseError{What: fmt.Sprintf("longer than %d bytes", maxSource)}
	}
	if line := tooDeep(src); line > 0 {
		return n, &ParseError{Line: line, Column: 1, What: fmt.Sprintf("nested more than %d deep", maxNested)}
	}
	defer func() { // the parser of the library can be made to panic
		if r := recover(); r != nil {
			err = &ParseError{What: fmt.Sprintf("not YAML: %v", r)}
		}
	}()
	file, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey()) // node.each refuses them, and says where
	if err != nil {
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil && syntax.Token.Position != nil {
			return n, &ParseError{syntax.Token.Position.Line, syntax.Token.Position.Column, "", "not YAML: " + syntax.Message}
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		return n, &ParseError{What: "not YAML: " + first}
	}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case n.ast != nil:
			return n, node{doc.Body, ""}.errorf("a second document")
		default:
			n.ast = doc.Body
		}
	}
	if n.ast == nil {
		return n, &ParseError{What: "empty"}
	}
	return n, nil
}

// tooDeep gives the line where brackets, or the dashes of sequences in
// sequences, are nested too deep; 0 if none are. Brackets in quotes and comments
// count, too.
func tooDeep(src []byte) (line int) {
	brackets, dashes := 0, 0
	line = 1
	for _, c := range src {
		switch c {
		case '[', '{':
			brackets++
		case ']', '}':
			brackets = max(0, brackets-1)
		case '-', '?', '&', '!', ':':
			dashes++
		case '\n':
			line++
			dashes = 0
		}
		if brackets > maxNested || dashes > 20*maxNested {
			return line
		}
	}
	return 0
}
