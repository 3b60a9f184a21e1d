package trial_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"devhook/internal/trial"
	"devhook/verify"
)

// failing is an app that answers 500 to what has text in it, if it does so to this one: n
// counts the requests that have it, from 1.
func failing(text string, does func(n int, r *http.Request) bool) http.HandlerFunc {
	n := 0 // requests come one after the other
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte(text)) {
			if n++; does(n, r) {
				w.WriteHeader(500)
			}
		}
	}
}

// What an app fails on now and then, or once for each delivery, is shrunk as far as what it
// always fails on.
func TestShrinkUnsteady(t *testing.T) {
	const small = `{"repository":{"full_name":""}}`
	full := []byte(`"full_name"`)
	seen := map[string]bool{}
	for name, row := range map[string]struct {
		does   func(n int, r *http.Request) bool
		each   int
		steady bool
	}{
		"always":                    {func(int, *http.Request) bool { return true }, 0, true},
		"every third time":          {func(n int, _ *http.Request) bool { return n%3 == 0 }, 0, false},
		"all but every fifth time":  {func(n int, _ *http.Request) bool { return n%5 != 0 }, 0, false},
		"every eighth time, asked":  {func(n int, _ *http.Request) bool { return n%8 == 0 }, 8, false},
		"after three times, seldom": {func(n int, _ *http.Request) bool { return n <= 4 || n%4 == 0 }, 0, false},
		"once for each delivery": {func(_ int, r *http.Request) bool {
			id := r.Header.Get("X-Github-Delivery")
			defer func() { seen[id] = true }()
			return !seen[id]
		}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			tr := trying(t, "github", "push", failing(string(full), row.does))
			while, _ := trial.ParseWhile("5xx")
			s, err := tr.Shrink(t.Context(), while, 5000, row.each)
			if err != nil || string(s.Body) != small || !s.Done || s.Steady != row.steady || s.Failed == 0 {
				t.Errorf("%v, %s, %+v", err, s.Body, s)
			}
			if s.Exchange.Response.Status != 500 || !bytes.Equal(s.Exchange.Request.Body.Bytes, s.Body) || s.Exchange.Verdict.Status != verify.Valid {
				t.Errorf("the last that failed is not the smallest, signed: %+v", s.Exchange)
			}
		})
	}
}

// An app that fails on one delivery alone gets that one.
func TestShrinkOneDelivery(t *testing.T) {
	tr := trying(t, "github", "push", nil)
	id := tr.Source.Request.Headers.Get("X-Github-Delivery")
	tr = trying(t, "github", "push", failing("ref", func(_ int, r *http.Request) bool { return r.Header.Get("X-Github-Delivery") == id }))
	tr.Source.Request.Headers.Set("X-Github-Delivery", id)
	while, _ := trial.ParseWhile("5xx")
	s, err := tr.Shrink(t.Context(), while, 5000, 0)
	if err != nil || string(s.Body) != `{"ref":""}` || !s.Steady {
		t.Errorf("%v, %s, %+v", err, s.Body, s)
	}
}

// What an app has failed on and does not any more is told from what it fails on.
func TestShrinkNoMore(t *testing.T) {
	tr := trying(t, "github", "push", failing("ref", func(n int, _ *http.Request) bool { return n <= 7 }))
	while, _ := trial.ParseWhile("5xx")
	s, err := tr.Shrink(t.Context(), while, 5000, 0)
	if err != nil || s.Steady || s.Failed != 0 || s.Asked == 0 || len(s.Body) >= len(tr.Source.Request.Body.Bytes) {
		t.Errorf("%v, %d bytes, %+v", err, len(s.Body), s)
	}
}
