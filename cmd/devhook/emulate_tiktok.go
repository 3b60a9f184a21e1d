package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"devhook/internal/config"
	"devhook/internal/register"
	"devhook/internal/register/tiktoktest"
	"devhook/internal/terminal"

	"github.com/urfave/cli/v2"
)

func (p *program) emulateTiktokCommand() *cli.Command {
	return &cli.Command{
		Name: "tiktok", Usage: "the portal's Test URL, and deliveries with retries",
		Description: `Sends webhooks as TikTok for Developers does, to the running devhook up or to --to, and
ends. Without --event it is the portal's Test URL: tiktok.ping, once. An event that is
not answered 200 comes again, for 72 hours, on a clock that runs faster.

  devhook emulate tiktok --path /webhook
  devhook emulate tiktok --event post.publish.complete --duplicate
  devhook emulate tiktok --event tiktok.ping --to https://x.example/hooks

TikTok does not publish its pauses: 1, 2, 4 … minutes are assumed. One webhook, changed and
sent to your app without the way through the door, is devhook trigger.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "to", Usage: "the callback `URL`, or an app as in :3000/webhook (default: the running devhook up)"},
			&cli.StringFlag{Name: "path", Usage: "the `PATH` behind the URL of devhook up (default: that of the provider's route)"},
			&cli.StringSliceFlag{Name: "event", Usage: "the `EVENT` to deliver, one of devhook trigger --list tiktok; several, one after the other"},
			&cli.BoolFlag{Name: "duplicate", Usage: "deliver each event twice, as at-least-once delivery may"},
			&cli.StringFlag{Name: "speed", Usage: "how many `TIMES` as fast the platform's clock runs, or max", Value: "600x"},
			&cli.StringFlag{Name: "secret", Usage: "the app's client secret, a `REF` (default: TIKTOK_CLIENT_SECRET)"},
			storeFlag(),
			colorFlag(),
		},
		Action: p.emulateTiktok,
	}
}

func (p *program) emulateTiktok(c *cli.Context) error {
	e := p.newEmulation(c, "tiktok")
	s := e.tiktok()
	if e.err != nil {
		return e.err
	}
	ctx, stop := interruptible(c)
	defer stop()
	events := c.StringSlice("event")
	if len(events) == 0 {
		events = []string{tiktoktest.Ping}
	}
	times := 1
	if c.Bool("duplicate") {
		times = 2
	}
	lost := 0
	for i := range times * len(events) {
		last, err := s.Send(ctx, events[i/times])
		switch {
		case errors.Is(err, tiktoktest.ErrNoSample):
			return &failure{code: 2, text: err.Error(), hint: "devhook trigger --list tiktok", err: err}
		case errors.Is(err, context.Canceled):
			return nil
		case err != nil:
			return err
		case !last.OK():
			lost++
		}
	}
	if lost > 0 {
		return &failure{code: 1, text: fmt.Sprintf("%d of what was sent was never answered 200", lost), hint: "devhook list shows what came here"}
	}
	return nil
}

// tiktok returns the platform that the flags describe.
func (e *emulation) tiktok() *tiktoktest.Sender {
	c := e.c
	s := &tiktoktest.Sender{URL: c.String("to"), Say: e.attempt}
	var err error
	s.Speed, err = parseSpeed(c.String("speed"))
	e.note(err)
	if s.Speed == 0 {
		s.Speed = math.Inf(1)
	}
	if app, err := config.ParseForward(s.URL); err == nil {
		s.URL = app.String()
	}
	if path := c.String("path"); c.IsSet("path") && (s.URL != "" || !strings.HasPrefix(path, "/")) {
		e.note(&failure{code: 2, text: "--path is a path as in /webhook behind the URL of devhook up, and --to has one of its own"})
	}
	if s.Secret = e.secret("secret", "TIKTOK_CLIENT_SECRET", "the client secret"); s.Secret == "" {
		e.note(&failure{code: 2, text: "the client secret is missing: what TikTok sends is signed", hint: "--secret env:NAME, or set TIKTOK_CLIENT_SECRET"})
	}
	if s.URL == "" {
		s.URL, err = (&registerRun{p: e.p, c: c}).callback("tiktok")
		e.note(storeFailure(err))
	}
	if s.URL == "" {
		e.note(&failure{code: 2, text: "no devhook up is running on this store, so there is no URL to send to", hint: "start devhook up first, or name the URL: --to https://…"})
	}
	if err := register.CheckURL(s.URL); err != nil {
		e.note(&failure{code: 2, text: "--to: " + err.Error(), err: err})
	}
	return s
}

// attempt tells of one delivery, and of what the platform does now.
func (e *emulation) attempt(a tiktoktest.Attempt) {
	answer := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	if a.Status == 0 {
		answer = "no answer: " + a.Err.Error()
	}
	then := "delivered"
	switch {
	case a.Event == tiktoktest.Ping && a.OK():
		then = "the portal shows 200 OK"
	case a.Event == tiktoktest.Ping:
		then = "the portal shows a failure, and wants 200"
	case a.Again > 0:
		then = "it comes again in " + short(a.Again)
	case !a.OK():
		then = "given up after 72 hours"
	}
	e.errs.Printf("%s  %s  attempt %d after %s  %s  %s", e.errs.Dim(e.p.now().Local().Format("15:04:05")), terminal.Safe(a.Event), a.N, short(a.After), terminal.Safe(answer), then)
}

// short is a duration of whole minutes, as people write it.
func short(d time.Duration) string {
	if d >= time.Hour {
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dm", d/time.Minute)
}
