package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// What a wrapper passes on a moment after the terminal has sent it is no second Ctrl-C, and
// a terminal that is closed is none.
func TestInterruptsAreTakenApart(t *testing.T) {
	all, apart := make(chan os.Signal, 9), make(chan os.Signal, 9)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var clock []time.Time
	for _, sent := range []struct {
		after  time.Duration
		signal os.Signal
	}{
		{0, syscall.SIGHUP}, {1, os.Interrupt}, {90, os.Interrupt}, {200, syscall.SIGHUP},
		{300, os.Interrupt}, {301, os.Interrupt}, {400, syscall.SIGTERM}, {600, syscall.SIGHUP},
	} {
		all <- sent.signal
		clock = append(clock, start.Add(sent.after*time.Millisecond))
	}
	close(all)
	takeApart(all, apart, func() time.Time {
		at := clock[0]
		clock = clock[1:]
		return at
	})
	if len(apart) != 3 { // at 0, 300 and 400
		t.Errorf("%d requests to end", len(apart))
	}
}
