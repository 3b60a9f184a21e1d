package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"
)

// The pace of attempts. Tuniform asks for 3 to 5 s; who fails again and again
// is asked less often.
const (
	soon      = 3 * time.Second
	jitter    = 2 * time.Second // the most that is added to soon
	growth    = 1.6
	mostWait  = time.Minute
	easy      = time.Minute // while a creator is not live
	rare      = 2 * time.Minute
	rareCap   = 10 * time.Minute
	politely  = time.Second // after an end in which nothing is wrong
	manyPings = 1000        // in 10 s; nobody needs so many
)

var (
	errSilence = errors.New("nothing came")
	errPings   = errors.New("more pings than anybody needs")
)

// listen dials again and again, until ctx ends or there is no use in it.
func (s *Source) listen(ctx context.Context, q *queue) error {
	failed := 0        // attempts in a row that came to nothing
	var lost time.Time // when the stream was last known to be heard; zero before the first time
	for {
		s.say(Status{State: Connecting})
		c := &connection{s: s, q: q, lost: lost}
		v := c.run(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if c.established {
			failed = 0
		}
		if !c.heard.IsZero() {
			lost = c.heard
		}
		if v.next == stop {
			return &Error{Text: s.clean(v.why), Hint: v.hint, Refused: true}
		}
		wait, state := s.pause(v.next, failed), Reconnecting
		if v.next == later {
			state = Waiting
			lost = s.o.Now() // looked, and there was nothing to hear
		}
		failed++
		s.say(Status{State: state, Detail: v.why, Retry: wait})
		if s.wait(ctx, q, wait) {
			return nil
		}
	}
}

// pause returns how long to wait after so many attempts that came to nothing.
func (s *Source) pause(n next, failed int) time.Duration {
	r := s.o.Rand()
	grown := func(first, most time.Duration) time.Duration {
		for range failed {
			if first >= most {
				break
			}
			first = time.Duration(float64(first) * growth)
		}
		return min(first, most)
	}
	spread := func(d time.Duration) time.Duration { return d + time.Duration(r*float64(d)/5) }
	switch n {
	case atOnce:
		return politely + time.Duration(r*float64(politely))
	case later:
		return spread(easy)
	case rarely:
		return spread(grown(rare, rareCap))
	}
	if d := grown(soon+time.Duration(r*float64(jitter)), mostWait); d < mostWait {
		return d
	}
	return mostWait - time.Duration(r*float64(mostWait)/5) // so that not all come back at once
}

// wait waits until it is time for the next attempt, and polls meanwhile if that
// was configured.
func (s *Source) wait(ctx context.Context, q *queue, d time.Duration) (ended bool) {
	if s.o.Poll == nil {
		return s.o.Sleep(ctx, d)
	}
	for {
		s.poll(ctx, q)
		step := min(d, s.o.PollEvery)
		if s.o.Sleep(ctx, step) {
			return true
		}
		if d -= step; d <= 0 {
			return false
		}
	}
}

// A connection is one from its dialing to its end.
type connection struct {
	s    *Source
	q    *queue
	lost time.Time

	established bool
	heard       time.Time // when the last frame or ping came
	slow        bool      // and that was told
	quiet       *time.Timer
	pings       int
	pingsSince  time.Time
}

// run dials, and reads until the connection ends.
func (c *connection) run(ctx context.Context) verdict {
	read, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	dialing, stopDialing := context.WithTimeout(ctx, dialTimeout)
	ws, v := c.s.dial(dialing, func(context.Context, []byte) bool { return c.pinged(cancel) })
	stopDialing()
	if ws == nil {
		return v
	}
	defer ws.CloseNow()
	ws.SetReadLimit(c.s.o.MaxFrame)
	closed := make(chan struct{})
	stopped := context.AfterFunc(ctx, func() { // say goodbye, and wait for no long one
		defer close(closed)
		late := time.AfterFunc(500*time.Millisecond, func() { cancel(ctx.Err()) })
		defer late.Stop()
		ws.Close(websocket.StatusNormalClosure, "")
	})
	defer func() {
		if !stopped() {
			<-closed
		}
	}()
	c.quiet = time.AfterFunc(c.s.o.Silence, func() { cancel(errSilence) })
	defer c.quiet.Stop()

	for first := true; ; first = false {
		kind, frame, err := ws.Read(read)
		if err != nil {
			return c.ended(err, context.Cause(read))
		}
		c.hear()
		c.quiet.Stop() // while the app is waited for
		if err := c.take(ctx, frame, kind == websocket.MessageBinary, first); err != nil {
			return verdict{why: err.Error()}
		}
		if first && !c.lost.IsZero() && c.s.o.Poll != nil { // what came since the last look
			c.s.poll(ctx, c.q)
		}
		c.quiet.Reset(c.s.o.Silence)
	}
}

// pinged is called within Read.
func (c *connection) pinged(cancel context.CancelCauseFunc) bool {
	now := c.s.o.Now()
	if now.Sub(c.pingsSince) > 10*time.Second {
		c.pings, c.pingsSince = 0, now
	}
	if c.pings++; c.pings > manyPings {
		cancel(errPings)
		return false
	}
	c.hear()
	c.establish("", nil)
	c.quiet.Reset(c.s.o.Silence)
	return true
}

func (c *connection) hear() { c.heard = c.s.o.Now() }

// establish tells, the first time, that the stream is heard.
func (c *connection) establish(account string, hello []byte) {
	if c.established && hello == nil {
		return
	}
	st := Status{State: Connected, Account: account, Hello: hello}
	if !c.lost.IsZero() && !c.established {
		st.From, st.To = c.lost.UTC(), c.heard.UTC()
	}
	c.established = true
	c.s.say(st)
}

// take hands on what is in a frame. The error is that ctx has ended.
func (c *connection) take(ctx context.Context, frame []byte, binary, first bool) error {
	s := c.s
	account, events, problem := s.kind.open(frame, first)
	if account != nil {
		c.establish(*account, frame)
		return nil
	}
	c.establish("", nil)
	for _, e := range events {
		e.At, e.Binary = c.heard.UTC(), binary
		if binary && problem == "" {
			problem = s.kind.name + " sends text, and this was a binary frame"
		}
		e.Problem = problem
		if s.o.Poll != nil {
			s.seen.add(sum(e.Body)) // as what is polled is known by
		}
		switch n := c.q.len(); {
		case c.q.full() && !c.slow:
			c.slow = true
			s.say(Status{State: Slow, Detail: fmt.Sprintf("%d events wait for the app", n)})
		case n < maxQueued/10:
			c.slow = false
		}
		if err := c.q.push(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// usualCodes are close codes of RFC 6455 §7.4.1, and its registry, for platforms
// that have no word of their own on them.
var usualCodes = map[int]string{
	1000: "a normal end", 1001: "the server goes away", 1002: "a protocol error", 1003: "it cannot take what it got",
	1008: "against its policy", 1011: "an error of the server", 1012: "the server starts anew", 1013: "the server asks to try later",
}

// ended returns what follows from the end of a connection that was open.
func (c *connection) ended(err, cause error) verdict {
	s := c.s
	var closed websocket.CloseError
	switch {
	case cause == errSilence:
		return verdict{why: fmt.Sprintf("nothing came for %v, not even a ping", s.o.Silence)}
	case cause == errPings:
		return verdict{why: fmt.Sprintf("it sent over %d pings in 10 s", manyPings), next: rarely}
	case errors.Is(err, websocket.ErrMessageTooBig):
		return verdict{why: fmt.Sprintf("a frame was larger than %d bytes, and was not taken", s.o.MaxFrame)}
	case errors.As(err, &closed):
		v := s.kind.closed(int(closed.Code))
		v.why = cmp.Or(v.why, usualCodes[int(closed.Code)])
		why := fmt.Sprintf("closed with %d", int(closed.Code))
		if v.why != "" {
			why += ": " + v.why
		}
		if closed.Reason != "" {
			why += fmt.Sprintf(" (%q)", s.clean(closed.Reason))
		}
		v.why = s.kind.name + " " + why
		return v
	}
	return verdict{why: "the connection broke off: " + causeOf(err)}
}
