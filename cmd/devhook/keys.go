package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/recorder"
	"devhook/verify"

	"github.com/urfave/cli/v2"
)

func (p *program) keysCommand() *cli.Command {
	return &cli.Command{
		Name: "keys", Usage: "make a key pair, for providers that sign with a private key", ArgsUsage: "PROVIDER",
		Description: `Some providers sign with a private key that nobody else has, and publish the other one.
To replay and trigger their webhooks, give your app the public key that this prints;
devhook signs with the private one, which stays in the store.

  devhook keys discord
  devhook keys sendgrid --json`,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "new", Usage: "make another pair, if there is one"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
			configFlag(),
		}, commonFlags()...),
		Action: taking(1, "one provider", "devhook providers lists all", p.keyPair),
	}
}

func (p *program) keyPair(c *cli.Context) error {
	errs := p.errs(c)
	cfg, err := p.load(p.source(c, nil))
	if err != nil {
		return err
	}
	id := c.Args().First()
	provider, ok := cfg.Catalog().Lookup(id)
	if !ok {
		return unknownProvider(cfg.Catalog(), id)
	}
	public, path, _, err := makePair(p.storeDir(c), provider, c.Bool("new"))
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return p.line(struct {
			V           int    `json:"v"`
			Provider    string `json:"provider"`
			PublicKey   string `json:"public_key"`
			PrivateFile string `json:"private_key_file"`
		}{1, provider.ID, public, path})
	}
	if _, err := fmt.Fprintln(p.stdout, strings.TrimRight(public, "\n")); err != nil {
		return wrote(err)
	}
	errs.Paragraph(0, fmt.Sprintf("Give this to the app under test as the %s of %s.", provider.SecretName, provider.Name))
	errs.Paragraph(0, fmt.Sprintf("replay, trigger and sign use the private key: %s", terminal.Safe(path)))
	return nil
}

// makePair returns the public key of the local pair of provider, which is made if there
// is none or another is wanted, and the file of the private one; made is that key, if it
// is new.
func makePair(store string, provider verify.Provider, anew bool) (public, path string, made *verify.Secret, err error) {
	path = keyFile(store, provider.ID)
	private, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && anew {
		var text string
		if text, _, err = provider.NewKeyPair(); err != nil {
			return "", "", nil, &failure{code: 2, text: err.Error(), err: err}
		}
		private = []byte(text)
		s := verify.NewSecret(text)
		made, err = &s, writeKey(store, path, private)
	}
	if err != nil {
		return "", "", nil, storeFailure(err)
	}
	if public, err = provider.PublicKey(verify.NewSecret(string(private))); err != nil {
		return "", "", nil, &failure{code: 2, text: path + ": " + err.Error(), hint: "devhook keys " + provider.ID + " --new", err: err}
	}
	return public, path, made, nil
}

// keyFile is where the private key of a local pair is kept.
func keyFile(store, provider string) string {
	return filepath.Join(store, "keys", provider+".pem")
}

// writeKey makes what is missing of the store, so that the key does not lie
// about in a directory that git or others can see.
func writeKey(store, path string, private []byte) error {
	s, err := recorder.Open(store, recorder.Options{})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return config.WriteFile(path, private)
}

// secretFile is where a secret is kept that a provider has handed over.
func secretFile(store, provider string) string {
	return filepath.Join(store, "keys", provider+".secret")
}

// addLocalKeys adds what the store has to the keys of providers, behind what is
// known otherwise: secrets that providers have handed over, and the private keys
// of local pairs, which sign, and what they have signed is valid here.
func addLocalKeys(store string, catalog *verify.Catalog, keys map[string]verify.Keys) {
	files, err := os.ReadDir(filepath.Join(store, "keys"))
	if err != nil {
		return // mostly there are none
	}
	for _, f := range files {
		id, ext := strings.TrimSuffix(f.Name(), filepath.Ext(f.Name())), filepath.Ext(f.Name())
		p, ok := catalog.Lookup(id)
		text, err := os.ReadFile(filepath.Join(store, "keys", f.Name()))
		if !ok || err != nil {
			continue
		}
		s := verify.NewSecret(string(text))
		if _, err := p.PublicKey(s); (ext != ".pem" || err != nil) && (ext != ".secret" || p.CheckSecret(s) != nil) {
			continue
		}
		k := keys[p.ID]
		k.Secrets = append(k.Secrets[:len(k.Secrets):len(k.Secrets)], s)
		keys[p.ID] = k
	}
}
