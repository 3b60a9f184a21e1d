package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// readable returns a body as a person reads it: JSON in lines, other text as
// it is, and of what is no text the start in hex.
func readable(body []byte) string {
	if lines, ok := indent(body); ok {
		return SafeText(lines)
	}
	if isText(body) {
		return SafeText(string(body))
	}
	const most = 256
	var b strings.Builder
	for i := 0; i < len(body) && i < most; i += 16 {
		line := body[i:min(i+16, len(body))]
		fmt.Fprintf(&b, "%08x  %-48x  ", i, line)
		for _, c := range line {
			if c < 0x20 || c >= 0x7F {
				c = '.'
			}
			b.WriteByte(c)
		}
		b.WriteByte('\n')
	}
	if len(body) > most {
		b.WriteString("…\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Bounds of indent: what is nested deeper than maxIndent stays on its line,
// and the text becomes at most maxGrowth times as long, and 4 KiB. A thousand
// brackets are a thousand lines of up to a thousand columns otherwise.
const (
	maxIndent = 32
	maxGrowth = 8
)

// indent returns a JSON text in lines. JSON that a string holds, as TikTok's
// content, is opened below it, and said to be a string. It reports false if
// body is none, or would become too long.
func indent(body []byte) (string, bool) {
	if !json.Valid(body) {
		return "", false
	}
	in := indenter{make([]byte, 0, 2*len(body)), maxGrowth*len(body) + 4<<10}
	ok := in.text(body, 0)
	return string(in.b), ok
}

// An indenter appends the lines of JSON to b, which has at most so many bytes.
type indenter struct {
	b    []byte
	most int
}

func (in *indenter) newline(depth int) {
	in.b = append(in.b, '\n')
	for range depth {
		in.b = append(in.b, "  "...)
	}
}

// text appends a valid JSON text, whose first line is that deep. It reports false when
// there is more than may be.
func (in *indenter) text(body []byte, depth int) bool {
	fresh := false // a bracket was opened just now
	for i := 0; i < len(body); i++ {
		if len(in.b) > in.most {
			return false
		}
		c := body[i]
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '}', ']':
			if depth--; !fresh && depth < maxIndent {
				in.newline(depth)
			}
			fresh = false
			in.b = append(in.b, c)
			continue
		}
		if fresh && depth <= maxIndent {
			in.newline(depth)
		}
		fresh = false
		switch c {
		case '"':
			end := stringEnd(body[i:]) + i
			if !in.string(body[i:end], body[end:], depth) {
				return false
			}
			i = end - 1
			continue
		case '{', '[':
			depth++
			fresh = true
		}
		in.b = append(in.b, c)
		switch {
		case c == ',' && depth <= maxIndent:
			in.newline(depth)
		case c == ':':
			in.b = append(in.b, ' ')
		}
	}
	return true
}

// string appends a string, before rest of the text, and opens what it holds.
func (in *indenter) string(raw, rest []byte, depth int) bool {
	inner, isJSON := heldJSON(raw, rest)
	if !isJSON || depth >= maxIndent {
		in.b = append(in.b, raw...)
		return true
	}
	in.b = append(in.b, "(a string of JSON)"...)
	in.newline(depth + 1)
	return in.text(inner, depth+1)
}

// stringEnd returns where the JSON string ends that text starts with.
func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// heldJSON returns the object or list that a JSON string holds, unless the
// string is a name: then rest begins with a colon.
func heldJSON(raw, rest []byte) ([]byte, bool) {
	if len(raw) < 4 || bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":")) {
		return nil, false
	}
	if first := bytes.TrimLeft(raw[1:], " "); first[0] != '{' && first[0] != '[' {
		return nil, false
	}
	var text string
	if json.Unmarshal(raw, &text) != nil || !json.Valid([]byte(text)) {
		return nil, false
	}
	return []byte(text), true
}

// isText reports whether a person can read body, whose last rune may be cut.
func isText(body []byte) bool {
	body = WholeRunes(body)
	return utf8.Valid(body) && !bytes.ContainsFunc(body, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune("\n\r\t\x1b", r)
	})
}

// WholeRunes returns b without a rune at its end whose other bytes were cut off.
func WholeRunes(b []byte) []byte {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if end := b[len(b)-n:]; utf8.RuneStart(end[0]) {
			if !utf8.FullRune(end) {
				return b[:len(b)-n]
			}
			break
		}
	}
	return b
}
