package jsonx

import (
	"bytes"
	"fmt"
	"strconv"
)

// Rewrite returns doc with what f returns in the place of its scalars. It calls
// f for each string, number, boolean and null in order, with its path and its
// JSON text; f returns another JSON text, or nil to leave the scalar as it is.
// All other bytes stay. A string that holds a JSON object or array is entered
// instead, as [Find] does, but no deeper than 16 strings in all: it stays a
// string, and its other characters keep their own spelling.
//
// The path is valid only until f returns; f does not write to it or to raw. The
// error is a [*SyntaxError] if doc is not JSON, and wraps one if f returns
// something that is not. doc is not written to.
func Rewrite(doc []byte, f func(p Path, raw []byte) []byte) ([]byte, error) {
	start, end, bad := text(doc)
	if bad != 0 {
		return nil, syntaxError(doc, end, bad)
	}
	w := rewriter{f: f}
	splices, err := w.value(doc, start, 0)
	if err != nil {
		return nil, err
	}
	size := len(doc)
	for _, s := range splices {
		size += len(s.text) - (s.end - s.start)
	}
	out := make([]byte, 0, size)
	last := 0
	for _, s := range splices {
		out = append(out, doc[last:s.start]...)
		out = append(out, s.text...)
		last = s.end
	}
	return append(out, doc[last:]...), nil
}

// A splice puts text in the place of the bytes start to end.
type splice struct {
	start, end int
	text       []byte
	strings    int // how many strings text was escaped for
}

// A rewriter walks through a document without recursion, but for the strings
// that it enters.
type rewriter struct {
	f    func(p Path, raw []byte) []byte
	path Path
	open []opened
}

// opened is an object or array that the rewriter is in; the last name of the
// path is that of the value in it.
type opened struct {
	isObject bool
	index    int // of the element; only of an array
}

// value gives the splices of the value at i of the valid text doc, in order. doc
// stands in that many strings.
func (w *rewriter) value(doc []byte, i, strings int) ([]splice, error) {
	var splices []splice
	var err error
	whole := string(doc) // names are cut from it
	outside := len(w.open)
	for {
		// A value begins at i.
		switch c := doc[i]; c {
		case '{', '[':
			i = space(doc, i+1)
			if doc[i] == c+2 { // nothing in it
				i++
				break
			}
			w.open = append(w.open, opened{isObject: c == '{'})
			w.path = append(w.path, "0")
			if c == '{' {
				i = w.name(whole, doc, i)
			}
			continue
		default:
			end, _ := scanValue(doc, i, 0)
			if splices, err = w.scalar(splices, doc, i, end, strings); err != nil {
				return nil, err
			}
			i = end
		}
		// A value has ended at i.
		for {
			if len(w.open) == outside {
				return splices, nil
			}
			in := &w.open[len(w.open)-1]
			i = space(doc, i)
			if doc[i] == ',' {
				i = space(doc, i+1)
				if in.isObject {
					i = w.name(whole, doc, i)
				} else {
					in.index++
					w.path[len(w.path)-1] = strconv.Itoa(in.index)
				}
				break
			}
			i++
			w.open = w.open[:len(w.open)-1]
			w.path = w.path[:len(w.path)-1]
		}
	}
}

// name makes the name at i the last of the path and gives where its value
// begins. whole is doc.
func (w *rewriter) name(whole string, doc []byte, i int) int {
	end, _ := scanString(doc, i)
	w.path[len(w.path)-1] = nameText(whole, i, end)
	return space(doc, space(doc, end)+1)
}

// nameText gives the text of the JSON string whole[start:end], without a copy
// if it has no escapes.
func nameText(whole string, start, end int) string {
	for i := start; i < end; i++ {
		if whole[i] == '\\' {
			return string(appendUnquoted(nil, []byte(whole[start:end])))
		}
	}
	return whole[start+1 : end-1]
}

// scalar appends to splices what becomes of the scalar doc[start:end].
func (w *rewriter) scalar(splices []splice, doc []byte, start, end, strings int) ([]splice, error) {
	raw := doc[start:end:end]
	if inner, at, layers := unpack(raw, maxStrings-strings); layers != nil {
		within, err := w.value(inner, at, strings+len(layers))
		if err != nil {
			return nil, err
		}
		layers[0].at = start
		for i := range layers {
			layers[len(layers)-1-i].lift(within)
		}
		return append(splices, within...), nil
	}
	text := w.f(w.path, raw)
	if text == nil {
		return splices, nil
	}
	text, err := trimmed(text)
	if err != nil {
		return nil, fmt.Errorf("rewrite %s: %w", w.path[:min(len(w.path), maxNames)], err)
	}
	return append(splices, splice{start: start, end: end, text: text}), nil
}

// A layer is a JSON string that holds JSON.
type layer struct {
	raw []byte // with its quotes
	at  int    // where it stands in the text that it is a part of
}

// unpack gives the text that the JSON string raw holds if that is an object or
// array, also if it was quoted up to limit times; where in it that begins; and
// the strings it stands in, from the outside in. If there is none, layers is nil.
func unpack(raw []byte, limit int) (inner []byte, start int, layers []layer) {
	at := 0
	for range limit {
		if !mayHold(raw) {
			return nil, 0, nil
		}
		layers = append(layers, layer{raw, at})
		inner = appendUnquoted(make([]byte, 0, len(raw)), raw)
		start, end, bad := text(inner)
		if bad != 0 {
			return nil, 0, nil
		}
		if kind := KindOf(inner[start:]); kind == Object || kind == Array {
			return inner, start, layers
		}
		raw, at = inner[start:end], start
	}
	return nil, 0, nil
}

// mayHold reports false for most values that are no string with JSON in it.
func mayHold(raw []byte) bool {
	return len(raw) >= 4 && raw[0] == '"' && bytes.IndexByte([]byte("{[\\ \xef"), raw[1]) >= 0
}

// lift turns splices of the text that l holds, in their order, into splices of the
// text that l stands in.
func (l layer) lift(splices []splice) {
	i, n := 1, 0
	for k := range splices {
		s := &splices[k]
		for ; n < s.start; i, n = unit(l.raw, i, n) {
		}
		start := i
		for ; n < s.end; i, n = unit(l.raw, i, n) {
		}
		s.start, s.end = l.at+start, l.at+i
		s.escape()
	}
}

// escape makes the text of s fit for one string more. Backslashes that are
// doubled each time would be thousands in the end: from the fourth string on
// they are spelled \u005c, which is a few bytes more each time.
func (s *splice) escape() {
	s.strings++
	text := appendEscaped(make([]byte, 0, len(s.text)+8), string(s.text))
	if s.strings > 3 {
		text = bytes.ReplaceAll(text, []byte(`\\`), []byte(`\u005c`))
	}
	s.text = text
}
