package inspector

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"devhook/recorder"
)

const (
	// maxStreams is how many clients may follow at once. Each has a reader of the
	// journal and a connection; a browser has 6 of one host.
	maxStreams = 64
	// slowest is how long a client may take to read what is sent. It holds up
	// nobody, but what waits for it should not do so for ever.
	slowest = 20 * time.Second
	// aliveEvery is how often something is sent if nothing happens, so that a
	// connection that is dead is known for it.
	aliveEvery = 15 * time.Second
)

// events sends exchanges as server-sent events: as they arrive, as they are done,
// and, those that have opened a WebSocket, as that ends. That one is pinned, or is no
// longer, has a name of its own, as has that some were removed.
func (in *Inspector) events(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	f, err := in.filter(query.Get("filter"))
	summary, err2 := view(query)
	if err := cmp.Or(err, err2); err != nil {
		in.failed(w, err)
		return
	}
	in.follow(w, r, func(step recorder.Step) (string, []byte, error) {
		ex, name := step.Exchange, "exchange"
		if step.Pin {
			name = "pinned"
		}
		if ok, err := f.Match(in.o.Store, ex); err != nil || !ok {
			return "", nil, err
		}
		if summary {
			ex = summarized(ex)
		}
		data, err := ex.MarshalJSON()
		return name, data, err
	})
}

// follow answers r with a stream of events, https://html.spec.whatwg.org/multipage/server-sent-events.html:
// what event makes of each step of the journal that has an exchange; "" makes none. That
// some were removed is an event "removed" to everybody. It goes on behind the
// id in Last-Event-ID or, as a browser cannot set that, in ?after. An id that is of
// no place of this journal is answered with an event "reset": what the client has is
// to be read anew. The first event is "open", so that there is an id from the start.
func (in *Inspector) follow(w http.ResponseWriter, r *http.Request, event func(recorder.Step) (name string, data []byte, err error)) {
	if err := in.begin(); err != nil {
		in.failed(w, err)
		return
	}
	defer in.endStream()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(in.done, cancel)()

	first := "open"
	from, err := in.o.Store.End()
	if after := lastID(r); err == nil && after != "" {
		if c, bad := in.o.Store.Cursor(after); bad == nil {
			from = c
		} else {
			first = "reset"
		}
	}
	if err != nil {
		in.failed(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := eventWriter{w: w, c: http.NewResponseController(w), done: in.done}
	defer context.AfterFunc(in.done, func() { out.c.SetWriteDeadline(time.Now()) })() // who does not read is not waited for
	if out.send(first, from.String(), []byte("{}")) != nil {
		return
	}
	steps := in.steps(ctx, from)
	defer func() { // who reads the journal is waited for
		cancel()
		for range steps {
		}
	}()
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-alive.C:
			err = out.write([]byte(":\n\n"))
		case step, more := <-steps:
			if !more { // the store is closed
				return
			}
			if name, data := in.told(step, event); name != "" {
				err = out.send(name, step.Next.String(), data)
			}
		}
		if err != nil {
			return // the client has gone, or does not read
		}
	}
}

// steps gives what comes behind from, until ctx ends or the store is closed; it is closed then.
func (in *Inspector) steps(ctx context.Context, from recorder.Cursor) <-chan recorder.Step {
	steps := make(chan recorder.Step)
	go func() {
		defer close(steps)
		for step, err := range in.o.Store.Steps(ctx, from) {
			if err != nil {
				in.o.Log.Debug("cannot follow over a line", "error", err)
				continue
			}
			select {
			case steps <- step:
			case <-ctx.Done():
				return
			}
		}
	}()
	return steps
}

// told is the event of a step; the name is "" if there is none.
func (in *Inspector) told(step recorder.Step, event func(recorder.Step) (string, []byte, error)) (name string, data []byte) {
	if step.Removed > 0 {
		return "removed", fmt.Appendf(nil, `{"v":1,"exchanges":%d}`, step.Removed)
	}
	name, data, err := event(step)
	if err != nil {
		in.o.Log.Debug("cannot tell of an exchange", "id", string(step.Exchange.ID), "error", err)
		return "", nil
	}
	return name, data
}

// lastID is the event that r wants to go on behind.
func lastID(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id // of a browser that has come back, whose URL is still the first one
	}
	return r.URL.Query().Get("after")
}

// begin counts one who follows; an error says that no more may.
func (in *Inspector) begin() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.done.Err() != nil || in.streams >= maxStreams {
		return &Error{http.StatusServiceUnavailable, "devhook ends, or too many follow already", fmt.Sprintf("up to %d can", maxStreams)}
	}
	in.streams++
	in.work.Add(1)
	return nil
}

func (in *Inspector) endStream() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.streams--
	in.work.Done()
}

// An eventWriter writes events.
type eventWriter struct {
	w http.ResponseWriter
	c *http.ResponseController
	// done is the inspector's own, whose end is known before anything is done
	// about it: a deadline that is put off behind that must not be waited for.
	done context.Context
	b    bytes.Buffer
}

// send writes one event. Each line of data is one of its own: else a line of a
// webhook could be taken for one of the protocol.
func (o *eventWriter) send(name, id string, data []byte) error {
	o.b.Reset()
	fmt.Fprintf(&o.b, "event: %s\nid: %s\n", name, id)
	if bytes.IndexByte(data, '\r') >= 0 {
		data = bytes.ReplaceAll(bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		o.b.WriteString("data: ")
		o.b.Write(line)
		o.b.WriteByte('\n')
	}
	o.b.WriteByte('\n')
	return o.write(o.b.Bytes())
}

func (o *eventWriter) write(p []byte) error {
	if err := cmp.Or(o.c.SetWriteDeadline(time.Now().Add(slowest)), o.done.Err()); err != nil {
		return err
	}
	if _, err := o.w.Write(p); err != nil {
		return err
	}
	return o.c.Flush()
}
