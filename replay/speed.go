package replay

import (
	"fmt"
	"strconv"
	"strings"
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
