package trial

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
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
	Tries    int  // requests with less than the whole body, beside those of Asked
	Done     bool // it can become no smaller
	// Each is how often a body was sent before the app was taken not to fail on it. The
	// smallest was sent Asked times more at the end, and the app failed on it Failed times.
	Each, Asked, Failed int
	Steady              bool // it always failed on what it fails on, as far as was seen
}

// MostEach is how often one body may be sent, at most.
const MostEach = 1000

const (
	looks     = 3  // how often a body is sent to see whether an app always fails on it
	looksMore = 10 // and one that an app need not always fail on: of what fails every third time, 1 in 60 is missed
)

// A NothingError says that the app does not answer as it has to even to the whole body:
// Did is what it did, as in: answered 200. While is what would hold of it.
type NothingError struct{ Did, While string }

func (e *NothingError) Error() string {
	return "the app " + e.Did + " to the whole body: there is nothing to shrink"
}

// A shrinkage is a body that becomes smaller.
type shrinkage struct {
	Shrunk
	t     *Trial
	while While
	most  int    // how many tries there may be
	fresh bool   // each request is another delivery
	found []sent // what the app failed on, up to maxFound, the smallest last
}

// sent is a body that was sent, with what signing has changed in it.
type sent struct {
	ex   *recorder.Exchange
	body []byte
}

const maxFound = 8

// Shrink leaves more and more out of the body, as long as the app answers as while says,
// and sends at most most times less than the whole body.
//
// The whole is sent three times, and so is the smallest in the end. If an app fails only
// now and then, what is smaller is sent up to each times before it counts as what the app
// does not fail on; 0 means ten times for such an app, and once for any other. Each
// request is another delivery, where the provider names them, because an app may do
// nothing about one that it knows; unless it fails on that one delivery alone.
//
// The error is a [*NothingError], an [*UnreachableError], also in the midst of it, one of
// Send or that of ctx; what was found by then is returned with it.
func (t *Trial) Shrink(ctx context.Context, while While, most, each int) (Shrunk, error) {
	s := &shrinkage{t: t, while: while, most: most, Shrunk: Shrunk{Body: t.Source.Request.Body.Bytes, Each: max(each, 1)}}
	err := s.run(ctx, each == 0)
	return s.Shrunk, err
}

// run shrinks. If it may, it becomes patient once the app has shown that it fails only now
// and then, be it in the end.
func (s *shrinkage) run(ctx context.Context, may bool) error {
	steady, err := s.whole(ctx)
	for s.Steady = steady; err == nil; s.Steady = false {
		if may && !s.Steady {
			s.Each, may = looksMore, false
		}
		_, s.Done, err = shrink.Body(s.Body, func(body []byte) (bool, error) { return s.holds(ctx, body) })
		if err != nil {
			break
		}
		all := s.Done
		steady, err = s.confirm(ctx)
		if s.Steady = s.Steady && steady; steady || !may || !all {
			break
		}
	}
	return err
}

// whole reports whether the app fails each time on the whole body.
func (s *shrinkage) whole(ctx context.Context) (steady bool, err error) {
	asked, failed, err := s.asks(ctx, max(looks, s.Each), 1)
	if err != nil {
		return false, err
	}
	if failed == 0 {
		did, while := "did not answer ("+detail(s.Exchange)+")", "no-answer"
		if n := Status(s.Exchange); n != 0 {
			did, while = fmt.Sprintf("answered %d", n), fmt.Sprint(n)
		}
		return false, &NothingError{did, while}
	}
	steady = asked == 1
	for _, s.fresh = range []bool{true, false} {
		if asked, failed, err = s.asks(ctx, looks-1, looks-1); err != nil || failed > 0 {
			return steady && asked == failed, err
		}
	}
	s.fresh = true // it is not the delivery
	return false, nil
}

// asks sends the body up to n times, until the app has failed on it enough times.
func (s *shrinkage) asks(ctx context.Context, n, enough int) (asked, failed int, err error) {
	for asked < n && failed < enough {
		one, ok, err := s.ask(ctx, s.Body)
		if err != nil {
			return asked, failed, err
		}
		asked++
		if ok {
			failed++
			s.Exchange = one.ex
		}
	}
	return asked, failed, nil
}

// holds reports whether the app fails on body, which is smaller than what it has failed
// on so far.
func (s *shrinkage) holds(ctx context.Context, body []byte) (bool, error) {
	for range s.Each {
		if s.Tries == s.most {
			return false, shrink.ErrEnough
		}
		one, ok, err := s.ask(ctx, body)
		if errors.As(err, new(*replay.Error)) {
			return false, nil // without what is signed it is none of this provider's
		}
		if err != nil {
			return false, err
		}
		s.Tries++
		if ok {
			if len(s.found) == maxFound {
				s.found = slices.Delete(s.found, 0, 1)
			}
			s.found = append(s.found, one)
			s.Exchange, s.Body = one.ex, one.body
			return true, nil
		}
	}
	return false, nil
}

// confirm sends the smallest once more, and if the app does not fail on it, the one that
// was found before it, and so on. steady is false if that was needed, or it has not failed
// each time. If it fails on none of them, it is left with the smallest, and a Failed of 0.
func (s *shrinkage) confirm(ctx context.Context) (steady bool, err error) {
	smallest := s.Shrunk
	for steady = true; ; steady = false {
		n := max(looks, s.Each)
		asked, failed, err := s.asks(ctx, n, n)
		if err != nil {
			return false, err
		}
		if s.Asked, s.Failed = asked, failed; failed > 0 {
			return steady && failed == asked, nil
		}
		if len(s.found) < 2 {
			smallest.Asked = asked
			s.Shrunk = smallest
			return false, nil
		}
		s.found = s.found[:len(s.found)-1]
		before := s.found[len(s.found)-1]
		s.Exchange, s.Body, s.Done = before.ex, before.body, false
	}
}

// ask sends body, and reports whether the app answers as it has to.
func (s *shrinkage) ask(ctx context.Context, body []byte) (one sent, ok bool, err error) {
	req := s.t.Source.Request
	req.Body, req.Size = recorder.Body{Bytes: body}, int64(len(body))
	if req, err = s.t.signed(req, s.fresh); err != nil {
		return one, false, err
	}
	one.body = req.Body.Bytes
	why := fmt.Sprintf("shrink to %d bytes", len(body))
	one.ex, err = s.t.shoot(ctx, req, why)
	if err == nil && (hungUp(one.ex) || unreachable(one.ex) && s.Exchange != nil) && s.t.isBack(ctx) {
		// The one before can have brought it down: what counts is what it does when it is there.
		if one.ex, err = s.t.shoot(ctx, req, why); err == nil && hungUp(one.ex) {
			s.t.isBack(ctx)
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return one, false, err
	}
	if unreachable(one.ex) {
		return one, false, &UnreachableError{one.ex.Detail}
	}
	if s.Exchange == nil {
		s.Exchange = one.ex
	}
	return one, s.while(one.ex), nil
}
