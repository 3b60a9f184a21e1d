package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/interchange"
	"devhook/internal/redact"
	"devhook/internal/sharing"
	"devhook/internal/similar"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) exportCommand() *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "write recordings for other programs, without credentials", ArgsUsage: "[FILTER…|REF…]",
		Description: `Writes recordings as HAR 1.2 (for the developer tools of browsers), curl commands, a
.http file for editors, Hurl, or NDJSON, an exchange on each line. devhook import reads
HAR, NDJSON and curl again.

  devhook export last --format curl
  devhook export status:5xx since:1h -o failed.har
  devhook export 12 --format ndjson --redact --sign-anew

Credentials are left out: headers such as Authorization, Cookie and X-Api-Key; tokens,
passwords and keys by their name or form; and every secret that is configured, wherever it
stands. Signatures stay. --redact replaces personal data, too, the same by the same. A
signature fits no more where something that it covers was replaced: --sign-anew makes
another, with a secret that it names.

` + filterHelp,
		Flags: append([]cli.Flag{
			filterFlag(),
			&cli.IntFlag{Name: "n", Usage: "the newest `N` that a FILTER lets through; 0 is all"},
			&cli.StringFlag{Name: "format", Usage: "`FORMAT`: " + strings.Join(formatNames(), ", ") + " (default: by the name of the file)"},
			&cli.StringFlag{Name: "o", Aliases: []string{"out"}, Usage: "write to `FILE`, which appears when it is whole"},
			&cli.BoolFlag{Name: "redact", Usage: "replace personal data, too: names, addresses, ids"},
			&cli.BoolFlag{Name: "sign-anew", Usage: "sign what had a right signature with a throw-away secret"},
			&cli.BoolFlag{Name: "with-credentials", Usage: "leave credentials in"},
			&cli.StringSliceFlag{Name: "secret", Usage: "a further secret to take out, `[ID=]REF`: env:NAME, file:PATH or -"},
			configFlag(),
		}, commonFlags()...),
		Action: p.export,
	}
}

// An exporting is one run of export.
type exporting struct {
	p      *program
	c      *cli.Context
	errs   *terminal.Terminal
	cfg    *config.Config
	store  *recorder.Store
	format interchange.Format
	export *sharing.Export
	count  int
	failed error
}

func (p *program) export(c *cli.Context) error {
	errs := p.errs(c)
	format, err := exportFormat(c)
	if err != nil {
		return err
	}
	if c.Bool("redact") && c.Bool("with-credentials") {
		return &failure{code: 2, text: "--redact takes credentials out, and --with-credentials leaves them in: one at a time"}
	}
	e := &exporting{p: p, c: c, errs: errs, format: format}
	chosen, err := p.chosen(c)
	if err != nil {
		return err
	}
	src := p.source(c, nil)
	flag := src.Flag
	src.Flag = func(name string) []string {
		if name == "secret" { // is for nobody's webhooks: takeOut has it
			return nil
		}
		return flag(name)
	}
	if e.cfg, err = p.load(src); err != nil {
		return err
	}
	further, err := e.takeOut()
	if err != nil {
		return err
	}
	if e.store, err = p.openRecorded(c); err != nil {
		return err
	}
	defer e.store.Close()
	redactor, key, err := e.redacting(further)
	if err != nil {
		return err
	}
	out, finish, err := p.target(c.String("o"))
	if err != nil {
		return err
	}
	w := interchange.NewWriter(out, format)
	w.Version = version
	e.export = sharing.New(e.store, e.cfg.Catalog(), w)
	e.export.Redactor, e.export.Lost = redactor, e.lost
	if c.Bool("sign-anew") {
		e.export.Anew = key
	}
	if c.String("o") != "" {
		w.File = e.bodyFile
	}
	ctx, stop := interruptible(c)
	defer stop()
	err = e.write(ctx, chosen(e.store))
	if err == nil {
		err = wrote(w.Close())
	}
	if err = finish(err); err != nil {
		return err
	}
	e.summary()
	return e.failed
}

// exportFormat is what --format says, or the ending of the file's name.
func exportFormat(c *cli.Context) (interchange.Format, error) {
	names := formatNames()
	text := strings.ToLower(c.String("format"))
	if text == "" {
		text = strings.TrimPrefix(strings.ToLower(filepath.Ext(c.String("o"))), ".")
		switch text {
		case "jsonl":
			text = "ndjson"
		case "sh":
			text = "curl"
		case "rest":
			text = "http"
		}
		if !slices.Contains(names, text) {
			return "", &failure{code: 2, text: "in which format?", hint: "--format " + strings.Join(names, ", ")}
		}
	}
	if !slices.Contains(names, text) {
		return "", &failure{code: 2, text: fmt.Sprintf("--format %q is none of %s (near: %s)", text, strings.Join(names, ", "), strings.Join(similar.Names(text, names, 1), ""))}
	}
	return interchange.Format(text), nil
}

func formatNames() (names []string) {
	for _, f := range interchange.Formats() {
		names = append(names, string(f))
	}
	return names
}

// chosen returns what gives the recordings that are asked for: those that a filter
// lets through, or those with a name.
func (p *program) chosen(c *cli.Context) (func(*recorder.Store) iter.Seq2[*recorder.Exchange, error], error) {
	args := filterWords(c)
	isFilter := func(a string) bool {
		f, err := recorder.ParseFilter(p.now(), a)
		keyed := slices.ContainsFunc(f.Terms(), func(t recorder.Term) bool { return t.Key != "text" })
		return keyed || err != nil || len(f.Notes()) > 0 || strings.ContainsAny(a, "\" ")
	}
	filtered := len(args) == 0 || slices.ContainsFunc(args, isFilter) || c.IsSet("filter")
	switch {
	case c.Int("n") < 0:
		return nil, &failure{code: 2, text: "-n is less than 0", hint: "-n 0 exports all"}
	case c.IsSet("filter") && c.NArg() > 0 && !slices.ContainsFunc(c.Args().Slice(), isFilter):
		return nil, &failure{code: 2, text: "export takes recordings or --filter, not both"}
	case c.IsSet("n") && !filtered:
		return nil, &failure{code: 2, text: "-n chooses of those that a filter lets through, and these are named"}
	case filtered:
		if i := slices.IndexFunc(c.Args().Slice(), isRef); i >= 0 {
			ref := c.Args().Get(i)
			return nil, &failure{code: 2, text: fmt.Sprintf("%s names a recording, and export takes recordings or a filter, not both", ref), hint: fmt.Sprintf("leave the filter out, or write '\"%s\"' if it is a text in bodies", ref)}
		}
		f, err := p.filter(args)
		return func(s *recorder.Store) iter.Seq2[*recorder.Exchange, error] {
			return s.Query(recorder.Query{Filter: f, Newest: c.Int("n")})
		}, err
	}
	return func(s *recorder.Store) iter.Seq2[*recorder.Exchange, error] {
		return func(yield func(*recorder.Exchange, error) bool) {
			for _, ref := range args {
				ex, err := s.Get(ref)
				if errors.Is(err, recorder.ErrNotFound) {
					err = &failure{code: 2, text: err.Error(), hint: "devhook list shows what there is; a text in bodies is written '\"" + ref + "\"'", err: err}
				}
				if !yield(ex, err) {
					return
				}
			}
		}
	}, nil
}

// isRef reports whether word can name a recording as no text in bodies would: 12, last~2.
func isRef(word string) bool {
	name, back, counted := strings.Cut(word, "~")
	if name == "last" || name == "live" {
		return !counted || isDigits(back)
	}
	return isDigits(strings.TrimPrefix(word, "#"))
}

// takeOut returns the secrets of --secret. One that cannot be had is an error: what was
// meant to be taken out would stay in.
func (e *exporting) takeOut() (list []verify.Secret, err error) {
	resolver := e.p.resolver(e.errs)
	for _, text := range e.c.StringSlice("secret") {
		value, err := resolver.Resolve(e.cfg.SecretRef(text), "--secret", "--secret")
		if err != nil {
			return nil, err
		}
		list = append(list, verify.NewSecret(value))
	}
	return list, nil
}

// redacting returns what takes out what is not to be shared, further secrets among it, nil
// if all stays, and the key of what is put in its place.
func (e *exporting) redacting(further []verify.Secret) (r *redact.Redactor, key []byte, err error) {
	if e.c.Bool("redact") || e.c.Bool("sign-anew") {
		if key, err = redactKey(e.store.Path()); err != nil {
			return nil, nil, storeFailure(err)
		}
	}
	secrets := append(further, e.p.knownSecrets(e.cfg, e.store.Path())...)
	switch {
	case e.c.Bool("redact"):
		r = redact.New(key, secrets...)
	case !e.c.Bool("with-credentials"):
		r = redact.Credentials(secrets...)
	}
	return r, key, nil
}

// lost tells of what cannot be read, and is left out.
func (e *exporting) lost(err error) {
	e.errs.Warning(err.Error())
	e.failed = leftOut(err)
}

// write writes what list gives. What cannot be read is told, and left out.
func (e *exporting) write(ctx context.Context, list iter.Seq2[*recorder.Exchange, error]) error {
	for ex, err := range list {
		if ctx.Err() != nil { // the file that is not whole goes
			return errInterrupted
		}
		var f *failure
		var ambiguous *recorder.AmbiguousError
		if errors.As(err, &f) || errors.As(err, &ambiguous) {
			return err
		}
		if err != nil {
			e.lost(err)
			continue
		}
		err = e.export.Add(ex)
		switch path := new(fs.PathError); {
		case errors.As(err, new(*sharing.LoadError)):
			e.lost(err)
			continue
		case errors.As(err, &path) || errors.Is(err, io.ErrShortWrite):
			return wrote(err)
		case err != nil:
			return &failure{code: 2, text: err.Error(), hint: "with -o FILE such bodies go into files of their own", err: err}
		}
		e.count++
	}
	return nil
}
