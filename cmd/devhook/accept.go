package main

import (
	"fmt"
	"os"
	"path/filepath"
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
			return &failure{code: 2, text: fmt.Sprintf("--accept-handshake: unknown provider %q (near: %s)", id, strings.Join(catalog.Nearest(id), ", ")), hint: "devhook providers lists all"}
		}
		if !p.Offers() {
			return &failure{code: 2, text: "--accept-handshake: " + p.ID + " does not hand its secret over", hint: "devhook providers " + p.ID + " tells where it is found"}
		}
		u.gateway.Await(p.ID)
	}
	return nil
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
