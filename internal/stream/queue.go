package stream

import (
	"context"
	"sync"
)

// A queue holds the events between the stream and who takes them, so that a
// slow app does not keep the stream from being read. It is bounded: who pushes
// to a full one waits.
type queue struct {
	mu     sync.Mutex // guards what follows, up to closed
	list   []Event
	bytes  int // of the bodies in list
	closed bool
	more   chan struct{} // has room for one: there is something to take, or it was closed
	room   chan struct{} // has room for one: something was taken
}

const (
	maxQueued      = 10_000
	maxQueuedBytes = 32 << 20
)

func newQueue() *queue {
	return &queue{more: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func (q *queue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list) >= maxQueued || q.bytes >= maxQueuedBytes
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.list)
}

// push adds e once there is room. There is one who pushes. If ctx ends first, e
// is added nevertheless: what has come in is not lost.
func (q *queue) push(ctx context.Context, e Event) error {
	for q.full() && ctx.Err() == nil {
		select {
		case <-q.room:
		case <-ctx.Done():
		}
	}
	q.mu.Lock()
	q.list = append(q.list, e)
	q.bytes += len(e.Body)
	q.mu.Unlock()
	signal(q.more)
	return context.Cause(ctx)
}

// close says that nothing more will be pushed.
func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	signal(q.more)
}

// each gives all events to f, in order, until the queue is closed and empty. It
// returns the first error of f.
func (q *queue) each(f func(Event) error) error {
	for {
		q.mu.Lock()
		if len(q.list) == 0 {
			closed := q.closed
			q.list = nil
			q.mu.Unlock()
			if closed {
				return nil
			}
			<-q.more
			continue
		}
		e := q.list[0]
		q.list[0] = Event{}
		q.list = q.list[1:]
		q.bytes -= len(e.Body)
		q.mu.Unlock()
		signal(q.room)
		if err := f(e); err != nil {
			return err
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
