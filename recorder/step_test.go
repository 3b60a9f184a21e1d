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

// Who follows learns that an exchange was pinned, and that some were removed, by any
// process; what was pinned meanwhile is so at its end, too.
func TestStepsOfWhatIsKept(t *testing.T) {
	dir := t.TempDir()
	s, other := open(t, dir), open(t, dir)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var ids []ID
	for range 3 {
		ex := &Exchange{At: time.Now().Add(-2 * time.Hour), Origin: Live, Request: Request{Method: "GET", URL: "http://h/a"}, Outcome: Pending}
		if err := s.Append(ctx, ex); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, ex.ID)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(other.Pin(ids[0], true)) // while it is under way
	must(s.Finish(ctx, ids[0], Result{Outcome: Answered, Response: &Response{Status: 101}}))
	must(other.Pin(ids[1], true))
	must(other.Pin(ids[1], false))
	must(s.EndFrames(ids[0], Ending{At: time.Now(), In: 1}))
	must(s.Finish(ctx, ids[1], Result{Outcome: Answered, Response: &Response{Status: 200}}))

	type seen struct {
		seq     uint64
		outcome Outcome
		pinned  bool
		pin     bool
		removed int
		ended   bool
	}
	read := func(from Cursor, n int) (list []seen, behind []Cursor) {
		t.Helper()
		for step, err := range s.Steps(ctx, from) {
			must(err)
			got := seen{pin: step.Pin, removed: step.Removed}
			if ex := step.Exchange; ex != nil {
				got.seq, got.outcome, got.pinned, got.ended = ex.Seq, ex.Outcome, ex.Pinned, ex.Ending != nil
			}
			list, behind = append(list, got), append(behind, step.Next)
			if len(list) == n {
				break
			}
		}
		return list, behind
	}
	got, behind := read(Cursor{}, 9)
	for i, want := range []seen{
		{1, Pending, false, false, 0, false}, {2, Pending, false, false, 0, false}, {3, Pending, false, false, 0, false},
		{1, Answered, true, true, 0, true}, // as it is by now
		{1, Answered, true, false, 0, false},
		{2, Answered, false, true, 0, false}, {2, Answered, false, true, 0, false},
		{1, Answered, true, false, 0, true},
		{2, Answered, false, false, 0, false},
	} {
		if got[i] != want {
			t.Errorf("step %d is %+v, want %+v", i, got[i], want)
		}
	}

	f, err := ParseFilter(time.Now(), "seq:2..3")
	must(err)
	if out := mustPrune(t, other, Pruning{Filter: f, Now: time.Now()}); out.Exchanges != 2 {
		t.Fatalf("removed: %+v", out)
	}
	if c, err := s.Cursor(behind[8].String()); err == nil {
		t.Errorf("a place behind what was removed is %v", c)
	}
	first, err := s.Cursor(behind[0].String())
	must(err)
	got, behind = read(first, 4) // what is left of #1, and in the next segment the news
	if got[3] != (seen{removed: 2}) {
		t.Errorf("after a pruning comes %+v", got)
	}
	if c, err := s.Cursor(behind[3].String()); err != nil || c != behind[3] {
		t.Errorf("the place behind the news of it is %v, %v", c, err)
	}
}

// A place in a segment that was written anew is none any more, also where all lines are
// of one length, so that another one ends there.
func TestCursorOfRewrittenSegment(t *testing.T) {
	s := open(t, t.TempDir())
	ctx := context.Background()
	for range 6 {
		ex := &Exchange{At: time.Unix(1700000000, 0), Origin: Live, Request: Request{Method: "GET", URL: "http://h/a"}, Outcome: Handled}
		if err := s.Append(ctx, ex); err != nil {
			t.Fatal(err)
		}
	}
	var texts []string
	for step, err := range s.Steps(ctx, Cursor{}) {
		if err != nil {
			t.Fatal(err)
		}
		if texts = append(texts, step.Next.String()); len(texts) == 6 {
			break
		}
	}
	f, err := ParseFilter(time.Now(), "seq:3")
	if err != nil {
		t.Fatal(err)
	}
	mustPrune(t, s, Pruning{Filter: f, Now: time.Now()})
	for i, text := range texts {
		if _, err := s.Cursor(text); (err == nil) != (i < 2) {
			t.Errorf("the place behind #%d: %v", i+1, err)
		}
	}
}
