package main

import (
	"context"
	"fmt"

	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"
)

// follow prints what is recorded, by whichever process, until the store is
// closed.
func (u *up) follow(from recorder.Cursor) {
	mode := u.cfg.Get("output").Text()
	if u.agentLog.stdout {
		mode = "quiet"
	}
	list := u.store.FollowBrief(context.Background(), from)
	if mode == "json" {
		list = u.store.FollowEnds(context.Background(), from)
	}
	for ex, err := range list {
		u.followed.Add(1)
		if err != nil {
			u.log.Warn("cannot read a recording", "error", err)
			continue
		}
		if ex.Ending != nil { // it was counted and shown when it opened
			u.showEnded(ex, mode)
			continue
		}
		u.tally.add(ex)
		u.warnOpen(ex)
		u.missed.add(ex, u.errs)
		u.logExchange(ex)
		switch mode {
		case "json":
			u.printExchange(ex)
		case "quiet":
		default:
			u.out.Exchange(ex)
		}
	}
}

// showEnded prints that a WebSocket has ended. Copies are over as soon as they
// are open, which is not worth a line.
func (u *up) showEnded(ex *recorder.Exchange, mode string) {
	switch {
	case mode == "quiet" || ex.Origin != recorder.Live:
	case mode == "json":
		u.printEnded(ex)
	default:
		u.out.Ended(ex)
	}
}

// warnOpen says once of each provider that its webhooks pass unverified,
// because no secret of it is known.
func (u *up) warnOpen(ex *recorder.Exchange) {
	if ex.Origin != recorder.Live || ex.Verdict.Reason != verify.NoSecret || u.warned[ex.Provider] {
		return
	}
	if u.warned == nil {
		u.warned = map[string]bool{}
	}
	u.warned[ex.Provider] = true
	what := "pass unverified, because its secret is not known"
	if ex.Outcome == recorder.Refused {
		what = "are refused, because its secret is not known"
	}
	u.log.Warn(fmt.Sprintf("webhooks of %s %s: %s", terminal.Safe(ex.Provider), what, terminal.Safe(ex.Verdict.Hint)))
}

// A missed counts the events of streams that the app was not there for. Webhooks are
// sent again by their providers; these by nobody, unless the user does.
type missed struct {
	n           int
	first, last uint64 // numbers between which they are
}

// add takes in what became of ex, and says how to send what was missed once the app is
// back.
func (m *missed) add(ex *recorder.Exchange, errs *terminal.Terminal) {
	switch {
	case ex.Origin != recorder.Stream:
	case ex.Outcome == recorder.Unreachable:
		if m.n == 0 {
			m.first, m.last = ex.Seq, ex.Seq
		}
		m.n++
		m.first, m.last = min(m.first, ex.Seq), max(m.last, ex.Seq)
	case m.n > 0:
		m.tell(errs)
		m.n = 0
	}
}

func (m *missed) tell(errs *terminal.Terminal) {
	if m.n > 0 {
		errs.Hint(fmt.Sprintf("the app was not there for %s of a stream, which nobody sends again; this does: devhook replay --filter 'origin:stream outcome:unreachable seq:%d..%d'",
			countOf(m.n, "event", "events"), m.first, m.last))
	}
}
