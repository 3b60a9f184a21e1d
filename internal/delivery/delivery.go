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

	success []int
}

// What is assumed of pauses that grow: the first, their factor, the longest; and
// how long the provider goes on where it does not say.
const (
	firstPause   = time.Minute
	pauseFactor  = 2
	longestPause = 12 * time.Hour
	assumedHours = 24 * time.Hour
	mostTries    = 100
)

// Of returns the policy that r describes.
func Of(r verify.Retry) Policy {
	p := Policy{At: []time.Duration{0}, Certainty: Documented, Timeout: r.Timeout, About: r.About, success: r.Success}
	for _, pause := range r.After {
		p.add(pause, r.Within)
	}
	switch {
	case r.Backoff == "none":
	case len(r.After) > 0:
		if r.Backoff == "constant" && r.Within > 0 {
			for p.add(r.After[len(r.After)-1], r.Within) {
			}
		}
	case r.Backoff == "" && r.Within == 0:
		p.Certainty = Unknown
	default:
		p.Certainty = Assumed
		within := r.Within
		if within == 0 {
			within = assumedHours
		}
		pause := firstPause
		for p.add(pause, within) {
			pause = min(pause*pauseFactor, longestPause)
		}
	}
	return p
}

// add adds a try after a pause, if it is in time.
func (p *Policy) add(pause, within time.Duration) bool {
	at := p.At[len(p.At)-1] + pause
	if within > 0 && at > within || len(p.At) == mostTries {
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
