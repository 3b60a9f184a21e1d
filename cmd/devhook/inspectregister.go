package main

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"devhook/internal/config"
	"devhook/internal/inspector"
	"devhook/internal/register"
)

// registrar is what the inspector registers with.
func (u *up) registrar() inspector.Registrar {
	return inspector.Registrar{Open: u.openAsked, Hold: u.holdAsked, Held: u.heldAsked, CleanUp: u.cleanUp, TakeSecret: u.learnSecret}
}

// openAsked opens a registration at the URL that the provider's webhooks are to go to now.
// What params says comes before devhook.yaml. Credentials are those of the environment and
// devhook.yaml, and so is where the API is: nobody who asks names a variable, a file or a
// host to send them to.
func (u *up) openAsked(p register.Provider, asked inspector.Registering) (reg *register.Registration, callback string, err error) {
	said, path, api := entryOf(u.cfg, p)
	for name, texts := range asked.Params {
		i := slices.IndexFunc(p.Params, func(param register.Param) bool { return param.Name == name })
		if i < 0 {
			var names []string
			for _, param := range p.Params {
				if param.Kind != register.Secret {
					names = append(names, param.Name)
				}
			}
			return nil, "", &inspector.Error{Status: http.StatusBadRequest, Text: p.ID + " is told nothing by the name of " + name, Hint: "it is told " + strings.Join(names, ", ")}
		}
		if p.Params[i].Kind == register.Secret {
			return nil, "", &inspector.Error{Status: http.StatusForbidden, Text: name + " is a secret, which no request names", Hint: cmp.Or(p.Params[i].Env, "register: in devhook.yaml") + " has it"}
		}
		said[name] = config.Value{Texts: texts, From: "params", Given: true}
	}
	values, err := config.Params(p, said, &config.Resolver{Getenv: u.p.getenv}) // which asks nobody
	if err == nil {
		o := u.opening(p, values, api)
		if o.Keep = asked.Keep; asked.DryRun {
			o.TakeSecret = nil
		}
		reg, err = register.Open(o)
	}
	if err != nil {
		return nil, "", missing(err)
	}
	here := running{URL: u.publicURL(), Routes: toldRoutes(u.gateway.Routes())}
	callback = here.callback(p.ID, cmp.Or(asked.Path, path))
	if err := checkCallback(callback, reg, asked.Force); err != nil {
		return nil, "", &inspector.Error{Status: http.StatusUnprocessableEntity, Text: explain(err).text, Hint: `start devhook up with an ngrok authtoken, or insist with "force": true`}
	}
	return reg, callback, nil
}

// missing tells a client of the API what a registration wants to know.
func missing(err error) error {
	var m *register.MissingError
	switch {
	case errors.As(err, &m) && m.Param.Kind == register.Secret:
		return &inspector.Error{Status: http.StatusUnprocessableEntity, Text: err.Error(), Hint: "set " + m.Param.Env + " for devhook up, or say it under register: in devhook.yaml"}
	case errors.As(err, &m):
		return &inspector.Error{Status: http.StatusUnprocessableEntity, Text: err.Error(), Hint: `say it as "params": {"` + m.Param.Name + `": ["…"]}`}
	}
	return told(misuse(err))
}

// holdAsked registers reg at callback, and holds it. If the provider refuses, or ctx ends
// before it has answered, what was done is taken back.
func (u *up) holdAsked(ctx context.Context, reg *register.Registration, callback string, p register.Provider, asked inspector.Registering) (*register.Held, error) {
	first := make(chan error, 1)
	own := &ownRegistration{reg: reg, id: p.ID, path: asked.Path, force: asked.Force, asked: true, last: callback}
	if err := u.hold(own, first); err != nil {
		return nil, err
	}
	go func() {
		<-own.Done()
		u.registrations.forget(own)
	}()
	own.Move(callback)
	var err error
	select {
	case err = <-first:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil {
		return own.Held, nil
	}
	own.Release()
	<-own.Done()
	return nil, errors.Join(err, own.Err())
}

// heldAsked returns what is held by that mark, nil if nothing is. What devhook.yaml wants
// is not given away.
func (u *up) heldAsked(mark string) (*register.Held, error) {
	u.registrations.mu.Lock()
	defer u.registrations.mu.Unlock()
	for _, own := range u.registrations.all {
		switch {
		case own.Mark() != mark:
		case own.asked:
			return own.Held, nil
		default:
			return nil, &inspector.Error{Status: http.StatusConflict, Text: "devhook.yaml wants that registered as long as devhook up runs", Hint: "take it out of register: there, and start devhook up again"}
		}
	}
	return nil, nil
}

// cleanUp takes back what dead processes have left at the provider and API of l, and
// returns the steps.
func (u *up) cleanUp(ctx context.Context, p register.Provider, l register.Ledger) (steps []register.Step, err error) {
	said, _, api := entryOf(u.cfg, p)
	values, err := config.Params(p, said, &config.Resolver{Getenv: u.p.getenv})
	if err != nil {
		return nil, missing(err)
	}
	o := register.Options{Store: u.store, Provider: p, Values: values, API: u.p.apiURL(p.ID, api), Say: func(s register.Step) {
		steps = append(steps, s)
		u.sayStep(p.ID, s)
	}}
	if err := usualAPI(o, l); err != nil {
		return nil, told(err)
	}
	if _, err = register.Cleanup(ctx, o); errors.As(err, new(*register.MissingError)) {
		err = missing(err)
	}
	return steps, err
}
