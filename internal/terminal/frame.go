package terminal

import (
	"fmt"
	"strings"
	"time"

	"devhook/recorder"
)

// Ended writes the line that tells that a WebSocket has ended, whose opening
// had a line of its own.
//
//	14:06:23.710  #128  WebSocket over after 4m12s: 12 in, 40 out, closed by the app: 1000   devhook show 128
func (t *Terminal) Ended(ex *recorder.Exchange) {
	end := ex.Ending
	at := end.At.Local().Format("15:04:05.000")
	if t.width > 0 && t.width < wide {
		at = at[:8]
	}
	text := fmt.Sprintf("#%d  WebSocket over after %s: %s", ex.Seq, lasted(ex), frames(end))
	more := fmt.Sprintf("devhook show %d", ex.Seq)
	if t.width > 0 {
		text = Cut(text, max(10, t.width-len(at)-len(more)-5))
	}
	t.Printf("%s  %s   %s", t.style.dim(at), text, t.style.dim(more))
}

// frames says how many there were, and how it ended.
func frames(end *recorder.Ending) string {
	s := fmt.Sprintf("%d in, %d out", end.In, end.Out)
	if end.Detail != "" {
		s += ", " + Safe(end.Detail)
	}
	return s
}

// isWebSocket reports whether ex is one, or went on as something like it.
func isWebSocket(ex *recorder.Exchange) bool {
	return ex.Outcome == recorder.Answered && ex.Response != nil && ex.Response.Status == 101
}

// opened is when the WebSocket of ex was.
func opened(ex *recorder.Exchange) time.Time {
	if ex.Response == nil {
		return ex.At
	}
	return ex.At.Add(ex.Response.Took)
}

func lasted(ex *recorder.Exchange) string { return Took(max(0, ex.Ending.At.Sub(opened(ex)))) }

// websocket says in a few words how the WebSocket of ex fares.
func websocket(ex *recorder.Exchange) string {
	if ex.Ending == nil {
		return "open"
	}
	return fmt.Sprintf("%d in, %d out", ex.Ending.In, ex.Ending.Out)
}

// orBroken is what may be true of one that is recorded as open: whoever has it
// open can have been killed.
const orBroken = ", or broken off"

// maxFrameLine is how many columns of a frame are shown where lines have no
// end.
const maxFrameLine = 200

// Frame writes one frame of ex: when it came after the opening, whether to the
// app or from it, what it is, how long, and its start.
//
//	+0.012s  -> text      88 B  {"type":"hello"}
//	+0.314s  <- binary   300 B  00ff10…
func (t *Terminal) Frame(ex *recorder.Exchange, f *recorder.Frame) {
	arrow := "->"
	if f.Dir == recorder.Out {
		arrow = "<-"
	}
	at := fmt.Sprintf("+%.3fs", max(0, f.At.Sub(opened(ex)).Seconds()))
	head := fmt.Sprintf("%10s  %s %s %s  ", at, arrow, Pad(word(f.Op), 6), padLeft(Size(f.Size), 6))
	room := maxFrameLine
	if t.width > 0 {
		room = max(20, t.width-Columns(head))
	}
	t.Printf("%s", strings.TrimRight(t.style.dim(head[:10])+head[10:]+t.frameText(f, room), " "))
}

// frameText returns what a frame says, in at most room columns.
func (t *Terminal) frameText(f *recorder.Frame, room int) string {
	var parts []string
	if f.Code != 0 {
		code := fmt.Sprint(f.Code)
		if f.Code == 1005 { // RFC 6455 §7.4.1: there was none
			code = "no code"
		}
		parts = append(parts, strings.TrimRight(code+" "+Safe(f.Reason), " "))
	}
	if f.Detail != "" {
		parts = append(parts, "("+Safe(f.Detail)+")")
	}
	body, cut := f.Body, f.Truncated
	if most := 4 * room; len(body) > most { // a rune has at most four bytes
		body, cut = body[:most], true
	}
	text := ""
	if isText(body) {
		if cut {
			body = WholeRunes(body)
		}
		text = Safe(strings.TrimRight(string(body), "\n"))
	} else {
		most := min(len(body), 32)
		cut = cut || most < len(body)
		text = fmt.Sprintf("%x", body[:most])
	}
	if cut && text != "" {
		text += "…"
	}
	return Cut(strings.Join(append(parts, text), " "), room)
}
