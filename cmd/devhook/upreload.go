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

// reload takes in a devhook.yaml that was saved. One that is wrong changes
// nothing.
func (u *up) reload() {
	went, let := forwards(u.routes), u.describeVerify()
	cfg, err := config.Load(u.src)
	if err == nil && cfg.Path != u.cfg.Path { // as an editor or git can have it for a moment
		err = fmt.Errorf("%s is not there any more", u.cfg.Path)
	}
	var rt *gateway.Routes
	if err == nil {
		rt, err = cfg.Routes(u.resolver, u.handed(cfg.Catalog(), u.store.Path())...)
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
		u.tell()
	}
	u.untrusted = errors.As(err, new(*config.UntrustedError))
	if err != nil {
		f := explain(err)
		u.errs.Error(f.text, f.hint)
		u.errs.Printf("%s stays as it was", filepath.Base(u.cfg.Path))
		return
	}
	var later []string
	for _, name := range config.Settings() {
		switch name {
		case "forward", "provider", "verify", "timeout": // are in the routes
			continue
		}
		if strings.Join(cfg.Get(name).Texts, "\n") != strings.Join(u.cfg.Get(name).Texts, "\n") {
			later = append(later, name)
		}
	}
	if !slices.EqualFunc(cfg.Sources(), u.cfg.Sources(), config.Stream.Same) {
		later = append(later, "sources")
	}
	if !slices.EqualFunc(cfg.Registrations(), u.cfg.Registrations(), func(a, b config.Registration) bool { return a.String() == b.String() }) {
		later = append(later, "register")
	}
	u.errs.Printf("%s was read again", terminal.Safe(cfg.Path))
	if !slices.Equal(forwards(u.routes), went) {
		u.describeForwards()
	}
	if now := u.describeVerify(); now != let {
		u.errs.Row("Verify", now)
	}
	if len(later) > 0 {
		u.errs.Printf("  what it says of %s counts from the next start on", strings.Join(later, ", "))
	}
}
