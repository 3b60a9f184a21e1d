package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"
)

// sendOrShow sends all that sources gives, after it was edited, or shows it in a
// dry run.
func (s *sending) sendOrShow(sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin) error {
	if s.c.Bool("when-ready") && !s.c.Bool("dry-run") {
		if err := s.awaitApp(s.c.Context, sources, origin, false); err != nil {
			return err
		}
	}
	if s.c.IsSet("watch") && !s.c.Bool("dry-run") {
		return s.loop(sources, origin)
	}
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
	going, stop := context.WithCancel(ctx)
	defer stop()
	defer onInterrupts(stop, cancel)() // the first ends the sending, the second what is under way

	// What is sent is garbage soon, and little is not: collected less often, it takes a
	// tenth less of the processor, for some MB.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	s.began = s.p.now()
	told := make(chan sent, maxUntold)
	var teller, wg sync.WaitGroup
	teller.Go(func() { s.tellAll(told) })
	jobs := make(chan job)
	workers := 0 // as many as there was work for at once
	work := func(j job) {
		for ok := true; ok; j, ok = <-jobs {
			if s.broken() != nil { // since it was handed over
				continue
			}
			if err := s.one(ctx, j, origin, told); err != nil {
				s.breakOff(err)
			}
		}
	}
	if s.plans.speed > 0 || s.plans.every > 0 {
		s.apps.Catalog.Load() // or the first would have it done, and be late
	}
	pace := pace{schedule: s.plans, now: s.p.now}
	var firstErr error
	stopped := false // before all was handed over
	for j, err := range s.jobs(sources) {
		if err != nil {
			firstErr = err
			break
		}
		if stopped = !pace.wait(going, j); stopped {
			break
		}
		if s.broken() != nil {
			break
		}
		select {
		case jobs <- j:
			continue
		default:
		}
		if workers < s.plans.concurrency {
			workers++
			wg.Go(func() { work(j) })
			continue
		}
		select {
		case jobs <- j:
			continue
		case <-going.Done():
			stopped = true
		}
		break
	}
	close(jobs)
	wg.Wait()
	close(told)
	teller.Wait()
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case s.broken() != nil:
		return s.broken()
	case firstErr != nil:
		return firstErr
	}
	return s.result(stopped)
}

// onInterrupts calls each of the functions at one interrupt after the other. done
// leaves interrupts to the system again.
func onInterrupts(calls ...func()) (done func()) {
	signals := make(chan os.Signal, len(calls))
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	over := make(chan struct{})
	go func() {
		for _, call := range calls {
			select {
			case <-signals:
				call()
			case <-over:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(over)
	}
}

// A sent is a webhook that was sent, and may not be durable yet.
type sent struct {
	job
	plan   replay.Plan
	done   *recorder.Exchange
	lent   bool // the running up has sent it, and it is durable
	commit recorder.Commit
}

// maxUntold bounds what was sent and is not told of yet, because its sync is waited
// for: one sync serves many.
const maxUntold = 4096

// one sends one webhook, and has told tell of it. The error is why nothing more
// can be sent.
func (s *sending) one(ctx context.Context, j job, origin recorder.Origin, told chan<- sent) error {
	plan, err := s.plan(j.ex, origin, j.round)
	if err != nil {
		return err
	}
	done, lent, err := s.lend(ctx, plan, false)
	var commit recorder.Commit
	if err == nil && !lent {
		done, commit, err = s.gateway.SendSoon(ctx, plan)
	}
	if failed := new(failure); errors.As(err, &failed) || err != nil && lent {
		return err
	}
	var bad *replay.Error
	if errors.Is(err, replay.ErrTruncated) && s.many { // is no reason to leave out the others
		s.mu.Lock()
		defer s.mu.Unlock()
		s.skipped++
		s.errs.Warning(err.Error())
		return nil
	}
	if errors.As(err, &bad) {
		return err
	}
	if err != nil {
		return storeFailure(err)
	}
	told <- sent{j, plan, done, lent, commit}
	return nil
}

// tellEvery is how long what was sent is gathered before a sync is waited for, once
// there are many.
const tellEvery = 20 * time.Millisecond

// tellAll tells of all that told gives.
func (s *sending) tellAll(told <-chan sent) {
	for d := range told {
		if s.many || s.total > manySent {
			time.Sleep(tellEvery)
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
	if !d.lent {
		if err := d.commit.Wait(context.Background()); err != nil {
			return storeFailure(err)
		}
	}
	done := d.done
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	if done.Outcome == recorder.Answered {
		s.answered++
	} else {
		s.last = done.Detail
	}
	s.warnUnsigned(done, d.plan)
	why := s.expect.Check(done, d.ex)
	quiet := s.out.Lasts() && s.sent > manySent && why == "" && done.Outcome == recorder.Answered && done.Response.Status < 400
	if !quiet || s.c.Bool("json") {
		s.progress(true)
	}
	switch {
	case s.c.Bool("json"):
		if err := s.p.printJSON(s.store, done); err != nil {
			return storeFailure(err)
		}
	case quiet:
	default:
		s.out.Exchange(done)
		if err := wrote(s.out.Err()); err != nil {
			return err
		}
	}
	if r := done.Response; r != nil && s.sent == 1 {
		if hint := s.misplaced(d.ex, d.plan.Origin, strconv.Itoa(r.Status)); hint != "" {
			s.errs.Hint(hint)
		}
	}
	if why != "" {
		s.failed++
		s.errs.Printf("%s #%d: %s", s.errs.Bad("devhook: not as expected:"), done.Seq, terminal.Safe(why))
	}
	entry := checkedOf(done, d.ex, why)
	if s.baseline != nil {
		entry.why = s.compareToBaseline(done, d.ex)
	}
	if s.junit != "" {
		s.reported = append(s.reported, entry)
	}
	if s.sent > manySent {
		s.progress(false)
	}
	return nil
}

// progress shows the bar, at most some times a second, or takes it away. mu is held.
func (s *sending) progress(away bool) {
	switch now := s.p.now(); {
	case away:
		s.errs.Progress("")
		s.shown = time.Time{}
	case now.Sub(s.shown) > 100*time.Millisecond:
		s.errs.Progress(s.bar())
		s.shown = now
	}
}

// manySent is from how many on only trouble gets a line on a screen, and a count
// tells of the rest.
const manySent = 20

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
	s.errs.Warning(fmt.Sprintf("%s %s: %v; %s", id, what, err, hint))
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
	if s.junit != "" {
		if err := writeJUnit(s.junit, "devhook "+s.c.Command.Name, s.reported); err != nil {
			return err
		}
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
