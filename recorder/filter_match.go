package recorder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/internal/jsonx"
)

// textKeys are the keys whose values are texts, and what they are compared with.
var textKeys = map[string]func(*Exchange) string{
	"provider": func(ex *Exchange) string { return strings.ToLower(ex.Provider) },
	"event":    func(ex *Exchange) string { return ex.Event },
	"verdict":  func(ex *Exchange) string { return string(ex.Verdict.Status) },
	"reason":   func(ex *Exchange) string { return string(ex.Verdict.Reason) },
	"outcome":  func(ex *Exchange) string { return string(ex.Outcome) },
	"origin":   func(ex *Exchange) string { return string(ex.Origin) },
	"method":   func(ex *Exchange) string { return strings.ToLower(ex.Request.Method) },
	"path":     func(ex *Exchange) string { return PathOf(ex.Request.URL) },
	"route":    func(ex *Exchange) string { return ex.Route },
	"delivery": func(ex *Exchange) string { return ex.DeliveryID },
	"pinned":   func(ex *Exchange) string { return strconv.FormatBool(ex.Pinned) },
	"id":       func(ex *Exchange) string { return strings.ToLower(string(ex.ID)) },
}

// A numberKey is a key whose values are ranges of numbers.
type numberKey struct {
	parse func(string) (lo, hi int64, err error)
	hint  string
	of    func(*Exchange) []int64 // the numbers of which one is to be in a range
}

var numberKeys = map[string]numberKey{
	"status": {
		parseStatus, "write status:200, status:5xx or status:400..499",
		answered(func(r *Response) int64 { return int64(r.Status) }),
	},
	"took": {
		single(func(s string) (int64, error) {
			d, err := time.ParseDuration(s)
			return int64(d), err
		}), "write took:>500ms or took:1s..2s",
		answered(func(r *Response) int64 { return int64(r.Took) }),
	},
	"size": {
		single(ParseSize), "write size:>10kb or size:1kb..1mb",
		func(ex *Exchange) []int64 { return []int64{ex.Request.Size} },
	},
	"seq": {
		single(func(s string) (int64, error) {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil || n < 0 {
				return 0, fmt.Errorf("%q is not a sequence number", s)
			}
			return n, nil
		}), "write seq:128, seq:>=100 or seq:100..200",
		func(ex *Exchange) []int64 { return []int64{int64(ex.Seq)} },
	},
}

// answered gives a number of each answer: to the sender, and of the app if that
// is something else.
func answered(of func(*Response) int64) func(*Exchange) []int64 {
	return func(ex *Exchange) []int64 {
		var list []int64
		for _, r := range ex.answers() {
			list = append(list, of(r))
		}
		return list
	}
}

func plainly(want func(*Exchange) bool) func(*Store, *Exchange) (bool, error) {
	return func(_ *Store, ex *Exchange) (bool, error) { return want(ex), nil }
}

func textTerm(key string, list []Pattern, get func(*Exchange) string) Term {
	return Term{Key: key, Patterns: list, match: plainly(func(ex *Exchange) bool { return anyOf(list, get(ex)) })}
}

func rangeTerm(key string, ranges []Range, of func(*Exchange) []int64) Term {
	within := (&Term{Ranges: ranges}).within
	return Term{Key: key, Ranges: ranges, match: plainly(func(ex *Exchange) bool { return slices.ContainsFunc(of(ex), within) })}
}

// timeTerm is since, which the time itself fulfils, or until, which it does not.
func timeTerm(key string, when time.Time) Term {
	first := when.UnixMicro() // not before when
	if time.UnixMicro(first).Before(when) {
		first++
	}
	r := Range{first, math.MaxInt64}
	if key == "until" {
		r = Range{math.MinInt64, first - 1}
	}
	return rangeTerm(key, []Range{r}, func(ex *Exchange) []int64 { return []int64{ex.At.UnixMicro()} })
}

// microOf is [time.Time.UnixMicro] of a time in nanoseconds.
func microOf(ns int64) int64 {
	us := ns / 1000
	if ns%1000 < 0 {
		us--
	}
	return us
}

func headerTerm(name string, list []Pattern) Term {
	return Term{Key: "header", Name: name, Patterns: list, match: plainly(func(ex *Exchange) bool {
		for n, values := range ex.Request.Headers {
			if strings.EqualFold(n, name) && slices.ContainsFunc(values, func(v string) bool { return anyOf(list, v) }) {
				return true
			}
		}
		return false
	})}
}

// wantText looks for text in both bodies.
func wantText(text string) Term {
	return Term{Key: "text", Patterns: []Pattern{{text}}, match: func(s *Store, ex *Exchange) (bool, error) {
		ok, err := s.contains(ex.Request.Body, []byte(text))
		for _, r := range ex.answers() {
			if ok || err != nil {
				break
			}
			ok, err = s.contains(r.Body, []byte(text))
		}
		return ok, err
	}}
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

// A jsonValue is what a value in a body is compared with.
type jsonValue struct {
	text    string
	value   any // nil with isText
	isText  bool
	pattern Pattern
}

// bodyTerm compares the JSON value at path with each of values.
func bodyTerm(path, values string) (Term, error) {
	p, err := jsonx.ParsePath(path)
	if err != nil {
		return Term{}, err
	}
	t := Term{Key: "body", Name: path}
	var list []jsonValue
	for _, text := range splitJSON(values) {
		v := jsonValue{text: text}
		if v.value, err = decodeJSON([]byte(text)); err != nil {
			v.isText, v.pattern = true, patterns(escapeCommas(text), false)[0]
		}
		list = append(list, v)
		t.Patterns = append(t.Patterns, Pattern{text})
	}
	t.match = func(s *Store, ex *Exchange) (bool, error) {
		body, err := s.ReadBody(ex.Request.Body)
		if err != nil {
			return false, err
		}
		at, err := jsonx.Find(body, p)
		if err != nil {
			return false, nil // not JSON, or nothing there
		}
		got, err := decodeJSON(at.Raw)
		if err != nil {
			return false, nil
		}
		return slices.ContainsFunc(list, func(v jsonValue) bool { return v.matches(got) }), nil
	}
	return t, nil
}

func escapeCommas(s string) string { return strings.ReplaceAll(s, ",", `\,`) }

func (v jsonValue) matches(got any) bool {
	text, isText := got.(string)
	switch {
	case v.isText:
		return isText && v.pattern.matches(text)
	case isText && text == v.text: // 42 asks for ids that are kept as strings, too
		return true
	}
	return sameJSON(got, v.value)
}

// splitJSON takes values apart at the commas that stand in no string, object or
// array.
func splitJSON(values string) []string {
	var list []string
	start, depth, inQuotes := 0, 0, false
	for i := 0; i < len(values); i++ {
		switch c := values[i]; {
		case c == '\\':
			i++
		case c == '"':
			inQuotes = !inQuotes
		case inQuotes:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth <= 0:
			list = append(list, values[start:i])
			start = i + 1
		}
	}
	return append(list, values[start:])
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
		return ok && (a == b || decimalOf(string(a)) == decimalOf(string(b)))
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
	case nil, bool, string:
		switch b.(type) {
		case nil, bool, string:
			return a == b
		}
	}
	return false
}

// A decimal is a JSON number by its value: digits, without zeros around them,
// times ten to the power of exp. Zero has no digits.
type decimal struct {
	minus  bool
	digits string
	exp    string // a number too large for an integer stays as it is spelled
}

func decimalOf(s string) decimal {
	s, minus := strings.CutPrefix(s, "-")
	mantissa, power := s, "0"
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, power = s[:i], strings.TrimPrefix(s[i+1:], "+")
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return decimal{}
	}
	short := strings.TrimRight(digits, "0")
	exp, err := strconv.ParseInt(power, 10, 32)
	if err != nil {
		return decimal{minus, digits, power}
	}
	exp += int64(len(digits)-len(short)) - int64(len(fraction))
	return decimal{minus, short, strconv.FormatInt(exp, 10)}
}
