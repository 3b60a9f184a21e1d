package terminal

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

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
	} else if ex.Verdict.Reason == verify.UnknownProvider {
		row("", "nothing in it tells who sent it: --provider ID names the sender, and devhook solve finds out how an unknown one signs")
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
