package main

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

const filterHelp = `A FILTER is words that must all hold: provider:tiktok event:video.* status:5xx
verdict:invalid outcome:unreachable method:POST path:/hooks/* origin:live since:1h
size:>10kb took:>500ms header.x-foo:bar body.user.id=42 "text in a body". A minus
negates, commas are or, * is any run of characters.`

func (p *program) listCommand() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list what was recorded", ArgsUsage: "[FILTER…]",
		Description: "Lists the newest recordings, the oldest of them first.\n\n" + filterHelp + `

  devhook list
  devhook list status:5xx since:1h
  devhook list -n 0 --json provider:tiktok -verdict:valid`,
		Flags: append([]cli.Flag{
			&cli.IntFlag{Name: "n", Usage: "the newest `N`; 0 is all", Value: 50},
			&cli.BoolFlag{Name: "json", Usage: "print each as a line of JSON"},
		}, commonFlags()...),
		Action: func(c *cli.Context) error { return p.list(c) },
	}
}

// filter reads the filter in args. Copies for further apps are left out unless
// they are asked for.
func (p *program) filter(args []string) (recorder.Filter, error) {
	f, err := recorder.ParseFilter(p.now(), args...)
	if err != nil || f.Has("origin") {
		return f, err
	}
	return recorder.ParseFilter(p.now(), append(slices.Clone(args), "-origin:mirror")...)
}

func (p *program) list(c *cli.Context) error {
	out, err := p.out(c)
	if err != nil {
		return err
	}
	if c.Int("n") < 0 {
		return &failure{code: 2, text: "-n is less than 0", hint: "-n 0 lists all"}
	}
	f, err := p.filter(c.Args().Slice())
	if err != nil {
		return err
	}
	store, err := p.openToRead(c)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(p.stderr, "nothing is recorded yet: devhook up records what comes in")
		return nil
	}
	if err != nil {
		return storeFailure(err)
	}
	defer store.Close()
	var failed error
	for ex, err := range store.Query(recorder.Query{Filter: f, Newest: c.Int("n")}) {
		if err != nil {
			fmt.Fprintln(p.stderr, "devhook: warning:", err)
			failed = storeFailure(err)
			continue
		}
		if c.Bool("json") {
			if err := p.printJSON(store, ex); err != nil {
				return storeFailure(err)
			}
			continue
		}
		out.Listed(ex, p.now())
	}
	return failed
}

// printJSON prints ex as one line.
func (p *program) printJSON(store *recorder.Store, ex *recorder.Exchange) error {
	if err := store.WriteJSON(p.stdout, ex); err != nil {
		return err
	}
	_, err := fmt.Fprintln(p.stdout)
	return err
}
