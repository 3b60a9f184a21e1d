package terminal

import (
	"fmt"
	"sync"
	"time"
)

// Progress shows text on the line of the cursor, in place of what it showed
// there before; "" takes it away. It does nothing off a terminal. What is
// printed meanwhile has to take it away first.
func (t *Terminal) Progress(text string) {
	if t.width == 0 {
		return
	}
	fmt.Fprint(t.w, "\r\x1b[K"+Cut(text, t.width-1))
}

// Lasts reports whether what is printed stays on a screen, where many lines
// would be in the way.
func (t *Terminal) Lasts() bool { return t.width > 0 }

// soon is how long a person waits for an answer before it is said what is being
// done.
const soon = 300 * time.Millisecond

// Busy shows text as [Terminal.Progress] does if done is not called soon. done has
// to be called before anything else is printed; it may be called again.
func (t *Terminal) Busy(text string) (done func()) {
	if t.width == 0 {
		return func() {}
	}
	var mu sync.Mutex // guards ended, and the line
	ended, shown := false, false
	timer := time.AfterFunc(soon, func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			t.Progress(text)
			shown = true
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended && shown {
			t.Progress("")
		}
		ended = true
		timer.Stop()
	}
}
