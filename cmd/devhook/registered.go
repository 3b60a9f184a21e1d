package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"devhook/internal/register"
	"devhook/internal/terminal"
	"devhook/verify"
)

// dryRun prints what would be called.
func (r *registerRun) dryRun(reg *register.Registration, callback string) error {
	plan, err := reg.Plan(r.c.Context, callback)
	if err != nil {
		return apiFailure(err)
	}
	for _, ch := range plan {
		method, url, body := reg.Show(ch.Call)
		if r.c.Bool("json") {
			if err := r.p.line(event{"call", struct {
				About  string `json:"about"`
				Method string `json:"method"`
				URL    string `json:"url"`
				Body   string `json:"body,omitempty"`
			}{ch.About, method, url, body}}); err != nil {
				return err
			}
			continue
		}
		r.out.Printf("%s", r.out.Dim("# "+terminal.Safe(ch.About)))
		r.out.Printf("%s %s", method, terminal.Safe(url))
		if body != "" {
			r.out.Printf("%s", terminal.Safe(body))
		}
	}
	if len(plan) == 0 {
		r.errs.Printf("nothing is to be done")
	}
	return wrote(r.out.Err())
}

// list prints what is registered, by the living and by those that are gone.
func (r *registerRun) list(id string) error {
	var all []register.Ledger
	store, err := r.p.openUsual(r.c)
	if store != nil {
		defer store.Close()
		all, err = register.List(store)
	}
	if err != nil {
		return storeFailure(err)
	}
	if p, known := verify.Lookup(id); known {
		id = p.ID
	}
	all = slices.DeleteFunc(all, func(l register.Ledger) bool { return id != "" && l.Provider != id })
	if len(all) == 0 && !r.c.Bool("json") {
		r.errs.Printf("nothing is registered")
	}
	for _, l := range all {
		if r.c.Bool("json") {
			if err := r.p.line(struct {
				Type string `json:"type"`
				register.Ledger
				Running bool `json:"running"`
			}{"registration", l, l.Alive}); err != nil {
				return err
			}
			continue
		}
		state := "its devhook is gone: devhook register --cleanup takes it back"
		switch {
		case l.Alive:
			state = fmt.Sprintf("by process %d", l.PID)
		case l.Keep:
			state = "kept"
		}
		r.out.Beside(fmt.Sprintf("%s  account %s  %s ", r.out.Bold(terminal.Safe(l.Provider)), terminal.Safe(l.Account), terminal.Safe(cmp.Or(l.URL, "(not whole)"))), state)
		for _, ch := range l.Changes {
			r.out.Printf("  %-8s  %s", terminal.Safe(string(ch.State)), terminal.Safe(ch.About))
		}
	}
	return wrote(r.out.Err())
}

// cleanup takes back what devhooks that are gone have left at the provider, or
// at all of which there is something.
func (r *registerRun) cleanup(id string) error {
	var all []register.Ledger
	_, err := os.Stat(r.p.storeDir(r.c))
	if err == nil || !errors.Is(err, fs.ErrNotExist) { // else nothing was left, and none is made
		if r.store, err = r.p.openToWrite(r.c); err != nil {
			return err
		}
		defer r.store.Close()
		if all, err = register.List(r.store); err != nil {
			return storeFailure(err)
		}
	}
	if known, ok := r.cfg.Catalog().Lookup(id); ok {
		id = known.ID
	}
	var failed error
	total, seen := 0, map[string]bool{}
	for _, l := range all {
		if l.Alive || id != "" && l.Provider != id || seen[l.Provider+" "+l.API] {
			continue
		}
		seen[l.Provider+" "+l.API] = true
		n, err := r.takeBack(l)
		total += n
		if err != nil {
			f := explain(apiFailure(err))
			r.errs.Error(f.text, f.hint)
			failed = cmp.Or(failed, error(&failure{code: f.code}))
		}
	}
	if !r.c.Bool("json") && total == 0 && failed == nil {
		r.out.Printf("nothing is left")
	}
	return cmp.Or(failed, wrote(r.out.Err()))
}

// takeBack takes back what is in l and in others of the same API, and returns how much
// that was.
func (r *registerRun) takeBack(l register.Ledger) (n int, err error) {
	var ok bool
	if r.provider, ok = register.Lookup(l.Provider); !ok {
		return 0, nil
	}
	o, err := r.options()
	if err == nil {
		err = usualAPI(o, l)
	}
	if err == nil {
		n, err = register.Cleanup(r.c.Context, o)
	}
	if errors.As(err, new(*register.MissingError)) {
		err = misuse(err)
	}
	return n, err
}

// usualAPI refuses to send credentials to where l was registered, if that is not where o
// has them go.
func usualAPI(o register.Options, l register.Ledger) error {
	if l.API == cmp.Or(strings.TrimRight(o.API, "/"), o.Provider.API) {
		return nil
	}
	return &failure{
		code: 2, text: fmt.Sprintf("%s was registered at %s, which is not where credentials go unasked", l.Provider, l.API),
		hint: "devhook register --cleanup " + l.Provider + " --api-url " + l.API,
	}
}
