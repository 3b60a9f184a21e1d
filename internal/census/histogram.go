package census

import (
	"maps"
	"math/bits"
	"slices"
	"time"
)

// Quantiles are those that are told: half of the answers took no longer than p50.
var Quantiles = []struct {
	Name string
	Part float64
}{{"min", 0}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}}

// A Histogram counts durations in classes that are 1/64 of their length wide, so
// that any number of them takes little room; shortest and longest are exact.
type Histogram struct {
	Count    int64
	min, max time.Duration
	classes  map[int]int64
}

const classBits = 6

func (h *Histogram) add(d time.Duration) {
	d = max(0, d)
	if h.classes == nil {
		h.classes, h.min = map[int]int64{}, d
	}
	h.min, h.max = min(h.min, d), max(h.max, d)
	h.Count++
	h.classes[classOf(d)]++
}

// classOf gives the class of d: the place of its first bit, and the bits behind
// it.
func classOf(d time.Duration) int {
	n := bits.Len64(uint64(d))
	if n <= classBits+1 {
		return int(d)
	}
	shift := n - classBits - 1
	return shift<<(classBits+1) + int(d>>shift)
}

// top is the longest duration of a class.
func top(class int) time.Duration {
	if class < 1<<(classBits+1) {
		return time.Duration(class)
	}
	shift := class >> (classBits + 1)
	low := class & (1<<(classBits+1) - 1)
	return time.Duration(low+1)<<shift - 1
}

// At returns the duration that part of all do not exceed, 0 if there are none.
func (h *Histogram) At(part float64) time.Duration {
	switch part {
	case 0:
		return h.min
	case 1:
		return h.max
	}
	rest := int64(part*float64(h.Count-1)) + 1
	for _, class := range slices.Sorted(maps.Keys(h.classes)) {
		if rest -= h.classes[class]; rest <= 0 {
			return min(max(top(class), h.min), h.max)
		}
	}
	return h.max
}
