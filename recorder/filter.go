package recorder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/internal/jsonx"
	"devhook/internal/similar"
	"devhook/verify"
)

// A Filter is a set of conditions on an exchange, all of which must hold. The
// zero Filter lets everything through.
//
//	filter = { word }                        all must hold
//	word   = ["-"] ( term | text )           "-" negates
//	term   = key ":" value { "," value }     one of the values
//	       | "body." path "=" JSON or text   the JSON value at path in the request body
//	key    = provider event verdict reason outcome origin method path route
//	       | "header." name                  values may hold "*", any run of characters;
//	                                         of verdict, reason, outcome, origin else one of the words there are
//	       | status                          200, 5xx, 400..499
//	       | size took                       10kb, >10kb, <=500ms, 1kb..1mb
//	       | since until                     1h ago, 2026-11-01, RFC 3339, unix s or ms
//	text   = anything else                   a part of the request or response body
//
// Words of one string are parted by white space; "double quotes" hold one
// together, and make it text. Values are compared as they are, those of
// provider, method and the header's name without regard to case.
type Filter struct {
	conditions []condition
	keys       []string
}

type condition struct {
	not  bool
	want func(*Store, *Exchange) (bool, error)
	key  string   // what it is about; see indexedKey
	raw  rawMatch // nil: nothing can be told before decoding
}

// Has reports whether f asks for something of key, and does not only exclude
// something.
func (f Filter) Has(key string) bool { return slices.Contains(f.keys, key) }

// Match reports whether ex fulfils f. Bodies in files are read from s; an
// error means that one could not be.
func (f Filter) Match(s *Store, ex *Exchange) (bool, error) {
	for _, c := range f.conditions {
		ok, err := c.want(s, ex)
		if err != nil || ok == c.not {
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
}

func (e *FilterError) Error() string { return fmt.Sprintf("filter %q: %s", e.Word, e.Text) }

// ParseFilter reads a filter from words, as a shell gives them; a word that
// holds several is taken apart. Times that count from now are taken from now.
// The error is a [*FilterError].
func ParseFilter(now time.Time, words ...string) (Filter, error) {
	var f Filter
	for _, arg := range words {
		for _, w := range splitWords(arg) {
			key, want, err := parseWord(now, w)
			if err != nil {
				return Filter{}, err
			}
			f.conditions = append(f.conditions, condition{w.not, want, key, rawFor(w, want)})
			if !w.not {
				f.keys = append(f.keys, key)
			}
		}
	}
	return f, nil
}

// IsFilterWord reports whether arg is a word with a key that filters know,
// with or without a minus: what tells `-status:5xx` from a flag.
func IsFilterWord(arg string) bool {
	w := word{text: strings.TrimPrefix(arg, "-")}
	key, _ := w.key()
	return key != ""
}

type word struct {
	text   string
	not    bool
	quoted bool // is text, whatever it looks like
}

// splitWords takes arg apart at white space if one of its parts has a key;
// otherwise it is one text.
func splitWords(arg string) []word {
	var list []word
	keys := 0
	for rest := strings.TrimLeft(arg, " \t\n"); rest != ""; rest = strings.TrimLeft(rest, " \t\n") {
		var w word
		w, rest = cutWord(rest)
		if key, _ := w.key(); key != "" || w.quoted {
			keys++
		}
		list = append(list, w)
	}
	if len(list) > 1 && keys == 0 {
		return []word{{text: arg, quoted: true}}
	}
	return list
}

// cutWord takes one word off s, which is not empty and starts with no space.
func cutWord(s string) (word, string) {
	var w word
	if len(s) > 1 && s[0] == '-' {
		w.not, s = true, s[1:]
	}
	if s[0] == '"' {
		if end := strings.IndexByte(s[1:], '"'); end >= 0 {
			w.text, w.quoted = s[1:1+end], true
			return w, s[end+2:]
		}
	}
	var b strings.Builder
	open := false                           // in key:"a value"
	isJSON := strings.HasPrefix(s, "body.") // whose quotes are part of it
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && open && isJSON && i+1 < len(s):
			b.WriteString(s[i : i+2])
			i++
		case c == '"':
			open = !open
			if isJSON {
				b.WriteByte(c)
			}
		case !open && strings.IndexByte(" \t\n", c) >= 0:
			w.text = b.String()
			return w, s[i:]
		default:
			b.WriteByte(c)
		}
	}
	w.text = b.String()
	return w, ""
}

// key returns the key that w starts with, and what follows its separator; an
// empty key for a text.
func (w word) key() (key, value string) {
	if w.quoted {
		return "", ""
	}
	if rest, ok := strings.CutPrefix(w.text, "body."); ok {
		if path, value, ok := strings.Cut(rest, "="); ok && path != "" {
			return "body." + path, value
		}
		return "", ""
	}
	key, value, ok := strings.Cut(w.text, ":")
	if !ok {
		return "", ""
	}
	if name, ok := strings.CutPrefix(key, "header."); ok && name != "" {
		return key, value
	}
	if slices.Contains(filterKeys, key) {
		return key, value
	}
	return "", ""
}

var filterKeys = []string{
	"provider", "event", "verdict", "reason", "outcome", "origin", "method", "path", "route",
	"status", "size", "took", "since", "until",
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
}

func wordsOf[T ~string](values ...T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// unknownWord returns the first of the values, between commas, that is none of
// the known and no pattern of them.
func unknownWord(values string, known []string) (string, bool) {
	for v := range strings.SplitSeq(values, ",") {
		if !strings.Contains(v, "*") && !slices.Contains(known, v) {
			return v, true
		}
	}
	return "", false
}

var looksLikeKey = regexp.MustCompile(`^([a-z]{3,12}):(?:[^/]|/[^/]|/?$)`)

func parseWord(now time.Time, w word) (string, func(*Store, *Exchange) (bool, error), error) {
	key, value := w.key()
	fail := func(text, hint string) (string, func(*Store, *Exchange) (bool, error), error) {
		return "", nil, &FilterError{w.text, text, hint}
	}
	if key == "" {
		if m := looksLikeKey.FindStringSubmatch(w.text); m != nil && !w.quoted {
			if near := similar.Typo(m[1], filterKeys); near != "" {
				return fail("no such key", fmt.Sprintf("did you mean %s:? Quote it to look for the text: '\"%s\"'", near, w.text))
			}
		}
		if w.text == "" {
			return fail("nothing to look for", "")
		}
		return "text", wantText([]byte(w.text)), nil
	}
	if path, ok := strings.CutPrefix(key, "body."); ok {
		p, err := jsonx.ParsePath(path)
		if err != nil {
			return fail(err.Error(), `write a path as in body.user.id=42; a dot in a name as \.`)
		}
		return "body", wantJSON(p, value), nil
	}
	if value == "" {
		return fail("no value", "write "+key+":VALUE")
	}
	if name, ok := strings.CutPrefix(key, "header."); ok {
		return "header", wantHeader(name, globs(value, false)), nil
	}
	if known := closedWords[key]; known != nil {
		if v, ok := unknownWord(value, known); ok {
			near := similar.Names(v, known, 3)
			return fail(fmt.Sprintf("unknown %s %q (near: %s)", key, v, strings.Join(near, ", ")), "one of "+strings.Join(known, ", "))
		}
	}
	text := func(get func(*Exchange) string, fold bool) (string, func(*Store, *Exchange) (bool, error), error) {
		match := globs(value, fold)
		return key, plainly(func(ex *Exchange) bool { return match(get(ex)) }), nil
	}
	switch key {
	case "provider":
		value = strings.ReplaceAll(value, "_", "-")
		return text(func(ex *Exchange) string { return ex.Provider }, true)
	case "event":
		return text(func(ex *Exchange) string { return ex.Event }, false)
	case "verdict":
		return text(func(ex *Exchange) string { return string(ex.Verdict.Status) }, false)
	case "reason":
		return text(func(ex *Exchange) string { return string(ex.Verdict.Reason) }, false)
	case "outcome":
		return text(func(ex *Exchange) string { return string(ex.Outcome) }, false)
	case "origin":
		return text(func(ex *Exchange) string { return string(ex.Origin) }, false)
	case "method":
		return text(func(ex *Exchange) string { return ex.Request.Method }, true)
	case "path":
		return text(func(ex *Exchange) string { return pathOf(ex.Request.URL) }, false)
	case "route":
		return text(func(ex *Exchange) string { return ex.Route }, false)
	case "status":
		ranges, err := numbers(value, parseStatus)
		if err != nil {
			return fail(err.Error(), "write status:200, status:5xx or status:400..499")
		}
		return key, anAnswer(func(r *Response) bool { return ranges(int64(r.Status)) }), nil
	case "size":
		ranges, err := numbers(value, single(ParseSize))
		if err != nil {
			return fail(err.Error(), "write size:>10kb or size:1kb..1mb")
		}
		return key, plainly(func(ex *Exchange) bool { return ranges(ex.Request.Size) }), nil
	case "took":
		ranges, err := numbers(value, single(func(s string) (int64, error) {
			d, err := time.ParseDuration(s)
			return int64(d), err
		}))
		if err != nil {
			return fail(err.Error(), "write took:>500ms or took:1s..2s")
		}
		return key, anAnswer(func(r *Response) bool { return ranges(int64(r.Took)) }), nil
	}
	at, err := ParseAgo(now, value)
	if err != nil {
		return fail(err.Error(), "write "+key+":1h, "+key+":2026-11-01 or a time as in RFC 3339")
	}
	if key == "since" {
		return key, plainly(func(ex *Exchange) bool { return !ex.At.Before(at) }), nil
	}
	return key, plainly(func(ex *Exchange) bool { return ex.At.Before(at) }), nil
}

func plainly(want func(*Exchange) bool) func(*Store, *Exchange) (bool, error) {
	return func(_ *Store, ex *Exchange) (bool, error) { return want(ex), nil }
}

// anAnswer is a condition on what the sender was answered, or what the app
// answered if that is something else.
func anAnswer(want func(*Response) bool) func(*Store, *Exchange) (bool, error) {
	return plainly(func(ex *Exchange) bool {
		return ex.Response != nil && want(ex.Response) || ex.App != nil && want(ex.App)
	})
}

// pathOf returns the path of an absolute URL as it stands there.
func pathOf(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		if i := strings.IndexAny(rest, "/?"); i >= 0 {
			s = rest[i:]
		} else {
			s = "/"
		}
	}
	s, _, _ = strings.Cut(s, "?")
	return s
}

func wantHeader(name string, match func(string) bool) func(*Store, *Exchange) (bool, error) {
	return plainly(func(ex *Exchange) bool {
		for n, values := range ex.Request.Headers {
			if strings.EqualFold(n, name) && slices.ContainsFunc(values, match) {
				return true
			}
		}
		return false
	})
}

// wantText looks for text in both bodies.
func wantText(text []byte) func(*Store, *Exchange) (bool, error) {
	return func(s *Store, ex *Exchange) (bool, error) {
		ok, err := s.contains(ex.Request.Body, text)
		for _, r := range ex.answers() {
			if ok || err != nil {
				break
			}
			ok, err = s.contains(r.Body, text)
		}
		return ok, err
	}
}

// contains looks for text in b, with no more than a piece of it in memory.
func (s *Store) contains(b Body, text []byte) (bool, error) {
	if b.Sum == "" {
		return bytes.Contains(b.Bytes, text), nil
	}
	f, err := s.OpenBody(b)
	if err != nil {
		return false, err
	}
	defer f.Close()
	buf := make([]byte, chunk+len(text))
	for held := 0; ; {
		n, err := io.ReadFull(f, buf[held:])
		n += held
		if bytes.Contains(buf[:n], text) {
			return true, nil
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		held = copy(buf, buf[n-len(text)+1:n])
	}
}

// wantJSON compares the JSON value at path with value, which is JSON if it
// parses as such and otherwise a string.
func wantJSON(path jsonx.Path, value string) func(*Store, *Exchange) (bool, error) {
	want, err := decodeJSON([]byte(value))
	if err != nil {
		want = value
	}
	return func(s *Store, ex *Exchange) (bool, error) {
		body, err := s.ReadBody(ex.Request.Body)
		if err != nil {
			return false, err
		}
		at, err := jsonx.Find(body, path)
		if err != nil {
			return false, nil // not JSON, or nothing there
		}
		got, err := decodeJSON(at.Raw)
		if err != nil {
			return false, nil
		}
		// 42 asks for the number as well as for ids that are kept as strings.
		if text, ok := got.(string); ok && text == value {
			return true, nil
		}
		return sameJSON(got, want), nil
	}
}

func decodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("more than one value")
	}
	return v, nil
}

func sameJSON(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(string(a), string(b))
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameJSON)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, ok := b[k]; !ok || !sameJSON(v, w) {
				return false
			}
		}
		return true
	}
	return a == b
}

// sameNumber compares the values of two JSON numbers; whole ones exactly,
// however long.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	if isWhole(a) && isWhole(b) {
		return false
	}
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	return errA == nil && errB == nil && x == y
}

func isWhole(s string) bool { return !strings.ContainsAny(s, ".eE") }
