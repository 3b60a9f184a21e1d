package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func (p *program) pinCommand() *cli.Command {
	return &cli.Command{
		Name: "pin", Usage: "keep recordings when others are pruned", ArgsUsage: "REF…",
		Description: "Pinned recordings stay, however old they are and however full the store is.\n\n  devhook pin last\n  devhook unpin last",
		Flags:       commonFlags(),
		Action:      func(c *cli.Context) error { return p.pin(c, true) },
	}
}

func (p *program) unpinCommand() *cli.Command {
	return &cli.Command{
		Name: "unpin", Usage: "have recordings pruned like all others again", ArgsUsage: "REF…",
		Description: "Takes back what devhook pin has said.\n\n  devhook unpin last",
		Flags:       commonFlags(),
		Action:      func(c *cli.Context) error { return p.pin(c, false) },
	}
}

func (p *program) pin(c *cli.Context, pinned bool) error {
	if c.NArg() == 0 {
		return &failure{code: 2, text: c.Command.Name + " needs a recording", hint: "devhook " + c.Command.Name + " last"}
	}
	store, err := p.openToChange(c)
	if err != nil {
		return err
	}
	defer store.Close()
	for _, ref := range c.Args().Slice() {
		ex, err := store.Get(ref)
		if err != nil {
			return err
		}
		if err := store.Pin(ex.ID, pinned); err != nil {
			return storeFailure(err)
		}
		what := "is pinned"
		if !pinned {
			what = "is not pinned any more"
		}
		if _, err := fmt.Fprintf(p.stdout, "#%d %s\n", ex.Seq, what); err != nil {
			return wrote(err)
		}
	}
	return nil
}
