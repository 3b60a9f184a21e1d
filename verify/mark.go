package verify

import (
	"crypto/subtle"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"

	"devhook/internal/jsonx"
)

// A mark is a set of conditions that together make out a kind of message.
type mark []condition

// A condition holds if a message has something at a place, and that looks like
// the pattern.
type condition struct {
	in      placeKind // "" for the method
	key     string    // canonical for a header
	path    jsonx.Path
	pattern *pattern // nil: anything
	with    string   // the name in Keys.With of the value that it must have; "" for none
	absent  bool     // it must not be there; in handshakes only
}

func (m mark) holds(v *view) bool {
	for i := range m {
		if !m[i].holds(v) {
			return false
		}
	}
	return true
}

func (c *condition) holds(v *view) bool {
	if c.absent {
		is := *c
		is.absent = false
		return !is.holds(v)
	}
	if c.in == inBody && c.with == "" && (c.pattern == nil || c.pattern.kind != "") { // any value, and not a text alone
		raw, found := v.field(c.path)
		return found && (c.pattern == nil || c.pattern.kind == jsonx.KindOf(raw))
	}
	text, ok := v.read(c.in, c.key, c.path)
	if c.with != "" {
		want := v.with[c.with]
		return ok && want != "" && subtle.ConstantTimeCompare([]byte(text), []byte(want)) == 1
	}
	return ok && (c.pattern == nil || c.pattern.matches(text))
}

// newCondition makes a condition of what a provider's file says.
func newCondition(in placeKind, name, form string) (condition, error) {
	c := condition{in: in, key: name}
	var err error
	switch in {
	case inHeader:
		c.key = textproto.CanonicalMIMEHeaderKey(name)
	case inBody, inForm:
		if c.path, err = jsonx.ParsePath(name); err != nil {
			return c, err
		}
	}
	switch form {
	case "*":
		return c, nil
	case "{absent}":
		c.absent = true
		return c, nil
	}
	if name, ok := strings.CutPrefix(form, "{with."); ok && strings.HasSuffix(name, "}") {
		c.with = strings.TrimSuffix(name, "}")
		return c, nil
	}
	c.pattern, err = parsePattern(form)
	if err == nil && c.pattern.kind != "" && in != inBody {
		err = fmt.Errorf("%q is for JSON fields only", form)
	}
	return c, err
}

// A pattern is what a text looks like: literals, '*' for any run, {hex:N} and
// {base64:N} for N such characters, {digits}, {letters} and {token} for one or more.
// Or it is the kind of a JSON value, as in {object}.
type pattern struct {
	kind  jsonx.Kind
	steps []step
}

type step struct {
	literal string
	class   string // "*", hex, base64, digits, letters or token
	n       int    // how many of the class, at least; 0 for one or more
	most    int    // how many at most
}

// maxSteps bounds the work of a match.
const maxSteps = 8

func parsePattern(text string) (*pattern, error) {
	p := &pattern{}
	switch kind := jsonx.Kind(strings.Trim(text, "{}")); kind {
	case jsonx.Object, jsonx.Array, jsonx.String, jsonx.Number, jsonx.Boolean, jsonx.Null:
		if text == "{"+string(kind)+"}" {
			p.kind = kind
			return p, nil
		}
	}
	for text != "" {
		if len(p.steps) == maxSteps {
			return nil, fmt.Errorf("the pattern has more than %d parts", maxSteps)
		}
		switch i := strings.IndexAny(text, "*{"); {
		case i < 0:
			p.steps = append(p.steps, step{literal: text})
			text = ""
		case i > 0:
			p.steps = append(p.steps, step{literal: text[:i]})
			text = text[i:]
		case text[0] == '*':
			p.steps = append(p.steps, step{class: "*"})
			text = text[1:]
		default:
			class, rest, _ := strings.Cut(text[1:], "}")
			name, count, _ := strings.Cut(class, ":")
			least, last, isRange := strings.Cut(count, "-")
			n, err := strconv.Atoi(least)
			most := n
			if isRange && err == nil {
				most, err = strconv.Atoi(last)
			}
			switch {
			case (name == "digits" || name == "letters" || name == "token") && count == "":
			case (name == "hex" || name == "base64") && err == nil && n > 0 && n <= most && most <= 1024:
			default:
				return nil, fmt.Errorf("%q is not a pattern (known: *, {hex:N}, {base64:N}, {digits}, {letters}, {token}; of a JSON field also {object}, {array}, {string}, {number}, {boolean}, {null})", short("{"+class+"}"))
			}
			p.steps = append(p.steps, step{class: name, n: n, most: most})
			text = rest
		}
	}
	return p, nil
}

// matches reports whether text looks like p. What stands between two '*' is
// matched as early as possible: to go back would find nothing more.
func (p *pattern) matches(text string) bool {
	if len(text) > maxEcho {
		return false
	}
	steps, isFirst := p.steps, true
	for {
		block, rest, isLast := untilStar(steps)
		from := 0
		for {
			end, ok := match(block, text[from:])
			if ok && (!isLast || from+end == len(text)) {
				text = text[from+end:]
				break
			}
			if isFirst || from == len(text) {
				return false
			}
			from++
		}
		if isLast {
			return true
		}
		steps, isFirst = rest, false
	}
}

// untilStar cuts steps at the first '*'.
func untilStar(steps []step) (block, rest []step, isLast bool) {
	for i, s := range steps {
		if s.class == "*" {
			return steps[:i], steps[i+1:], false
		}
	}
	return steps, nil, true
}

// match gives the end of what steps without '*' match at the beginning of text.
func match(steps []step, text string) (end int, ok bool) {
	for _, s := range steps {
		rest := text[end:]
		if s.class == "" {
			if !strings.HasPrefix(rest, s.literal) {
				return 0, false
			}
			end += len(s.literal)
			continue
		}
		n := 0
		for n < len(rest) && inClass(s.class, rest[n]) && (s.most == 0 || n < s.most) {
			n++
		}
		if n == 0 || n < s.n {
			return 0, false
		}
		end += n
	}
	return end, true
}

func inClass(class string, c byte) bool {
	isDigit := '0' <= c && c <= '9'
	switch class {
	case "hex":
		return isDigit || 'a' <= c|0x20 && c|0x20 <= 'f'
	case "digits":
		return isDigit
	case "letters":
		return 'a' <= c && c <= 'z'
	case "token":
		return isDigit || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_'
	}
	return isDigit || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("+/=", c) >= 0
}
