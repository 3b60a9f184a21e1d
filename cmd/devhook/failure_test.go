package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"devhook/recorder"
)

// The caret stands under what is wrong, also behind wide letters; what a terminal
// might obey is not repeated.
func TestCaret(t *testing.T) {
	for line, want := range map[string]string{
		"event:x status:5x":        "               ^",
		"event:日本 status:200,5x":   "                      ^",
		"status:5x":                "",
		"event:\x1b[2J status:5x":  "",
		"event:x -verdict:nonsens": "                 ^",
	} {
		_, err := recorder.ParseFilter(time.Now(), strings.Fields(line)...)
		var fe *recorder.FilterError
		if !errors.As(err, &fe) {
			t.Fatalf("%q: %v", line, err)
		}
		_, got, _ := strings.Cut(caret(fe), "\n  ")
		if got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// A store that cannot be used says what can be done. Tests may run as root, who may
// do everything.
func TestStoreFailure(t *testing.T) {
	for _, of := range []struct {
		err        error
		text, hint string
	}{
		{&fs.PathError{Op: "chmod", Path: ".devhook", Err: syscall.EPERM}, "the store .devhook belongs to another user", "a directory of your own with --store"},
		{&fs.PathError{Op: "open", Path: ".devhook/lock", Err: syscall.EACCES}, "open .devhook/lock: permission denied", "whose directory"},
		{&fs.PathError{Op: "mkdir", Path: "/proc/x", Err: syscall.ENOENT}, "mkdir /proc/x", "use another directory with --store"},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "write x: ", ""},
	} {
		f := explain(storeFailure(fmt.Errorf("open store: %w", of.err)))
		if f.code != 6 || !strings.Contains(f.text, of.text) || !strings.Contains(f.hint, of.hint) || of.hint == "" && f.hint != "" {
			t.Errorf("%v: %+v, want %q and %q", of.err, f, of.text, of.hint)
		}
	}
}

// Where no signal ends a command whose reader has enough, it ends without a word.
func TestUnread(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	_, gone := w.WriteString("more than is read")
	for _, test := range []struct {
		err  error
		said bool
	}{
		{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.Errno(232)}, false},
		{gone, runtime.GOOS != "windows"},
		{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.ENOSPC}, true},
	} {
		f := explain(wrote(test.err))
		if f.code != 6 || (f.text != "") != test.said {
			t.Errorf("%v: %d, %q", test.err, f.code, f.text)
		}
	}
}
