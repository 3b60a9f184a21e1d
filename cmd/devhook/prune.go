package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

func (p *program) pruneCommand() *cli.Command {
	return &cli.Command{
		Name: "prune", Usage: "remove recordings", ArgsUsage: "[FILTER…]",
		Description: "Removes the recordings that a filter chooses, or that are too old, or the oldest\n" +
			"until the rest fits; pinned ones stay. Without any of these it removes what a running\n" +
			"`devhook up` would not keep: see --keep-age and --keep-size there, and keep: in devhook.yaml.\n\n" + filterHelp + `

  devhook prune --dry-run
  devhook prune --older-than 7d
  devhook prune --max-size 1gb
  devhook prune provider:tiktok status:200 --older-than 1d`,
		Flags: append([]cli.Flag{
			filterFlag(),
			&cli.StringFlag{Name: "older-than", Usage: "only what is older than `AGE`: 7d, 12h"},
			&cli.StringFlag{Name: "max-size", Usage: "the oldest, until the rest has `SIZE`: 1gb"},
			&cli.BoolFlag{Name: "dry-run", Usage: "say what would be removed"},
			&cli.BoolFlag{Name: "json", Usage: "print the sums as a line of JSON"},
			configFlag(),
		}, commonFlags()...),
		Action: p.prune,
	}
}

func (p *program) prune(c *cli.Context) error {
	what, err := p.pruning(c)
	if err != nil {
		return err
	}
	open := p.openToChange
	if what.DryRun {
		open = p.openIfThere
	}
	store, err := open(c)
	if err != nil {
		return err
	}
	if store == nil {
		return p.noStore(c, fs.ErrNotExist)
	}
	defer store.Close()
	out, err := store.Prune(what)
	var told error
	if err == nil || out.Exchanges > 0 { // what is gone is, whatever failed then
		told = p.tellPruned(c, out, what.DryRun)
	}
	switch {
	case errors.Is(err, recorder.ErrBusy):
		return &failure{code: 6, text: err.Error(), hint: "try again when what reads them is done, such as a devhook replay", err: err}
	case errors.Is(err, syscall.ENOSPC):
		return &failure{code: 6, text: err.Error(), hint: "prune writes a little before it removes: make room by removing something else from this disk, and try again; or record on another one, with devhook up --store DIR", err: err}
	}
	return cmp.Or(storeFailure(err), told)
}

// pruning reads what is to go: without a word of it, what a running devhook up would not keep.
func (p *program) pruning(c *cli.Context) (what recorder.Pruning, err error) {
	what = recorder.Pruning{DryRun: c.Bool("dry-run"), Now: p.now()}
	words := filterWords(c)
	if what.Filter, err = recorder.ParseFilter(what.Now, words...); err != nil {
		return what, err
	}
	for _, note := range what.Filter.Notes() {
		terminal.New(p.stderr, terminal.Auto, p.getenv).Hint(note)
	}
	if len(words) > 0 && strings.TrimSpace(strings.Join(words, "")) == "" {
		return what, &failure{code: 2, text: "the filter is empty, which would remove everything", hint: "if everything is meant: devhook prune 'path:*'"}
	}
	if c.IsSet("older-than") {
		age, err := config.ParseAge(c.String("older-than"))
		if err != nil {
			return what, flagError("older-than", err)
		}
		what.Before = what.Now.Add(-age)
	}
	if text := c.String("max-size"); c.IsSet("max-size") {
		if what.MaxSize, err = recorder.ParseSize(text); err != nil || what.MaxSize == 0 {
			return what, &failure{code: 2, text: "--max-size: " + strconv.Quote(text) + " is not a size", hint: "write 500mb or 1gb"}
		}
	}
	if len(words) > 0 || c.IsSet("older-than") || c.IsSet("max-size") {
		return what, nil
	}
	cfg, err := config.Load(config.Source{Dir: ".", File: c.String("config"), Getenv: p.getenv})
	if err != nil {
		return what, err
	}
	return what.Keeping(cfg.Keep()), nil
}

func (p *program) tellPruned(c *cli.Context, out recorder.Pruned, dry bool) error {
	if c.Bool("json") {
		return p.line(struct {
			V         int   `json:"v"`
			Exchanges int   `json:"exchanges"`
			Bytes     int64 `json:"bytes"`
			Pinned    int   `json:"pinned,omitempty"`
			DryRun    bool  `json:"dry_run,omitempty"`
		}{1, out.Exchanges, out.Bytes, out.Pinned, dry})
	}
	_, err := fmt.Fprintln(p.stdout, describePruned(out, dry))
	return wrote(err)
}

func flagError(name string, err error) error {
	f := explain(err)
	return &failure{code: 2, text: "--" + name + ": " + f.text, hint: f.hint, err: err}
}

func describePruned(out recorder.Pruned, dry bool) string {
	verb := "removed"
	if dry {
		verb = "would remove"
	}
	text := fmt.Sprintf("%s %s, %s", verb, countOf(out.Exchanges, "recording", "recordings"), terminal.Size(out.Bytes))
	if out.Pinned > 0 {
		text += fmt.Sprintf("; %d pinned stay", out.Pinned)
	}
	return text
}
