package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"devhook/internal/shrink"
	"devhook/recorder"
	"devhook/replay"
)

// A While says whether an app has answered as it has to, so that a webhook is shrunk on.
type While func(*recorder.Exchange) bool

// ParseWhile reads what an app has to answer: 5xx, 422, timeout, or no-answer.
func ParseWhile(text string) (While, error) {
	switch text {
	case "timeout":
		return isLate, nil
	case "no-answer":
		return func(ex *recorder.Exchange) bool { return isLate(ex) || hungUp(ex) }, nil
	}
	want, err := replay.ParseExpectation(text)
	if err != nil || text == "same" {
		return nil, fmt.Errorf("%q is none of 5xx, 4xx, a status, timeout, no-answer", text)
	}
	return func(ex *recorder.Exchange) bool { return Status(ex) != 0 && want.Check(ex, ex) == "" }, nil
}

// isLate reports whether the app did not answer in time.
func isLate(ex *recorder.Exchange) bool {
	return Status(ex) == 0 && ex.Response != nil && ex.Response.Status == 504
}

// unreachable reports whether no app took the request.
func unreachable(ex *recorder.Exchange) bool {
	return Status(ex) == 0 && strings.Contains(ex.Detail, "refused")
}

// hungUp reports whether an app took the request, and ended without an answer.
func hungUp(ex *recorder.Exchange) bool { return Status(ex) == 0 && !isLate(ex) && !unreachable(ex) }

// backTime is how long an app that fell over may take to be there again, downTime how
// long to be gone.
const (
	backTime = 10 * time.Second
	downTime = 100 * time.Millisecond
)

// isBack waits until an app that fell over can be reached again.
func (t *Trial) isBack(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, backTime)
	defer cancel()
	port := cmp.Or(t.App.Port(), map[string]string{"https": "443"}[t.App.Scheme], "80")
	for pause := downTime; ; pause = downTime / 2 {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(t.App.Hostname(), port))
		if err == nil {
			conn.Close()
			return true
		}
	}
}

// A Shrunk is the smallest that was found.
type Shrunk struct {
	Exchange *recorder.Exchange // the last that was sent and answered so; nil: none was sent
	Body     []byte
	Tries    int  // beside the first
	Done     bool // it can become no smaller
}

// A NothingError says that the app does not answer as it has to even to the whole body:
// Did is what it did, as in: answered 200. While is what would hold of it.
type NothingError struct{ Did, While string }

func (e *NothingError) Error() string {
	return "the app " + e.Did + " to the whole body: there is nothing to shrink"
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
		if errors.As(err, new(*replay.Error)) && s.Exchange != nil {
			return false, nil // without what is signed it is none of this provider's
		}
		if err != nil {
			return false, err
		}
		why := fmt.Sprintf("shrink to %d bytes", len(body))
		done, err := t.shoot(ctx, req, why)
		if err == nil && (hungUp(done) || unreachable(done) && s.Exchange != nil) && t.isBack(ctx) {
			// The one before can have brought it down: what counts is what it does when it is there.
			if done, err = t.shoot(ctx, req, why); err == nil && hungUp(done) {
				t.isBack(ctx)
			}
		}
		if err != nil {
			return false, err
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if unreachable(done) {
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
		did, while := "did not answer ("+detail(s.Exchange)+")", "no-answer"
		if n := Status(s.Exchange); n != 0 {
			did, while = fmt.Sprintf("answered %d", n), fmt.Sprint(n)
		}
		return s, &NothingError{did, while}
	}
	s.Body, s.Tries, s.Done, err = shrink.Body(s.Body, most, ask)
	return s, err
}
