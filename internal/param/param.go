// Package param reads and changes the parameters of a query string or of a form
// body as the text it is: what is not named keeps its spelling. Only '&'
// separates, and parameters that are not asked for may hold ';' or broken
// escapes. Package net/url drops what it cannot parse. What parameters mean is
// left to others.
package param

import (
	"iter"
	"net/url"
	"strings"
)

// A param is a parameter of a query string or form body: raw[start:end], the
// name of which ends at nameEnd.
type param struct{ start, nameEnd, end int }

// params yields the parameters of raw. Empty ones (a&&b) are passed over.
func params(raw string) iter.Seq[param] {
	return func(yield func(param) bool) {
		for start := 0; start < len(raw); {
			end := start
			nameEnd := -1
			for ; end < len(raw) && raw[end] != '&'; end++ {
				if raw[end] == '=' && nameEnd < 0 {
					nameEnd = end
				}
			}
			if nameEnd < 0 {
				nameEnd = end
			}
			if start < end && !yield(param{start, nameEnd, end}) {
				return
			}
			start = end + 1
		}
	}
}

// value gives the value of p in raw, not decoded.
func (p param) value(raw string) string { return raw[min(p.nameEnd+1, p.end):p.end] }

// matches reports whether p is called name, exactly or but for its case.
func (p param) matches(raw, name string) (exact, folded bool) {
	text := raw[p.start:p.nameEnd]
	if isEscaped(text) {
		decoded, err := url.QueryUnescape(text)
		if err != nil {
			return false, false
		}
		text = decoded
	}
	if len(text) != len(name) {
		return false, false
	}
	return text == name, strings.EqualFold(text, name)
}

// Find gives the value, not decoded, of the first parameter called name,
// and how many there are. Case counts, unless no name matches with it.
func Find(raw, name string) (value string, n int) {
	var foldedValue string
	foldedN := 0
	for p := range params(raw) {
		switch exact, folded := p.matches(raw, name); {
		case exact:
			if n++; n == 1 {
				value = p.value(raw)
			}
		case folded:
			if foldedN++; foldedN == 1 {
				foldedValue = p.value(raw)
			}
		}
	}
	if n > 0 {
		return value, n
	}
	return foldedValue, foldedN
}

// Names yields the names of the parameters of raw, decoded, in their order.
// One whose escapes are broken has no name and is passed over.
func Names(raw string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for p := range params(raw) {
			name, ok := Unescape(raw[p.start:p.nameEnd])
			if ok && !yield(name) {
				return
			}
		}
	}
}

// Set returns raw with the value of the parameter called name replaced,
// or with the parameter added at the end. Of several, the first stays. All
// other bytes stay, and so does the spelling of a value that is right already.
func Set(raw, name, value string) string {
	_, n := Find(raw, name)
	if n == 0 {
		if raw != "" && !strings.HasSuffix(raw, "&") {
			raw += "&"
		}
		return raw + url.QueryEscape(name) + "=" + url.QueryEscape(value)
	}
	anyExact := false
	for p := range params(raw) {
		exact, _ := p.matches(raw, name)
		anyExact = anyExact || exact
	}
	var b strings.Builder
	from := 0 // raw[:from] is written
	seen := false
	for p := range params(raw) {
		exact, folded := p.matches(raw, name)
		switch {
		case anyExact && !exact || !folded:
		case !seen:
			seen = true
			if old, ok := Unescape(p.value(raw)); ok && old == value && p.nameEnd < p.end {
				continue
			}
			b.WriteString(raw[from:p.nameEnd])
			b.WriteByte('=')
			b.WriteString(url.QueryEscape(value))
			from = p.end
		default: // another of the same name goes, with the & before it
			b.WriteString(strings.TrimSuffix(raw[from:p.start], "&"))
			from = p.end
		}
	}
	b.WriteString(raw[from:])
	return b.String()
}

// Remove returns raw without the parameters called name, and without the & that
// parted them from others.
func Remove(raw, name string) string {
	_, n := Find(raw, name)
	if n == 0 {
		return raw
	}
	anyExact := false
	for p := range params(raw) {
		exact, _ := p.matches(raw, name)
		anyExact = anyExact || exact
	}
	var kept []string
	for part := range strings.SplitSeq(raw, "&") {
		p := param{0, len(part), len(part)}
		if i := strings.IndexByte(part, '='); i >= 0 {
			p.nameEnd = i
		}
		if exact, folded := p.matches(part, name); !exact && (anyExact || !folded) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "&")
}

// Unescape decodes the value of a parameter. ok is false if an escape is broken.
func Unescape(value string) (text string, ok bool) {
	if !isEscaped(value) {
		return value, true
	}
	text, err := url.QueryUnescape(value)
	return text, err == nil
}

func isEscaped(text string) bool {
	return strings.IndexByte(text, '%') >= 0 || strings.IndexByte(text, '+') >= 0
}
