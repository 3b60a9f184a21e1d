package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/gateway"
	"devhook/internal/terminal"
)

// resolve reads where webhooks go, and the secrets, and notes in which files that stands,
// also if one of them is wrong.
func (u *up) resolve(cfg *config.Config, store string) (*gateway.Routes, error) {
	u.resolver.Files = nil
	rt, err := cfg.Routes(u.resolver, u.handed(cfg.Catalog(), store)...)
	u.read = u.resolver.Files
	if cfg.Path != "" {
		u.read = append([]string{cfg.Path}, u.read...)
	}
	return rt, err
}

// reload takes in a devhook.yaml that was saved, or a secret. What is wrong changes
// nothing.
func (u *up) reload() {
	went, let := forwards(u.routes), u.describeVerify()
	cfg, err := config.Load(u.src)
	switch {
	case err != nil || cfg.Path == u.cfg.Path:
	case u.cfg.Path == "":
		err = late(cfg.Path)
	default: // as an editor or git can have it for a moment
		err = fmt.Errorf("%s is not there any more", u.cfg.Path)
	}
	var rt *gateway.Routes
	if err == nil {
		// A provider that will be registered from the next start on is not closed before, unless a route names it.
		if rt, err = u.resolve(cfg.Registering(u.cfg.Registrations()), u.store.Path()); err != nil {
			rt, err = u.resolve(cfg, u.store.Path())
		}
	}
	if err == nil {
		err = u.refuseLoops(rt)
	}
	if err == nil {
		addLocalKeys(u.store.Path(), rt.Catalog, rt.Keys)
		rt.Catalog.Load()
		u.gateway.SetRoutes(rt)
		u.relearn()
		u.routes = rt
		u.newest.Store(cfg)
		u.tell()
	}
	u.untrusted = errors.As(err, new(*config.UntrustedError))
	if err != nil {
		u.stays(err)
		return
	}
	var later []string
	for _, name := range config.Settings() {
		if !isLive(name) && strings.Join(cfg.Get(name).Texts, "\n") != strings.Join(u.cfg.Get(name).Texts, "\n") {
			later = append(later, name)
		}
	}
	if !slices.EqualFunc(cfg.Sources(), u.cfg.Sources(), config.Stream.Same) {
		later = append(later, "sources")
	}
	if !slices.EqualFunc(cfg.Registrations(), u.cfg.Registrations(), config.Registration.Same) {
		later = append(later, "register")
	}
	for _, file := range u.read {
		u.errs.Printf("%s was read again", terminal.Safe(file))
	}
	if !slices.Equal(forwards(u.routes), went) {
		u.describeForwards()
	}
	if now := u.describeVerify(); !slices.Equal(now, let) {
		rows(u.errs, "Verify", now)
	}
	if len(later) > 0 {
		u.errs.Printf("  what it says of %s counts from the next start on", strings.Join(later, ", "))
	}
}

// isLive reports whether what devhook.yaml says by that name, one of [config.Config.Show], holds as
// soon as it is saved: it is in the routes.
func isLive(name string) bool {
	kind, _, _ := strings.Cut(name, " ")
	return slices.Contains([]string{"forward", "provider", "verify", "timeout", "route", "secret", "with"}, kind)
}

// late is why a devhook.yaml is not used, whatever is in it.
func late(path string) error {
	return &failure{code: 2, text: path + " was not there when devhook was started", hint: "end this devhook up and start it again to have it used"}
}

// stays tells why what was saved changes nothing.
func (u *up) stays(err error) {
	f := explain(err)
	u.errs.Error(f.text, f.hint)
	what := "what was read before"
	if u.cfg.Path != "" {
		what = filepath.Base(u.cfg.Path)
	}
	u.errs.Printf("%s stays as it was", what)
}
