package main

import (
	"fmt"

	"devhook/internal/terminal"
	"devhook/recorder"
)

// A tally counts what became of the webhooks.
type tally struct {
	total    int
	outcomes map[recorder.Outcome]int
	failed   int // answered with an error
	led      int // answered with a redirect
	copies   int // for further apps; not in the others
	sent     int // by devhook itself; in the others
}

func (t *tally) add(ex *recorder.Exchange) {
	if t.outcomes == nil {
		t.outcomes = map[recorder.Outcome]int{}
	}
	if ex.Origin == recorder.Mirror {
		t.copies++
		return
	}
	t.total++
	if ex.Origin != recorder.Live && ex.Origin != recorder.Stream {
		t.sent++
	}
	t.outcomes[ex.Outcome]++
	if ex.Outcome == recorder.Answered && ex.Response != nil && ex.Answer().Status >= 400 {
		t.failed++
	}
	if terminal.Redirect(ex) != "" {
		t.led++
	}
}

// String is the summary.
func (t *tally) String(malformed, notRecorded int64) string {
	if t.total == 0 && malformed == 0 && notRecorded == 0 {
		return "no webhooks came"
	}
	noun := "webhooks"
	if t.total == 1 {
		noun = "webhook"
	}
	s := fmt.Sprintf("%d %s", t.total, noun)
	sep := ": "
	part := func(n int, what string) {
		if n > 0 {
			s += fmt.Sprintf("%s%d %s", sep, n, what)
			sep = ", "
		}
	}
	part(t.outcomes[recorder.Answered]-t.failed-t.led, "answered well")
	part(t.failed, "answered with an error")
	part(t.led, "answered with a redirect")
	part(t.outcomes[recorder.Handled], "answered by devhook")
	part(t.outcomes[recorder.Refused], "refused")
	part(t.outcomes[recorder.Unreachable], "without an answer of the app")
	part(t.outcomes[recorder.Unrouted], "without a route")
	if t.sent > 0 {
		s += fmt.Sprintf("; %d of them sent by devhook", t.sent)
	}
	if t.copies > 0 {
		s += fmt.Sprintf("; %d copies", t.copies)
	}
	switch {
	case malformed == 1:
		s += "; 1 request was no whole HTTP and is not recorded"
	case malformed > 1:
		s += fmt.Sprintf("; %d requests were no whole HTTP and are not recorded", malformed)
	}
	if notRecorded > 0 {
		s += fmt.Sprintf("; %d could not be recorded and were answered 503", notRecorded)
	}
	return s
}
