package gateway

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"

	"devhook/internal/wsx"
	"devhook/recorder"
)

// maxUnwritten is how many bytes of frames may wait for the disk; then the
// WebSocket does, too.
const maxUnwritten = 1 << 20

// A tape records the frames of one WebSocket. Who puts frames on it does not
// wait for the disk, unless too many wait already: they are written behind his
// back, all that have come meanwhile at once.
type tape struct {
	g  *Gateway
	id recorder.ID

	mu     sync.Mutex
	moved  sync.Cond        // something below has changed
	frames []recorder.Frame // guarded by mu: not written yet
	size   int              // guarded by mu: of frames, about, in bytes
	n      int64            // guarded by mu: frames so far
	count  [2]int64         // guarded by mu: the same to the app, from it
	how    string           // guarded by mu: how it ended, as far as that is known
	ended  bool             // guarded by mu
	done   chan struct{}    // closed when all is written
}

func (g *Gateway) newTape(id recorder.ID) *tape {
	t := &tape{g: g, id: id, done: make(chan struct{})}
	t.moved.L = &t.mu
	go t.write()
	return t
}

// put records f, to which it gives its number and time.
func (t *tape) put(f recorder.Frame) {
	f.At = t.g.o.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.size > maxUnwritten {
		t.moved.Wait()
	}
	t.n++
	f.N = t.n
	if f.Op != recorder.OpUnread {
		way := 0
		if f.Dir == recorder.Out {
			way = 1
		}
		t.count[way]++
	}
	if f.Op == recorder.OpClose && t.how == "" {
		who := "the sender"
		if f.Dir == recorder.Out {
			who = "the app"
		}
		t.how = fmt.Sprintf("closed by %s: %s", who, closing(f))
	}
	t.frames = append(t.frames, f)
	t.size += len(f.Body) + len(f.Reason) + len(f.Detail) + 200
	t.moved.Broadcast()
}

// closing returns what a close says.
func closing(f recorder.Frame) string {
	code := fmt.Sprint(f.Code)
	if f.Code == wsx.NoStatus {
		code = "no code"
	}
	return strings.TrimRight(code+" "+f.Reason, " ")
}

// note says how the WebSocket ends, if nothing else has said so before.
func (t *tape) note(how string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.how = cmp.Or(t.how, how)
}

// end records the end, and returns when all is written.
func (t *tape) end() {
	t.mu.Lock()
	t.ended = true
	t.moved.Broadcast()
	t.mu.Unlock()
	<-t.done
}

func (t *tape) write() {
	defer close(t.done)
	var failed error
	var spare []recorder.Frame
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		for len(t.frames) == 0 && !t.ended {
			t.moved.Wait()
		}
		if len(t.frames) == 0 {
			break
		}
		list := t.frames
		t.frames, t.size = spare[:0], 0
		t.moved.Broadcast()
		t.mu.Unlock()
		if failed == nil { // frames behind a gap would look like all there were
			if failed = t.g.o.Store.AddFrames(t.id, list); failed != nil {
				t.g.storeFailed("cannot record frames, and the WebSocket goes on without", failed)
			}
		}
		clear(list)
		spare = list
		t.mu.Lock()
	}
	end := recorder.Ending{At: t.g.o.Now(), In: t.count[0], Out: t.count[1], Detail: t.how}
	if failed != nil {
		end.Detail = strings.TrimPrefix(end.Detail+"; the last frames could not be recorded", "; ")
	}
	if err := t.g.o.Store.EndFrames(t.id, end); err != nil {
		t.g.storeFailed("cannot record the end of a WebSocket", err)
	}
}

// A tapped is one direction of a WebSocket: what is written to it is put on the
// tape and goes to dst, in this order, so that a message is recorded before the
// answer to it.
type tapped struct {
	dst  io.Writer
	dir  recorder.Direction
	tape *tape
	tap  *wsx.Tap
	told bool // that no more is read
}

func (t *tape) tap(dst io.Writer, dir recorder.Direction, coding wsx.Coding) *tapped {
	w := &tapped{dst: dst, dir: dir, tape: t}
	w.tap = wsx.NewTap(coding, recorder.MaxInline, w.put)
	return w
}

func (w *tapped) Write(p []byte) (int, error) {
	w.tap.Write(p)
	if why := w.tap.Err(); why != nil && !w.told {
		w.told = true
		w.tape.put(recorder.Frame{Dir: w.dir, Op: recorder.OpUnread, Detail: "what follows is not read: " + why.Error()})
	}
	return w.dst.Write(p)
}

func (w *tapped) put(m wsx.Message) {
	f := recorder.Frame{
		Dir: w.dir, Op: recorder.Op(m.Op.String()), Body: m.Data, Size: m.Size, Fragments: m.Fragments, Wire: m.Wire,
		Code: m.Code, Reason: m.Reason, Detail: m.Problem,
	}
	f.Truncated = m.Op != wsx.Close && (int64(len(m.Data)) < m.Size || m.Problem != "")
	w.tape.put(f)
}
