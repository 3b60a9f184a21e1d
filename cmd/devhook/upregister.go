package main

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"sync"

	"devhook/internal/config"
	"devhook/internal/inspector"
	"devhook/internal/register"
	"devhook/verify"
)

// registrations are those of a devhook up: what devhook.yaml wants, and what its API was
// asked for.
type registrations struct {
	mu    sync.Mutex
	all   []*ownRegistration // guarded by mu
	ended bool               // guarded by mu: nothing more is registered
}

// An ownRegistration is one that is held.
type ownRegistration struct {
	*register.Held
	reg   *register.Registration
	id    string // of the provider
	path  string // of the callback; "" for that of the provider's route
	force bool   // also at a URL that the provider cannot reach
	asked bool   // by the API
	last  string // the URL that it was told
}

// opening is how a registration is opened that tells its steps and secrets here.
func (u *up) opening(p register.Provider, values map[string][]string, api string) register.Options {
	return register.Options{
		Store: u.store, Provider: p, Values: values, API: u.p.apiURL(p.ID, api),
		Say:        func(s register.Step) { u.sayStep(p.ID, s) },
		TakeSecret: func(s verify.Secret) { u.learnSecret(p.ID, s) },
	}
}

// register begins what devhook.yaml wants registered. What cannot be is said,
// and stops nothing. See unregister.
func (u *up) register() {
	for _, one := range u.cfg.Registrations() {
		name := one.Provider.ID
		values, err := config.Params(one.Provider, one.Values, u.resolver)
		var reg *register.Registration
		if err == nil {
			reg, err = register.Open(u.opening(one.Provider, values, one.API))
		}
		if err != nil {
			f := explain(misuse(err))
			u.errs.Error(one.From+": "+name+" is not registered: "+f.text, f.hint)
			continue
		}
		u.hold(&ownRegistration{reg: reg, id: name, path: one.Path}, nil)
	}
}

// hold has own held until it is released. first is as in [register.HoldOptions].
func (u *up) hold(own *ownRegistration, first chan<- error) error {
	rs := &u.registrations
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.ended {
		return &inspector.Error{Status: http.StatusServiceUnavailable, Text: "devhook up ends", Hint: "start it again"}
	}
	for _, other := range rs.all {
		if own.asked && own.reg.Same(other.reg) {
			return &inspector.Error{
				Status: http.StatusConflict, Text: fmt.Sprintf("that is registered at %s already", own.id),
				Hint: "DELETE /devhook/v1/register/" + other.Mark() + " takes it back",
			}
		}
	}
	own.Held = register.Hold(own.reg, register.HoldOptions{
		First: first,
		Say:   func(text string) { u.errs.Error(own.id+" is "+text, "") },
		Set:   func(url string) { u.sayRegistered(own.id, own.Account(), url) },
	})
	rs.all = append(rs.all, own)
	return nil
}

// release has all taken back, and nothing more registered. It returns them, and waits for
// none.
func (rs *registrations) release() []*ownRegistration {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.ended = true
	for _, own := range rs.all {
		own.Release()
	}
	return slices.Clone(rs.all)
}

// forget is told of one that was taken back.
func (rs *registrations) forget(own *ownRegistration) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.all = slices.DeleteFunc(rs.all, func(other *ownRegistration) bool { return other == own })
}

// moveRegistrations has all registered where r is.
func (u *up) moveRegistrations(r running) {
	u.registrations.mu.Lock()
	defer u.registrations.mu.Unlock()
	for _, own := range u.registrations.all {
		callback := r.callback(own.id, own.path)
		if callback == own.last {
			continue
		}
		own.last = callback
		if err := checkCallback(callback, own.reg, own.force); err != nil {
			f := explain(err)
			u.errs.Error(own.id+" is not registered: "+f.text, "")
			continue
		}
		own.Move(callback)
	}
}

// unregister takes back what was registered, while webhooks are still taken
// in. It reports whether the user waited for it.
func (u *up) unregister(signals <-chan os.Signal) bool {
	for _, own := range u.registrations.release() {
		select {
		case <-own.Done():
		case <-signals:
			return false
		}
		if err := own.Err(); err != nil {
			u.errs.Error(explain(apiFailure(err)).text, "devhook register --cleanup takes back what is left")
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
