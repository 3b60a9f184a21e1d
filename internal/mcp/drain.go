package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"sync"
)

// A drain holds back the end of the input until what was asked is answered, so
// that a script can write its requests, close, and read: without it the end
// would cut off what is under way.
type drain struct {
	io.ReadCloser
	io.Writer
	done <-chan struct{} // nobody waits for an answer any more

	mu       sync.Mutex
	open     int           // requests without an answer
	answered chan struct{} // something was; holds one
	asked    lines
	told     lines
}

// newDrain is for one session, which ends with ctx.
func newDrain(ctx context.Context, in io.ReadCloser, out io.Writer) *drain {
	return &drain{ReadCloser: in, Writer: out, done: ctx.Done(), answered: make(chan struct{}, 1)}
}

// Read is that of the input.
func (d *drain) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	text := p[:n]
	if errors.Is(err, io.EOF) && n == 0 {
		text = []byte("\n") // the last line may have no end
	}
	d.mu.Lock()
	d.asked.add(text, func(m message) {
		if m.Method != "" {
			d.open++
		}
	})
	d.mu.Unlock()
	if errors.Is(err, io.EOF) && n == 0 {
		for d.unanswered() {
			select {
			case <-d.answered:
			case <-d.done:
				return 0, err
			}
		}
	} else if errors.Is(err, io.EOF) {
		err = nil // comes again
	}
	return n, err
}

func (d *drain) unanswered() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open > 0
}

// Write is that of the output.
func (d *drain) Write(p []byte) (int, error) {
	n, err := d.Writer.Write(p)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told.add(p[:n], func(m message) {
		if m.Method == "" {
			d.open--
		}
	})
	if err != nil { // nobody reads any more
		d.open = 0
	}
	select {
	case d.answered <- struct{}{}:
	default:
	}
	return n, err
}

// A message is as much of one of JSON-RPC as tells a request from an answer.
type message struct {
	ID     json.RawMessage
	Method string
}

// lines are messages, a line each, of which the last is not whole.
type lines struct{ rest []byte }

// add calls each for the messages in p that have an id.
func (l *lines) add(p []byte, each func(message)) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return
		}
		var m message
		if json.Unmarshal(line, &m) == nil && len(m.ID) > 0 && string(m.ID) != "null" {
			each(m)
		}
		l.rest = rest
	}
}
