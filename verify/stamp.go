package verify

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A unit is how a timestamp is written.
type unit string

const (
	unitSeconds  unit = "s"  // Unix time, decimal digits
	unitMillis   unit = "ms" // the same in milliseconds
	unitRFC3339  unit = "rfc3339"
	unitISO8601  unit = "iso8601" // RFC 3339, but without a zone it is UTC
	unitHTTPDate unit = "http-date"
)

var units = []unit{unitSeconds, unitMillis, unitRFC3339, unitISO8601, unitHTTPDate}

// A stamp is the time in a signature.
type stamp struct {
	place
	unit   unit
	expiry bool // it tells until when the signature holds, not when it was made
	// past and future bound how far the time may be from now; unlimited for no
	// bound. For an expiry, past is the grace after it.
	past, future time.Duration
	ttl          time.Duration // Sign puts an expiry this far ahead
	also         string        // an element of the signature's list that has the same time
}

// element gives the name of the element of the signature's list that has the
// time, "" if there is none.
func (s *stamp) element() string {
	switch {
	case s == nil:
		return ""
	case s.in == inSignature:
		return s.name
	}
	return s.also
}

const unlimited = time.Duration(1<<63 - 1)

// defaultTolerance is what most receivers allow where the provider names no
// limit: 300 s, as Stripe and Slack recommend.
const defaultTolerance = 5 * time.Minute

// maxDigits bounds a Unix time: 15 digits of milliseconds reach the year 33658.
const maxDigits = 15

// parse reads text. precision is the smallest step that text can tell.
func (u unit) parse(text string) (t time.Time, precision time.Duration, ok bool) {
	switch u {
	case unitSeconds, unitMillis:
		if text == "" || len(text) > maxDigits {
			return t, 0, false
		}
		var n int64
		for i := range len(text) {
			if text[i] < '0' || text[i] > '9' {
				return t, 0, false
			}
			n = n*10 + int64(text[i]-'0')
		}
		if u == unitMillis {
			return time.UnixMilli(n), time.Millisecond, true
		}
		return time.Unix(n, 0), time.Second, true
	case unitHTTPDate:
		t, err := http.ParseTime(text)
		return t, time.Second, err == nil
	}
	if len(text) > 64 {
		return t, 0, false
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil && u == unitISO8601 {
		t, err = time.Parse("2006-01-02T15:04:05", text)
	}
	return t, fraction(text), err == nil
}

// fraction gives the precision of an RFC 3339 time by the digits of its
// seconds.
func fraction(text string) time.Duration {
	precision := time.Second
	if _, rest, ok := strings.Cut(text, "."); ok {
		for i := 0; i < len(rest) && '0' <= rest[i] && rest[i] <= '9' && precision > 1; i++ {
			precision /= 10
		}
	}
	return precision
}

var errNoSuchTime = errors.New("timestamps are made for the years 1970 to 9999 only")

// format writes t in the style of old, a timestamp that it replaces.
func (u unit) format(t time.Time, old string) (string, error) {
	if t.Unix() < 0 || t.UTC().Year() > 9999 {
		return "", errNoSuchTime
	}
	switch u {
	case unitSeconds:
		return strconv.FormatInt(t.Unix(), 10), nil
	case unitMillis:
		return strconv.FormatInt(t.UnixMilli(), 10), nil
	case unitHTTPDate:
		return t.UTC().Format(http.TimeFormat), nil
	}
	layout := "2006-01-02T15:04:05"
	if precision := fraction(old); precision < time.Second {
		digits := 0
		for ; precision < time.Second; precision *= 10 {
			digits++
		}
		layout += "." + strings.Repeat("0", digits)
	}
	if u == unitRFC3339 || strings.HasSuffix(old, "Z") {
		layout += "Z"
	}
	return t.UTC().Format(layout), nil
}

// judge tells whether a signature made at, or good until, t is in time at now.
// Exactly at the limit is in time. now counts in steps of precision, as senders
// and their libraries count.
func (s *stamp) judge(t time.Time, precision time.Duration, now time.Time) (reason Reason, detail string) {
	d := now.Truncate(precision).Sub(t) // saturates
	switch {
	case d > s.past && s.expiry && s.past == 0:
		return Stale, "expired " + age(d) + " ago"
	case d > s.past && s.expiry:
		return Stale, fmt.Sprintf("expired %s ago (limit %s)", age(d), age(s.past))
	case d > s.past:
		return Stale, fmt.Sprintf("timestamp %s old (limit %s)", age(d), age(s.past))
	case s.future == unlimited:
		return "", ""
	case d < -s.future:
		ahead := -d
		if ahead < 0 { // the least duration has no opposite
			ahead = unlimited
		}
		return Future, fmt.Sprintf("timestamp %s ahead (limit %s)", age(ahead), age(s.future))
	}
	return "", ""
}
