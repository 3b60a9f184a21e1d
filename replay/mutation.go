package replay

import (
	"fmt"
	"strings"

	"devhook/internal/similar"
	"devhook/recorder"
)

// A Mutation is one change of a request.
//
// Apply changes req, of which Headers and Body are replaced and never written
// into; after an error req is as it was. String says what is changed, in words
// that [Parse] reads.
type Mutation interface {
	Apply(req *recorder.Request) error
	fmt.Stringer
}

// A headerNamer is a mutation of a header. What it gives is not overwritten by
// signing.
type headerNamer interface{ header() string }

// kinds are all mutations, by the word that their String begins with.
var kinds = []struct {
	word  string
	parse func(rest string) (Mutation, error)
}{
	{"set", parseSet(false, false)},
	{"set-string", parseSet(true, false)},
	{"create", parseSet(false, true)},
	{"create-string", parseSet(true, true)},
	{"unset", parseUnset},
	{"jq", parseJQ},
	{"header", parseHeader(false)},
	{"add-header", parseHeader(true)},
	{"unset-header", parseUnsetHeader},
	{"query", parseQuery},
	{"method", parseMethod},
	{"path", parsePath},
	{"body", parseBody},
	{"shift-time", parseShift},
	{"renew", parseRenew},
}

// Parse reads a mutation: a word and what is behind it, as in
//
//	set data.amount=5
//	header Content-Type: text/plain
//
// For each mutation m, Parse(m.String()) changes a request as m does, but for a
// body of more than 1 KiB, of which String tells only the sum. The error is an
// [*Error].
func Parse(text string) (Mutation, error) {
	word, rest, _ := strings.Cut(text, " ")
	var words []string
	for _, k := range kinds {
		if k.word == word {
			return k.parse(rest)
		}
		words = append(words, k.word)
	}
	return nil, &Error{Text: fmt.Sprintf("unknown change %q (near: %s)", word, strings.Join(similar.Names(word, words, 3), ", "))}
}

// HeaderName returns the canonical name of the header that m changes. ok is
// false if it changes none.
func HeaderName(m Mutation) (name string, ok bool) {
	h, ok := m.(headerNamer)
	if !ok {
		return "", false
	}
	return h.header(), true
}

func bad(hint, format string, a ...any) error {
	return &Error{Text: fmt.Sprintf(format, a...), Hint: hint}
}

// isToken reports whether s can be a method or the name of a header: RFC 9110
// §5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
