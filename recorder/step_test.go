package recorder

import (
	"context"
	"strings"
	"testing"
	"time"
)

// Each step is given when it comes, and who goes on from any of them gets the rest.
func TestSteps(t *testing.T) {
	s := open(t, t.TempDir())
	begin, err := s.End()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for range 2 {
		ex := &Exchange{Origin: Live, Request: Request{Method: "POST", URL: "http://h/a"}, Outcome: Pending}
		if err := s.Append(ctx, ex); err != nil {
			t.Fatal(err)
		}
		if err := s.Finish(ctx, ex.ID, Result{Outcome: Answered, Response: &Response{Status: 200}}); err != nil {
			t.Fatal(err)
		}
	}
	type seen struct {
		seq     uint64
		outcome Outcome
	}
	read := func(from Cursor, n int) (list []seen, behind []Cursor) {
		for step, err := range s.Steps(ctx, from) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, seen{step.Exchange.Seq, step.Exchange.Outcome})
			if behind = append(behind, step.Next); len(list) == n {
				break
			}
		}
		return list, behind
	}
	all, behind := read(begin, 4)
	want := []seen{{1, Pending}, {1, Answered}, {2, Pending}, {2, Answered}}
	for i := range want {
		if all[i] != want[i] {
			t.Fatalf("step %d is %v, want %v", i, all[i], want[i])
		}
	}
	for i := range 3 { // also from between the two lines of one exchange
		c, err := s.Cursor(behind[i].String())
		if err != nil {
			t.Fatal(err)
		}
		rest, _ := read(c, 3-i)
		for j, got := range rest {
			if got != want[i+1+j] {
				t.Errorf("from behind step %d on, step %d is %v, want %v", i, j, got, want[i+1+j])
			}
		}
	}
}

// Whatever a client says, it is no place in the middle of a line.
func TestCursorFromOutside(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.Append(context.Background(), &Exchange{Request: Request{Method: "GET", URL: "http://h/"}}); err != nil {
		t.Fatal(err)
	}
	end, err := s.End()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Cursor(end.String()); err != nil || got != end {
		t.Errorf("the end is %v and reads %v, %v", end, got, err)
	}
	first, _, _ := strings.Cut(end.String(), ".")
	for _, text := range []string{"", ".", "N", "N.5", "N.-1", "x.0", "N.999999999", "+N.0", "N.0 ", "0N.0", "N.99999999999999999999", "../../etc/passwd.0"} {
		text = strings.Replace(text, "N", first, 1)
		if c, err := s.Cursor(text); err == nil {
			t.Errorf("%q is read as %v", text, c)
		}
	}
}
