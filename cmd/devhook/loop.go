package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"devhook/internal/terminal"
	"devhook/internal/watch"
	"devhook/recorder"
)

// Bounds of the loop.
const (
	// settleTime is how long files must be at rest: an editor and a build save more
	// than once.
	settleTime = 100 * time.Millisecond
	// restartTime is how long an app may go on answering after a change, before
	// whatever restarts it ends it.
	restartTime = 1500 * time.Millisecond
	pollTime    = 20 * time.Millisecond
	// lateTime is how long one that went on is kept an eye on: it may be built first.
	lateTime = time.Minute
)

// Why the loop sends.
type turn int

const (
	noTurn    turn = iota // it does not, and ends
	firstTurn             // it was started
	savedTurn             // a file was saved
	lateTurn              // the app that got it after that was the one from before
)

// loop sends all that sources gives, and again whenever a file is saved, until the
// user ends it. What fails is told, and waits for the next change.
func (s *sending) loop(sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin) error {
	if s.c.Bool("edit") || slices.ContainsFunc(s.typed, func(t typedChange) bool { return t.word == "body" && t.text == "@-" }) {
		return &failure{code: 2, text: "--watch sends again what stands in files: --edit and stdin are for once", hint: "give the change as a recipe, --mutate ./change.yaml"}
	}
	names, count, err := s.watched()
	if err != nil {
		return err
	}
	going, stop := context.WithCancel(s.c.Context)
	defer stop()
	defer onInterrupts(stop)()
	changed, done := watchAll(names)
	defer done()
	defer func() { s.junit = "" }() // each turn has its own report, and how the last went is told by that
	defer s.unwatch()
	for why := firstTurn; ; {
		err := s.report(s.again(going, sources, origin, why))
		if going.Err() != nil {
			return nil
		}
		if err != nil {
			f := explain(err)
			if f.code == 6 || f.code == 130 {
				return err
			}
			s.errs.Error(f.text, f.hint)
		}
		s.errs.Printf("%s", s.errs.Dim(fmt.Sprintf("waiting for changes of %s; Ctrl-C ends it", filesText(names, count))))
		switch why = nextTurn(going, changed, s.down); why {
		case noTurn:
			return nil
		case lateTurn:
			s.errs.Printf("%s", s.errs.Dim("the app has gone down only now: it is sent again when it is back"))
		}
	}
}

// again is one turn of the loop: it reads anew what the files say, and sends.
func (s *sending) again(ctx context.Context, sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin, why turn) error {
	s.rereads = why != firstTurn
	s.unwatch()
	s.mu.Lock()
	s.sent, s.answered, s.failed, s.skipped, s.stop, s.reported = 0, 0, 0, 0, nil, nil
	s.mu.Unlock()
	if s.rereads {
		var err error
		if s.changes, err = s.mutations(); err != nil {
			return err
		}
		if s.c.Bool("when-ready") {
			if err := s.awaitApp(ctx, sources, why == savedTurn); err != nil {
				return err
			}
		}
	}
	if err := s.settleTravel(sources); err != nil {
		return err
	}
	return s.send(sources, origin)
}

// awaitApp waits until the app answers that the first of sources goes to. After a
// change, an app that answers may be the one from before it, which is about to end:
// it is given some time to, and is watched if that is not enough.
func (s *sending) awaitApp(ctx context.Context, sources iter.Seq2[*recorder.Exchange, error], changed bool) error {
	var at *url.URL
	for ex, err := range sources {
		if err != nil {
			return err
		}
		if at, _, err = s.target(ex); err != nil {
			return err
		}
		break
	}
	if at == nil {
		return nil
	}
	port := portOf(at)
	if !changed {
		return awaitReady(ctx, port, readyTimeout, nil)
	}
	for until := s.p.now().Add(restartTime); s.p.now().Before(until); time.Sleep(pollTime) {
		if answers(ctx, port) != nil {
			return awaitReady(ctx, port, readyTimeout, nil)
		}
	}
	s.watchApp(ctx, port)
	s.errs.Printf("%s", s.errs.Dim("the port stayed open: what answers may be the version from before the change"))
	return nil
}

// watchApp has s.down closed once nothing listens at port any more, if that is within lateTime
// and before s.unwatch is called.
func (s *sending) watchApp(ctx context.Context, port *url.URL) {
	ctx, cancel := context.WithTimeout(ctx, lateTime)
	down := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for answers(ctx, port) == nil {
			time.Sleep(pollTime)
		}
		if ctx.Err() == nil {
			close(down)
		}
	})
	s.down, s.endWatch = down, func() { cancel(); wg.Wait() }
}

// unwatch ends what watchApp began, if anything.
func (s *sending) unwatch() {
	if s.endWatch != nil {
		s.endWatch()
	}
	s.down, s.endWatch = nil, nil
}

// watched returns the files that the loop watches, or patterns for them: those of --watch,
// recipes, bodies and the files that are sent. There are count of them now.
func (s *sending) watched() (names []string, count int, err error) {
	var files []string
	for _, name := range s.c.StringSlice("watch") {
		n, err := matching(name)
		if err != nil {
			return nil, 0, err
		}
		if watch.IsPattern(name) {
			names, count = append(names, name), count+n
		} else {
			files = append(files, name)
		}
	}
	for _, t := range s.typed {
		switch {
		case t.word == "mutate":
			path, err := s.recipePath(t.text)
			if err != nil {
				return nil, 0, err
			}
			files = append(files, path)
		case t.word == "body" && strings.HasPrefix(t.text, "@"):
			files = append(files, t.text[1:])
		}
	}
	if s.c.Command.Name == "replay" {
		sent := slices.DeleteFunc(s.c.Args().Slice(), func(arg string) bool { return !isFile(arg) || arg == "-" })
		files = append(files, sent...)
	}
	slices.Sort(files)
	files = slices.Compact(files)
	return append(names, files...), count + len(files), nil
}

// matching returns how many files a value of --watch means, one at least.
func matching(name string) (int, error) {
	if watch.IsPattern(name) {
		files, err := watch.Match(name)
		switch {
		case errors.Is(err, watch.ErrMany):
			return 0, &failure{code: 2, text: fmt.Sprintf("--watch: %s: %v", name, err), hint: "name a directory, as in 'src/**/*.js'", err: err}
		case err != nil || len(files) == 0:
			return 0, &failure{code: 2, text: "--watch: no file is called " + name, err: err}
		}
		return len(files), nil
	}
	if info, err := os.Stat(name); err != nil {
		return 0, &failure{code: 2, text: "--watch: " + err.Error(), err: err}
	} else if info.IsDir() {
		return 0, &failure{code: 2, text: "--watch: " + name + " is a directory", hint: "watch the files in it: --watch " + quoteShell(filepath.Join(name, "**"))}
	}
	return 1, nil
}

// watchAll gives a value after changes of any of the files that names are of.
func watchAll(names []string) (changed <-chan struct{}, done func()) {
	c := make(chan struct{}, 1)
	over := make(chan struct{})
	var wg sync.WaitGroup
	for _, name := range names {
		open := watch.File
		if watch.IsPattern(name) {
			open = watch.Pattern
		}
		w := open(name)
		wg.Go(func() {
			defer w.Close()
			for {
				select {
				case <-w.C:
					select {
					case c <- struct{}{}:
					default:
					}
				case <-over:
					return
				}
			}
		})
	}
	return c, func() { close(over); wg.Wait() }
}

// nextTurn waits for a change, and then until there are no more, or for the app to go down.
// It is none if ctx ends before.
func nextTurn(ctx context.Context, changed, down <-chan struct{}) turn {
	select {
	case <-changed:
	case <-down:
		return lateTurn
	case <-ctx.Done():
		return noTurn
	}
	for {
		select {
		case <-changed:
		case <-time.After(settleTime):
			return savedTurn
		case <-ctx.Done():
			return noTurn
		}
	}
}

// filesText says of what there are count.
func filesText(names []string, count int) string {
	if len(names) == 1 && !watch.IsPattern(names[0]) {
		return terminal.Safe(names[0])
	}
	text := fmt.Sprintf("%d files", count)
	if count == 1 {
		text = "1 file"
	}
	if len(names) == 1 {
		text = terminal.Safe(names[0]) + ", which is " + text
	}
	return text
}
