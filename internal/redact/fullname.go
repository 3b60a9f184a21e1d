package redact

import (
	"cmp"
	"strings"
	"unicode"

	"devhook/internal/jsonx"
)

// fullName keeps text, which is personal, if it is somebody's wherever it stands: that one
// is replaced everywhere. instead is by what, "" for another of its shape.
func (p *pass) fullName(text, instead string) {
	if _, has := p.names[text]; !has && len(p.names) < maxNames && (isFullName(text) || isForeign(text) || isLongNumber(text)) {
		p.names[text] = cmp.Or(instead, p.shape(text))
	}
}

// nameParts keeps the first or the last name of somebody, and with both the full one.
func (p *pass) nameParts(path jsonx.Path, name, text string) {
	w := words(name)
	which := 0
	switch strings.Join(w, "_") {
	case "first_name", "given_name", "firstname", "first":
	case "last_name", "family_name", "lastname", "surname", "last":
		which = 1
	default:
		return
	}
	at := holder(path)
	if len(p.parts) >= maxNames || len(path) > maxShown || text == "" {
		return
	}
	both := p.parts[at]
	both[which] = text
	p.parts[at] = both
	if both[0] != "" && both[1] != "" {
		p.fullName(both[0]+" "+both[1], p.shape(both[0])+" "+p.shape(both[1]))
	}
}

func isFullName(text string) bool {
	return len(text) >= 6 && len(text) <= maxShown && strings.Count(text, " ") > 0 && !strings.HasPrefix(text, " ") && !strings.HasSuffix(text, " ") &&
		!strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsLetter(c) && !strings.ContainsRune(" .'-", c) })
}

// isForeign reports whether text is a word in another script than Latin, as no word of a
// protocol is.
func isForeign(text string) bool {
	n := 0
	for _, c := range text {
		if c < 0x80 || !unicode.IsLetter(c) && !unicode.IsMark(c) || unicode.Is(unicode.Latin, c) {
			return false
		}
		n++
	}
	return n >= 3 && len(text) <= maxShown
}

// isLongNumber reports whether text is a number with which an account, a telephone or a
// machine is reached.
func isLongNumber(text string) bool {
	digits := 0
	for i := range len(text) {
		if '0' <= text[i] && text[i] <= '9' {
			digits++
		}
	}
	return digits >= 6 && len(text) >= 8 && len(text) <= maxShown && isWord(text)
}

// fullNames finds names in full that are somebody's elsewhere, and those that stand before
// an address, as in: Ada Example <ada@example.com>.
func (p *pass) fullNames(spans []span, s string) []span {
	for _, sp := range spans {
		if sp.start == 0 || s[sp.start-1] != '<' || sp.end == len(s) || s[sp.end] != '>' || strings.IndexByte(sp.text, '@') < 0 {
			continue
		}
		start := max(0, sp.start-1-maxPart)
		start += strings.LastIndexAny(s[start:sp.start-1], ",;:<>\r\n\"") + 1
		if name := strings.Trim(s[start:sp.start-1], " \""); name != "" {
			start += strings.Index(s[start:], name)
			spans = append(spans, span{start, start + len(name), p.shape(name)})
		}
	}
	for _, name := range p.full {
		for from := 0; ; {
			n := strings.Index(s[from:], name)
			if n < 0 {
				break
			}
			start, end := from+n, from+n+len(name)
			if (start == 0 || !isAlnum(s[start-1])) && (end == len(s) || !isAlnum(s[end])) {
				spans = append(spans, span{start, end, p.names[name]})
			}
			from = end
		}
	}
	return spans
}
