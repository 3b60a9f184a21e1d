package trial

import (
	"context"
	"net/http"
	"time"

	"devhook/internal/livesession"
	"devhook/recorder"
)

// Play sends the events of a session at their times, speed times as fast, or at once
// if speed is 0, and calls each with how many were sent and what became of the last. An
// error is an [*UnreachableError] if the app is not there for the first, one of send, or
// that of ctx.
func Play(ctx context.Context, events []livesession.Event, speed float64, send func(context.Context, *recorder.Exchange) (*recorder.Exchange, error), each func(n int, done *recorder.Exchange)) error {
	started := time.Now()
	for i, e := range events {
		if speed > 0 {
			Until(ctx, started.Add(time.Duration(float64(e.At)/speed)))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		body := e.Body()
		done, err := send(ctx, &recorder.Exchange{Provider: "euler", Event: e.Type, Request: recorder.Request{
			Method: http.MethodPost, URL: "https://ws.eulerstream.com/hooks/euler", Proto: recorder.ProtoStream,
			Headers: http.Header{"Content-Type": {"application/json"}, "Host": {"ws.eulerstream.com"}}, Body: recorder.Body{Bytes: body}, Size: int64(len(body)),
		}})
		if err != nil {
			return err
		}
		if i == 0 && Status(done) == 0 {
			return &UnreachableError{detail(done)}
		}
		each(i+1, done)
	}
	return nil
}

// Until waits for a time, or until ctx ends.
func Until(ctx context.Context, at time.Time) {
	select {
	case <-time.After(time.Until(at)):
	case <-ctx.Done():
	}
}
