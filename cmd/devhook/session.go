package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"devhook/internal/livesession"
	"devhook/internal/terminal"
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

  devhook session tiktok-live --seed 7 --minutes 30 --speed 60x --to :3000
  devhook session tiktok-live --start 2026-11-01T20:00:00Z --dry-run`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "the `APP`: 3000, :3000, HOST:PORT or a URL"},
			&cli.Uint64Flag{Name: "seed", Usage: "the `N` that all that is made up follows from", Value: 1},
			&cli.IntFlag{Name: "minutes", Usage: "how long the LIVE is, in `N` minutes", Value: 30},
			&cli.StringFlag{Name: "start", Usage: "the `TIME` at which it began (default: now)"},
			&cli.StringFlag{Name: "speed", Usage: "how fast it passes, `Nx`, or max", Value: "max"},
			&cli.BoolFlag{Name: "dry-run", Usage: "send nothing; print the events, one a line"},
			&cli.StringFlag{Name: "timeout", Usage: "how `LONG` the app may take to answer"},
			&cli.BoolFlag{Name: "json", Usage: "print the totals as a line of JSON"},
			configFlag(),
		}, commonFlags()...),
		Action: p.session,
	}
}

// mostMinutes bounds what is made up in memory.
const mostMinutes = 24 * 60

func (p *program) session(c *cli.Context) (err error) {
	if c.NArg() != 1 || c.Args().First() != "tiktok-live" {
		return &failure{code: 2, text: "session takes the kind of session, of which there is one: tiktok-live", hint: "devhook session tiktok-live --to :3000"}
	}
	o := livesession.Options{Seed: c.Uint64("seed"), Start: p.now(), Length: time.Duration(c.Int("minutes")) * time.Minute}
	if n := c.Int("minutes"); n < 1 || n > mostMinutes {
		return &failure{code: 2, text: fmt.Sprintf("--minutes is %d; it can be 1 to %d", n, mostMinutes)}
	}
	if c.IsSet("start") {
		if o.Start, err = recorder.ParseTime(p.now(), c.String("start")); err != nil {
			return &failure{code: 2, text: "--start: " + err.Error(), hint: "write it as in 2026-11-21T14:00:00Z", err: err}
		}
	}
	speed, err := parseSpeed(c.String("speed"))
	if err != nil {
		return err
	}
	events, totals := livesession.New(o)
	if c.Bool("dry-run") {
		for _, e := range events {
			if _, err := fmt.Fprintf(p.stdout, "%s\n", e.Body); err != nil {
				return wrote(err)
			}
		}
		return nil
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
	if err := s.play(events, speed); err != nil {
		return err
	}
	return s.sum(totals)
}

// play sends events at their times. It ends at the first that the app is not there
// for.
func (s *sending) play(events []livesession.Event, speed float64) error {
	ctx, cancel := interruptible(s.c)
	defer cancel()
	path := s.takePath()
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
		return &failure{code: 1, text: fmt.Sprintf("interrupted after %d of %d events", s.sent, len(events))}
	case err != nil:
		return err
	}
	return wrote(s.out.Err())
}

// sum prints what an app has to have counted.
func (s *sending) sum(t livesession.Totals) error {
	if s.c.Bool("json") {
		if err := s.p.line(event{"totals", struct {
			livesession.Totals
			Failed int `json:"failed"`
		}{t, s.failed}}); err != nil {
			return err
		}
	} else {
		for _, row := range []struct {
			name string
			n    int
		}{
			{"joins", t.Joins}, {"comments", t.Comments}, {"likes", t.Likes}, {"follows", t.Follows},
			{"gifts", t.Gifts}, {"diamonds", t.Diamonds}, {"streaks", t.Streaks}, {"lost ends", t.LostEnds}, {"events", t.Events},
		} {
			s.out.Printf("%-10s %8s", row.name, terminal.Safe(strconv.Itoa(row.n)))
		}
		if err := wrote(s.out.Err()); err != nil {
			return err
		}
	}
	if s.failed > 0 {
		return &failure{code: 1, text: fmt.Sprintf("%d of %d events were not answered 2xx", s.failed, s.sent)}
	}
	return nil
}
