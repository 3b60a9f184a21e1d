package verify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"devhook/internal/jsonx"
	"devhook/internal/similar"
)

// isPlain reports whether s is UTF-8 without control characters or characters
// that cannot be seen: fit for a name on a line.
func isPlain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// short cuts s down to what fits on a line.
func short(s string) string {
	const most = 40 // bytes
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// quote makes text from outside fit for a line: cut, in quotes, ASCII only.
func quote(s string) string {
	const most = 40 // bytes
	if len(s) <= most {
		return strconv.QuoteToASCII(s)
	}
	return strconv.QuoteToASCII(strings.ToValidUTF8(s[:most], "")) + "..."
}

// age writes a duration as people say it: 45s, 11m42s, 3h5m, 12d4h, 55y.
func age(d time.Duration) string {
	const day, year = 24 * time.Hour, 365 * 24 * time.Hour
	two := func(big time.Duration, bigUnit string, small time.Duration, smallUnit string) string {
		text := strconv.FormatInt(int64(d/big), 10) + bigUnit
		if rest := d % big / small; rest > 0 {
			text += strconv.FormatInt(int64(rest), 10) + smallUnit
		}
		return text
	}
	switch {
	case d < time.Second:
		return d.String()
	case d < time.Minute:
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	case d < time.Hour:
		return two(time.Minute, "m", time.Second, "s")
	case d < day:
		return two(time.Hour, "h", time.Minute, "m")
	case d < year:
		return two(day, "d", time.Hour, "h")
	}
	return strconv.FormatInt(int64(d/year), 10) + "y"
}

// unknown is the error for a word that is not one of the known.
func unknown(what, word string, known []string) error {
	return fmt.Errorf("unknown %s %s (known: %s)", what, quote(word), strings.Join(similar.Names(word, known, 12), ", "))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// quoteJSON writes b as a JSON string, the way JSON.stringify does.
// ECMA-262, QuoteJSONString.
func quoteJSON(b []byte) string {
	out := []byte{'"'}
	for rest := string(b); rest != ""; {
		i := strings.IndexAny(rest, "\b\f")
		if i < 0 {
			i = len(rest)
		}
		quoted := jsonx.AppendQuote(nil, rest[:i])
		out = append(out, quoted[1:len(quoted)-1]...)
		if i == len(rest) {
			break
		}
		out = append(out, '\\', map[byte]byte{'\b': 'b', '\f': 'f'}[rest[i]])
		rest = rest[i+1:]
	}
	return string(append(out, '"'))
}
