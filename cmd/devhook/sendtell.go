package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// tellEvery is how long what was sent is gathered before a sync is waited for, once
// there are many.
const tellEvery = 20 * time.Millisecond

// tellAll tells of all that told gives; it gathers no more once over is closed.
func (s *sending) tellAll(told <-chan sent, over <-chan struct{}) {
	for d := range told {
		if s.many || s.total > manySent {
			select {
			case <-time.After(tellEvery):
			case <-over:
			}
		}
		for n := len(told); ; n-- { // of these, the first waits for the others, too
			if err := s.tell(d); err != nil {
				s.breakOff(err)
			}
			if n == 0 {
				break
			}
			d = <-told
		}
	}
}

// tell prints what became of one webhook, once it is on the disk.
func (s *sending) tell(d sent) error {
	done := d.done
	if d.kept != nil {
		var err error
		if done.Seq, err = d.kept.Wait(context.Background()); err != nil {
			return storeFailure(err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	if done.Outcome == recorder.Answered {
		s.answered++
	} else {
		s.last = done.Detail
	}
	s.warnUnsigned(done, d.plan)
	s.warnEvents(done, d.plan)
	why := s.expect.Check(done, d.ex)
	if err := s.print(done, why == ""); err != nil {
		return err
	}
	if r := done.Response; r != nil && s.sent == 1 && (why != "" || !s.c.IsSet("expect")) {
		if hint := s.misplaced(d.ex, d.plan.Origin, strconv.Itoa(r.Status)); hint != "" {
			s.errs.Hint(hint)
		}
	}
	if why != "" {
		s.failed++
		s.errs.Printf("%s #%d: %s", s.errs.Bad("devhook: not as expected:"), done.Seq, s.quoting(why, done))
	}
	if s.baseline != nil || s.junit != "" {
		s.note(done, d.ex, why)
	}
	if s.sent > manySent {
		s.progress(false)
	}
	return nil
}

// note compares done with the baseline and keeps it for the report. why is why it is not as
// expected. mu is held.
func (s *sending) note(done, source *recorder.Exchange, why string) {
	entry := checkedOf(done, source, why)
	if s.baseline != nil {
		if entry.why = s.compareToBaseline(done, source); entry.why != "" {
			entry.said = said(done)
		}
	}
	if s.junit != "" {
		s.reported = append(s.reported, entry)
	}
}

// print prints what became of one, expected or not; on a screen, of many only those with
// which there is trouble. mu is held.
func (s *sending) print(done *recorder.Exchange, expected bool) error {
	if s.c.Bool("json") {
		s.progress(true)
		return storeFailure(s.p.printJSON(s.store, done))
	}
	if s.out.Lasts() && s.sent > manySent && expected && done.Outcome == recorder.Answered && done.Response.Status < 400 {
		return nil
	}
	s.progress(true)
	s.out.Exchange(done)
	return wrote(s.out.Err())
}

// quoting is why an answer is wrong, and what it says, unless the line of the exchange has that.
func (s *sending) quoting(why string, done *recorder.Exchange) string {
	if text := said(done); text != "" && (s.c.Bool("json") || done.Response.Status < 400) {
		why += "; it said: " + text
	}
	return terminal.Safe(why)
}

// manySent is from how many on only trouble gets a line on a screen, and a count
// tells of the rest.
const manySent = 20

// progress shows the bar, at most some times a second, or takes it away. mu is held.
func (s *sending) progress(away bool) {
	if !s.errs.Lasts() {
		return
	}
	switch now := s.p.now(); {
	case away:
		s.errs.Progress("")
		s.shown = time.Time{}
	case now.Sub(s.shown) > 100*time.Millisecond:
		s.errs.Progress(s.bar())
		s.shown = now
	}
}

// bar shows how much is done of what is known, and how long the rest takes at the
// speed so far. mu is held.
func (s *sending) bar() string {
	text := s.tally()
	done, took := s.sent+s.skipped, s.p.now().Sub(s.began)
	if took < time.Second || done == 0 {
		return text
	}
	perSecond := float64(done) / took.Seconds()
	text += fmt.Sprintf(", %.0f/s", perSecond)
	if left := s.total - done; s.total > 0 && left >= 0 {
		const width = 20
		full := width * done / s.total
		text = "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "] " + text
		if s.plans.Speed == 0 { // else the recordings say how long it takes
			text += fmt.Sprintf(", %v left", time.Duration(float64(left)/perSecond*float64(time.Second)).Round(time.Second))
		}
	}
	return text
}

// tally says how many were sent, and what became of them. mu is held.
func (s *sending) tally() string {
	text := fmt.Sprintf("%d sent: %d answered", s.sent, s.answered)
	if s.total > 0 && s.sent+s.skipped < s.total {
		text = fmt.Sprintf("%d of %d sent: %d answered", s.sent, s.total, s.answered)
	}
	if n := s.sent - s.answered; n > 0 {
		text += fmt.Sprintf(", %d not", n)
	}
	if s.skipped > 0 {
		text += fmt.Sprintf("; %d left out", s.skipped)
	}
	if s.failed > 0 {
		text += fmt.Sprintf("; %d not as expected", s.failed)
	}
	return text
}

// warnUnsigned says once of each provider that its webhooks were not signed
// anew. mu is held.
func (s *sending) warnUnsigned(done *recorder.Exchange, plan replay.Plan) {
	id := plan.Source.Provider
	if plan.Sign != replay.SignAuto || id == "" || done.Request.Proto == recorder.ProtoStream || s.unsigned[id] || s.lent(id) {
		return
	}
	p, ok := s.cfg.Catalog().Lookup(id)
	if !ok {
		return
	}
	hint, err := p.CheckSign(s.keys.all[p.ID])
	if err == nil && done.Request.Size > verify.MaxBody {
		hint, err = "its recorded signature is sent", errors.New("its body is over 32 MiB")
	}
	if err == nil {
		return
	}
	if s.unsigned == nil {
		s.unsigned = map[string]bool{}
	}
	s.unsigned[id] = true
	what := "is not signed anew"
	if plan.Origin == recorder.Trigger {
		what = "is not signed"
	}
	s.errs.Warning(fmt.Sprintf("%s %s: %v; %s", id, what, err, hint))
}

// warnEvents says once of each provider that tells its event in several places that only one
// of them was changed: an app may read the other. mu is held.
func (s *sending) warnEvents(done *recorder.Exchange, plan replay.Plan) {
	if len(plan.Mutations) == 0 {
		return
	}
	p, ok := s.cfg.Catalog().Lookup(plan.Source.Provider)
	if !ok || s.apart[p.ID] {
		return
	}
	names := func(req *recorder.Request) []string {
		m, err := req.Message()
		if err != nil {
			return nil
		}
		return slices.Compact(p.Events(m))
	}
	if was, is := names(&plan.Source.Request), names(&done.Request); len(was) == 1 && len(is) > 1 {
		if s.apart == nil {
			s.apart = map[string]bool{}
		}
		s.apart[p.ID] = true
		s.errs.Warning(fmt.Sprintf("%s tells the event in more than one place, and now they differ: %s; an app may read either: change the other, too (--query, --set, --header)", p.ID, strings.Join(is, ", ")))
	}
}

// result says what became of all, and returns the failure that it comes to.
func (s *sending) result(interrupted bool) error {
	s.errs.Progress("")
	if s.sent > 1 || interrupted {
		s.errs.Printf("%s", s.tally())
	}
	if interrupted {
		s.errs.Printf("the rest: %s", terminal.SafeText(s.resume(s.p.args[1:len(s.p.args)-s.c.NArg()-1], s.c.Args().Slice())))
	}
	if s.baseline != nil {
		if !interrupted && s.plans.skip == 0 {
			s.baseline.end()
		}
		s.errs.Printf("%s", s.baseline.summary())
	}
	switch {
	case s.baseline != nil && s.baseline.regressed > 0 && s.answered > 0:
		return &failure{code: 1, text: fmt.Sprintf("%d of %d regressed since the baseline", s.baseline.regressed, s.sent)}
	case s.baseline != nil && s.baseline.newBad > 0 && s.answered > 0:
		return &failure{code: 1, text: fmt.Sprintf("%d of %d are new since the baseline, and wrong", s.baseline.newBad, s.sent)}
	case s.baseline != nil && s.baseline.newBad == 0 && s.answered > 0 && !interrupted && s.skipped == 0: // what failed before, too, is known
		return nil
	case s.sent > 0 && s.answered == 0:
		f := &failure{code: 4, text: "the app did not answer: " + s.last}
		if s.last == "connection refused" {
			f.hint = "start the app, or name another with --to"
		}
		return f
	case s.answered < s.sent:
		return &failure{code: 1, text: fmt.Sprintf("%d of %d were not answered", s.sent-s.answered, s.sent)}
	case s.failed > 0:
		return &failure{code: 1, text: fmt.Sprintf("%d of %s not as expected", s.failed, countOf(s.sent, "answer was", "answers were"))}
	case s.skipped > 0:
		return &failure{code: 1, text: fmt.Sprintf("%d could not be sent", s.skipped)}
	case interrupted:
		return &failure{code: 1, text: "interrupted before all was sent"}
	case s.sent == 0 && s.plans.skip > 0:
		return &failure{code: 2, text: fmt.Sprintf("nothing is left behind the first %d: nothing was sent", s.plans.skip)}
	case s.sent == 0:
		return &failure{code: 2, text: "nothing fits the filter: nothing was sent", hint: "devhook list shows what there is"}
	}
	return nil
}
