package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// sendOrShow sends all that sources gives, after it was edited, or shows it in a
// dry run.
func (s *sending) sendOrShow(sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin) error {
	if err := s.settleTravel(sources); err != nil {
		return err
	}
	done, err := s.edited(sources)
	switch {
	case err != nil:
	case s.c.Bool("dry-run"):
		err = s.dryRun(sources, origin)
	default:
		err = s.send(sources, origin)
	}
	if err == nil || explain(err).code != 2 {
		err = cmp.Or(s.keepRecipe(), err)
	}
	done(err)
	return err
}

// send sends all that sources gives, and returns the failure that it comes to.
func (s *sending) send(sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.c.Context))
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	stopped := make(chan struct{})
	done := make(chan struct{})
	defer close(done)
	go func() { // the first ends the sending, the second what is under way
		select {
		case <-signals:
			close(stopped)
		case <-done:
			return
		}
		select {
		case <-signals:
			cancel()
		case <-done:
		}
	}()

	room := make(chan struct{}, s.c.Int("concurrency"))
	var wg sync.WaitGroup
	var firstErr error
	for round := range s.c.Int("repeat") {
		for ex, err := range sources {
			if err != nil {
				firstErr = err
				break
			}
			select {
			case room <- struct{}{}:
			case <-stopped:
			}
			if isClosed(stopped) || s.broken() != nil {
				break
			}
			wg.Go(func() {
				defer func() { <-room }()
				if err := s.one(ctx, ex, origin, round); err != nil {
					s.breakOff(err)
				}
			})
		}
		if firstErr != nil || isClosed(stopped) || s.broken() != nil {
			break
		}
	}
	wg.Wait()
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case s.broken() != nil:
		return s.broken()
	case firstErr != nil:
		return firstErr
	}
	return s.result(isClosed(stopped))
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// one sends one webhook and prints what became of it. The error is why nothing
// more can be sent.
func (s *sending) one(ctx context.Context, ex *recorder.Exchange, origin recorder.Origin, round int) error {
	plan, err := s.plan(ex, origin, round)
	if err != nil {
		return err
	}
	done, lent, err := s.lend(ctx, plan, false)
	if err == nil && !lent {
		done, err = s.gateway.Send(ctx, plan)
	}
	if failed := new(failure); errors.As(err, &failed) || err != nil && lent {
		return err
	}
	var bad *replay.Error
	if errors.Is(err, replay.ErrTruncated) && s.many { // is no reason to leave out the others
		s.mu.Lock()
		defer s.mu.Unlock()
		s.skipped++
		s.errs.Printf("%s %s", s.errs.Warn("devhook: warning:"), terminal.Safe(err.Error()))
		return nil
	}
	if errors.As(err, &bad) {
		return err
	}
	if err != nil {
		return storeFailure(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	if done.Outcome == recorder.Answered {
		s.answered++
	} else {
		s.last = done.Detail
	}
	s.errs.Progress("")
	s.warnUnsigned(done, plan)
	why := s.expect.Check(done, ex)
	switch {
	case s.c.Bool("json"):
		if err := s.p.printJSON(s.store, done); err != nil {
			return storeFailure(err)
		}
	case s.out.Lasts() && s.sent > manySent && why == "" && done.Outcome == recorder.Answered && done.Response.Status < 400:
	default:
		s.out.Exchange(done)
		if err := wrote(s.out.Err()); err != nil {
			return err
		}
	}
	if why != "" {
		s.failed++
		s.errs.Printf("%s #%d: %s", s.errs.Bad("devhook: not as expected:"), done.Seq, terminal.Safe(why))
	}
	if s.sent > manySent {
		s.errs.Progress(s.tally())
	}
	return nil
}

// manySent is from how many on only trouble gets a line on a screen, and a count
// tells of the rest.
const manySent = 20

// tally says how many were sent, and what became of them. mu is held.
func (s *sending) tally() string {
	text := fmt.Sprintf("%d sent: %d answered", s.sent, s.answered)
	if s.total > 0 {
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
	if plan.Sign != replay.SignAuto || id == "" || s.unsigned[id] || s.lent(id) {
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
	s.errs.Printf("%s %s %s: %v; %s", s.errs.Warn("devhook: warning:"), terminal.Safe(id), what, err, terminal.Safe(hint))
}

// breakOff notes why nothing more can be sent.
func (s *sending) breakOff(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stop == nil {
		s.stop = err
	}
}

func (s *sending) broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop
}

// result says what became of all, and returns the failure that it comes to.
func (s *sending) result(interrupted bool) error {
	s.errs.Progress("")
	if s.sent > 1 || interrupted {
		s.total = 0
		s.errs.Printf("%s", s.tally())
	}
	switch {
	case s.sent > 0 && s.answered == 0:
		f := &failure{code: 4, text: "the app did not answer: " + s.last}
		if s.last == "connection refused" {
			f.hint = "start the app, or name another with --to"
		}
		return f
	case s.answered < s.sent:
		return &failure{code: 1, text: fmt.Sprintf("%d of %d were not answered", s.sent-s.answered, s.sent)}
	case s.failed > 0:
		return &failure{code: 1, text: fmt.Sprintf("%d of %d answers were not as expected", s.failed, s.sent)}
	case s.skipped > 0:
		return &failure{code: 1, text: fmt.Sprintf("%d could not be sent", s.skipped)}
	case interrupted:
		return &failure{code: 1, text: "interrupted before all was sent"}
	case s.sent == 0:
		return &failure{code: 2, text: "nothing fits the filter: nothing was sent", hint: "devhook list shows what there is"}
	}
	return nil
}
