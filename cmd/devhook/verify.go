package main

import (
	"cmp"
	"slices"
	"time"

	"devhook/internal/attack"
	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/replay"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

// offlineFlags are those of verify and sign.
func offlineFlags(at string) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "provider", Usage: "the `ID` of the provider (default: as recorded, or detected)"},
		&cli.StringSliceFlag{Name: "secret", Usage: "`[ID=]REF` to its secret: env:NAME, file:PATH or -"},
		&cli.StringSliceFlag{Name: "with", Usage: "what the scheme needs beside the secret, `[ID.]NAME=VALUE`"},
		&cli.StringFlag{Name: "at", Usage: at},
		&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		configFlag(),
	}, commonFlags()...)
}

func (p *program) verifyCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check a signature, offline", ArgsUsage: "FILE|REF|-",
		Description: `FILE is an HTTP message or an exchange in JSON, - is stdin, REF a recording. The exit
code is 0 if the signature is right and 1 if it is not.

  devhook verify --provider stripe --secret env:STRIPE_SECRET ./message.http
  devhook verify last
  devhook show 12 --raw | devhook verify --secret file:secret.txt -

A recording is judged as of the time when it came; --at now judges it as of now. A secret that
only the running devhook up has is used there. Only keys that a provider names by a URL (of sns,
paypal and google-pubsub) are fetched.`,
		Flags:  offlineFlags("the `TIME` to judge as of: -5m, unix seconds, RFC 3339 (default: when it was recorded, else now)"),
		Action: taking(1, "one file, recording or -", "devhook help verify", p.verify),
	}
}

// A subject is what verify and sign are about.
type subject struct {
	ex       *recorder.Exchange
	provider verify.Provider
	keys     verify.Keys            // of the provider
	all      map[string]verify.Keys // of all
	catalog  *verify.Catalog
	store    *recorder.Store // nil if there is none
	lender   *lender         // the running `devhook up`, if only that has the keys; else nil
}

func (s *subject) close() {
	if s.store != nil {
		s.store.Close()
	}
}

// offline reads what verify and sign are about. The caller closes it, also at an error.
func (p *program) offline(c *cli.Context, fill filler) (s subject, err error) {
	errs := p.errs(c)
	arg := c.Args().First()
	if !isFile(arg) {
		if s.store, err = p.openRecorded(c); err != nil {
			return s, err
		}
	}
	ex, err := p.readOne(s.store, arg, fill)
	if err != nil {
		return s, err
	}
	s.ex = ex
	if ex.Request.Truncated {
		return s, &failure{code: 2, text: "not all of its body was kept: its signature cannot be checked or made"}
	}
	if err := s.store.LoadBody(&ex.Request.Body); err != nil {
		return s, storeFailure(err)
	}
	// The provider decides whose a secret without an id is, and the
	// configuration which providers there are: so it is read twice.
	named := cmp.Or(c.String("provider"), ex.Provider)
	if named == "" {
		named = ex.Request.Detect(verify.Builtin())
	}
	cfg, ring, err := p.settle(c, errs, named)
	if err != nil {
		return s, err
	}
	if named == "" {
		named = ex.Request.Detect(cfg.Catalog())
	}
	if named == "" {
		return s, &failure{code: 2, text: "no provider is recognised in it", hint: "name one with --provider ID; devhook providers lists all"}
	}
	provider, ok := cfg.Catalog().Lookup(named)
	if !ok {
		return s, unknownProvider(cfg.Catalog(), named)
	}
	s.provider, s.keys, s.all, s.catalog = provider, ring.all[provider.ID], ring.all, cfg.Catalog()
	hint, missing := provider.CheckKeys(s.keys)
	if missing == nil && ring.errs[provider.ID] == nil || s.borrow(p, c) {
		return s, nil
	}
	if err := ring.errs[provider.ID]; err != nil {
		return s, err
	}
	return s, &config.Error{Text: provider.ID + ": " + missing.Error(), Hint: cmp.Or(hint, "give it with --secret env:NAME"), Err: missing}
}

// borrow has the running `devhook up` judge and sign, and reports whether it does: it
// has the keys, and this command was told none.
func (s *subject) borrow(p *program, c *cli.Context) bool {
	if s.store == nil {
		s.store, _ = p.openIfThere(c) // one that cannot be read has nobody who runs
	}
	if s.store == nil {
		return false
	}
	r, err := findRunning(s.store)
	if err != nil || r == nil || !slices.Contains(r.lends(c), s.provider.ID) {
		return false
	}
	s.lender = &lender{running: r, store: s.store, provider: s.provider.ID}
	return true
}

// judge returns the verdict as of at, with what would make a wrong signature right.
func (s *subject) judge(at time.Time) (verify.Verdict, error) {
	if s.lender != nil {
		return s.lender.Verify(s.ex.Request, at)
	}
	m, err := s.ex.Request.Message()
	if err != nil {
		return verify.Verdict{}, &failure{code: 2, text: err.Error(), err: err}
	}
	return s.catalog.Judge(s.provider, m, s.keys, s.all, at), nil
}

// sign returns the request, signed as of at.
func (s *subject) sign(at time.Time) (recorder.Request, error) {
	if s.lender != nil {
		return s.lender.Sign(s.ex.Request, attack.Signing{As: s.provider, At: at})
	}
	s.ex.Provider = s.provider.ID
	signed, err := replay.Plan{Source: s.ex, Sign: replay.SignAlways}.Build(replay.Keys(s.provider, s.keys), at)
	if err != nil {
		return recorder.Request{}, &failure{code: 2, text: err.Error(), err: err} // its hint is for replays
	}
	return signed.Request, nil
}

func (p *program) verify(c *cli.Context) error {
	out := p.out(c)
	now := p.now()
	at, err := signedAt(c, now)
	if err != nil {
		return err
	}
	s, err := p.offline(c, nil)
	defer func() { s.close() }()
	if err != nil {
		return err
	}
	ex, provider := s.ex, s.provider
	if at.IsZero() {
		if at = ex.At; at.IsZero() {
			at = now
		}
	}
	v, err := s.judge(at)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		if err := p.line(struct {
			V        int            `json:"v"`
			Provider string         `json:"provider"`
			Verdict  verify.Verdict `json:"verdict"`
		}{1, provider.ID, v}); err != nil {
			return err
		}
	} else {
		out.Paragraph(0, provider.ID+": "+out.Verdict(v))
		if v.Hint != "" {
			out.Paragraph(0, terminal.Safe(v.Hint))
		}
		if c.String("at") == "" && !ex.At.IsZero() && v.Status == verify.Valid {
			if then, err := s.judge(now); err == nil && then.Status != verify.Valid {
				out.Printf("%s", out.Dim("as of "+ex.At.Local().Format("2006-01-02 15:04:05")+"; as of now it is "+string(then.Reason)))
			}
		}
	}
	if err := wrote(out.Err()); err != nil {
		return err
	}
	if v.Status != verify.Valid {
		return &failure{code: 1}
	}
	return nil
}
