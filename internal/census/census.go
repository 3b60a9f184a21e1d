// Package census counts recordings.
package census

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"devhook/recorder"
)

// Period is what the times of a [Census] are counted by.
type Period string

// The periods. The zero Period is hours if all was within two days, else days.
const (
	Hour Period = "hour"
	Day  Period = "day"
)

// A Census is what was counted of recordings, by provider, event, verdict, outcome
// and others. The zero Census has counted nothing. It is not for concurrent use; its
// size follows from how many different values and hours there are.
type Census struct {
	Count, Bytes int64     // of recordings, and of the bodies of their requests
	First, Last  time.Time // when they came
	Took         Histogram // how long answers of apps took
	by           map[string]map[string]int64
	hours        map[time.Time]int64
}

// Groups are what is counted, in the order in which it is told.
var Groups = []string{"provider", "event", "verdict", "reason", "outcome", "status", "origin"}

// By returns how many recordings have each value of a group.
func (t *Census) By(group string) map[string]int64 { return t.by[group] }

// Add counts ex.
func (t *Census) Add(ex *recorder.Exchange) {
	t.Count++
	if t.by == nil {
		t.by, t.hours = map[string]map[string]int64{}, map[time.Time]int64{}
	}
	t.Bytes += ex.Request.Size
	if at := ex.At; t.Count == 1 || at.Before(t.First) {
		t.First = at
	}
	if at := ex.At; t.Count == 1 || at.After(t.Last) {
		t.Last = at
	}
	at := ex.At.Local()
	t.hours[time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), 0, 0, 0, time.Local)]++
	values := map[string]string{
		"provider": ex.Provider, "event": ex.Event, "verdict": string(ex.Verdict.Status), "reason": string(ex.Verdict.Reason),
		"outcome": string(ex.Outcome), "origin": string(ex.Origin),
	}
	if a := ex.Answer(); a != nil {
		values["status"] = fmt.Sprintf("%dxx", a.Status/100)
		if ex.Outcome == recorder.Answered {
			t.Took.add(a.Took)
		}
	}
	for group, v := range values {
		if v == "" {
			continue
		}
		if t.by[group] == nil {
			t.by[group] = map[string]int64{}
		}
		t.by[group][v]++
	}
}

// A Moment is an hour or a day in which something came.
type Moment struct {
	At    time.Time `json:"at"`
	Count int64     `json:"count"`
}

// Times returns how many came in each hour, or each day, of those that had some, and by
// which of the two that is. They begin as the local time has it.
func (t *Census) Times(by Period) (Period, []Moment) {
	if by == "" {
		by = Day
		if t.Last.Sub(t.First) < 48*time.Hour {
			by = Hour
		}
	}
	counts := t.hours
	if by == Day {
		counts = map[time.Time]int64{}
		for hour, n := range t.hours {
			y, m, d := hour.Date()
			counts[time.Date(y, m, d, 0, 0, 0, 0, time.Local)] += n
		}
	}
	var list []Moment
	for at, n := range counts {
		list = append(list, Moment{at, n})
	}
	slices.SortFunc(list, func(a, b Moment) int { return a.At.Compare(b.At) })
	return by, list
}

// A Report is a census as JSON has it: of devhook stats --json and of GET
// /devhook/v1/stats.
type Report struct {
	V        int              `json:"v"`
	Count    int64            `json:"count"`
	Bytes    int64            `json:"bytes"` // of request bodies
	First    time.Time        `json:"first,omitzero"`
	Last     time.Time        `json:"last,omitzero"`
	Provider map[string]int64 `json:"provider,omitempty"`
	Event    map[string]int64 `json:"event,omitempty"`
	Verdict  map[string]int64 `json:"verdict,omitempty"`
	Reason   map[string]int64 `json:"reason,omitempty"`
	Outcome  map[string]int64 `json:"outcome,omitempty"`
	Status   map[string]int64 `json:"status,omitempty"`
	Origin   map[string]int64 `json:"origin,omitempty"`
	Took     map[string]int64 `json:"took_ns,omitempty"`
	ByHour   []Moment         `json:"by_hour,omitempty"`
	ByDay    []Moment         `json:"by_day,omitempty"`
}

// Report returns what was counted.
func (t *Census) Report(by Period) Report {
	by, times := t.Times(by)
	line := Report{
		V: 1, Count: t.Count, Bytes: t.Bytes, First: t.First.UTC(), Last: t.Last.UTC(),
		Provider: t.by["provider"], Event: t.by["event"], Verdict: t.by["verdict"], Reason: t.by["reason"],
		Outcome: t.by["outcome"], Status: t.by["status"], Origin: t.by["origin"],
	}
	if by == Hour {
		line.ByHour = times
	} else {
		line.ByDay = times
	}
	if t.Took.Count > 0 {
		line.Took = map[string]int64{}
		for _, q := range Quantiles {
			line.Took[q.Name] = int64(t.Took.At(q.Part))
		}
	}
	return line
}

// Most returns what was counted, the most frequent first.
func Most(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}
