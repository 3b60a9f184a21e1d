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
			if !p.Lossy && s.Await(ctx) {
				return
			}
			s.Publish("", body)
			if p.CloseAfter > 0 {
				s.CloseAfter(p.CloseAfter, p.Code, "")
			}
		}
	}
}
