package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"devhook/internal/terminal"
	"devhook/internal/trial"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) shrinkCommand() *cli.Command {
	return &cli.Command{
		Name: "shrink", Usage: "find the smallest body that an app still fails on", ArgsUsage: "PROVIDER/EVENT|REF|FILE",
		Description: `Leaves more and more out of the body of a webhook, as long as the app answers as
--while says. Each try is signed, sent and recorded. The smallest body is printed.

  devhook shrink last --to :3000
  devhook shrink 12 --while 422 --save tiktok/without-content
  devhook shrink 12 --while timeout --timeout 2s

An app may fail only now and then: devhook sees that, and sends each body up to ten times
before it takes the app not to fail on it. --each says how often.

With --while no-answer the app may go down, if something starts it again within 10 seconds.
The exit code is 1 if the app does not answer so to the whole body.`,
		Flags: tryingFlags(
			&cli.StringFlag{Name: "while", Usage: "`WHAT` the app has to answer: 5xx, 422, timeout, or no-answer", Value: "5xx"},
			&cli.IntFlag{Name: "max-tries", Usage: "send at most `N` times", Value: 1000},
			&cli.IntFlag{Name: "each", Usage: "send a body up to `N` times to see the app fail on it (default: 1, and 10 if it fails only now and then)"},
			&cli.StringFlag{Name: "save", Usage: "make a sample `NAME` of it: PROVIDER/EVENT, or a file"},
			&cli.BoolFlag{Name: "raw", Usage: "save it with credentials and personal data"},
			&cli.BoolFlag{Name: "force", Usage: "replace a sample that is there"},
		),
		Action: p.shrink,
	}
}

func (p *program) shrink(c *cli.Context) error {
	while, err := trial.ParseWhile(c.String("while"))
	if err != nil {
		return &failure{code: 2, text: "--while " + err.Error(), err: err}
	}
	if n := c.Int("max-tries"); n < 1 {
		return &failure{code: 2, text: fmt.Sprintf("--max-tries is %d; the least is 1", n)}
	}
	if n := c.Int("each"); c.IsSet("each") && (n < 1 || n > trial.MostEach) {
		return &failure{code: 2, text: fmt.Sprintf("--each is %d; it can be 1 to %d", n, trial.MostEach)}
	}
	t, err := p.try(c, "provider")
	if err != nil {
		return err
	}
	defer t.close()
	ctx, cancel := interruptible(c)
	defer cancel()
	small, err := t.Shrink(ctx, while, c.Int("max-tries"), c.Int("each"))
	var nothing *trial.NothingError
	switch {
	case ctx.Err() != nil && small.Tries > 0:
		small.Done = false // what was found is worth something
	case errors.As(err, &nothing):
		return &failure{code: 1, text: fmt.Sprintf("the app %s to the whole body, and not %s: there is nothing to shrink", nothing.Did, c.String("while")), err: err,
			hint: cmp.Or(t.misplaced(t.Source, t.Origin, nothing.While), "--while "+nothing.While+" shrinks what is answered so")}
	case err != nil:
		if small.Tries > 0 {
			t.errs.Printf("after %d tries it was down from %d to %d bytes: #%d", small.Tries, t.Source.Request.Size, len(small.Body), small.Exchange.Seq)
		}
		if errors.As(err, new(*trial.UnreachableError)) {
			return unreachable(err)
		}
		return err
	}
	if err := p.shrunk(c, t, small); err != nil {
		return err
	}
	if small.Asked > 0 && small.Failed == 0 {
		return &failure{code: 1, text: fmt.Sprintf("the app failed on these %d bytes, and not again in %d times", len(small.Body), small.Asked), hint: "it fails seldom, or on something else than the body: --each 50 is more patient"}
	}
	if name := c.String("save"); name != "" {
		return p.saveShrunk(c, t, small.Exchange, name)
	}
	return nil
}

// shrunk prints the smallest body.
func (p *program) shrunk(c *cli.Context, t *trying, small trial.Shrunk) error {
	if c.Bool("json") {
		return p.line(event{"shrunk", small.Tell(t.Source.Request.Size)})
	}
	if t.out.Lasts() {
		t.out.Printf("%s", terminal.SafeText(string(small.Body)))
	} else {
		t.out.Printf("%s", small.Body)
	}
	if err := wrote(t.out.Err()); err != nil {
		return err
	}
	t.errs.Printf("%d bytes of %d, after %s: #%d", len(small.Body), len(t.Source.Request.Body.Bytes), countOf(small.Tries, "try", "tries"), small.Exchange.Seq)
	if !small.Steady && small.Failed > 0 {
		t.errs.Warning(fmt.Sprintf("the app fails only now and then: on this body %s of %d. Each was sent up to %s; --each N changes that", countOf(small.Failed, "time", "times"), small.Asked, countOf(small.Each, "time", "times")))
	}
	if !small.Done {
		more := "--max-tries allows more"
		if small.Tries < c.Int("max-tries") && !small.Steady { // on something smaller it has not failed again
			more = fmt.Sprintf("--each %d is more patient", min(3*small.Each, trial.MostEach))
		}
		t.errs.Warning("it may become smaller: " + more)
	}
	return nil
}

// saveShrunk makes a sample of what was sent last of all that still failed.
func (p *program) saveShrunk(c *cli.Context, t *trying, ex *recorder.Exchange, name string) error {
	k, err := p.keeping(c)
	if err != nil {
		return err
	}
	defer k.store.Close()
	path, _, replaced, err := k.save(string(ex.ID), name)
	if failed := new(failure); errors.As(err, &failed) && errors.Is(err, fs.ErrExist) {
		failed.hint = fmt.Sprintf("devhook save %d %s --force", ex.Seq, terminal.Safe(name))
	}
	if err != nil {
		return err
	}
	t.errs.Printf("saved as %s", terminal.Safe(path))
	if len(replaced) > 0 {
		t.errs.Paragraph(0, "replaced: "+placesText(replaced)+". If the app does not fail on it any more: --raw --force.")
	}
	return nil
}
