package jsonx

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Unquote returns the text that the JSON string raw, with its quotes, stands
// for. An escaped surrogate without its other half becomes U+FFFD; bytes that
// are not UTF-8 stay as they are. ok is false if raw is not one JSON string.
func Unquote(raw []byte) (text string, ok bool) {
	if KindOf(raw) != String {
		return "", false
	}
	if end, bad := scanString(raw, 0); bad != 0 || end != len(raw) {
		return "", false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	return string(appendUnquoted(make([]byte, 0, len(raw)), raw)), true
}

// Text returns the text of a scalar: of a string what it stands for, of a
// number or boolean its literal. ok is false for null, for an object or array,
// and for what is no JSON value.
func Text(raw []byte) (text string, ok bool) {
	switch KindOf(raw) {
	case String:
		return Unquote(raw)
	case Number, Boolean:
		if end, bad := scanValue(raw, 0, 0); bad == 0 && end == len(raw) {
			return string(raw), true
		}
	}
	return "", false
}

// AppendQuote appends text to dst as a JSON string and returns the longer
// slice. Only what must be escaped is; bytes that are not UTF-8 stay as they
// are.
func AppendQuote(dst []byte, text string) []byte {
	dst = append(dst, '"')
	dst = appendEscaped(dst, text)
	return append(dst, '"')
}

func appendEscaped(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= 0x20:
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return dst
}

// appendUnquoted appends what the valid JSON string raw stands for.
func appendUnquoted(dst, raw []byte) []byte {
	for i := 1; i < len(raw)-1; {
		if raw[i] != '\\' {
			dst = append(dst, raw[i])
			i++
			continue
		}
		r, next := escaped(raw, i)
		dst = utf8.AppendRune(dst, r)
		i = next
	}
	return dst
}

// outer gives the places in the valid JSON string raw, with its quotes, of the
// bytes start to end of the text that it stands for.
func outer(raw []byte, start, end int) (s, e int) {
	n := 0 // bytes of the text before raw[i]
	i := 1
	for ; n < start; i, n = unit(raw, i, n) {
	}
	s = i
	for ; n < end; i, n = unit(raw, i, n) {
	}
	return s, i
}

// unit passes over one byte or escape of a valid JSON string at i, and counts
// to n the bytes that it stands for.
func unit(raw []byte, i, n int) (nextI, nextN int) {
	if raw[i] != '\\' {
		return i + 1, n + 1
	}
	r, next := escaped(raw, i)
	return next, n + utf8.RuneLen(r)
}

// escaped gives the character that the valid escape at i stands for, and where
// it ends. Two escapes that make a surrogate pair are one.
func escaped(raw []byte, i int) (r rune, next int) {
	switch c := raw[i+1]; c {
	case 'b':
		return '\b', i + 2
	case 'f':
		return '\f', i + 2
	case 'n':
		return '\n', i + 2
	case 'r':
		return '\r', i + 2
	case 't':
		return '\t', i + 2
	case 'u':
	default:
		return rune(c), i + 2
	}
	r = hex4(raw[i+2:])
	next = i + 6
	if !utf16.IsSurrogate(r) {
		return r, next
	}
	if raw[next] == '\\' && raw[next+1] == 'u' { // raw ends in a quote: next+1 is there
		if pair := utf16.DecodeRune(r, hex4(raw[next+2:])); pair != utf8.RuneError {
			return pair, next + 6
		}
	}
	return utf8.RuneError, next
}

// hex4 gives the value of four valid hexadecimal digits.
func hex4(b []byte) (r rune) {
	for _, c := range b[:4] {
		v, _ := hexDigit(c)
		r = r<<4 | v
	}
	return r
}
