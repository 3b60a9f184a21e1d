package inspector

import (
	"context"
	"time"

	"devhook/recorder"
	"devhook/replay"
)

// A travel is what shift_time and fresh_ids do to a session: all of it is moved by one span
// of time, and has one set of new ids.
type travel struct {
	by    time.Duration
	moved bool
	ids   []*replay.Fresh // of each round; none: ids stay
}

// A replayJob is one recording in one round.
type replayJob struct {
	source *recorder.Exchange
	round  int           // how often it is sent before
	after  time.Duration // the beginning, at the speed of the recording
}

// jobs are all that is to be sent, round after round.
func (req replaysRequest) jobs(sources []*recorder.Exchange) (list []replayJob) {
	for round := range req.Repeat {
		for _, source := range sources {
			list = append(list, replayJob{source, round, source.At.Sub(sources[0].At) + time.Duration(round)*period(sources)})
		}
	}
	return list
}

// period is how long a round takes, with the pause before the next: that of the last two.
func period(sources []*recorder.Exchange) time.Duration {
	oldest, newest := span(sources)
	d := newest.Sub(oldest)
	if n := len(sources); n > 1 {
		d += max(0, sources[n-1].At.Sub(sources[n-2].At))
	}
	return d
}

// travel looks at the whole session, which was recorded in the order of sources, oldest
// first.
func (in *Inspector) travel(ctx context.Context, req replaysRequest, sources []*recorder.Exchange, seed uint64) (t travel, err error) {
	if t.moved = req.ShiftTime != ""; t.moved {
		_, newest := span(sources)
		var lasts time.Duration
		if req.speed > 0 {
			lasts = req.lasts(sources)
		}
		if t.by, err = replay.ParseSpan(req.ShiftTime, in.o.Now(), newest, lasts); err != nil {
			return t, prefixed("shift_time: ", err)
		}
	}
	if !req.FreshIDs {
		return t, nil
	}
	ids := &replay.Fresh{Seed: seed}
	for _, source := range sources {
		ex, err := in.open(refTo(source))
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return t, err
		}
		ids.Note(&ex.Request, ex.DeliveryID)
	}
	for round := range req.Repeat {
		t.ids = append(t.ids, ids.Again(uint64(round)))
	}
	return t, nil
}

// span is when the first of sources came, and the last.
func span(sources []*recorder.Exchange) (oldest, newest time.Time) {
	oldest, newest = sources[0].At, sources[0].At
	for _, ex := range sources {
		if ex.At.After(newest) {
			newest = ex.At
		}
		if ex.At.Before(oldest) {
			oldest = ex.At
		}
	}
	return oldest, newest
}

// lasts is how long the pauses are that sources are sent with.
func (req replaysRequest) lasts(sources []*recorder.Exchange) time.Duration {
	if req.speed > 0 {
		oldest, newest := span(sources)
		return time.Duration(float64(newest.Sub(oldest)+time.Duration(req.Repeat-1)*period(sources)) / req.speed)
	}
	return time.Duration(len(sources)*req.Repeat-1) * req.every
}

// changes move ex in a round.
func (t travel) changes(ex *recorder.Exchange, round int) (list []replay.Mutation) {
	if t.ids != nil {
		list = t.ids[round].Of(&ex.Request)
	}
	if t.moved {
		list = append(list, replay.Shift(t.by, ex.At))
	}
	return list
}
