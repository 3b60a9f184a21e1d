package terminal

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"devhook/recorder"
	"devhook/verify"
)

// wide is from how many columns on a line has all its columns; slim, below how
// many it has no room for the size either.
const (
	wide = 110
	slim = 80
)

// How many columns of a narrow line it takes to say what became of most webhooks, and
// where most of a list are from; and how many the event has, at least, at most, and for
// where it is from to be told beside it.
const (
	usualOutcome = len("-> 200  100ms")
	mostOrigin   = len("(trigger)")

	leastEvent, enoughEvent, mostEvent = 4, 12, 24
)

// Exchange writes an exchange that is done: one line, and a second one only
// where there is trouble.
//
//	14:02:11.482  #128  tiktok   video.publish.completed   1.2 kB  sig ok     -> :3000/hooks/tiktok  200   37ms
func (t *Terminal) Exchange(ex *recorder.Exchange) {
	t.write(t.line(ex, 0) + "\n")
	if second := t.trouble(ex); second != "" {
		t.Printf("%s", second)
	}
}

// line is the one line of ex, behind a margin of so many columns.
func (t *Terminal) line(ex *recorder.Exchange, margin int) string {
	seq := Pad("#"+strconv.FormatUint(ex.Seq, 10), 4)
	narrow := t.width > 0 && t.width < wide
	at, gap := ex.At.Local().Format("15:04:05.000"), "  "
	size := padLeft(Size(ex.Request.Size), 8)
	origin := ""
	if ex.Origin != recorder.Live {
		origin = "(" + word(ex.Origin) + ")"
	}
	if ex.DuplicateOf != "" {
		origin = strings.TrimSpace(origin + " (again)")
	}
	provider, event := Safe(ex.Provider), Safe(ex.Event)
	if provider == "" {
		provider = "-"
	}
	if event == "" { // better than nothing: what was asked for
		event = Safe(ex.Request.Method + " " + recorder.PathOf(ex.Request.URL))
	}
	minProvider, maxProvider, maxEvent := 8, 20, 40
	if narrow {
		at, gap, size = at[:8], " ", padLeft(Size(ex.Request.Size), 6)
		minProvider, maxProvider = 6, 12
		if t.width < slim {
			size, maxProvider = "", 8
		}
	}
	t.provider = max(t.provider, minProvider, min(Columns(provider), maxProvider))
	column := 0 // of the event
	if narrow {
		t.provider = min(t.provider, maxProvider)
		t.elsewhere = t.elsewhere || origin != ""
		plain := Terminal{width: t.width, style: plainStyle}
		beside := []int{Columns(at), Columns(seq), t.provider, Columns(size), len("sig FAIL")}
		maxEvent = t.eventRoom(margin, gap, t.elsewhere, append(beside, usualOutcome)...)
		if n := Columns(plain.outcome(ex, true)); n > usualOutcome { // this line may have less
			maxEvent = min(maxEvent, t.eventRoom(margin, gap, false, append(beside, n)...))
		}
		column = maxEvent
	} else {
		t.event = max(t.event, 24, min(Columns(event), maxEvent))
		column = t.event
	}
	if t.width > 0 {
		provider, event = Cut(provider, maxProvider), cutMiddle(event, maxEvent)
	}
	parts := []string{t.style.dim(at), seq, Pad(provider, t.provider), Pad(event, column)}
	if size != "" {
		parts = append(parts, size)
	}
	parts = append(parts, t.signature(ex.Verdict, narrow), t.outcome(ex, narrow))
	whole := strings.Join(parts, gap)
	line := strings.TrimRight(whole, " ")
	if origin == "" || narrow && Columns(line)+len(gap)+Columns(origin) > t.width-margin { // it matters least
		return line
	}
	return whole + gap + t.style.dim(origin)
}

// eventRoom is how many columns a narrow line has for the event beside those that are
// in every line, and beside where it is from, if enough is left. As it is the same
// wherever a webhook is from, columns stay in line.
func (t *Terminal) eventRoom(margin int, gap string, elsewhere bool, beside ...int) int {
	room := t.width - margin
	for _, n := range beside {
		if n > 0 {
			room -= n + len(gap)
		}
	}
	if origin := mostOrigin + len(gap); elsewhere && room-origin >= enoughEvent {
		room -= origin
	}
	return max(leastEvent, min(mostEvent, room))
}

// MakeRoom has lines leave room for a provider that is to be expected, so that
// columns stay in line from the first on.
func (t *Terminal) MakeRoom(provider string) {
	t.provider = max(t.provider, min(Columns(Safe(provider)), 20))
}

// signature says how the signature is; the word tells, not the colour.
func (t *Terminal) signature(v verify.Verdict, narrow bool) string {
	word, style := "", t.style.dim
	switch v.Status {
	case verify.Valid:
		word, style = "sig ok", t.style.ok
	case verify.Invalid:
		word, style = "sig FAIL", t.style.bad
	case verify.Unsigned:
		word, style = "unsigned", t.style.bad
	case verify.Unverified:
		word, style = "sig ?", t.style.warn
	default:
		word = "sig -"
	}
	width := 9
	if narrow {
		width = 8
	}
	return style(word) + strings.Repeat(" ", max(0, width-len(word)))
}

func (t *Terminal) outcome(ex *recorder.Exchange, narrow bool) string {
	status, coloured, took := "", "-", "" // a journal that was changed by hand may lack the response
	if r := ex.Answer(); r != nil {
		status, took = strconv.Itoa(r.Status), padLeft(Took(r.Took), 7)
		coloured = t.status(r.Status, status)
	}
	switch ex.Outcome {
	case recorder.Answered:
		s := "-> "
		if !narrow {
			s += short(ex.Target) + "  "
		}
		s += coloured + took
		if ex.App != nil && ex.Response != nil && !narrow {
			s += t.style.dim("  sender got " + strconv.Itoa(ex.Response.Status))
		}
		if isWebSocket(ex) && !narrow {
			s += "  " + websocket(ex)
		}
		return s
	case recorder.Unreachable:
		s := "-> "
		if !narrow {
			s += short(ex.Target) + "  "
		}
		return s + t.style.bad(strings.TrimSpace(status+" unreachable"))
	case recorder.Refused:
		if narrow { // why stands on the next line
			return t.style.bad(strings.TrimSpace("refused " + status))
		}
		return t.style.bad(strings.TrimSpace("refused "+status)) + ": " + Safe(t.why(ex))
	case recorder.Handled:
		if ex.Response == nil { // of a stream, where nobody waits for an answer
			return t.style.dim("recorded, and no app to send it to")
		}
		return "answered here " + coloured
	case recorder.Unrouted:
		return t.style.warn(strings.TrimSpace("no route " + status))
	case recorder.Pending:
		return t.style.dim("under way, or broken off")
	}
	return word(ex.Outcome)
}

// word returns one of a closed list of words, which may be any text in a
// journal that came from elsewhere.
func word[T ~string](s T) string { return Cut(Safe(string(s)), 20) }

// why says in a few words why a webhook was refused.
func (t *Terminal) why(ex *recorder.Exchange) string {
	v := ex.Verdict
	switch {
	case ex.Response != nil && ex.Response.Status == 413:
		return "body of " + Size(ex.Request.Size) + " is too large"
	case v.Detail != "":
		return v.Detail
	case v.Reason == verify.UnknownProvider:
		return "no provider recognised"
	}
	return strings.ReplaceAll(string(v.Reason), "_", " ")
}

// status is text in the style of a status like code.
func (t *Terminal) status(code int, text string) string {
	switch {
	case code >= 400:
		return t.style.bad(text)
	case code >= 300:
		return t.style.warn(text)
	}
	return t.style.ok(text)
}

// trouble is the second line of an exchange, "" if there is nothing to say.
func (t *Terminal) trouble(ex *recorder.Exchange) string {
	text := ""
	switch {
	case ex.Outcome == recorder.Unreachable:
		text = ex.Detail
		if text == "connection refused" {
			text += ": is the app running?"
		}
	case ex.Outcome == recorder.Answered && ex.App != nil && ex.Detail != "": // most of all, that it was not heard
		text = ex.Detail
	case ex.Outcome == recorder.Answered && ex.Response != nil && ex.Answer().Status >= 400:
		text = Excerpt(ex.Answer().Body.Bytes)
		if code := ex.Answer().Status; (code == http.StatusNotFound || code == http.StatusMethodNotAllowed) && t.width > 0 && t.width < wide {
			text = strings.TrimSuffix(ex.Request.Method+" "+recorder.PathOf(ex.Target)+": "+text, ": ") // the line has no room for where it went
		}
	case Redirect(ex) != "":
		text = "a redirect to " + Cut(Redirect(ex), 200) + ", which most providers do not follow, and take for a failure"
	case ex.Outcome == recorder.Answered && ex.Detail != "":
		text = ex.Detail
	case ex.Outcome == recorder.Refused && t.width > 0 && t.width < wide:
		text = t.why(ex)
		if ex.Verdict.Reason == verify.BadSignature && ex.Detail != "" { // what was found tells more, and is cut off here behind the other
			text = ex.Detail
		} else if more := found(ex); more != "" {
			text += ": " + more
		}
	case ex.Outcome == recorder.Refused && found(ex) != "":
		text = found(ex)
	case ex.Outcome == recorder.Answered && (ex.Verdict.Status == verify.Invalid || ex.Verdict.Status == verify.Unsigned):
		text = ex.Verdict.Detail // let through by --verify report
	default:
		return ""
	}
	more := fmt.Sprintf("devhook show %d", ex.Seq)
	indent := strings.Repeat(" ", 14)
	text = Safe(text)
	if t.width > 0 {
		indent = indent[:min(14, t.width/6)]
		text = Cut(text, max(10, t.width-len(indent)-len(more)-3))
	}
	if text != "" {
		text += "   "
	}
	return indent + text + t.style.dim(more)
}

// Redirect returns where the app's answer to a webhook leads, "" if it is no redirect. A
// browser's GET is meant to follow one.
func Redirect(ex *recorder.Exchange) string {
	r := ex.Answer()
	if ex.Outcome != recorder.Answered || r == nil || r.Status/100 != 3 || ex.Request.Method == http.MethodGet || ex.Request.Method == http.MethodHead {
		return ""
	}
	return r.Headers.Get("Location")
}

// found is what is known of a refusal beside its reason: what would make the
// signature right, or else where to look.
func found(ex *recorder.Exchange) string {
	if ex.Detail != "" {
		return ex.Detail
	}
	return ex.Verdict.Hint
}

// short leaves out of a URL what the reader knows: that it is HTTP, and on
// this machine.
func short(target string) string {
	s := strings.TrimPrefix(target, "http://")
	for _, here := range []string{"127.0.0.1", "localhost"} {
		if rest, ok := strings.CutPrefix(s, here+":"); ok {
			s = ":" + rest
			break
		}
	}
	s, _, _ = strings.Cut(s, "?")
	return Cut(Safe(s), 60)
}
