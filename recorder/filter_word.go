package recorder

import (
	"regexp"
	"slices"
	"strings"

	"devhook/internal/similar"
)

// A word is one word of a filter, as it was written.
type word struct {
	raw        string // without the minus
	text       string // what is looked for if the word is a text
	start, end int    // where it stands in its argument, with the minus
	not        bool
	quoted     bool // is text, whatever it looks like
	several    bool // is text of several words, which nobody has quoted
	open       bool // a quote is not closed
}

const filterSpace = " \t\r\n"

// splitWords takes arg apart at white space if one of its parts has a key or is
// in quotes; otherwise it is one text.
func splitWords(arg string) []word {
	var list []word
	keys := 0
	for at := 0; ; {
		at += len(arg[at:]) - len(strings.TrimLeft(arg[at:], filterSpace))
		if at == len(arg) {
			break
		}
		w := cutWord(arg, at)
		at = w.end
		if key, _, _ := w.key(); key != "" || w.quoted {
			keys++
		}
		list = append(list, w)
	}
	if len(list) > 1 && keys == 0 {
		return []word{{raw: arg, text: arg, end: len(arg), quoted: true, several: true}}
	}
	return list
}

// cutWord returns the word of arg that begins at start, where no space is.
func cutWord(arg string, start int) word {
	w := word{start: start}
	s := arg[start:]
	if len(s) > 1 && s[0] == '-' {
		w.not, s = true, s[1:]
	}
	w.quoted = s[0] == '"'
	first := s
	if i := strings.IndexAny(s, filterSpace); i >= 0 {
		first = s[:i]
	}
	key, _, _ := word{raw: first}.key()
	quotes := w.quoted || key != "" // in a text that begins without one they are like any other character
	end, inQuotes := 0, false
	for ; end < len(s); end++ {
		c := s[end]
		if c == '\\' && quotes && end+1 < len(s) && strings.IndexByte(`"\*,`, s[end+1]) >= 0 {
			end++
		} else if c == '"' && quotes {
			if inQuotes = !inQuotes; !inQuotes && w.quoted {
				end++
				break
			}
		} else if !inQuotes && strings.IndexByte(filterSpace, c) >= 0 {
			break
		}
	}
	w.raw, w.open = s[:end], inQuotes
	w.text = w.raw
	w.end = len(arg) - len(s) + end
	if w.quoted && !w.open {
		w.text = unescape(w.raw[1 : len(w.raw)-1])
	}
	return w
}

// unescape takes the backslashes off quotes and backslashes.
func unescape(s string) string { return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(s) }

// key returns the key that w starts with, what follows its separator, and where
// in w that is; an empty key for a text.
func (w word) key() (key, value string, at int) {
	text := w.raw
	if text == "" {
		text = w.text
	}
	if w.quoted {
		return "", "", 0
	}
	if rest, ok := strings.CutPrefix(text, "body."); ok {
		if path, value, ok := strings.Cut(rest, "="); ok && path != "" {
			return "body." + path, value, len(text) - len(value)
		}
		return "", "", 0
	}
	key, value, ok := strings.Cut(text, ":")
	if !ok {
		return "", "", 0
	}
	if name, ok := strings.CutPrefix(key, "header."); ok && name != "" || slices.Contains(filterKeys, key) {
		return key, value, len(text) - len(value)
	}
	return "", "", 0
}

// looksLikeKey tells what somebody may have meant for a key from a URL.
var looksLikeKey = regexp.MustCompile(`^([a-z]{3,12}):(?:[^/]|/[^/]|/?$)`)

// misspelled returns what w, which is a text, would be with the separator and
// the case of the key that it begins with; "" if it begins with none.
func (w word) misspelled() string {
	if w.quoted {
		return ""
	}
	at := strings.IndexAny(w.raw, ":=<>")
	if at < 0 || at == len(w.raw)-1 {
		return ""
	}
	key, value := w.raw[:at], w.raw[at+1:]
	if w.raw[at] == '<' || w.raw[at] == '>' { // as in status>499
		value = w.raw[at:]
	}
	minus := ""
	if positive, ok := strings.CutSuffix(key, "!"); ok { // status!=200
		key, minus = positive, "-"
	}
	lower := strings.ToLower(key)
	path, isBody := strings.CutPrefix(lower, "body.")
	name, isHeader := strings.CutPrefix(lower, "header.")
	switch {
	case isBody && path != "":
		return minus + "body." + key[len("body."):] + "=" + value
	case isHeader && name != "", slices.Contains(filterKeys, lower):
		return minus + lower + ":" + value
	}
	return ""
}

// misspelledIn returns what the first word of text that looks like one with a key would be
// with that key, "" if none does.
func misspelledIn(text string) string {
	for _, part := range strings.Fields(text) {
		w := cutWord(part, 0)
		meant := w.misspelled()
		if m := looksLikeKey.FindStringSubmatch(w.raw); m != nil && meant == "" {
			if near := similar.Typo(m[1], filterKeys); near != "" {
				meant = near + w.raw[len(m[1]):]
			}
		}
		if meant != "" {
			return part[:len(part)-len(w.raw)] + meant
		}
	}
	return ""
}

// patterns takes the values between commas apart, in lower case with fold.
func patterns(values string, fold bool) []Pattern {
	if fold {
		values = strings.ToLower(values)
	}
	list := []Pattern{{""}}
	inQuotes := false
	for i := 0; i < len(values); i++ {
		last := list[len(list)-1]
		switch c := values[i]; {
		case c == '\\' && i+1 < len(values) && strings.IndexByte(`"\*,`, values[i+1]) >= 0:
			i++
			last[len(last)-1] += values[i : i+1]
		case c == '"':
			inQuotes = !inQuotes
		case c == ',' && !inQuotes:
			list = append(list, Pattern{""})
		case c == '*':
			list[len(list)-1] = append(last, "")
		default:
			last[len(last)-1] += values[i : i+1]
		}
	}
	return list
}

// matches reports whether s is p with anything between its parts.
func (p Pattern) matches(s string) bool {
	first, rest := p[0], p[1:]
	if len(rest) == 0 {
		return s == first
	}
	s, ok := strings.CutPrefix(s, first)
	if !ok {
		return false
	}
	for _, part := range rest[:len(rest)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, rest[len(rest)-1])
}

// anyOf reports whether s is one of list.
func anyOf(list []Pattern, s string) bool {
	return slices.ContainsFunc(list, func(p Pattern) bool { return p.matches(s) })
}

// Glob returns what tells whether a text is one of the values of a filter:
// between commas, with * for any run of characters.
func Glob(values string) func(string) bool {
	list := patterns(values, false)
	return func(s string) bool { return anyOf(list, s) }
}
