package main

import (
	"io/fs"

	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) tailCommand() *cli.Command {
	return &cli.Command{
		Name: "tail", Usage: "show webhooks as they are done", ArgsUsage: "[FILTER…]",
		Description: "Shows what a running `devhook up` records, until Ctrl-C.\n\n" + filterHelp + `

  devhook tail status:5xx
  devhook tail --json provider:tiktok | jq .request.body`,
		Flags: append([]cli.Flag{
			filterFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print each as a line of JSON"},
		}, commonFlags()...),
		Action: p.tail,
	}
}

func (p *program) tail(c *cli.Context) error {
	out := p.out(c)
	errs := p.errs(c)
	f, err := p.filter(filterWords(c))
	if err != nil {
		return err
	}
	store, err := p.openIfThere(c)
	if err != nil {
		return err
	}
	if store == nil {
		return &failure{code: 6, text: "there is no store at " + p.storeDir(c), hint: "start devhook up first, or name the store with --store", err: fs.ErrNotExist}
	}
	defer store.Close()
	from, err := store.End()
	if err != nil {
		return storeFailure(err)
	}
	ctx, stop := interruptible(c)
	defer stop()
	p.sayWaiting(c, store, "webhooks")
	for ex, err := range store.FollowEnds(ctx, from) {
		if err == nil {
			var ok bool
			if ok, err = f.Match(store, ex); err == nil && !ok {
				continue
			}
		}
		switch {
		case err != nil:
			errs.Warning(err.Error())
		case ex.Ending != nil:
			if !c.Bool("json") && ex.Origin == recorder.Live { // its line was printed when it opened
				out.Ended(ex)
			}
		case c.Bool("json"):
			if err := p.printJSON(store, ex); err != nil {
				return storeFailure(err)
			}
		default:
			out.Exchange(ex)
			if err := wrote(out.Err()); err != nil {
				return err
			}
		}
	}
	return nil
}
