package main

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"runtime/debug"
	"sync"
	"time"

	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
)

// sendOrShow sends all that sources gives, after it was edited, or shows it in a
// dry run.
func (s *sending) sendOrShow(sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin) error {
	if s.c.Bool("when-ready") && !s.c.Bool("dry-run") {
		if err := s.awaitApp(s.c.Context, sources, false); err != nil {
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
	var teller sync.WaitGroup
	over := make(chan struct{}) // all is sent
	teller.Go(func() { s.tellAll(told, over) })
	workers := crew{jobs: make(chan job), most: s.plans.concurrency, work: func(j job) {
		if s.broken() != nil { // since it was handed over
			return
		}
		if err := s.one(ctx, j, origin, told); err != nil {
			s.breakOff(err)
		}
	}}
	if s.plans.paced() {
		s.apps.Catalog.Load() // or the first would have it done, and be late
	}
	pace := s.plans.Pace
	var started time.Time
	var firstErr error
	stopped := false // before all was handed over
	for j, err := range s.jobs(sources) {
		if err != nil {
			firstErr = err
			break
		}
		if started.IsZero() {
			started = s.p.now()
		}
		if s.plans.paced() {
			trial.Until(going, started.Add(pace.Due(j.ex.At, j.round)))
		}
		if stopped = going.Err() != nil; stopped {
			break
		}
		if s.broken() != nil {
			break
		}
		if stopped = !workers.take(going, j); stopped {
			break
		}
	}
	workers.end()
	close(over)
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

// A crew does jobs with as many workers as there was work for at once, and no more than most.
type crew struct {
	most int
	work func(job)
	jobs chan job
	has  int // so many workers
	wg   sync.WaitGroup
}

// take hands j to a worker. It reports false if ctx ended before one was free.
func (c *crew) take(ctx context.Context, j job) bool {
	select {
	case c.jobs <- j:
		return true
	default:
	}
	if c.has < c.most {
		c.has++
		c.wg.Go(func() {
			for ok := true; ok; j, ok = <-c.jobs {
				c.work(j)
			}
		})
		return true
	}
	select {
	case c.jobs <- j:
		return true
	case <-ctx.Done():
		return false
	}
}

// end returns when all is done. Nothing is taken after it.
func (c *crew) end() {
	close(c.jobs)
	c.wg.Wait()
}

// onInterrupts calls each of the functions at one interrupt after the other. done
// leaves interrupts to the system again.
func onInterrupts(calls ...func()) (done func()) {
	signals, stop := interrupts(len(calls), nil)
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
		stop()
		close(over)
	}
}

// A sent is a webhook that was sent, and may not be durable yet.
type sent struct {
	job
	plan replay.Plan
	done *recorder.Exchange
	kept *recorder.Deferred // nil: the running up has sent it, and it is durable
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
	var kept *recorder.Deferred
	if err == nil && !lent {
		done, kept, err = s.gateway.SendSoon(ctx, plan)
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
	told <- sent{j, plan, done, kept}
	return nil
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
