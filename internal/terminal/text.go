package terminal

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Wrap breaks text between words into lines of at most so many columns. A word that
// is too long, as URLs are, is left whole.
func Wrap(text string, columns int) []string {
	var lines []string
	line := ""
	for word := range strings.SplitSeq(text, " ") {
		if line != "" && Columns(line)+1+Columns(word) > columns {
			lines, line = append(lines, strings.TrimRight(line, " ")), ""
			if word == "" {
				continue
			}
		} else if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// Safe returns s as a terminal may have it: what is no letter, mark, digit,
// punctuation or space is spelled out, so that no sequence in it is obeyed and
// no text runs backwards.
func Safe(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7F {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n <= 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
		s = s[n:]
	}
	return b.String()
}

// SafeText is [Safe] for text of several lines: newlines and tabs stay.
func SafeText(s string) string {
	var b strings.Builder
	for s != "" {
		i := strings.IndexAny(s, "\n\t")
		if i < 0 {
			b.WriteString(Safe(s))
			break
		}
		b.WriteString(Safe(strings.TrimSuffix(s[:i], "\r")))
		b.WriteByte(s[i])
		s = s[i+1:]
	}
	return b.String()
}

// Size returns n bytes in three digits or so: 88 B, 1.2 kB, 20 MB.
func Size(n int64) string {
	const units = "kMGTPE"
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v := float64(n)
	unit := -1
	for v >= 999.5 && unit < len(units)-1 {
		v /= 1000
		unit++
	}
	if v < 9.95 {
		return fmt.Sprintf("%.1f %cB", v, units[unit])
	}
	return fmt.Sprintf("%.0f %cB", v, units[unit])
}

// Took returns a duration in three digits or so: 0.4ms, 37ms, 1.2s, 2m10s.
func Took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.1fms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%dms", d/time.Millisecond)
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}
