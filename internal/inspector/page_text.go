package inspector

import (
	"encoding/hex"
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"devhook/recorder"
)

// pageFuncs is what templates can say.
var pageFuncs = template.FuncMap{
	"clean":    clean,
	"size":     sizeText,
	"took":     tookText,
	"when":     func(t time.Time) string { return t.Local().Format("2 January 2006, 15:04:05.000 MST") },
	"stamp":    func(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) },
	"ms":       func(t time.Time) int64 { return t.UnixMilli() },
	"join":     strings.Join,
	"lower":    strings.ToLower,
	"scheme":   func(u string) string { s, _, _ := strings.Cut(u, "//"); return s + "//" },
	"host":     func(u string) string { return strings.TrimPrefix(strings.TrimPrefix(u, "https://"), "http://") },
	"isLong":   func(v any) bool { return utf8.RuneCountInString(fmt.Sprint(v)) > shortText },
	"textSize": func(v any) string { return sizeText(int64(len(fmt.Sprint(v)))) },
	"frame": func(f *recorder.Frame) string {
		text := preview(recorder.Body{Bytes: f.Body})
		if text == "" && len(f.Body) > 0 {
			return hex.EncodeToString(f.Body[:min(64, len(f.Body))])
		}
		return text
	},
}

// shortText is how many characters have room in a few lines of a telephone; what is longer
// can be folded. The page has the same number in fold.js.
const shortText = 80

// clean makes visible what a text from outside would hide or do: control
// characters, bytes that are no UTF-8, and characters that have no width or that
// turn the direction of what stands around them (https://www.unicode.org/reports/tr9/).
// What joins pictures to one is left (https://www.unicode.org/reports/tr51/).
func clean(v any) string {
	s := fmt.Sprint(v)
	if isPlainText(s) {
		return s
	}
	var b strings.Builder
	for i, before := 0, rune(0); i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		next, _ := utf8.DecodeRuneInString(s[i+n:])
		switch {
		case r == joiner && (isPicture(before) || before == 0xfe0f) && isPicture(next):
			b.WriteRune(r)
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r < ' ':
			b.WriteRune(0x2400 + r) // its picture
		case r == 0x7f:
			b.WriteRune(0x2421)
		case isUnseen(r):
			fmt.Fprintf(&b, "‹U+%04X›", r)
		default:
			b.WriteString(s[i : i+n])
		}
		i, before = i+n, r
	}
	return b.String()
}

const joiner = 0x200d

// isPicture reports whether r is in the blocks that pictures are in.
func isPicture(r rune) bool {
	return r >= 0x2190 && r <= 0x2bff || r >= 0x1f000 && r <= 0x1faff
}

func isPlainText(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// isUnseen reports whether r cannot be seen, or changes the order of what can.
func isUnseen(r rune) bool {
	switch {
	case r >= 0x80 && r < 0xa0, r == 0xad, r == 0x61c, r == 0x180e, r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e,
		r >= 0x2060 && r <= 0x206f, r == 0xfeff, r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return false
}

// clock is the time of t, and the day where that is not the day of now.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	switch {
	case t.Year() != now.Year():
		return t.Format("2 Jan 2006")
	case t.YearDay() != now.YearDay():
		return t.Format("2 Jan 15:04")
	}
	return t.Format("15:04:05")
}

// sizeText is a number of bytes; kB is 1000, as everywhere in devhook.
func sizeText(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 999_950:
		return strconv.FormatFloat(float64(n)/1e3, 'f', 1, 64) + " kB"
	case n < 999_950_000:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
	}
	return strconv.FormatFloat(float64(n)/1e9, 'f', 1, 64) + " GB"
}

func tookText(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "<1 ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s"
	}
	return d.Round(time.Second).String()
}

// maxPreview is how much of a body stands in the page itself, in bytes; the viewer
// fetches what it shows.
const maxPreview = 16 << 10

// preview is the start of a body as text, "" if it is in a file or no text.
func preview(b recorder.Body) string {
	text := b.Bytes
	cut := len(text) > maxPreview
	if cut {
		text = text[:maxPreview]
		for len(text) > 0 && !utf8.RuneStart(text[len(text)-1]) {
			text = text[:len(text)-1]
		}
		text = text[:max(0, len(text)-1)]
	}
	if !utf8.Valid(text) {
		return ""
	}
	var s strings.Builder
	for i, line := range strings.Split(string(text), "\n") {
		if i > 0 {
			s.WriteByte('\n')
		}
		for j, cell := range strings.Split(strings.TrimSuffix(line, "\r"), "\t") {
			if j > 0 {
				s.WriteByte('\t')
			}
			s.WriteString(clean(cell))
		}
	}
	if cut {
		s.WriteString("…")
	}
	return s.String()
}
