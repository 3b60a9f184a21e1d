package replay

import (
	"fmt"
	"time"
)

// Two rounds of three webhooks, ten times as fast as they came: the second begins after a
// pause like that before the last.
func ExamplePace() {
	pace := Pace{Speed: 10}
	for round := range 2 {
		for _, seconds := range []int{0, 10, 30} {
			fmt.Print(pace.Due(came.Add(time.Duration(seconds)*time.Second), round), " ")
		}
	}
	rate := Pace{Every: 20 * time.Millisecond}
	fmt.Println(rate.Due(came, 0), rate.Due(came, 0), rate.Due(came, 1))
	// Output: 0s 1s 3s 5s 6s 8s 0s 20ms 40ms
}
