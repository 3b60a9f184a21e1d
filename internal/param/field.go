package param

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// A Field is a parameter of raw: raw[Start:End], of which raw[Value:End] is the
// value, not decoded. Value is End where there is no =.
type Field struct {
	Name              string // decoded
	Start, Value, End int
}

// Fields returns the parameters of raw in their order. One whose name has a
// broken escape has none that could be asked for, and is passed over.
func Fields(raw string) []Field {
	var all []Field
	for p := range params(raw) {
		if name, ok := Unescape(raw[p.start:p.nameEnd]); ok {
			all = append(all, Field{name, p.start, min(p.nameEnd+1, p.end), p.end})
		}
	}
	return all
}

// Put returns raw with another value of f, which is one of its [Fields]. What the
// old value and the new one begin and end with keeps its spelling, and so do all
// other bytes.
func Put(raw string, f Field, value string) string {
	if f.Value == f.End && (f.Start == f.End || raw[f.End-1] != '=') { // a name alone
		return raw[:f.End] + "=" + url.QueryEscape(value) + raw[f.End:]
	}
	return raw[:f.Value] + respell(raw[f.Value:f.End], value) + raw[f.End:]
}

// Add returns raw with one more parameter at its end.
func Add(raw, name, value string) string {
	if raw != "" && !strings.HasSuffix(raw, "&") {
		raw += "&"
	}
	return raw + url.QueryEscape(name) + "=" + url.QueryEscape(value)
}

// Cut returns raw without f, which is one of its [Fields], and without the & that
// parted it from the one before it, or, of the first, from the one behind it.
func Cut(raw string, f Field) string {
	switch {
	case f.Start > 0:
		return raw[:f.Start-1] + raw[f.End:]
	case f.End < len(raw):
		return raw[f.End+1:]
	}
	return ""
}

// respell returns what decodes to text, in the spelling of the value old as far as
// both are the same from their beginning and from their end.
func respell(old, text string) string {
	starts := make([]int, 0, len(old)+1) // where in old each byte of its text begins
	was, ok := Unescape(old)
	if !ok {
		return url.QueryEscape(text)
	}
	for i := 0; i < len(old); i++ {
		starts = append(starts, i)
		if old[i] == '%' {
			i += 2
		}
	}
	starts = append(starts, len(old))
	head := 0
	for head < len(was) && head < len(text) && was[head] == text[head] {
		head++
	}
	for head > 0 && !(atRune(was, head) && atRune(text, head)) {
		head--
	}
	tail := 0
	for tail < min(len(was), len(text))-head && was[len(was)-1-tail] == text[len(text)-1-tail] {
		tail++
	}
	for tail > 0 && !(atRune(was, len(was)-tail) && atRune(text, len(text)-tail)) {
		tail--
	}
	middle := url.QueryEscape(text[head : len(text)-tail])
	if strings.Contains(old, "%20") {
		middle = strings.ReplaceAll(middle, "+", "%20")
	}
	return old[:starts[head]] + middle + old[starts[len(was)-tail]:]
}

// atRune reports whether a character begins at s[i], or s ends there.
func atRune(s string, i int) bool { return i == len(s) || utf8.RuneStart(s[i]) }
