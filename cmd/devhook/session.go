package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"devhook/internal/livesession"
	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"

	"github.com/urfave/cli/v2"
)

func (p *program) sessionCommand() *cli.Command {
	return &cli.Command{
		Name: "session", Usage: "send the events of a whole LIVE, made up", ArgsUsage: "tiktok-live",
		Description: `Sends the events of a LIVE on TikTok, as Euler Stream's WebSocket tells them, to
/hooks/euler of the app, or to the path of --to: viewers join, chat, like, follow and give gifts, in streaks,
of which some never end. What really happened is printed at the end: an app that
counts gifts twice comes to something else. The same --seed and --start give the
same bytes.

--effects is a URL, or a command for the shell, that prints what the app has counted: JSON with
any of the names of the totals, as {"gifts": 61, "diamonds": 90}, or a number alone, which is gifts. It is
asked before and after. What the app counts wrong is told, and which mistake comes to its number.

  devhook session tiktok-live --seed 7 --minutes 30 --speed 60x --to :3000
  devhook session tiktok-live --effects http://localhost:3000/totals --to :3000
  devhook session tiktok-live --start 2026-11-01T20:00:00Z --dry-run`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "the `APP`: 3000, :3000, HOST:PORT or a URL"},
			&cli.StringFlag{Name: "speed", Usage: "how fast it passes, `Nx`, or max", Value: "max"},
			&cli.StringFlag{Name: "effects", Usage: "the `URL|COMMAND` that prints what the app has counted"},
			&cli.BoolFlag{Name: "dry-run", Usage: "send nothing; print the events, one a line"},
			&cli.StringFlag{Name: "timeout", Usage: "how `LONG` the app may take to answer"},
			&cli.BoolFlag{Name: "json", Usage: "print the totals as a line of JSON; with --dry-run, each event"},
			configFlag(),
		}, append(liveFlags(), commonFlags()...)...),
		Action: p.session,
	}
}

// liveFlags say what a LIVE is made of.
func liveFlags() []cli.Flag {
	return []cli.Flag{
		&cli.Uint64Flag{Name: "seed", Usage: "the `N` that all that is made up follows from", Value: 1},
		&cli.IntFlag{Name: "minutes", Usage: "how long the LIVE is, in `N` minutes", Value: 30},
		&cli.StringFlag{Name: "start", Usage: "the `TIME` at which it began (default: now)"},
	}
}

// mostMinutes bounds what is made up in memory.
const mostMinutes = 24 * 60

// live reads liveFlags.
func (p *program) live(c *cli.Context) (o livesession.Options, err error) {
	o = livesession.Options{Seed: c.Uint64("seed"), Start: p.now(), Length: time.Duration(c.Int("minutes")) * time.Minute}
	if n := c.Int("minutes"); n < 1 || n > mostMinutes {
		return o, &failure{code: 2, text: fmt.Sprintf("--minutes is %d; it can be 1 to %d", n, mostMinutes)}
	}
	if c.IsSet("start") {
		if o.Start, err = recorder.ParseTime(p.now(), c.String("start")); err != nil {
			return o, &failure{code: 2, text: "--start: " + err.Error(), hint: "write it as in 2026-11-21T14:00:00Z", err: err}
		}
	}
	return o, nil
}

func (p *program) session(c *cli.Context) (err error) {
	if c.NArg() != 1 || c.Args().First() != "tiktok-live" {
		return &failure{code: 2, text: "session takes the kind of session, of which there is one: tiktok-live", hint: "devhook session tiktok-live --to :3000"}
	}
	o, err := p.live(c)
	if err != nil {
		return err
	}
	speed, err := parseSpeed(c.String("speed"))
	if err != nil {
		return err
	}
	count, err := appCount(c)
	if err != nil {
		return err
	}
	events := livesession.New(o)
	if c.Bool("dry-run") {
		return p.showSession(c, events)
	}
	s := &sending{p: p}
	if err := s.prepare(c); err != nil {
		return err
	}
	if err := s.settle(""); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	defer s.close()
	s.ready()
	before, err := count(c.Context)
	if err != nil {
		return err
	}
	played := s.play(events, speed)
	if played != nil && !errors.Is(played, context.Canceled) {
		return played
	}
	events = events[:s.sent] // what an app can have counted
	var counted effects
	if played == nil {
		if counted, err = settleEffects(c.Context, count, before, events); err != nil {
			return err
		}
	}
	return cmp.Or(s.sum(events, counted, played != nil), played)
}

// showSession prints the bodies of events, one a line, or lines of JSON that hold them
// byte for byte.
func (p *program) showSession(c *cli.Context, events []livesession.Event) error {
	for _, e := range events {
		if !c.Bool("json") {
			if _, err := fmt.Fprintf(p.stdout, "%s\n", e.Body()); err != nil {
				return wrote(err)
			}
			continue
		}
		if err := p.line(event{"event", struct {
			AtNS int64  `json:"at_ns"` // after the start
			Name string `json:"event"`
			Body string `json:"body"`
		}{e.At.Nanoseconds(), e.Type, string(e.Body())}}); err != nil {
			return err
		}
	}
	return nil
}

// play sends events at their times. It ends at the first that the app is not there
// for. The error is [context.Canceled] if somebody interrupted it.
func (s *sending) play(events []livesession.Event, speed float64) error {
	ctx, cancel := interruptible(s.c)
	defer cancel()
	path := cmp.Or(s.takePath(), s.sourcePath("euler"))
	send := func(ctx context.Context, ex *recorder.Exchange) (*recorder.Exchange, error) {
		if path != "" {
			root, _ := recorder.SplitURL(ex.Request.URL)
			ex.Request.URL = root + path
		}
		app, route, err := s.target(ex)
		if err != nil {
			return nil, err
		}
		return s.sendOne(ctx, replay.Plan{Source: ex, Origin: recorder.Trigger, To: app, Route: route, Sign: replay.SignNever})
	}
	err := trial.Play(ctx, events, speed, send, func(n int, done *recorder.Exchange) {
		s.sent = n
		if answer := trial.Status(done); answer < 200 || answer > 299 {
			s.failed++
			if s.failed <= manySent {
				s.errs.Progress("")
				s.out.Exchange(done)
			}
		}
		if app, err := recorder.ParseURL(done.Target); n == 1 && err == nil && done.Response != nil && done.Response.Status == http.StatusNotFound {
			s.errs.Hint(fmt.Sprintf("the app has nothing at %s: --to :%s/PATH names another path", app.Path, app.Port()))
		}
		s.errs.Progress(fmt.Sprintf("%d of %d events", n, len(events)))
	})
	s.errs.Progress("")
	switch {
	case errors.As(err, new(*trial.UnreachableError)):
		return unreachable(err)
	case ctx.Err() != nil:
		return &failure{code: 1, text: fmt.Sprintf("interrupted after %d of %d events", s.sent, len(events)), err: context.Canceled}
	case err != nil:
		return err
	}
	return wrote(s.out.Err())
}

// sum prints what an app has to have counted, and what it has counted as far as that is known.
func (s *sending) sum(events []livesession.Event, counted effects, interrupted bool) error {
	t := livesession.Sum(events)
	wrong := counted.wrong(events)
	if s.c.Bool("json") {
		if err := s.p.line(event{"totals", struct {
			livesession.Totals
			Failed      int          `json:"failed"`
			Interrupted bool         `json:"interrupted,omitempty"` // the totals are those of what was sent
			Counted     effects      `json:"counted,omitempty"`
			Wrong       []miscounted `json:"wrong,omitempty"`
		}{t, s.failed, interrupted, counted, wrong}}); err != nil {
			return err
		}
	} else {
		for _, total := range t.Named() {
			row := fmt.Sprintf("%-10s %8d", strings.ReplaceAll(total.Name, "_", " "), total.N)
			if n, asked := counted[total.Name]; asked {
				words := fmt.Sprintf("the app: %d", n)
				if n == total.N {
					words = s.out.Good(words)
				} else {
					words = s.out.Bad(words)
				}
				row += "   " + words
			}
			s.out.Printf("%s", row)
		}
		for _, m := range wrong {
			s.out.Paragraph(0, m.String())
		}
		if err := wrote(s.out.Err()); err != nil {
			return err
		}
	}
	switch {
	case interrupted:
		return nil // the caller says so
	case s.failed > 0:
		return &failure{code: 1, text: fmt.Sprintf("%d of %d events were not answered 2xx", s.failed, s.sent)}
	case len(wrong) > 0:
		return &failure{code: 1, text: fmt.Sprintf("the app counts %d of %s wrong", len(wrong), countOf(len(counted), "total", "totals"))}
	}
	return nil
}
