package feed

import (
	"context"
	"iter"
	"time"
)

// A Play is a series of events, as an emulator sends them.
type Play struct {
	// Events are the events, each with the pause before it.
	Events iter.Seq2[time.Duration, []byte]
	// Duplicate has each event sent twice.
	Duplicate bool
	// Lossy goes on while nobody is connected, as the real platforms do.
	// Otherwise it waits.
	Lossy bool
	// CloseAfter ends a connection after so many events, 0 never; with Code, or
	// with no word if that is 0.
	CloseAfter, Code int
}

// Play publishes the events of p once somebody is connected, until they are at
// their end or ctx is.
func (s *Server) Play(ctx context.Context, p Play) {
	if s.Await(ctx) {
		return
	}
	for pause, body := range p.Events {
		t := time.NewTimer(pause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		times := 1
		if p.Duplicate {
			times = 2
		}
		for range times {
			if !p.Lossy {
				if s.Await(ctx) {
					return
				}
				s.awaitRoom(ctx)
			}
			s.Publish("", body)
			if p.CloseAfter > 0 {
				s.CloseAfter(p.CloseAfter, p.Code, "")
			}
		}
	}
}

// awaitRoom returns once all who are connected can be sent another frame, or have had
// the time to read one.
func (s *Server) awaitRoom(ctx context.Context) {
	full := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.clients {
			if len(c.frames) == cap(c.frames) {
				return true
			}
		}
		return false
	}
	for end := time.Now().Add(writeTime); full() && ctx.Err() == nil && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}
