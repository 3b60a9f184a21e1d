package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/terminal"
	"devhook/verify"
)

// await has the secrets taken that the user expects.
func (u *up) await() error {
	catalog := u.cfg.Catalog()
	for _, id := range u.accept {
		p, ok := catalog.Lookup(id)
		if !ok {
			f := unknownProvider(catalog, id)
			f.text = "--accept-handshake: " + f.text
			return f
		}
		if !p.Offers() {
			return &failure{code: 2, text: "--accept-handshake: " + p.ID + " does not hand its secret over", hint: "devhook providers " + p.ID + " tells where it is found"}
		}
		u.gateway.Await(p.ID)
	}
	return nil
}

// handed gives the IDs of the providers whose secret is taken when it comes, or
// was: its file is in the store.
func (u *up) handed(catalog *verify.Catalog, store string) []string {
	names := slices.Clone(u.accept)
	files, _ := filepath.Glob(filepath.Join(store, "keys", "*.secret")) // the only error is that of a bad pattern
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".secret"))
	}
	var ids []string
	for _, name := range names {
		if p, ok := catalog.Lookup(name); ok && p.Offers() {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// takeSecret keeps a secret that a provider has handed over, and uses it from
// now on.
func (u *up) takeSecret(id, secret string) error {
	path := secretFile(u.store.Path(), id)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := config.WriteFile(path, []byte(secret)); err != nil {
		return err
	}
	u.gateway.AddSecret(id, verify.NewSecret(secret)) // reload finds the file
	u.errs.Printf("%s has handed over its secret: it is used from now on, and kept in %s", id, terminal.Safe(path))
	return nil
}
