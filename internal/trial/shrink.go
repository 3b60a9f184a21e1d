package trial

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"devhook/internal/shrink"
	"devhook/recorder"
	"devhook/replay"
)

// A While says whether an app has answered as it has to, so that a webhook is shrunk on.
type While func(*recorder.Exchange) bool

// ParseWhile reads what an app has to answer: 5xx, 422, or timeout.
func ParseWhile(text string) (While, error) {
	if text == "timeout" {
		return func(ex *recorder.Exchange) bool {
			return Status(ex) == 0 && ex.Response != nil && ex.Response.Status == 504
		}, nil
	}
	want, err := replay.ParseExpectation(text)
	if err != nil || text == "same" {
		return nil, fmt.Errorf("%q is none of 5xx, 4xx, a status, timeout", text)
	}
	return func(ex *recorder.Exchange) bool { return Status(ex) != 0 && want.Check(ex, ex) == "" }, nil
}

// A Shrunk is the smallest that was found.
type Shrunk struct {
	Exchange *recorder.Exchange // the last that was sent and answered so; nil: none was sent
	Body     []byte
	Tries    int  // beside the first
	Done     bool // it can become no smaller
}

// A NothingError says that the app does not answer as it has to even to the whole body:
// Did is what it answered.
type NothingError struct{ Did string }

func (e *NothingError) Error() string {
	return "the app answered " + e.Did + " to the whole body: there is nothing to shrink"
}

// Shrink leaves more and more out of the body, as long as the app answers as while says,
// and sends at most most times beside the whole body. The error is a [*NothingError], an
// [*UnreachableError], also in the midst of it, one of Send or that of ctx; what was
// found by then is returned with it.
func (t *Trial) Shrink(ctx context.Context, while While, most int) (s Shrunk, err error) {
	ask := func(body []byte) (bool, error) {
		req := t.Source.Request
		req.Body, req.Size = recorder.Body{Bytes: body}, int64(len(body))
		req, err := t.signed(req, false)
		if errors.As(err, new(*replay.Error)) {
			return false, nil // without what is signed it is none of this provider's
		}
		if err != nil {
			return false, err
		}
		done, err := t.shoot(ctx, req, fmt.Sprintf("shrink to %d bytes", len(body)))
		if err != nil {
			return false, err
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if Status(done) == 0 && strings.Contains(done.Detail, "refused") {
			return false, &UnreachableError{done.Detail}
		}
		ok := while(done)
		if ok || s.Exchange == nil {
			s.Exchange = done
		}
		return ok, nil
	}
	s.Body = t.Source.Request.Body.Bytes
	ok, err := ask(s.Body)
	if err != nil {
		return s, err
	}
	if !ok {
		did := "nothing"
		if s.Exchange != nil {
			did = detail(s.Exchange)
			if n := Status(s.Exchange); n != 0 {
				did = fmt.Sprint(n)
			}
		}
		return s, &NothingError{did}
	}
	s.Body, s.Tries, s.Done, err = shrink.Body(s.Body, most, ask)
	return s, err
}
