package verify

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// leastHidden is how long a secret is, in bytes, that [Hider] looks for: what is
// shorter would be found in everything.
const leastHidden = 4

// Hider returns what takes secrets out of a text. In place of each there are
// zeros, as many; of one that is digits only, ones, which are a JSON number if
// the secret was one. Found are a secret as it is, and as base64 and hex have it,
// whichever of its letters are escaped as in URLs (again and again, too, unless it has a %
// in it) or JSON; not, where it was hashed, or is shorter than 4 bytes. In the midst of something that is base64 as a whole, a digit at
// either end can stay that is in part of what stands beside the secret: at most 6 bits of it.
//
// What it returns may be called concurrently.
func Hider(secrets ...Secret) func(string) string {
	var spellings []string
	for _, s := range secrets {
		if s.Empty() {
			continue
		}
		text := strings.TrimSpace(*s.kept.text)
		own := []string{text, strings.TrimPrefix(text, "whsec_")}
		if _, password, ok := strings.Cut(text, "::"); ok {
			own = append(own, password)
		}
		for _, text := range own {
			if len(text) >= leastHidden {
				digits := hex.EncodeToString([]byte(text))
				spellings = append(append(spellings, text, digits, strings.ToUpper(digits)), inBase64(text)...)
			}
		}
	}
	slices.SortFunc(spellings, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	spellings = slices.Compact(spellings)
	if len(spellings) == 0 {
		return func(s string) string { return s }
	}
	h := hider{}
	for _, s := range spellings {
		h.by[s[0]] = append(h.by[s[0]], s)
		h.first[s[0]] = true
	}
	h.first['%'], h.first['\\'] = true, true
	h.first[' '] = h.first[' '] || h.first['+']
	return h.hide
}

// A hider has what is to be hidden by its first byte, the longest first.
type hider struct {
	by    [256][]string
	first [256]bool // bytes that can begin it, escaped or not
}

func (h *hider) hide(s string) string {
	var out []byte // nil as long as nothing was found
	for i := 0; i < len(s); {
		if !h.first[s[i]] {
			i++
			continue
		}
		found, n := h.at(s[i:])
		if n == 0 {
			i++
			continue
		}
		zero := "0"
		if strings.Trim(found, "0123456789") == "" {
			zero = "1"
		}
		if out == nil {
			out = []byte(s)
		}
		i += copy(out[i:], strings.Repeat(zero, n))
	}
	if out == nil {
		return s
	}
	return string(out)
}

// at returns what s begins with, and how many bytes of s that is; 0 if it is nothing.
func (h *hider) at(s string) (found string, size int) {
	first := [3]byte{s[0], s[0], s[0]}
	switch s[0] {
	case '%', '\\':
		if letter, size := unescaped(s); size > 0 {
			first[1] = letter[0]
			for letter == "%" && size > 0 {
				letter, size = escapedAgain(s, size)
				if size > 0 {
					first[2] = letter[0]
				}
			}
		}
	case ' ':
		first[1] = '+'
	}
	for i, c := range first {
		if i > 0 && (c == first[0] || c == first[i-1]) {
			continue
		}
		for _, text := range h.by[c] {
			if n := spelledAt(s, text); n > 0 {
				return text, n
			}
		}
	}
	return "", 0
}

// spelledAt returns how many bytes at the start of s spell text, 0 if they do not. A plus
// that is not escaped in a query is read as a blank.
func spelledAt(s, text string) int {
	if strings.HasPrefix(s, text) {
		return len(text)
	}
	n := 0
	for text != "" {
		if n == len(s) {
			return 0
		}
		c := s[n]
		if c == '%' || c == '\\' {
			letter, size := unescaped(s[n:])
			for letter == "%" && text[0] != '%' && size > 0 {
				letter, size = escapedAgain(s[n:], size)
			}
			if letter == "+" && text[0] == ' ' { // a blank, before the last escaping
				letter = " "
			}
			if size > 0 && strings.HasPrefix(text, letter) {
				text, n = text[len(letter):], n+size
				continue
			}
		}
		if c != text[0] && !(c == '+' && text[0] == ' ') && !(c == ' ' && text[0] == '+') {
			return 0
		}
		text, n = text[1:], n+1
	}
	return n
}

// unescaped returns what the escape of a URL or of JSON that s begins with stands for,
// and its size in bytes, 0 if it begins with none.
func unescaped(s string) (letter string, size int) {
	switch {
	case len(s) >= 3 && s[0] == '%':
		if c, err := strconv.ParseUint(s[1:3], 16, 8); err == nil {
			return string([]byte{byte(c)}), 3
		}
	case len(s) >= 6 && s[0] == '\\' && s[1] == 'u':
		c, err := strconv.ParseUint(s[2:6], 16, 16)
		if err != nil {
			return "", 0
		}
		if len(s) >= 12 && s[6:8] == `\u` {
			d, err := strconv.ParseUint(s[8:12], 16, 16)
			if pair := utf16.DecodeRune(rune(c), rune(d)); err == nil && pair != utf8.RuneError {
				return string(pair), 12
			}
		}
		return string(rune(c)), 6
	case len(s) >= 2 && s[0] == '\\':
		if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
			return "\"\\/\b\f\n\r\t"[i : i+1], 2
		}
	}
	return "", 0
}

// escapedAgain is unescaped where the first n bytes of s are the escape of a % that begins
// another escape, as %25 in %252F: of a URL that was put into another.
func escapedAgain(s string, n int) (letter string, size int) {
	if len(s) < n+2 {
		return "", 0
	}
	c, err := strconv.ParseUint(s[n:n+2], 16, 8)
	if err != nil {
		return "", 0
	}
	return string([]byte{byte(c)}), n + 2
}

// inBase64 returns the digits that text has by itself in whatever is written in base64: as
// all of it, or with 0 to 2 bytes of a group of 3 before it, at the end and in the midst.
func inBase64(text string) (list []string) {
	for _, form := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			b := append(make([]byte, before), text...)
			digits := form.EncodeToString(b)[(before*8+5)/6:]
			list = append(list, digits)
			if len(b)%3 != 0 { // what follows has a part of the last digit
				list = append(list, digits[:len(digits)-1])
			}
		}
	}
	return list
}
