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

// cutMiddle returns s in at most n columns, with … where something was left out.
// Most of what is kept is the end: in names as Live.CallbackBeforeSendGift and
// video.publish.completed, that is what tells one from the other.
func cutMiddle(s string, n int) string {
	if n <= 0 || len(s) <= n || Columns(s) <= n {
		return s
	}
	start := Cut(s, max(1, n/4+1))
	room := n - Columns(start)
	from := len(s)
	for from > 0 {
		r, size := utf8.DecodeLastRuneInString(s[:from])
		if room -= runeColumns(r); room < 0 {
			break
		}
		from -= size
	}
	for from < len(s) && runeColumns(firstRune(s[from:])) == 0 { // what goes on top of a letter that was left out
		from += utf8.RuneLen(firstRune(s[from:]))
	}
	return start + s[from:]
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// Pad returns s with spaces behind it, n columns wide if it is not wider.
func Pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-Columns(s))) }

func padLeft(s string, n int) string { return strings.Repeat(" ", max(0, n-Columns(s))) + s }
