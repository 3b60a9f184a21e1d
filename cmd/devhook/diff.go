package main

import (
	"devhook/recorder"
	"devhook/replay"

	"github.com/urfave/cli/v2"
)

func (p *program) diffCommand() *cli.Command {
	return &cli.Command{
		Name: "diff", Usage: "tell what is different in two recordings", ArgsUsage: "REF|FILE REF|FILE",
		Description: `Compares two requests, or with --response two answers: headers and query by name, JSON by
its values, also in JSON that a string holds, forms by their fields, and the rest byte for
byte. Each line is one thing: - as it is in the first, + as it is in the second. The exit
code is 0 if they are the same, and 1 if they are not.

  devhook diff last~1 last
  devhook diff 12 15 --response
  devhook diff 12 ./expected.json --json`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "response", Usage: "compare what was answered, not what was asked"},
			&cli.BoolFlag{Name: "json", Usage: "print one line of JSON"},
		}, commonFlags()...),
		Action: taking(2, "two recordings", "devhook diff last~1 last", p.diff),
	}
}

func (p *program) diff(c *cli.Context) error {
	var both [2]recorder.Exchange
	for i, arg := range c.Args().Slice() {
		var err error
		if both[i], err = p.comparable(c, arg); err != nil {
			return err
		}
	}
	a, b := both[0], both[1]
	list := replay.Diff(&a.Request, &b.Request)
	if c.Bool("response") {
		if a.Response == nil && b.Response == nil {
			return &failure{code: 2, text: "neither has a response"}
		}
		list = replay.DiffResponse(a.Response, b.Response)
	}
	var err error
	if c.Bool("json") {
		err = p.line(replay.TellDiff(a.ID, b.ID, list))
	} else {
		out := p.out(c)
		printDiff(out, list)
		err = wrote(out.Err())
	}
	if err == nil && len(list) > 0 {
		err = &failure{code: 1}
	}
	return err
}

// comparable returns the one webhook that arg names, with its bodies.
func (p *program) comparable(c *cli.Context, arg string) (recorder.Exchange, error) {
	if isFile(arg) {
		ex, err := p.readOne(nil, arg, nil)
		if err != nil {
			return recorder.Exchange{}, err
		}
		return *ex, nil
	}
	store, ex, err := p.openRecording(c, arg)
	if err != nil {
		return recorder.Exchange{}, err
	}
	defer store.Close()
	whole, err := store.Load(ex)
	if err != nil {
		return whole, storeFailure(err)
	}
	return whole, nil
}
