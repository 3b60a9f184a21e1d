package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Rewritings of JSON: what a serialiser decides between tokens, and within
// them. One of each kind may have happened at once.
var (
	layouts = []rewriting{
		{"the white space between the JSON's tokens is removed", compacted},
		{"the JSON is written with a space after each comma and colon", spaced},
		{"the JSON is indented by two spaces", func(b []byte) []byte { return indented(b, "  ") }},
		{"the JSON is indented by four spaces", func(b []byte) []byte { return indented(b, "    ") }},
		{"the JSON is indented by tabs", func(b []byte) []byte { return indented(b, "\t") }},
		{"the members of the JSON are sorted by name", sortedJSON},
		{"the members of the JSON are sorted by name, with a space after each comma and colon", func(b []byte) []byte { return spaced(sortedJSON(b)) }},
		{"numbers are written as JavaScript does (1.5 and not 1.50)", plainNumbers},
	}
	spellings = []rewriting{
		{"characters beyond ASCII are escaped (\\u00e9)", asciiOnly},
		{"characters beyond ASCII are escaped in capital letters (\\u00E9)", func(b []byte) []byte { return escapedUnicode(b, "0123456789ABCDEF") }},
		{"escapes (\\u00e9) are written as the characters that they stand for", unescapedUnicode},
		{"slashes are escaped (\\/)", escapedSlashes},
		{"slashes are not escaped", unescapedSlashes},
		{"slashes and characters beyond ASCII are escaped, as PHP does", func(b []byte) []byte { return escapedSlashes(asciiOnly(b)) }},
		{"slashes and characters beyond ASCII are not escaped", func(b []byte) []byte { return unescapedSlashes(unescapedUnicode(b)) }},
		{"<, > and & are escaped (\\u003c)", htmlEscaped},
	}
)

// shortNumbers tries each number of a JSON body with the zero that writing it
// anew takes away: 1 for 1.0, 1.5 for 1.50.
func (e *examination) shortNumbers() (Diagnosis, bool) {
	const most = 32
	tried := 0
	for number := range jsonNumbers(e.m.Body) {
		if tried++; tried > most {
			break
		}
		text := e.m.Body[number.start:number.end]
		if len(text) > 32 {
			continue
		}
		zeros := []string{".0", ".00"}
		if bytes.Contains(text, []byte(".")) {
			zeros = []string{"0", "00"}
		}
		for _, zero := range zeros {
			m := e.m
			m.Body = slices.Concat(e.m.Body[:number.end], []byte(zero), e.m.Body[number.end:])
			if e.fits(e.d, m, e.keys) {
				return Diagnosis{fmt.Sprintf("matches if the number %s is written %s%s", text, text, zero), onTheWay}, true
			}
		}
	}
	return Diagnosis{}, false
}

func compacted(b []byte) []byte {
	var out bytes.Buffer
	if json.Compact(&out, b) != nil {
		return nil
	}
	return out.Bytes()
}

func indented(b []byte, by string) []byte {
	var out bytes.Buffer
	if json.Indent(&out, b, "", by) != nil || out.Len() > 8*len(b)+4096 {
		return nil
	}
	return out.Bytes()
}

// spaced writes JSON as Python's json.dumps does.
func spaced(b []byte) []byte {
	b = compacted(b)
	if b == nil {
		return nil
	}
	out := make([]byte, 0, len(b)+len(b)/4)
	inString := false
	for i := 0; i < len(b); i++ {
		c := b[i]
		out = append(out, c)
		switch {
		case inString && c == '\\' && i+1 < len(b):
			i++
			out = append(out, b[i])
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out
}

func asciiOnly(b []byte) []byte { return escapedUnicode(b, "0123456789abcdef") }

// escapedUnicode escapes what is beyond ASCII, each unit of UTF-16 with the
// digits.
func escapedUnicode(b []byte, digits string) []byte {
	if !utf8.Valid(b) {
		return nil
	}
	out := make([]byte, 0, 2*len(b))
	escape := func(r rune) {
		out = append(out, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
	}
	for _, r := range string(b) {
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case r < 0x10000:
			escape(r)
		default:
			high, low := utf16.EncodeRune(r)
			escape(high)
			escape(low)
		}
	}
	return out
}

func escapedSlashes(b []byte) []byte {
	return bytes.ReplaceAll(unescapedSlashes(b), []byte("/"), []byte(`\/`))
}

func unescapedSlashes(b []byte) []byte { return bytes.ReplaceAll(b, []byte(`\/`), []byte("/")) }

// plainNumbers writes numbers as JavaScript does (ECMA-262 §6.1.6.1.20).
func plainNumbers(b []byte) []byte {
	var out []byte
	last := 0
	for number := range jsonNumbers(b) {
		f, err := strconv.ParseFloat(string(b[number.start:number.end]), 64)
		if err != nil {
			return nil
		}
		form := byte('f')
		if size := math.Abs(f); size != 0 && (size < 1e-6 || size >= 1e21) {
			form = 'e'
		}
		text := strconv.FormatFloat(f, form, -1, 64)
		if form == 'e' {
			text = strings.Replace(strings.Replace(text, "e-0", "e-", 1), "e+0", "e+", 1)
		}
		if f == 0 {
			text = "0"
		}
		out = append(append(out, b[last:number.start]...), text...)
		last = number.end
	}
	return append(out, b[last:]...)
}

// A span is a run of bytes.
type span struct{ start, end int }

// jsonNumbers gives where the numbers of valid JSON are.
func jsonNumbers(b []byte) iter.Seq[span] {
	return func(yield func(span) bool) {
		for i := 0; i < len(b); i++ {
			switch c := b[i]; {
			case c == '"':
				for i++; i < len(b) && b[i] != '"'; i++ {
					if b[i] == '\\' {
						i++
					}
				}
			case c == '-' || '0' <= c && c <= '9':
				start := i
				for i < len(b) && bytes.IndexByte([]byte("+-.eE0123456789"), b[i]) >= 0 {
					i++
				}
				if !yield(span{start, i}) {
					return
				}
				i--
			}
		}
	}
}

func unescapedUnicode(b []byte) []byte {
	var out []byte
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+5 >= len(b) || b[i+1] != 'u' {
			out = append(out, b[i])
			if b[i] == '\\' && i+1 < len(b) {
				i++
				out = append(out, b[i])
			}
			continue
		}
		end := i + 6
		if end+6 <= len(b) && b[end] == '\\' && b[end+1] == 'u' {
			end += 6
		}
		var text string
		if json.Unmarshal(slices.Concat([]byte{'"'}, b[i:end], []byte{'"'}), &text) != nil || text == "" {
			return nil
		}
		if r, size := utf8.DecodeRuneInString(text); r < 0x20 || r == '"' || r == '\\' || size < len(text) {
			end = i + 6
			if json.Unmarshal(slices.Concat([]byte{'"'}, b[i:end], []byte{'"'}), &text) != nil {
				return nil
			}
			if r, _ := utf8.DecodeRuneInString(text); r < 0x20 || r == '"' || r == '\\' || r == utf8.RuneError {
				text = string(b[i:end])
			}
		}
		out = append(out, text...)
		i = end - 1
	}
	return out
}

func htmlEscaped(b []byte) []byte {
	var out bytes.Buffer
	json.HTMLEscape(&out, b)
	return out.Bytes()
}

func sortedJSON(b []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return written(v)
}
