package main

import (
	"errors"
	"strings"
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
