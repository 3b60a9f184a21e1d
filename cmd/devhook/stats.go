package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"devhook/internal/census"
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
			filterFlag(),
			&cli.StringFlag{Name: "by", Usage: "`hour` or day"},
			&cli.BoolFlag{Name: "json", Usage: "print one line of JSON"},
		}, commonFlags()...),
		Action: p.stats,
	}
}

func (p *program) stats(c *cli.Context) error {
	out := p.out(c)
	if by := c.String("by"); by != "" && by != "hour" && by != "day" {
		return &failure{code: 2, text: fmt.Sprintf("--by %q is neither hour nor day", by)}
	}
	f, err := p.filter(filterWords(c))
	if err != nil {
		return err
	}
	var t census.Census
	store, err := p.openUsual(c)
	if err != nil {
		return err
	}
	var failed error
	if store != nil {
		defer store.Close()
		errs := p.errs(c)
		counted := errs.Busy("counting …")
		for ex, err := range store.Query(recorder.Query{Filter: f}) {
			if err != nil {
				counted()
				errs.Warning(err.Error())
				failed = leftOut(err)
				continue
			}
			t.Add(ex)
		}
		counted()
	}
	by := census.Period(c.String("by"))
	switch {
	case c.Bool("json"):
		err = p.line(t.Report(by))
	case store == nil:
		fmt.Fprintln(p.stderr, nothingYet)
	case t.Count == 0:
		fmt.Fprintln(p.stderr, "no recording matches")
	default:
		showStats(out, &t, by)
		err = wrote(out.Err())
	}
	return cmp.Or(err, failed)
}

// maxShown is how many of a group a person is shown; --json has all.
const maxShown = 12

func showStats(out *terminal.Terminal, t *census.Census, by census.Period) {
	by, times := t.Times(by)
	row := func(name, text string) {
		if out.Lasts() { // else grep is to find the whole of it
			name = terminal.Cut(name, 36)
		}
		out.Printf("%s", strings.TrimRight("  "+terminal.Pad(name, 36)+" "+text, " "))
	}
	out.Paragraph(0, fmt.Sprintf("%s, %s, from %s to %s", countOf(int(t.Count), "recording", "recordings"), terminal.Size(t.Bytes), t.First.Local().Format(time.DateTime), t.Last.Local().Format(time.DateTime)))
	for _, group := range census.Groups {
		counts := t.By(group)
		if len(counts) == 0 {
			continue
		}
		out.Printf("\n%s", out.Bold(group))
		for i, v := range census.Most(counts) {
			if i == maxShown {
				row(fmt.Sprintf("and %d more", len(counts)-i), "")
				break
			}
			row(terminal.Safe(v), share(counts[v], t.Count))
		}
	}
	if t.Took.Count > 0 {
		out.Printf("\n%s", out.Bold("answered in"))
		for _, q := range census.Quantiles {
			row(q.Name, terminal.Took(t.Took.At(q.Part)))
		}
	}
	out.Printf("\n%s", out.Bold("by "+string(by)))
	layout := "2006-01-02"
	if by == census.Hour {
		layout = "2006-01-02 15:00"
	}
	longest := int64(out.Room(2+36+1+8+2, 5, 30))
	top := slices.MaxFunc(times, func(a, b census.Moment) int { return cmp.Compare(a.Count, b.Count) }).Count
	for _, m := range times {
		bar := strings.Repeat("▪", int(max(1, m.Count*longest/top)))
		row(m.At.Format(layout), fmt.Sprintf("%8d  %s", m.Count, out.Dim(bar)))
	}
}

func share(n, of int64) string { return fmt.Sprintf("%8d  %5.1f%%", n, float64(n)*100/float64(of)) }
