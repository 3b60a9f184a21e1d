package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
	"devhook/tunnel"
	"devhook/verify"
)

// A failure is an error with its exit code and what to do about it.
type failure struct {
	code       int
	text, hint string
	mark       string // shows on a terminal where it is, between text and hint; mostly empty
	err        error  // may be nil
}

func (f *failure) Error() string { return f.text }

func (f *failure) Unwrap() error { return f.err }

// errInterrupted means that the user asked a second time to stop.
var errInterrupted = &failure{code: 130}

// explain returns what is to be said of err, and the exit code.
func explain(err error) *failure {
	var (
		f         *failure
		bad       *config.Error
		untrusted *config.UntrustedError
		door      *tunnel.Error
		filter    *recorder.FilterError
		ambiguous *recorder.AmbiguousError
		damaged   *recorder.DamagedError
		plan      *replay.Error
	)
	switch {
	case errors.Is(err, terminal.ErrInterrupted):
		return errInterrupted
	case errors.As(err, &f):
		return f
	case errors.As(err, &bad):
		return &failure{code: 2, text: bad.Text, hint: bad.Hint}
	case errors.As(err, &plan):
		return &failure{code: 2, text: plan.Text, hint: plan.Hint}
	case errors.As(err, &untrusted):
		return &failure{code: 2, text: untrusted.Error(), hint: "read " + untrusted.Path + ", then: devhook trust"}
	case errors.As(err, &filter):
		return &failure{code: 2, text: filter.Error(), hint: filter.Hint, mark: caret(filter)}
	case errors.As(err, &ambiguous):
		return &failure{code: 2, text: err.Error(), hint: "give more of the ID"}
	case errors.As(err, &damaged):
		return &failure{code: 6, text: err.Error()}
	case errors.Is(err, recorder.ErrNotFound):
		return &failure{code: 2, text: err.Error(), hint: noneOfThatName}
	case errors.Is(err, tunnel.ErrOption):
		errors.As(err, &door)
		return &failure{code: 2, text: door.Error(), hint: door.Hint}
	case errors.As(err, &door):
		return &failure{code: 3, text: door.Error(), hint: door.Hint}
	}
	return &failure{code: 2, text: err.Error()}
}

// caret shows where the fault of a filter is. What cannot be shown as it is
// typed would move it: then there is none.
func caret(e *recorder.FilterError) string {
	if e.Word == e.Line || terminal.Safe(e.Line) != e.Line || e.Column < 1 {
		return ""
	}
	before := []rune(e.Line)
	before = before[:min(e.Column-1, len(before))]
	return "  " + e.Line + "\n  " + strings.Repeat(" ", terminal.Columns(string(before))) + "^"
}

// unknownProvider returns the failure of an id that no provider of the catalog has.
func unknownProvider(catalog *verify.Catalog, id string) *failure {
	e := config.Unknown(catalog, id)
	return &failure{code: 2, text: e.Text, hint: e.Hint}
}

// storeFailure returns the failure of a store that cannot be used; nil for nil. What is a
// failure of something else, as of a flag that was needed to open it, stays that.
func storeFailure(err error) error {
	var f *failure
	if err == nil || errors.As(err, &f) {
		return err
	}
	f = &failure{code: 6, text: err.Error(), err: err}
	var path *fs.PathError
	switch {
	case errors.Is(err, recorder.ErrNewer):
		f.hint = "use the devhook that wrote it, or another directory with --store"
	case errors.Is(err, recorder.ErrForeign):
		f.hint = "name a directory of its own, as in --store " + recorder.Dir
	case errors.Is(err, recorder.ErrLinked):
		f.hint = "remove it, if you did not make it: it leads to another file of yours; a store that is to be elsewhere as a whole is named with --store"
	case errors.As(err, &path) && path.Op == "chmod" && errors.Is(err, fs.ErrPermission):
		f.text = "the store " + path.Path + " belongs to another user, who alone can close it to others"
		f.hint = "use a directory of your own with --store, or have " + path.Path + " given to you"
	case errors.Is(err, fs.ErrPermission):
		f.hint = "look whose directory it is; --store uses another"
	case errors.As(err, &path) && path.Op != "write" && path.Op != "sync":
		f.hint = "use another directory with --store"
	}
	return f
}

// leftOut is the failure of a command that has told of err in a warning, and goes on
// if it is of one recording.
func leftOut(err error) error {
	if !errors.As(err, new(*recorder.DamagedError)) {
		return storeFailure(err)
	}
	return &failure{code: 6, text: "what the warnings name is left out", err: err}
}

// countOf says how many of something there are.
func countOf(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
