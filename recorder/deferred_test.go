package recorder

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// finished returns the exchanges of s by their numbers, and checks that each has its result.
func finished(t *testing.T, s *Store) map[uint64]*Exchange {
	t.Helper()
	all := map[uint64]*Exchange{}
	for ex, err := range s.Query(Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if ex.Outcome != Answered {
			t.Errorf("#%d is %s", ex.Seq, ex.Outcome)
		}
		all[ex.Seq] = ex
	}
	return all
}

// What is deferred by many at once, also beside who writes at once, is there once, with the
// number that Wait returns and with its result, in this process and in a store that is opened
// behind it.
func TestDefer(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	const workers, each = 8, 100
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids := map[uint64]ID{}
	for w := range workers {
		wg.Go(func() {
			var kept []*Deferred
			var exs []*Exchange
			for i := range each {
				ex := newExchange(w*each + i)
				if w == 0 && i%10 == 0 { // one who waits for his turn
					if err := s.Append(t.Context(), ex); err != nil {
						t.Error(err)
					}
					if err := s.Finish(t.Context(), ex.ID, Result{Outcome: Answered, Response: &Response{Status: 200}}); err != nil {
						t.Error(err)
					}
					continue
				}
				d, err := s.Defer(ex)
				if err != nil {
					t.Error(err)
					return
				}
				d.Finish(Result{Outcome: Answered, Response: &Response{Status: 200}})
				kept, exs = append(kept, d), append(exs, ex)
			}
			for i, d := range kept {
				seq, err := d.Wait(t.Context())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				ids[seq] = exs[i].ID
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	check := func(s *Store) {
		t.Helper()
		all := finished(t, s)
		if len(all) != workers*each || len(ids) != workers*each-10 {
			t.Fatalf("%d are there, and Wait has told %d numbers", len(all), len(ids))
		}
		for seq, id := range ids {
			if all[seq] == nil || all[seq].ID != id {
				t.Errorf("#%d is not %s", seq, id)
			}
		}
	}
	check(s)
	check(open(t, dir))
}

// Nobody has to wait for it to be written: followers get it soon, and Close leaves nothing.
func TestDeferIsWrittenInTime(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := following(t, s)
	d, err := s.Defer(newExchange(1))
	if err != nil {
		t.Fatal(err)
	}
	d.Finish(Result{Outcome: Answered})
	wantNext(t, got, 1)
	if _, err := s.Defer(newExchange(2)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range readOnly(t, dir).Query(Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d are there", n)
	}
	if _, err := d.Wait(t.Context()); err != nil {
		t.Errorf("what was written before the end: %v", err)
	}
}

// The bounds hold: what is large is not gathered.
func TestDeferIsBounded(t *testing.T) {
	s := open(t, t.TempDir())
	for i := range 2 * maxDeferred {
		ex := newExchange(i)
		ex.Request.Body = Body{Bytes: []byte(strings.Repeat("x", 100<<10))}
		if _, err := s.Defer(ex); err != nil {
			t.Fatal(err)
		}
		s.queueMu.Lock()
		lines, bytes := s.deferred, s.deferredBytes
		s.queueMu.Unlock()
		if lines >= maxDeferred || bytes >= maxDeferredBytes {
			t.Fatalf("%d lines with %d bytes are kept back", lines, bytes)
		}
	}
}

// What could not be written is told by Wait, to each, and no result is left of an exchange
// that is not there.
func TestDeferAfterAFailure(t *testing.T) {
	s := open(t, t.TempDir())
	appendN(t, s, 1)
	bad, err := os.Open(s.seg.f.Name()) // takes no byte
	if err != nil {
		t.Fatal(err)
	}
	s.seg.f.Close()
	s.seg.f = bad
	var kept []*Deferred
	for n := range 2 {
		d, err := s.Defer(newExchange(n))
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, d)
	}
	kept[1].Finish(Result{Outcome: Answered})
	for range 2 {
		for _, d := range kept {
			if seq, err := d.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), string(d.id)) {
				t.Errorf("%s: #%d, %v", d.id, seq, err)
			}
			d.Finish(Result{Outcome: Answered})
		}
	}
	if s.queueMu.Lock(); len(s.queue) > 0 {
		t.Errorf("%d lines wait to be written", len(s.queue))
	}
	s.queueMu.Unlock()
	n := 0
	for ex, err := range readOnly(t, s.Path()).Query(Query{}) {
		if n++; err != nil || ex.Seq != 1 {
			t.Errorf("there is %v, %v", ex, err)
		}
	}
	if n != 1 {
		t.Errorf("%d are there", n)
	}
}

// A Wait that is given up leaves it to be written all the same; a store that is only read
// defers nothing.
func TestDeferGivenUp(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	d, err := s.Defer(newExchange(1))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if _, err := d.Wait(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("given up: %v", err)
	}
	if _, err := d.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := readOnly(t, dir).Defer(newExchange(2)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("deferred in a store that is read only: %v", err)
	}
}
