// Package delivery says when a provider tries to deliver a webhook, and what it
// takes for success. It sends nothing and waits for nothing: times are offsets
// from the first try.
//
// The facts are in the retry section of a provider's description. Where they leave
// out the pauses, as TikTok's "exponential, within 72 hours" does, some are
// assumed, and [Policy.Certainty] says so.
package delivery

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	// Again, Final, FinalHeader and RetryAfter are those of [verify.Retry].
	Again, Final []string
	FinalHeader  string
	RetryAfter   []string

	success        []int
	within         time.Duration
	retryAfterMost time.Duration
}

// What is assumed of pauses that grow: the first, their factor, the longest; and
// how long the provider goes on where it does not say.
const (
	firstPause   = time.Minute
	pauseFactor  = 2.0
	longestPause = 12 * time.Hour
	assumedHours = 24 * time.Hour
	mostTries    = 1024 // Telegram has some 960
	// mostPause bounds what grows, and what an answer asks for: so many of mostTries are less
	// than a Duration holds.
	mostPause = 30 * 24 * time.Hour
)

// Of returns the policy that r describes.
func Of(r verify.Retry) Policy {
	p := Policy{At: []time.Duration{0}, Certainty: Documented, Timeout: r.Timeout, About: r.About, Again: r.Again, Final: r.Final, FinalHeader: r.FinalHeader,
		RetryAfter: r.RetryAfter, success: r.Success, within: r.Within, retryAfterMost: r.RetryAfterMost}
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

func scale(d time.Duration, factor float64) time.Duration {
	return max(d, min(time.Duration(float64(d)*factor), mostPause))
}

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

// Ends reports whether the provider does not try again after an answer that it is not
// content with: its status, 0 for none, and headers.
func (p Policy) Ends(status int, h http.Header) bool {
	if name, value, _ := strings.Cut(p.FinalHeader, ": "); name != "" && h.Get(name) == value {
		return true
	}
	return status != 0 && (p.Again != nil && !among(p.Again, status) || among(p.Final, status))
}

func among(failures []string, status int) bool {
	return slices.Contains(failures, strconv.Itoa(status)) || slices.Contains(failures, strconv.Itoa(status/100)+"xx")
}

// Asked returns how long the provider waits because an answer with that status and those
// headers, which came now, asks for it by Retry-After (RFC 9110 §10.2.3). ok is false if the
// provider does not look at it, or it asks for nothing. Where no limit of the provider's is
// known, it is 30 days.
func (p Policy) Asked(status int, h http.Header, now time.Time) (pause time.Duration, ok bool) {
	if !among(p.RetryAfter, status) {
		return 0, false
	}
	text := h.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		pause = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		pause = at.Sub(now).Round(time.Second)
	}
	pause = min(pause, cmp.Or(p.retryAfterMost, mostPause))
	return pause, pause > 0
}

// Postponed returns the times of the tries if try i, from 0, is followed by a pause of that
// length: the pauses after it stay as they were, and what is too late then is left out.
func (p Policy) Postponed(at []time.Duration, i int, pause time.Duration) []time.Duration {
	if i+1 >= len(at) {
		return at
	}
	by := at[i] + pause - at[i+1]
	moved := slices.Clone(at[:i+1])
	for _, t := range at[i+1:] {
		if t += by; p.within > 0 && t > p.within {
			break
		}
		moved = append(moved, t)
	}
	return moved
}
