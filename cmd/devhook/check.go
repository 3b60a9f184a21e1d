package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"devhook/internal/terminal"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

// checkProviders is `devhook providers --check FILE`: what a description says
// is tried, on messages that are made up and on vectors.
func (p *program) checkProviders(c *cli.Context) error {
	out := p.out(c)
	errs := p.errs(c)
	path := c.String("check")
	if c.NArg() > 0 {
		return &failure{code: 2, text: "providers --check takes one file and no provider", hint: "devhook providers --check " + path}
	}
	src, err := p.readFile(path)
	if err != nil {
		return &failure{code: 2, text: err.Error(), err: err}
	}
	list, err := verify.ParseDescriptions(src)
	if err != nil {
		return misdescribed(path, err)
	}
	if _, err := verify.Builtin().With(list...); err != nil {
		return misdescribed(path, err)
	}
	vectors, from, err := p.vectorsFor(c, path, list)
	if err != nil {
		return err
	}
	k := &checking{json: c.Bool("json"), out: out, notes: errs, now: p.now()}
	for _, one := range list {
		k.provider(one)
		for _, v := range vectors[one.ID] {
			k.vector(one, v)
		}
	}
	if len(vectors) == 0 && from == "" && !k.json {
		errs.Printf("no vectors: recorded or published requests, as --vectors FILE, show that it is the provider's own scheme")
	}
	if err := wrote(out.Err()); err != nil {
		return err
	}
	if k.failed > 0 {
		return &failure{code: 1}
	}
	return nil
}

// misdescribed is the failure of a description that is wrong.
func misdescribed(path string, err error) error {
	f := inFile(path, err)
	f.hint = "the language is described in verify/providers/README.md"
	return f
}

// vectorsFor returns the vectors by the ID of their provider, and where they
// are from; "" if there are none.
func (p *program) vectorsFor(c *cli.Context, path string, list []verify.Provider) (by map[string][]verify.Vector, from string, err error) {
	from = c.String("vectors")
	if from == "" {
		from = strings.TrimSuffix(path, filepath.Ext(path)) + ".json"
		if _, err := os.Stat(from); path == "-" || from == path || errors.Is(err, fs.ErrNotExist) {
			return nil, "", nil
		}
	}
	src, err := p.readFile(from)
	if err != nil {
		return nil, from, &failure{code: 2, text: err.Error(), err: err}
	}
	all, err := verify.ParseVectors(src)
	if err != nil {
		return nil, from, &failure{code: 2, text: from + ": " + err.Error(), err: err, hint: "it is a list of requests, as verify/testdata/stripe.json"}
	}
	by, err = verify.VectorsOf(list, all)
	switch {
	case errors.Is(err, verify.ErrWhose):
		return nil, from, &failure{code: 2, text: from + ": " + err.Error(), hint: `give it a "provider", because ` + path + " describes several", err: err}
	case err != nil:
		return nil, from, &failure{code: 2, text: from + ": " + err.Error() + " in " + path, err: err}
	}
	return by, from, nil
}

// A checking is what comes out of a check, line by line.
type checking struct {
	json       bool
	out, notes *terminal.Terminal
	now        time.Time
	failed     int
}

// provider tries the laws.
func (k *checking) provider(one verify.Provider) {
	line := one.Try(k.now)
	text := fmt.Sprintf("%s (%d laws hold)", one.Summary, line.Held)
	if !line.OK {
		text = strings.Join(line.Faults, "; ")
	}
	k.line(line, one.ID, text)
	if !k.json {
		for _, s := range line.Skipped {
			k.notes.Printf("%s: not tried: %s", one.ID, terminal.Safe(s))
		}
	}
}

// vector tries a vector.
func (k *checking) vector(one verify.Provider, v verify.Vector) {
	line := one.TryVector(v)
	text := k.out.Verdict(verify.Verdict{Status: line.Got.Status, Reason: line.Got.Reason})
	if !line.OK {
		text = fmt.Sprintf("got %s, want %s", k.out.Verdict(*line.Got), k.out.Verdict(*line.Want))
		if line.Got.Hint != "" {
			text += "; " + terminal.Safe(line.Got.Hint)
		}
	}
	k.line(line, one.ID+"/"+terminal.Safe(v.Name), text)
}

func (k *checking) line(line verify.Tried, name, text string) {
	if !line.OK {
		k.failed++
	}
	if k.json {
		if src, err := json.Marshal(line); err == nil { // it holds nothing that JSON cannot
			k.out.Printf("%s", src)
		}
		return
	}
	mark := k.out.Good("ok  ")
	if !line.OK {
		mark = k.out.Bad("FAIL")
	}
	k.out.Printf("%s %s  %s", mark, name, text)
}
