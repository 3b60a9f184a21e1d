package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"

	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) statsCommand() *cli.Command {
	return &cli.Command{
		Name: "stats", Usage: "count what was recorded", ArgsUsage: "[FILTER…]",
		Description: `Counts recordings by provider, event, verdict, outcome and status, and tells how long the
answers took and when they came: by hour if it all was within two days, else by day.

  devhook stats
  devhook stats provider:tiktok since:7d
  devhook stats --by day --json

` + filterHelp,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "by", Usage: "`hour` or day"},
			&cli.BoolFlag{Name: "json", Usage: "print one line of JSON"},
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return p.stats(c) },
	}
}

// A census is what stats counts.
type census struct {
	count, bytes int64
	by           map[string]map[string]int64 // "provider", "event" …, and what it was
	hours        map[time.Time]int64
	first, last  time.Time
	took         histogram
}

// groups are what is counted, in the order in which it is told.
var groups = []string{"provider", "event", "verdict", "reason", "outcome", "status", "origin"}

func (t *census) add(ex *recorder.Exchange) {
	t.count++
	t.bytes += ex.Request.Size
	if at := ex.At; t.count == 1 || at.Before(t.first) {
		t.first = at
	}
	if at := ex.At; t.count == 1 || at.After(t.last) {
		t.last = at
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
			t.took.add(a.Took)
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

func (p *program) stats(c *cli.Context) error {
	out, err := p.out(c)
	if err != nil {
		return err
	}
	if by := c.String("by"); by != "" && by != "hour" && by != "day" {
		return &failure{code: 2, text: fmt.Sprintf("--by %q is neither hour nor day", by)}
	}
	f, err := p.filter(c.Args().Slice())
	if err != nil {
		return err
	}
	t := &census{by: map[string]map[string]int64{}, hours: map[time.Time]int64{}}
	store, err := p.openToRead(c)
	if errors.Is(err, fs.ErrNotExist) {
		err = p.missingStore(c, err)
	} else if err != nil {
		err = storeFailure(err)
	}
	if err != nil {
		return err
	}
	var failed error
	if store != nil {
		defer store.Close()
		for ex, err := range store.Query(recorder.Query{Filter: f}) {
			if err != nil {
				fmt.Fprintln(p.stderr, "devhook: warning:", terminal.Safe(err.Error()))
				failed = storeFailure(err)
				continue
			}
			t.add(ex)
		}
	}
	by, times := t.times(c.String("by"))
	if c.Bool("json") {
		err = p.printStats(t, by, times)
	} else if t.count == 0 {
		fmt.Fprintln(p.stderr, "no recording matches")
	} else {
		showStats(out, t, by, times)
		err = out.Err()
	}
	return cmp.Or(wrote(err), failed)
}

// A moment is an hour or a day in which something came.
type moment struct {
	At    time.Time `json:"at"`
	Count int64     `json:"count"`
}

// times gives how many came in each hour, or each day, of those that had some.
func (t *census) times(by string) (string, []moment) {
	if by == "" {
		by = "day"
		if t.last.Sub(t.first) < 48*time.Hour {
			by = "hour"
		}
	}
	counts := t.hours
	if by == "day" {
		counts = map[time.Time]int64{}
		for hour, n := range t.hours {
			y, m, d := hour.Date()
			counts[time.Date(y, m, d, 0, 0, 0, 0, time.Local)] += n
		}
	}
	var list []moment
	for at, n := range counts {
		list = append(list, moment{at, n})
	}
	slices.SortFunc(list, func(a, b moment) int { return a.At.Compare(b.At) })
	return by, list
}

// most gives what was counted, the most frequent first.
func most(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}

// maxShown is how many of a group a person is shown; --json has all.
const maxShown = 12

func showStats(out *terminal.Terminal, t *census, by string, times []moment) {
	row := func(name, text string) { out.Printf("  %s %s", terminal.Pad(terminal.Cut(name, 36), 36), text) }
	out.Printf("%d recordings, %s, from %s to %s", t.count, terminal.Size(t.bytes), t.first.Local().Format(time.DateTime), t.last.Local().Format(time.DateTime))
	for _, group := range groups {
		counts := t.by[group]
		if len(counts) == 0 {
			continue
		}
		out.Printf("\n%s", out.Bold(group))
		for i, v := range most(counts) {
			if i == maxShown {
				row(fmt.Sprintf("and %d more", len(counts)-i), "")
				break
			}
			row(terminal.Safe(v), share(counts[v], t.count))
		}
	}
	if t.took.count > 0 {
		out.Printf("\n%s", out.Bold("answered in"))
		for _, q := range quantiles {
			row(q.name, terminal.Took(t.took.at(q.part)))
		}
	}
	out.Printf("\n%s", out.Bold("by "+by))
	layout := "2006-01-02"
	if by == "hour" {
		layout = "2006-01-02 15:00"
	}
	top := slices.MaxFunc(times, func(a, b moment) int { return cmp.Compare(a.Count, b.Count) }).Count
	for _, m := range times {
		bar := strings.Repeat("▪", int(max(1, m.Count*30/top)))
		row(m.At.Format(layout), fmt.Sprintf("%8d  %s", m.Count, out.Dim(bar)))
	}
}

func share(n, of int64) string { return fmt.Sprintf("%8d  %5.1f%%", n, float64(n)*100/float64(of)) }

func (p *program) printStats(t *census, by string, times []moment) error {
	line := struct {
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
		ByHour   []moment         `json:"by_hour,omitempty"`
		ByDay    []moment         `json:"by_day,omitempty"`
	}{
		V: 1, Count: t.count, Bytes: t.bytes, First: t.first.UTC(), Last: t.last.UTC(),
		Provider: t.by["provider"], Event: t.by["event"], Verdict: t.by["verdict"], Reason: t.by["reason"],
		Outcome: t.by["outcome"], Status: t.by["status"], Origin: t.by["origin"],
	}
	if by == "hour" {
		line.ByHour = times
	} else {
		line.ByDay = times
	}
	if t.took.count > 0 {
		line.Took = map[string]int64{}
		for _, q := range quantiles {
			line.Took[q.name] = int64(t.took.at(q.part))
		}
	}
	text, err := jsonLine(line)
	if err == nil {
		_, err = p.stdout.Write(text)
	}
	return err
}

// quantiles are those that are told: half of the answers took no longer than p50.
var quantiles = []struct {
	name string
	part float64
}{{"min", 0}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}}

// A histogram counts durations in classes that are 1/64 of their length wide, so
// that any number of them takes little room; shortest and longest are exact.
type histogram struct {
	count    int64
	min, max time.Duration
	classes  map[int]int64
}

const classBits = 6

func (h *histogram) add(d time.Duration) {
	d = max(0, d)
	if h.classes == nil {
		h.classes, h.min = map[int]int64{}, d
	}
	h.min, h.max = min(h.min, d), max(h.max, d)
	h.count++
	h.classes[classOf(d)]++
}

// classOf gives the class of d: the place of its first bit, and the bits behind
// it.
func classOf(d time.Duration) int {
	n := bits.Len64(uint64(d))
	if n <= classBits+1 {
		return int(d)
	}
	shift := n - classBits - 1
	return shift<<(classBits+1) + int(d>>shift)
}

// top is the longest duration of a class.
func top(class int) time.Duration {
	if class < 1<<(classBits+1) {
		return time.Duration(class)
	}
	shift := class >> (classBits + 1)
	low := class & (1<<(classBits+1) - 1)
	return time.Duration(low+1)<<shift - 1
}

// at gives the duration that part of all do not exceed.
func (h *histogram) at(part float64) time.Duration {
	switch part {
	case 0:
		return h.min
	case 1:
		return h.max
	}
	rest := int64(part*float64(h.count-1)) + 1
	for _, class := range slices.Sorted(maps.Keys(h.classes)) {
		if rest -= h.classes[class]; rest <= 0 {
			return min(max(top(class), h.min), h.max)
		}
	}
	return h.max
}
