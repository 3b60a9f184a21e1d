package verify

import (
	"strings"
)

// contentful gives the path and query as Contentful signs them: the query is
// escaped as one value, and then all as a URI, so that what was escaped is so
// once more. A second '?' and what follows it is not signed.
//
// @contentful/node-apps-toolkit src/requests/utils.ts, getNormalizedEncodedURI.
func contentful(m *Message) (text string, how presence) {
	if m.URL == nil {
		return "", absent
	}
	text = path(m)
	if query, _, more := strings.Cut(m.URL.RawQuery, "?"); more {
		return "", unreadable // the rest could be changed
	} else if query != "" {
		text += "?" + escapeAll(query, "-_.!~*'()")
	}
	return escapeAll(text, "-_.!~*'();/?:@&=+$,#"), present
}

// escapeAll escapes all bytes but letters, digits and those in kept.
func escapeAll(text, kept string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(kept, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
	}
	return b.String()
}
