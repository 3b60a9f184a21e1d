package recorder

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseRanges reads ranges of numbers, between commas: N, >N, >=N, <N, <=N or
// N..M, where parse gives the range that is meant by N alone. With an error, at
// is where in values the fault is.
func parseRanges(values string, parse func(string) (lo, hi int64, err error)) (list []Range, at int, err error) {
	for v := range strings.SplitSeq(values, ",") {
		const lowest, highest = -1 << 63, 1<<63 - 1
		r := Range{lowest, highest}
		from, to, isRange := strings.Cut(v, "..")
		switch {
		case isRange:
			if r.Lo, _, err = parse(from); err == nil {
				if _, r.Hi, err = parse(to); err == nil && r.Lo > r.Hi {
					err = fmt.Errorf("%s ends before it begins", v)
				}
			}
		case strings.HasPrefix(v, ">="):
			r.Lo, _, err = parse(v[2:])
		case strings.HasPrefix(v, "<="):
			_, r.Hi, err = parse(v[2:])
		case strings.HasPrefix(v, ">"):
			if _, r.Lo, err = parse(v[1:]); r.Lo < highest {
				r.Lo++
			}
		case strings.HasPrefix(v, "<"):
			if r.Hi, _, err = parse(v[1:]); r.Hi > lowest {
				r.Hi--
			}
		default:
			r.Lo, r.Hi, err = parse(v)
		}
		if err != nil {
			return nil, at, err
		}
		list = append(list, r)
		at += len(v) + 1
	}
	return list, 0, nil
}

func single(parse func(string) (int64, error)) func(string) (int64, int64, error) {
	return func(s string) (int64, int64, error) {
		n, err := parse(s)
		return n, n, err
	}
}

// parseStatus reads a status, or a class of them such as 5xx.
func parseStatus(s string) (lo, hi int64, err error) {
	if len(s) == 3 && s[0] >= '1' && s[0] <= '9' && strings.EqualFold(s[1:], "xx") {
		lo = int64(s[0]-'0') * 100
		return lo, lo + 99, nil
	}
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, 0, fmt.Errorf("%q is not a status", s)
	}
	return int64(n), int64(n), nil
}

// ParseSize reads a number of bytes: 300, 10kb, 1.5mb, 2gb; kb is 1000.
func ParseSize(s string) (int64, error) {
	unit := int64(1)
	digits := strings.ToLower(strings.TrimSpace(s))
	for suffix, n := range map[string]int64{"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12} {
		if d, ok := strings.CutSuffix(digits, suffix); ok {
			digits, unit = d, n
		}
	}
	if unit == 1 {
		digits = strings.TrimSuffix(digits, "b")
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if err != nil || !(n >= 0 && n*float64(unit) < 1<<62) {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	return int64(n * float64(unit)), nil
}

// ParseAge reads how long something is kept: a duration as Go writes it, and weeks
// and days before it: 90d, 12h, 2w, 1d12h. It is more than nothing.
func ParseAge(s string) (time.Duration, error) {
	const most = 100 * 365 * 24 * time.Hour // far from what an int64 holds
	bad := fmt.Errorf("%q is not an age", s)
	var age time.Duration
	rest := s
	for _, unit := range []struct {
		name string
		long time.Duration
	}{{"w", 7 * 24 * time.Hour}, {"d", 24 * time.Hour}} {
		number, after, ok := strings.Cut(rest, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || !(n >= 0 && n*float64(unit.long) <= float64(most)) {
			return 0, bad
		}
		age += time.Duration(n * float64(unit.long))
		rest = after
	}
	if rest != "" || s == "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || d > most {
			return 0, bad
		}
		age += d
	}
	if age <= 0 {
		return 0, bad
	}
	return age, nil
}

// ParseTime reads a time: unix seconds (10 digits) or milliseconds (13),
// RFC 3339, a date, or a duration from now such as -5m or +30s.
func ParseTime(now time.Time, s string) (time.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) == 10 {
		return time.Unix(n, 0).UTC(), nil
	} else if err == nil && len(s) == 13 {
		return time.UnixMilli(n).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return t, nil
	}
	if d, err := parseDuration(s); err == nil {
		return now.Add(d), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a time", s)
}

// ParseAgo is [ParseTime], but for a duration without a sign, which is back
// from now, and a time of day (14:32, 14:32:05), which is the last one before now.
func ParseAgo(now time.Time, s string) (time.Time, error) {
	if d, err := parseDuration(s); err == nil && s[0] != '+' {
		return now.Add(-d.Abs()), nil
	}
	for _, layout := range []string{"15:04", time.TimeOnly} {
		clock, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		here := now.Local()
		t := time.Date(here.Year(), here.Month(), here.Day(), clock.Hour(), clock.Minute(), clock.Second(), clock.Nanosecond(), time.Local)
		if t.After(now) {
			t = t.AddDate(0, 0, -1)
		}
		return t, nil
	}
	return ParseTime(now, s)
}

// parseDuration reads a duration as Go writes it, with days before the rest:
// 90m, 2d, -2d30m. Its sign is that of all of it.
func parseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseFloat(days, 64)
	if err != nil || !(n >= -36500 && n <= 36500) { // not a number is neither
		return 0, fmt.Errorf("%q is not a duration", s)
	}
	d := time.Duration(n * 24 * float64(time.Hour))
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	switch {
	case err != nil || rest[0] == '+' || rest[0] == '-' || more.Hours() > 24*36500:
		return 0, fmt.Errorf("%q is not a duration", s)
	case s[0] == '-':
		return d - more, nil
	}
	return d + more, nil
}
