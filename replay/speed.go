package replay

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseSpeed reads how many times as fast as it was something is sent again: 1x, 10x,
// 0.5x; max, which is 0, is without waiting. The error is an [*Error].
func ParseSpeed(text string) (float64, error) {
	if text == "max" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
	if err != nil || !(n >= 0.001 && n <= 1e6) {
		return 0, &Error{Text: fmt.Sprintf("%q is no speed", text), Hint: "write 1x, 10x, 0.5x or max", Err: err}
	}
	return n, nil
}

// A Pace says when what is sent is due, one after the other; the zero Pace has no pauses.
// A round comes after the one before it as that one's last came after its last but one.
// Not for concurrent use.
type Pace struct {
	Speed float64       // how many times as fast as it came; 0: without its pauses
	Every time.Duration // from one to the next, in the place of a speed

	n, round  int
	first     time.Time     // when the first of the round came
	before    time.Duration // from the start to the round
	last, gap time.Duration // from the start to the latest; between the last two
}

// Due returns when the next is due, from the start on: what came at at, in a round; the
// first is 0.
func (p *Pace) Due(at time.Time, round int) time.Duration {
	due := time.Duration(p.n) * p.Every
	p.n++
	if p.Speed == 0 {
		return due
	}
	if round != p.round {
		p.round, p.first, p.before = round, time.Time{}, p.last+p.gap
	}
	if p.first.IsZero() {
		p.first = at
	}
	due = p.before
	if at.After(p.first) {
		due += time.Duration(float64(at.Sub(p.first)) / p.Speed)
	}
	p.gap, p.last = max(0, due-p.last), max(p.last, due)
	return due
}

// ParseRate reads how many are sent in a time: 50/s, 100/m, 3/h; without a unit it is a
// second. It returns the time from one to the next. The error is an [*Error].
func ParseRate(text string) (time.Duration, error) {
	number, unit, _ := strings.Cut(text, "/")
	per, ok := map[string]time.Duration{"": time.Second, "s": time.Second, "m": time.Minute, "min": time.Minute, "h": time.Hour}[unit]
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !ok || !(n >= 1e-3 && n <= 1e6) {
		return 0, &Error{Text: fmt.Sprintf("%q is no rate", text), Hint: "write 50/s, 100/m or 3/h", Err: err}
	}
	return time.Duration(float64(per) / n), nil
}
