// Package delivery says when a provider tries to deliver a webhook, and what it
// takes for success. It sends nothing and waits for nothing: times are offsets
// from the first try.
//
// The facts are in the retry section of a provider's description. Where they leave
// out the pauses, as TikTok's "exponential, within 72 hours" does, some are
// assumed, and [Policy.Certainty] says so.
package delivery

import (
	"slices"
	"strconv"
	"time"

	"devhook/verify"
)

// Certainty is how much of a policy is the provider's own word.
type Certainty string

// How certain a [Policy] is.
const (
	Documented Certainty = "documented"
	Assumed    Certainty = "assumed" // that it tries again is documented, when is not
	Unknown    Certainty = "unknown" // nothing is documented: one try
)

// A Policy is when a provider tries to deliver.
type Policy struct {
	// At are the times of the tries, the first of which is 0.
	At        []time.Duration
	Certainty Certainty
	// Timeout is how long it waits for an answer, 0 if that is not known.
	Timeout time.Duration
	About   string // in words, "" if there is nothing to add
	// Again and Final are those of [verify.Retry].
	Again, Final []string

	success []int
}

// What is assumed of pauses that grow: the first, their factor, the longest; and
// how long the provider goes on where it does not say.
const (
	firstPause   = time.Minute
	pauseFactor  = 2.0
	longestPause = 12 * time.Hour
	assumedHours = 24 * time.Hour
	mostTries    = 128 // Adyen has 100
)

// Of returns the policy that r describes.
func Of(r verify.Retry) Policy {
	p := Policy{At: []time.Duration{0}, Certainty: Documented, Timeout: r.Timeout, About: r.About, Again: r.Again, Final: r.Final, success: r.Success}
	most := mostTries
	if r.Times > 0 {
		most = r.Times + 1
	}
	for _, pause := range r.After {
		p.add(pause, r.Within, most)
	}
	bounded := r.Within > 0 || r.Times > 0
	switch {
	case r.Backoff == "none":
	case len(r.After) > 0 && bounded && r.Backoff != "":
		pause, factor := r.After[len(r.After)-1], 1.0
		if r.Backoff == "exponential" {
			factor = pauseFactor
		}
		for pause > 0 && p.add(scale(pause, factor), r.Within, most) {
			pause = scale(pause, factor)
		}
	case len(r.After) > 0:
	case r.Backoff == "" && !bounded:
		p.Certainty = Unknown
	default:
		p.Certainty = Assumed
		within := r.Within
		if within == 0 && r.Times == 0 {
			within = assumedHours
		}
		factor := pauseFactor
		if within > 0 && r.Times > 0 {
			factor = fitting(r.Times, within)
		}
		for pause := firstPause; p.add(pause.Round(time.Second), within, most); {
			pause = min(scale(pause, factor), longestPause)
		}
	}
	return p
}

func scale(d time.Duration, factor float64) time.Duration { return time.Duration(float64(d) * factor) }

// fitting returns by how much so many pauses may grow, so that the last try is in time:
// at most as they do where nothing is said of how many there are.
func fitting(times int, within time.Duration) float64 {
	for factor := pauseFactor; factor > 1; factor -= 0.01 {
		sum, pause := time.Duration(0), firstPause
		for range times {
			sum += pause + time.Second // as they are rounded
			pause = min(scale(pause, factor), longestPause)
		}
		if sum <= within {
			return factor
		}
	}
	return 1
}

// add adds a try after a pause, if it is in time and one of at most so many.
func (p *Policy) add(pause, within time.Duration, most int) bool {
	at := p.At[len(p.At)-1] + pause
	if within > 0 && at > within || len(p.At) >= most {
		return false
	}
	p.At = append(p.At, at)
	return true
}

// Delivered reports whether the provider is content with the status of an answer,
// 0 for none.
func (p Policy) Delivered(status int) bool {
	if p.success != nil {
		return slices.Contains(p.success, status)
	}
	return status >= 200 && status < 300
}

// Ends reports whether the provider does not try again after the status of an answer
// that it is not content with, 0 for no answer.
func (p Policy) Ends(status int) bool {
	among := func(list []string) bool {
		return slices.Contains(list, strconv.Itoa(status)) || slices.Contains(list, strconv.Itoa(status/100)+"xx")
	}
	return status != 0 && (p.Again != nil && !among(p.Again) || among(p.Final))
}
