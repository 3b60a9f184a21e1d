package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// What a wrapper passes on a moment after the terminal has sent it is no second Ctrl-C, and
// a terminal that is closed is none.
func TestInterruptsAreTakenApart(t *testing.T) {
	all, apart := make(chan os.Signal, 9), make(chan os.Signal, 3)
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
	last := 0
	takeApart(all, apart, func() time.Time {
		at := clock[0]
		clock = clock[1:]
		return at
	}, func() { last = len(apart) })
	if len(apart) != 3 || last != 3 { // at 0, 300 and 400
		t.Errorf("%d requests to end, and the last was %d", len(apart), last)
	}
}

// Where nobody reads stderr, as of a pipe that is full, up takes webhooks in nevertheless,
// and ends in order.
func TestUpWithFullStderr(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no signals to send")
	}
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for n := 0; err == nil; { // a pipe holds 64 KiB, mostly
		w.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		n, err = w.Write(make([]byte, 64<<10))
		t.Logf("%d bytes in the pipe", n)
	}
	dir := t.TempDir()
	ready := filepath.Join(dir, "ready")
	cmd := exec.Command("devhook", "up", "--tunnel", "local", "--listen", "127.0.0.1:0", "--inspect", "off", "--store", filepath.Join(dir, "store"), "--ready-file", ready)
	cmd.Dir, cmd.Stderr = dir, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer late.Stop()
	for {
		if _, err := os.Stat(ready); err == nil {
			break
		}
		select {
		case err := <-ended:
			t.Fatalf("never ready: %v", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
