package inspector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
)

// mostReplayed is how many recordings one request sends again.
const mostReplayed = 1000

// A replaysRequest is what is sent again of what is recorded, oldest first, one after
// the other.
type replaysRequest struct {
	Filter  string          `json:"filter"`
	Changes []string        `json:"changes"`
	Sign    replay.SignMode `json:"sign"`
	FreshID bool            `json:"fresh_id"`
	Speed   string          `json:"speed"` // 1x, 10x, max
	sendingTo
}

// A replayed is what became of one.
type replayed struct {
	Of     recorder.ID `json:"of"`
	ID     recorder.ID `json:"id"`
	Seq    uint64      `json:"seq"`
	Status int         `json:"status,omitempty"`
	Detail string      `json:"detail,omitempty"`
}

// replays sends again all that a filter lets through, and answers what became of them.
// One that cannot be sent ends it.
func (in *Inspector) replays(w http.ResponseWriter, r *http.Request) {
	var req replaysRequest
	if err := decode(r, &req); err != nil {
		in.failed(w, err)
		return
	}
	timeout, within, err := req.times()
	speed, err2 := replay.ParseSpeed(cmp.Or(req.Speed, "max"))
	sources, err3 := in.sources(r.Context(), req.Filter)
	if err := cmp.Or(err, err2, err3); err != nil {
		in.failed(w, err)
		return
	}
	answer := struct {
		V         int               `json:"v"`
		Chosen    int               `json:"chosen"`
		Failed    int               `json:"failed"` // not answered 2xx
		Exchanges []replayed        `json:"exchanges"`
		Unsigned  map[string]string `json:"unsigned,omitempty"` // by provider, why
		TimedOut  bool              `json:"timed_out"`
	}{V: 1, Chosen: len(sources), Exchanges: []replayed{}, Unsigned: map[string]string{}}
	ctx, end, ok := in.long(w, r, within)
	if !ok {
		return
	}
	defer end()
	began := time.Now()
	for _, source := range sources {
		if speed > 0 {
			wait(ctx, time.Until(began.Add(time.Duration(float64(source.At.Sub(sources[0].At))/speed))))
		}
		var plan replay.Plan
		plan, err = in.plan(sendRequest{
			source: refTo(source), To: req.To, Changes: req.Changes, Sign: req.Sign, FreshID: req.FreshID,
		}, recorder.Replay)
		if err == nil {
			err = in.aim(&plan, in.mayAim(r))
		}
		if err = cmp.Or(ctx.Err(), err); err != nil {
			break
		}
		plan.Timeout = timeout
		if why := in.unsigned(plan); why != "" {
			answer.Unsigned[plan.Source.Provider] = why
		}
		var done *recorder.Exchange
		if done, err = in.o.Send(ctx, plan); err != nil {
			err = fmt.Errorf("#%d, after %d were sent: %w", source.Seq, len(answer.Exchanges), err)
			break
		}
		status := trial.Status(done)
		if status < 200 || status > 299 {
			answer.Failed++
		}
		answer.Exchanges = append(answer.Exchanges, replayed{source.ID, done.ID, done.Seq, status, done.Detail})
	}
	if !in.answered(ctx, w, err) {
		return
	}
	answer.TimedOut = err != nil
	writeJSON(w, http.StatusOK, answer)
}

// sources are the recordings that a filter lets through, without their bodies.
func (in *Inspector) sources(ctx context.Context, filter string) (list []*recorder.Exchange, err error) {
	if strings.TrimSpace(filter) == "" {
		return nil, &Error{http.StatusBadRequest, "filter is missing", `"filter": "seq:>=1" is all there is`}
	}
	f, err := in.filter(filter)
	if err != nil {
		return nil, err
	}
	for ex, err := range in.o.Store.QueryContext(ctx, recorder.Query{Filter: f}) {
		if bad := new(recorder.DamagedError); errors.As(err, &bad) {
			continue // the list tells of it
		}
		if err != nil {
			return nil, err
		}
		if len(list) == mostReplayed {
			return nil, &Error{http.StatusUnprocessableEntity, fmt.Sprintf("the filter lets through more than %d", mostReplayed), "narrow it, or use devhook replay --filter"}
		}
		list = append(list, &recorder.Exchange{ID: ex.ID, Seq: ex.Seq, At: ex.At})
	}
	if len(list) == 0 {
		return nil, &Error{http.StatusNotFound, "the filter lets nothing through", "GET /devhook/v1/exchanges lists what there is"}
	}
	return list, nil
}

func refTo(ex *recorder.Exchange) source { return source{Ref: string(ex.ID)} }

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
