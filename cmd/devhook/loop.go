package main

import (
	"context"
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
	maxWatched = 500
	// settleTime is how long files must be at rest: an editor and a build save more
	// than once.
	settleTime = 100 * time.Millisecond
	// restartTime is how long an app may go on answering after a change, before
	// whatever restarts it ends it.
	restartTime = 1500 * time.Millisecond
)

// loop sends all that sources gives, and again whenever a file is saved, until the
// user ends it. What fails is told, and waits for the next change.
func (s *sending) loop(sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin) error {
	if s.c.Bool("edit") || slices.ContainsFunc(s.typed, func(t typedChange) bool { return t.word == "body" && t.text == "@-" }) {
		return &failure{code: 2, text: "--watch sends again what stands in files: --edit and stdin are for once", hint: "give the change as a recipe, --mutate ./change.yaml"}
	}
	files, err := s.watched()
	if err != nil {
		return err
	}
	going, stop := context.WithCancel(s.c.Context)
	defer stop()
	defer onInterrupts(stop)()
	changed, done := watchAll(files)
	defer done()
	defer func() { s.junit = "" }() // each turn has its own report, and how the last went is told by that
	for first := true; ; first = false {
		err := s.report(s.again(going, sources, origin, first))
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
		s.errs.Printf("%s", s.errs.Dim(fmt.Sprintf("waiting for changes of %s; Ctrl-C ends it", filesText(files))))
		if !settled(going, changed) {
			return nil
		}
	}
}

// again is one turn of the loop: it reads anew what the files say, and sends.
func (s *sending) again(ctx context.Context, sources iter.Seq2[*recorder.Exchange, error], origin recorder.Origin, first bool) error {
	s.rereads = !first
	s.mu.Lock()
	s.sent, s.answered, s.failed, s.skipped, s.stop, s.reported = 0, 0, 0, 0, nil, nil
	s.mu.Unlock()
	if !first {
		var err error
		if s.changes, err = s.mutations(); err != nil {
			return err
		}
		if s.c.Bool("when-ready") {
			if err := s.awaitApp(ctx, sources, true); err != nil {
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
// it is given some time to.
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
	if changed {
		for until := s.p.now().Add(restartTime); s.p.now().Before(until) && ctx.Err() == nil && answers(ctx, port) == nil; {
			time.Sleep(20 * time.Millisecond)
		}
	}
	return awaitReady(ctx, port, readyTimeout, nil)
}

// watched returns the files that the loop watches: those of --watch, recipes, bodies
// and the files that are sent.
func (s *sending) watched() ([]string, error) {
	var files []string
	for _, pattern := range s.c.StringSlice("watch") {
		list, err := matching(pattern)
		if err != nil {
			return nil, err
		}
		files = append(files, list...)
	}
	for _, t := range s.typed {
		switch {
		case t.word == "mutate":
			path, err := s.recipePath(t.text)
			if err != nil {
				return nil, err
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
	if files = slices.Compact(files); len(files) > maxWatched {
		return nil, &failure{code: 2, text: fmt.Sprintf("--watch: %d files are more than %d", len(files), maxWatched)}
	}
	return files, nil
}

// matching returns the files that a value of --watch means, one at least.
func matching(pattern string) (list []string, err error) {
	list = []string{pattern}
	if strings.ContainsAny(pattern, "*?[") {
		if list, err = filepath.Glob(pattern); err != nil || len(list) == 0 {
			return nil, &failure{code: 2, text: "--watch: no file is called " + pattern, err: err}
		}
	}
	for _, file := range list {
		if info, err := os.Stat(file); err != nil {
			return nil, &failure{code: 2, text: "--watch: " + err.Error(), err: err}
		} else if info.IsDir() {
			return nil, &failure{code: 2, text: "--watch: " + file + " is a directory", hint: "watch the files in it: --watch '" + filepath.Join(file, "*") + "'"}
		}
	}
	return list, nil
}

// watchAll gives a value after changes of any of the files.
func watchAll(files []string) (changed <-chan struct{}, done func()) {
	c := make(chan struct{}, 1)
	over := make(chan struct{})
	var wg sync.WaitGroup
	for _, file := range files {
		wg.Go(func() {
			w := watch.File(file)
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

// settled waits for a change, and then until there are no more. It returns false if
// ctx ends before.
func settled(ctx context.Context, changed <-chan struct{}) bool {
	select {
	case <-changed:
	case <-ctx.Done():
		return false
	}
	for {
		select {
		case <-changed:
		case <-time.After(settleTime):
			return true
		case <-ctx.Done():
			return false
		}
	}
}

func filesText(files []string) string {
	if len(files) == 1 {
		return terminal.Safe(files[0])
	}
	return fmt.Sprintf("%d files", len(files))
}
