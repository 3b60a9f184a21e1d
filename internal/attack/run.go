package attack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"devhook/recorder"
)

// A Target is the handler that is attacked.
type Target struct {
	// Send sends req, which is of the variant v, as it is. An error ends the
	// attack; a handler that does not answer is none, but an [Answer].
	Send func(ctx context.Context, v Variant, req recorder.Request) (Answer, error)
	// Effects counts what the handler has done so far; nil: nobody counts.
	Effects func(ctx context.Context) (int, error)
	// Pause is between two looks at the effects: handlers that answer first act a
	// little later. 0 means 60 ms.
	Pause time.Duration
	Now   func() time.Time
}

// ErrUnreachable means that the handler did not answer to the first variant.
var ErrUnreachable = errors.New("the app did not answer")

// Run sends the variants one after the other, and calls each with what became of
// every one. It returns an error if nothing could be sent ([ErrUnreachable]), if
// Send or Effects has one, and when ctx ends.
func (a *Attack) Run(ctx context.Context, t Target, list []Variant, each func(Result)) ([]Result, error) {
	var all []Result
	before := Unknown
	if t.Effects != nil {
		var err error
		if before, err = t.Effects(ctx); err != nil {
			return nil, err
		}
	}
	for _, v := range list {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		s, skipped, err := a.Build(v, t.Now())
		if err != nil {
			return all, err
		}
		r := Result{Variant: v, Skipped: skipped, Effects: Unknown}
		if skipped == "" {
			answers, err := send(ctx, t, v, s)
			if err != nil {
				return all, err
			}
			if len(all) == 0 && answers[0].Status == 0 {
				return all, fmt.Errorf("%w: %s", ErrUnreachable, answers[0].Detail)
			}
			effects := Unknown
			if t.Effects != nil {
				now, err := settled(ctx, t, before, s)
				if err != nil {
					return all, err
				}
				effects, before = now-before, now
			}
			r = Judge(v, s, answers, effects)
		}
		all = append(all, r)
		each(r)
	}
	return all, nil
}

func send(ctx context.Context, t Target, v Variant, s Shot) ([]Answer, error) {
	answers := make([]Answer, len(s.Requests))
	errs := make([]error, len(s.Requests))
	var wg sync.WaitGroup
	for i, req := range s.Requests {
		one := func() { answers[i], errs[i] = t.Send(ctx, v, req) }
		if s.Together {
			wg.Go(one)
			continue
		}
		if one(); errs[i] != nil {
			break
		}
	}
	wg.Wait()
	return answers, errors.Join(errs...)
}

const (
	settlePause = 60 * time.Millisecond
	settleTries = 40 // looks at most
)

// settled returns the number of effects once it does not change any more. Of what
// has to have an effect, one is waited for a while.
func settled(ctx context.Context, t Target, before int, s Shot) (int, error) {
	last, calm, pause := before, 0, cmp.Or(t.Pause, settlePause)
	for i := range settleTries {
		n, err := t.Effects(ctx)
		if err != nil {
			return 0, err
		}
		if n == last {
			calm++
		} else {
			last, calm = n, 0
		}
		if calm >= 2 && (s.Want != Once || last > before) || calm >= 8 || i == settleTries-1 {
			break
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pause):
		}
	}
	return last, nil
}
