package terminal

import (
	"io"
	"sync"
	"time"
)

// maxAsleep is how much is kept for a reader that sleeps, in bytes. What is more is left out.
const maxAsleep = 64 << 10

// Patient returns a writer to w that waits so long at most for a reader that does not take what
// is written, as of a pipe that is full, or a terminal that is stopped. From then on nobody waits
// for him: what is written is kept, up to some length, until he goes on.
func Patient(w io.Writer, most time.Duration) io.Writer { return &patient{w: w, most: most} }

// Patient has t write to a [Patient]. It is to be called before anything is written.
func (t *Terminal) Patient(most time.Duration) { t.w = Patient(t.w, most) }

type patient struct {
	w    io.Writer
	most time.Duration

	mu      sync.Mutex
	waiting []byte        // guarded by mu: not written yet
	written chan struct{} // guarded by mu: closed when all that waits is written; nil: it is
	asleep  bool          // guarded by mu: somebody has waited in vain
	err     error         // guarded by mu: the last that w had
}

func (p *patient) Write(b []byte) (int, error) {
	p.mu.Lock()
	if p.asleep && len(p.waiting)+len(b) > maxAsleep {
		p.mu.Unlock()
		return len(b), nil
	}
	p.waiting = append(p.waiting, b...)
	if p.written == nil {
		p.written = make(chan struct{})
		go p.write() // which may never end
	}
	written, asleep := p.written, p.asleep
	p.mu.Unlock()
	if !asleep {
		late := time.NewTimer(p.most)
		defer late.Stop()
		select {
		case <-written:
		case <-late.C:
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.written == written {
		p.asleep = true
	}
	return len(b), p.err
}

// write writes what waits, until nothing does.
func (p *patient) write() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.waiting) > 0 {
		text := p.waiting
		p.waiting = nil
		p.mu.Unlock()
		_, err := p.w.Write(text)
		p.mu.Lock()
		p.err = err
	}
	close(p.written)
	p.written, p.asleep = nil, false
}
