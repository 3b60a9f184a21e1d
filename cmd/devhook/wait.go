package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) waitCommand() *cli.Command {
	return &cli.Command{
		Name: "wait", Usage: "wait until a webhook comes, or devhook up is ready", ArgsUsage: "[FILTER…]",
		Description: `Prints the next webhooks that fit and are done, and ends; with exit code 5 if they do
not come in time. With --ready it waits until webhooks can come, and prints the URL.

` + filterHelp + `

  devhook wait --ready --timeout 10s
  devhook wait provider:tiktok status:200
  devhook wait --count 3 --after 128 --json event:video.*`,
		Flags: append([]cli.Flag{
			filterFlag(),
			&cli.StringFlag{Name: "timeout", Usage: "how `LONG` to wait; 0 is for ever", Value: "20s"},
			&cli.IntFlag{Name: "count", Usage: "wait for `N` webhooks", Value: 1},
			&cli.StringFlag{Name: "after", Usage: "those count, too, that are recorded already, behind the recording `REF`; 0 is before the first"},
			&cli.BoolFlag{Name: "ready", Usage: "wait for a devhook up"},
			&cli.BoolFlag{Name: "json", Usage: "print each as a line of JSON"},
		}, commonFlags()...),
		Action: p.wait,
	}
}

// lookAgain is how often it is looked whether there is a store, or a devhook up.
const lookAgain = 50 * time.Millisecond

func (p *program) wait(c *cli.Context) error {
	out := p.out(c)
	f, err := p.filter(filterWords(c))
	if err != nil {
		return err
	}
	patience, err := time.ParseDuration(c.String("timeout"))
	switch {
	case err != nil || patience < 0:
		return &failure{code: 2, text: fmt.Sprintf("--timeout %q is not how long to wait", c.String("timeout")), hint: "write a duration, as in 20s or 2m"}
	case c.Int("count") < 1:
		return &failure{code: 2, text: fmt.Sprintf("--count is %d; the least is 1", c.Int("count"))}
	case c.Bool("ready") && (len(filterWords(c)) > 0 || c.IsSet("count") || c.IsSet("after")):
		return &failure{code: 2, text: "--ready waits for a devhook up, and for no webhook", hint: "devhook wait --ready && devhook wait " + strings.Join(filterWords(c), " ")}
	}
	ctx, stop := interruptible(c)
	defer stop()
	interrupted := ctx
	if patience > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	seen := 0
	if c.Bool("ready") {
		err = p.waitReady(ctx, c)
	} else {
		seen, err = p.waitWebhooks(ctx, c, out, f)
	}
	switch {
	case err != nil && ctx.Err() == nil || errors.As(err, new(*failure)):
		return err
	case interrupted.Err() != nil:
		return errInterrupted
	case ctx.Err() == nil:
		return nil
	case c.Bool("ready"):
		return &failure{code: 5, text: fmt.Sprintf("no devhook up is ready after %s", patience), hint: "devhook status tells what runs on this store; --store names another"}
	}
	return &failure{code: 5, text: fmt.Sprintf("%d of %d came within %s", seen, c.Int("count"), patience), hint: "devhook list shows what did come; --after REF counts what was there before"}
}

// awaitStore opens the store as soon as there is one, and says what is waited
// for.
func (p *program) awaitStore(ctx context.Context, c *cli.Context, what string) (*recorder.Store, error) {
	said := false
	for {
		store, err := p.openIfThere(c)
		if err == nil && !said {
			p.sayWaiting(c, store, what)
			said = true
		}
		if err != nil || store != nil {
			return store, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// sayWaiting tells a person at a terminal that it is waited, what for, and where
// that may be for ever. The store is nil if there is none yet.
func (p *program) sayWaiting(c *cli.Context, store *recorder.Store, what string) {
	errs := p.errs(c)
	if !errs.Lasts() {
		return
	}
	text := "Waiting for " + what + ". Ctrl-C ends."
	if store == nil {
		text = "There is no store at " + terminal.Safe(p.storeDir(c)) + " yet: devhook up makes it. " + text
	} else if r, err := findRunning(store); err == nil && r == nil {
		text = "No devhook up runs on this store now. " + text
	}
	errs.Paragraph(0, errs.Dim(text))
}

// waitReady waits until a devhook up of the store takes webhooks in.
func (p *program) waitReady(ctx context.Context, c *cli.Context) error {
	store, err := p.awaitStore(ctx, c, "a devhook up")
	if err != nil {
		return err
	}
	defer store.Close()
	for {
		r, err := findRunning(store)
		if err != nil {
			return storeFailure(err)
		}
		if r != nil {
			s, err := r.status(ctx)
			if err != nil { // it has no inspector, or it is of another version
				s = r.announced(store.Path())
				s.Tunnel.State = "connected"
			}
			if s.Ready && s.Tunnel.State == "connected" {
				if c.Bool("json") {
					return p.line(s)
				}
				_, err := fmt.Fprintln(p.stdout, s.URL)
				return wrote(err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
	}
}

// waitWebhooks prints as many as are wanted, and returns how many it was.
func (p *program) waitWebhooks(ctx context.Context, c *cli.Context, out *terminal.Terminal, f recorder.Filter) (seen int, err error) {
	store, err := p.awaitStore(ctx, c, countOf(c.Int("count"), "webhook", "webhooks"))
	if err != nil {
		return 0, err
	}
	defer store.Close()
	errs := p.errs(c)
	var after *recorder.Exchange
	if c.IsSet("after") {
		if after, err = store.Behind(c.String("after")); err != nil {
			return 0, &failure{code: 2, text: "--after: " + explain(err).text, hint: explain(err).hint, err: err}
		}
	}
	finished, err := store.Finished(ctx, f, after)
	if err != nil {
		return 0, storeFailure(err)
	}
	for ex, err := range finished {
		switch {
		case err != nil:
			errs.Warning(err.Error())
			continue
		case c.Bool("json"):
			err = p.printJSON(store, ex)
		default:
			out.Exchange(ex)
			err = wrote(out.Err())
		}
		if seen++; err != nil || seen == c.Int("count") {
			return seen, err
		}
	}
	return seen, nil
}
