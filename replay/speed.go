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
