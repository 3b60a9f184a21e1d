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
	acts, renews := false, true // renews: an id of its own makes a delivery a new one to the handler
	there := false              // the handler answered to the last variant
	var lost error              // why the effects could not be counted lately
	c := counter{t: t}
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	for _, v := range list {
		if err := ctx.Err(); err != nil {
			return all, err
		}
		s, skipped, err := a.build(v, t.Now())
		if err != nil {
			return all, err
		}
		r := Result{Variant: v, Skipped: skipped, Effects: Unknown}
		if skipped == "" {
			answers, err := send(ctx, t, v, s)
			if err = cmp.Or(err, ctx.Err()); err != nil { // whose answer was cut off tells nothing of the app
				return all, err
			}
			if len(all) == 0 && answers[0].Status == 0 {
				return all, fmt.Errorf("%w: %s", ErrUnreachable, answers[0].Detail)
			}
			// What counts is mostly a part of the app, and ends with it. That is a finding:
			// what cannot be counted is an error only if the app is there.
			effects := Unknown
			if there = answers[0].Status > 0; lost == nil {
				effects, lost = c.effects(ctx, s)
			} else if there {
				if lost = c.again(ctx); lost != nil {
					return all, lost
				}
			}
			if lost != nil && !errors.As(lost, new(*EffectsError)) {
				return all, lost
			}
			r = judge(v, s, answers, effects, acts && (renews || !v.decoy))
			if r.Note == v.refusedNote && refusesAll(all) { // as it does all that is right
				r.Note = ""
			}
			acts = acts || effects > 0 && (s.Want == Accept || s.Want == Once)
			if s.Want == Once && !v.decoy && effects == 0 {
				renews = false
			}
		}
		all = append(all, r)
		each(r)
	}
	if lost != nil && there {
		return all, lost
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

// A counter follows the effects of a handler, which may answer first and act later.
type counter struct {
	t     Target
	last  int
	looks int  // without a change, after which nothing more is expected
	acted bool // something right was waited for
}

const (
	settlePause = 60 * time.Millisecond
	calmLooks   = 2  // of a handler that acts before it answers
	firstLooks  = 40 // at most, for the first effect of all
	mostLooks   = 100
)

func (c *counter) begin(ctx context.Context) error {
	c.looks, c.t.Pause = calmLooks, cmp.Or(c.t.Pause, settlePause)
	return c.again(ctx)
}

// again counts from what there is now.
func (c *counter) again(ctx context.Context) (err error) {
	if c.t.Effects != nil {
		c.last, err = c.t.Effects(ctx)
	}
	return err
}

// effects returns how many there were of s, once their number does not change any
// more. The first that is right is waited for longer; from when it has acted follows
// how long the others are waited for, so that what one does late is not taken for the
// doing of the next.
func (c *counter) effects(ctx context.Context, s Shot) (int, error) {
	if c.t.Effects == nil {
		return Unknown, nil
	}
	before, calm := c.last, 0
	want := c.looks
	if right := s.Want == Accept || s.Want == Once; right && !c.acted {
		want, c.acted = firstLooks, true
	} else if s.Want == Once {
		want *= 4
	}
	for i := range mostLooks {
		n, err := c.t.Effects(ctx)
		if err != nil {
			return Unknown, err
		}
		if calm++; n != c.last {
			c.looks = min(max(c.looks, calmLooks+i*3/2), firstLooks)
			c.last, calm, want = n, 0, c.looks
		}
		if calm >= want {
			break
		}
		select {
		case <-ctx.Done():
			return Unknown, ctx.Err()
		case <-time.After(c.t.Pause):
		}
	}
	return c.last - before, nil
}
