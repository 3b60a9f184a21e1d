package inspector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"devhook/recorder"
)

// How long an answer is waited for: at most, and if nothing is said.
const (
	longestWait, usualWait = 10 * time.Minute, 20 * time.Second
	mostAwaited            = 100 // exchanges
)

// wait answers the next exchanges that a filter lets through, once they are done and as
// many as were asked for, or in time what there is of them. It ends when the client
// has gone.
func (in *Inspector) wait(r *http.Request) (any, error) {
	query := r.URL.Query()
	f, err := in.filter(query.Get("filter"))
	count, err2 := number(query, "count", 1, mostAwaited)
	summary, err3 := view(query)
	patience, err4 := duration("timeout", query.Get("timeout"), usualWait, longestWait)
	if err := cmp.Or(err, err2, err3, err4); err != nil {
		return nil, err
	}
	var after *recorder.Exchange
	if ref := query.Get("after"); ref != "" {
		if after, err = in.o.Store.Behind(ref); err != nil {
			return nil, err
		}
	}
	ctx, end, err := in.long(r, patience)
	if err != nil {
		return nil, err
	}
	defer end()
	finished, err := in.o.Store.Finished(ctx, f, after)
	if err != nil {
		return nil, err
	}
	answer := struct {
		Exchanges []*recorder.Exchange `json:"exchanges"`
		TimedOut  bool                 `json:"timed_out"`
		Notes     []string             `json:"notes,omitempty"` // where the filter may not mean what its writer did
	}{[]*recorder.Exchange{}, false, notesOf(f)}
	for ex, err := range finished {
		if err != nil {
			in.o.Log.Debug("what is waited for cannot be read", "error", err)
			continue
		}
		if summary {
			ex = summarized(ex)
		}
		if answer.Exchanges = append(answer.Exchanges, ex); len(answer.Exchanges) == count {
			break
		}
	}
	answer.TimedOut = len(answer.Exchanges) < count
	if answer.TimedOut && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, errEnding
	}
	return answer, nil
}

var errEnding = &Error{http.StatusServiceUnavailable, "devhook ends", ""}

// long begins what takes its time: ctx ends after most, when the client has gone, and
// with the inspector. An error says that too much of the kind is under way already. The
// caller calls end.
func (in *Inspector) long(r *http.Request, most time.Duration) (ctx context.Context, end func(), err error) {
	if err := in.begin(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), most)
	stop := context.AfterFunc(in.done, cancel)
	return ctx, func() { stop(); cancel(); in.endStream() }, nil
}

// duration reads how long something may take, more than nothing and up to most.
func duration(name, text string, usual, most time.Duration) (time.Duration, error) {
	if text == "" {
		return usual, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > most {
		return 0, &Error{http.StatusBadRequest, fmt.Sprintf("%s is no time up to %s", name, most), "write it as in 20s or 2m"}
	}
	return d, nil
}
