package inspector

import (
	"context"
	"slices"
	"time"

	"devhook/recorder"
	"devhook/replay"
)

// A travel is what shift_time and fresh_ids do to a session: all of it is moved by one span
// of time, and has one set of new ids.
type travel struct {
	by    time.Duration
	moved bool
	ids   *replay.Fresh // nil: ids stay
}

// A replayJob is one recording in one round.
type replayJob struct {
	source *recorder.Exchange
	round  int // how often it is sent before
}

// jobs are all that is to be sent, round after round.
func (req replaysRequest) jobs(sources []*recorder.Exchange) (list []replayJob) {
	for round := range req.Repeat {
		for _, source := range sources {
			list = append(list, replayJob{source, round})
		}
	}
	return list
}

// lasts is how long the pauses are that jobs are sent with.
func (req replaysRequest) lasts(jobs []replayJob) (last time.Duration) {
	for _, job := range jobs {
		last = max(last, req.pace.Due(job.source.At, job.round))
	}
	return last
}

// travel looks at the whole session.
func (in *Inspector) travel(ctx context.Context, req replaysRequest, jobs []replayJob, seed uint64) (t travel, err error) {
	if t.moved = req.ShiftTime != ""; t.moved {
		newest := slices.MaxFunc(jobs, func(a, b replayJob) int { return a.source.At.Compare(b.source.At) }).source.At
		var lasts time.Duration
		if req.pace.Speed > 0 {
			lasts = req.lasts(jobs)
		}
		if t.by, err = replay.ParseSpan(req.ShiftTime, in.o.Now(), newest, lasts); err != nil {
			return t, prefixed("shift_time: ", err)
		}
	}
	if !req.FreshIDs {
		return t, nil
	}
	t.ids = &replay.Fresh{Seed: seed}
	for _, job := range jobs[:len(jobs)/req.Repeat] {
		ex, err := in.open(refTo(job.source))
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return t, err
		}
		p, _ := in.o.Catalog().Lookup(ex.Provider)
		t.ids.Note(&ex.Request, ex.DeliveryID, p.IDPrefix())
	}
	return t, nil
}

// changes move ex in a round.
func (t travel) changes(ex *recorder.Exchange, round int) (list []replay.Mutation) {
	if t.ids != nil {
		list = t.ids.Of(&ex.Request, round)
	}
	if t.moved {
		list = append(list, replay.Shift(t.by, ex.At))
	}
	return list
}
