package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"devhook/internal/attack"
	"devhook/internal/config"
	"devhook/internal/stream"
	"devhook/internal/trial"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

// A trying is one run of a command that sends one webhook many times, each time
// otherwise: what attack, deliver and shrink have in common.
type trying struct {
	*sending
	trial.Trial
}

func tryingFlags(more ...cli.Flag) []cli.Flag {
	return append(append([]cli.Flag{
		&cli.StringFlag{Name: "to", Usage: "the `APP`: 3000, :3000, HOST:PORT or a URL"},
		&cli.StringFlag{Name: "provider", Usage: "the `ID` of the provider (default: as recorded, or detected)"},
		&cli.StringSliceFlag{Name: "secret", Usage: "`[ID=]REF` to its secret: env:NAME, file:PATH or -"},
		&cli.StringSliceFlag{Name: "with", Usage: "what the scheme needs beside the secret, `[ID.]NAME=VALUE`"},
		&cli.StringFlag{Name: "timeout", Usage: "how `LONG` the app may take to answer"},
		&cli.StringFlag{Name: "host-header", Usage: "what the app sees as Host: rewrite, preserve or a `VALUE`"},
		&cli.BoolFlag{Name: "json", Usage: "print lines of JSON"},
		configFlag(),
	}, more...), commonFlags()...)
}

// try finds the webhook that the one argument of c names, a sample, a recording or
// a file, its provider and its app. The store is open then; close closes it.
// flag is the name of the one that names the provider.
func (p *program) try(c *cli.Context, flag string) (t *trying, err error) {
	s := &sending{p: p}
	if err := s.prepare(c); err != nil {
		return nil, err
	}
	t = &trying{s, trial.Trial{Origin: recorder.Replay, Now: p.now}}
	name := c.Command.Name
	if c.NArg() != 1 {
		return nil, &failure{code: 2, text: fmt.Sprintf("%s takes one PROVIDER/EVENT, recording or file, not %d", name, c.NArg()), hint: "devhook help " + name}
	}
	defer func() {
		if err != nil {
			s.close()
			var bad *config.Error
			if errors.As(err, &bad) { // what the flag is called here
				bad.Text = strings.Replace(bad.Text, "--provider:", "--"+flag+":", 1)
			}
		}
	}()
	arg := c.Args().First()
	named := c.String(flag)
	id, event, isSample := strings.Cut(arg, "/")
	if isSample && id != "" && id != "." && id != ".." && !filepath.IsAbs(arg) && !isThere(arg) {
		if err := s.settle(keyed(named, id)); err != nil {
			return nil, err
		}
		f, err := s.findFixture(s.fixturesOf(id), id, event)
		if err != nil {
			return nil, err
		}
		if err := s.open(); err != nil {
			return nil, err
		}
		t.Source, t.Origin = s.address(f), recorder.Trigger
	} else {
		if err := t.recorded(arg, named); err != nil {
			return nil, err
		}
	}
	if err := t.know(cmp.Or(named, t.Source.Provider)); err != nil {
		return nil, err
	}
	t.App, t.Route, err = s.target(t.Source)
	s.ready()
	t.Send = s.sendOne
	return t, err
}

// keyed returns the provider that a secret without an id is meant for: the one that is
// named, else the webhook's, but for a platform that sends only a stream, and has no keys.
func keyed(named, id string) string {
	if _, known := verify.Lookup(id); named == "" && !known && slices.Contains(stream.Names(), id) {
		return ""
	}
	return cmp.Or(named, id)
}

// recorded reads a recording or a file.
func (t *trying) recorded(arg, named string) error {
	s := t.sending
	if !isFile(arg) {
		if err := s.p.needStore(s.c); err != nil {
			return err
		}
	}
	if err := s.open(); err != nil {
		return err
	}
	ex, err := s.p.readOne(s.store, arg, s.fill)
	if err != nil {
		return err
	}
	t.Source = ex
	if ex.Request.Truncated {
		return &failure{code: 2, text: "not all of its body was kept: it cannot be sent"}
	}
	if err := s.store.LoadBody(&ex.Request.Body); err != nil {
		return storeFailure(err)
	}
	if t.Source.Provider == "" {
		t.Source.Provider = t.Source.Request.Detect(verify.Builtin())
	}
	return s.settle(keyed(named, t.Source.Provider))
}

// know finds the provider and who holds its keys: this process, or the running
// `devhook up`.
func (t *trying) know(id string) error {
	catalog := t.cfg.Catalog()
	if t.Source.Request.Proto == recorder.ProtoStream { // of a platform that need not be in the catalog, and signs nothing
		known := false
		if t.Provider, known = catalog.Lookup(id); !known {
			t.Provider = verify.Provider{ID: t.Source.Provider}
		}
		return nil
	}
	if id == "" {
		id = t.Source.Request.Detect(catalog)
	}
	if id == "" {
		return &failure{code: 2, text: "no provider is recognised in it", hint: "devhook providers lists all; name one"}
	}
	p, ok := catalog.Lookup(id)
	if !ok {
		return unknownProvider(catalog, id)
	}
	t.Provider, t.Source.Provider = p, p.ID
	if t.onlyThere(p.ID) {
		t.lender = &lender{running: t.running, store: t.store, provider: p.ID}
		t.Keys = t.lender
		return nil
	}
	if err := t.sending.keys.errs[p.ID]; err != nil {
		return err
	}
	keys := t.sending.keys.all[p.ID]
	t.Keys = attack.Holding(p, keys)
	if hint, err := p.CheckSign(keys); err != nil {
		return &failure{code: 2, text: p.ID + " cannot be signed: " + err.Error(), hint: cmp.Or(hint, "give its secret with --secret env:NAME"), err: err}
	}
	return nil
}

// sendOne sends p, and tells what of an error is the store's.
func (s *sending) sendOne(ctx context.Context, p replay.Plan) (*recorder.Exchange, error) {
	done, err := s.gateway.Send(ctx, p)
	if bad := new(replay.Error); err != nil && !errors.As(err, &bad) {
		err = storeFailure(err)
	}
	return done, err
}

// unreachable returns the failure of an app that is not there.
func unreachable(err error) *failure {
	return &failure{code: 4, text: err.Error(), hint: "start the app, or name another with --to", err: err}
}

// misused returns err, as misuse if it is nothing else.
func misused(err error) error {
	if errors.As(err, new(*failure)) || errors.As(err, new(*replay.Error)) {
		return err
	}
	return &failure{code: 2, text: err.Error(), err: err}
}
