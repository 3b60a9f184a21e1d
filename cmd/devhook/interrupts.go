package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// oneInterrupt is how close two signals are that one request to end has sent: timeout(1)
// signals its child, and then the group that the child is in; npm and others pass on what
// a terminal has sent to their child already. Nobody presses Ctrl-C twice in that time.
const oneInterrupt = 100 * time.Millisecond

// interrupts gives the requests to end, as with Ctrl-C, up to so many. A terminal that is
// closed is the first, unless nohup has had that ignored. last, which may be nil, is called
// at the last of them, also if nobody takes it. stop leaves signals to the system again.
func interrupts(most int, last func()) (signals <-chan os.Signal, stop func()) {
	all := make(chan os.Signal, 2*most)
	signal.Notify(all, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // Windows has SIGTERM for it
		signal.Notify(all, syscall.SIGHUP)
	}
	apart := make(chan os.Signal, most)
	done := make(chan struct{})
	go func() {
		defer close(done)
		takeApart(all, apart, time.Now, last)
	}()
	return apart, func() {
		signal.Stop(all)
		close(all)
		<-done
	}
}

// takeApart passes on, until all is closed, each signal that is not one with the last that
// was passed on, as long as apart has had no more than it has room for, and calls last, if there
// is one, with the last of those. A terminal that is closed asks nobody to hurry: its SIGHUP
// comes from the kernel and from the shell, and is none but the first.
func takeApart(all <-chan os.Signal, apart chan<- os.Signal, now func() time.Time, last func()) {
	var before time.Time
	left := cap(apart)
	for s := range all {
		at := now()
		if left == 0 || at.Sub(before) < oneInterrupt || s == syscall.SIGHUP && !before.IsZero() {
			continue
		}
		before = at
		apart <- s
		if left--; left == 0 && last != nil {
			last()
		}
	}
}

// endAtOnce ends the program in a second, if it has not ended by then: who should hear that he
// is to end can wait for a reader that sleeps.
func endAtOnce() {
	time.AfterFunc(time.Second, func() { os.Exit(errInterrupted.code) })
}
