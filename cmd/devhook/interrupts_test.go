package main

import (
	"os"
	"testing"
	"time"
)

// What a wrapper passes on a moment after the terminal has sent it is no second Ctrl-C.
func TestInterruptsAreTakenApart(t *testing.T) {
	all, apart := make(chan os.Signal, 9), make(chan os.Signal, 9)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var clock []time.Time
	for _, ms := range []int{0, 1, 90, 300, 301, 400} {
		all <- os.Interrupt
		clock = append(clock, start.Add(time.Duration(ms)*time.Millisecond))
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
