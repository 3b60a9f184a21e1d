package recorder

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Who does not wait any more gets the reason, and nothing that looks like the whole.
func TestQueryIsGivenUp(t *testing.T) {
	s := openSmall(t, t.TempDir(), 4<<10)
	old(t, s, 60)
	f, err := ParseFilter(time.Now(), `"in no body at all"`)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, q := range []Query{{}, {Newest: 5}, {Filter: f}, {Filter: f, Newest: 5}} {
		n, last := 0, error(nil)
		for _, err := range s.QueryContext(ended, q) {
			if n, last = n+1, err; n > 1 {
				break
			}
		}
		if n != 1 || !errors.Is(last, context.Canceled) {
			t.Errorf("%+v: %d values, the last with %v", q, n, last)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n, last := 0, error(nil)
	for _, err := range s.QueryContext(ctx, Query{Newest: 50}) {
		if n, last = n+1, err; n == 3 {
			cancel()
		}
	}
	if n != 4 || !errors.Is(last, context.Canceled) {
		t.Errorf("given up at the third: %d values, the last with %v", n, last)
	}
}

// What was asked for as it arrived has nothing of its end, though that chose it; the rest
// is as ever.
func TestQueryOfArrivals(t *testing.T) {
	s := open(t, t.TempDir())
	ex := newExchange(1)
	mustAppend(t, s, ex)
	arrived := *ex
	finish(t, s, ex, 503)
	mustAppend(t, s, handled())
	if err := s.Pin(ex.ID, true); err != nil {
		t.Fatal(err)
	}
	arrived.Pinned = true
	f, err := ParseFilter(time.Now(), "status:5xx")
	if err != nil {
		t.Fatal(err)
	}
	for _, newest := range []int{0, 5} {
		var got []string
		for ex, err := range s.Query(Query{Filter: f, Newest: newest, Arrivals: true}) {
			if err != nil {
				t.Fatal(err)
			}
			text, _ := ex.MarshalJSON()
			got = append(got, string(text))
		}
		if want, _ := arrived.MarshalJSON(); len(got) != 1 || got[0] != string(want) {
			t.Errorf("newest %d: got %s, want %s", newest, got, want)
		}
	}
}
