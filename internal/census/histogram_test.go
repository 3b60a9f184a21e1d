package census

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whatever was counted, a quantile is no more than 1/64 from the true one, and the
// shortest and the longest are exact.
func TestHistogram(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		var h Histogram
		var all []time.Duration
		for range 1 + random.IntN(500) {
			d := time.Duration(random.Int64N(1 << (1 + random.IntN(50))))
			all = append(all, d)
			h.add(d)
		}
		slices.Sort(all)
		for _, q := range Quantiles {
			want := all[int(q.Part*float64(len(all)-1))]
			if got := h.At(q.Part); got < want || float64(got) > float64(want)*(1+1./64) {
				t.Errorf("round %d: %s of %d is %d, want %d", round, q.Name, len(all), got, want)
			}
		}
	}
	for d := range time.Duration(5000) {
		if c := classOf(d); top(c) < d || c > 0 && top(c-1) >= d {
			t.Fatalf("%d is in class %d, up to %d", d, c, top(c))
		}
	}
}
