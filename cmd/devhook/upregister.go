package main

import (
	"context"
	"os"

	"devhook/internal/config"
	"devhook/internal/register"
	"devhook/verify"
)

// An ownRegistration is one that devhook.yaml wants.
type ownRegistration struct {
	*registering
	entry config.Registration
	last  string // the URL that it was told
}

// register begins what devhook.yaml wants registered. What cannot be is said,
// and stops nothing. It ends with ctx; see unregister.
func (u *up) register(ctx context.Context) {
	for _, one := range u.cfg.Registrations() {
		name := one.Provider.ID
		values, err := config.Params(one.Provider, one.Values, u.resolver)
		var reg *register.Registration
		if err == nil {
			reg, err = register.Open(register.Options{
				Store: u.store, Provider: one.Provider, Values: values, API: u.p.apiURL(name, one.API),
				Say:        func(s register.Step) { u.sayStep(name, s) },
				TakeSecret: func(s verify.Secret) { u.learnSecret(name, s) },
			})
		}
		if err != nil {
			f := explain(misuse(err))
			u.errs.Error(one.From+": "+name+" is not registered: "+f.text, f.hint)
			continue
		}
		g := newRegistering(reg)
		g.say = func(text string) { u.errs.Error(name+" is "+text, "") }
		g.set = func(url string) { u.sayRegistered(name, reg.Account(), url) }
		u.registrations = append(u.registrations, &ownRegistration{registering: g, entry: one})
		go g.run(ctx)
	}
}

// moveRegistrations has all registered where r is.
func (u *up) moveRegistrations(r running) {
	for _, own := range u.registrations {
		name := own.entry.Provider.ID
		callback := r.callback(name, own.entry.Path)
		if callback == own.last {
			continue
		}
		own.last = callback
		if err := checkCallback(callback, own.reg, false); err != nil {
			f := explain(err)
			u.errs.Error(name+" is not registered: "+f.text, "")
			continue
		}
		own.move(callback)
	}
}

// unregister takes back what was registered, while webhooks are still taken
// in. stop ends the context of register. It reports whether the user waited
// for it.
func (u *up) unregister(stop context.CancelFunc, signals <-chan os.Signal) bool {
	stop()
	for _, own := range u.registrations {
		select {
		case <-own.done:
		case <-signals:
			return false
		}
		if own.err != nil {
			u.errs.Error(explain(apiFailure(own.err)).text, "devhook register --cleanup takes back what is left")
		}
	}
	return true
}

// learnSecret uses a secret that a provider's API has told, and keeps it in
// memory only.
func (u *up) learnSecret(id string, s verify.Secret) {
	u.learnedMu.Lock()
	defer u.learnedMu.Unlock()
	if u.learned == nil {
		u.learned = map[string][]verify.Secret{}
	}
	u.learned[id] = append(u.learned[id], s)
	u.gateway.AddSecret(id, s)
}

// relearn gives the gateway, whose routes are new, the secrets that were
// learned.
func (u *up) relearn() {
	u.learnedMu.Lock()
	defer u.learnedMu.Unlock()
	for id, all := range u.learned {
		for _, s := range all {
			u.gateway.AddSecret(id, s)
		}
	}
}

func (u *up) sayStep(provider string, s register.Step) {
	if u.cfg.Get("output").Text() == "json" {
		u.printAside(stepLine(provider, s))
		return
	}
	u.errs.Printf("%s: %s", provider, stepText(u.errs, s))
}

func (u *up) sayRegistered(provider, account, url string) {
	if u.cfg.Get("output").Text() == "json" {
		u.printAside(registeredLine(provider, account, url))
		return
	}
	u.errs.Printf("%s", registeredText(u.errs, provider, url))
}
