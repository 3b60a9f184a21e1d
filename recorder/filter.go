package recorder

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"devhook/internal/similar"
	"devhook/verify"
)

// A Filter is a set of conditions on an exchange, all of which must hold. The
// zero Filter lets everything through.
//
//	filter  = { word }                       all must hold
//	word    = ["-"] ( term | text )          "-" negates
//	term    = key ":" value { "," value }    one of the values
//	        | "body." path "=" json { "," json }
//	                                         the JSON value at path in the request body is one of these
//	key     = provider event method path route delivery id
//	        | "header." name                 values may hold "*", any run of characters
//	        | verdict reason outcome origin pinned
//	                                         one of the words there are, or a pattern with "*"
//	        | status                         200, 5xx, and ranges
//	        | size took seq                  10kb, 500ms, 128, and ranges
//	        | since until                    one time: 1h ago, 2026-11-01, RFC 3339, unix s or ms
//	range   = N | ">"N | ">="N | "<"N | "<="N | N".."N     with both bounds
//	text    = anything else                  a case-sensitive part of the request's or the response's body
//
// Words of one string are parted by white space. "Double quotes" hold white
// space and commas together; a word that begins with one is text. In quotes, \"
// and \\ are a quote and a backslash. In values, \* and \, stand for themselves.
// A string of several words none of which has a key is one text.
//
// Values are compared as they are, those of provider, method and the header's
// name without regard to case. path is that of the URL, as it was sent and
// without the query. size is that of the request's body. status and took are
// those of the answer, the app's own or what the sender got in its place.
//
// json is a JSON value, in which quotes belong to it, or else a string, which
// may hold "*". Numbers are compared by value, exactly: 42 is 42.0, and the
// string "42" too. path is that of replay --set: names with dots, digits that
// index arrays, and on into JSON that is held in a string.
type Filter struct {
	terms []Term
	notes []string
}

// A Term is one condition of a [Filter], for those that look for what fulfils
// it without going through everything. It must not be changed.
type Term struct {
	Key string // provider, event, …; "header", "body" or "text"
	// Name is the header's, or the path of the JSON value; else empty.
	Name string
	Not  bool // the rest must not hold
	// Patterns are the values of which one must be equal: those of status,
	// size, took, seq, since and until are in Ranges instead, and those of
	// body are JSON texts, or strings, as they were written. One of text is
	// the text looked for.
	Patterns []Pattern
	// Ranges are the numbers of which the value must be one: a status, bytes,
	// nanoseconds, sequence numbers; for since and until, microseconds since
	// 1970 of the time of arrival, rounded down.
	Ranges []Range

	match func(*Store, *Exchange) (bool, error)
	raw   rawMatch             // nil: nothing can be told before decoding
	could func(*rawLines) bool // false: raw would say no, and takes longer; nil: it does not
}

// within reports whether n is in one of the ranges.
func (t *Term) within(n int64) bool {
	for _, r := range t.Ranges {
		if r.Lo <= n && n <= r.Hi {
			return true
		}
	}
	return false
}

// A Pattern is the parts of a text between which may be anything: one part is a
// text that is to be equal.
type Pattern []string

// Exact returns the text that p is equal to, if there is only one.
func (p Pattern) Exact() (string, bool) { return p[0], len(p) == 1 }

// A Range is the numbers from Lo to Hi, both included.
type Range struct{ Lo, Hi int64 }

// Terms returns the conditions of f, in the order in which they were written.
// The slice belongs to the filter.
func (f Filter) Terms() []Term { return f.terms }

// Notes tells, a sentence each, where f may not mean what its writer did: a word
// that looks like a key and is none is looked for as text.
func (f Filter) Notes() []string { return f.notes }

// Has reports whether f asks for something of key, and does not only exclude
// something.
func (f Filter) Has(key string) bool {
	return slices.ContainsFunc(f.terms, func(t Term) bool { return t.Key == key && !t.Not })
}

// Match reports whether ex fulfils f. Bodies in files are read from s; an
// error means that one could not be.
func (f Filter) Match(s *Store, ex *Exchange) (bool, error) {
	for i := range f.terms {
		t := &f.terms[i]
		ok, err := t.match(s, ex)
		if err != nil || ok == t.Not {
			return false, err
		}
	}
	return true, nil
}

// A FilterError tells what is wrong with a filter.
type FilterError struct {
	Word string // the word at fault
	Text string // what is wrong with it
	Hint string // what to write instead, "" if there is no telling

	Line   string // the whole filter, its words joined by spaces
	Column int    // where in Line the fault is, counted in characters from 1
}

func (e *FilterError) Error() string {
	if e.Word == e.Line {
		return fmt.Sprintf("filter %q: %s", e.Word, e.Text)
	}
	return fmt.Sprintf("filter, column %d: %q: %s", e.Column, e.Word, e.Text)
}

// ParseFilter reads a filter from words, as a shell gives them; a word that
// holds several is taken apart. Times that count from now are taken from now.
// The error is a [*FilterError].
func ParseFilter(now time.Time, words ...string) (Filter, error) {
	var f Filter
	line := strings.Join(words, " ")
	start := 0
	for _, arg := range words {
		for _, w := range splitWords(arg) {
			t, note, err := parseWord(now, w)
			if err != nil {
				err.Line, err.Word = line, arg[w.start:w.end]
				err.Column += utf8.RuneCountInString(line[:start+w.end-len(w.raw)]) + 1
				return Filter{}, err
			}
			t.Not = w.not
			t.raw, t.could = rawFor(t)
			f.terms = append(f.terms, t)
			if note != "" {
				f.notes = append(f.notes, note)
			}
		}
		start += len(arg) + 1
	}
	return f, nil
}

// ParseShown is ParseFilter for who looks at recordings: copies for further apps are left
// out unless they are asked for.
func ParseShown(now time.Time, words ...string) (Filter, error) {
	f, err := ParseFilter(now, words...)
	if err != nil || f.Has("origin") {
		return f, err
	}
	return ParseFilter(now, append(slices.Clone(words), "-origin:mirror")...)
}

// IsFilterWord reports whether arg is a word with a key that filters know, or a text
// in quotes, with or without a minus: what tells `-status:5xx` from a flag.
func IsFilterWord(arg string) bool {
	w := word{text: strings.TrimPrefix(arg, "-")}
	key, _, _ := w.key()
	return key != "" || strings.HasPrefix(w.text, `"`)
}

// filterKeys are the keys that are followed by a colon, but for header.NAME.
var filterKeys = []string{
	"provider", "event", "verdict", "reason", "outcome", "origin", "method", "path", "route",
	"status", "size", "took", "since", "until", "seq", "id", "delivery", "pinned",
}

// closedWords are the closed lists of values that keys have.
var closedWords = map[string][]string{
	"verdict": wordsOf(verify.Valid, verify.Invalid, verify.Unsigned, verify.Unverified, verify.Skipped),
	"reason": wordsOf(
		verify.BadSignature, verify.Stale, verify.Future, verify.MissingSignature, verify.MalformedSignature, verify.MissingTimestamp,
		verify.MissingKeyID, verify.WrongAccount, verify.NoSecret, verify.UnknownProvider, verify.TooLarge, verify.Unsupported, verify.Off,
	),
	"outcome": wordsOf(Pending, Answered, Unreachable, Refused, Handled, Queued, Unrouted),
	"origin":  wordsOf(Live, Replay, Trigger, Stream, Import, Mirror),
	"pinned":  {"true", "false"},
}

func wordsOf[T ~string](values ...T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// parseWord reads one word; note is what is doubtful about it. Of an error only
// Text, Hint and Column, from the word's start, are set.
func parseWord(now time.Time, w word) (t Term, note string, failed *FilterError) {
	key, value, at := w.key()
	if key == "" {
		return parseText(w)
	}
	fail := func(off int, text, hint string) (Term, string, *FilterError) {
		return Term{}, "", &FilterError{Text: text, Hint: hint, Column: utf8.RuneCountInString(w.raw[:min(at+off, len(w.raw))])}
	}
	path, isBody := strings.CutPrefix(key, "body.")
	if w.open && !isBody {
		return fail(0, "the quote is not closed", `write `+key+`:"a value"; a quote in it as \"`)
	}
	if isBody {
		t, err := bodyTerm(path, value)
		if err != nil {
			at = 0
			return fail(0, err.Error(), `write a path as in body.user.id=42; a dot in a name as \.`)
		}
		return t, "", nil
	}
	if value == "" {
		return fail(0, "no value", "write "+key+":VALUE")
	}
	if name, ok := strings.CutPrefix(key, "header."); ok {
		return headerTerm(name, patterns(value, false)), "", nil
	}
	if known := closedWords[key]; known != nil {
		if v, off, ok := unknownWord(value, known); ok {
			near := similar.Names(v, known, 3)
			return fail(off, fmt.Sprintf("unknown %s %q (near: %s)", key, v, strings.Join(near, ", ")), "one of "+strings.Join(known, ", "))
		}
	}
	if n, ok := numberKeys[key]; ok {
		ranges, off, err := parseRanges(value, n.parse)
		if err != nil {
			return fail(off, err.Error(), n.hint)
		}
		return rangeTerm(key, ranges, n.of), "", nil
	}
	if get := textKeys[key]; get != nil {
		if key == "provider" {
			value = strings.ReplaceAll(value, "_", "-")
		}
		return textTerm(key, patterns(value, key == "provider" || key == "method" || key == "id"), get), "", nil
	}
	when, err := ParseAgo(now, value)
	if err != nil {
		return fail(0, err.Error(), "write "+key+":1h, "+key+":14:30, "+key+":2026-11-01 or a time as in RFC 3339")
	}
	return timeTerm(key, when), "", nil
}

// parseText reads a word without a key.
func parseText(w word) (Term, string, *FilterError) {
	if w.open {
		return Term{}, "", &FilterError{Text: "the quote is not closed", Hint: `write "text in a body"; a quote in it as \"`}
	}
	if w.text == "" {
		return Term{}, "", &FilterError{Text: "nothing to look for"}
	}
	var note string
	if m := looksLikeKey.FindStringSubmatch(w.raw); m != nil && !w.quoted {
		if near := similar.Typo(m[1], filterKeys); near != "" {
			return Term{}, "", &FilterError{Text: "no such key", Hint: fmt.Sprintf("did you mean %s:? Quote it to look for the text: '\"%s\"'", near, w.text)}
		}
		note = fmt.Sprintf("%s: is no key of a filter: %q is looked for as a text in bodies (keys: %s, header.NAME, body.PATH=)", m[1], w.text, strings.Join(filterKeys, ", "))
	}
	meant := w.misspelled()
	if w.several {
		meant = misspelledIn(w.text)
	}
	if meant != "" {
		note = fmt.Sprintf("%q is looked for as a text in bodies: if the key is meant, write %s", w.text, meant)
	}
	return wantText(w.text), note, nil
}

// unknownWord returns the first of the values, between commas, that is none of
// the known and no pattern of them, and where it begins.
func unknownWord(values string, known []string) (word string, at int, ok bool) {
	for v := range strings.SplitSeq(values, ",") {
		if !strings.Contains(v, "*") && !slices.Contains(known, v) {
			return v, at, true
		}
		at += len(v) + 1
	}
	return "", 0, false
}
