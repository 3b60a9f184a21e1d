package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"devhook/fixtures"
	"devhook/internal/config"
	"devhook/internal/redact"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) saveCommand() *cli.Command {
	return &cli.Command{
		Name: "save", Usage: "make a sample of a recording", ArgsUsage: "REF PROVIDER/EVENT|FILE",
		Description: `Writes the recording into your project, as fixtures/PROVIDER/EVENT.json beside
devhook.yaml. devhook trigger finds it there before its own samples, and so does the
test helper fixtures.Request. The signature is left out; credentials and personal data
are replaced by others of the same shape, the same by the same.

  devhook save last tiktok/video.with-long-title
  devhook save 12 testdata/odd.json --raw
  devhook save --filter 'provider:tiktok status:200' testdata/webhooks

With --filter all that it lets through is written into a directory, as
PROVIDER/EVENT.NUMBER.json each; fixtures.Load reads them in Go tests. What is there
already stays, unless --force replaces it.`,
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "filter", Usage: "save all recordings that a `FILTER` lets through, into a directory"},
			&cli.BoolFlag{Name: "raw", Usage: "replace nothing: keep the signature, credentials and personal data"},
			&cli.BoolFlag{Name: "force", Usage: "replace a file that is there"},
			configFlag(),
		}, commonFlags()...),
		Action: p.save,
	}
}

func (p *program) save(c *cli.Context) error {
	errs := p.errs(c)
	if c.IsSet("filter") {
		return p.saveMany(c, errs)
	}
	if c.NArg() != 2 {
		return &failure{code: 2, text: "save takes a recording and a name, not " + countOf(c.NArg(), "word", "words"), hint: "devhook save last tiktok/my-event"}
	}
	k, err := p.keeping(c)
	if err != nil {
		return err
	}
	defer k.store.Close()
	path, f, replaced, err := k.save(c.Args().Get(0), c.Args().Get(1))
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(p.stdout, terminal.Safe(path)); err != nil {
		return wrote(err)
	}
	if len(replaced) > 0 {
		errs.Paragraph(0, "replaced: "+placesText(replaced)+". Look whether that is all before you share it.")
	}
	if f.Name != "" {
		errs.Printf("devhook trigger %s sends it", terminal.Safe(quoteShell(f.Provider+"/"+f.Name)))
	}
	return nil
}

// A keeping is how samples are made of recordings.
type keeping struct {
	store      *recorder.Store
	catalog    *verify.Catalog
	secrets    []verify.Secret // that no sample may hold
	dir        string          // of the samples
	raw, force bool
}

// keeping returns how c wants samples. The caller closes its store.
func (p *program) keeping(c *cli.Context) (keeping, error) {
	cfg, err := p.load(p.source(c, nil))
	if err != nil {
		return keeping{}, err
	}
	store, err := p.openRecorded(c)
	if err != nil {
		return keeping{}, err
	}
	return keeping{
		store: store, catalog: cfg.Catalog(), secrets: p.knownSecrets(cfg, store.Path()),
		dir: p.fixturesDir(c, cfg), raw: c.Bool("raw"), force: c.Bool("force"),
	}, nil
}

// save makes a sample of a recording, and returns its file and what was replaced
// in it.
func (k keeping) save(ref, name string) (path string, f fixtures.Fixture, replaced []string, err error) {
	ex, err := k.store.Get(ref)
	if err != nil {
		return "", f, nil, err
	}
	if path, f, err = k.fixtureFor(ref, ex, name); err != nil {
		return "", f, nil, err
	}
	if replaced, err = k.fill(&f); err != nil {
		return "", f, nil, err
	}
	if err := fixtures.WriteFile(path, f, k.force); err != nil {
		failed := &failure{code: 2, text: err.Error(), err: err}
		if errors.Is(err, fs.ErrExist) {
			failed.text, failed.hint = path+" is there already", "--force replaces it"
		}
		return "", f, nil, failed
	}
	return path, f, replaced, nil
}

// fill gives f, which is to be a sample of its exchange, the whole body, and takes
// out of it what is nobody else's business unless all is to stay.
func (k keeping) fill(f *fixtures.Fixture) (replaced []string, err error) {
	ex := &f.Exchange
	if ex.Request.Truncated {
		return nil, &failure{code: 2, text: fmt.Sprintf("#%d cannot be a sample: not all of its body was kept", ex.Seq)}
	}
	if err := k.store.LoadBody(&ex.Request.Body); err != nil {
		return nil, storeFailure(err)
	}
	if k.raw {
		return nil, nil
	}
	provider, _ := k.catalog.Lookup(ex.Provider)
	return clean(&ex.Request, provider, k.store.Path(), k.secrets...)
}

// fixtureFor returns the sample that ex is to be, and its file.
func (k keeping) fixtureFor(ref string, ex *recorder.Exchange, name string) (string, fixtures.Fixture, error) {
	f := fixtures.Fixture{Kind: fixtures.Saved, Provider: ex.Provider, Exchange: *ex}
	id, event, ok := strings.Cut(filepath.ToSlash(name), "/")
	_, ofProvider := k.catalog.Lookup(id)
	ofSource := ex.Request.Proto == recorder.ProtoStream && id == ex.Provider // which need not be in the catalog
	ofProvider = ofProvider || ofSource
	if ofProvider = ofProvider && ok && !strings.Contains(event, "/"); ofProvider {
		event = strings.TrimSuffix(event, ".json")
	} else if strings.HasSuffix(name, ".json") || strings.HasPrefix(name, ".") || filepath.IsAbs(name) {
		return name, f, nil
	}
	if !ok {
		return "", f, &failure{code: 2, text: fmt.Sprintf("%q is neither PROVIDER/EVENT nor a file", name), hint: fmt.Sprintf("devhook save %s %s/%s", ref, cmp.Or(ex.Provider, "PROVIDER"), name)}
	}
	provider, known := k.catalog.Lookup(id)
	if ofSource {
		provider.ID, known = ex.Provider, true
	}
	if !known {
		return "", f, unknownProvider(k.catalog, id)
	}
	if ex.Provider != "" && ex.Provider != provider.ID {
		return "", f, &failure{code: 2, text: fmt.Sprintf("#%d is of %s, not of %s", ex.Seq, ex.Provider, provider.ID), hint: fmt.Sprintf("devhook save %s %s/%s", ref, ex.Provider, event)}
	}
	f.Provider, f.Name = provider.ID, event
	path, err := fixtures.Path(k.dir, f.Provider, f.Name)
	if err != nil {
		return "", f, &failure{code: 2, text: err.Error(), err: err}
	}
	return path, f, nil
}

// ofTheWay are headers that tell of how a webhook came, and not of what it is.
var ofTheWay = []string{"Content-Length", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Accept-Encoding", "Connection"}

// clean takes out of req what is nobody else's business.
func clean(req *recorder.Request, provider verify.Provider, store string, secrets ...verify.Secret) (replaced []string, err error) {
	key, err := redactKey(store)
	if err != nil {
		return nil, storeFailure(err)
	}
	clean, replaced := redact.New(key, secrets...).Of(provider).Request(*req)
	clean.Headers = clean.Headers.Clone()
	for _, name := range ofTheWay {
		delete(clean.Headers, name)
	}
	if provider.Scheme != nil {
		m, err := clean.Message()
		if err != nil {
			return nil, &failure{code: 2, text: err.Error(), err: err}
		}
		provider.Unsign(&m)
		clean.Body.Bytes = m.Body
		root, _ := recorder.SplitURL(clean.URL)
		clean.URL = root + m.URL.RequestURI()
	}
	_, target := recorder.SplitURL(clean.URL)
	clean.URL = "https://devhook.example" + target
	delete(clean.Headers, "Host")
	clean.Size = int64(len(clean.Body.Bytes))
	*req = clean
	return replaced, nil
}

// redactKey is what replacements in samples of one store are made with, so that
// the same is replaced by the same in all of them. It is made where there is none; one
// that cannot be read is not replaced, as what was shared before had it.
func redactKey(store string) ([]byte, error) {
	const size = 32 // bytes
	path := filepath.Join(store, "redact.key")
	key, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		key = make([]byte, size)
		rand.Read(key)
		err = config.WriteFile(path, key)
	case err == nil && len(key) < size:
		err = fmt.Errorf("%s has %d bytes, and a key has %d: without it the same does not become the same as before; remove it for a new one", path, len(key), size)
	}
	return key, err
}
