package recorder

import (
	"encoding/base64"
	"unicode/utf8"
)

// appendText appends s as a JSON string, or as {"base64":…} if it is not
// valid UTF-8.
func appendText[T ~string | ~[]byte](dst []byte, s T) []byte {
	if !validUTF8(s) {
		dst = append(dst, `{"base64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(s))
		return append(dst, `"}`...)
	}
	dst = append(dst, '"')
	dst = appendEscaped(dst, s)
	return append(dst, '"')
}

func validUTF8[T ~string | ~[]byte](s T) bool {
	switch s := any(s).(type) {
	case string:
		return utf8.ValidString(s)
	case []byte:
		return utf8.Valid(s)
	}
	return utf8.Valid([]byte(s))
}

// appendEscaped appends s, which is valid UTF-8, as it stands between the
// quotes of a JSON string. Escaped are what JSON asks for and DEL and the C1
// controls, which some terminals obey; each in one spelling only, so that a
// text can be searched for in its escaped form.
func appendEscaped[T ~string | ~[]byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plain[c] {
			continue
		}
		if c == 0xC2 { // U+0080 to U+00BF
			if i+1 >= len(s) || s[i+1] > 0x9F {
				continue
			}
			dst = append(dst, s[start:i]...)
			i++
			c = s[i]
		} else {
			dst = append(dst, s[start:i]...)
		}
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		start = i + 1
	}
	return append(dst, s[start:]...)
}

// plain marks the bytes that stand for themselves in a JSON string.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\' && c != 0x7F && c != 0xC2
	}
	return t
}()
