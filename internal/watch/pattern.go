package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Bounds of a pattern.
const (
	lookSoon   = 20 * time.Millisecond
	maxFiles   = 500
	maxEntries = 10_000 // that are looked at to find them
)

// ErrMany means that a pattern means too much.
var ErrMany = fmt.Errorf("more than %d files, or %d to look at", maxFiles, maxEntries)

// IsPattern reports whether name is a pattern, and not the name of a file that is there.
func IsPattern(name string) bool {
	if _, err := os.Lstat(name); err == nil {
		return false
	}
	return strings.ContainsAny(name, "*?[")
}

// Match returns the files that pattern means: as of [filepath.Match], and ** is any
// directories, or none. What begins with a dot is meant by a pattern that does, and
// node_modules only by its name, as is usual in a shell and elsewhere. The error wraps
// [ErrMany] or [filepath.ErrBadPattern].
func Match(pattern string) ([]string, error) {
	found, _, err := expand(pattern)
	return slices.Sorted(maps.Keys(found)), err
}

// Pattern watches the files that pattern means, also those that are not there yet. The
// caller closes the Watcher.
func Pattern(pattern string) *Watcher {
	w := newWatcher(pattern)
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		notify = nil // looking must do
	}
	seen, dirs, _ := expand(pattern)
	known := map[string]bool{}
	follow(notify, known, dirs)
	w.done.Go(func() { w.runPattern(notify, known, seen) })
	return w
}

func (w *Watcher) runPattern(notify *fsnotify.Watcher, known map[string]bool, seen map[string]state) {
	var events chan fsnotify.Event
	var failures chan error
	if notify != nil {
		defer notify.Close()
		events, failures = notify.Events, notify.Errors
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	soon := false // there is a look at the end of a few events, of which builds make many
	for {
		select {
		case <-w.stop:
			return
		case e := <-events:
			name := filepath.Clean(e.Name)
			if _, ok := seen[name]; ok && e.Op != fsnotify.Chmod {
				w.tell()
			}
			if e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename) {
				delete(known, name) // a directory, maybe, whose name another may get
			}
			if !soon {
				soon = true
				timer.Reset(lookSoon)
			}
			continue
		case <-failures: // events were lost
			w.tell()
		case <-timer.C:
		}
		now, dirs, err := expand(w.path)
		if err == nil {
			follow(notify, known, dirs)
			if !maps.EqualFunc(now, seen, state.same) {
				w.tell()
			}
			seen = now
		}
		soon = false
		timer.Reset(lookEvery)
	}
}

// follow has notify tell of changes in dirs. One that it cannot is looked at all the same.
func follow(notify *fsnotify.Watcher, known map[string]bool, dirs []string) {
	for _, dir := range dirs {
		if notify != nil && !known[dir] && notify.Add(dir) == nil {
			known[dir] = true
		}
	}
}

// expand returns the files that pattern means, and the directories in which there may be
// more of them.
func expand(pattern string) (files map[string]state, dirs []string, err error) {
	pattern = filepath.ToSlash(pattern)
	before := strings.LastIndexByte(pattern[:max(0, strings.IndexAny(pattern, "*?["))], '/') + 1
	root, segments := pattern[:before], strings.Split(pattern[before:], "/")
	for _, s := range segments {
		if _, err := filepath.Match(s, ""); err != nil {
			return nil, nil, err
		}
	}
	if root == "" {
		root = "."
	}
	root = filepath.Clean(filepath.FromSlash(root))
	here := root + string(filepath.Separator) // also if it is a link
	files, entries := map[string]state{}, 0
	err = filepath.WalkDir(here, func(path string, d fs.DirEntry, err error) error {
		path = filepath.Clean(path)
		if entries++; entries > maxEntries {
			return ErrMany
		}
		var parts []string
		if path != root {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			parts = strings.Split(filepath.ToSlash(rel), "/")
		}
		is, below := means(segments, parts)
		switch {
		case err != nil && (path == root || !errors.Is(err, fs.ErrNotExist)):
			return fs.SkipDir // of which nothing can be known; the next look may tell more
		case err != nil:
			return nil
		case d.IsDir() && !below:
			return fs.SkipDir
		case d.IsDir():
			dirs = append(dirs, path)
		case is:
			if s := look(path); s.there && !s.info.IsDir() {
				files[path] = s
			}
			if len(files) > maxFiles {
				return ErrMany
			}
		}
		return nil
	})
	return files, dirs, err
}

// means reports whether the segments of a pattern mean the parts of a path, and whether
// they can mean something below it.
func means(segments, parts []string) (is, below bool) {
	switch {
	case len(parts) == 0:
		return !slices.ContainsFunc(segments, func(s string) bool { return s != "**" }), len(segments) > 0
	case len(segments) == 0:
		return false, false
	case segments[0] == "**":
		is, below = means(segments[1:], parts)
		if isApart(parts[0]) {
			return is, below
		}
		further, _ := means(segments, parts[1:])
		return is || further, true
	}
	named := segments[0] == parts[0] || strings.HasPrefix(segments[0], ".")
	if ok, _ := filepath.Match(segments[0], parts[0]); !ok || !named && isApart(parts[0]) {
		return false, false
	}
	return means(segments[1:], parts[1:])
}

// isApart reports whether a name is one that no pattern means that does not say so.
func isApart(name string) bool { return strings.HasPrefix(name, ".") || name == "node_modules" }
