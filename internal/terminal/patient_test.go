package terminal

import (
	"bufio"
	"fmt"
	"os"
	"testing"
	"time"
)

// A reader that sleeps holds nobody up for longer than he is waited for, and has what was
// kept for him when he goes on, in order; then he is waited for again.
func TestPatient(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	p := New(w, Never, func(string) string { return "" })
	p.Patient(50 * time.Millisecond)
	const lines = 100_000 // of ten bytes, more than a pipe holds and is kept
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range lines {
			p.Printf("%9d", i)
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatal("it is waited for a reader that sleeps")
	}
	read := make(chan int, 1)
	awake := make(chan struct{})
	go func() {
		n, last := 0, false
		for s := bufio.NewScanner(r); !last && s.Scan(); {
			switch last = s.Text() == "awake"; {
			case s.Text() == fmt.Sprintf("%9d", n):
				n++
			case last:
				close(awake)
			}
		}
		read <- n
	}()
	for over := false; !over; { // until there is room again
		p.Printf("awake")
		select {
		case <-awake:
			over = true
		case <-time.After(10 * time.Millisecond):
		}
	}
	if n := <-read; n*10 < maxAsleep || n == lines {
		t.Errorf("%d lines, from the first on", n)
	}
	if err := p.Err(); err != nil {
		t.Error(err)
	}
}
