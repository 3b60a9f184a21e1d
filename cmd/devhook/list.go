package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"devhook/internal/stream"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

const filterHelp = `A FILTER is words that must all hold:

  provider:tiktok event:video.* status:5xx verdict:invalid outcome:unreachable
  method:POST path:/hooks/* origin:live since:1h size:>10kb took:>500ms
  header.x-foo:bar body.user.id=42 "text in a body"

A minus negates, commas are or, * is any run of characters; devhook help filters
has all of it.`

func (p *program) listCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list what was recorded", ArgsUsage: "[FILTER…]",
		Description: "Lists the newest recordings, the oldest of them first.\n\n" + filterHelp + `

  devhook list
  devhook list status:5xx since:1h
  devhook list -n 0 --json provider:tiktok -verdict:valid`,
		Flags: append([]cli.Flag{
			&cli.IntFlag{Name: "n", Usage: "the newest `N`; 0 is all", Value: 50},
			filterFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print each as a line of JSON"},
		}, commonFlags()...),
		Action: p.list,
	}
}

// filterFlag is --filter of the commands that take a FILTER as their arguments: they
// can be asked in the way of replay and save, too, whose arguments are others.
func filterFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "filter", Usage: "a `FILTER`, as the arguments are"}
}

// filterWords returns the words of --filter and of the arguments, which must all hold.
func filterWords(c *cli.Context) []string {
	return append(slices.Clone(c.StringSlice("filter")), c.Args().Slice()...)
}

// filter reads the filter in args, as [recorder.ParseShown] has it.
func (p *program) filter(args []string) (recorder.Filter, error) {
	f, err := recorder.ParseShown(p.now(), args...)
	for _, note := range f.Notes() {
		terminal.New(p.stderr, terminal.Auto, p.getenv).Hint(note)
	}
	return f, err
}

func (p *program) list(c *cli.Context) error {
	out := p.out(c)
	if c.Int("n") < 0 {
		return &failure{code: 2, text: "-n is less than 0", hint: "-n 0 lists all"}
	}
	f, err := p.filter(filterWords(c))
	if err != nil {
		return err
	}
	store, err := p.openUsual(c)
	if err != nil {
		return err
	}
	if store == nil {
		fmt.Fprintln(p.stderr, nothingYet)
		return nil
	}
	defer store.Close()
	var failed error
	errs := p.errs(c)
	shown := 0
	found := errs.Busy("looking through the recordings …")
	defer found()
	for ex, err := range store.Query(recorder.Query{Filter: f, Newest: c.Int("n")}) {
		shown++
		found()
		switch {
		case err != nil:
		case c.Bool("json"):
			err = p.printJSON(store, ex)
		default:
			out.Listed(ex, p.now())
			err = wrote(out.Err())
		}
		if f := new(failure); errors.As(err, &f) { // there is no use in going on
			return err
		}
		if err != nil {
			errs.Warning(err.Error())
			failed = leftOut(err)
		}
	}
	found()
	switch {
	case c.Bool("json"):
	case shown == 0:
		fmt.Fprintln(p.stderr, "no recording matches")
		hintProvider(errs, f)
	case shown == c.Int("n") && !c.IsSet("n") && errs.Lasts(): // a person may take it for all
		errs.Printf("%s", errs.Dim(fmt.Sprintf("The newest %d; -n N lists more, -n 0 all.", shown)))
	}
	return failed
}

// hintProvider tells of a provider that f asks for and nobody knows, where that may
// be why nothing matches.
func hintProvider(errs *terminal.Terminal, f recorder.Filter) {
	for _, t := range f.Terms() {
		for _, pattern := range t.Patterns {
			id, exact := pattern.Exact()
			_, known := verify.Lookup(id)
			if t.Key != "provider" || t.Not || !exact || known || slices.Contains(stream.Names(), id) {
				continue
			}
			errs.Hint(fmt.Sprintf("devhook brings no provider %s (near: %s)", id, strings.Join(verify.Nearest(id), ", ")))
		}
	}
}
