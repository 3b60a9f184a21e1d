package terminal

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Columns is how many columns s takes, colours aside.
func Columns(s string) int {
	n := 0
	for s != "" {
		if strings.HasPrefix(s, "\x1b[") {
			if i := strings.IndexByte(s, 'm'); i > 0 {
				s = s[i+1:]
				continue
			}
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		n += runeColumns(r)
	}
	return n
}

// runeColumns is how many columns r takes: two for what Unicode calls wide, as
// Chinese and emoji are (UAX #11), none for marks on the letter before.
func runeColumns(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Cut returns s in at most n columns, with … where something was left out.
func Cut(s string, n int) string {
	if n <= 0 || len(s) <= n || Columns(s) <= n {
		return s
	}
	taken := 0
	for i, r := range s {
		if taken += runeColumns(r); taken > n-1 {
			return s[:i] + "…"
		}
	}
	return s
}

// Pad returns s with spaces behind it, n columns wide if it is not wider.
func Pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-Columns(s))) }

func padLeft(s string, n int) string { return strings.Repeat(" ", max(0, n-Columns(s))) + s }
