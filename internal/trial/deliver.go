package trial

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"devhook/internal/delivery"
	"devhook/recorder"
)

// A Try is one attempt of a delivery.
type Try struct {
	N    int           // from 1
	At   time.Duration // after the first, on a virtual clock
	Done *recorder.Exchange
	// OK says that the provider is content; Result is delivered, duplicate, or why it
	// counts as failed.
	OK     bool
	Result string
	Last   bool // the provider gives up after such an answer, whatever times are left
}

// A Delivery is what came of all tries.
type Delivery struct {
	Tries     int
	Answered  int  // of them
	Delivered bool // the provider is content
	Duplicate bool // and it was so once more
}

// Deliver sends the webhook until the provider is content, and as often as it would try,
// and calls each with every try. The clock between tries is a virtual one; each is signed
// with the present time. duplicate delivers it once more when it was delivered. Without
// a Timeout, the app has as long as the policy says. The error is one of Send, of each,
// of signing, or that of ctx.
func (t *Trial) Deliver(ctx context.Context, policy delivery.Policy, duplicate bool, each func(Try) error) (d Delivery, err error) {
	trial := *t
	trial.Timeout = cmp.Or(t.Timeout, policy.Timeout)
	first, err := trial.signed(t.Source.Request, true)
	if err != nil {
		return d, err
	}
	times := policy.At
	for i := 0; i < len(times); i++ {
		one := Try{N: i + 1, At: times[i]}
		req, err := trial.signed(first, false)
		if err == nil {
			one.Done, err = trial.shoot(ctx, req, fmt.Sprintf("delivery %d, %s after the first", one.N, one.At))
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return d, err
		}
		d.Tries = one.N
		if Status(one.Done) != 0 {
			d.Answered++
		}
		times = t.judge(policy, &one, times)
		if d.Delivered && one.OK {
			one.Result = "duplicate"
		}
		if err := each(one); err != nil {
			return d, err
		}
		if one.Last {
			return d, nil
		}
		if !one.OK {
			continue
		}
		if d.Delivered || !duplicate {
			d.Duplicate, d.Delivered = d.Delivered, true
			return d, nil
		}
		d.Delivered = true
		times = append(times[:i+1:i+1], one.At)
	}
	return d, nil
}

// judge tells what the provider makes of a try, and when it tries again, at the times.
func (t *Trial) judge(policy delivery.Policy, one *Try, times []time.Duration) []time.Duration {
	n := Status(one.Done)
	if one.OK, one.Result = t.content(policy, one.Done); one.OK || policy.Delivered(n) {
		return times
	}
	var answer http.Header
	if one.Done.Response != nil {
		answer = one.Done.Response.Headers
	}
	if one.Last = policy.Ends(n, answer); one.Last {
		one.Result += ", which does not try again after it"
	} else if pause, ok := policy.Asked(n, answer, t.Now()); ok && one.N < len(times) {
		times = policy.Postponed(times, one.N-1, pause)
		one.Result += fmt.Sprintf(", which waits %s, as Retry-After says", pause)
	}
	return times
}

// content says whether the provider is content with what became of a try, and else why
// not.
func (t *Trial) content(policy delivery.Policy, done *recorder.Exchange) (ok bool, result string) {
	n := Status(done)
	if n == 0 {
		return false, detail(done)
	}
	if !policy.Delivered(n) {
		return false, fmt.Sprintf("%d is a failure for %s", n, t.Provider.ID)
	}
	if t.Provider.Reads() {
		body := done.Response.Body.Bytes
		if done.Response.Body.Sum != "" {
			body = nil // so long an answer is none that it understands
		}
		if why := t.Provider.Misunderstood(body); why != "" {
			return false, "the answer is not understood: " + why
		}
	}
	return true, "delivered"
}
