package verify

import (
	"cmp"
	"slices"
	"strings"

	"devhook/internal/param"
)

// maxParams bounds the parameters of a form or query that are sorted. Twilio
// sends some forty.
const maxParams = 4096

// A pair is a parameter, decoded.
type pair struct{ name, value string }

// sortedForm gives the names and values of a form body, decoded and one behind
// the other: names in the order of their bytes, the values of one name likewise,
// each once. Of an empty body that is nothing; any other has no form.
//
// https://www.twilio.com/docs/usage/security, twilio-node lib/webhooks.
func sortedForm(m *Message) (text string, how presence) {
	if len(m.Body) == 0 {
		return "", present
	}
	if !isForm(m) {
		return "", absent
	}
	pairs, ok := sortedPairs(string(m.Body))
	if !ok {
		return "", unreadable
	}
	var b strings.Builder
	for _, p := range slices.Compact(pairs) {
		b.WriteString(p.name)
		b.WriteString(p.value)
	}
	return b.String(), present
}

// sortedPairs reads the parameters of raw, sorted by name and then by value. ok
// is false if an escape is broken, or there are too many.
func sortedPairs(raw string) (pairs []pair, ok bool) {
	for item := range strings.SplitSeq(raw, "&") {
		if item == "" {
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		name, ok1 := param.Unescape(name)
		value, ok2 := param.Unescape(value)
		if !ok1 || !ok2 || len(pairs) == maxParams {
			return nil, false
		}
		pairs = append(pairs, pair{name, value})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	return pairs, true
}
