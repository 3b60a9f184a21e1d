package replay

import (
	"fmt"
	"time"

	"devhook/recorder"
)

// ParseSpan reads by how much all times of a session are moved, in whole seconds. text is
// a duration, as in 240h or -10d; or what is to be the time of the newest webhook, which
// came at newest: a TIME of [recorder.ParseTime], or now, which is when it will be sent
// if sending takes as long as lasts. The error is an [*Error], also if newest is zero and
// asked for.
func ParseSpan(text string, now, newest time.Time, lasts time.Duration) (time.Duration, error) {
	to := now.Add(lasts)
	if text != "now" {
		var err error
		if to, err = recorder.ParseTime(now, text); err != nil {
			return 0, &Error{
				Text: fmt.Sprintf("%q is neither now, a time nor a duration", text), Err: err,
				Hint: "write now, 2026-11-21T14:00:00Z, unix seconds, or a duration as in +240h or -10d",
			}
		}
		if later, _ := recorder.ParseTime(now.Add(time.Hour), text); !later.Equal(to) {
			return to.Sub(now).Round(time.Second), nil // a duration, which is from now whenever that is
		}
	}
	if newest.IsZero() {
		return 0, &Error{Text: "it is not known when these came", Hint: `an exchange in JSON has "at"; or give a duration, as in 240h`}
	}
	return to.Sub(newest).Round(time.Second), nil
}
