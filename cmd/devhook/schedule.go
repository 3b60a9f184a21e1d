package main

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strconv"
	"time"

	"devhook/recorder"
	"devhook/replay"
)

// A schedule says when what is sent is sent, and in which order.
type schedule struct {
	replay.Pace
	concurrency int
	repeat      int
	shuffle     bool
	skip        int // how many are left out at the beginning
}

func (s schedule) paced() bool { return s.Speed > 0 || s.Every > 0 }

// pacedAtOnce is how many may be under way at a given pace, unless --concurrency
// says otherwise: an app that is slow does not hold up the next.
const pacedAtOnce = 64

// readSchedule reads the flags of a schedule.
func (s *sending) readSchedule() (err error) {
	c := s.c
	s.plans = schedule{concurrency: c.Int("concurrency"), repeat: c.Int("repeat"), shuffle: c.Bool("shuffle"), skip: c.Int("skip")}
	if s.plans.Speed, err = parseSpeed(c.String("speed")); err != nil {
		return err
	}
	if text := c.String("rate"); c.IsSet("rate") {
		if s.plans.Every, err = parseRate(text); err != nil {
			return err
		}
	}
	switch {
	case s.plans.Speed > 0 && s.plans.Every > 0:
		return &failure{code: 2, text: "--speed and --rate are two schedules", hint: "give one of them"}
	case s.plans.Speed > 0 && s.plans.shuffle:
		return &failure{code: 2, text: "--shuffle has no original timing", hint: "use --rate, as in --rate 50/s"}
	case s.plans.skip < 0:
		return &failure{code: 2, text: fmt.Sprintf("--skip is %d; the least is 0", s.plans.skip)}
	case s.plans.paced() && !c.IsSet("concurrency"):
		s.plans.concurrency = pacedAtOnce
	}
	return nil
}

func parseRate(text string) (time.Duration, error) {
	every, err := replay.ParseRate(text)
	if err != nil {
		return 0, &failure{code: 2, text: fmt.Sprintf("--rate %q is no rate", text), hint: explain(err).hint, err: err}
	}
	return every, nil
}

// A job is one webhook to be sent.
type job struct {
	ex    *recorder.Exchange
	round int // how often it is sent before
}

// jobs gives all that is to be sent, in order, without what is skipped. Shuffled,
// the order is that of the seed, over all rounds.
func (s *sending) jobs(sources iter.Seq2[*recorder.Exchange, error]) iter.Seq2[job, error] {
	all := s.inOrder
	if s.plans.shuffle {
		all = s.shuffled
	}
	return func(yield func(job, error) bool) {
		n := 0
		for j, err := range all(sources) {
			if n++; n <= s.plans.skip && err == nil {
				continue
			}
			if !yield(j, err) {
				return
			}
		}
	}
}

func (s *sending) inOrder(sources iter.Seq2[*recorder.Exchange, error]) iter.Seq2[job, error] {
	return func(yield func(job, error) bool) {
		for s.round = range s.plans.repeat {
			for ex, err := range sources {
				if !yield(job{ex, s.round}, err) {
					return
				}
			}
		}
	}
}

// shuffled remembers of recordings in the store only their numbers: they may be
// many.
func (s *sending) shuffled(sources iter.Seq2[*recorder.Exchange, error]) iter.Seq2[job, error] {
	return func(yield func(job, error) bool) {
		type place struct {
			seq   uint64
			ex    *recorder.Exchange
			round int
		}
		var places []place
		for ex, err := range sources {
			if err != nil {
				yield(job{}, err)
				return
			}
			p := place{seq: ex.Seq, ex: ex}
			if s.many {
				p.ex = nil
			}
			for p.round = range s.plans.repeat {
				places = append(places, p)
			}
		}
		random := rand.New(rand.NewPCG(s.seed(), 0))
		random.Shuffle(len(places), func(i, k int) { places[i], places[k] = places[k], places[i] })
		for _, p := range places {
			var err error
			if p.ex == nil {
				if p.ex, err = s.store.Get(strconv.FormatUint(p.seq, 10)); err != nil {
					err = storeFailure(err)
				}
			}
			if !yield(job{p.ex, p.round}, err) {
				return
			}
		}
	}
}

// lasts returns how long it takes to send a session that came in so long.
func (s *sending) lasts(span time.Duration) time.Duration {
	if s.plans.Speed == 0 {
		return 0
	}
	return time.Duration(float64(span) / s.plans.Speed)
}
