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
		text += "?" + escape(query, "-_.!~*'()", "%20")
	}
	return escape(text, "-_.!~*'();/?:@&=+$,#", "%20"), present
}
