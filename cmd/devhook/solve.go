package main

import (
	"fmt"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) solveCommand() *cli.Command {
	return &cli.Command{
		Name: "solve", Usage: "find out how an unknown provider signs", ArgsUsage: "REF…|FILE…",
		Description: `From recordings and the secret: it tries what providers do, and prints a description,
in the language of devhook.yaml, that gives the very signatures of the recordings. REF,
FILE and - are as in devhook replay. The exit code is 1 if nothing fits, or if
something else would fit as well.

  devhook solve --secret env:SECRET last last~1 last~2
  devhook solve --secret env:SECRET --with app_key=abc ./a.http ./b.http
  devhook solve --secret env:SECRET last > my-provider.yaml
  devhook providers --check my-provider.yaml`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "secret", Usage: "`REF` to the secret: env:NAME, file:PATH or -"},
			&cli.StringSliceFlag{Name: "with", Usage: "what else may be signed, `NAME=VALUE`: an app key, an id, a URL"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
			configFlag(),
		}, commonFlags()...),
		Action: p.solve,
	}
}

func (p *program) solve(c *cli.Context) error {
	out := p.out(c)
	errs := p.errs(c)
	if c.NArg() == 0 {
		return &failure{code: 2, text: "solve takes recordings or files", hint: "devhook solve --secret env:SECRET last last~1"}
	}
	if c.String("secret") == "" {
		return &failure{code: 2, text: "solve needs the secret that the provider signs with", hint: "give it with --secret env:NAME or --secret file:PATH"}
	}
	keys, err := p.solveKeys(c, errs)
	if err != nil {
		return err
	}
	// Its own providers are known, too; nothing else of it is used.
	cfg, err := config.Load(config.Source{Dir: ".", File: c.String("config"), Getenv: p.getenv})
	if err != nil {
		return err
	}
	samples, names, err := p.samples(c, errs)
	if err != nil {
		return err
	}
	found := cfg.Catalog().Solve(samples, keys, p.now())
	if c.Bool("json") {
		return p.solvedJSON(found, len(samples))
	}
	if found.YAML == "" {
		errs.Paragraph(0, fmt.Sprintf("%d signatures were tried with the recordings: HMAC and plain hashes (SHA-256, SHA-512, SHA-1, MD5) × the secret as text, base64, base64url and hex × body, times, ids, method, URL and what --with gives.", found.Tried))
		if len(found.Places) > 0 {
			errs.Paragraph(0, "What looks like a signature: "+terminal.Safe(strings.Join(found.Places, ", ")))
		}
		return &failure{code: 1, text: found.Why, hint: "what would help: " + found.Help}
	}
	out.Printf("# %s", agreement(len(found.Agree), len(samples)))
	for i, known := range found.Known {
		text := "This is how %s signs: --provider %s"
		if i > 0 {
			text = "And so does %s: --provider %s"
		}
		if i == 5 {
			out.Printf("# And so do %d more.", len(found.Known)-i)
			break
		}
		out.Printf("# "+text, terminal.Safe(known.Name), known.ID)
	}
	for _, other := range found.Same {
		out.Printf("# These recordings fit as well with %s", terminal.Safe(other))
	}
	if found.Trimmed {
		out.Printf("# The line break at the end of the body is not signed: it is not what was sent")
	}
	out.Printf("%s", strings.TrimSuffix(found.YAML, "\n"))
	for i, name := range names {
		if !slices.Contains(found.Agree, i) {
			errs.Printf("%s does not agree", terminal.Safe(name))
		}
	}
	if len(found.Known) == 0 {
		errs.Paragraph(0, "Keep it in a file, give it an id, and try it: devhook providers --check FILE. In devhook.yaml all but the id stands under that id: providers: {ID: {…}}.")
	}
	return wrote(out.Err())
}

func agreement(agree, of int) string { return fmt.Sprintf("%d of %d agree", agree, of) }

// solveKeys returns the secret and what else may be signed.
func (p *program) solveKeys(c *cli.Context, errs *terminal.Terminal) (verify.Keys, error) {
	resolver := p.resolver(errs)
	text, err := resolver.Resolve(c.String("secret"), "the secret", "--secret")
	if err != nil {
		return verify.Keys{}, err
	}
	k := verify.Keys{Secrets: []verify.Secret{verify.NewSecret(text)}, With: map[string]string{}}
	for _, text := range c.StringSlice("with") {
		name, value, ok := strings.Cut(text, "=")
		if _, after, dotted := strings.Cut(name, "."); dotted {
			name = after
		}
		if !ok || name == "" || value == "" {
			return k, &failure{code: 2, text: fmt.Sprintf("--with %q is not NAME=VALUE", name), hint: "write --with app_key=VALUE"}
		}
		if kind, _, _ := strings.Cut(value, ":"); kind == "env" || kind == "file" {
			if value, err = resolver.Resolve(value, name, "--with"); err != nil {
				return k, err
			}
		}
		k.With[name] = value
	}
	return k, nil
}

// samples returns the messages that the arguments name, and their names.
func (p *program) samples(c *cli.Context, errs *terminal.Terminal) (samples []verify.Message, names []string, err error) {
	args := c.Args().Slice()
	var store *recorder.Store
	if slices.ContainsFunc(args, func(arg string) bool { return !isFile(arg) }) {
		if store, err = p.openRecorded(c); err != nil {
			return nil, nil, err
		}
		defer store.Close()
	}
	for _, arg := range args {
		list, err := p.read(store, []string{arg}, nil)
		if err != nil {
			return nil, nil, err
		}
		for i, ex := range list {
			name := arg
			if len(list) > 1 {
				name = fmt.Sprintf("%s (%d of %d)", arg, i+1, len(list))
			}
			if ex.Request.Truncated {
				errs.Warning(fmt.Sprintf("%s is left out: not all of its body was kept", name))
				continue
			}
			if err := store.LoadBody(&ex.Request.Body); err != nil {
				return nil, nil, storeFailure(err)
			}
			m, err := ex.Request.Message()
			if err != nil {
				return nil, nil, &failure{code: 2, text: name + ": " + err.Error(), err: err}
			}
			samples, names = append(samples, m), append(names, name)
		}
	}
	if len(samples) == 0 {
		return nil, nil, &failure{code: 2, text: "there is no recording with the whole of its body"}
	}
	return samples, names, nil
}

func (p *program) solvedJSON(found verify.Search, of int) error {
	if err := p.line(found.Tell(of)); err != nil {
		return err
	}
	if found.YAML == "" {
		return &failure{code: 1}
	}
	return nil
}
