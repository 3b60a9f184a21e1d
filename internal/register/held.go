package register

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	releaseTimeout = 30 * time.Second // for taking back what was registered
	firstRetry     = 15 * time.Second // after a registration that failed
	slowestRetries = 5 * time.Minute
)

// A Held is a [Registration] that is kept at the URL that it was told last, until it is
// released. It is safe for concurrent use. Make one with [Hold].
type Held struct {
	reg     *Registration // of the goroutine that holds it, but for what never changes
	o       HoldOptions
	release context.CancelFunc
	moving  sync.Mutex
	urls    chan string                // holds one: the newest
	tests   chan func(context.Context) // are called by the goroutine that holds it
	done    chan struct{}              // closed when all was taken back
	err     error                      // of taking back; to be read once done is closed

	mu    sync.Mutex
	steps []Step // guarded by mu
}

// HoldOptions are what [Hold] is told. Set and Say are called one after another.
type HoldOptions struct {
	Set func(url string)  // told when it is registered
	Say func(text string) // told what goes wrong
	// First gets what became of the first attempt, in the place of Say, and holds one; it
	// is not tried again by itself then. nil: nobody waits for it.
	First chan<- error
}

// Hold holds reg, which nobody else uses from then on, and calls nothing until it is told
// a URL. The caller releases it.
func Hold(reg *Registration, o HoldOptions) *Held {
	ctx, cancel := context.WithCancel(context.Background())
	h := &Held{reg: reg, o: o, release: cancel, urls: make(chan string, 1), tests: make(chan func(context.Context)), done: make(chan struct{})}
	say := reg.o.Say
	reg.o.Say = func(s Step) {
		h.mu.Lock()
		h.steps = append(h.steps, s)
		h.mu.Unlock()
		say(s)
	}
	go h.run(ctx)
	return h
}

// Mark, Account and Local are those of the Registration.
func (h *Held) Mark() string    { return h.reg.Mark() }
func (h *Held) Account() string { return h.reg.Account() }
func (h *Held) Local() bool     { return h.reg.Local() }

// Move has it registered at url. It does not wait for that.
func (h *Held) Move(url string) {
	h.moving.Lock()
	defer h.moving.Unlock()
	select {
	case <-h.urls: // what it has not come to yet
	default:
	}
	h.urls <- url
}

// Release has all taken back. It does not wait for that; see Done.
func (h *Held) Release() { h.release() }

// Done is closed when all was taken back, or could not be; Err tells which, and is of no
// meaning before.
func (h *Held) Done() <-chan struct{} { return h.done }
func (h *Held) Err() error            { return h.err }

// Steps are those so far.
func (h *Held) Steps() []Step {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.steps)
}

// Test is [Registration.Test]. It is an error if it is released meanwhile.
func (h *Held) Test(ctx context.Context) (said string, ok bool, err error) {
	tested := make(chan struct{})
	test := func(holding context.Context) {
		defer close(tested)
		holding, cancel := context.WithCancel(holding)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		said, ok, err = h.reg.Test(holding)
		err = errors.Join(ctx.Err(), err)
	}
	select {
	case h.tests <- test:
		<-tested
		return said, ok, err
	case <-ctx.Done():
		return "", false, ctx.Err()
	case <-h.done:
		return "", false, errors.New("it was taken back")
	}
}

// run works until ctx ends, and then takes all back.
func (h *Held) run(ctx context.Context) {
	defer close(h.done)
	var url string
	var again <-chan time.Time
	pause := firstRetry
	first := h.o.First
	for {
		select {
		case <-ctx.Done():
			h.err = Release(h.reg)
			return
		case test := <-h.tests:
			test(ctx)
			continue
		case url = <-h.urls:
			pause = firstRetry
		case <-again:
		}
		again = nil
		err := h.reg.Set(ctx, url)
		waits := first
		if err == nil {
			h.o.Set(url)
		}
		if first = nil; waits != nil {
			waits <- err
		}
		if err == nil || ctx.Err() != nil || waits != nil {
			continue
		}
		text := "not registered: " + err.Error()
		var e *Error
		if errors.As(err, &e) && (e.Unsure() || e.Status == http.StatusTooManyRequests) {
			text += fmt.Sprintf("; it is tried again in %s", pause)
			again = time.After(pause)
			pause = min(2*pause, slowestRetries)
		}
		h.o.Say(text)
	}
}

// Release closes reg, also for who was told to end: it takes 30 s at most.
func Release(reg *Registration) error {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	return reg.Close(ctx)
}
