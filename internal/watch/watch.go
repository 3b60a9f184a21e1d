// Package watch tells when one file has changed, or one of those that a pattern means. What
// the change was is left to who looks.
//
// It is told by the system where the system can tell, and looks by itself now
// and then where it cannot: network drives, containers' mounts, and a file
// that is not there yet or was replaced by another, as editors do when they
// save.
package watch

import (
	"os"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// lookEvery is how often a file is looked at whose changes the system may not
// tell of; lookForNew, how often one that is not there.
const (
	lookEvery  = time.Second
	lookForNew = 100 * time.Millisecond
)

// A Watcher watches one file, or those of a pattern. Make one with [File] or [Pattern].
type Watcher struct {
	// C gets a value after changes. Changes that come before the
	// last was read are one.
	C <-chan struct{}

	c    chan struct{}
	path string
	stop chan struct{}
	done sync.WaitGroup
}

// File watches the file called path, which need not exist. The caller closes
// the Watcher.
func File(path string) *Watcher {
	w := newWatcher(path)
	seen := look(path)
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		notify = nil // out of watches or descriptors: looking must do
	} else if seen.there && notify.Add(path) != nil {
		notify.Close()
		notify = nil
	}
	w.done.Go(func() { w.run(notify, seen) })
	return w
}

func newWatcher(path string) *Watcher {
	w := &Watcher{path: path, c: make(chan struct{}, 1), stop: make(chan struct{})}
	w.C = w.c
	return w
}

// Close ends the watch. C gets nothing more.
func (w *Watcher) Close() {
	close(w.stop)
	w.done.Wait()
}

// state is what is seen of a file.
type state struct {
	there bool
	size  int64
	time  time.Time
	info  os.FileInfo
}

func look(path string) state {
	info, err := os.Stat(path)
	if err != nil {
		return state{}
	}
	return state{true, info.Size(), info.ModTime(), info}
}

func (s state) same(t state) bool {
	return s.there == t.there && s.size == t.size && s.time.Equal(t.time) && s.sameFile(t)
}

func (s state) sameFile(t state) bool {
	return s.there == t.there && (!s.there || os.SameFile(s.info, t.info))
}

func (w *Watcher) run(notify *fsnotify.Watcher, seen state) {
	var events chan fsnotify.Event
	var errors chan error
	if notify != nil {
		defer notify.Close()
		events, errors = notify.Events, notify.Errors
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-w.stop:
			return
		case e := <-events:
			if e.Op == fsnotify.Chmod {
				break // a file whose last name went away says no more than this
			}
			w.tell()
		case <-errors: // events were lost
			w.tell()
		case <-timer.C:
		}
		now := look(w.path)
		if notify != nil && now.there && !now.sameFile(seen) {
			notify.Remove(w.path) // of the file that had the name before; may be gone
			notify.Add(w.path)
			now = look(w.path)
		}
		if !now.same(seen) {
			w.tell()
		}
		seen = now
		if now.there {
			timer.Reset(lookEvery)
		} else {
			timer.Reset(lookForNew)
		}
	}
}

func (w *Watcher) tell() {
	select {
	case w.c <- struct{}{}:
	default:
	}
}
