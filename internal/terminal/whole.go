package terminal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"devhook/recorder"
	"devhook/verify"
)

// Listed writes an exchange as one line of a list, with its date if it, or one
// before it in the list, is not of the day of now.
func (t *Terminal) Listed(ex *recorder.Exchange, now time.Time) {
	at, day := ex.At.Local(), ""
	t.dated = t.dated || at.Format(time.DateOnly) != now.Local().Format(time.DateOnly)
	if t.dated { // also of today then, so that columns stay in line
		day = at.Format("01-02") + " "
	}
	line := t.line(ex, len(day))
	if isWebSocket(ex) && ex.Ending == nil && strings.HasSuffix(line, websocket(ex)) {
		line += orBroken
	}
	if ex.Pinned {
		line += "  " + t.style.dim("pinned")
	}
	if day != "" {
		line = t.style.dim(day) + line
	}
	t.Printf("%s", line)
}

// Whole writes all that a person wants to know of an exchange. body, answer and
// app are the bytes, or the start of them, of what was asked, answered, and
// answered by the app where the sender got something else.
func (t *Terminal) Whole(ex *recorder.Exchange, body, answer, app []byte) {
	row := func(name, format string, a ...any) {
		t.Printf("%-10s %s", name, fmt.Sprintf(format, a...))
	}
	row("recording", "#%d  %s", ex.Seq, Safe(string(ex.ID)))
	if ex.Pinned {
		row("pinned", "stays when recordings are pruned")
	}
	row("at", "%s  %s", ex.At.Local().Format("2006-01-02 15:04:05.000"), t.style.dim(word(ex.Origin)))
	changed := "changed" // of a sample, which is no recording
	if ex.Parent != "" {
		row("made from", "%s", Safe(string(ex.Parent)))
		changed = ""
	}
	for _, c := range ex.Changes {
		row(changed, "%s", Safe(c))
		changed = ""
	}
	if ex.Provider != "" {
		row("provider", "%s  %s", Safe(ex.Provider), Safe(ex.Event))
	}
	if ex.DeliveryID != "" {
		row("delivery", "%s", Safe(ex.DeliveryID))
	}
	if ex.DuplicateOf != "" {
		row("again", "the same delivery as %s", Safe(string(ex.DuplicateOf)))
	}
	row("signature", "%s", t.Verdict(ex.Verdict))
	if ex.Verdict.Hint != "" {
		row("", "%s", Safe(ex.Verdict.Hint))
	}
	outcome := word(ex.Outcome)
	if ex.Detail != "" {
		outcome += ": " + Safe(ex.Detail)
	}
	row("outcome", "%s", outcome)
	if isWebSocket(ex) {
		text := websocket(ex) + orBroken
		if ex.Ending != nil {
			text = frames(ex.Ending) + ", after " + lasted(ex)
		}
		row("frames", "%s", text)
	}
	if ex.Route != "" {
		row("route", "%s", Safe(ex.Route))
	}
	if ex.Target != "" {
		row("to", "%s", Safe(ex.Target))
	}
	if ex.Request.Remote != "" { // an event of a stream has none
		row("from", "%s", Safe(ex.Request.Remote))
	}
	t.Printf("")
	r := ex.Request
	t.Message(r.Method+" "+r.URL, r.Headers, body, r.Size, r.Truncated)
	t.response(ex.Response, answer, "")
	t.response(ex.App, app, "  (the app's own answer, which the sender did not get)")
}

func (t *Terminal) response(r *recorder.Response, body []byte, about string) {
	if r == nil {
		return
	}
	t.Printf("")
	t.Message(fmt.Sprintf("%d %s  %s%s", r.Status, http.StatusText(r.Status), Took(r.Took), about), r.Headers, body, r.Size, r.Truncated)
}

// Checked writes a list of what was looked at, one line each: whether it is as
// it should be, what it is, and what was seen.
func (t *Terminal) Checked(heading string, list []Check) {
	t.Printf("")
	t.Printf("%s", t.style.bold(Safe(heading)))
	for _, c := range list {
		mark := t.style.ok("ok   ")
		if !c.OK {
			mark = t.style.bad("NOT  ")
		}
		t.Printf("  %s%s", mark, Safe(c.About))
		if c.Seen != "" {
			t.Printf("       %s", t.style.dim(Safe(c.Seen)))
		}
	}
}

// A Check is one line of [Terminal.Checked].
type Check struct {
	OK          bool
	About, Seen string
}

// Verdict returns v in words.
func (t *Terminal) Verdict(v verify.Verdict) string {
	s := word(v.Status)
	switch v.Status {
	case verify.Valid:
		s = t.style.ok(s)
	case verify.Invalid, verify.Unsigned:
		s = t.style.bad(s)
	}
	if v.Reason != "" {
		s += " (" + strings.ReplaceAll(word(v.Reason), "_", " ") + ")"
	}
	if v.Detail != "" {
		s += ": " + Safe(v.Detail)
	}
	return s
}

// Message writes a request or a response. cut says that body is not all that
// was sent. The error is that of [Terminal.Err].
func (t *Terminal) Message(start string, h http.Header, body []byte, size int64, cut bool) error {
	t.Printf("%s", t.style.bold(Safe(start)))
	for _, line := range HeaderLines(h) {
		name, value, _ := strings.Cut(line, ": ")
		t.Printf("%s %s", t.style.dim(Safe(name)+":"), Safe(value))
	}
	t.Printf("")
	if len(body) == 0 {
		if size > 0 {
			t.Printf("%s", t.style.dim(fmt.Sprintf("(%s, not kept)", Size(size))))
		}
		return t.Err()
	}
	t.Printf("%s", readable(body))
	switch {
	case cut:
		t.Printf("%s", t.style.warn(fmt.Sprintf("(the first %s of %s; the rest was not kept)", Size(int64(len(body))), Size(size))))
	case int64(len(body)) < size:
		t.Printf("%s", t.style.dim(fmt.Sprintf("(the first %s of %s; --body prints all)", Size(int64(len(body))), Size(size))))
	}
	return t.Err()
}

// readable returns a body as a person reads it: JSON in lines, other text as
// it is, and of what is no text the start in hex.
func readable(body []byte) string {
	if lines, ok := indent(body); ok {
		return SafeText(lines)
	}
	if isText(body) {
		return SafeText(string(body))
	}
	const most = 256
	var b strings.Builder
	for i := 0; i < len(body) && i < most; i += 16 {
		line := body[i:min(i+16, len(body))]
		fmt.Fprintf(&b, "%08x  %-48x  ", i, line)
		for _, c := range line {
			if c < 0x20 || c >= 0x7F {
				c = '.'
			}
			b.WriteByte(c)
		}
		b.WriteByte('\n')
	}
	if len(body) > most {
		b.WriteString("…\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Bounds of indent: what is nested deeper than maxIndent stays on its line,
// and the text becomes at most maxGrowth times as long, and 4 KiB. A thousand
// brackets are a thousand lines of up to a thousand columns otherwise.
const (
	maxIndent = 32
	maxGrowth = 8
)

// indent returns a JSON text in lines. JSON that a string holds, as TikTok's
// content, is opened below it, and said to be a string. It reports false if
// body is none, or would become too long.
func indent(body []byte) (string, bool) {
	if !json.Valid(body) {
		return "", false
	}
	b, ok := appendIndented(make([]byte, 0, 2*len(body)), body, 0, maxGrowth*len(body)+4<<10)
	return string(b), ok
}

// appendIndented appends the lines of a valid JSON text, whose first one is
// that deep. It reports false when b has more than most bytes.
func appendIndented(b, body []byte, depth, most int) ([]byte, bool) {
	newline := func(depth int) {
		b = append(b, '\n')
		for range depth {
			b = append(b, "  "...)
		}
	}
	fresh := false // a bracket was opened just now
	for i := 0; i < len(body); i++ {
		if len(b) > most {
			return b, false
		}
		c := body[i]
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '}', ']':
			if depth--; !fresh && depth < maxIndent {
				newline(depth)
			}
			fresh = false
			b = append(b, c)
			continue
		}
		if fresh && depth <= maxIndent {
			newline(depth)
		}
		fresh = false
		if c == '"' {
			end := stringEnd(body[i:]) + i
			inner, isJSON := heldJSON(body[i:end], body[end:])
			if !isJSON || depth >= maxIndent {
				b = append(b, body[i:end]...)
			} else {
				b = append(b, "(a string of JSON)"...)
				newline(depth + 1)
				var ok bool
				if b, ok = appendIndented(b, inner, depth+1, most); !ok {
					return b, false
				}
			}
			i = end - 1
			continue
		}
		b = append(b, c)
		switch c {
		case '{', '[':
			depth++
			fresh = true
		case ',':
			if depth <= maxIndent {
				newline(depth)
			}
		case ':':
			b = append(b, ' ')
		}
	}
	return b, true
}

// stringEnd returns where the JSON string ends that text starts with.
func stringEnd(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// heldJSON returns the object or list that a JSON string holds, unless the
// string is a name: then rest begins with a colon.
func heldJSON(raw, rest []byte) ([]byte, bool) {
	if len(raw) < 4 || bytes.HasPrefix(bytes.TrimLeft(rest, " \t\r\n"), []byte(":")) {
		return nil, false
	}
	if first := bytes.TrimLeft(raw[1:], " "); first[0] != '{' && first[0] != '[' {
		return nil, false
	}
	var text string
	if json.Unmarshal(raw, &text) != nil || !json.Valid([]byte(text)) {
		return nil, false
	}
	return []byte(text), true
}

// isText reports whether a person can read body, whose last rune may be cut.
func isText(body []byte) bool {
	for i := 0; i < len(body); {
		r, n := utf8.DecodeRune(body[i:])
		if r == utf8.RuneError && n == 1 && (i < len(body)-utf8.UTFMax || utf8.FullRune(body[i:])) ||
			unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' && r != '\x1b' {
			return false
		}
		i += n
	}
	return true
}

// HeaderLines returns the lines of a header, Host first and the others by
// name, because the order in which they came is not known.
func HeaderLines(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if (a == "Host") != (b == "Host") {
			if a == "Host" {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var lines []string
	for _, name := range names {
		for _, v := range h[name] {
			lines = append(lines, name+": "+v)
		}
	}
	return lines
}
