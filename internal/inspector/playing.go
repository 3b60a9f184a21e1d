package inspector

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"devhook/internal/livesession"
	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
)

// How long a LIVE is that is made up, in minutes: at most, which is some 15 MB that are
// made in a second, and if nothing is said.
const mostMinutes, usualMinutes = 4 * 60, 30

// mostFailures is of how many events an answer tells that they went wrong.
const mostFailures = 20

// A sessionRequest is a LIVE that is made up.
type sessionRequest struct {
	Kind    string  `json:"kind"` // tiktok-live
	Seed    *uint64 `json:"seed"`
	Minutes *int    `json:"minutes"`
	Start   string  `json:"start"`
	Speed   string  `json:"speed"` // 60x, max
	sendingTo
	DryRun bool `json:"dry_run"`
}

// made returns the events of the session that req asks for, and how fast it passes.
func (in *Inspector) made(req sessionRequest) (events []livesession.Event, speed float64, err error) {
	o := livesession.Options{Seed: 1, Length: usualMinutes * time.Minute}
	if req.Seed != nil {
		o.Seed = *req.Seed
	}
	if req.Kind != "tiktok-live" {
		return nil, 0, &Error{http.StatusBadRequest, "kind is not tiktok-live, and there is no other", ""}
	}
	if n := req.Minutes; n != nil {
		if *n < 1 || *n > mostMinutes {
			return nil, 0, &Error{http.StatusBadRequest, fmt.Sprintf("minutes is no number from 1 to %d", mostMinutes), "devhook session plays a whole day"}
		}
		o.Length = time.Duration(*n) * time.Minute
	}
	o.Start, err = in.when("start", req.Start, in.o.Now())
	if err == nil {
		speed, err = replay.ParseSpeed(cmp.Or(req.Speed, "max"))
	}
	if err != nil {
		return nil, 0, err
	}
	return livesession.New(o), speed, nil
}

// A failedEvent is one that was not answered 2xx.
type failedEvent struct {
	ID     recorder.ID `json:"id"`
	Seq    uint64      `json:"seq"`
	Status int         `json:"status,omitempty"`
	Detail string      `json:"detail,omitempty"`
}

// session sends the events of a LIVE, and answers what happened in it once all were sent.
func (in *Inspector) session(r *http.Request, req sessionRequest) (any, error) {
	events, speed, err := in.made(req)
	timeout, within, err2 := req.times()
	if err := cmp.Or(err, err2); err != nil {
		return nil, err
	}
	if req.DryRun {
		return shownSession(events), nil
	}
	answer := struct {
		livesession.Totals
		Sent     int           `json:"sent"`
		Failed   int           `json:"failed"`
		Failures []failedEvent `json:"failures,omitempty"` // the first of them
		TimedOut bool          `json:"timed_out"`
	}{Totals: livesession.Sum(events)}
	to, err := in.appNamed(req.To)
	if err != nil {
		return nil, err
	}
	path, to := trial.Handler(to)
	p, aimed := replay.Plan{Origin: recorder.Trigger, To: to, Timeout: timeout, Sign: replay.SignNever}, false
	send := func(ctx context.Context, ex *recorder.Exchange) (*recorder.Exchange, error) {
		if path != "" {
			root, _ := recorder.SplitURL(ex.Request.URL)
			ex.Request.URL = root + path
		}
		p.Source = ex
		if !aimed { // they all go the same way
			if err := in.aim(&p, in.mayAim(r)); err != nil {
				return nil, err
			}
			aimed = true
		}
		return in.o.Send(ctx, p)
	}
	ctx, end, err := in.long(r, within)
	if err != nil {
		return nil, err
	}
	defer end()
	err = trial.Play(ctx, events, speed, send, func(n int, done *recorder.Exchange) {
		answer.Sent = n
		status := trial.Status(done)
		if status >= 200 && status <= 299 {
			return
		}
		if answer.Failed++; answer.Failed <= mostFailures {
			answer.Failures = append(answer.Failures, failedEvent{done.ID, done.Seq, status, done.Detail})
		}
	})
	answer.TimedOut, err = late(ctx, err)
	return answer, err
}

// shownSession is the answer of what would be sent.
func shownSession(events []livesession.Event) any {
	type event struct {
		At   int64           `json:"at_ns"` // after the start
		Type string          `json:"type"`
		Body json.RawMessage `json:"body"`
	}
	answer := struct {
		livesession.Totals
		List []event `json:"list"`
	}{Totals: livesession.Sum(events), List: []event{}}
	for _, e := range events {
		answer.List = append(answer.List, event{int64(e.At), e.Type, e.Body()})
	}
	return answer
}
