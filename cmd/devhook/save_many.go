package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"devhook/fixtures"
	"devhook/internal/terminal"
	"devhook/recorder"

	"github.com/urfave/cli/v2"
)

// saveMany makes samples of all that --filter lets through.
func (p *program) saveMany(c *cli.Context, errs *terminal.Terminal) error {
	if c.NArg() != 1 {
		return &failure{code: 2, text: "save --filter takes a directory, not " + countOf(c.NArg(), "word", "words"), hint: "devhook save --filter provider:tiktok testdata/webhooks"}
	}
	words := c.StringSlice("filter")
	if strings.TrimSpace(strings.Join(words, "")) == "" {
		return &failure{code: 2, text: "--filter is empty, which would save everything", hint: "if everything is meant: --filter 'path:*'"}
	}
	f, err := p.filter(words)
	if err != nil {
		return err
	}
	k, err := p.keeping(c)
	if err != nil {
		return err
	}
	defer k.store.Close()
	saved, there := 0, 0
	var failed error
	for ex, err := range k.store.Query(recorder.Query{Filter: f}) {
		if err != nil {
			errs.Warning(err.Error())
			failed = leftOut(err)
			continue
		}
		fixture := fixtures.Fixture{Kind: fixtures.Saved, Provider: cmp.Or(ex.Provider, "unknown"), Name: sampleName(ex), Exchange: *ex}
		_, err := fixtures.Path(c.Args().First(), fixture.Provider, fixture.Name) // an imported one can be called anything
		if err == nil {
			_, err = k.fill(&fixture)
		}
		if err != nil {
			errs.Warning(err.Error())
			if failed == nil {
				failed = explain(err)
			}
			continue
		}
		path, err := fixtures.Save(c.Args().First(), fixture, k.force)
		switch {
		case errors.Is(err, fs.ErrExist):
			there++
			continue
		case err != nil:
			return &failure{code: 2, text: err.Error(), err: err}
		}
		saved++
		if _, err := fmt.Fprintln(p.stdout, terminal.Safe(path)); err != nil {
			return wrote(err)
		}
	}
	switch {
	case saved+there == 0 && failed == nil:
		fmt.Fprintln(p.stderr, "no recording matches")
	case !k.raw && saved > 0:
		errs.Paragraph(0, "Credentials and personal data that a name or a form gives away are replaced. Look whether that is all before you share them.")
	}
	if there > 0 {
		errs.Printf("%d were there already: --force replaces them", there)
	}
	return failed
}

// sampleName is the file of a recording, among many: the same whenever it is saved.
func sampleName(ex *recorder.Exchange) string {
	event := strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == 0xFFFD || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, cmp.Or(ex.Event, strings.ToLower(ex.Request.Method)))
	event = strings.TrimLeft(event, ".")
	for len(event) > 100 {
		event = event[:len(event)-1]
	}
	return fmt.Sprintf("%s.%d", strings.ToValidUTF8(event, "_"), ex.Seq)
}
